//! `fersnet train`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use fersnet::network::{Edition, FACE_SIZE, Head, NetworkConfig, Variant};
use fersnet::train::batch::{BatchShape, TrainingData};
use fersnet::train::run::{self, RunConfig};
use fersnet::train::{Split, ferplus, pairs};

use crate::device::DeviceName;

/// Every this many-th labelled face is held out, to watch a run without touching the validation
/// split.
const HOLD_OUT_EVERY: usize = 20;

#[derive(Debug, Clone, Copy, ValueEnum)]
enum HeadName {
    Raw,
    Residual,
    Warp,
}

/// Train a network; a run that was stopped goes on where its last checkpoint was.
#[derive(Args)]
pub struct Train {
    /// The run's folder: configuration, log, checkpoint, weights.
    #[arg(long)]
    run: PathBuf,
    /// FER+: a folder with fer2013new.csv and FER2013Train as a folder or tar.
    #[arg(long, required_unless_present = "paired")]
    labelled: Option<PathBuf>,
    /// Paired sets: folders with manifest.csv; may be given more than once.
    #[arg(long)]
    paired: Vec<PathBuf>,
    /// Where to train.
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceName,
    /// Base width n of the 2021 edition.
    #[arg(long, default_value_t = 12)]
    width: usize,
    /// Head of the decoder.
    #[arg(long, value_enum, default_value = "warp")]
    head: HeadName,
    /// Steps in all.
    #[arg(long, default_value_t = 10_000)]
    steps: usize,
    /// Largest learning rate.
    #[arg(long, default_value_t = 2e-3)]
    rate: f64,
    /// Labelled faces a step.
    #[arg(long, default_value_t = 48, value_parser = parse_batch)]
    labelled_batch: usize,
    /// Pairs a step.
    #[arg(long, default_value_t = 16, value_parser = parse_batch)]
    pairs_batch: usize,
    /// Side of the training faces in pixels: a multiple of 32 from 64 on.
    #[arg(long, default_value_t = FACE_SIZE, value_parser = parse_side)]
    size: usize,
    /// Seed of weights and batches.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = 500)]
    checkpoint_every: usize,
    /// Stop after this many steps; the same command without it goes on.
    #[arg(long)]
    stop_after: Option<usize>,
    /// Terms of the weights, to be noted in their file.
    #[arg(long)]
    licence: Option<String>,
    /// A weight file to start from.
    #[arg(long)]
    start: Option<PathBuf>,
}

/// Sides that both editions' five halvings and instance norms can work with.
pub fn parse_side(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(side) if side.is_multiple_of(32) && (64..=512).contains(&side) => Ok(side),
        _ => Err("the side has to be 64, 96, 128 .. 512".into()),
    }
}

fn parse_batch(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(count) if (1..=4096).contains(&count) => Ok(count),
        _ => Err("1 to 4096 faces a step".into()),
    }
}

impl Train {
    /// Runs it until it is done or interrupted.
    pub fn run(&self) -> Result<()> {
        let mut network = NetworkConfig::new(
            Edition::Release2021,
            Variant::Fersnet,
            self.width,
            3,
            &ferplus::CLASSES,
        );
        network.head = match self.head {
            HeadName::Raw => Head::Raw,
            HeadName::Residual => Head::Residual,
            HeadName::Warp => Head::Warp,
        };
        let shape = BatchShape {
            labelled: if self.labelled.is_some() {
                self.labelled_batch
            } else {
                0
            },
            pairs: if self.paired.is_empty() {
                0
            } else {
                self.pairs_batch
            },
            size: self.size,
        };
        let config = RunConfig {
            network,
            seed: self.seed,
            steps: self.steps,
            learning_rate: self.rate,
            weight_decay: 0.02,
            labelled: shape.labelled,
            pairs: shape.pairs,
            size: self.size,
            classification: 1.0,
            synthesis: 6.0,
            emphasis: 10.0,
            roughness: 0.05,
            average_rate: 0.998,
            checkpoint_every: self.checkpoint_every,
            stop_after: self.stop_after,
            licence: self.licence.clone(),
            start: self.start.clone(),
        };
        let (labelled, held_out) = self.read_labelled()?;
        let mut people = Vec::new();
        for root in &self.paired {
            people.extend(
                pairs::read(root, &config.network.classes)
                    .with_context(|| format!("reading the paired set {}", root.display()))?,
            );
        }
        println!(
            "{} labelled faces, {} held out, {} persons",
            labelled.len(),
            held_out.len(),
            people.len()
        );
        let data = TrainingData::new(labelled, people, config.network.classes.len(), shape)?;
        let stop = Arc::new(AtomicBool::new(false));
        let handler = Arc::clone(&stop);
        ctrlc::set_handler(move || handler.store(true, Ordering::Relaxed))
            .context("cannot listen for Ctrl-C")?;
        let device = self.device.open()?;
        run::train(&config, &self.run, &data, &held_out, &device, &stop)?;
        Ok(())
    }

    fn read_labelled(&self) -> Result<(Vec<ferplus::LabelledFace>, Vec<ferplus::LabelledFace>)> {
        let Some(root) = &self.labelled else {
            return Ok((Vec::new(), Vec::new()));
        };
        let faces = ferplus::read(root, Split::Train)?;
        let (mut train, mut held_out) = (Vec::new(), Vec::new());
        for (index, face) in faces.into_iter().enumerate() {
            if index % HOLD_OUT_EVERY == 0 {
                held_out.push(face);
            } else {
                train.push(face);
            }
        }
        Ok((train, held_out))
    }
}
