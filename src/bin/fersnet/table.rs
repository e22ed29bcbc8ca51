//! `fersnet table`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use fersnet::data::Folding;
use fersnet::enlarge;
use fersnet::table::{FineTune, Outcome, Part, Settings, Shard, page};
use toml::Value;

use crate::device::DeviceName;
use crate::interrupt;
use crate::train::{parse_setting, read_preset, read_set};

/// The paper's table: Baseline, Baseline*, FERSNet and FERSNet* over folds without common subjects.
///
/// Prints it and writes table.json and table.md. What is trained already is kept: a table that was
/// stopped, by Ctrl-C or otherwise, goes on when the same command is given again.
#[derive(Args)]
pub struct Table {
    /// The faces, in a layout that the program recognises; subjects with several expressions.
    #[arg(long)]
    data: PathBuf,
    /// The table's folder: a folder for each run, predictions, figures.
    #[arg(long)]
    out: PathBuf,
    /// Take only the faces of this collection of the data; may be given more than once.
    #[arg(long)]
    source: Vec<String>,
    /// Numbers of each run: ship, release-2021, paper-2020, quick or a TOML file.
    #[arg(long, default_value = "release-2021", conflicts_with = "quick")]
    preset: String,
    /// A small network for a short time: the preset `quick`, and fewer synthetic faces.
    #[arg(long)]
    quick: bool,
    /// Any number of the preset, such as run.steps=1000; may be given more than once.
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting)]
    set: Vec<(String, Value)>,
    /// How subjects are dealt to folds.
    #[arg(long, value_enum, default_value = "both")]
    folding: Foldings,
    /// Number of folds.
    #[arg(long, default_value_t = 10)]
    folds: usize,
    /// Synthetic faces of FERSNet*; 21000 by default, 320 with --quick.
    #[arg(long)]
    count: Option<usize>,
    /// Synthetic faces that are drawn at most for each one that is wanted; 8 by default, 2 with --quick.
    #[arg(long)]
    tries: Option<usize>,
    /// How the fold's three networks decide on a synthetic face: every by default, mean with --quick,
    /// whose networks hardly ever agree.
    #[arg(long, value_enum)]
    rule: Option<enlarge::Rule>,
    /// Probability of the wanted expression that is enough to keep a synthetic face.
    #[arg(long, default_value_t = 0.5)]
    threshold: f32,
    /// Length of the fine-tuning of FERSNet*, as a part of the length before.
    #[arg(long, default_value_t = FineTune::default().length)]
    fine_tune_length: f64,
    /// Learning rate of the fine-tuning, as a part of the rate before.
    #[arg(long, default_value_t = FineTune::default().rate)]
    fine_tune_rate: f64,
    /// Seed of weights, batches, synthetic faces and tests.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: u64,
    /// Train a part of the folds alone, the I-th of N: several machines make one table.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Train nothing: write the table of what the shards have trained in --out, and in these folders.
    #[arg(long, value_name = "OUT", num_args = 0.., conflicts_with = "shard")]
    collect: Option<Vec<PathBuf>>,
    /// Where to train.
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceName,
}

/// Ways of folding.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Foldings {
    /// In equal steps, as in the paper.
    Strided,
    /// Equal runs, as in the release of 2021.
    Contiguous,
    /// One after the other.
    Both,
}

impl Table {
    /// Makes the table and prints it.
    pub fn run(&self) -> Result<()> {
        let settings = self.settings()?;
        let device = self.device.open()?;
        let table = fersnet::table::Table::open(read_set(&self.data)?, settings, &self.out)?;
        let foldings: &[Folding] = match self.folding {
            Foldings::Strided => &[Folding::Strided],
            Foldings::Contiguous => &[Folding::Contiguous],
            Foldings::Both => &[Folding::Strided, Folding::Contiguous],
        };
        let part = match (self.shard, &self.collect) {
            (Some(shard), _) => Part::Shard(shard),
            (None, Some(folders)) => Part::Collected(folders.clone()),
            (None, None) => Part::Whole,
        };
        match table.run(foldings, &part, &device, &*interrupt::flag()?)? {
            Outcome::Table(figures) => print!("\n{}", page::text(&figures)),
            Outcome::Shard => println!("this shard is done; --collect joins all of them"),
            Outcome::Stopped => println!("stopped; the same command goes on from here"),
        }
        Ok(())
    }

    fn settings(&self) -> Result<Settings> {
        let preset = if self.quick { "quick" } else { &self.preset };
        let mut run = read_preset(preset, &self.set)?;
        run.run.seed = self.seed;
        let (count, tries, rule) = if self.quick {
            (320, 2, enlarge::Rule::Mean)
        } else {
            (enlarge::COUNT, enlarge::TRIES, enlarge::Rule::Every)
        };
        Ok(Settings {
            folds: self.folds,
            sources: self.source.clone(),
            fine_tune: FineTune {
                length: self.fine_tune_length,
                rate: self.fine_tune_rate,
            },
            enlarge: enlarge::Settings {
                count: self.count.unwrap_or(count),
                tries: self.tries.unwrap_or(tries),
                rule: self.rule.unwrap_or(rule),
                threshold: self.threshold,
                seed: self.seed,
                size: run.batch.size,
                augmentation: run.batch.augmentation,
            },
            run,
        })
    }
}
