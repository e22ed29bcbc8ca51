//! `fersnet evaluate`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::Args;
use fersnet::answer::temperature;
use fersnet::data::{self, Dataset, Face};
use fersnet::evaluate::{self, DataNote, Evaluators, Reader, Report, recognition};
use fersnet::evaluator::{self, IdentityEvaluator, MaskedEvaluator};
use fersnet::network::weights;
use fersnet::network::{FACE_SIZE, InferenceNetwork};
use fersnet::pipeline::Pipeline;
use fersnet::store;
use serde::Serialize;

use crate::device::DeviceName;
use crate::faces::Faces;
use crate::picture::{add_painter, read_weights};
use crate::train::parse_side;

/// Title of the page.
const TITLE: &str = "Model card figures";

/// Evaluate a weight file, or both weight files of a run, on labelled faces.
///
/// Accuracy, macro F1, recall and precision of each expression, the confusion table, calibration and
/// what the "not sure" rule leaves, with 95 % intervals over subjects (over pictures where the data
/// does not say who is shown). The temperature is the weight file's own; nothing is fitted here.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("network").required(true))]
pub struct Evaluate {
    /// The weight file.
    #[arg(long, group = "network")]
    weights: Option<PathBuf>,
    /// The mouth painter of these weights, in a file of its own: redrawn photos are measured with it.
    #[arg(long, requires = "synthesis")]
    painter: Option<PathBuf>,
    /// A run's folder: its last weights (weights.safetensors) and those that were chosen on
    /// validation training faces (best.safetensors), both.
    #[arg(long, group = "network")]
    run: Option<PathBuf>,
    #[command(flatten)]
    faces: Faces,
    /// Where to run.
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceName,
    /// Side of the faces in pixels: a multiple of 32 from 64 on.
    #[arg(long, default_value_t = FACE_SIZE, value_parser = parse_side)]
    size: usize,
    /// Seed of the intervals.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also redraw neutral faces with every expression and have them evaluated.
    #[arg(long)]
    synthesis: bool,
    /// Neutral faces, and real smiles, that are redrawn at most, picked evenly.
    #[arg(long, default_value_t = 100, value_parser = parse_limit, requires = "synthesis")]
    limit: usize,
    /// Of these, faces on which each slider of a network with controls is drawn, four times each; 0
    /// skips the sliders.
    #[arg(long, default_value_t = 2, requires = "synthesis")]
    sliders: usize,
    /// A set with real smiles of many subjects, of collections like those of the data: redrawn smiles at nine
    /// intensities are held against them. Without it against the few real smiles of the data.
    #[arg(long, value_name = "DIR", requires = "synthesis")]
    mouths: Option<PathBuf>,
    /// Who reads the redrawn faces: a FERSNet weight file; face-api.js's expression network where
    /// none is given. It must not have been used in training.
    #[arg(long, requires = "synthesis")]
    reader: Option<PathBuf>,
    /// Who says whether they are still the same subject: the weight file that tools/evaluators.py
    /// writes. Taken from where it writes it, if it is there, where none is given.
    #[arg(long, requires = "synthesis")]
    identity: Option<PathBuf>,
    /// Who says so by the upper face alone: another maker's weight file, which tools/evaluators.py writes
    /// too. Taken from where it writes it, if it is there, where none is given.
    #[arg(long, requires = "synthesis")]
    identity_masked: Option<PathBuf>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    /// Write the figures as a page for the model card.
    #[arg(long)]
    html: Option<PathBuf>,
}

fn parse_limit(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("at least 1 face".into()),
    }
}

/// A run's figures, as JSON names them.
#[derive(Serialize)]
struct RunReports<'a> {
    last: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    best: Option<&'a Report>,
}

impl Evaluate {
    /// Prints the figures.
    pub fn run(&self) -> Result<()> {
        let device = self.device.open()?;
        let networks = self.networks(&device)?;
        let (data, note) = self.faces.open()?;
        let evaluators = if self.synthesis {
            Some(self.evaluators(&device)?)
        } else {
            None
        };
        let mut reports = Vec::new();
        for loaded in &networks {
            let report = self.report(loaded, data.clone(), &note, evaluators.as_ref(), &device)?;
            reports.push(report);
        }
        let document = evaluate::document(&reports);
        if let Some(path) = &self.html {
            store::write(path, document.page(TITLE).as_bytes())?;
        }
        if self.json {
            println!("{}", self.to_json(&reports)?);
        } else {
            print!("{}", document.text());
        }
        Ok(())
    }

    /// One report is the answer; a run's are named.
    fn to_json(&self, reports: &[Report]) -> Result<String> {
        let text = match (reports, &self.run) {
            ([last, best @ ..], Some(_)) => serde_json::to_string_pretty(&RunReports {
                last,
                best: best.first(),
            }),
            _ => serde_json::to_string_pretty(&reports.first()),
        };
        Ok(text?)
    }

    fn networks(&self, device: &Device) -> Result<Vec<Loaded>> {
        let Some(run) = &self.run else {
            let path = self.weights.as_deref().unwrap_or(Path::new(""));
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            return Ok(vec![Loaded::open(path, &name, device)?]);
        };
        let mut networks = vec![Loaded::open(
            &run.join("weights.safetensors"),
            "last",
            device,
        )?];
        let best = run.join("best.safetensors");
        if best.is_file() {
            networks.push(Loaded::open(&best, "best", device)?);
        } else {
            eprintln!(
                "{} is not there: this run chose no best weights",
                best.display()
            );
        }
        Ok(networks)
    }

    fn report(
        &self,
        loaded: &Loaded,
        data: Dataset,
        note: &DataNote,
        loaded_evaluators: Option<&LoadedEvaluators>,
        device: &Device,
    ) -> Result<Report> {
        let config = loaded.network.config();
        let data = data.for_classes(&config.classes)?;
        let (network, faces) = (&loaded.network, &data.faces);
        let predictions = evaluate::predict(network, faces, Face::alignment, self.size, device)?;
        let temperature = f64::from(temperature(config));
        let recognition = recognition(&predictions, temperature, self.seed)?;
        let synthesis = match loaded_evaluators {
            Some(loaded_evaluators) => {
                let evaluators = Evaluators {
                    reader: &loaded_evaluators.reader,
                    identity: loaded_evaluators.identity.as_ref(),
                    masked: loaded_evaluators.masked.as_ref(),
                    limit: self.limit,
                    sliders: self.sliders,
                    mouths: loaded_evaluators.mouths.as_ref(),
                    seed: self.seed,
                };
                let pipeline = Pipeline::new(&loaded.bytes, device.clone())?;
                if let Some(path) = &self.painter {
                    add_painter(&pipeline, path)?;
                }
                let drawn = evaluate::synthesis(network, &pipeline, &evaluators, &data, device)?;
                Some(drawn)
            }
            None => None,
        };
        let skipped = |left: &data::Skipped| format!("{} ({})", left.count, left.reason);
        Ok(Report {
            weights: loaded.name.clone(),
            sha256: loaded.sha256.clone(),
            data: DataNote {
                skipped: data.skipped.iter().map(skipped).collect(),
                ..note.clone()
            },
            recognition,
            synthesis,
        })
    }

    fn evaluators(&self, device: &Device) -> Result<LoadedEvaluators> {
        let reader = match &self.reader {
            Some(path) => Reader::Network(Box::new(Loaded::open(path, "", device)?.network)),
            None => Reader::embedded(device)?,
        };
        let find = |given: &Option<PathBuf>, usual: Option<PathBuf>, option: &str| {
            let found = given.clone().or(usual.filter(|path| path.is_file()));
            if found.is_none() {
                eprintln!("fewer identity figures: run tools/evaluators.py, or give {option} FILE");
            }
            found.map(|path| read(&path)).transpose()
        };
        let identity = find(&self.identity, evaluator::identity_file(), "--identity")?;
        let masked = find(
            &self.identity_masked,
            evaluator::masked_identity_file(),
            "--identity-masked",
        )?;
        let mouths = self.mouths.as_ref().map(|root| {
            let options = data::Options {
                real: true,
                ..data::Options::default()
            };
            data::open(root, &options)
        });
        Ok(LoadedEvaluators {
            reader,
            mouths: mouths.transpose()?,
            identity: identity
                .map(|bytes| IdentityEvaluator::load(&bytes, device))
                .transpose()?,
            masked: masked
                .map(|bytes| MaskedEvaluator::load(&bytes, device))
                .transpose()?,
        })
    }
}

/// A network with what names it.
struct Loaded {
    name: String,
    sha256: String,
    network: InferenceNetwork,
    bytes: Vec<u8>,
}

impl Loaded {
    fn open(path: &Path, name: &str, device: &Device) -> Result<Self> {
        let bytes = read_weights(path)?;
        Ok(Self {
            name: name.to_owned(),
            sha256: data::digest(&bytes),
            network: weights::load(&bytes, device)?.into_inference(),
            bytes,
        })
    }
}

/// Who looks at redrawn faces.
struct LoadedEvaluators {
    reader: Reader,
    identity: Option<IdentityEvaluator>,
    masked: Option<MaskedEvaluator>,
    mouths: Option<Dataset>,
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
