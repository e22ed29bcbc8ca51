//! Weights in 8 bits or fewer: a tensor NAME of type I8, beside it NAME.scale with a number for each index of its
//! first axis (of a convolution or a linear layer its output channel). A value is its byte times that number.
//! Fewer bits are bytes of fewer values, which a compressed file stores in less.

use half::f16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::{TensorFile, TensorFileError, floats};

/// What is added to a tensor's name for that of its scales.
const SCALE: &str = ".scale";

/// Tensors of fewer numbers stay as they are: few bytes, and of the face mesh most of what 8 bits would move.
const FEWEST: usize = 4096;

/// How many values a byte takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits(u32);

impl Bits {
    /// All that a byte has.
    pub const EIGHT: Self = Self(8);

    /// This many bits; none for fewer than 4 or more than 8.
    pub fn new(bits: u32) -> Option<Self> {
        (4..=8).contains(&bits).then_some(Self(bits))
    }

    /// The largest byte: they are as many below 0 as above it.
    fn most(self) -> f32 {
        ((1 << (self.0 - 1)) - 1) as f32
    }

    /// A tensor whose bytes would differ by more than this part of its numbers, both as root mean squares, stays
    /// as it is: a few large numbers among small ones.
    fn max_error(self) -> f64 {
        4.0 / f64::from(1 << self.0)
    }
}

/// The name of a tensor's scales.
pub(super) fn scale_name(name: &str) -> String {
    format!("{name}{SCALE}")
}

/// The tensor that these are the scales of, by its name; None where it is no such name.
pub(super) fn scaled_name(name: &str) -> Option<&str> {
    name.strip_suffix(SCALE)
}

/// The values of a tensor in 8 bits.
///
/// # Errors
/// [`TensorFileError`] when its scales are missing, or not one for each index of its first axis.
pub(super) fn values(
    file: &TensorFile<'_>,
    name: &str,
    view: &TensorView<'_>,
) -> Result<Vec<f32>, TensorFileError> {
    let scale_name = scale_name(name);
    let scale_view = file.view(&scale_name)?;
    let scales = floats(&scale_name, &scale_view)?;
    let count = view.shape().first().copied().unwrap_or_default();
    if scale_view.shape() != [count] {
        return Err(TensorFileError::Shape {
            name: scale_name,
            found: scale_view.shape().to_vec(),
            expected: format!("[{count}]"),
        });
    }
    let bytes = view.data();
    let each = bytes.len().checked_div(count).unwrap_or_default().max(1);
    let rows = bytes.chunks_exact(each).zip(scales);
    let value = |byte: &u8, scale: f32| f32::from(byte.cast_signed()) * scale;
    Ok(rows
        .flat_map(|(row, scale)| row.iter().map(move |byte| value(byte, scale)))
        .collect())
}

/// A file's tensors in so many bits where that is exact enough: those of two axes and more. Vectors, small
/// tensors, those that are in bytes already, that the bits are too coarse for or in whose name one of `kept`
/// occurs, and all metadata stay as they are.
///
/// # Errors
/// [`TensorFileError::File`] when it is no safetensors file.
pub fn in_bytes(bytes: &[u8], bits: Bits, kept: &[String]) -> Result<Vec<u8>, TensorFileError> {
    let file = TensorFile::open(bytes)?;
    let mut stored: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for (name, view) in file.0.iter() {
        let shape = view.shape().to_vec();
        let is_kept = kept.iter().any(|part| name.contains(part.as_str()));
        let rounded = match floats(name, &view) {
            _ if is_kept => None,
            Ok(values) if shape.len() > 1 && values.len() >= FEWEST => {
                Rounded::new(&values, shape[0], bits)
            }
            _ => None,
        };
        let name = name.to_owned();
        match rounded {
            Some(rounded) => {
                stored.push((
                    scale_name(&name),
                    Dtype::F16,
                    vec![shape[0]],
                    rounded.scales,
                ));
                stored.push((name, Dtype::I8, shape, rounded.bytes));
            }
            None => stored.push((name, view.dtype(), shape, view.data().to_vec())),
        }
    }
    let (_, head) = SafeTensors::read_metadata(bytes)?;
    let mut views = Vec::with_capacity(stored.len());
    for (name, dtype, shape, bytes) in &stored {
        views.push((
            name.as_str(),
            TensorView::new(*dtype, shape.clone(), bytes)?,
        ));
    }
    Ok(safetensors::serialize(views, head.metadata().clone())?)
}

/// A tensor as its bytes and scales, both as they are stored.
struct Rounded {
    bytes: Vec<u8>,
    scales: Vec<u8>,
}

impl Rounded {
    /// None where it would be too coarse, or something is not finite.
    fn new(values: &[f32], rows: usize, bits: Bits) -> Option<Self> {
        let most = bits.most();
        let mut rounded = Self {
            bytes: Vec::with_capacity(values.len()),
            scales: Vec::with_capacity(2 * rows),
        };
        let (mut error, mut square) = (0.0f64, 0.0f64);
        for row in values.chunks_exact(values.len().checked_div(rows)?) {
            let scale = scale(row, most)?;
            rounded.scales.extend(scale.to_le_bytes());
            for value in row {
                let byte = (value / scale.to_f32()).round().clamp(-most, most);
                rounded.bytes.push((byte as i8).cast_unsigned());
                error += f64::from(byte * scale.to_f32() - value).powi(2);
                square += f64::from(*value).powi(2);
            }
        }
        (error <= bits.max_error().powi(2) * square).then_some(rounded)
    }
}

/// The smallest number of 16 bits by which all of a row fits into its bytes; 1 for a row of zeros.
fn scale(row: &[f32], most: f32) -> Option<f16> {
    let largest = row.iter().fold(0.0f32, |most, v| most.max(v.abs()));
    if !row.iter().all(|v| v.is_finite()) {
        return None;
    }
    if largest == 0.0 {
        return Some(f16::ONE);
    }
    let nearest = f16::from_f32(largest / most);
    let scale = if nearest.to_f32() * most < largest {
        f16::from_bits(nearest.to_bits() + 1)
    } else {
        nearest
    };
    scale.is_finite().then_some(scale)
}

#[cfg(test)]
mod tests {
    use super::super::{f32_bytes, metadata, write};
    use super::*;

    /// Numbers of a row of the kernel.
    const ROW: usize = FEWEST / 2;

    /// Two rows: a wave, and one a hundred times as large.
    fn kernel() -> Vec<f32> {
        let wave = |i: usize| (i as f32 * 0.7).sin() * if i < ROW { 0.01 } else { 1.0 };
        (0..2 * ROW).map(wave).collect()
    }

    fn stored(values: &[f32]) -> Vec<u8> {
        let bias = f32_bytes(&[0.123_456_79, -3.0]);
        let tensors = [
            (
                "kernel",
                Dtype::F32,
                vec![2, ROW, 1, 1],
                &f32_bytes(values)[..],
            ),
            ("bias", Dtype::F32, vec![2], &bias[..]),
        ];
        write(tensors, Some(("key", "value".to_owned()))).expect("a file")
    }

    #[test]
    fn each_row_is_as_exact_as_its_own_largest_number_allows() {
        let values = kernel();
        let bytes = in_bytes(&stored(&values), Bits::EIGHT, &[]).expect("a file");
        assert!(bytes.len() < stored(&values).len());
        let file = TensorFile::open(&bytes).expect("a file");
        assert_eq!(file.view("kernel").expect("kept").dtype(), Dtype::I8);
        let back = file.floats("kernel").expect("values");
        for (i, (found, value)) in back.iter().zip(&values).enumerate() {
            let largest = if i < ROW { 0.01 } else { 1.0 };
            // Half a step, and what the scale's 16 bits add to it.
            assert!(
                (found - value).abs() < 0.51 / Bits::EIGHT.most() * largest,
                "{found} for {value}"
            );
        }
        let kept = file.floats("bias").expect("values");
        assert_eq!(kept, [0.123_456_79, -3.0]);
        assert_eq!(
            metadata(&bytes, "key").expect("a head"),
            Some("value".to_owned())
        );
        let whole = in_bytes(&stored(&values), Bits::EIGHT, &["kern".to_owned()]).expect("a file");
        let whole = TensorFile::open(&whole).expect("a file");
        assert_eq!(whole.floats("kernel").expect("values"), values);
        // The scales are no tensor of their own, and a second time changes nothing.
        let names: Vec<&str> = file.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert_eq!(in_bytes(&bytes, Bits::EIGHT, &[]).expect("a file"), bytes);
    }

    #[test]
    fn a_tensor_that_eight_bits_are_too_coarse_for_stays_as_it_is() {
        let mut values = vec![0.001; 2 * ROW];
        values[7] = 1.0;
        let mut broken = kernel();
        broken[3] = f32::NAN;
        for values in [values, broken] {
            let bytes = in_bytes(&stored(&values), Bits::EIGHT, &[]).expect("a file");
            let file = TensorFile::open(&bytes).expect("a file");
            assert_eq!(file.view("kernel").expect("kept").dtype(), Dtype::F32);
            assert!(!file.has("kernel.scale"));
        }
    }

    #[test]
    fn bytes_without_a_scale_for_each_row_are_refused_by_its_name() {
        let bytes = [1u8; 6];
        let kernel = ("kernel", Dtype::I8, vec![2, 3], &bytes[..]);
        let alone = write([kernel.clone()], None).expect("a file");
        let told = |bytes: &[u8]| {
            let file = TensorFile::open(bytes).expect("a file");
            file.floats("kernel").expect_err("refused").to_string()
        };
        assert!(
            told(&alone).contains("`kernel.scale` is missing"),
            "{}",
            told(&alone)
        );
        let scales = f32_bytes(&[1.0; 3]);
        let three = ("kernel.scale", Dtype::F32, vec![3], &scales[..]);
        let other = write([kernel, three], None).expect("a file");
        assert!(told(&other).contains("[3], not [2]"), "{}", told(&other));
    }
}
