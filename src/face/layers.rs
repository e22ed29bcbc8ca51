//! What the two small networks of the face detector are made of, and how their weights are read.

use burn::tensor::activation::{prelu, relu};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use super::FaceError;
use crate::kernels::{SeparableBlock, separable};
use crate::tensor_file::TensorFile;

/// A convolution over all channels, with its bias and perhaps its activation's slopes.
#[derive(Debug, Clone)]
pub(super) struct Dense {
    pub weight: Tensor<4>, // [c_out, c_in, k, k]
    pub bias: Tensor<1>,
    pub slope: Option<Tensor<1>>,
}

impl Dense {
    pub fn load(weights: &Weights, name: &str) -> Result<Self, FaceError> {
        Ok(Self {
            weight: weights.tensor(&format!("{name}.weight"))?,
            bias: weights.tensor(&format!("{name}.bias"))?,
            slope: weights.optional(&format!("{name}.slope"))?,
        })
    }

    /// The convolution alone; padding as (before, after) in both directions.
    pub fn convolve(&self, x: Tensor<4>, stride: usize, padding: (usize, usize)) -> Tensor<4> {
        let options = ConvOptions::new_with_padding([stride; 2], [padding; 2], [1, 1], 1);
        conv2d(x, self.weight.clone(), Some(self.bias.clone()), options)
    }

    /// The convolution and its activation.
    pub fn forward(&self, x: Tensor<4>, stride: usize, padding: (usize, usize)) -> Tensor<4> {
        activate(self.convolve(x, stride, padding), &self.slope)
    }
}

/// activation(x + convolution(x)): 3 x 3 within each channel, then 1 x 1 over the channels.
#[derive(Debug, Clone)]
pub(super) struct Block(SeparableBlock);

impl Block {
    pub fn load(weights: &Weights, name: &str, halve: bool) -> Result<Self, FaceError> {
        let mut block = SeparableBlock::new(
            weights.tensor(&format!("{name}.depthwise"))?,
            weights.tensor(&format!("{name}.pointwise"))?,
            weights.tensor(&format!("{name}.bias"))?,
            weights.optional(&format!("{name}.slope"))?,
            halve,
        );
        // Natively Burn's wider vectors and threads are faster.
        if cfg!(target_family = "wasm") {
            block.prepare();
        }
        Ok(Self(block))
    }

    /// Where the block halves or widens, x is pooled or gets empty channels before the sum.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        separable(x, &self.0, false)
    }

    /// The convolutions alone. TensorFlow's "same" padding puts the odd pixel at the end.
    pub fn convolve(&self, x: Tensor<4>) -> Tensor<4> {
        separable(x, &self.0, true)
    }
}

fn activate(x: Tensor<4>, slope: &Option<Tensor<1>>) -> Tensor<4> {
    match slope {
        Some(slope) => prelu(x, slope.clone()),
        None => relu(x),
    }
}

/// A weight file.
pub(super) struct Weights<'a> {
    file: TensorFile<'a>,
    device: &'a Device,
}

impl<'a> Weights<'a> {
    pub fn open(bytes: &'a [u8], device: &'a Device) -> Result<Self, FaceError> {
        let file = TensorFile::open(bytes).map_err(|e| FaceError::weights(&e))?;
        Ok(Self { file, device })
    }

    pub fn tensor<const D: usize>(&self, name: &str) -> Result<Tensor<D>, FaceError> {
        let tensor = self.file.tensor(name, self.device);
        tensor.map_err(|e| FaceError::weights(&e))
    }

    fn optional<const D: usize>(&self, name: &str) -> Result<Option<Tensor<D>>, FaceError> {
        self.file.has(name).then(|| self.tensor(name)).transpose()
    }
}

/// The values of a tensor, row by row.
pub(super) async fn readback<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, FaceError> {
    let data = tensor.into_data_async().await;
    let data = data.map_err(|e| FaceError::run(&e))?;
    data.try_into_vec::<f32>().map_err(|e| FaceError::run(&e))
}
