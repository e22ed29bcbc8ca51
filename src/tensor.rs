//! Aligned face <-> `[1, k, 96, 96]`: the only place that knows the value range, [0, 1].

use burn::tensor::{Device, Tensor, TensorData, Transaction};

use crate::face::{Alignment, Change, SynthesisedFace};
use crate::network::{FACE_SIZE, Synthesised};
use crate::picture::Picture;

/// Luma weights of ITU-R BT.601, with which FER2013 and most grey face sets were made.
pub(crate) const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// The face at `alignment`, as the network takes it: `[channels, 96, 96]`.
pub fn face_values(picture: &Picture, alignment: &Alignment, channels: usize) -> Vec<f32> {
    let planes = alignment.crop_planar(picture, FACE_SIZE as u32); // [3, 96, 96]
    with_channels(planes, channels, FACE_SIZE)
}

/// RGB planes of one or more faces, `[batch, 3, size, size]`, as `[batch, channels, size, size]`.
pub fn planar_tensor(planes: Vec<f32>, channels: usize, size: usize, device: &Device) -> Tensor<4> {
    let batch = planes.len() / (3 * size * size);
    let values = with_channels(planes, channels, size);
    let data = TensorData::new(values, [batch, channels, size, size]);
    Tensor::from_data(data, device)
}

/// RGB planes for a network of so many channels: a grey one gets the luma.
fn with_channels(planes: Vec<f32>, channels: usize, size: usize) -> Vec<f32> {
    let plane = size * size;
    if channels == 1 {
        planes
            .chunks_exact(3 * plane)
            .flat_map(|face| {
                (0..plane).map(|i| luma([face[i], face[plane + i], face[2 * plane + i]]))
            })
            .collect()
    } else {
        planes
    }
}

/// Brightness of a pixel.
pub fn luma(rgb: [f32; 3]) -> f32 {
    LUMA.iter()
        .zip(rgb)
        .map(|(weight, value)| weight * value)
        .sum()
}

/// Whether all but a few of some colours are grey: a fiftieth may have channels that differ by more than
/// `most`, since a little noise is no colour.
pub fn is_grey(colours: impl ExactSizeIterator<Item = [f32; 3]>, most: f32) -> bool {
    let count = colours.len();
    let differs = |[r, g, b]: &[f32; 3]| r.max(*g).max(*b) - r.min(*g).min(*b) > most;
    colours.filter(differs).count() * 50 < count
}

/// Reads a tensor back from its device.
///
/// # Errors
/// The device's own words when it was lost or ran out of memory.
pub async fn readback<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, String> {
    let data = tensor
        .into_data_async()
        .await
        .map_err(|error| error.to_string())?;
    Ok(data.iter::<f32>().collect())
}

/// Tables of one row, read back together.
///
/// # Errors
/// The device's own words when it was lost or ran out of memory.
pub async fn readback_rows(tables: Vec<Tensor<2>>) -> Result<Vec<Vec<f32>>, String> {
    let wanted = tables
        .into_iter()
        .fold(Transaction::default(), Transaction::register);
    rows_of(wanted).await
}

/// Maps of one face, read back together.
///
/// # Errors
/// The device's own words when it was lost or ran out of memory.
pub async fn readback_maps(maps: Vec<Tensor<4>>) -> Result<Vec<Vec<f32>>, String> {
    let wanted = maps
        .into_iter()
        .fold(Transaction::default(), Transaction::register);
    rows_of(wanted).await
}

async fn rows_of(wanted: Transaction) -> Result<Vec<Vec<f32>>, String> {
    let read = wanted.execute_async().await;
    let read = read.map_err(|error| error.to_string())?;
    Ok(read
        .iter()
        .map(|data| data.iter::<f32>().collect())
        .collect())
}

/// The first `targets` synthesised faces of a batch `[batch, k, size, size]`, ready to be put into a
/// picture.
///
/// # Errors
/// The device's own words when it was lost or ran out of memory.
pub async fn synthesised_faces(
    drawn: Synthesised,
    targets: usize,
) -> Result<Vec<SynthesisedFace>, String> {
    let [_, channels, size, _] = drawn.face.dims();
    // All at once: each wait for a device costs more than its copies.
    let mut wanted = Transaction::default().register(drawn.face);
    let (mut has_flow, mut covers) = (false, false);
    let changes = drawn.change.is_some();
    if let Some(change) = drawn.change {
        wanted = wanted.register(change.delta);
        if let Some(flow) = change.flow {
            wanted = wanted.register(flow);
            has_flow = true;
        }
        if change.covers {
            wanted = wanted.register(change.mask);
            covers = true;
        }
    }
    let read = wanted.execute_async().await;
    let read = read.map_err(|error| error.to_string())?;
    let mut values = read.iter().map(|data| data.iter::<f32>().collect());
    let mut next = |there: bool| -> Option<Vec<f32>> { there.then(|| values.next()).flatten() };
    let faces = next(true).ok_or("no face was read back")?;
    let change = next(changes).map(|delta| (delta, next(has_flow), next(covers)));
    let plane = size * size;
    let planes_of = |values: &[f32], target: usize| -> Vec<f32> {
        let own = &values[target * channels * plane..(target + 1) * channels * plane];
        if channels == 1 {
            own.repeat(3)
        } else {
            own.to_vec()
        }
    };
    Ok((0..targets)
        .map(|target| SynthesisedFace {
            size,
            mouth: None,
            face: planes_of(&faces, target),
            change: change.as_ref().map(|(delta, flow, cover)| Change {
                own_mouth: None,
                delta: planes_of(delta, target),
                flow: flow
                    .as_ref()
                    .map(|flow| flow[target * 2 * plane..(target + 1) * 2 * plane].to_vec()),
                cover: cover
                    .as_ref()
                    .map(|cover| cover[target * plane..(target + 1) * plane].to_vec()),
            }),
        })
        .collect())
}
