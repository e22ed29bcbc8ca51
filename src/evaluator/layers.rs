//! Reading the evaluators' weights: bytes with a range, or 32-bit floats.

use burn::tensor::{Device, Tensor};
use safetensors::Dtype;

use super::EvaluatorError;
use crate::tensor_file::{TensorFile, TensorFileError, on_device};

/// An evaluator's weight file, as `tools/evaluators.py` writes it.
pub(super) struct Weights<'a> {
    file: TensorFile<'a>,
    device: &'a Device,
}

impl<'a> Weights<'a> {
    pub fn open(bytes: &'a [u8], device: &'a Device) -> Result<Self, EvaluatorError> {
        let file = TensorFile::open(bytes).map_err(TensorFileError::from)?;
        Ok(Self { file, device })
    }

    /// A weight by its name. Bytes q stand for `scale` q + `least`, the two numbers of NAME.range.
    pub fn tensor<const D: usize>(&self, name: &str) -> Result<Tensor<D>, EvaluatorError> {
        let Ok(bytes) = self.file.bytes_of(name, Dtype::U8) else {
            return Ok(self.file.tensor(name, self.device)?);
        };
        let range = self.file.floats(&format!("{name}.range"))?;
        let [scale, least] = range[..] else {
            return Err(refuse(name, "its range is not two numbers"));
        };
        let values = bytes.iter().map(|q| scale * f32::from(*q) + least);
        let shape = self.file.shape(name)?;
        Ok(on_device(values.collect(), shape, self.device))
    }
}

/// A weight that is not as expected.
pub(super) fn refuse(name: &str, what: &str) -> EvaluatorError {
    EvaluatorError::Weight {
        name: name.to_owned(),
        what: what.to_owned(),
    }
}
