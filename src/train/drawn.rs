//! Pairs that are drawn from portraits as training goes: round by round, each for some steps. A round depends on
//! the run's seed and its own number alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::TrainError;
use super::config::RunConfig;
use crate::data::{self, Dataset, Options};
use crate::pairs::{self, Settings, Sizes, recipes};
use crate::store;

/// Width of the mouth pictures, which the network's training does not look at: the least.
const MOUTH_SIZE: usize = 64;

/// Where the rounds are drawn, in the run's folder; nothing of it stays.
const FOLDER: &str = "drawn";

/// Draws the rounds of a run.
pub struct Rounds {
    folder: PathBuf,
    portraits: Vec<PathBuf>,
    samples: usize,
    size: usize,
    every: usize,
    seed: u64,
    recipes: String,
    model: Vec<u8>,
}

impl Rounds {
    /// Those that a run asks for; none where it names no portraits.
    ///
    /// # Errors
    /// [`TrainError`] when the recipes or the face model cannot be read.
    pub fn new(config: &RunConfig, folder: &Path) -> Result<Option<Self>, TrainError> {
        let table = &config.data;
        if table.portraits.is_empty() {
            return Ok(None);
        }
        let recipes = match table.recipes.as_os_str().is_empty() {
            true => recipes::SHIPPED.to_owned(),
            false => String::from_utf8_lossy(&store::read(&table.recipes)?).into_owned(),
        };
        let model = pairs::model_file().ok_or_else(|| TrainError::Setting {
            key: "data.portraits".into(),
            rule: "the face model is needed: weights/facemodel.safetensors".into(),
        })?;
        Ok(Some(Self {
            folder: folder.join(FOLDER),
            portraits: table.portraits.clone(),
            samples: table.samples,
            size: table.size,
            every: table.redraw_every,
            seed: config.run.seed,
            recipes,
            model: store::read(&model)?,
        }))
    }

    /// The round of a step.
    pub fn of_step(&self, step: usize) -> usize {
        step / self.every
    }

    /// The first step of the next round.
    pub fn end(&self, step: usize) -> usize {
        (self.of_step(step) + 1) * self.every
    }

    /// Draws a round: a set for each folder of portraits. `stop` ends it early, with an error or fewer pairs.
    ///
    /// # Errors
    /// [`TrainError`] when a folder has no portraits that fit, or the run's folder cannot be written.
    pub fn draw(&self, round: usize, stop: &AtomicBool) -> Result<Vec<Dataset>, TrainError> {
        let sets = self.portraits.iter().enumerate().map(|(i, portraits)| {
            let output = self.folder.join(format!("{round}-{i}"));
            store::remove_folder(&output)?;
            let settings = Settings {
                portraits: portraits.clone(),
                output: output.clone(),
                sizes: Sizes {
                    samples: self.samples,
                    size: self.size,
                    mouth_size: MOUTH_SIZE,
                    seed: self.seed.wrapping_add(round as u64),
                },
                recipes: self.recipes.clone(),
                resume: false,
                sheet: None,
            };
            pairs::run(&settings, &self.model, &|_, _| (), stop)?;
            let mut set = data::open(&output, &Options::default())?;
            // Faces keep no trace of where they were drawn for a while.
            set.root.clone_from(portraits);
            store::remove_folder(&output)?;
            Ok(set)
        });
        let sets = sets.collect();
        // Empty by now; another round may be drawn in it.
        let _ = fs::remove_dir(&self.folder);
        sets
    }
}
