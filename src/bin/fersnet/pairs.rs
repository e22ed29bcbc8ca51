//! `fersnet pairs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use fersnet::pairs::{self, Settings, Sizes, Summary, recipes};
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;
use crate::interrupt;

/// Draw paired training data from portraits: each face with other expressions.
///
/// PORTRAITS is any folder of pictures with one frontal face each, of any expression. A neutral face is
/// given expressions and single units; a face that shows something is closed, and is itself the target. The
/// folder that is made is a paired set that `--data` takes; every drawn picture is marked as synthetic. What
/// cannot be fitted is listed with the reason.
#[derive(Args)]
pub struct Pairs {
    /// The folder of portraits. Tables in it (`manifest.csv`) with columns file and subject may say who is
    /// seen, and source, licence and expression.
    portraits: PathBuf,
    /// The folder to be made.
    #[arg(short, long)]
    output: PathBuf,
    /// Samples of each expression, drawn from a neutral face; and three times as many of random units.
    #[arg(long, default_value_t = 4)]
    samples: usize,
    /// Side of the face pictures in pixels.
    #[arg(long, default_value_t = 256)]
    size: usize,
    /// Width of the mouth pictures in pixels.
    #[arg(long, default_value_t = 192)]
    mouth_size: usize,
    /// Seed of everything random: the same one gives the same files.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What the faces are made to show; presets/pairs.toml by default, which explains itself.
    #[arg(long)]
    recipes: Option<PathBuf>,
    /// The face model; weights/facemodel.safetensors by default.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Also write a contact sheet, a PNG file.
    #[arg(long)]
    sheet: Option<PathBuf>,
    /// Go on with a folder that was begun with the same settings.
    #[arg(long)]
    resume: bool,
}

/// Reasons that are printed of each kind before the rest is counted.
const SHOWN: usize = 20;

impl Pairs {
    /// Draws the pairs and says what became of the portraits.
    pub fn run(&self) -> Result<()> {
        let settings = Settings {
            portraits: self.portraits.clone(),
            output: self.output.clone(),
            sizes: Sizes {
                samples: self.samples,
                size: self.size,
                mouth_size: self.mouth_size,
                seed: self.seed,
            },
            recipes: match &self.recipes {
                Some(path) => read_text(path)?,
                None => recipes::SHIPPED.to_owned(),
            },
            resume: self.resume,
            sheet: self.sheet.clone(),
        };
        let model = self.read_model()?;
        let bar = ProgressBar::new(0);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:40} {pos}/{len} portraits, {eta_precise} left")
        {
            bar.set_style(style);
        }
        let advance = |done: usize, all: usize| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        };
        let summary = pairs::run(&settings, &model, &advance, &*interrupt::flag()?);
        bar.finish_and_clear();
        self.print(&summary?);
        Ok(())
    }

    fn read_model(&self) -> Result<Vec<u8>> {
        let path = match &self.model {
            Some(path) => path.clone(),
            None => pairs::model_file().ok_or_else(|| {
                Failure::Arguments(
                    "the face model was not found: give it as --model weights/facemodel.safetensors"
                        .to_owned(),
                )
            })?,
        };
        let limit = pairs::model::MAX_BYTES as u64;
        let length = fs::metadata(&path)
            .with_context(|| path.display().to_string())?
            .len();
        if length > limit {
            return Err(Failure::Arguments(format!(
                "{}: {length} bytes are more than any face model has",
                path.display()
            ))
            .into());
        }
        fs::read(&path).with_context(|| path.display().to_string())
    }

    fn print(&self, summary: &Summary) {
        for (kind, count) in &summary.portraits {
            println!("{kind:>18} {count} portraits");
        }
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, reason) in &summary.left_out {
            // Figures differ from one to the next.
            let kind = reason.split([':', '(']).next().unwrap_or_default().trim();
            let count = reasons.entry(kind).or_default();
            *count += 1;
            if *count <= SHOWN {
                println!("          left out {name}: {reason}");
            }
        }
        for (kind, count) in reasons.iter().filter(|(_, count)| **count > SHOWN) {
            println!(
                "          left out {count} in all: {kind} ({})",
                pairs::PORTRAITS
            );
        }
        println!("{}: {} pictures", self.output.display(), summary.pictures);
        if summary.not_looked_at > 0 {
            println!(
                "stopped: {} portraits are left; give the command again with --resume",
                summary.not_looked_at
            );
        }
    }
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}
