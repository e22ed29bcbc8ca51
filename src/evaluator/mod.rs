//! Networks of other makers that evaluator redrawn faces: which expression, and (two of them) whose face.
//! Native only; none was used in training.
//!
//! Two are face-api.js's (npm `@vladmandic/face-api`, MIT), the second embedding is MobileFace; all are
//! taken out of their packages by `tools/evaluators.py`. They are weak evaluators, which is why every figure of theirs stands beside
//! what they say of real photographs.

mod expression;
mod identity;
mod layers;
mod masked;

pub use expression::ExpressionEvaluator;
pub use identity::{IdentityEvaluator, SAME_IDENTITY_BELOW, cosine, distance};
pub use masked::{MaskedEvaluator, SAME_MASKED_FROM};

use std::path::PathBuf;

use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Tensor, s};
use thiserror::Error;

use crate::home::home;
use crate::tensor_file::TensorFileError;

/// Why an evaluator gave no answer.
#[derive(Debug, Error)]
pub enum EvaluatorError {
    /// The file is damaged, or lacks a weight.
    #[error(
        "the evaluator's weights cannot be read ({0}); write them anew with tools/evaluators.py"
    )]
    File(#[from] TensorFileError),
    /// A weight does not fit the network.
    #[error("the evaluator's weight {name}: {what}; write the file anew with tools/evaluators.py")]
    Weight {
        /// Name in the file.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// The device did not answer.
    #[error("the device did not answer ({0}); give the command again, or use --device cpu")]
    Device(String),
}

/// Where `tools/evaluators.py` leaves the identity evaluator: under `$FERSNET_HOME`, or else under
/// `~/.cache/fersnet`. None where neither variable is set.
pub fn identity_file() -> Option<PathBuf> {
    evaluator_file("identity.safetensors")
}

/// Where `tools/evaluators.py` leaves the evaluator that sees the upper face alone.
pub fn masked_identity_file() -> Option<PathBuf> {
    evaluator_file("identity-masked.safetensors")
}

fn evaluator_file(name: &str) -> Option<PathBuf> {
    Some(home()?.join("evaluators").join(name))
}

/// The part of an aligned face that an evaluator looks at, in parts of the face's side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Square {
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// Side.
    pub side: f32,
}

impl Square {
    /// The whole face.
    pub const WHOLE: Self = Self {
        left: 0.0,
        top: 0.0,
        side: 1.0,
    };

    /// The part of faces `[n, c, size, size]`, as `[n, 3, side, side]`: grey in three channels,
    /// bilinear, the centres of the pixels on one another.
    fn cut(self, faces: Tensor<4>, side: usize) -> Tensor<4> {
        let [_, channels, height, width] = faces.dims();
        let range = |start: f32, length: usize| {
            let scale = |part: f32| (part * length as f32).round().max(0.0) as usize;
            let first = scale(start).min(length.saturating_sub(1));
            first..(first + scale(self.side).max(1)).min(length)
        };
        let (rows, columns) = (range(self.top, height), range(self.left, width));
        let part = faces.slice(s![.., .., rows, columns]);
        let part = if channels == 1 {
            part.repeat_dim(1, 3)
        } else {
            part
        };
        if part.dims()[2..] == [side, side] {
            return part;
        }
        let options = InterpolateOptions::new(InterpolateMode::Bilinear)
            .with_align_corners(false)
            .with_output_size([side, side]);
        interpolate(part, options) // [n, 3, side, side]
    }
}

/// Mean colour of the pictures that both evaluators were trained on, 0..255.
const MEAN_RGB: [f32; 3] = [122.782, 117.001, 104.298];

/// Faces in 0..1 as both evaluators read them: (255 x - mean) / 255.
fn centred(faces: Tensor<4>) -> Tensor<4> {
    let mean = Tensor::<1>::from_floats(MEAN_RGB.map(|v| v / 255.0), &faces.device());
    faces - mean.reshape([1, 3, 1, 1])
}

/// The rows of a table, read back from its device.
fn rows(table: Tensor<2>) -> Result<Vec<Vec<f32>>, EvaluatorError> {
    let [_, width] = table.dims();
    let data = table.into_data();
    let values = data
        .try_into_vec::<f32>()
        .map_err(|error| EvaluatorError::Device(error.to_string()))?;
    Ok(values.chunks_exact(width).map(<[f32]>::to_vec).collect())
}
