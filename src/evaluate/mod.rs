//! Figures of a network: how well it reads labelled faces, and what others see in the faces that it
//! redraws. Native only.
//!
//! Nothing here is chosen by the data that is tested: the temperature comes from the weight file,
//! and last and best weights are both reported.

pub mod bootstrap;
pub(crate) mod charts;
pub mod confidence;
pub mod confusion;
mod document;
pub mod groups;
mod in_photo;
mod kid;
mod likeness;
mod look;
mod mouth;
mod mouths;
mod paired;
pub mod permutation;
mod predict;
mod reader;
mod recognition;
mod redrawn;
mod report;
mod rows;
mod rules;
pub mod similarity;
mod sliders;
mod synthesis;
mod tears;
mod teeth;
pub mod temperature;

pub use document::document;
pub use in_photo::InPhoto;
pub use kid::Kid;
pub use likeness::{Identity, Likeness};
pub use paired::Nearness;
pub use permutation::{Comparison, compare};
pub use predict::{Predictions, predict};
pub use reader::Reader;
pub use recognition::{BeforeAfter, ClassFigures, Intervals, Recognition, recognition};
pub use report::{DataNote, Report};
pub use rules::{Rule, Share, Sharpness};
pub use sliders::{Region, Slider, Sliders};
pub use synthesis::{Evaluators, Synthesis, Target, synthesis};
pub use tears::Tears;

use in_photo::in_photo;
use rows::{HEAD, SLIDER_HEAD};

use burn::tensor::Tensor;
use thiserror::Error;

use crate::evaluator::EvaluatorError;
use crate::face::FaceError;
use crate::pipeline::PipelineError;

/// Why there are no figures.
#[derive(Debug, Error)]
pub enum EvaluateError {
    /// There is nothing to compute them from.
    #[error(
        "there are no {0} to evaluate on; give other data, another part of it or other weights"
    )]
    Empty(&'static str),
    /// The faces' labels are in another order than the network's.
    #[error(
        "the faces are labelled with other expressions than these weights answer for; read them for the classes of the weights"
    )]
    Classes,
    /// Two readers read different faces.
    #[error(
        "the two readers read different faces; compare them on the same ones, in the same order"
    )]
    OtherFaces,
    /// The network's scores are not numbers.
    #[error(
        "these weights answer with scores that are not numbers: the file is damaged, or its training diverged"
    )]
    NotFinite,
    /// The network recognises only.
    #[error("these weights read expressions but redraw no face; choose weights of another variant")]
    NoSynthesis,
    /// The reader and the network have no expression in common.
    #[error(
        "the reader knows none of the expressions that these weights redraw; choose another reader"
    )]
    Reader,
    /// The device was lost or ran out of memory.
    #[error(
        "the device did not answer ({0}); give the command again, with --device cpu if it stays so"
    )]
    Device(String),
    /// An evaluator of redrawn faces gave no answer.
    #[error(transparent)]
    Evaluator(#[from] EvaluatorError),
    /// A face could not be redrawn in its picture.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The face mesh gave no answer.
    #[error(transparent)]
    Mesh(#[from] FaceError),
}

/// A tensor's values, read back from its device.
fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, EvaluateError> {
    let data = tensor.into_data();
    data.try_into_vec::<f32>()
        .map_err(|error| EvaluateError::Device(error.to_string()))
}

/// The validation metrics of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValidationMetrics {
    /// Faces.
    pub n: usize,
    /// Share of the faces that are read correctly.
    pub accuracy: f64,
    /// Mean recall of the expressions that are shown.
    pub macro_recall: f64,
    /// Expected calibration error at the network's temperature.
    pub ece: f64,
}

/// The validation metrics of a run, at a temperature; zeros without predictions.
pub fn validation_metrics(predictions: &Predictions, temperature: f64) -> ValidationMetrics {
    let (probabilities, labels) = (&predictions.probabilities, &predictions.labels);
    let confusion = predictions.confusion();
    let confident = confidence::confidences(probabilities, labels, temperature);
    ValidationMetrics {
        n: confusion.n(),
        accuracy: confusion.accuracy().unwrap_or_default(),
        macro_recall: confusion.macro_recall().unwrap_or_default(),
        ece: confidence::expected_calibration_error(&confident),
    }
}
