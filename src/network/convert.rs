//! Checkpoints of the authors' 2021 code as networks of ours.
//!
//! Their state dict has the names of the 2021 edition already; what differs is that their pictures
//! are BGR (OpenCV's order), that the classes are not named, and that the noise of their training
//! and BatchNorm's counters lie beside the weights.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use burn::tensor::Device;
use burn_store::pytorch_reader::{DType, PytorchError, PytorchReader, Tensor};
use half::{bf16, f16};
use thiserror::Error;

use super::names::is_ignorable;
use super::weights::{MAX_FILE_BYTES, StoredTensor, WeightError, from_tensors};
use super::{Edition, Network, NetworkConfig, Variant};

/// Our names of the authors' six classes, in their order: Angry, Disgust, Fear, Happy, Sad,
/// Surprise.
pub const AUTHORS_CLASSES: [&str; 6] = [
    "anger",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
];

/// The tensor that tells one of the authors' networks, and its width and channels.
const FIRST_WEIGHT: &str = "stem.0.weight";

/// Why a checkpoint is not converted.
#[derive(Debug, Error)]
pub enum ConvertError {
    /// The file cannot be read as a PyTorch checkpoint.
    #[error("not a PyTorch checkpoint that can be read: {0}")]
    NotACheckpoint(PytorchError),
    /// The checkpoint is a zip archive, but a damaged one, or one that the zip reader mistakes.
    #[error(
        "the checkpoint's archive cannot be read ({0}); where PyTorch does read it, save it there again under a longer file name"
    )]
    Archive(PytorchError),
    /// A checkpoint of something else.
    #[error(
        "the checkpoint holds {tensors} tensors (the first is `{first}`), but no `{FIRST_WEIGHT}`: it is not a FERSNet of the authors' 2021 code"
    )]
    AnotherNetwork {
        /// How many tensors it holds.
        tensors: usize,
        /// The first name in alphabetical order.
        first: String,
    },
    /// More than one network in the file.
    #[error("the checkpoint holds several networks, under {0:?}; save the one to convert alone")]
    SeveralNetworks(Vec<String>),
    /// Another number of classes than the authors' six, whose names nobody could know.
    #[error(
        "the checkpoint's classifier answers for {0} classes; the authors' code has six (Angry, Disgust, Fear, Happy, Sad, Surprise)"
    )]
    Classes(usize),
    /// Tensors that would fill more memory than a weight file may.
    #[error("the checkpoint's tensors take {0} bytes; at most {MAX_FILE_BYTES} are read")]
    TooLarge(usize),
    /// A tensor that is not stored as floats.
    #[error("tensor `{name}` is stored as {found:?}; f32, f16, bf16 and f64 are read")]
    Dtype {
        /// Name of the tensor.
        name: String,
        /// Its stored type.
        found: DType,
    },
    /// A tensor's bytes cannot be read.
    #[error("the checkpoint is damaged: {0}")]
    Damaged(std::io::Error),
    /// The tensors do not make a network.
    #[error(transparent)]
    Weights(#[from] WeightError),
}

/// Loads a checkpoint (`.pth`) of the authors' 2021 code.
///
/// The state dict may lie at the top of the file or under other keys, with or without the
/// `module.` of `DataParallel`. The network answers for RGB pictures as theirs does for BGR ones.
///
/// # Errors
/// [`ConvertError`] saying what in the file is not as the authors' code writes it.
pub fn from_authors_checkpoint(path: &Path) -> Result<Network, ConvertError> {
    let file = PytorchReader::new(path)
        .map_err(|error| match error {
            PytorchError::Zip(_) => ConvertError::Archive(error),
            error => ConvertError::NotACheckpoint(error),
        })?
        .into_tensors();
    let prefix = network_prefix(&file)?;
    let state: HashMap<String, Tensor> = file
        .into_iter()
        .filter_map(|(name, tensor)| {
            let name = name.strip_prefix(prefix.as_str())?;
            (!is_ignorable(name)).then(|| (name.to_owned(), tensor))
        })
        .collect();
    // A view can claim more than its storage holds: nothing is read before the sum is known.
    let claimed = state
        .values()
        .fold(0usize, |sum, tensor| sum.saturating_add(tensor.byte_len()));
    if claimed > MAX_FILE_BYTES {
        return Err(ConvertError::TooLarge(claimed));
    }
    let config = config_of(&state)?;
    config.validate().map_err(WeightError::from)?;
    let mut tensors = state
        .iter()
        .map(|(name, tensor)| Ok((name.clone(), stored_tensor(name, tensor)?)))
        .collect::<Result<HashMap<_, _>, ConvertError>>()?;
    swap_red_and_blue(&mut tensors);
    Ok(from_tensors(config, tensors, &Device::flex())?)
}

/// What stands before the authors' names in the file's.
fn network_prefix(file: &HashMap<String, Tensor>) -> Result<String, ConvertError> {
    let mut prefixes: Vec<String> = file
        .keys()
        .filter_map(|name| name.strip_suffix(FIRST_WEIGHT))
        .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
        .map(str::to_owned)
        .collect();
    prefixes.sort();
    match (prefixes.pop(), prefixes.is_empty()) {
        (Some(prefix), true) => Ok(prefix),
        (Some(last), false) => {
            prefixes.push(last);
            Err(ConvertError::SeveralNetworks(prefixes))
        }
        (None, _) => {
            let names: BTreeSet<&String> = file.keys().collect();
            Err(ConvertError::AnotherNetwork {
                tensors: file.len(),
                first: names
                    .first()
                    .map(|name| (*name).clone())
                    .unwrap_or_default(),
            })
        }
    }
}

/// Width and channels off the first convolution, `[n, k, 3, 3]`.
fn config_of(state: &HashMap<String, Tensor>) -> Result<NetworkConfig, ConvertError> {
    let first = state.get(FIRST_WEIGHT).map(Tensor::shape);
    let Some(&[width, channels, _, _]) = first else {
        return Err(WeightError::Shape {
            name: FIRST_WEIGHT.to_owned(),
            found: first.map(<[usize]>::to_vec).unwrap_or_default(),
            expected: vec![64, 3, 3, 3],
        }
        .into());
    };
    let classifier = state.get("classifier.classifier.weight");
    if let Some(&classes) = classifier.and_then(|tensor| tensor.shape().first())
        && classes != AUTHORS_CLASSES.len()
    {
        return Err(ConvertError::Classes(classes));
    }
    Ok(NetworkConfig::new(
        Edition::Release2021,
        Variant::Fersnet,
        width,
        channels,
        &AUTHORS_CLASSES,
    ))
}

fn stored_tensor(name: &str, tensor: &Tensor) -> Result<StoredTensor, ConvertError> {
    let bytes = tensor.read().map_err(ConvertError::Damaged)?;
    // The reader gives native-endian bytes.
    let pairs = || bytes.chunks_exact(2).map(|b| [b[0], b[1]]);
    let values = match tensor.dtype() {
        DType::F32 => bytes
            .chunks_exact(4)
            .map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
            .collect(),
        DType::F16 => pairs().map(|b| f16::from_ne_bytes(b).to_f32()).collect(),
        DType::BF16 => pairs().map(|b| bf16::from_ne_bytes(b).to_f32()).collect(),
        DType::F64 => bytes
            .chunks_exact(8)
            .map(|b| f64::from_ne_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
            .collect(),
        found => {
            return Err(ConvertError::Dtype {
                name: name.to_owned(),
                found,
            });
        }
    };
    Ok(StoredTensor {
        values,
        shape: tensor.shape().to_vec(),
    })
}

/// BGR to RGB: the first convolution's inputs and the last one's outputs in reverse.
fn swap_red_and_blue(tensors: &mut HashMap<String, StoredTensor>) {
    for (name, axis) in [
        (FIRST_WEIGHT, 1),
        ("decoder.out_layer.weight", 0),
        ("decoder.out_layer.bias", 0),
    ] {
        if let Some(tensor) = tensors.get_mut(name) {
            reverse_axis(tensor, axis);
        }
    }
}

/// Reverses the order along one axis; nothing where there is no such axis.
fn reverse_axis(tensor: &mut StoredTensor, axis: usize) {
    let Some(&length) = tensor.shape.get(axis) else {
        return;
    };
    let inner: usize = tensor.shape[axis + 1..].iter().product();
    let block = length * inner;
    if block == 0 {
        return;
    }
    for outer in tensor.values.chunks_exact_mut(block) {
        let reversed: Vec<f32> = outer.chunks_exact(inner).rev().flatten().copied().collect();
        outer.copy_from_slice(&reversed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_reversed_in_place() {
        let mut tensor = StoredTensor {
            values: (0..12).map(|v| v as f32).collect(),
            shape: vec![2, 3, 2],
        };
        reverse_axis(&mut tensor, 1);
        let expected = [4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7].map(|v| v as f32);
        assert_eq!(tensor.values, expected);
    }
}
