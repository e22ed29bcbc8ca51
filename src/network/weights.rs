//! Weight files: safetensors with PyTorch's names and layouts, and the network's configuration as
//! JSON under the key `fersnet` of the metadata.

use std::collections::{BTreeSet, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use half::f16;
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};
use thiserror::Error;

use super::names::{PAINTER, is_decoders, is_ignorable, weight_name};
use super::parts::{DECODER_KEY, PAINTER_KEY};
use super::{ConfigError, Edition, Layers, Network, NetworkConfig};
use crate::painter::Painter;
use crate::tensor_file::{self, TensorFile, TensorFileError};

/// Key of the configuration in the metadata of a weight file.
pub const METADATA_KEY: &str = "fersnet";

/// Largest weight file that is loaded, in bytes: well above the authors' 54 M parameters in f32.
pub const MAX_FILE_BYTES: usize = 1 << 30;

/// Why a weight file is refused.
#[derive(Debug, Error)]
pub enum WeightError {
    /// Larger than [`MAX_FILE_BYTES`].
    #[error("the weight file has {0} bytes; at most {MAX_FILE_BYTES} are read")]
    TooLarge(usize),
    /// Not a safetensors file, or cut short.
    #[error(
        "not a whole safetensors file ({0}); download it again, or convert a PyTorch checkpoint with `fersnet convert`"
    )]
    NotSafetensors(SafeTensorError),
    /// No configuration in the metadata.
    #[error(
        "the file's metadata has no key `{METADATA_KEY}`: it holds tensors, but not FERSNet weights"
    )]
    NoConfig,
    /// No painter in the metadata.
    #[error("the file's metadata has no key `{PAINTER_KEY}`: it holds no painter of its own")]
    NoPainter,
    /// Neither a decoder nor a painter in the metadata.
    #[error(
        "the file's metadata has neither of the keys `{DECODER_KEY}` and `{PAINTER_KEY}`: it holds no part of a network"
    )]
    NoPart,
    /// The decoder of another network.
    #[error(
        "the decoder belongs to another network (it is `{found}`, `{expected}` is needed): take both files from one release"
    )]
    OtherDecoder {
        /// The id that the network names.
        expected: String,
        /// The id of the file.
        found: String,
    },
    /// A decoder for a network that has one.
    #[error("the network needs no decoder of a file of its own")]
    DecoderNotNeeded,
    /// The configuration is not the JSON that is expected.
    #[error("the metadata key `{METADATA_KEY}` cannot be read: {0}")]
    BadConfig(serde_json::Error),
    /// The configuration describes no network.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A tensor is missing.
    #[error("tensor `{name}` of shape {shape:?} is missing")]
    Missing {
        /// Name of the tensor.
        name: String,
        /// Its expected shape.
        shape: Vec<usize>,
    },
    /// A tensor that the configured network does not have.
    #[error("tensor `{0}` does not belong to a network of this configuration")]
    Unexpected(String),
    /// A tensor of another shape.
    #[error("tensor `{name}` has shape {found:?}; this configuration needs {expected:?}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape that the configuration needs.
        expected: Vec<usize>,
    },
    /// The classifier's rows are not as many as the named classes.
    #[error(
        "the configuration names {named} classes, but the classifier `{name}` answers for {found}"
    )]
    ClassCount {
        /// Name of the classifier's tensor.
        name: String,
        /// Classes in the configuration.
        named: usize,
        /// Rows of the tensor.
        found: usize,
    },
    /// A tensor of a type other than f32, f16, bf16 and i8 with scales.
    #[error("tensor `{name}` is stored as {found:?}; f32, f16, bf16, and i8 with scales are read")]
    Dtype {
        /// Name of the tensor.
        name: String,
        /// Its stored type.
        found: Dtype,
    },
    /// A NaN or an infinity.
    #[error(
        "tensor `{name}` holds {value} at index {index}: the file is damaged or its training diverged"
    )]
    NotFinite {
        /// Name of the tensor.
        name: String,
        /// Index in the flat tensor.
        index: usize,
        /// The value.
        value: f32,
    },
    /// A running variance below zero.
    #[error(
        "tensor `{name}` holds the variance {value} at index {index}; a variance is not negative"
    )]
    NegativeVariance {
        /// Name of the tensor.
        name: String,
        /// Index in the flat tensor.
        index: usize,
        /// The value.
        value: f32,
    },
    /// The tensors could not be written.
    #[error("the weights could not be written: {0}")]
    Write(SafeTensorError),
}

/// How weights are stored in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats.
    Full,
    /// 16-bit floats but for BatchNorm, whose variances would underflow.
    Half,
}

/// Loads the configuration of a weight file, and nothing else.
///
/// # Errors
/// [`WeightError`] when the file is no FERSNet weight file.
pub fn load_config(bytes: &[u8]) -> Result<NetworkConfig, WeightError> {
    let json = metadata_value(bytes, METADATA_KEY)?.ok_or(WeightError::NoConfig)?;
    let config: NetworkConfig = serde_json::from_str(&json).map_err(WeightError::BadConfig)?;
    config.validate()?;
    Ok(config)
}

pub(super) fn metadata_value(bytes: &[u8], key: &str) -> Result<Option<String>, WeightError> {
    tensor_file::metadata(bytes, key).map_err(WeightError::NotSafetensors)
}

/// Loads a network from the bytes of a weight file.
///
/// # Errors
/// [`WeightError`] naming the first key, shape, type, class count or value that is wrong.
pub fn load(bytes: &[u8], device: &Device) -> Result<Network, WeightError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(WeightError::TooLarge(bytes.len()));
    }
    let config = load_config(bytes)?;
    let file = TensorFile::open(bytes).map_err(WeightError::NotSafetensors)?;
    let mut tensors = sources(&file);
    tensors.retain(|name, _| !is_ignorable(name));
    fill(config, tensors, false, device)
}

/// A network of which only the decoder is filled, from the tensors of a file; the other parameters are not to
/// be looked at.
pub(super) fn load_decoder(
    config: NetworkConfig,
    bytes: &[u8],
    device: &Device,
) -> Result<Network, WeightError> {
    let file = TensorFile::open(bytes).map_err(WeightError::NotSafetensors)?;
    fill(config, sources(&file), true, device)
}

/// A painter from the tensors of a file.
pub(super) fn fill_painter(painter: Painter, bytes: &[u8]) -> Result<Painter, WeightError> {
    let file = TensorFile::open(bytes).map_err(WeightError::NotSafetensors)?;
    // A painter's names and shapes depend on no edition and on no classes.
    let mut loader = Loader::new(Edition::Release2021, 0, sources(&file));
    let painter = loader.fill_painter(painter);
    loader.finish()?;
    Ok(painter)
}

/// A tensor as it is stored: flat values with their shape.
#[derive(Debug, Clone)]
pub struct StoredTensor {
    /// Row-major values.
    pub values: Vec<f32>,
    /// Shape, in PyTorch's layout.
    pub shape: Vec<usize>,
}

/// Builds a network from named tensors in PyTorch's layouts.
///
/// # Errors
/// [`WeightError`] naming the first tensor that is missing, misshapen, unknown or not finite.
pub fn from_tensors(
    config: NetworkConfig,
    tensors: HashMap<String, StoredTensor>,
    device: &Device,
) -> Result<Network, WeightError> {
    let tensors = tensors
        .into_iter()
        .map(|(name, tensor)| (name, Source::Memory(tensor)))
        .collect();
    fill(config, tensors, false, device)
}

/// Where a parameter's values come from; its shape is known before they are decoded.
enum Source<'a> {
    Memory(StoredTensor),
    File(&'a TensorFile<'a>, TensorView<'a>),
}

/// All tensors of a file, by name.
fn sources<'a>(file: &'a TensorFile<'a>) -> HashMap<String, Source<'a>> {
    file.iter()
        .map(|(name, view)| (name.to_owned(), Source::File(file, view)))
        .collect()
}

impl Source<'_> {
    fn shape(&self) -> &[usize] {
        match self {
            Self::Memory(tensor) => &tensor.shape,
            Self::File(_, view) => view.shape(),
        }
    }

    fn into_values(self, name: &str) -> Result<Vec<f32>, WeightError> {
        match self {
            Self::Memory(tensor) => Ok(tensor.values),
            Self::File(file, view) => decode(name, file, &view),
        }
    }
}

/// Burn's parameters are lazy, and every shape is checked before its parameter is made: a file
/// that claims a huge network but does not hold it costs no memory.
fn fill(
    config: NetworkConfig,
    tensors: HashMap<String, Source<'_>>,
    decoder_alone: bool,
    device: &Device,
) -> Result<Network, WeightError> {
    let edition = config.edition;
    let classes = config.classes.len();
    let network = Network::new(config, device)?;
    let mut loader = Loader::new(edition, classes, tensors);
    loader.decoder_alone = decoder_alone;
    let Network {
        config,
        layers,
        painter,
    } = network;
    let layers = match layers {
        Layers::Paper2020(layers) => Layers::Paper2020(layers.map(&mut loader)),
        Layers::Release2021(layers) => Layers::Release2021(layers.map(&mut loader)),
    };
    let painter = painter.map(|painter| loader.fill_painter(painter));
    loader.finish()?;
    Ok(Network {
        config,
        layers,
        painter,
    })
}

fn decode(
    name: &str,
    file: &TensorFile<'_>,
    view: &TensorView<'_>,
) -> Result<Vec<f32>, WeightError> {
    // Only scales can be missing or misshapen by now: one for each index of the first axis.
    let scales = || view.shape().iter().copied().take(1).collect();
    file.floats(name).map_err(|error| match error {
        TensorFileError::File(error) => WeightError::NotSafetensors(error),
        TensorFileError::Missing(name) => WeightError::Missing {
            name,
            shape: scales(),
        },
        TensorFileError::Type { name, found } => WeightError::Dtype { name, found },
        TensorFileError::Shape { name, found, .. } => WeightError::Shape {
            name,
            found,
            expected: scales(),
        },
    })
}

/// Fills every parameter from the named tensors, and keeps the first failure.
struct Loader<'a> {
    edition: Edition,
    classes: usize,
    tensors: HashMap<String, Source<'a>>,
    /// Leaves all but the decoder's parameters as they are.
    decoder_alone: bool,
    path: Vec<String>,
    owners: Vec<String>,
    failure: Option<WeightError>,
}

impl<'a> Loader<'a> {
    fn new(edition: Edition, classes: usize, tensors: HashMap<String, Source<'a>>) -> Self {
        Self {
            edition,
            classes,
            tensors,
            decoder_alone: false,
            path: Vec::new(),
            owners: Vec::new(),
            failure: None,
        }
    }

    fn fill_painter(&mut self, painter: Painter) -> Painter {
        self.enter_module(PAINTER, "");
        let painter = painter.map(self);
        self.exit_module(PAINTER, "");
        painter
    }

    /// The first failure; tensors that no parameter has taken are one.
    fn finish(self) -> Result<(), WeightError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        // Sorted, so that the same file always names the same tensor.
        let left: BTreeSet<String> = self.tensors.into_keys().collect();
        match left.into_iter().next() {
            Some(name) => Err(WeightError::Unexpected(name)),
            None => Ok(()),
        }
    }

    /// The values of the parameter of this name, its matrix turned from PyTorch's `[out, in]` where it is linear's.
    fn take(
        &mut self,
        name: String,
        expected: &[usize],
        linear: bool,
    ) -> Result<Vec<f32>, WeightError> {
        let stored_shape: Vec<usize> = if linear {
            expected.iter().rev().copied().collect()
        } else {
            expected.to_vec()
        };
        let Some(stored) = self.tensors.remove(&name) else {
            return Err(WeightError::Missing {
                name,
                shape: stored_shape,
            });
        };
        let found = stored.shape();
        if found != stored_shape {
            if is_class_mismatch(&name, found, &stored_shape) {
                return Err(WeightError::ClassCount {
                    named: self.classes,
                    found: found[0],
                    name,
                });
            }
            return Err(WeightError::Shape {
                name,
                found: found.to_vec(),
                expected: stored_shape,
            });
        }
        let values = stored.into_values(&name)?;
        check_values(&name, &values)?;
        Ok(match (linear, stored_shape.as_slice()) {
            (true, &[rows, cols]) => transpose(&values, rows, cols),
            _ => values,
        })
    }

    fn is_linear_matrix(&self, rank: usize) -> bool {
        rank == 2
            && self
                .owners
                .last()
                .is_some_and(|owner| owner == "Struct:Linear")
    }
}

/// The classifier's rows are the classes: another number is an error of its own.
fn is_class_mismatch(name: &str, found: &[usize], expected: &[usize]) -> bool {
    (name.starts_with("classifier.linear.") || name.starts_with("classifier.classifier."))
        && found.len() == expected.len()
        && found[0] != expected[0]
        && found[1..] == expected[1..]
}

fn check_values(name: &str, values: &[f32]) -> Result<(), WeightError> {
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(WeightError::NotFinite {
            name: name.to_owned(),
            index,
            value: values[index],
        });
    }
    if name.ends_with(".running_var")
        && let Some(index) = values.iter().position(|value| *value < 0.0)
    {
        return Err(WeightError::NegativeVariance {
            name: name.to_owned(),
            index,
            value: values[index],
        });
    }
    Ok(())
}

/// `[rows, cols]` to `[cols, rows]`, both row-major.
fn transpose(values: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    (0..cols)
        .flat_map(|col| (0..rows).map(move |row| values[row * cols + col]))
        .collect()
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push(name.to_owned());
        self.owners.push(container_type.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
        self.owners.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.failure.is_some() {
            return param;
        }
        let name = weight_name(self.edition, &self.path);
        if self.decoder_alone && !is_decoders(&name) {
            return param;
        }
        let shape: [usize; D] = param.lazy_shape().dims();
        match self.take(name, &shape, self.is_linear_matrix(D)) {
            // Made anew, not mapped: mapping would draw random values first. The setting is the
            // one that `train` restores; running statistics take it off again.
            Ok(values) => {
                let data = TensorData::new(values, shape);
                let tensor = Tensor::from_data(data, &param.lazy_device());
                Param::initialized(param.id, tensor).set_require_grad(true)
            }
            Err(failure) => {
                self.failure = Some(failure);
                param
            }
        }
    }
}

/// All parameters by their names in a weight file, in PyTorch's layouts.
///
/// Reads back from the device at once, so it is for native use.
pub fn to_tensors(network: &Network) -> Vec<(String, StoredTensor)> {
    let mut saver = Saver {
        edition: network.config.edition,
        path: Vec::new(),
        owners: Vec::new(),
        tensors: Vec::new(),
    };
    match &network.layers {
        Layers::Paper2020(layers) => layers.visit(&mut saver),
        Layers::Release2021(layers) => layers.visit(&mut saver),
    }
    saver.enter_module(PAINTER, "");
    network.painter.visit(&mut saver);
    saver.tensors
}

/// The bytes of a weight file.
///
/// # Errors
/// [`WeightError::Write`] when the container cannot be made.
pub fn save(network: &Network, precision: Precision) -> Result<Vec<u8>, WeightError> {
    let config = serde_json::to_string(&network.config).map_err(WeightError::BadConfig)?;
    file_of(to_tensors(network), (METADATA_KEY, config), precision)
}

/// A safetensors file with one entry of metadata.
pub(super) fn file_of(
    tensors: Vec<(String, StoredTensor)>,
    (key, json): (&str, String),
    precision: Precision,
) -> Result<Vec<u8>, WeightError> {
    let encoded: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, tensor)| {
            // BatchNorm's four vectors are the only ones beside biases: all vectors stay whole, and
            // so does what 16 bits cannot hold.
            let halved = precision == Precision::Half
                && tensor.shape.len() > 1
                && tensor.values.iter().all(|v| v.abs() <= f16::MAX.to_f32());
            let (dtype, bytes) = if halved {
                (Dtype::F16, half_bytes(&tensor.values))
            } else {
                (Dtype::F32, tensor_file::f32_bytes(&tensor.values))
            };
            (name, dtype, tensor.shape, bytes)
        })
        .collect();
    let tensors = encoded
        .iter()
        .map(|(name, dtype, shape, bytes)| (name.as_str(), *dtype, shape.clone(), &bytes[..]));
    tensor_file::write(tensors, Some((key, json))).map_err(WeightError::Write)
}

fn half_bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|v| f16::from_f32(*v).to_le_bytes())
        .collect()
}

struct Saver {
    edition: Edition,
    path: Vec<String>,
    owners: Vec<String>,
    tensors: Vec<(String, StoredTensor)>,
}

impl ModuleVisitor for Saver {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push(name.to_owned());
        self.owners.push(container_type.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
        self.owners.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let data = param.val().into_data();
        let shape: Vec<usize> = data.shape().to_vec();
        let values: Vec<f32> = data.iter::<f32>().collect();
        let linear = self
            .owners
            .last()
            .is_some_and(|owner| owner == "Struct:Linear");
        let stored = match shape.as_slice() {
            &[rows, cols] if linear => StoredTensor {
                values: transpose(&values, rows, cols),
                shape: vec![cols, rows],
            },
            _ => StoredTensor { values, shape },
        };
        self.tensors
            .push((weight_name(self.edition, &self.path), stored));
    }
}
