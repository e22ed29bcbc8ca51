//! The paper's table: four networks, and a control, over folds in which no subject of the test is learnt from. Native
//! only.
//!
//! [`variant`] names the networks; [`settings`] fixes what a table is made with, [`part`] which folds a call makes;
//! `fold` trains them on one fold and keeps their [`predictions`]; [`figures`] pools these; [`page`] writes them down.
//!
//! In a fold the test's subjects are used for nothing but the test: the validation split of a run
//! and to fit its temperature comes from the other subjects, the last step is reported, and synthetic
//! faces are made from the other subjects by networks of the same fold.

pub mod figures;
mod fold;
pub mod page;
pub mod part;
pub mod predictions;
pub mod settings;
pub mod variant;

pub use figures::{Figures, Row};
pub use part::{Part, Shard};
pub use settings::{FineTune, Settings};
pub use variant::Variant;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use burn::tensor::Device;
use thiserror::Error;

use crate::data::{DataError, Dataset, Folding, folds};
use crate::enlarge::EnlargeError;
use crate::evaluate::EvaluateError;
use crate::network::weights::WeightError;
use crate::store::StoreError;
use crate::train::TrainError;
use crate::train::sets::has_pairs;
use fold::Fold;

/// The table as data.
pub const JSON: &str = "table.json";

/// The table as text.
pub const TEXT: &str = "table.md";

/// Why there is no table.
#[derive(Debug, Error)]
pub enum TableError {
    /// The folder holds another table.
    #[error(
        "{} holds a table that was begun with another {what}; give the same arguments, or name another folder", path.display()
    )]
    Other {
        /// The folder.
        path: PathBuf,
        /// What differs, with both values.
        what: String,
    },
    /// A file of the table cannot be read as what it was written as.
    #[error("{}: {what}; remove this file, and the same command makes it anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The data cannot teach the networks that redraw.
    #[error(
        "{}: no subject shows several expressions, so no network learns to redraw from it; give a data set with subjects", .0.display()
    )]
    NoPairs(PathBuf),
    /// No face of a source that was asked for.
    #[error("no face comes from {wanted}; the data has {}", has.join(", "))]
    Source {
        /// The source that was asked for.
        wanted: String,
        /// The sources that there are.
        has: Vec<String>,
    },
    /// A folder to collect from is none.
    #[error("{}: no table was begun there; name the --out folders of the shards", .0.display())]
    NoShard(PathBuf),
    /// A network of a fold was not trained.
    #[error(
        "{fold_name} {} is not there yet: run its shard to the end, or name the folder of the shard that has it", variant.name()
    )]
    NotTrained {
        /// The fold.
        fold_name: String,
        /// The network.
        variant: Variant,
    },
    /// A number is out of range.
    #[error("{0}")]
    Setting(&'static str),
    /// The data cannot be divided.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file cannot be kept or read back.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A network cannot be trained.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Weights cannot be read.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// Synthetic faces cannot be made.
    #[error(transparent)]
    Enlarge(#[from] EnlargeError),
    /// There are no figures.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

/// How far a call came.
pub enum Outcome {
    /// The table is written.
    Table(Box<Figures>),
    /// All folds of the shard are done.
    Shard,
    /// It was stopped; the same call goes on from there.
    Stopped,
}

/// A table in its folder: its data and what it is made with.
pub struct Table {
    data: Dataset,
    settings: Settings,
    folder: PathBuf,
}

impl Table {
    /// A new table in a folder, or the one that was begun there.
    ///
    /// # Errors
    /// [`TableError`] when the numbers contradict each other or the data, or the folder holds another
    /// table.
    pub fn open(
        mut data: Dataset,
        mut settings: Settings,
        folder: &Path,
    ) -> Result<Self, TableError> {
        settings.validate()?;
        settings.choose_sources(&mut data)?;
        if !has_pairs(std::slice::from_ref(&data)) {
            return Err(TableError::NoPairs(data.root));
        }
        // The folds' networks have to answer alike, whatever expressions each of them sees.
        if settings.run.network.classes.is_empty() {
            settings.run.network.classes = data.classes.clone();
        }
        let data = data.for_classes(&settings.run.network.classes)?;
        settings.keep(&data, folder)?;
        Ok(Self {
            data,
            settings,
            folder: folder.to_owned(),
        })
    }

    /// Makes a part of the table, as far as it is not made yet.
    ///
    /// # Errors
    /// [`TableError`] when a run fails or a file cannot be written, and when a fold that is to be collected is
    /// not there.
    pub fn run(
        &self,
        foldings: &[Folding],
        part: &Part,
        device: &Device,
        stop: &AtomicBool,
    ) -> Result<Outcome, TableError> {
        if let Part::Collected(folders) = part {
            self.check_shards(folders)?;
        }
        let mut pooled = Vec::new();
        let mut count = 0;
        for folding in foldings {
            let tests = folds(&self.data, *folding, self.settings.folds)?;
            let mut of_folds = Vec::new();
            for (number, test) in tests.iter().enumerate() {
                count += 1;
                if matches!(part, Part::Shard(shard) if !shard.has(count - 1)) {
                    continue;
                }
                let fold_name = format!("{}/fold-{:02}", folding.name(), number + 1);
                let fold = Fold {
                    fold_name: &fold_name,
                    folder: self.folder.join(&fold_name),
                    data: &self.data,
                    test,
                    settings: &self.settings,
                    device,
                };
                if let Part::Collected(folders) = part {
                    of_folds.push(fold.collect(folders)?);
                    continue;
                }
                match fold.run(stop)? {
                    Some(predictions) => of_folds.push(predictions),
                    None => return Ok(Outcome::Stopped),
                }
            }
            pooled.push((*folding, of_folds));
        }
        if matches!(part, Part::Shard(_)) {
            return Ok(Outcome::Shard);
        }
        let figures = Figures::new(&self.settings, &self.data, pooled)?;
        figures.write(&self.folder)?;
        Ok(Outcome::Table(Box::new(figures)))
    }

    /// Other shards' folders are of the same table.
    fn check_shards(&self, folders: &[PathBuf]) -> Result<(), TableError> {
        for folder in folders {
            if !Settings::are_kept(folder) {
                return Err(TableError::NoShard(folder.clone()));
            }
            self.settings.keep(&self.data, folder)?;
        }
        Ok(())
    }
}
