//! A run's contact sheets: a few faces with every expression, to see synthesis grow.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};

use super::TrainError;
use crate::data::{Augmentation, Face};
use crate::network::Network;
use crate::sheet::ContactSheet;
use crate::store;
use crate::tensor::planar_tensor;

/// Draws faces as they are and with each of the network's expressions, a row a face, as a marked PNG. Nothing
/// when there are no faces, or the network only reads.
///
/// # Errors
/// [`TrainError::Store`], [`TrainError::Mark`].
pub fn draw(
    path: &Path,
    network: &Network,
    faces: &[&Face],
    augmentation: Augmentation,
    size: usize,
    device: &Device,
) -> Result<(), TrainError> {
    let classes = &network.config().classes;
    if faces.is_empty() || !network.config().synthesises() {
        return Ok(());
    }
    let mut sheet = ContactSheet::new([classes.len() + 1, faces.len()], [size as u32; 2]);
    for (row, face) in faces.iter().enumerate() {
        let pixels = augmentation
            .crop(face)
            .crop_planar(&face.picture, size as u32); // [3, size, size]
        sheet.place_planes([0, row], &pixels);
        let x = planar_tensor(pixels, network.config().channels, size, device);
        let encoded = network.encode(x, false);
        let Some(targets) = each_expression(network, device) else {
            return Ok(());
        };
        let Some(drawn) = network.decode(&encoded, targets) else {
            return Ok(());
        };
        let values: Vec<f32> = drawn.face.into_data().iter::<f32>().collect();
        let each = values.len() / classes.len();
        for (column, pixels) in values.chunks_exact(each).enumerate() {
            sheet.place_planes([column + 1, row], pixels);
        }
    }
    let names = std::iter::once("source").chain(classes.iter().map(String::as_str));
    for (column, name) in names.enumerate() {
        sheet.name([column, 0], name);
    }
    Ok(store::write(path, &sheet.encode()?)?)
}

/// The target of each class, `[E, E or K]`; none where a class has no preset.
fn each_expression(network: &Network, device: &Device) -> Option<Tensor<2>> {
    let config = network.config();
    let values = config.each_expression()?.concat();
    let shape = [config.classes.len(), config.target_width()];
    Some(Tensor::from_data(TensorData::new(values, shape), device))
}
