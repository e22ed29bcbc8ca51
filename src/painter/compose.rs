//! From the painter's answer to colours: filled . (1 - alpha) + colour . alpha.
//!
//! A colour is the filled picture's with some of the eyes' white, of the skin and of the lips' tone added or
//! taken off. Teeth are then as white as the scene's light allows, and gums and tongue of the person's own
//! blood, in any light; a grey photo stays grey. What takes off too much of the lips' red would be cyan: nothing
//! that is painted is greener or bluer than teeth are in this light.

use burn::tensor::{Tensor, activation};

use super::crop::MouthCrop;
use super::network::OUTPUTS;
use super::prepare::Prepared;
use super::tones::Tones;
use crate::face::PaintedMouth;
use crate::network::PainterConfig;
use crate::tensor::LUMA;

/// Scale of the painter's first three channels to shares of white, skin and the lips' tone.
const TONE_SCALE: f64 = 0.5;

/// A tooth's red and blue against its green, as powers of the same of the eyes' white and of the skin: fitted to
/// 188 photographed smiles with sharp teeth in colour by `tools/tooth_hue.py` (London and congress; remainder 0.07 for
/// red, 0.04 for blue).
/// The white alone is too red or too blue, since it is estimated from few pixels. Blue's powers are 1.4 times the
/// fitted ones (0.50, 0.26): a third of the smiles are as yellow. Nothing is added, so a grey photo stays grey.
const RED: [f32; 2] = [0.30, 0.21];
const BLUE: [f32; 2] = [0.70, 0.36];

/// How much less red than such a tooth a colour may be: nine tenths of the smiles are not.
const LESS_RED: f32 = 0.93;

/// The darkest tone that colours are compared with.
const LEAST_TONE: f32 = 0.02;

/// Weights of red and green in the brightness that they keep together.
const BRIGHTNESS: [f32; 2] = [LUMA[0] / (LUMA[0] + LUMA[1]), LUMA[1] / (LUMA[0] + LUMA[1])];

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
    let change = share(0) * white.clone() + share(1) * skin.clone() + share(2) * fill;
    let colour = warm(filled.clone() + change, white, skin);
    let alpha = activation::sigmoid(out.narrow(1, OUTPUTS - 1, 1)) * reach; // [batch, 1, height, width]
    filled.clone() + (colour - filled) * alpha
}

/// Colours `[batch, 3, height, width]`, none greener or bluer than teeth in the light of `white` and `skin`
/// `[batch, 3, 1, 1]`.
fn warm(colour: Tensor<4>, white: Tensor<4>, skin: Tensor<4>) -> Tensor<4> {
    let against_green = |tone: &Tensor<4>, c: usize| {
        let channel = |c: usize| tone.clone().narrow(1, c, 1).clamp_min(LEAST_TONE);
        channel(c) / channel(1)
    };
    let tooth = |c: usize, [of_white, of_skin]: [f32; 2]| {
        against_green(&white, c).powf_scalar(of_white)
            * against_green(&skin, c).powf_scalar(of_skin)
    };
    let (least_red, most_blue) = (tooth(0, RED) * LESS_RED, tooth(2, BLUE));
    let channel = |c: usize| colour.clone().narrow(1, c, 1);
    let (red, green) = (channel(0) / least_red.clone(), channel(1));
    let both = red.clone() * BRIGHTNESS[0] + green.clone() * BRIGHTNESS[1];
    // What is taken below black has no hue.
    let is_light = green.clone().greater_elem(0.0);
    let is_green = red.clone().lower(green.clone()).bool_and(is_light);
    let red = red.mask_where(is_green.clone(), both.clone()) * least_red;
    let green = green.mask_where(is_green, both);
    let blue = channel(2).min_pair(green.clone() * most_blue);
    Tensor::cat(vec![red, green, blue], 1)
}

/// [`warm`] of one colour.
fn warm_colour([red, green, blue]: [f32; 3], tones: &Tones) -> [f32; 3] {
    let against_green =
        |tone: [f32; 3], c: usize| tone[c].max(LEAST_TONE) / tone[1].max(LEAST_TONE);
    let tooth = |c: usize, [of_white, of_skin]: [f32; 2]| {
        against_green(tones.white, c).powf(of_white) * against_green(tones.skin, c).powf(of_skin)
    };
    let (least_red, most_blue) = (tooth(0, RED) * LESS_RED, tooth(2, BLUE));
    let (mut red, mut green) = (red / least_red, green);
    if red < green && green > 0.0 {
        let both = red * BRIGHTNESS[0] + green * BRIGHTNESS[1];
        (red, green) = (both, both);
    }
    [red * least_red, green, blue.min(green * most_blue)]
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
        let colour = [0, 1, 2].map(|c| {
            let at = c * plane + i;
            let change = out[i] * crop.tones.white[c]
                + out[plane + i] * crop.tones.skin[c]
                + out[2 * plane + i] * prepared.fill[at];
            prepared.filled[at] + TONE_SCALE as f32 * change
        });
        let colour = warm_colour(colour, &crop.tones);
        let colour =
            |c: usize| prepared.fill[c * plane + i] * inside * (1.0 - alpha) + colour[c] * alpha;
        let kept = prepared.kept[i] * (1.0 - alpha);
        let below = (1.0 - inside - prepared.kept[i]) * (1.0 - alpha);
        [colour(0), colour(1), colour(2), 1.0 - kept - below, kept]
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
    use crate::painter::prepare;

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
            kept: None,
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
    fn nothing_is_greener_or_bluer_than_teeth_in_the_same_light() {
        let tones = Tones {
            skin: [0.7, 0.5, 0.4],
            white: [0.8, 0.72, 0.7],
        };
        let [red, green, blue] = warm_colour([0.6, 0.75, 0.8], &tones);
        let tooth = (0.8f32 / 0.72).powf(RED[0]) * (0.7f32 / 0.5).powf(RED[1]);
        assert!((red / green - tooth * LESS_RED).abs() < 1e-4);
        assert!(blue < green);
        // Lips, gums, the dark and a tooth stay as they are.
        for colour in [[0.6, 0.3, 0.25], [0.05, 0.03, 0.02], [0.9, 0.82, 0.74]] {
            assert_eq!(
                warm_colour(colour, &tones).map(|c| (c * 1e4).round()),
                colour.map(|c| (c * 1e4).round())
            );
        }
        let grey = Tones {
            skin: [0.5; 3],
            white: [0.7; 3],
        };
        assert_eq!(warm_colour([0.6; 3], &grey), [0.6; 3]);
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
        let mut crop = crop([0.7, 0.5, 0.4], [0.9, 0.9, 0.85]);
        let pixels = CONFIG.crop_width * CONFIG.crop_height();
        crop.kept = Some((0..pixels).map(|i| (i % 5) as f32 * 0.25).collect());
        let planes = painted_planes(&crop);
        let mouth = painted_mouth(&answer(), &crop, &prepare(&crop, CONFIG), CONFIG);
        let plane = mouth.pixels.len();
        for (i, [r, g, b, alpha, kept]) in mouth.pixels.into_iter().enumerate() {
            for (c, colour) in [r, g, b].into_iter().enumerate() {
                assert!(alpha + kept < 1.0 + 1e-5);
                // The photo moved and the photo as it is are one where nothing moves.
                let over = crop.picture[c * plane + i] * (1.0 - alpha) + colour;
                assert!((over - planes[c * plane + i]).abs() < 1e-5);
            }
        }
    }
}
