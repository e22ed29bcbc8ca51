//! Contact sheets: a few faces with every expression, as one SVG, to see synthesis grow.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use image::{ExtendedColorType, ImageEncoder, RgbImage, codecs::png::PngEncoder};

use super::TrainError;
use super::augment::View;
use super::config::Views;
use super::files::write;
use crate::data::{Face, Place};
use crate::network::Network;
use crate::tensor::planar_tensor;

/// Height of the line of names, in pixels.
const HEADING: usize = 18;

/// Draws faces as they are and with each of the network's expressions, a row a face. Nothing when
/// there are no faces, or the network only reads.
///
/// # Errors
/// [`TrainError::Write`], [`TrainError::Plot`].
pub fn draw(
    path: &Path,
    network: &Network,
    faces: &[&Face],
    views: Views,
    size: usize,
    device: &Device,
) -> Result<(), TrainError> {
    let classes = &network.config().classes;
    if faces.is_empty() || !network.config().synthesises() {
        return Ok(());
    }
    let mut sheet = Sheet::new(classes, faces.len(), size);
    for (row, face) in faces.iter().enumerate() {
        let pixels =
            View::judged(views, face.place == Place::Whole).cut(&face.picture, face.place, size); // [3, size, size]
        sheet.place(row, 0, &pixels);
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
            sheet.place(row, column + 1, pixels);
        }
    }
    write(path, sheet.svg()?.as_bytes())
}

/// The target of each class, `[E, E or K]`; none where a class has no preset.
fn each_expression(network: &Network, device: &Device) -> Option<Tensor<2>> {
    let config = network.config();
    let values = config.each_expression()?.concat();
    let shape = [config.classes.len(), config.target_width()];
    Some(Tensor::from_data(TensorData::new(values, shape), device))
}

struct Sheet<'a> {
    classes: &'a [String],
    size: usize,
    picture: RgbImage,
}

impl<'a> Sheet<'a> {
    fn new(classes: &'a [String], rows: usize, size: usize) -> Self {
        let columns = classes.len() + 1;
        Self {
            classes,
            size,
            picture: RgbImage::new((columns * size) as u32, (rows * size) as u32),
        }
    }

    /// Puts planes `[k, size, size]` at a place of the sheet.
    fn place(&mut self, row: usize, column: usize, planes: &[f32]) {
        let plane = self.size * self.size;
        let channels = planes.len() / plane;
        for i in 0..plane {
            let (x, y) = (
                column * self.size + i % self.size,
                row * self.size + i / self.size,
            );
            let value = |channel: usize| {
                let value = planes[channel.min(channels - 1) * plane + i];
                (value * 255.0).round().clamp(0.0, 255.0) as u8
            };
            let pixel = image::Rgb([value(0), value(1), value(2)]);
            self.picture.put_pixel(x as u32, y as u32, pixel);
        }
    }

    /// The faces as a PNG inside, the names above them.
    fn svg(&self) -> Result<String, TrainError> {
        let (width, height) = self.picture.dimensions();
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&self.picture, width, height, ExtendedColorType::Rgb8)
            .map_err(|error| TrainError::Plot(error.to_string()))?;
        let names = std::iter::once("source").chain(self.classes.iter().map(String::as_str));
        let headings: String = names
            .enumerate()
            .map(|(column, name)| {
                let x = column * self.size + 4;
                format!("<text x=\"{x}\" y=\"13\">{}</text>\n", escaped(name))
            })
            .collect();
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n{headings}\
             <image y=\"{HEADING}\" width=\"{width}\" height=\"{height}\" \
             href=\"data:image/png;base64,{}\"/>\n</svg>\n",
            height as usize + HEADING,
            base64(&png)
        ))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            if digit <= chunk.len() {
                let index = bits >> (18 - 6 * digit) & 63;
                text.push(DIGITS[index as usize] as char);
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648, section 10.
        let coded = ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes()));
        assert_eq!(coded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }
}
