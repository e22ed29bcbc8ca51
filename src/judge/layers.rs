//! Reading the judges' weights: bytes with a range, or 32-bit floats.

use burn::tensor::{DType, Device, Tensor, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::JudgeError;

/// A judge's weight file, as `tools/judges.py` writes it.
pub(super) struct Weights<'a> {
    file: SafeTensors<'a>,
    device: &'a Device,
}

impl<'a> Weights<'a> {
    pub fn open(bytes: &'a [u8], device: &'a Device) -> Result<Self, JudgeError> {
        let file = SafeTensors::deserialize(bytes)?;
        Ok(Self { file, device })
    }

    /// A weight by its name. Bytes q stand for `scale` q + `least`, the two numbers of NAME.range.
    pub fn tensor<const D: usize>(&self, name: &str) -> Result<Tensor<D>, JudgeError> {
        let view = self.view(name)?;
        let shape: [usize; D] = view.shape().try_into().map_err(|_| {
            refuse(
                name,
                &format!("{D} axes expected, {:?} found", view.shape()),
            )
        })?;
        let values = match view.dtype() {
            Dtype::F32 => floats(&view),
            Dtype::U8 => {
                let range = floats(&self.view(&format!("{name}.range"))?);
                let [scale, least] = range[..] else {
                    return Err(refuse(name, "its range is not two 32-bit floats"));
                };
                let value = |q: &u8| scale * f32::from(*q) + least;
                view.data().iter().map(value).collect()
            }
            other => return Err(refuse(name, &format!("{other:?} is not expected"))),
        };
        let data = TensorData::new(values, shape);
        Ok(Tensor::from_data(data, (self.device, DType::F32)))
    }

    fn view(&self, name: &str) -> Result<TensorView<'_>, JudgeError> {
        self.file
            .tensor(name)
            .map_err(|error| refuse(name, &error.to_string()))
    }
}

/// A weight that is not as expected.
pub(super) fn refuse(name: &str, what: &str) -> JudgeError {
    JudgeError::Weight {
        name: name.to_owned(),
        what: what.to_owned(),
    }
}

fn floats(view: &TensorView<'_>) -> Vec<f32> {
    let values = view.data().chunks_exact(4);
    values
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}
