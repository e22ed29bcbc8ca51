//! face-api.js's face embedding in plain Burn tensors: a face -> 128 numbers that tell subjects apart.
//!
//! dlib's residual network of 29 layers with half the filters (D. King, 2017, `dlib_face_recognition_resnet_model_v1`),
//! as the package's `src/faceRecognitionNet` runs it.

use burn::tensor::activation::relu;
use burn::tensor::module::{avg_pool2d, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions, PadMode};
use burn::tensor::{Device, Tensor};

use super::layers::{Weights, refuse};
use super::{EvaluatorError, Square, centred, rows};

/// Side of the input.
const INPUT: usize = 150;

/// Length of an embedding.
const EMBEDDING: usize = 128;

/// Below this euclidean distance dlib calls two faces one subject's.
pub const SAME_IDENTITY_BELOW: f32 = 0.6;

/// The residual blocks in their order; those named `down` halve the picture.
const BLOCKS: [&str; 14] = [
    "conv32_1",
    "conv32_2",
    "conv32_3",
    "conv64_down",
    "conv64_1",
    "conv64_2",
    "conv64_3",
    "conv128_down",
    "conv128_1",
    "conv128_2",
    "conv256_down",
    "conv256_1",
    "conv256_2",
    "conv256_down_out",
];

/// The network's weights.
#[derive(Debug, Clone)]
pub struct IdentityEvaluator {
    stem: Convolution,
    blocks: Vec<Block>,
    linear: Tensor<2>, // [256, 128]
}

#[derive(Debug, Clone)]
struct Block {
    first: Convolution,
    second: Convolution,
    halve: bool,
}

/// A convolution with the scale that follows it folded in.
#[derive(Debug, Clone)]
struct Convolution {
    weight: Tensor<4>, // [c_out, c_in, k, k]
    bias: Tensor<1>,   // [c_out]
}

impl IdentityEvaluator {
    /// The network of a weight file that `tools/evaluators.py` wrote.
    ///
    /// # Errors
    /// [`EvaluatorError`] when the file is another one.
    pub fn load(bytes: &[u8], device: &Device) -> Result<Self, EvaluatorError> {
        let weights = Weights::open(bytes, device)?;
        let stem = Convolution::load(&weights, "conv32_down", 3)?;
        let mut channels = stem.channels();
        let mut blocks = Vec::new();
        for name in BLOCKS {
            let first = Convolution::load(&weights, &format!("{name}.conv1"), channels)?;
            let second = Convolution::load(&weights, &format!("{name}.conv2"), first.channels())?;
            channels = second.channels();
            blocks.push(Block {
                first,
                second,
                halve: name.contains("down"),
            });
        }
        let linear: Tensor<2> = weights.tensor("fc")?;
        if linear.dims() != [channels, EMBEDDING] {
            return Err(refuse("fc", "another shape"));
        }
        Ok(Self {
            stem,
            blocks,
            linear,
        })
    }

    /// Embeddings `[n][128]` of the `square` of faces `[n, c, size, size]` in 0..1.
    ///
    /// # Errors
    /// [`EvaluatorError::Device`].
    pub fn embed(&self, faces: Tensor<4>, square: Square) -> Result<Vec<Vec<f32>>, EvaluatorError> {
        let x = centred(square.cut(faces, INPUT)); // [n, 3, 150, 150]
        let x = relu(self.stem.forward(x, 2, 0)); // [n, 32, 72, 72]
        let options = MaxPoolOptions::new([3, 3]).with_stride([2, 2]);
        let mut x = max_pool2d(x, options); // [n, 32, 35, 35]
        for block in &self.blocks {
            x = block.forward(x);
        } // [n, 256, 2, 2]
        let [n, channels, ..] = x.dims();
        let x = x.mean_dim(3).mean_dim(2).reshape([n, channels]); // [n, 256]
        rows(x.matmul(self.linear.clone())) // [n, 128]
    }
}

impl Block {
    /// Where it halves, x is averaged; what is missing in channels of x, or in rows and columns of
    /// the convolutions (they lose a border that the averages keep), is zero.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (stride, padding) = if self.halve { (2, 0) } else { (1, 1) };
        let y = relu(self.first.forward(x.clone(), stride, padding));
        let y = self.second.forward(y, 1, 1);
        let x = if self.halve {
            avg_pool2d(x, AvgPoolOptions::new([2, 2]).with_stride([2, 2]))
        } else {
            x
        };
        let ([_, from, height, width], [_, to, rows, columns]) = (x.dims(), y.dims());
        let y = grow(y, 0, height - rows, width - columns);
        relu(grow(x, to - from, 0, 0) + y)
    }
}

/// Zeros after the last channel, row and column.
fn grow(x: Tensor<4>, channels: usize, rows: usize, columns: usize) -> Tensor<4> {
    if channels + rows + columns == 0 {
        return x;
    }
    x.pad(
        [(0, channels), (0, rows), (0, columns)],
        PadMode::Constant(0.0),
    )
}

impl Convolution {
    fn load(weights: &Weights, name: &str, c_in: usize) -> Result<Self, EvaluatorError> {
        let weight: Tensor<4> = weights.tensor(&format!("{name}.conv.filters"))?;
        let [c_out, found, ..] = weight.dims();
        if found != c_in {
            return Err(refuse(name, &format!("{found} channels, not {c_in}")));
        }
        let vector = |part: &str| -> Result<Tensor<1>, EvaluatorError> {
            let values: Tensor<1> = weights.tensor(&format!("{name}.{part}"))?;
            if values.dims() == [c_out] {
                Ok(values)
            } else {
                Err(refuse(name, &format!("{part} has another length")))
            }
        };
        let (scale, shift) = (vector("scale.weights")?, vector("scale.biases")?);
        Ok(Self {
            weight: weight * scale.clone().reshape([c_out, 1, 1, 1]),
            bias: vector("conv.bias")? * scale + shift,
        })
    }

    fn channels(&self) -> usize {
        self.weight.dims()[0]
    }

    fn forward(&self, x: Tensor<4>, stride: usize, padding: usize) -> Tensor<4> {
        let options = ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1);
        conv2d(x, self.weight.clone(), Some(self.bias.clone()), options)
    }
}

/// Euclidean distance of two embeddings; dlib's rule is [`SAME_IDENTITY_BELOW`].
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f32>()
        .sqrt()
}

/// Cosine of the angle between two embeddings: 1 for the same face, about 0.8 for strangers,
/// since all faces lie on one side.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 {
        dot(a, b) / lengths
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_that_of_hand_computed_vectors() {
        assert_eq!(distance(&[0.0, 3.0], &[4.0, 0.0]), 5.0);
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 2.0]), 0.0);
        assert!((cosine(&[1.0, 1.0], &[1.0, 0.0]) - 0.5_f32.sqrt()).abs() < 1e-6);
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 0.0]), 0.0);
    }
}
