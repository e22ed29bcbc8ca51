//! Training: from data sets to weights in a run's folder. Native only.
//!
//! The modules in the order of the data: [`presets`] and [`config`] say what is to be done;
//! [`validation_split`] sets faces apart and [`sets`] sorts the others; [`sampler`] draws a [`batch`] of them,
//! varied by [`augment`], with the flow as far as it is known (`known_flow`); [`objective`] computes the loss, a [`term`] each, from [`terms`] and [`features`]; [`trainer`]
//! begins anew or by [`transfer`], and takes a step with [`optimise`], [`replicas`] and [`ema`] and says what the [`losses`] were;
//! [`run`] repeats it, with [`checkpoint`], [`reading`], [`metrics`], [`record`], [`plots`], [`sheet`]
//! and [`progress`]. The mouth painter is trained by itself, in [`painter`].

pub mod augment;
pub mod batch;
pub mod checkpoint;
pub mod config;
mod drawn;
pub mod ema;
pub mod features;
mod feeder;
mod known_flow;
pub mod losses;
pub mod metrics;
pub mod objective;
pub mod optimise;
pub mod painter;
pub mod plots;
pub mod presets;
pub mod progress;
pub mod reading;
pub mod record;
pub mod replicas;
pub mod run;
pub mod sampler;
pub mod sets;
pub mod sheet;
mod since;
pub mod stored;
pub mod term;
pub mod terms;
pub mod trainer;
pub mod transfer;
mod validate;
pub mod validation_split;

use std::path::PathBuf;

use thiserror::Error;

use crate::data::DataError;
use crate::evaluate::EvaluateError;
use crate::face::FaceError;
use crate::network::ConfigError;
use crate::network::parts::ReadError;
use crate::network::weights::WeightError;
use crate::store::StoreError;

/// Why training stopped.
#[derive(Debug, Error)]
pub enum TrainError {
    /// A file or folder cannot be kept or read back.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A weight of the network is no longer a number.
    #[error(
        "the weights are no longer numbers at step {0}; lower the learning rate and give the command again: the last checkpoint is still good"
    )]
    NotFinite(usize),
    /// The network cannot be built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// The decoder of a parted weight file cannot be read.
    #[error(transparent)]
    Parts(#[from] ReadError),
    /// A checkpoint is not one of this run.
    #[error("{}: {what}; start a new run in another folder, or remove this one", path.display())]
    Checkpoint {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What was wrong.
        what: String,
    },
    /// A data set cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The validation faces cannot be read.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// Pairs cannot be drawn.
    #[error(transparent)]
    Pairs(#[from] crate::pairs::PairsError),
    /// There is nothing to train on.
    #[error("no data: give a set with --data, or folders of portraits as data.portraits")]
    NoData,
    /// The feature net cannot be built.
    #[error(transparent)]
    Face(#[from] FaceError),
    /// A key of the configuration is unknown, or its value does not do.
    #[error("{key}: {rule}")]
    Setting {
        /// The key, as `table.key`.
        key: String,
        /// What would do.
        rule: String,
    },
    /// A kind of face that the batches need is not in the data.
    #[error(
        "the data sets hold no {what} beside the validation split: give a set that does with --data, or ask for none of them with --set batch.{key}=0"
    )]
    NoFaces {
        /// The kind of face.
        what: &'static str,
        /// The key that asks for it.
        key: &'static str,
    },
    /// The weights to start from are another network's.
    #[error(
        "{}: these weights are of another network than the run asks for; `fersnet inspect` says which", path.display()
    )]
    OtherNetwork {
        /// The weight file.
        path: PathBuf,
    },
    /// The objective has no term for the faces of a step.
    #[error(
        "the objective has no term for these batches: set one of the weights under [objective] above 0"
    )]
    NoTerm,
    /// A term of the loss is no number.
    #[error("at step {step} the loss is no number: {losses}")]
    NotANumber {
        /// The step.
        step: usize,
        /// The terms, in words.
        losses: String,
    },
    /// The batch of a step whose loss is no number.
    #[error(
        "{source}; its faces ({names} ...) are kept in {}: look at them, or lower optimiser.rate in a new run; the last checkpoint is still good", batch.display()
    )]
    BadBatch {
        /// What became of the loss.
        source: Box<TrainError>,
        /// The first of the faces.
        names: String,
        /// Where the batch was written.
        batch: PathBuf,
    },
    /// A contact sheet cannot be marked.
    #[error(transparent)]
    Mark(#[from] crate::mark::MarkError),
    /// The folder holds a run on other data.
    #[error(
        "{}: this run was begun on other faces than those of --data now; give the same sets, or start a new run in another folder", path.display()
    )]
    OtherData {
        /// The run's folder.
        path: PathBuf,
    },
}
