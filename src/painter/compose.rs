//! From the painter's answer to colours: filled . (1 - alpha) + colour . alpha.
//!
//! A colour is the filled picture's with some of the eyes' white, of the skin and of the lips' tone added or
//! taken off. Teeth are then as white as the scene's light allows, and gums and tongue of the person's own
//! blood, in any light; a grey photo stays grey.

use burn::tensor::{Tensor, activation};

use super::crop::MouthCrop;
use super::network::OUTPUTS;
use super::prepare::Prepared;
use crate::face::PaintedMouth;
use crate::network::PainterConfig;

/// Scale of the painter's first three channels to shares of white, skin and the lips' tone.
const TONE_SCALE: f64 = 0.5;

/// The painted crops `[batch, 3, height, width]` of the painter's answer `out` `[batch, OUTPUTS, height,
/// width]` over `filled` `[batch, 3, height, width]` within `reach` `[batch, 1, height, width]`, with the
/// `white` and the `skin` of each scene, `[batch, 3, 1, 1]`, and what the cavity is filled with, `[batch, 3,
/// height, width]`.
pub fn painted(
    out: Tensor<4>,
    filled: Tensor<4>,
    reach: Tensor<4>,
    [white, skin, fill]: [Tensor<4>; 3],
) -> Tensor<4> {
    let share = |channel: usize| out.clone().narrow(1, channel, 1) * TONE_SCALE;
    // [batch, 3, height, width]
    let change = share(0) * white + share(1) * skin + share(2) * fill;
    let alpha = activation::sigmoid(out.narrow(1, OUTPUTS - 1, 1)) * reach; // [batch, 1, height, width]
    filled + change * alpha
}

/// The layer that shows the same over the photo itself, of one answer `[OUTPUTS, height, width]`.
pub fn painted_mouth(
    out: &[f32],
    crop: &MouthCrop,
    prepared: &Prepared,
    config: PainterConfig,
) -> PaintedMouth {
    let (width, height) = (config.crop_width, config.crop_height());
    let plane = width * height;
    let pixel = |i: usize| {
        let inside = prepared.inside[i];
        let alpha = prepared.reach[i] / (1.0 + (-out[(OUTPUTS - 1) * plane + i]).exp());
        let colour = |c: usize| {
            let at = c * plane + i;
            let change = out[i] * crop.tones.white[c]
                + out[plane + i] * crop.tones.skin[c]
                + out[2 * plane + i] * prepared.fill[at];
            let colour = prepared.filled[at] + TONE_SCALE as f32 * change;
            prepared.fill[at] * inside * (1.0 - alpha) + colour * alpha
        };
        [
            colour(0),
            colour(1),
            colour(2),
            1.0 - (1.0 - inside) * (1.0 - alpha),
        ]
    };
    PaintedMouth {
        frame: crop.frame,
        width,
        height,
        pixels: (0..plane).map(pixel).collect(),
        strength: crop.strength,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::face::{MouthFrame, Point};
    use crate::painter::{Tones, prepare};

    const CONFIG: PainterConfig = PainterConfig {
        width: 4,
        crop_width: 64,
    };

    /// A mouth in a photo of one colour, open in the middle.
    fn crop(colour: [f32; 3], white: [f32; 3]) -> MouthCrop {
        let (width, height) = (CONFIG.crop_width, CONFIG.crop_height());
        let is_open = |i: usize| (24..40).contains(&(i % width)) && (20..28).contains(&(i / width));
        let pixels = width * height;
        MouthCrop {
            frame: MouthFrame {
                centre: Point::new(0.5, 0.75),
                width: 0.4,
            },
            picture: colour.into_iter().flat_map(|c| vec![c; pixels]).collect(),
            cavity: (0..pixels)
                .map(|i| f32::from(u8::from(is_open(i))))
                .collect(),
            tones: Tones {
                skin: colour,
                white,
            },
            teeth: None,
            strength: 1.0,
        }
    }

    /// An answer of which every value is another one.
    fn answer() -> Vec<f32> {
        let count = OUTPUTS * CONFIG.crop_width * CONFIG.crop_height();
        (0..count).map(|i| (i as f32 * 0.37).sin()).collect()
    }

    fn painted_planes(crop: &MouthCrop) -> Vec<f32> {
        let (width, height) = (CONFIG.crop_width, CONFIG.crop_height());
        let prepared = prepare(crop, CONFIG);
        let tensor = |values: Vec<f32>, shape: [usize; 3]| {
            let [channels, height, width] = shape;
            let data = TensorData::new(values, [1, channels, height, width]);
            Tensor::<4>::from_data(data, &Device::flex())
        };
        let plane = |values: &[f32]| {
            let channels = values.len() / (width * height);
            tensor(values.to_vec(), [channels, height, width])
        };
        let tone = |colour: [f32; 3]| tensor(colour.to_vec(), [3, 1, 1]);
        let tones = [
            tone(crop.tones.white),
            tone(crop.tones.skin),
            plane(&prepared.fill),
        ];
        let out = painted(
            plane(&answer()),
            plane(&prepared.filled),
            plane(&prepared.reach),
            tones,
        );
        out.into_data().iter::<f32>().collect()
    }

    #[test]
    fn a_grey_photo_stays_grey_whatever_the_painter_says() {
        let planes = painted_planes(&crop([0.5; 3], [0.9; 3]));
        let plane = planes.len() / 3;
        let worst = (0..plane)
            .map(|i| (planes[i] - planes[plane + i]).abs())
            .chain((0..plane).map(|i| (planes[i] - planes[2 * plane + i]).abs()));
        assert!(worst.fold(0.0, f32::max) < 1e-6);
        // It is painted all the same.
        let centre = 24 * CONFIG.crop_width + 32;
        assert!((planes[centre] - planes[0]).abs() > 0.05);
    }

    #[test]
    fn the_layer_over_the_photo_shows_the_painted_crop() {
        let crop = crop([0.7, 0.5, 0.4], [0.9, 0.9, 0.85]);
        let planes = painted_planes(&crop);
        let mouth = painted_mouth(&answer(), &crop, &prepare(&crop, CONFIG), CONFIG);
        let plane = mouth.pixels.len();
        for (i, [r, g, b, alpha]) in mouth.pixels.into_iter().enumerate() {
            for (c, colour) in [r, g, b].into_iter().enumerate() {
                let over = crop.picture[c * plane + i] * (1.0 - alpha) + colour;
                assert!((over - planes[c * plane + i]).abs() < 1e-5);
            }
        }
    }
}
