//! `fersnet inspect`, `convert`, `split` and `join`: weight files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use fersnet::data::controls::{presets_over, spellings};
use fersnet::network::convert::from_authors_checkpoint;
use fersnet::network::parts::{self, load_painter};
use fersnet::network::weights::{self, Precision, WeightError};
use fersnet::network::{Cost, Network, NetworkConfig, Presets, TEETH};
use fersnet::store;
use fersnet::tensor_file::{Bits, in_bytes};
use serde::Serialize;

use crate::output::Force;
use crate::picture::{read_part, read_weights};

/// Edition, variant, width, classes, parameters, multiply-adds and licence of a weight file.
#[derive(Args)]
pub struct Inspect {
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    /// The weight file.
    weights: PathBuf,
}

#[derive(Serialize)]
struct Card<'a> {
    #[serde(flatten)]
    config: &'a NetworkConfig,
    bytes: usize,
    parameters: u64,
    encoder_macs: u64,
    decoder_macs_per_target: u64,
    painter_macs_per_mouth: u64,
}

impl Inspect {
    /// Prints what the file holds; the tensors are checked as by every other command.
    pub fn run(&self) -> Result<()> {
        let bytes = read_weights(&self.weights)?;
        let network = weights::load(&bytes, &burn::tensor::Device::flex())
            .with_context(|| self.weights.display().to_string())?;
        let config = network.config();
        let cost = Cost::of(config);
        if self.json {
            let card = Card {
                config,
                bytes: bytes.len(),
                parameters: cost.parameters,
                encoder_macs: cost.encoder_macs,
                decoder_macs_per_target: cost.decoder_macs,
                painter_macs_per_mouth: cost.painter_macs,
            };
            println!("{}", serde_json::to_string_pretty(&card)?);
            return Ok(());
        }
        println!(
            "file        {} ({} bytes)",
            self.weights.display(),
            bytes.len()
        );
        println!("edition     {}", config.edition_name());
        println!("variant     {}", text(&config.variant)?);
        println!("width       {}", config.width);
        println!("channels    {}", config.channels);
        println!("head        {}", text(&config.head)?);
        println!(
            "classes     {} ({})",
            config.classes.len(),
            config.classes.join(", ")
        );
        if !config.controls.is_empty() {
            let (count, names) = (config.controls.len(), config.controls.join(", "));
            println!("controls    {count} ({names})");
            for (preset, values) in &config.presets {
                let values: Vec<String> = values
                    .iter()
                    .map(|(name, value)| format!("{name} {value}"))
                    .collect();
                println!("preset      {preset}: {}", values.join(", "));
            }
        }
        if let Some(painter) = config.painter {
            println!(
                "painter     width {}, a mouth of {} x {} pixels, {:.3} GMAC each",
                painter.width,
                painter.crop_width,
                painter.crop_height(),
                cost.painter_macs as f64 / 1e9
            );
        }
        println!("parameters  {}", cost.parameters);
        println!(
            "work        {:.3} GMAC to read a face, {:.3} GMAC for each face redrawn",
            cost.encoder_macs as f64 / 1e9,
            cost.decoder_macs as f64 / 1e9
        );
        for (key, value) in &config.extra {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            println!("{key:<11} {value}");
        }
        if !config.extra.contains_key("licence") {
            println!("licence     not stated in the file");
        }
        Ok(())
    }
}

/// Part a weight file into what recognises, the decoder and the mouth painter, which a page fetches later.
#[derive(Args)]
pub struct Split {
    /// The weight file.
    weights: PathBuf,
    /// The weight file to write: what recognises. The decoder is written beside it, as NAME-decoder.safetensors.
    #[arg(short, long)]
    output: PathBuf,
    /// The painter's file to write, where the weight file has a painter.
    #[arg(long)]
    painter: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
}

impl Split {
    /// Writes the files, each number as it was stored.
    pub fn run(&self) -> Result<()> {
        let decoder = parts::decoder_beside(&self.output);
        let mut outputs = vec![self.output.as_path(), &decoder];
        outputs.extend(self.painter.as_deref());
        self.force.check(&outputs, &[&self.weights])?;
        let bytes = read_weights(&self.weights)?;
        let parted = parts::split(&bytes).with_context(|| self.weights.display().to_string())?;
        let painter = match (&self.painter, &parted.painter) {
            (Some(path), Some(bytes)) => Some((path, bytes)),
            (None, None) => None,
            (None, Some(_)) => bail!(
                "{} has a mouth painter: say where it is to be written, by --painter",
                self.weights.display()
            ),
            (Some(_), None) => bail!(
                "{} has no painter: train one with `fersnet train --part painter`",
                self.weights.display()
            ),
        };
        let files = [
            (&self.output, &parted.recognition),
            (&decoder, &parted.decoder),
        ];
        for (path, bytes) in files.into_iter().chain(painter) {
            store::write(path, bytes)?;
        }
        Ok(())
    }
}

/// Put a painter, or other presets, into a network's weight file: one file to train on from.
#[derive(Args)]
pub struct Join {
    /// The network's weight file.
    weights: PathBuf,
    /// A painter's file, or a weight file with a painter.
    #[arg(long, required_unless_present = "presets")]
    painter: Option<PathBuf>,
    /// Expressions as vectors over the controls, as `presets/expressions.toml` states them.
    #[arg(long)]
    presets: Option<PathBuf>,
    /// The weight file to write.
    #[arg(short, long)]
    output: PathBuf,
    #[command(flatten)]
    force: Force,
}

impl Join {
    /// Writes the file, in 16 bits.
    pub fn run(&self) -> Result<()> {
        let decoder = parts::decoder_beside(&self.weights);
        let mut inputs = vec![self.weights.as_path(), &decoder];
        inputs.extend(
            [&self.painter, &self.presets]
                .into_iter()
                .flatten()
                .map(PathBuf::as_path),
        );
        self.force.check(&[&self.output], &inputs)?;
        let device = burn::tensor::Device::flex();
        let network = weights::load(&read_weights(&self.weights)?, &device);
        let mut network = network.with_context(|| self.weights.display().to_string())?;
        if let Some(path) = &self.presets {
            network = with_presets(network, path)?;
        }
        if let Some(path) = &self.painter {
            let bytes = read_weights(path)?;
            let alone = load_painter(&bytes, &device);
            let painter = alone.or_else(|error| match error {
                WeightError::NoPainter => {
                    let (_, painter) = weights::load(&bytes, &device)?.without_painter();
                    painter.ok_or(WeightError::NoPainter)
                }
                error => Err(error),
            });
            let painter = painter.with_context(|| path.display().to_string())?;
            network = network.with_painter(Some(painter));
        }
        Ok(store::write(
            &self.output,
            &weights::save(&network, Precision::Half)?,
        )?)
    }
}

/// The network with the presets of a file, of which each control has to be its own.
fn with_presets(network: Network, path: &Path) -> Result<Network> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    let stated: Presets = toml::from_str(&text).with_context(|| path.display().to_string())?;
    let controls = network.config().controls.clone();
    if controls.is_empty() {
        bail!("the network has no controls: its targets are its classes, not presets");
    }
    let is_known =
        |name: &str| name == TEETH || spellings(name).iter().any(|name| controls.contains(name));
    if let Some(name) = stated
        .values()
        .flat_map(|values| values.keys())
        .find(|name| !is_known(name))
    {
        let path = path.display();
        let known = controls.join(", ");
        bail!("{path}: the network has no control `{name}`; it has {TEETH}, {known}");
    }
    let presets = presets_over(stated, &controls);
    network
        .with_presets(presets)
        .with_context(|| path.display().to_string())
}

/// An enum's name as weight files write it.
fn text(value: &impl Serialize) -> Result<String> {
    let value = serde_json::to_value(value)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

/// Turn a checkpoint of the authors' 2021 code (BGR) into a weight file (RGB), or store a weight file's numbers
/// in fewer bits.
#[derive(Args)]
pub struct Convert {
    /// The checkpoint, a .pth file; with --bits also a .safetensors file.
    checkpoint: PathBuf,
    /// The weight file to write.
    #[arg(short, long)]
    output: PathBuf,
    /// Store 16-bit floats.
    #[arg(long)]
    half: bool,
    /// Store bytes with a scale for each output channel, where that is exact enough: of 4 to 8 bits. Fewer than 8
    /// make no smaller file, but one that compresses better.
    #[arg(long, conflicts_with = "half", value_name = "BITS", value_parser = clap::value_parser!(u32).range(4..=8))]
    bits: Option<u32>,
    /// With --bits: leave tensors as they are in whose name this occurs. May be given several times.
    #[arg(long, requires = "bits", value_name = "PART")]
    keep: Vec<String>,
    #[command(flatten)]
    force: Force,
}

impl Convert {
    /// Reads, converts and writes.
    pub fn run(&self) -> Result<()> {
        self.force.check(&[&self.output], &[&self.checkpoint])?;
        let is_file = self
            .checkpoint
            .extension()
            .is_some_and(|end| end == "safetensors");
        let bits = self.bits.and_then(Bits::new);
        let bytes = if bits.is_some() && is_file {
            read_part(&self.checkpoint)?
        } else {
            let network = from_authors_checkpoint(&self.checkpoint)
                .with_context(|| self.checkpoint.display().to_string())?;
            let precision = if self.half {
                Precision::Half
            } else {
                Precision::Full
            };
            weights::save(&network, precision)?
        };
        let bytes = match bits {
            Some(bits) => in_bytes(&bytes, bits, &self.keep)
                .with_context(|| self.checkpoint.display().to_string())?,
            None => bytes,
        };
        Ok(store::write(&self.output, &bytes)?)
    }
}
