//! One fold: the networks trained on its training subjects, and their answers on its test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::tensor::Device;

use super::predictions::OfFold;
use super::{Settings, TableError, Variant};
use crate::data::{self, Dataset, Face, Layout, Options, neutral};
use crate::enlarge::{self, EnlargeError, Named, enlarge};
use crate::network::{InferenceNetwork, weights};
use crate::store;
use crate::train::record::read_config;
use crate::train::run::{Call, LAST_WEIGHTS, Run};

/// A network's answers on the test, beside its run.
const PREDICTIONS: &str = "predictions.json";

/// Folder of a fold's synthetic faces.
const SYNTHETIC: &str = "synthetic";

/// A fold of the data.
pub(super) struct Fold<'a> {
    /// What it is called.
    pub(super) fold_name: &'a str,
    /// Its folder.
    pub(super) folder: PathBuf,
    /// All faces.
    pub(super) data: &'a Dataset,
    /// Indices of the test faces.
    pub(super) test: &'a [usize],
    /// What the table is made with.
    pub(super) settings: &'a Settings,
    /// Where it is made.
    pub(super) device: &'a Device,
}

impl Fold<'_> {
    /// The answers of the networks, in the order of [`Variant::ALL`]; what is not there yet is
    /// trained. None when `stop` was set.
    pub(super) fn run(&self, stop: &AtomicBool) -> Result<Option<Vec<OfFold>>, TableError> {
        let mut answers = Vec::new();
        for variant in Variant::ALL {
            let path = self.run_folder(variant).join(PREDICTIONS);
            let done = match OfFold::load(&path)? {
                Some(done) => done,
                None => match self.train(variant, stop)? {
                    Some(done) => {
                        done.save(&path)?;
                        done
                    }
                    None => return Ok(None),
                },
            };
            answers.push(done);
        }
        Ok(Some(answers))
    }

    /// The same, of what was trained here or in the folders of other shards.
    pub(super) fn collect(&self, shards: &[PathBuf]) -> Result<Vec<OfFold>, TableError> {
        let collected = Variant::ALL.into_iter().map(|variant| {
            let elsewhere = shards
                .iter()
                .map(|shard| shard.join(self.fold_name).join(variant.folder()));
            for folder in std::iter::once(self.run_folder(variant)).chain(elsewhere) {
                if let Some(done) = OfFold::load(&folder.join(PREDICTIONS))? {
                    return Ok(done);
                }
            }
            Err(TableError::NotTrained {
                fold_name: self.fold_name.to_owned(),
                variant,
            })
        });
        collected.collect()
    }

    fn run_folder(&self, variant: Variant) -> PathBuf {
        self.folder.join(variant.folder())
    }

    fn weights(&self, variant: Variant) -> PathBuf {
        self.run_folder(variant).join(LAST_WEIGHTS)
    }

    /// The faces of the subjects who are not tested.
    fn training(&self) -> Dataset {
        let mut is_test = vec![false; self.data.faces.len()];
        for index in self.test {
            is_test[*index] = true;
        }
        let indices: Vec<usize> = (0..is_test.len()).filter(|i| !is_test[*i]).collect();
        self.data.subset(&indices)
    }

    /// The test faces that clearly show an expression.
    fn tested(&self) -> Vec<&Face> {
        let neutral = neutral(&self.data.classes);
        let faces = self.test.iter().map(|index| &self.data.faces[*index]);
        faces
            .filter(|face| face.class.is_some() && face.is_shown(neutral))
            .collect()
    }

    fn train(&self, variant: Variant, stop: &AtomicBool) -> Result<Option<OfFold>, TableError> {
        let started = Instant::now();
        let mut sets = vec![self.training()];
        if variant == Variant::FersnetStar {
            match self.synthetic(stop)? {
                Some(set) => sets.extend(set),
                None => return Ok(None),
            }
        }
        let config = if variant.is_fine_tuned() {
            let start = self.weights(Variant::Fersnet);
            let begun = read_config(&self.run_folder(Variant::Fersnet))?;
            let steps = begun.run.steps;
            self.settings.fine_tuning(variant, &start, steps)
        } else {
            self.settings.run_of(variant)
        };
        let devices = std::slice::from_ref(self.device);
        println!("{} {}", self.fold_name, variant.name());
        let run = Run::open(config, sets, &self.run_folder(variant), devices)?;
        let call = Call {
            plain: true,
            ..Call::default()
        };
        run.train(devices, call, stop)?;
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let seconds = started.elapsed().as_secs_f64();
        let batch = &self.settings.run.batch;
        let answers = OfFold::read_with(
            &self.weights(variant),
            variant,
            &self.tested(),
            (batch.augmentation, batch.size),
            seconds,
            self.device,
        )?;
        println!(
            "{} {}: {:.1} % of {} test faces, {seconds:.0} s",
            self.fold_name,
            variant.name(),
            100.0 * answers.accuracy(),
            answers.faces.len()
        );
        Ok(Some(answers))
    }

    /// The fold's synthetic faces: its FERSNet redraws the training subjects, and its three networks
    /// have to agree on what they see. Outer none when `stop` was set; inner none when nothing was
    /// kept, so that FERSNet* is fine-tuned with the photographs alone.
    fn synthetic(&self, stop: &AtomicBool) -> Result<Option<Option<Dataset>>, TableError> {
        let folder = self.folder.join(SYNTHETIC);
        let is_complete = data::recognise(&folder).is_ok_and(|layout| layout == Layout::Paired);
        if !is_complete {
            if folder.is_dir() {
                // Of a call that was stopped in between.
                store::remove_folder(&folder)?;
            }
            let summary = match self.draw(&folder, stop) {
                Err(TableError::Enlarge(EnlargeError::NothingKept { proposed })) => {
                    println!(
                        "{}: none of {proposed} synthetic faces was kept",
                        self.fold_name
                    );
                    return Ok(Some(None));
                }
                other => other?,
            };
            match summary {
                Some(summary) => {
                    println!("{}: {} synthetic faces", self.fold_name, summary.kept())
                }
                None => return Ok(None),
            }
        }
        let options = Options {
            layout: Some(Layout::Paired),
            ..Options::default()
        };
        Ok(Some(Some(data::open(&folder, &options)?)))
    }

    fn draw(
        &self,
        folder: &Path,
        stop: &AtomicBool,
    ) -> Result<Option<enlarge::Summary>, TableError> {
        let networks = [Variant::Fersnet, Variant::BaselineStar, Variant::Baseline]
            .into_iter()
            .map(|variant| self.load(variant))
            .collect::<Result<Vec<_>, _>>()?;
        let named: Vec<Named<'_>> = networks
            .iter()
            .map(|(name, digest, network)| Named {
                name: name.clone(),
                digest: digest.clone(),
                network,
            })
            .collect();
        Ok(enlarge(
            self.training(),
            &named[0],
            &named,
            &self.settings.enlarge,
            folder,
            self.device,
            stop,
        )?)
    }

    /// A trained network with its file's name and hash.
    fn load(&self, variant: Variant) -> Result<(String, String, InferenceNetwork), TableError> {
        let bytes = store::read(&self.weights(variant))?;
        let network = weights::load(&bytes, self.device)?.into_inference();
        let name = format!("{}/{}", self.fold_name, variant.folder());
        Ok((name, data::digest(&bytes), network))
    }
}
