//! Parameters of any module as a safetensors file, by their order: for what is never shipped, so
//! that its names need no care.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use safetensors::Dtype;

use super::TrainError;
use crate::network::weights::WeightError;
use crate::tensor_file::{self, TensorFile, f32_bytes};

/// The parameters of a module, as a safetensors file of f32 under the names 0, 1, 2, ...
///
/// # Errors
/// [`TrainError::Weights`] when the file cannot be made.
pub fn stored_parameters(module: &impl Module) -> Result<Vec<u8>, TrainError> {
    let mut values = Values(Vec::new());
    module.visit(&mut values);
    let tensors = values.0.into_iter().enumerate();
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .map(|(index, (shape, values))| (index.to_string(), shape, f32_bytes(&values)))
        .collect();
    safetensors_file(&tensors)
}

/// A safetensors file of named f32 tensors.
///
/// # Errors
/// [`TrainError::Weights`] when the file cannot be made.
pub fn safetensors_file(tensors: &[(String, Vec<usize>, Vec<u8>)]) -> Result<Vec<u8>, TrainError> {
    let tensors = tensors
        .iter()
        .map(|(name, shape, bytes)| (name.as_str(), Dtype::F32, shape.clone(), &bytes[..]));
    Ok(tensor_file::write(tensors, None).map_err(WeightError::Write)?)
}

/// The module with the parameters of a file of [`stored_parameters`].
///
/// # Errors
/// What does not fit, in words.
pub fn read_parameters<M: Module>(module: M, file: &[u8]) -> Result<M, String> {
    let file = TensorFile::open(file).map_err(|error| error.to_string())?;
    let mut stored = Stored {
        file,
        index: 0,
        error: None,
    };
    let module = module.map(&mut stored);
    match stored.error {
        Some(error) => Err(error),
        None => Ok(module),
    }
}

struct Values(Vec<(Vec<usize>, Vec<f32>)>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let shape = value.dims().to_vec();
        self.0.push((shape, value.into_data().iter().collect()));
    }
}

struct Stored<'a> {
    file: TensorFile<'a>,
    index: usize,
    error: Option<String>,
}

impl Stored<'_> {
    fn next(&mut self, shape: &[usize]) -> Result<Vec<f32>, String> {
        let name = self.index.to_string();
        self.index += 1;
        let view = self.file.view(&name).map_err(|error| error.to_string())?;
        if view.shape() != shape || view.dtype() != Dtype::F32 {
            return Err(format!(
                "tensor {name} is {:?} of {:?}, not F32 of {shape:?}",
                view.dtype(),
                view.shape()
            ));
        }
        tensor_file::floats(&name, &view).map_err(|error| error.to_string())
    }
}

impl ModuleMapper for Stored<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.val().dims();
        match self.next(&shape) {
            Ok(values) => {
                param.map(|old| Tensor::from_data(TensorData::new(values, shape), &old.device()))
            }
            Err(error) => {
                self.error.get_or_insert(error);
                param
            }
        }
    }
}
