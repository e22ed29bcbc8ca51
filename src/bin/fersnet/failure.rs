//! What the exit codes mean.

use std::io;
use std::process::ExitCode;

use fersnet::network::convert::ConvertError;
use fersnet::network::parts::ReadError;
use fersnet::network::weights::WeightError;
use fersnet::pairs::PairsError;
use fersnet::picture::PictureError;
use fersnet::pipeline::PipelineError;
use fersnet::train::TrainError;
use thiserror::Error;

/// Failures that are the command line's own.
#[derive(Debug, Error)]
pub enum Failure {
    /// No face, and the whole picture was not asked for.
    #[error(
        "{0}: no face was found; give a picture in which one is seen from the front, or take the whole picture as the face with --whole"
    )]
    NoFace(String),
    /// A picture that is not there or cannot be opened.
    #[error("{0}")]
    Picture(String),
    /// Arguments that name nothing.
    #[error("{0}")]
    Arguments(String),
    /// The device is not in this build or not on this machine.
    #[error("{0}")]
    Device(String),
}

/// Whether the reader of a pipe has closed it.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kinds = error
        .chain()
        .filter_map(|error| error.downcast_ref::<io::Error>());
    kinds
        .map(io::Error::kind)
        .any(|kind| kind == io::ErrorKind::BrokenPipe)
}

/// The exit code of a failed command.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let is_weights = error.downcast_ref::<WeightError>().is_some()
        || error.downcast_ref::<ReadError>().is_some()
        || matches!(
            error.downcast_ref::<PipelineError>(),
            Some(PipelineError::Weights(_))
        )
        || matches!(
            error.downcast_ref::<TrainError>(),
            Some(TrainError::Weights(_) | TrainError::Parts(_))
        )
        || error.downcast_ref::<ConvertError>().is_some()
        || matches!(
            error.downcast_ref::<PairsError>(),
            Some(PairsError::Model(_))
        );
    let is_setting = matches!(
        error.downcast_ref::<TrainError>(),
        Some(TrainError::Setting { .. })
    ) || matches!(
        error.downcast_ref::<PairsError>(),
        Some(PairsError::Setting(_) | PairsError::Recipes(_))
    );
    ExitCode::from(match error.downcast_ref::<Failure>() {
        Some(Failure::Arguments(_)) => 2,
        Some(Failure::Picture(_)) => 3,
        Some(Failure::NoFace(_)) => 4,
        Some(Failure::Device(_)) => 6,
        None if is_setting => 2,
        None if is_weights => 5,
        None if error.downcast_ref::<PictureError>().is_some() => 3,
        None => 1,
    })
}
