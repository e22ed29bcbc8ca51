//! A training run: recognition from votes together with synthesis from pairs, resumable at any step.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::batch::{Batch, BatchShape, TrainingData};
use super::checkpoint::{self, State};
use super::losses::{emphasised_l1, flow_roughness, gradient_l1, soft_cross_entropy};
use super::{TrainError, calibrate, evaluate, files};
use crate::answer::TEMPERATURE_KEY;
use crate::network::weights::{self, Precision};
use crate::network::{Network, NetworkConfig};

/// All numbers of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunConfig {
    /// The network.
    pub network: NetworkConfig,
    /// Seed of the initial weights and of every batch.
    pub seed: u64,
    /// Steps in all; the learning rate falls towards the last one.
    pub steps: usize,
    /// Largest learning rate.
    pub learning_rate: f64,
    /// AdamW's weight decay.
    pub weight_decay: f64,
    /// Labelled faces a step.
    pub labelled: usize,
    /// Pairs a step.
    pub pairs: usize,
    /// Side of the faces in pixels.
    pub size: usize,
    /// Weight of the cross-entropy.
    pub classification: f64,
    /// Weight of the L1 terms of synthesis.
    pub synthesis: f64,
    /// Extra weight of pixels that the target changes.
    pub emphasis: f64,
    /// Weight of the flow's roughness (warp head).
    pub roughness: f64,
    /// Rate of the running average of the weights.
    pub average_rate: f64,
    /// Steps between checkpoints.
    pub checkpoint_every: usize,
    /// Step after which this call stops, before the last one.
    pub stop_after: Option<usize>,
    /// Terms of the weights, noted in their file.
    pub licence: Option<String>,
    /// Weight file that the run starts from, if any.
    pub start: Option<PathBuf>,
}

/// Steps over which the learning rate rises.
const WARM_UP: usize = 200;

/// The learning rate's last value, as a part of the largest.
const LAST_RATE: f64 = 0.02;

/// Steps over which the shown losses are averaged.
const REPORT_EVERY: usize = 50;

/// Held-out faces that are read at a time.
const EVALUATION_BATCH: usize = 64;

/// Losses of a step.
#[derive(Debug, Clone, Copy, Default)]
struct Losses {
    classification: f32,
    synthesis: f32,
}

/// Trains until the last step or until `stop` is set, then writes a checkpoint and the averaged
/// weights.
///
/// `held_out` are labelled faces that are not trained on: their figures are printed and logged.
///
/// # Errors
/// [`TrainError`] when the folder cannot be written, a checkpoint is damaged or the loss diverges.
pub fn train(
    config: &RunConfig,
    folder: &Path,
    data: &TrainingData,
    held_out: &[super::ferplus::LabelledFace],
    device: &Device,
    stop: &AtomicBool,
) -> Result<(), TrainError> {
    fs::create_dir_all(folder).map_err(|source| TrainError::Write {
        path: folder.to_owned(),
        source,
    })?;
    let shape = BatchShape {
        labelled: config.labelled,
        pairs: config.pairs,
        size: config.size,
    };
    let mut state = begin(config, folder, device)?;
    let bar = progress_bar(config.steps, state.step);
    let first = state.step;
    let state = std::thread::scope(|scope| {
        let (sender, batches) = mpsc::sync_channel(3);
        scope.spawn(move || {
            for step in first..config.steps {
                if sender.send(data.draw(config.seed, step, shape)).is_err() {
                    return; // The run has ended.
                }
            }
        });
        let mut sums = (Losses::default(), 0);
        let started = Instant::now();
        let last = config.stop_after.unwrap_or(config.steps).min(config.steps);
        while state.step < last && !stop.load(Ordering::Relaxed) {
            let Ok(batch) = batches.recv() else { break };
            let (next, losses) = step(config, state, &batch, shape, device);
            state = next;
            if !(losses.classification + losses.synthesis).is_finite() {
                return Err(TrainError::Diverged {
                    step: state.step,
                    loss: losses.classification + losses.synthesis,
                });
            }
            sums.0.classification += losses.classification;
            sums.0.synthesis += losses.synthesis;
            sums.1 += 1;
            bar.inc(1);
            if state.step.is_multiple_of(REPORT_EVERY) {
                let count = sums.1 as f32;
                let done = (state.step - first) * (config.labelled + config.pairs);
                let speed = done as f64 / started.elapsed().as_secs_f64();
                let line = format!(
                    "step {} classification {:.4} synthesis {:.4} samples/s {:.1}",
                    state.step,
                    sums.0.classification / count,
                    sums.0.synthesis / count,
                    speed
                );
                report(folder, &bar, &line)?;
                sums = (Losses::default(), 0);
            }
            if state.step.is_multiple_of(config.checkpoint_every) {
                checkpoint::save(folder, &state)?;
                log_figures(config, folder, &state, held_out, device, &bar)?;
            }
        }
        checkpoint::save(folder, &state)?;
        log_figures(config, folder, &state, held_out, device, &bar)?;
        Ok(state)
    })?;
    bar.finish();
    let shipped = calibrated(config, state.average, held_out, device)?;
    files::write(
        &folder.join("weights.safetensors"),
        &weights::save(&shipped, Precision::Half)?,
    )
}

/// The averaged network with the temperature that its held-out faces ask for, and its licence.
fn calibrated(
    config: &RunConfig,
    mut network: Network,
    held_out: &[super::ferplus::LabelledFace],
    device: &Device,
) -> Result<Network, TrainError> {
    if held_out.is_empty() {
        return Ok(network);
    }
    // Fitted on bare logits, whatever temperature the starting weights had.
    network.note(TEMPERATURE_KEY, 1.0.into());
    let (probabilities, labels) =
        evaluate::judged(&network, held_out, config.size, EVALUATION_BATCH, device)?;
    let temperature = calibrate::fit_temperature(&probabilities, &labels);
    network.note(TEMPERATURE_KEY, temperature.into());
    if let Some(licence) = &config.licence {
        network.note("licence", licence.as_str().into());
    }
    Ok(network)
}

/// Writes the configuration into a new run's folder; in an old one, compares it with what is there.
///
/// A run may be given more steps, and stop or save at others; all else would make it another run.
fn check_same_run(config: &RunConfig, folder: &Path) -> Result<(), TrainError> {
    let path = folder.join("config.json");
    let comparable = |config: &RunConfig| {
        serde_json::to_value(RunConfig {
            steps: 0,
            stop_after: None,
            checkpoint_every: 0,
            licence: None,
            ..config.clone()
        })
    };
    let error = |error: serde_json::Error| TrainError::Checkpoint {
        path: path.clone(),
        what: error.to_string(),
    };
    if path.is_file() {
        let bytes = files::read_file(&path)?;
        let old: RunConfig = serde_json::from_slice(&bytes).map_err(error)?;
        let (old, new) = (
            comparable(&old).map_err(error)?,
            comparable(config).map_err(error)?,
        );
        if let (Some(old), Some(new)) = (old.as_object(), new.as_object())
            && let Some(key) = new.keys().find(|key| old.get(*key) != new.get(*key))
        {
            return Err(TrainError::Checkpoint {
                path: folder.to_owned(),
                what: format!(
                    "this run was begun with {key} = {}, not {}",
                    old.get(key).unwrap_or(&serde_json::Value::Null),
                    new[key]
                ),
            });
        }
    }
    let bytes = serde_json::to_vec_pretty(config).map_err(error)?;
    files::write(&path, &bytes)
}

/// The run's last checkpoint, else a new network.
fn begin(config: &RunConfig, folder: &Path, device: &Device) -> Result<State, TrainError> {
    check_same_run(config, folder)?;
    if let Some(state) = checkpoint::load(folder, optimiser(config), device)? {
        return Ok(state);
    }
    device.seed(config.seed);
    let network = match &config.start {
        Some(path) => {
            let network = weights::load(&files::read_file(path)?, device)?;
            if !config.network.same_layers(network.config()) {
                return Err(TrainError::Checkpoint {
                    path: path.clone(),
                    what: "these weights are of another network than the arguments ask for".into(),
                });
            }
            network
        }
        None => Network::new(config.network.clone(), device)?,
    };
    Ok(State {
        average: network.clone(),
        network: network.train(),
        optimiser: optimiser(config),
        step: 0,
    })
}

fn optimiser(config: &RunConfig) -> ModuleOptimizer {
    AdamWConfig::new()
        .with_weight_decay(config.weight_decay as f32)
        .init()
}

/// Warm-up, then half a cosine.
fn learning_rate(config: &RunConfig, step: usize) -> f64 {
    let rising = (step + 1) as f64 / WARM_UP as f64;
    let progress = step as f64 / config.steps.max(1) as f64;
    let falling =
        LAST_RATE + (1.0 - LAST_RATE) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
    config.learning_rate * rising.min(falling)
}

/// One step of both tasks.
fn step(
    config: &RunConfig,
    state: State,
    batch: &Batch,
    shape: BatchShape,
    device: &Device,
) -> (State, Losses) {
    let device = device.clone().autodiff();
    let classes = config.network.classes.len();
    let total = shape.labelled + shape.pairs;
    let faces = |values: &[f32], count| picture_tensor(values, count, shape.size, &device);
    let table = |values: &[f32], rows| {
        Tensor::<2>::from_data(TensorData::new(values.to_vec(), [rows, classes]), &device)
    };
    let x = faces(&batch.faces, total); // [total, 3, size, size]
    let encoded = state.network.encode(x, false);
    let classification = soft_cross_entropy(
        encoded.logits.clone(),
        table(&batch.labels, total),
        Tensor::from_data(
            TensorData::new(batch.label_weights.clone(), [total]),
            &device,
        ),
    );
    let mut loss = classification.clone() * config.classification;
    let mut losses = Losses::default();
    let mut synthesis_value = None;
    if shape.pairs > 0 {
        let pairs = encoded.narrow(shape.labelled, shape.pairs);
        let labels = table(&batch.target_labels, shape.pairs);
        if let Some(drawn) = state.network.decode(&pairs, labels) {
            let target = faces(&batch.targets, shape.pairs);
            let synthesis =
                emphasised_l1(drawn.face.clone(), target.clone(), pairs.x, config.emphasis)
                    + gradient_l1(drawn.face.clone(), target);
            synthesis_value = Some(synthesis.clone());
            loss = loss + synthesis * config.synthesis;
            if let Some(roughness) = flow_roughness(&drawn) {
                loss = loss + roughness * config.roughness;
            }
        }
    }
    losses.classification = value(classification);
    losses.synthesis = synthesis_value.map_or(0.0, value);
    let State {
        network,
        average,
        mut optimiser,
        step,
    } = state;
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    let network = optimiser.step(learning_rate(config, step), network, gradients);
    // A young average follows the network faster, else it keeps the initial weights for long.
    let rate = config
        .average_rate
        .min((step + 1) as f64 / (step + 10) as f64);
    let average = checkpoint::update_average(average, &network, rate);
    let state = State {
        network,
        average,
        optimiser,
        step: step + 1,
    };
    (state, losses)
}

/// `[count, 3, size, size]` of flat values.
fn picture_tensor(values: &[f32], count: usize, size: usize, device: &Device) -> Tensor<4> {
    Tensor::<4>::from_data(
        TensorData::new(values.to_vec(), [count, 3, size, size]),
        device,
    )
}

fn value(x: Tensor<1>) -> f32 {
    x.into_data().iter::<f32>().next().unwrap_or(f32::NAN)
}

fn log_figures(
    config: &RunConfig,
    folder: &Path,
    state: &State,
    held_out: &[super::ferplus::LabelledFace],
    device: &Device,
    bar: &ProgressBar,
) -> Result<(), TrainError> {
    if held_out.is_empty() {
        return Ok(());
    }
    let figures = evaluate::evaluate(
        &state.average,
        held_out,
        config.size,
        EVALUATION_BATCH,
        device,
    )?;
    let line = format!(
        "step {} held-out n {} accuracy {:.4} macro recall {:.4} ece {:.4}",
        state.step, figures.n, figures.accuracy, figures.macro_recall, figures.ece
    );
    report(folder, bar, &line)
}

/// Prints a line above the bar and adds it to the run's log.
fn report(folder: &Path, bar: &ProgressBar, line: &str) -> Result<(), TrainError> {
    use std::io::Write;
    if bar.is_hidden() {
        println!("{line}");
    } else {
        bar.println(line);
    }
    let path = folder.join("log.txt");
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| writeln!(file, "{line}"))
        .map_err(|source| TrainError::Write { path, source })
}

fn progress_bar(steps: usize, done: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64).with_position(done as u64);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed_precise} left {eta_precise}")
    {
        bar.set_style(style);
    }
    bar
}
