//! The light of a scene as a face shows it: its skin, and the white of its eyes.

use crate::face::Alignment;
use crate::face::alignment::{EYE_DISTANCE, EYE_LINE};
use crate::picture::Picture;
use crate::tensor::luma;

/// Side of the aligned face that is looked at, in pixels.
const SIZE: usize = 192;

/// Half the width and height of the place in which an eye's white is looked for, in face widths.
const EYE: [f32; 2] = [0.075, 0.035];

/// Share of an eye's place that is taken as its white.
const WHITE_SHARE: f32 = 0.12;

/// What a colour's saturation takes off its brightness when the whitest pixels are chosen.
const COLOUR_COST: f32 = 0.5;

/// A cheek's place below the eyes and beside the middle, and half of its side, in face widths.
const CHEEK: [f32; 3] = [0.19, 0.19, 0.045];

/// Colours of a face's scene, red, green, blue, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tones {
    /// Mean of both cheeks.
    pub skin: [f32; 3],
    /// Mean of the bright, unsaturated pixels in both eyes.
    pub white: [f32; 3],
}

impl Tones {
    /// Those of the face at `alignment`.
    pub fn of(picture: &Picture, alignment: &Alignment) -> Self {
        let face = alignment.crop_planar(picture, SIZE as u32);
        let (mut skin, mut white) = (Vec::new(), Vec::new());
        for side in [-1.0, 1.0] {
            let [beside, below, half] = CHEEK;
            skin.extend(pixels(
                &face,
                [0.5 + side * beside, EYE_LINE + below],
                [half; 2],
            ));
            let eye = pixels(&face, [0.5 + side * EYE_DISTANCE / 2.0, EYE_LINE], EYE);
            white.extend(whitest(eye));
        }
        Self {
            skin: mean(&skin),
            white: mean(&white),
        }
    }

    /// Both colours changed by one function, as the picture around them is.
    pub fn map(self, change: impl Fn([f32; 3]) -> [f32; 3]) -> Self {
        Self {
            skin: change(self.skin),
            white: change(self.white),
        }
    }
}

/// The pixels of a rectangle of the face.
fn pixels(face: &[f32], [x, y]: [f32; 2], [half_width, half_height]: [f32; 2]) -> Vec<[f32; 3]> {
    let range = |centre: f32, half: f32| {
        let place = |at: f32| ((at * SIZE as f32).round() as usize).min(SIZE);
        place(centre - half)..place(centre + half)
    };
    let (rows, columns) = (range(y, half_height), range(x, half_width));
    let colour = |i: usize| [0, 1, 2].map(|c| face[c * SIZE * SIZE + i]);
    rows.flat_map(|row| columns.clone().map(move |column| row * SIZE + column))
        .map(colour)
        .collect()
}

/// The brightest and least saturated of some pixels.
fn whitest(mut pixels: Vec<[f32; 3]>) -> Vec<[f32; 3]> {
    let whiteness = |[r, g, b]: [f32; 3]| {
        let saturation = r.max(g).max(b) - r.min(g).min(b);
        luma([r, g, b]) - COLOUR_COST * saturation
    };
    pixels.sort_by(|a, b| whiteness(*b).total_cmp(&whiteness(*a)));
    let count = (pixels.len() as f32 * WHITE_SHARE).ceil() as usize;
    pixels.truncate(count);
    pixels
}

fn mean(pixels: &[[f32; 3]]) -> [f32; 3] {
    let count = pixels.len().max(1) as f32;
    [0, 1, 2].map(|c| pixels.iter().map(|pixel| pixel[c]).sum::<f32>() / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    #[test]
    fn skin_and_white_are_found_where_the_alignment_puts_them() {
        let (skin, white, iris) = ([200, 150, 120], [230, 225, 220], [60, 40, 30]);
        let picture = RgbImage::from_fn(192, 192, |x, y| {
            let (x, y) = ((x as f32 + 0.5) / 192.0, (y as f32 + 0.5) / 192.0);
            let beside = ((x - 0.5).abs() - EYE_DISTANCE / 2.0).abs();
            let in_eye = beside < 0.05 && (y - EYE_LINE).abs() < 0.02;
            Rgb(if !in_eye {
                skin
            } else if beside < 0.025 {
                iris
            } else {
                white
            })
        });
        let tones = Tones::of(&Picture::from(picture), &Alignment::whole_picture(192, 192));
        let close = |found: [f32; 3], expected: [u8; 3]| {
            let worst = (0..3).map(|c| (found[c] - f32::from(expected[c]) / 255.0).abs());
            worst.fold(0.0, f32::max) < 0.03
        };
        assert!(
            close(tones.skin, skin) && close(tones.white, white),
            "{tones:?}"
        );
    }
}
