//! Reading safetensors files: every weight file, checkpoint and face model is decoded here.
//!
//! The crate `safetensors` refuses tensors that overlap, leave gaps or do not fit their shapes; here a tensor is
//! refused that is missing, of another type or of another shape. Weights may be stored in 8 bits with scales,
//! see [`in_bytes`].

mod eight_bits;

pub use eight_bits::{Bits, in_bytes};

use burn::tensor::{DType, Device, Tensor, TensorData};
use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use thiserror::Error;

/// Why a file's tensors cannot be read.
#[derive(Debug, Error)]
pub enum TensorFileError {
    /// It is no safetensors file, or a damaged one.
    #[error("not a safetensors file: {0}")]
    File(#[from] SafeTensorError),
    /// There is no tensor of this name.
    #[error("tensor `{0}` is missing")]
    Missing(String),
    /// The numbers are of another type.
    #[error("tensor `{name}` is stored as {found:?}")]
    Type {
        /// Name of the tensor.
        name: String,
        /// Its type.
        found: Dtype,
    },
    /// The tensor has another shape.
    #[error("tensor `{name}` has the shape {found:?}, not {expected}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape, or the number of axes, that was expected.
        expected: String,
    },
}

/// A safetensors file in memory.
pub struct TensorFile<'a>(SafeTensors<'a>);

impl<'a> TensorFile<'a> {
    /// Opens a file.
    ///
    /// # Errors
    /// [`SafeTensorError`] when it is none, or damaged.
    pub fn open(bytes: &'a [u8]) -> Result<Self, SafeTensorError> {
        SafeTensors::deserialize(bytes).map(Self)
    }

    /// All tensors with their names; scales are part of the tensor that they belong to.
    pub fn iter(&self) -> impl Iterator<Item = (&str, TensorView<'a>)> {
        self.0.iter().filter(|(name, _)| !self.is_scale(name))
    }

    /// Whether a tensor holds the scales of one in 8 bits.
    fn is_scale(&self, name: &str) -> bool {
        let scaled = eight_bits::scaled_name(name).and_then(|name| self.0.tensor(name).ok());
        scaled.is_some_and(|view| view.dtype() == Dtype::I8)
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.tensor(name).is_ok()
    }

    /// A tensor's type, shape and bytes.
    ///
    /// # Errors
    /// [`TensorFileError::Missing`].
    pub fn view(&self, name: &str) -> Result<TensorView<'a>, TensorFileError> {
        let view = self.0.tensor(name);
        view.map_err(|_| TensorFileError::Missing(name.to_owned()))
    }

    /// The values of a tensor of 32- or 16-bit floats, or of 8 bits with scales, row by row.
    ///
    /// # Errors
    /// [`TensorFileError::Missing`], [`TensorFileError::Type`]; of scales also [`TensorFileError::Shape`].
    pub fn floats(&self, name: &str) -> Result<Vec<f32>, TensorFileError> {
        let view = self.view(name)?;
        match view.dtype() {
            Dtype::I8 => eight_bits::values(self, name, &view),
            _ => floats(name, &view),
        }
    }

    /// The bytes of a tensor of this type.
    ///
    /// # Errors
    /// [`TensorFileError::Missing`], [`TensorFileError::Type`].
    pub fn bytes_of(&self, name: &str, dtype: Dtype) -> Result<&'a [u8], TensorFileError> {
        let view = self.view(name)?;
        if view.dtype() == dtype {
            Ok(view.data())
        } else {
            Err(TensorFileError::Type {
                name: name.to_owned(),
                found: view.dtype(),
            })
        }
    }

    /// A tensor of floats on a device, in f32.
    ///
    /// # Errors
    /// [`TensorFileError`] when it is missing, of another type or has another number of axes.
    pub fn tensor<const D: usize>(
        &self,
        name: &str,
        device: &Device,
    ) -> Result<Tensor<D>, TensorFileError> {
        let shape = self.shape(name)?;
        Ok(on_device(self.floats(name)?, shape, device))
    }

    /// The shape of a tensor of D axes.
    ///
    /// # Errors
    /// [`TensorFileError::Missing`], [`TensorFileError::Shape`].
    pub fn shape<const D: usize>(&self, name: &str) -> Result<[usize; D], TensorFileError> {
        let view = self.view(name)?;
        view.shape().try_into().map_err(|_| TensorFileError::Shape {
            name: name.to_owned(),
            found: view.shape().to_vec(),
            expected: format!("{D} axes"),
        })
    }
}

/// A tensor of f32 on a device.
pub fn on_device<const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F32))
}

/// The value of a key in a file's metadata; none where the key is missing.
///
/// # Errors
/// [`SafeTensorError`] when the file's head cannot be read.
pub fn metadata(bytes: &[u8], key: &str) -> Result<Option<String>, SafeTensorError> {
    let (_, head) = SafeTensors::read_metadata(bytes)?;
    let entries = head.metadata().as_ref();
    Ok(entries.and_then(|entries| entries.get(key).cloned()))
}

/// The values of a tensor of 32- or 16-bit floats, row by row; `name` is for the error.
///
/// # Errors
/// [`TensorFileError::Type`].
pub fn floats(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, TensorFileError> {
    let bytes = view.data();
    let twos = || bytes.chunks_exact(2).map(|b| [b[0], b[1]]);
    match view.dtype() {
        Dtype::F32 => Ok(bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect()),
        Dtype::F16 => Ok(twos().map(|b| f16::from_le_bytes(b).to_f32()).collect()),
        Dtype::BF16 => Ok(twos().map(|b| bf16::from_le_bytes(b).to_f32()).collect()),
        found => Err(TensorFileError::Type {
            name: name.to_owned(),
            found,
        }),
    }
}

/// Bytes of f32, as a file stores them.
pub fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// A file of named tensors, given as type, shape and bytes.
///
/// # Errors
/// [`SafeTensorError`] when bytes do not fit a shape.
pub fn write<'a>(
    tensors: impl IntoIterator<Item = (&'a str, Dtype, Vec<usize>, &'a [u8])>,
    metadata: Option<(&str, String)>,
) -> Result<Vec<u8>, SafeTensorError> {
    let views = tensors
        .into_iter()
        .map(|(name, dtype, shape, bytes)| Ok((name, TensorView::new(dtype, shape, bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    let metadata = metadata.map(|(key, value)| [(key.to_owned(), value)].into());
    safetensors::serialize(views, metadata)
}

/// A file of the tensors of several files whose names are wanted, as they are stored, with one entry of metadata.
///
/// # Errors
/// [`SafeTensorError`] when one of them is no safetensors file, or damaged.
pub fn selected(
    files: &[&[u8]],
    is_wanted: &dyn Fn(&str) -> bool,
    (key, value): (&str, String),
) -> Result<Vec<u8>, SafeTensorError> {
    let files = files.iter().map(|bytes| SafeTensors::deserialize(bytes));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let tensors = files.iter().flat_map(SafeTensors::iter);
    let wanted: Vec<_> = tensors.filter(|(name, _)| is_wanted(name)).collect();
    safetensors::serialize(wanted, Some([(key.to_owned(), value)].into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let half = f16::from_f32(0.5).to_le_bytes();
        let full = f32_bytes(&[1.0, -2.0]);
        write(
            [
                ("half", Dtype::F16, vec![1, 1], &half[..]),
                ("full", Dtype::F32, vec![2], &full[..]),
                ("bytes", Dtype::U8, vec![3], &[1, 2, 3][..]),
            ],
            Some(("key", "value".to_owned())),
        )
        .expect("a file")
    }

    #[test]
    fn tensors_and_metadata_come_back_as_they_were_written() {
        let bytes = file();
        let file = TensorFile::open(&bytes).expect("a file");
        assert_eq!(file.floats("half").expect("floats"), [0.5]);
        let full: Tensor<1> = file.tensor("full", &Device::flex()).expect("a tensor");
        assert_eq!(full.into_data().iter::<f32>().sum::<f32>(), -1.0);
        assert_eq!(file.bytes_of("bytes", Dtype::U8).expect("bytes"), [1, 2, 3]);
        assert_eq!(
            metadata(&bytes, "key").expect("a head"),
            Some("value".to_owned())
        );
        assert_eq!(metadata(&bytes, "other").expect("a head"), None);
    }

    #[test]
    fn what_is_missing_of_another_type_or_shape_is_refused_by_its_name() {
        let bytes = file();
        let file = TensorFile::open(&bytes).expect("a file");
        let told = |error: TensorFileError| error.to_string();
        assert!(!file.has("none"));
        assert!(told(file.floats("none").expect_err("missing")).contains("`none` is missing"));
        assert!(told(file.floats("bytes").expect_err("bytes")).contains("`bytes` is stored as U8"));
        let other = file.tensor::<3>("half", &Device::flex());
        assert!(told(other.expect_err("axes")).contains("[1, 1], not 3 axes"));
    }

    #[test]
    fn a_file_with_overlapping_or_missing_bytes_is_refused() {
        let overlap = br#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#;
        let mut bytes = (overlap.len() as u64).to_le_bytes().to_vec();
        bytes.extend(overlap);
        bytes.extend([0; 3]);
        assert!(TensorFile::open(&bytes).is_err());
        let whole = file();
        assert!(TensorFile::open(&whole[..whole.len() - 1]).is_err());
    }
}
