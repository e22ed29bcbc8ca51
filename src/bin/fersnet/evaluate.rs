//! `fersnet evaluate`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::{Args, ValueEnum};
use fersnet::face::FaceDetector;
use fersnet::network::FACE_SIZE;
use fersnet::network::weights;
use fersnet::train::{Split, evaluate, ferplus};

use crate::device::DeviceName;
use crate::train::parse_side;

/// Official part of FER+.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SplitName {
    Train,
    Validation,
    Test,
}

/// How evaluation cuts a labelled picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Cut {
    /// The picture is the face, as FER2013 cut it.
    Whole,
    /// By the eyes that the detector finds, as the page and `predict` do; whole where it finds none.
    Eyes,
}

/// Evaluate a weight file on FER+ (majority label, eight classes).
#[derive(Args)]
pub struct Evaluate {
    /// The weight file.
    #[arg(long)]
    weights: PathBuf,
    /// FER+: a folder with fer2013new.csv and the splits as folders or tars.
    #[arg(long)]
    data: PathBuf,
    /// Which split.
    #[arg(long, value_enum, default_value = "validation")]
    split: SplitName,
    /// Where to run.
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceName,
    /// Side of the faces in pixels: a multiple of 32 from 64 on.
    #[arg(long, default_value_t = FACE_SIZE, value_parser = parse_side)]
    size: usize,
    /// How the faces are cut.
    #[arg(long, value_enum, default_value = "whole")]
    cut: Cut,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    /// Prints the figures.
    pub fn run(&self) -> Result<()> {
        let bytes = std::fs::read(&self.weights)
            .with_context(|| format!("cannot read {}", self.weights.display()))?;
        let device = self.device.open()?;
        let network = weights::load(&bytes, &device)?;
        let split = match self.split {
            SplitName::Train => Split::Train,
            SplitName::Validation => Split::Validation,
            SplitName::Test => Split::Test,
        };
        let mut faces = ferplus::read(&self.data, split)?;
        if self.cut == Cut::Eyes {
            let detector = FaceDetector::load(&Device::flex())?;
            let found = pollster::block_on(ferplus::find_eyes(&mut faces, &detector))?;
            eprintln!("a face was found in {found} of {} pictures", faces.len());
        }
        let figures = evaluate::evaluate(&network, &faces, self.size, 64, &device)?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&figures)?);
            return Ok(());
        }
        println!(
            "n {}  accuracy {:.2} %  macro recall {:.2} %  ECE {:.3}",
            figures.n,
            100.0 * figures.accuracy,
            100.0 * figures.macro_recall,
            figures.ece
        );
        for class in &figures.per_class {
            println!(
                "{:>12}  recall {:5.1} %  n {}",
                class.name,
                100.0 * class.recall,
                class.n
            );
        }
        Ok(())
    }
}
