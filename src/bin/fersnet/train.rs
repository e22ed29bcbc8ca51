//! `fersnet train`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};
use fersnet::data::{self, Dataset, Layout, Options, Split};
use fersnet::train::config::RunConfig;
use fersnet::train::painter::PainterRun;
use fersnet::train::presets;
use fersnet::train::run::{Call, Run};
use toml::Value;

use crate::device::DeviceName;
use crate::failure::Failure;
use crate::interrupt;

/// Train a network; a run that was stopped goes on where its last checkpoint was.
///
/// A preset states every number of the run; the arguments below change single ones.
#[derive(Args)]
pub struct Train {
    /// The run's folder: numbers, faces, figures, plots, checkpoint, weights.
    #[arg(long)]
    run: PathBuf,
    /// A data set, in a layout that the program recognises; may be given more than once.
    #[arg(long)]
    data: Vec<PathBuf>,
    /// ship, release-2021, paper-2020 or a TOML file.
    #[arg(long, default_value = "ship")]
    preset: String,
    /// Any number of the preset, such as objective.cycle=0.5; may be given more than once.
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting)]
    set: Vec<(String, Value)>,
    /// What to train: the network, or the mouth painter of the network given with --finetune.
    #[arg(long, value_enum, default_value = "network")]
    part: Part,
    /// Painter: make half of the inputs by the network itself, from the subject's shut mouth.
    #[arg(long)]
    on_network: bool,
    /// Where to train.
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceName,
    /// Divide each step among so many devices of this kind (cpu and cuda).
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    devices: u16,
    /// Stop after this many steps; the same command without it goes on.
    #[arg(long)]
    stop_after: Option<usize>,
    /// Lines instead of a progress bar.
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    numbers: Numbers,
}

/// What a run trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The network that reads and redraws.
    Network,
    /// Its mouth painter.
    Painter,
}

/// Share of a batch with `--on-network`.
const ON_NETWORK: f64 = 0.5;

/// Shorthands of `--set`.
#[derive(Args)]
struct Numbers {
    /// Which network: recognition alone, hard sharing, or FERSNet.
    #[arg(long, value_parser = ["single", "hard", "fersnet"])]
    variant: Option<String>,
    /// The layers of the paper of 2020 or of the release of 2021.
    #[arg(long, value_parser = ["2020", "2021"])]
    edition: Option<String>,
    /// Base width.
    #[arg(long)]
    width: Option<usize>,
    /// Channels of the face: 1 (grey) or 3.
    #[arg(long)]
    channels: Option<usize>,
    /// Head of the decoder.
    #[arg(long, value_parser = ["raw", "residual", "warp", "blend"])]
    head: Option<String>,
    /// Weights to start from.
    #[arg(long, value_name = "WEIGHTS")]
    finetune: Option<PathBuf>,
    /// Steps in all.
    #[arg(long)]
    steps: Option<usize>,
    /// Largest learning rate.
    #[arg(long)]
    rate: Option<f64>,
    /// Faces a step that only recognition learns from.
    #[arg(long)]
    labelled_batch: Option<usize>,
    /// Pairs a step.
    #[arg(long)]
    pairs_batch: Option<usize>,
    /// Faces a step that are redrawn without a target.
    #[arg(long)]
    unpaired_batch: Option<usize>,
    /// Side of the training faces in pixels: a multiple of 32 from 64 on.
    #[arg(long)]
    size: Option<usize>,
    /// Seed of weights and batches.
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Steps between checkpoints.
    #[arg(long)]
    checkpoint_every: Option<usize>,
    /// Terms of the weights, to be noted in their file.
    #[arg(long)]
    licence: Option<String>,
}

/// Sides that both editions' five halvings and instance norms can work with.
pub fn parse_side(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(side) if side.is_multiple_of(32) && (64..=512).contains(&side) => Ok(side),
        _ => Err("the side has to be 64, 96, 128 .. 512".into()),
    }
}

/// A key of a preset with its value.
pub fn parse_setting(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((key, value)) if key.contains('.') => {
            Ok((key.trim().to_owned(), presets::parse_value(value.trim())))
        }
        _ => Err("KEY=VALUE is needed, the key with its table: objective.cycle=0.5".into()),
    }
}

impl Numbers {
    /// As keys and values.
    fn settings(&self) -> Vec<(String, Value)> {
        let text = |value: &Option<String>| value.clone().map(Value::String);
        let count = |value: Option<usize>| value.map(|value| Value::Integer(value as i64));
        let finetune = self.finetune.as_ref();
        [
            ("network.variant", text(&self.variant)),
            ("network.edition", text(&self.edition)),
            ("network.width", count(self.width)),
            ("network.channels", count(self.channels)),
            ("network.head", text(&self.head)),
            ("batch.labelled", count(self.labelled_batch)),
            ("batch.pairs", count(self.pairs_batch)),
            ("batch.unpaired", count(self.unpaired_batch)),
            ("batch.size", count(self.size)),
            ("optimiser.rate", self.rate.map(Value::Float)),
            ("run.steps", count(self.steps)),
            (
                "run.seed",
                self.seed.map(|seed| Value::Integer(seed as i64)),
            ),
            ("run.checkpoint_every", count(self.checkpoint_every)),
            (
                "run.finetune",
                finetune.map(|path| Value::String(path.display().to_string())),
            ),
            ("run.licence", text(&self.licence)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
    }
}

impl Train {
    /// Runs it until it is done or interrupted.
    pub fn run(&self) -> Result<()> {
        let config = self.config()?;
        let sets = self
            .data
            .iter()
            .map(|root| read_set(root))
            .collect::<Result<Vec<_>>>()?;
        let call = Call {
            stop_after: self.stop_after,
            plain: self.plain,
        };
        if self.part == Part::Painter {
            let device = self.device.open()?;
            let run = PainterRun::open(config, sets, &self.run, &device)?;
            run.train(&device, call, &*interrupt::flag()?)?;
            return Ok(());
        }
        let devices = self.device.open_many(self.devices.into())?;
        let run = Run::open(config, sets, &self.run, &devices)?;
        println!("{}", run.summary());
        run.train(&devices, call, &*interrupt::flag()?)?;
        Ok(())
    }

    /// The preset with the arguments on top.
    fn config(&self) -> Result<RunConfig> {
        let settings = [self.set.clone(), self.numbers.settings()].concat();
        let mut config = read_preset(&self.preset, &settings)?;
        if self.on_network {
            config.painter.on_network = ON_NETWORK;
        }
        config.validate()?;
        Ok(config)
    }
}

/// A preset of the program or of a file, with single numbers set on top.
pub fn read_preset(name: &str, settings: &[(String, Value)]) -> Result<RunConfig> {
    let text = match presets::named(name) {
        Some(text) => text.to_owned(),
        None => std::fs::read_to_string(name).map_err(|error| {
            Failure::Arguments(format!(
                "--preset {name}: neither one of {} nor a file that can be read ({error})",
                presets::names()
            ))
        })?,
    };
    Ok(presets::read(&text, settings)?)
}

/// A data set; of one with official parts only that for training.
pub fn read_set(root: &Path) -> Result<Dataset> {
    let layout = data::recognise(root)?;
    let has_parts = matches!(layout, Layout::FerPlus | Layout::Fer2013);
    let set = data::open(
        root,
        &Options {
            layout: Some(layout),
            split: has_parts.then_some(Split::Train),
            ..Options::default()
        },
    )?;
    println!("{}: {layout}, {} faces", root.display(), set.faces.len());
    for skipped in &set.skipped {
        println!(
            "  {} skipped: {} (such as {})",
            skipped.count, skipped.reason, skipped.example
        );
    }
    Ok(set)
}
