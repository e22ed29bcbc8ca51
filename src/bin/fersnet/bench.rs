//! `fersnet bench`: how fast a training step is.

use std::time::Instant;

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::{Args, Subcommand};
use fersnet::data::expressions::EXPRESSIONS;
use fersnet::train::batch::{Batch, BatchShape, Shown};
use fersnet::train::config::RunConfig;
use fersnet::train::presets;
use fersnet::train::trainer::Trainer;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use toml::Value;

use crate::device::DeviceName;
use crate::failure::Failure;
use crate::train::parse_setting;

/// Measure this machine.
#[derive(Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Samples a second of a training step, on each device.
    Train(BenchTrain),
}

/// Random faces, so that no data is needed; reading and cutting pictures is not in the figure.
#[derive(Args)]
struct BenchTrain {
    /// Devices, one after the other; all of this build and machine when none is named.
    #[arg(long, value_enum)]
    device: Vec<DeviceName>,
    /// One of the presets that the program carries.
    #[arg(long, default_value = "ship")]
    preset: String,
    /// Any number of the preset, such as run.precision="half"; may be given more than once.
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting)]
    set: Vec<(String, Value)>,
    /// Steps that are timed.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    steps: u32,
    /// Steps before them, while kernels compile and memory is found.
    #[arg(long, default_value_t = 5)]
    warm_up: u32,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Figures of one device.
#[derive(Serialize)]
struct Figures {
    device: DeviceName,
    /// Faces that a step reads.
    samples: usize,
    /// Median of the timed steps.
    step_ms: f64,
    samples_per_second: f64,
    timed_steps: u32,
    precision: fersnet::kernels::TrainingPrecision,
}

impl Bench {
    /// Runs it.
    pub fn run(&self) -> Result<()> {
        let What::Train(train) = &self.what;
        train.run()
    }
}

impl BenchTrain {
    fn run(&self) -> Result<()> {
        let config = self.config()?;
        let batch = random_batch(&config);
        let mut all = Vec::new();
        for name in self.devices() {
            let device = match name.open() {
                Ok(device) => device,
                // Asked for by name, a device that is not there is an error.
                Err(error) if self.device.is_empty() => {
                    eprintln!("{name:?}: skipped, {error}");
                    continue;
                }
                Err(error) => return Err(error),
            };
            let figures = self.measure(name, &device, &config, &batch)?;
            if !self.json {
                println!(
                    "{:>6}  {:8.1} samples/s  ({} faces a step, {:.0} ms, median of {} steps)",
                    format!("{name:?}").to_lowercase(),
                    figures.samples_per_second,
                    figures.samples,
                    figures.step_ms,
                    figures.timed_steps
                );
            }
            all.push(figures);
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&all)?);
        }
        Ok(())
    }

    fn config(&self) -> Result<RunConfig> {
        let text = presets::named(&self.preset).ok_or_else(|| {
            Failure::Arguments(format!(
                "--preset {}: not one of {}",
                self.preset,
                presets::names()
            ))
        })?;
        let mut config = presets::read(text, &self.set)?;
        if config.network.classes.is_empty() {
            config.network.classes = EXPRESSIONS.map(str::to_owned).to_vec();
        }
        // The learning rate's schedule needs a length.
        config.resolve_steps(config.batch.faces());
        config.validate()?;
        Ok(config)
    }

    fn devices(&self) -> Vec<DeviceName> {
        if self.device.is_empty() {
            DeviceName::ALL.to_vec()
        } else {
            self.device.clone()
        }
    }

    fn measure(
        &self,
        name: DeviceName,
        device: &Device,
        config: &RunConfig,
        batch: &Batch,
    ) -> Result<Figures> {
        let mut trainer = Trainer::new(config, std::slice::from_ref(device))?;
        let mut step_ms = Vec::new();
        for step in 0..self.warm_up + self.steps {
            let started = Instant::now();
            trainer
                .step(batch)
                .with_context(|| format!("step {step} on {name:?}"))?;
            device.sync()?;
            if step >= self.warm_up {
                step_ms.push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
        step_ms.sort_by(f64::total_cmp);
        let median = step_ms[step_ms.len() / 2];
        let samples = batch.shape.rows();
        Ok(Figures {
            device: name,
            samples,
            step_ms: median,
            samples_per_second: samples as f64 / median * 1e3,
            timed_steps: self.steps,
            precision: config.run.precision,
        })
    }
}

/// A batch of noise with one-hot labels, from a fixed seed.
fn random_batch(config: &RunConfig) -> Batch {
    let shape = BatchShape::from(&config.batch);
    let classes = config.network.classes.len();
    let mut rng = StdRng::seed_from_u64(config.run.seed);
    let plane = 3 * shape.size * shape.size;
    let drawn = shape.pairs + shape.unpaired;
    let mut pixels = |faces: usize| -> Vec<f32> {
        (0..faces * plane)
            .map(|_| rng.random_range(0.0..1.0))
            .collect()
    };
    let (faces, targets) = (pixels(shape.rows()), pixels(shape.pairs));
    let one_hot = |rows: usize| -> Vec<f32> {
        (0..rows * classes)
            .map(|i| f32::from(u8::from(i % classes == i / classes % classes)))
            .collect()
    };
    Batch {
        shape,
        names: (0..shape.rows() + shape.pairs)
            .map(|i| i.to_string())
            .collect(),
        faces,
        labels: one_hot(shape.rows()),
        label_weights: vec![1.0; shape.rows()],
        targets,
        wanted: one_hot(drawn),
        shown: Shown::nothing(shape, 0),
    }
}
