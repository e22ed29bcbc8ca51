//! The painter's inputs, made of a mouth's crop: the same for training and for inference.

use super::crop::MouthCrop;
use crate::face::Point;
use crate::face::planes::{blur, signed_distance};
use crate::network::PainterConfig;
use crate::tensor::luma;

/// Channels of the painter's input: the filled picture (3), the cavity map, the distance to its edge, the
/// place in the face (2), skin (3), the eyes' white (3), teeth, whether they are told.
pub const INPUTS: usize = 15;

/// Which of them is the distance to the cavity's edge.
pub const DISTANCE_CHANNEL: usize = 4;

/// Width of the crop in whose pixels the lengths below are given.
const UNIT: f32 = 96.0;

/// The cavity is taken out of the picture so far beyond its edge: what is left of the lips' inner rim
/// would tell of the mouth that was.
const DILATE: f32 = 1.0;

/// The painted layer may reach this much further, over the lips' rim.
const REACH: f32 = 4.0;

/// Softness of both edges.
const SOFT: f32 = 0.5;

/// Blur of the lips' tone that fills the cavity, and how far away lips are.
const TONE_BLUR: f32 = 5.0;
const LIPS: f32 = 12.0;

/// The filled cavity's tone as a part of the lips': what real cavities have on average.
const DARK: f32 = 0.62;

/// Red against green of a mouth's inside as a power of the same of the skin, at least: pale lips are hardly redder than
/// skin, and what is inside of them is. A grey photo has the power of 1.
const FLESH: f32 = 1.9;

/// Green below which a tone is black.
const BLACK: f32 = 1e-3;

/// Distance that is written as 1.
const DISTANCE: f32 = 8.0;

/// The painter's input, and what its answer is laid over.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// `[INPUTS, height, width]`.
    pub inputs: Vec<f32>,
    /// The picture with the cavity filled, `[3, height, width]`.
    pub filled: Vec<f32>,
    /// What it is filled with, `[3, height, width]`.
    pub fill: Vec<f32>,
    /// Where it is filled, `[height, width]`, 0 to 1.
    pub inside: Vec<f32>,
    /// Where the inside is the photo's own and stays, `[height, width]`, 0 to 1.
    pub kept: Vec<f32>,
    /// Where the painter may paint, `[height, width]`, 0 to 1.
    pub reach: Vec<f32>,
    /// Distance to the cavity's edge in pixels of the crop, above 0 inside, `[height, width]`.
    pub distance: Vec<f32>,
}

/// Makes the painter's input of a mouth's crop.
pub fn prepare(crop: &MouthCrop, config: PainterConfig) -> Prepared {
    let size = [config.crop_width, config.crop_height()];
    let pixel = config.crop_width as f32 / UNIT;
    let distance = signed_distance(&crop.cavity, size);
    let edge = |beyond: f32, soft: f32| -> Vec<f32> {
        let value = |d: &f32| sigmoid((d + beyond * pixel) / (soft * pixel));
        distance.iter().map(value).collect()
    };
    let (mut inside, mut reach) = (edge(DILATE, SOFT), edge(DILATE + REACH, SOFT));
    let mut own = vec![0.0; inside.len()];
    for (i, kept) in crop.kept.iter().flatten().enumerate() {
        own[i] = inside[i] * kept;
        inside[i] -= own[i];
        reach[i] *= 1.0 - own[i];
    }
    // Lips near the cavity, and a little of everything so that there is always a tone.
    let beyond = edge(DILATE + 1.0, 0.4);
    let lips = distance.iter().zip(&beyond).map(|(d, beyond)| {
        let is_near = *d > -LIPS * pixel;
        1e-4 + (1.0 - beyond) * f32::from(u8::from(is_near))
    });
    let lips: Vec<f32> = lips.collect();
    let amount = blur(&lips, size, TONE_BLUR * pixel);
    let plane = size[0] * size[1];
    let tones = crop.picture.chunks_exact(plane).flat_map(|colour| {
        let weighted = colour
            .iter()
            .zip(&lips)
            .map(|(value, weight)| value * weight);
        blur(&weighted.collect::<Vec<f32>>(), size, TONE_BLUR * pixel)
    });
    let mut fill: Vec<f32> = tones.collect(); // [3, height, width]
    let red = least_red(crop.tones.skin);
    for i in 0..plane {
        let tone = [0, 1, 2].map(|c| DARK * fill[c * plane + i] / amount[i].max(1e-6));
        let flesh = reddened(tone, red);
        (0..3).for_each(|c| fill[c * plane + i] = flesh[c]);
    }
    let colours = crop.picture.iter().zip(&fill).zip(inside.iter().cycle());
    let filled: Vec<f32> = colours
        .map(|((colour, fill), inside)| colour + inside * (fill - colour))
        .collect();
    let inputs = inputs(crop, config, &filled, &distance);
    Prepared {
        inputs,
        filled,
        fill,
        inside,
        kept: own,
        reach,
        distance,
    }
}

/// How red a mouth's inside is at least, as a part of its green.
fn least_red([red, green, _]: [f32; 3]) -> f32 {
    (red / green.max(0.02)).max(1.0).powf(FLESH)
}

/// A colour of the same brightness that has at least so much red for its green.
fn reddened(colour: [f32; 3], least: f32) -> [f32; 3] {
    let [red, green, blue] = colour;
    // What is black has no hue; a blur leaves a little less than nothing there.
    if green < BLACK || red >= least * green {
        return colour;
    }
    let hue = [least, 1.0, blue / green];
    let brightness = luma(colour) / luma(hue);
    hue.map(|part| part * brightness)
}

/// All channels, each about -1 to 1.
fn inputs(crop: &MouthCrop, config: PainterConfig, filled: &[f32], distance: &[f32]) -> Vec<f32> {
    let (width, height) = (config.crop_width, config.crop_height());
    let pixel = width as f32 / UNIT;
    let mut inputs = Vec::with_capacity(INPUTS * width * height);
    inputs.extend(filled.iter().map(|value| 2.0 * value - 1.0));
    inputs.extend(&crop.cavity);
    inputs.extend(
        distance
            .iter()
            .map(|d| (d / (DISTANCE * pixel)).clamp(-1.0, 2.0)),
    );
    let place = |row: usize, column: usize| {
        let (x, y) = (
            (column as f32 + 0.5) / width as f32,
            (row as f32 + 0.5) / height as f32,
        );
        crop.frame.face_from_frame(Point::new(x, y))
    };
    // The mouth is about a quarter of the face wide and lies three quarters down.
    for row in 0..height {
        inputs.extend((0..width).map(|column| 4.0 * (place(row, column).x - 0.5)));
    }
    for row in 0..height {
        inputs.extend((0..width).map(|column| 4.0 * (place(row, column).y - 0.75)));
    }
    let tones = crop.tones.skin.into_iter().chain(crop.tones.white);
    let teeth = crop
        .teeth
        .map_or([0.0, 0.0], |teeth| [2.0 * teeth - 1.0, 1.0]);
    for value in tones.map(|tone| 2.0 * tone - 1.0).chain(teeth) {
        inputs.extend(std::iter::repeat_n(value, width * height));
    }
    inputs
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::MouthFrame;
    use crate::painter::Tones;

    const CONFIG: PainterConfig = PainterConfig {
        width: 4,
        crop_width: 96,
    };

    fn crop(inside: f32, teeth: Option<f32>) -> MouthCrop {
        let (width, height) = (96, 72);
        let is_open = |i: usize| {
            let (x, y) = ((i % width) as f32 - 47.5, (i / width) as f32 - 35.5);
            (x / 30.0).hypot(y / 10.0) < 1.0
        };
        let pixels = width * height;
        let colour = |c: usize, i: usize| {
            if is_open(i) {
                inside
            } else {
                0.8 - 0.2 * c as f32
            }
        };
        MouthCrop {
            frame: MouthFrame {
                centre: Point::new(0.5, 0.75),
                width: 0.4,
            },
            picture: (0..3)
                .flat_map(|c| (0..pixels).map(move |i| colour(c, i)))
                .collect(),
            cavity: (0..pixels)
                .map(|i| f32::from(u8::from(is_open(i))))
                .collect(),
            kept: None,
            tones: Tones {
                skin: [0.6, 0.55, 0.5],
                white: [0.9; 3],
            },
            teeth,
            strength: 1.0,
        }
    }

    /// Of black against white inside, on inputs from -1 to 1: the mean over the lips gives every pixel some
    /// weight, so that it is defined where there are none.
    const LEAK: f32 = 0.02;

    #[test]
    fn what_was_in_the_cavity_does_not_show_in_the_inputs() {
        let (dark, bright) = (
            prepare(&crop(0.0, None), CONFIG),
            prepare(&crop(1.0, None), CONFIG),
        );
        let pairs = dark.inputs.iter().zip(&bright.inputs);
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 0.25, "{worst}"); // the rim alone, softly
        let centre = 36 * 96 + 48;
        let leak = (dark.inputs[centre] - bright.inputs[centre]).abs();
        assert!(leak < LEAK, "{leak}");
        let tone = [0.8, 0.6, 0.4].map(|lip| lip * DARK);
        for (c, tone) in tone.into_iter().enumerate() {
            assert!((dark.filled[c * 96 * 72 + centre] - tone).abs() < 0.02);
        }
    }

    #[test]
    fn pale_lips_are_filled_redder_than_the_skin_and_grey_ones_grey() {
        let skin = [0.8, 0.64, 0.5];
        let pale = [0.5, 0.45, 0.4];
        let flesh = reddened(pale, least_red(skin));
        assert!(flesh[0] / flesh[1] > 1.5 && flesh[2] < flesh[0]);
        assert!((luma(flesh) - luma(pale)).abs() < 1e-5);
        let red = [0.6, 0.3, 0.3];
        assert_eq!(reddened(red, least_red(skin)), red);
        assert_eq!(reddened([0.4; 3], least_red([0.7; 3])), [0.4; 3]);
        let black = [-1e-9, 0.0, 1e-9];
        assert_eq!(reddened(black, least_red(skin)), black);
    }

    #[test]
    fn every_channel_is_a_small_number() {
        let prepared = prepare(&crop(0.1, Some(0.3)), CONFIG);
        assert_eq!(prepared.inputs.len(), INPUTS * 96 * 72);
        assert!(
            prepared
                .inputs
                .iter()
                .all(|value| value.is_finite() && value.abs() <= 2.0)
        );
        let last = |channel: usize| prepared.inputs[channel * 96 * 72];
        assert_eq!((last(13), last(14)), (2.0 * 0.3 - 1.0, 1.0));
    }

    #[test]
    fn what_is_kept_is_neither_filled_nor_painted() {
        let mut crop = crop(0.9, None);
        let kept = (0..96 * 72).map(|i| f32::from(u8::from(i % 96 < 48)));
        crop.kept = Some(kept.collect());
        let prepared = prepare(&crop, CONFIG);
        let [own, open] = [40, 56].map(|column| 36 * 96 + column);
        assert!((prepared.filled[own] - 0.9).abs() < 1e-3 && prepared.filled[open] < 0.6);
        assert!(prepared.reach[own] < 1e-3 && prepared.reach[open] > 0.99);
        assert!(prepared.kept[own] > 0.99 && prepared.kept[open] == 0.0);
        let outside = 4 * 96 + 40;
        assert!(prepared.kept[outside] < 1e-3);
    }

    #[test]
    fn the_layer_reaches_beyond_the_cavity_and_no_further() {
        let prepared = prepare(&crop(0.1, None), CONFIG);
        let at = |x: usize, y: usize| (prepared.inside[y * 96 + x], prepared.reach[y * 96 + x]);
        assert!(at(48, 36).0 > 0.99 && at(48, 36).1 > 0.99);
        let above = at(48, 36 - 13); // three pixels above the edge
        assert!(above.0 < 0.1 && above.1 > 0.9, "{above:?}");
        assert!(at(48, 36 - 18).1 < 0.01 && at(2, 2).1 < 0.01);
    }
}
