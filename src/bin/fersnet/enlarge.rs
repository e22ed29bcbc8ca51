//! `fersnet enlarge`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::Args;
use fersnet::data::Augmentation;
use fersnet::enlarge::{self, Named, Rule, Settings, Summary};
use fersnet::network::{FACE_SIZE, InferenceNetwork, weights};

use crate::device::DeviceName;
use crate::interrupt;
use crate::picture::read_weights;
use crate::train::{parse_side, read_set};

/// Make a data set of synthetic faces: redraw the faces of a data set, keep what other networks read
/// as it was meant.
///
/// The folder is a paired set that `--data` takes; a face keeps its subject, and every picture is
/// marked as synthetic.
#[derive(Args)]
pub struct Enlarge {
    /// The network that redraws.
    #[arg(long)]
    weights: PathBuf,
    /// Networks that read what was drawn; the drawing network alone by default. One that was trained
    /// otherwise is a better evaluator.
    #[arg(long, num_args = 1..)]
    ensemble: Vec<PathBuf>,
    /// The faces to be redrawn, in a layout that the program recognises.
    #[arg(long)]
    data: PathBuf,
    /// The folder to be made.
    #[arg(short, long)]
    output: PathBuf,
    /// Faces to be kept, as many of each expression.
    #[arg(long, default_value_t = enlarge::COUNT)]
    count: usize,
    /// Faces that are drawn at most for each one that is wanted.
    #[arg(long, default_value_t = enlarge::TRIES)]
    tries: usize,
    /// How the ensemble decides.
    #[arg(long, value_enum, default_value = "every")]
    rule: Rule,
    /// Probability of the wanted expression that is enough.
    #[arg(long, default_value_t = 0.5)]
    threshold: f32,
    /// Seed of the order in which faces are redrawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Side in pixels at which the networks were trained.
    #[arg(long, default_value_t = FACE_SIZE, value_parser = parse_side)]
    size: usize,
    /// Where the networks run.
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceName,
}

/// A weight file, read.
struct Loaded {
    name: String,
    digest: String,
    network: InferenceNetwork,
}

impl Loaded {
    fn read(path: &Path, device: &Device) -> Result<Self> {
        let bytes = read_weights(path)?;
        let network = weights::load(&bytes, device).with_context(|| path.display().to_string())?;
        Ok(Self {
            name: path.display().to_string(),
            digest: fersnet::data::digest(&bytes),
            network: network.into_inference(),
        })
    }

    fn named(&self) -> Named<'_> {
        Named {
            name: self.name.clone(),
            digest: self.digest.clone(),
            network: &self.network,
        }
    }
}

impl Enlarge {
    /// Makes the folder and says what became of the faces.
    pub fn run(&self) -> Result<()> {
        let device = self.device.open()?;
        let drawer = Loaded::read(&self.weights, &device)?;
        let ensemble = self
            .ensemble
            .iter()
            .map(|path| Loaded::read(path, &device))
            .collect::<Result<Vec<_>>>()?;
        let evaluators: Vec<Named<'_>> = ensemble.iter().map(Loaded::named).collect();
        let settings = Settings {
            count: self.count,
            tries: self.tries,
            rule: self.rule,
            threshold: self.threshold,
            seed: self.seed,
            size: self.size,
            augmentation: Augmentation::Varied,
        };
        let summary = enlarge::enlarge(
            read_set(&self.data)?,
            &drawer.named(),
            &evaluators,
            &settings,
            &self.output,
            &device,
            &*interrupt::flag()?,
        )?;
        match summary {
            Some(summary) => self.print(&summary),
            None => println!(
                "stopped; {} is no data set yet: remove it and give the command again",
                self.output.display()
            ),
        }
        Ok(())
    }

    fn print(&self, summary: &Summary) {
        for (name, tally) in &summary.classes {
            println!("{name:>11} {} kept of {} drawn", tally.kept, tally.proposed);
        }
        println!(
            "{}: {} synthetic faces",
            self.output.display(),
            summary.kept()
        );
        if summary.kept() < self.count {
            println!(
                "fewer than {}: the tries are used up, or every face was redrawn; the training draws rarer expressions oftener with batch.balance",
                self.count
            );
        }
    }
}
