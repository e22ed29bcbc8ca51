//! `fersnet evaluate`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::Args;
use fersnet::answer::temperature;
use fersnet::data::{self, Dataset};
use fersnet::evaluate::{
    self, DataNote, Reader, Recognition, Report, Synthesis, Witnesses, recognition,
};
use fersnet::judge::{self, IdentityJudge};
use fersnet::network::weights;
use fersnet::network::{FACE_SIZE, Network};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::device::DeviceName;
use crate::faces::Faces;
use crate::train::parse_side;

/// Faces that are read at a time.
const BATCH: usize = 64;

/// Evaluate a weight file, or both weight files of a run, on labelled faces.
///
/// Accuracy, macro F1, recall and precision of each expression, the confusion table, calibration and
/// what the "not sure" rule leaves, with 95 % intervals over persons (over pictures where the data
/// does not say who is shown). The temperature is the weight file's own; nothing is fitted here.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("network").required(true))]
pub struct Evaluate {
    /// The weight file.
    #[arg(long, group = "network")]
    weights: Option<PathBuf>,
    /// A run's folder: its last weights (weights.safetensors) and those that were chosen on
    /// held-out training faces (best.safetensors), both.
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
    /// Also redraw neutral faces with every expression and have them judged.
    #[arg(long)]
    synthesis: bool,
    /// Neutral faces that are redrawn at most, picked evenly.
    #[arg(long, default_value_t = 100, value_parser = parse_limit, requires = "synthesis")]
    limit: usize,
    /// Who reads the redrawn faces: a FERSNet weight file; face-api.js's expression network where
    /// none is given. It must not have been used in training.
    #[arg(long, requires = "synthesis")]
    reader: Option<PathBuf>,
    /// Who says whether they are still the same person: the weight file that tools/judges.py
    /// writes. Taken from where it writes it, if it is there, where none is given.
    #[arg(long, requires = "synthesis")]
    identity: Option<PathBuf>,
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
        let witnesses = if self.synthesis {
            Some(self.witnesses(&device)?)
        } else {
            None
        };
        let mut reports = Vec::new();
        for loaded in &networks {
            let report = self.report(loaded, data.clone(), &note, witnesses.as_ref(), &device)?;
            reports.push(report);
        }
        if let Some(path) = &self.html {
            std::fs::write(path, evaluate::page(&reports))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        if self.json {
            println!("{}", self.to_json(&reports)?);
        } else {
            reports.iter().for_each(print);
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
        judges: Option<&Judges>,
        device: &Device,
    ) -> Result<Report> {
        let config = loaded.network.config();
        let data = data.for_classes(&config.classes)?;
        let predictions =
            evaluate::predict(&loaded.network, &data.faces, self.size, BATCH, device)?;
        let temperature = f64::from(temperature(config));
        let synthesis = match judges {
            Some(judges) => {
                let witnesses = Witnesses {
                    reader: &judges.reader,
                    identity: judges.identity.as_ref(),
                    limit: self.limit,
                    seed: self.seed,
                };
                let figures = evaluate::synthesis(&loaded.network, &witnesses, &data, device)?;
                Some(figures)
            }
            None => None,
        };
        let left_out = |left: &data::LeftOut| format!("{} ({})", left.count, left.reason);
        Ok(Report {
            weights: loaded.name.clone(),
            sha256: loaded.sha256.clone(),
            data: DataNote {
                left_out: data.left_out.iter().map(left_out).collect(),
                ..note.clone()
            },
            recognition: recognition(&predictions, temperature, self.seed)?,
            synthesis,
        })
    }

    fn witnesses(&self, device: &Device) -> Result<Judges> {
        let reader = match &self.reader {
            Some(path) => Reader::Network(Box::new(Loaded::open(path, "", device)?.network)),
            None => Reader::judge(device)?,
        };
        let usual = judge::identity_file().filter(|path| path.is_file());
        let identity = match self.identity.clone().or(usual) {
            Some(path) => Some(IdentityJudge::load(&read(&path)?, device)?),
            None => {
                eprintln!("no identity figures: run tools/judges.py, or give --identity FILE");
                None
            }
        };
        Ok(Judges { reader, identity })
    }
}

/// A network with what names it.
struct Loaded {
    name: String,
    sha256: String,
    network: Network,
}

impl Loaded {
    fn open(path: &Path, name: &str, device: &Device) -> Result<Self> {
        let bytes = read(path)?;
        Ok(Self {
            name: name.to_owned(),
            sha256: format!("{:x}", Sha256::digest(&bytes)),
            network: weights::load(&bytes, device)?.for_inference(),
        })
    }
}

/// Who looks at redrawn faces.
struct Judges {
    reader: Reader,
    identity: Option<IdentityJudge>,
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The figures for people.
fn print(report: &Report) {
    println!("{} on {}", report.weights, report.data.in_words());
    print_recognition(&report.recognition);
    if let Some(figures) = &report.synthesis {
        print_synthesis(figures);
    }
}

fn print_recognition(figures: &Recognition) {
    let ends = &figures.intervals;
    let line = |name: &str, value: f64, interval: Option<[f64; 2]>| {
        println!("{name:>16}  {} {}", percent(Some(value)), between(interval));
    };
    println!("n {}; 95 % intervals over {}", figures.n, ends.over);
    line("accuracy", figures.accuracy, ends.accuracy);
    line("macro F1", figures.macro_f1, ends.macro_f1);
    line("macro recall", figures.macro_recall, ends.macro_recall);
    for name in &figures.classes {
        if let Some(class) = figures.per_class.get(name) {
            println!(
                "{name:>16}  recall {} {}  precision {}  n {}",
                percent(class.recall),
                between(class.recall_interval),
                percent(class.precision),
                class.n
            );
        }
    }
    for (name, c) in [
        ("T = 1", &figures.calibration.before),
        ("the file's T", &figures.calibration.after),
    ] {
        println!(
            "{name:>16}  T {:.3}  ECE {:.3}  Brier {:.3}  NLL {:.3}",
            c.temperature, c.ece, c.brier, c.nll
        );
    }
    let rule = &figures.not_sure_rule;
    println!(
        "{:>16}  answers {} of the faces, {} of them rightly",
        "not sure",
        percent(Some(rule.coverage)),
        percent(rule.accuracy)
    );
    for (column, values) in &figures.groups {
        for (value, group) in values {
            let figure = match group.note {
                Some(note) => note.to_owned(),
                None => format!("{} {}", percent(group.accuracy), between(group.interval)),
            };
            println!(
                "{column:>16}  {value}: {figure}  n {} of {}",
                group.n, group.subjects
            );
        }
    }
}

fn print_synthesis(figures: &Synthesis) {
    println!(
        "{} faces redrawn; read by {}\n{:>16}  {} {}  (not redrawn: {}; real faces: {} of {})",
        figures.n,
        figures.reader,
        "read as target",
        percent(Some(figures.read_as_target)),
        between(figures.interval),
        percent(Some(figures.unchanged)),
        percent(Some(figures.ceiling)),
        figures.ceiling_n,
    );
    for (name, target) in &figures.per_class {
        let identity = target.identity.map_or(String::new(), |pairs| {
            format!(
                "  cosine {:.3}, one person {}",
                pairs.cosine,
                percent(Some(pairs.same_person))
            )
        });
        let nearness = target.nearness.map_or(String::new(), |near| {
            format!(
                "  L1 {:.4} ({:.4})  SSIM {:.3} ({:.3})",
                near.l1, near.unchanged_l1, near.ssim, near.unchanged_ssim
            )
        });
        println!(
            "{name:>16}  {} {}  (not redrawn: {}; real faces: {}){identity}{nearness}",
            percent(target.read_as_target),
            between(target.interval),
            percent(target.unchanged),
            percent(target.ceiling),
        );
    }
    if let Some(identity) = &figures.identity {
        for (name, pairs) in [
            ("redrawn", Some(identity.redrawn)),
            ("one person", identity.one_person),
            ("two persons", identity.two_persons),
        ] {
            if let Some(pairs) = pairs {
                println!(
                    "{name:>16}  cosine {:.3}  distance {:.3}  below 0.6 {}  pairs {}",
                    pairs.cosine,
                    pairs.distance,
                    percent(Some(pairs.same_person)),
                    pairs.n
                );
            }
        }
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(
        || "   - %".to_owned(),
        |share| format!("{:5.1} %", 100.0 * share),
    )
}

fn between(interval: Option<[f64; 2]>) -> String {
    interval.map_or_else(String::new, |[low, high]| {
        format!("[{:.1}, {:.1}]", 100.0 * low, 100.0 * high)
    })
}
