//! A training run in its folder: from data sets to weight files, resumable at any step.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::Scope;

use burn::tensor::Device;

use super::batch::Batch;
use super::checkpoint::{self, Best};
use super::config::RunConfig;
use super::drawn::Rounds;
use super::feeder;
use super::losses::Losses;
use super::metrics::{Metrics, Row};
use super::progress::Progress;
use super::reading::Reading;
use super::record::Manifest;
use super::sampler::Sampler;
use super::sets::{TrainingData, all_classes, all_controls, has_pairs};
use super::since::{Past, Since};
use super::trainer::Trainer;
use super::validation_split::{ValidationSplit, split_off};
use super::{TrainError, plots, record, sheet};
use crate::data::{Dataset, Face};
use crate::evaluate::{EvaluateError, predict};
use crate::network::Network;
use crate::network::weights::{self, Precision};
use crate::store;

/// In `network.controls`: all that the data sets state.
const ALL_CONTROLS: &str = "*";

/// Steps over which the shown losses are averaged.
const REPORT_EVERY: usize = 50;

/// Faces of a contact sheet.
const SHEET_ROWS: usize = 6;

/// Batches that are cut ahead of the step.
const BATCHES_AHEAD: usize = 3;

/// Averaged weights of the last step.
pub const LAST_WEIGHTS: &str = "weights.safetensors";

/// Averaged weights of the checkpoint that reads the validation faces best.
const BEST_WEIGHTS: &str = "best.safetensors";

/// A run: its numbers, its faces and its folder.
pub struct Run {
    config: RunConfig,
    folder: PathBuf,
    /// The sets of `--data`, without the validation split.
    stored: Vec<Arc<Dataset>>,
    /// What is drawn beside them.
    rounds: Option<Rounds>,
    /// The stored sets, and the first round of the drawn ones.
    data: Arc<TrainingData>,
    validation: ValidationSplit,
}

/// How one call goes on with a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call {
    /// Stop after this step, before the last one.
    pub stop_after: Option<usize>,
    /// Lines instead of a bar.
    pub plain: bool,
}

impl Run {
    /// A new run in a folder, or the one that was begun there: holds faces out, fixes what the
    /// numbers leave open, and keeps numbers and faces in the folder.
    ///
    /// # Errors
    /// [`TrainError`] when the numbers contradict each other or the data, when the folder cannot be
    /// written, or when it holds another run.
    pub fn open(
        mut config: RunConfig,
        sets: Vec<Dataset>,
        folder: &Path,
        devices: &[Device],
    ) -> Result<Self, TrainError> {
        config.validate()?;
        config.check_devices(devices.len())?;
        let mut sets = sets;
        let stored = sets.len();
        let rounds = Rounds::new(&config, folder)?;
        if let Some(rounds) = &rounds {
            sets.extend(rounds.draw(0, &AtomicBool::new(false))?);
        }
        if sets.is_empty() {
            return Err(TrainError::NoData);
        }
        if config.network.classes.is_empty() {
            config.network.classes = all_classes(&sets);
        }
        let classes = config.network.classes.clone();
        if config.network.controls == [ALL_CONTROLS] {
            config.network.controls = all_controls(&sets);
        }
        let controls = config.network.controls.clone();
        config.network_config().validate()?;
        let sets = sets
            .into_iter()
            .map(|set| Ok(set.for_classes(&classes)?.for_controls(&controls)))
            .collect::<Result<Vec<_>, TrainError>>()?;
        let (train, validation) = split_off(sets);
        let train: Vec<Arc<Dataset>> = train.into_iter().map(Arc::new).collect();
        if config.batch.labelled > 0 && !has_pairs(&train) {
            // Labels alone: the run is one of recognition.
            config.batch.pairs = 0;
        }
        store::make_folder(folder)?;
        let manifest = Manifest::new(&train, &validation.sets);
        let data = TrainingData::new(train.iter().cloned(), &classes, &config.batch)?;
        config.resolve_steps(data.len());
        // A refused call must leave the record of the run as it is.
        manifest.check(folder)?;
        record::keep_config(folder, &config, &format!("{devices:?}"))?;
        manifest.keep(folder)?;
        Ok(Self {
            config,
            folder: folder.to_owned(),
            stored: train.into_iter().take(stored).collect(),
            rounds,
            data: Arc::new(data),
            validation,
        })
    }

    /// The faces of a round: the stored sets, and what is drawn for it.
    fn data_of(&self, round: usize, stop: &AtomicBool) -> Result<Arc<TrainingData>, TrainError> {
        let Some(rounds) = self.rounds.as_ref().filter(|_| round > 0) else {
            return Ok(Arc::clone(&self.data));
        };
        let network = &self.config.network;
        let drawn = rounds.draw(round, stop)?.into_iter().map(|set| {
            let mut set = set
                .for_classes(&network.classes)?
                .for_controls(&network.controls);
            self.validation.keep_out(&mut set);
            Ok(Arc::new(set))
        });
        let mut sets = self.stored.clone();
        for set in drawn {
            let set: Result<_, TrainError> = set;
            sets.push(set?);
        }
        let data = TrainingData::new(sets, &network.classes, &self.config.batch)?;
        Ok(Arc::new(data))
    }

    /// Sends the batches of some steps; the next round is drawn while this one is trained on.
    fn feed<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        steps: std::ops::Range<usize>,
        stop: &'scope AtomicBool,
        sender: &mpsc::SyncSender<Batch>,
    ) -> Result<(), TrainError> {
        let round = |step| {
            self.rounds
                .as_ref()
                .map_or(0, |rounds| rounds.of_step(step))
        };
        let (mut step, last) = (steps.start, steps.end);
        let mut data = self.data_of(round(step), stop)?;
        while step < last {
            let end = self.rounds.as_ref().map_or(last, |rounds| rounds.end(step));
            let end = end.min(last);
            let coming = (end < last).then(|| scope.spawn(move || self.data_of(round(end), stop)));
            let sampler = Sampler::new(&data, &self.config.batch, &self.config.network_config());
            let seed = self.config.run.seed;
            if !feeder::send_all(step..end, |step| sampler.draw(seed, step), sender) {
                return Ok(()); // The run has ended.
            }
            if let Some(coming) = coming {
                data = match coming.join() {
                    Ok(data) => data?,
                    Err(panic) => std::panic::resume_unwind(panic),
                };
            }
            step = end;
        }
        Ok(())
    }

    /// The run's numbers, nothing left open.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// What the run is made of, in words.
    pub fn summary(&self) -> String {
        format!(
            "{} training faces: {} for recognition, {} subjects with several expressions, {} without a partner; {} validation faces",
            self.data.len(),
            self.data.labelled.items.len(),
            self.data.people.items.len(),
            self.data.unpaired.items.len(),
            self.validation
                .sets
                .iter()
                .map(|set| set.faces.len())
                .sum::<usize>()
        )
    }

    /// Trains to the last step, or until `stop` is set, then writes a checkpoint and the averaged
    /// weights.
    ///
    /// # Errors
    /// [`TrainError`] when the folder cannot be written, a checkpoint is damaged or the loss is no
    /// number.
    pub fn train(
        &self,
        devices: &[Device],
        call: Call,
        stop: &AtomicBool,
    ) -> Result<(), TrainError> {
        let mut trainer = match Trainer::resume(&self.config, &self.folder, devices)? {
            Some(trainer) => trainer,
            None => Trainer::new(&self.config, devices)?,
        };
        let steps = self.config.run.steps;
        let (first, last) = (
            trainer.steps_done(),
            call.stop_after.unwrap_or(steps).min(steps),
        );
        let progress = Progress::new(steps, first, call.plain);
        std::thread::scope(|scope| {
            let (sender, batches) = mpsc::sync_channel(BATCHES_AHEAD);
            let feeder = scope.spawn(move || self.feed(scope, first..last, stop, &sender));
            self.steps(&mut trainer, &batches, &progress, stop)?;
            drop(batches);
            match feeder.join() {
                // A round that was stopped while it was drawn is no fault.
                Ok(fed) if !stop.load(Ordering::Relaxed) => fed,
                Ok(_) => Ok(()),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })?;
        progress.finish();
        if trainer.steps_done() < steps {
            println!(
                "stopped after step {}; the same command goes on from there",
                trainer.steps_done()
            );
        }
        let reading = self.read_validation(&trainer)?;
        self.write_weights(LAST_WEIGHTS, trainer.average(), reading.as_ref())
    }

    /// Step after step while there are batches, with a report now and then and a checkpoint at the
    /// end.
    fn steps(
        &self,
        trainer: &mut Trainer,
        batches: &mpsc::Receiver<Batch>,
        progress: &Progress,
        stop: &AtomicBool,
    ) -> Result<(), TrainError> {
        let metrics = Metrics::open(&self.folder, trainer.steps_done())?;
        let mut since = Since::now();
        let mut is_saved = true;
        while !stop.load(Ordering::Relaxed) {
            let Some(batch) = since.next(batches) else {
                break;
            };
            let losses = trainer
                .step(&batch)
                .map_err(|error| record::keep_bad_batch(&self.folder, &batch, error))?;
            since.add(losses.values());
            let step = trainer.steps_done();
            progress.advance(step, self.config.batch.faces());
            is_saved = step.is_multiple_of(self.config.run.checkpoint_every)
                || step == self.config.run.steps;
            if is_saved || step.is_multiple_of(REPORT_EVERY) {
                // Before the validation faces are read: the speed is that of training.
                let past = since.end();
                let reading = if is_saved {
                    self.read_validation(trainer)?
                } else {
                    None
                };
                // Before the checkpoint: a run that is killed in between writes the row again.
                self.report(trainer, &past, reading.as_ref(), &metrics, progress)?;
                if is_saved {
                    self.checkpoint(trainer, reading.as_ref())?;
                    plots::draw(&self.folder, &metrics, reading.as_ref())?;
                    self.draw_sheet(trainer)?;
                }
                since = Since::now();
            }
        }
        if is_saved {
            Ok(())
        } else {
            checkpoint::save(&self.folder, trainer.state())
        }
    }

    /// Writes the weights if they are the best so far, then the checkpoint, which knows of it.
    fn checkpoint(
        &self,
        trainer: &mut Trainer,
        reading: Option<&Reading>,
    ) -> Result<(), TrainError> {
        if let Some(reading) = reading {
            let accuracy = reading.figures.accuracy;
            if trainer
                .state()
                .best
                .is_none_or(|best| accuracy > best.accuracy)
            {
                self.write_weights(BEST_WEIGHTS, trainer.average(), Some(reading))?;
                trainer.note_best(Best {
                    step: trainer.steps_done(),
                    accuracy,
                });
            }
        }
        checkpoint::save(&self.folder, trainer.state())
    }

    fn report(
        &self,
        trainer: &Trainer,
        past: &Past<{ Losses::NAMES.len() }>,
        reading: Option<&Reading>,
        metrics: &Metrics,
        progress: &Progress,
    ) -> Result<(), TrainError> {
        let step = trainer.steps_done();
        let row = Row {
            step,
            epoch: step as f64 / self.config.steps_of_epoch(self.data.len()) as f64,
            rate: trainer.rate(),
            samples_per_second: past.steps_per_second * self.config.batch.faces() as f64,
            waited_share: past.waited_share,
            losses: Losses::from_values(past.losses),
            validation: reading.map(|reading| reading.figures),
        };
        metrics.add(row.cells())?;
        progress.line(&format!(
            "step {step}/{} {} | {:.1} samples/s, {:.0} % waiting for them, {} left",
            self.config.run.steps,
            row.losses.in_words(),
            row.samples_per_second,
            100.0 * row.waited_share,
            progress.left(step)
        ));
        if let Some(figures) = &row.validation {
            progress.line(&format!(
                "step {step} validation n {} accuracy {:.4} macro recall {:.4} ece {:.4}",
                figures.n, figures.accuracy, figures.macro_recall, figures.ece
            ));
        }
        Ok(())
    }

    /// A contact sheet at every few checkpoints and at the end.
    fn draw_sheet(&self, trainer: &Trainer) -> Result<(), TrainError> {
        let (run, step) = (&self.config.run, trainer.steps_done());
        let is_due = step.is_multiple_of(run.checkpoint_every * run.sheet_every.max(1));
        if run.sheet_every == 0 || !(is_due || step == run.steps) {
            return Ok(());
        }
        let batch = &self.config.batch;
        sheet::draw(
            &self.folder.join(format!("sheet-{step:07}.png")),
            trainer.average(),
            &self.validation.portraits(SHEET_ROWS),
            batch.augmentation,
            batch.size,
            trainer.device(),
        )
    }

    /// How the validation faces are read; none where there are none.
    fn read_validation(&self, trainer: &Trainer) -> Result<Option<Reading>, TrainError> {
        let (faces, batch) = (self.validation.measured(), &self.config.batch);
        if faces.is_empty() {
            return Ok(None);
        }
        let (network, crop) = (trainer.average(), |face: &Face| {
            batch.augmentation.crop(face)
        });
        match predict(network, faces, crop, batch.size, trainer.device()) {
            Ok(predictions) => Ok(Some(predictions.into())),
            Err(EvaluateError::NotFinite) => Err(TrainError::NotFinite(trainer.steps_done())),
            Err(error) => Err(error.into()),
        }
    }

    /// Weights in 16 bits, with the temperature that the validation faces ask for and their terms.
    fn write_weights(
        &self,
        name: &str,
        network: &Network,
        reading: Option<&Reading>,
    ) -> Result<(), TrainError> {
        let mut network = match reading {
            Some(reading) => reading.calibrate(network.clone()),
            None => network.clone(),
        };
        note_licence(&mut network, &self.config);
        let bytes = weights::save(&network, Precision::Half)?;
        Ok(store::write(&self.folder.join(name), &bytes)?)
    }
}

/// Writes the licence that the run states, if any, into the network's file.
pub(super) fn note_licence(network: &mut Network, config: &RunConfig) {
    let licence = &config.run.licence;
    if !licence.is_empty() {
        network.note("licence", licence.as_str().into());
    }
}
