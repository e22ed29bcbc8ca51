//! What the two small networks of the face detector are made of, and how their weights are read.

use burn::tensor::{Device, Tensor};

use super::FaceError;
use crate::kernels::{ChainLayer, Slope};
use crate::tensor_file::TensorFile;

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

    /// A convolution over all channels; padding as (before, after) in both directions.
    pub fn dense(
        &self,
        name: &str,
        stride: usize,
        padding: (usize, usize),
    ) -> Result<ChainLayer, FaceError> {
        Ok(ChainLayer::Dense {
            weight: self.tensor(&format!("{name}.weight"))?,
            bias: self.tensor(&format!("{name}.bias"))?,
            slope: self.slope(name)?,
            stride,
            padding,
        })
    }

    /// The same without an activation: the last layer of an answer.
    pub fn head(&self, name: &str) -> Result<ChainLayer, FaceError> {
        Ok(ChainLayer::Dense {
            weight: self.tensor(&format!("{name}.weight"))?,
            bias: self.tensor(&format!("{name}.bias"))?,
            slope: Slope::Linear,
            stride: 1,
            padding: (0, 0),
        })
    }

    /// activation(x + convolution(x)): 3 x 3 within each channel, then 1 x 1 over the channels.
    pub fn block(&self, name: &str, halve: bool) -> Result<ChainLayer, FaceError> {
        self.separable(name, halve, true)
    }

    /// activation(convolution(x)) by the same two convolutions.
    pub fn alone(&self, name: &str, halve: bool) -> Result<ChainLayer, FaceError> {
        self.separable(name, halve, false)
    }

    fn separable(&self, name: &str, halve: bool, shortcut: bool) -> Result<ChainLayer, FaceError> {
        Ok(ChainLayer::Separable {
            depthwise: self.tensor(&format!("{name}.depthwise"))?,
            pointwise: self.tensor(&format!("{name}.pointwise"))?,
            bias: self.tensor(&format!("{name}.bias"))?,
            slope: self.slope(name)?,
            halve,
            shortcut,
        })
    }

    /// So many blocks, of which `halving` halve.
    pub fn blocks(
        &self,
        name: &str,
        count: usize,
        halving: &[usize],
    ) -> Result<Vec<ChainLayer>, FaceError> {
        (0..count)
            .map(|i| self.block(&format!("{name}.{i}"), halving.contains(&i)))
            .collect()
    }

    /// Two tensors, one after the other on the first axis.
    pub fn joined<const D: usize>(&self, names: [String; 2]) -> Result<Tensor<D>, FaceError> {
        let [first, second] = names;
        let parts = vec![self.tensor(&first)?, self.tensor(&second)?];
        Ok(Tensor::cat(parts, 0))
    }

    /// A layer's own slopes, or a ReLU.
    fn slope(&self, name: &str) -> Result<Slope, FaceError> {
        let name = format!("{name}.slope");
        if !self.file.has(&name) {
            return Ok(Slope::Relu);
        }
        Ok(Slope::Each(self.tensor(&name)?))
    }
}

/// The values of a tensor, row by row.
pub(super) async fn readback<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, FaceError> {
    let data = tensor.into_data_async().await;
    let data = data.map_err(|e| FaceError::run(&e))?;
    data.try_into_vec::<f32>().map_err(|e| FaceError::run(&e))
}
