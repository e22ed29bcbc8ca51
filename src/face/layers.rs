//! What the two small networks of the face detector are made of, and how their weights are read.

use burn::tensor::activation::{prelu, relu};
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions, PadMode};
use burn::tensor::{DType, Device, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};

use super::FaceError;
use crate::kernels::Separable;

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
pub(super) struct Block {
    depthwise: Tensor<4>, // [c_in, 1, 3, 3]
    pointwise: Dense,     // [c_out, c_in, 1, 1]
    halve: bool,
    packed: Option<Separable>,
}

impl Block {
    pub fn load(weights: &Weights, name: &str, halve: bool) -> Result<Self, FaceError> {
        let depthwise = weights.tensor(&format!("{name}.depthwise"))?;
        let pointwise = Dense {
            weight: weights.tensor(&format!("{name}.pointwise"))?,
            bias: weights.tensor(&format!("{name}.bias"))?,
            slope: weights.optional(&format!("{name}.slope"))?,
        };
        let Dense {
            weight,
            bias,
            slope,
        } = &pointwise;
        Ok(Self {
            // Natively Burn's wider vectors and threads are faster.
            packed: cfg!(target_family = "wasm")
                .then(|| Separable::prepare(&depthwise, weight, bias, slope.as_ref(), halve))
                .flatten(),
            depthwise,
            pointwise,
            halve,
        })
    }

    /// Where the block halves or widens, x is pooled or gets empty channels before the sum.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let packed = self.packed.as_ref();
        if let Some(y) = packed.and_then(|packed| packed.forward(&x, false)) {
            return y;
        }
        let y = self.convolve(x.clone());
        let x = if self.halve {
            max_pool2d(x, MaxPoolOptions::new([2, 2]))
        } else {
            x
        };
        let more = y.dims()[1] - x.dims()[1];
        let x = if more > 0 {
            x.pad([(0, more), (0, 0), (0, 0)], PadMode::Constant(0.0))
        } else {
            x
        };
        activate(x + y, &self.pointwise.slope)
    }

    /// The convolutions alone. TensorFlow's "same" padding puts the odd pixel at the end.
    pub fn convolve(&self, x: Tensor<4>) -> Tensor<4> {
        let packed = self.packed.as_ref();
        if let Some(y) = packed.and_then(|packed| packed.forward(&x, true)) {
            return y;
        }
        let (stride, padding) = if self.halve { (2, (0, 1)) } else { (1, (1, 1)) };
        let channels = self.depthwise.dims()[0];
        let options = ConvOptions::new_with_padding([stride; 2], [padding; 2], [1, 1], channels);
        let x = conv2d(x, self.depthwise.clone(), None, options);
        self.pointwise.convolve(x, 1, (0, 0))
    }
}

fn activate(x: Tensor<4>, slope: &Option<Tensor<1>>) -> Tensor<4> {
    match slope {
        Some(slope) => prelu(x, slope.clone()),
        None => relu(x),
    }
}

/// A weight file, 16-bit floats.
pub(super) struct Weights<'a> {
    file: SafeTensors<'a>,
    device: &'a Device,
}

impl<'a> Weights<'a> {
    pub fn open(bytes: &'a [u8], device: &'a Device) -> Result<Self, FaceError> {
        let file = SafeTensors::deserialize(bytes).map_err(|e| FaceError::weights(&e))?;
        Ok(Self { file, device })
    }

    pub fn tensor<const D: usize>(&self, name: &str) -> Result<Tensor<D>, FaceError> {
        let view = self.file.tensor(name).map_err(|e| FaceError::weights(&e))?;
        let shape: [usize; D] = view
            .shape()
            .try_into()
            .map_err(|_| FaceError::weights(&format!("{name} has the wrong shape")))?;
        if view.dtype() != Dtype::F16 {
            return Err(FaceError::weights(&format!("{name} is not 16-bit")));
        }
        let values: Vec<f32> = view
            .data()
            .chunks_exact(2)
            .map(|bytes| half::f16::from_le_bytes([bytes[0], bytes[1]]).to_f32())
            .collect();
        let data = TensorData::new(values, shape);
        Ok(Tensor::from_data(data, (self.device, DType::F32)))
    }

    fn optional<const D: usize>(&self, name: &str) -> Result<Option<Tensor<D>>, FaceError> {
        match self.file.tensor(name) {
            Ok(_) => self.tensor(name).map(Some),
            Err(_) => Ok(None),
        }
    }
}

/// The values of a tensor, row by row.
pub(super) async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, FaceError> {
    let data = tensor.into_data_async().await;
    let data = data.map_err(|e| FaceError::run(&e))?;
    data.try_into_vec::<f32>().map_err(|e| FaceError::run(&e))
}
