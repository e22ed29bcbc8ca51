//! A painter's run in its folder: from data sets and a network to the same network with a painter.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use burn::module::Module;
use burn::tensor::Device;
use serde_json::Value;

use super::batch::{Batch, Sampler};
use super::checkpoint;
use super::figures::{Figures, Painted, paint_mouths};
use super::mouths::{Mouth, opened_mouths};
use super::on_network::OnNetwork;
use super::sheet;
use super::trainer::{Losses, Trainer};
use crate::data::Dataset;
use crate::network::parts::completed;
use crate::network::weights::{self, Precision};
use crate::network::{Head, Network};
use crate::painter::Painter;
use crate::store;
use crate::train::TrainError;
use crate::train::config::RunConfig;
use crate::train::feeder;
use crate::train::metrics::{Cells, Metrics};
use crate::train::progress::Progress;
use crate::train::record::{self, Manifest};
use crate::train::run::{Call, LAST_WEIGHTS, note_licence};
use crate::train::since::{Past, Since};
use crate::train::validation_split::{ValidationSplit, split_off};

/// Steps over which the shown losses are averaged.
const REPORT_EVERY: usize = 50;

/// Batches that are cut ahead of the step.
const BATCHES_AHEAD: usize = 4;

/// Validation mouths that are measured, and those of them on a sheet.
const MEASURED: usize = 96;
const ON_SHEET: usize = 24;

/// A painter's run: its numbers, its faces, its network and its folder.
pub struct PainterRun {
    config: RunConfig,
    folder: PathBuf,
    train: Vec<Dataset>,
    validation: ValidationSplit,
    network: Network,
}

impl PainterRun {
    /// A new run in a folder, or the one that was begun there, for the network of `run.finetune`.
    ///
    /// # Errors
    /// [`TrainError`] when the numbers contradict each other, when there is no network, when the folder
    /// cannot be written, or when it holds another run.
    pub fn open(
        config: RunConfig,
        sets: Vec<Dataset>,
        folder: &Path,
        device: &Device,
    ) -> Result<Self, TrainError> {
        config.validate()?;
        config.run.check_precision(std::slice::from_ref(device))?;
        let start = config.run.start().ok_or_else(|| TrainError::Setting {
            key: "run.finetune".into(),
            rule: "the painter belongs to a network: give its weights with --finetune".into(),
        })?;
        let bytes = completed(store::read(start)?, start)?;
        let network = weights::load(&bytes, &Device::flex())?;
        let has_cavity =
            network.config().head == Head::Blend && !network.config().controls.is_empty();
        if config.painter.on_network > 0.0 && !has_cavity {
            return Err(TrainError::Setting {
                key: "painter.on_network".into(),
                rule: "this network has no controls, or no cavity map (head blend)".into(),
            });
        }
        let mut with_painter = network.config().clone();
        with_painter.painter = Some(config.painter.config());
        with_painter.validate()?;
        let controls = &network.config().controls;
        let sets = sets.into_iter().map(|set| set.for_controls(controls));
        let (train, validation) = split_off(sets.collect());
        store::make_folder(folder)?;
        let manifest = Manifest::new(&train, &validation.sets);
        manifest.check(folder)?;
        record::keep_config(folder, &config, &format!("{device:?}"))?;
        manifest.keep(folder)?;
        Ok(Self {
            config,
            folder: folder.to_owned(),
            train,
            validation,
            network,
        })
    }

    /// Trains to the last step, or until `stop` is set, then writes a checkpoint and the network with the
    /// averaged painter.
    ///
    /// # Errors
    /// [`TrainError`] when there are no mouths, the folder cannot be written, a checkpoint is damaged or
    /// a loss is no number.
    pub fn train(&self, device: &Device, call: Call, stop: &AtomicBool) -> Result<(), TrainError> {
        let table = &self.config.painter;
        let opened = |sets, with_drawn| {
            opened_mouths(sets, table.config(), table.least_area as f32, with_drawn)
        };
        let mouths = opened(&self.train, table.drawn_share > 0.0);
        let validation = opened(&self.validation.sets, false);
        println!("{}", self.summary(&mouths, &validation));
        if mouths.iter().all(|mouth| mouth.is_drawn) {
            return Err(TrainError::NoFaces {
                what: "photos of opened mouths whose inside is marked",
                key: "labelled",
            });
        }
        let mut trainer = match Trainer::resume(&self.config, &self.folder, device)? {
            Some(trainer) => trainer,
            None => Trainer::new(&self.config, self.start(device), device),
        };
        let (first, steps) = (trainer.steps_done(), table.steps());
        let last = call.stop_after.unwrap_or(steps).min(steps);
        let progress = Progress::new(steps, first, call.plain);
        std::thread::scope(|scope| {
            let (sender, batches) = mpsc::sync_channel(BATCHES_AHEAD);
            let on_network = self.on_network();
            let sampler = Sampler::new(&mouths, on_network, table, self.config.run.seed);
            scope.spawn(move || {
                feeder::send_all(first..last, |step| sampler.draw(step), &sender);
            });
            self.steps(
                &mut trainer,
                device,
                &validation,
                &batches,
                (&progress, stop),
            )
        })?;
        progress.finish();
        if trainer.steps_done() < steps {
            let done = trainer.steps_done();
            println!("stopped after step {done}; the same command goes on from there");
        }
        self.write_weights(trainer.average())
    }

    /// What makes a part of the inputs, where that is asked for.
    fn on_network(&self) -> Option<OnNetwork> {
        let is_wanted = self.config.painter.on_network > 0.0;
        is_wanted.then(|| OnNetwork::new(self.network.clone()))
    }

    /// The painter that the network has already, if it is of the kind that is trained.
    fn start(&self, device: &Device) -> Option<Painter> {
        let is_same = self.network.config().painter == Some(self.config.painter.config());
        let painter = self.network.painter().filter(|_| is_same);
        painter.map(|painter| painter.clone().to_device(device))
    }

    fn summary(&self, mouths: &[Mouth<'_>], validation: &[Mouth<'_>]) -> String {
        let sharp_from = self.config.painter.sharp_from;
        let count = |is_counted: &dyn Fn(&Mouth<'_>) -> bool| {
            mouths.iter().filter(|mouth| is_counted(mouth)).count()
        };
        let drawn = count(&|mouth| mouth.is_drawn);
        let sharp = count(&|mouth| !mouth.is_drawn && f64::from(mouth.sharpness) >= sharp_from);
        let grey = count(&|mouth| !mouth.is_drawn && mouth.is_grey);
        format!(
            "{} opened mouths of photos, {sharp} of them sharp, {grey} grey; {drawn} drawn; {} for validation",
            mouths.len() - drawn,
            validation.len()
        )
    }

    /// Step after step while there are batches, with a report now and then and a checkpoint at the end.
    fn steps(
        &self,
        trainer: &mut Trainer,
        device: &Device,
        validation: &[Mouth<'_>],
        batches: &mpsc::Receiver<Batch>,
        (progress, stop): (&Progress, &AtomicBool),
    ) -> Result<(), TrainError> {
        let metrics = Metrics::open(&self.folder, trainer.steps_done())?;
        let run = &self.config.run;
        let (mut since, mut is_saved) = (Since::now(), true);
        while !stop.load(Ordering::Relaxed) {
            let Some(batch) = since.next(batches) else {
                break;
            };
            let rate = trainer.rate();
            since.add(trainer.step(&batch)?.values());
            let step = trainer.steps_done();
            progress.advance(step, batch.items.len());
            let is_last = step == self.config.painter.steps();
            is_saved = step.is_multiple_of(run.checkpoint_every) || is_last;
            if !is_saved && !step.is_multiple_of(REPORT_EVERY) {
                continue;
            }
            let mut row = cells(&since.end(), step, rate, batch.items.len());
            if is_saved {
                let painted = self.validate(trainer, device, validation);
                row.extend(validation_cells(&painted, &self.config));
                let is_due = step.is_multiple_of(run.checkpoint_every * run.sheet_every.max(1));
                if run.sheet_every > 0 && (is_due || is_last) {
                    let path = self.folder.join(format!("mouths-{step:07}.png"));
                    let shown = &painted[..painted.len().min(ON_SHEET)];
                    sheet::draw(&path, shown, self.config.painter.config())?;
                }
            }
            progress.line(&format!("{}, {} left", in_words(&row), progress.left(step)));
            metrics.add(row)?;
            if is_saved {
                checkpoint::save(&self.folder, trainer.state())?;
                self.write_weights(trainer.average())?;
            }
            since = Since::now();
        }
        if is_saved {
            Ok(())
        } else {
            checkpoint::save(&self.folder, trainer.state())
        }
    }

    /// Some of the validation mouths, painted: evenly from all, so that every source is among them.
    fn validate(
        &self,
        trainer: &Trainer,
        device: &Device,
        validation: &[Mouth<'_>],
    ) -> Vec<Painted> {
        let every = validation.len().div_ceil(MEASURED).max(1);
        let mut chosen: Vec<&Mouth<'_>> = validation.iter().step_by(every).collect();
        // The sheet shows the first: the sharpest of them.
        chosen.sort_by(|a, b| b.sharpness.total_cmp(&a.sharpness));
        paint_mouths(
            trainer.average(),
            &chosen,
            self.config.painter.config(),
            device,
        )
    }

    fn write_weights(&self, painter: &Painter) -> Result<(), TrainError> {
        let painter = painter.clone().to_device(&Device::flex());
        let network = finish(&self.network, painter, &self.config);
        let bytes = weights::save(&network, Precision::Half)?;
        Ok(store::write(&self.folder.join(LAST_WEIGHTS), &bytes)?)
    }
}

/// The network with a painter of a run.
pub fn finish(network: &Network, painter: Painter, config: &RunConfig) -> Network {
    let painter = Some((config.painter.config(), painter));
    let mut network = network.clone().with_painter(painter);
    note_licence(&mut network, config);
    network
}

/// The cells of a report, in alphabetical order.
fn cells(past: &Past<{ Losses::NAMES.len() }>, step: usize, rate: f64, batch: usize) -> Cells {
    let mut row = Cells::new();
    row.insert("step".into(), step.into());
    row.insert("rate".into(), rate.into());
    let speed = past.steps_per_second * batch as f64;
    row.insert("samples_per_second".into(), rounded(speed));
    row.insert("waited_share".into(), rounded(past.waited_share));
    for (name, mean) in Losses::NAMES.into_iter().zip(past.losses) {
        row.insert(name.into(), rounded(mean.into()));
    }
    row
}

fn validation_cells(painted: &[Painted], config: &RunConfig) -> Cells {
    let figures = Figures::of(painted, config.painter.config());
    let cells = Figures::NAMES.into_iter().zip(figures.values());
    cells
        .map(|(name, value)| (name.to_owned(), rounded(value)))
        .collect()
}

/// Five digits are enough for a report.
fn rounded(value: f64) -> Value {
    ((value * 1e5).round() / 1e5).into()
}

fn in_words(row: &Cells) -> String {
    let cells = row.iter().map(|(name, value)| format!("{name} {value}"));
    cells.collect::<Vec<_>>().join(" ")
}
