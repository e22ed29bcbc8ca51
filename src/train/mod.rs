//! Training and evaluation: data layouts, views, losses, the run. Native only.

pub mod augment;
pub mod batch;
pub mod calibrate;
pub mod checkpoint;
pub mod evaluate;
pub mod ferplus;
pub mod files;
pub mod losses;
pub mod pairs;
pub mod run;

use std::path::PathBuf;

use thiserror::Error;

use crate::network::ConfigError;
use crate::network::weights::WeightError;
use crate::picture::PictureError;

/// Official part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// What a network learns from.
    Train,
    /// What is reported while a network is made.
    Validation,
    /// What is reported once.
    Test,
}

/// Why training or evaluation stopped.
#[derive(Debug, Error)]
pub enum TrainError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A table is not as expected.
    #[error("{}, line {line}: {what}", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What was wrong.
        what: String,
    },
    /// Neither folder nor archive of a split is there.
    #[error("neither the folder {} nor the archive {} is there", dir.display(), archive.display())]
    MissingSplit {
        /// Expected folder.
        dir: PathBuf,
        /// Expected archive.
        archive: PathBuf,
    },
    /// No usable face was found in the data.
    #[error("{0} holds no usable faces")]
    Empty(String),
    /// The network answers for other expressions than the data is labelled with.
    #[error("these weights answer for {}; FER+ is labelled with its own eight expressions", network.join(", "))]
    Classes {
        /// Classes of the network.
        network: Vec<String>,
    },
    /// A weight of the network is no longer a number.
    #[error(
        "the weights are no longer numbers at step {0}; lower the learning rate and give the command again: the last checkpoint is still good"
    )]
    NotFinite(usize),
    /// A picture of the data cannot be decoded.
    #[error("{name}: {source}")]
    Picture {
        /// Name of the picture.
        name: String,
        /// Why not.
        source: PictureError,
    },
    /// The network cannot be built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// A checkpoint is not one of this run.
    #[error("{}: {what}; start a new run in another folder, or remove this one", path.display())]
    Checkpoint {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What was wrong.
        what: String,
    },
    /// The loss is no longer a number.
    #[error(
        "the loss became {loss} at step {step}; lower the learning rate and resume from the last checkpoint"
    )]
    Diverged {
        /// The step.
        step: usize,
        /// The loss.
        loss: f32,
    },
}
