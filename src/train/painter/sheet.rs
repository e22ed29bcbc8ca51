//! Contact sheets of held-out mouths: filled, painted freely, painted as told, real.

use std::path::Path;

use image::{ExtendedColorType, ImageEncoder, RgbImage, codecs::png::PngEncoder};

use super::figures::Painted;
use crate::network::PainterConfig;
use crate::train::TrainError;
use crate::train::files::write;

/// Mouths side by side; each takes four crops.
const COLUMNS: usize = 2;

/// Draws mouths as a PNG: what the painter was given, what it painted, told of teeth or not, and the real
/// mouth.
///
/// # Errors
/// [`TrainError::Write`], [`TrainError::Plot`].
pub fn draw(path: &Path, mouths: &[Painted], config: PainterConfig) -> Result<(), TrainError> {
    if mouths.is_empty() {
        return Ok(());
    }
    let (width, height) = (config.crop_width, config.crop_height());
    let rows = mouths.len().div_ceil(COLUMNS);
    let mut sheet = RgbImage::new((4 * COLUMNS * width) as u32, (rows * height) as u32);
    for (index, Painted { item, free, told }) in mouths.iter().enumerate() {
        let (left, top) = (index % COLUMNS * 4 * width, index / COLUMNS * height);
        let crops = [&item.prepared.filled, free, told, &item.target];
        for (column, planes) in crops.into_iter().enumerate() {
            for i in 0..width * height {
                let value = |c: usize| {
                    let value = planes[c * width * height + i] * 255.0;
                    value.round().clamp(0.0, 255.0) as u8
                };
                let (x, y) = (left + column * width + i % width, top + i / width);
                let pixel = image::Rgb([value(0), value(1), value(2)]);
                sheet.put_pixel(x as u32, y as u32, pixel);
            }
        }
    }
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(
            &sheet,
            sheet.width(),
            sheet.height(),
            ExtendedColorType::Rgb8,
        )
        .map_err(|error| TrainError::Plot(error.to_string()))?;
    write(path, &png)
}
