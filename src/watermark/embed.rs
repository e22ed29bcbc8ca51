//! Puts the mark into a picture.

use image::RgbImage;

use super::pattern;
use super::plane::Plane;
use super::{FULL_SIZE, MIN_SIDE, TILE};
use crate::face::planes::bilinear;

/// The mark's standard deviation in that of the picture's fine structure around it.
const STRENGTH: f32 = 0.3;

/// The mark's standard deviation where the picture is flat, in levels: it ends in single steps of one level.
const LEAST: f32 = 0.3;

/// Its largest standard deviation in any place, in levels.
const MOST: f32 = 4.0;

/// Its largest standard deviation over the whole picture, in levels: 42.5 dB of PSNR.
const MOST_OVERALL: f32 = 1.9;

/// How far around a pixel the fine structure is looked at, in pixels.
const AROUND: usize = 4;

/// Marks a picture; one whose shorter side has less than [`MIN_SIDE`] pixels stays as it is.
pub fn embed(image: &mut RgbImage) {
    let (width, height) = image.dimensions();
    if width.min(height) < MIN_SIDE {
        return;
    }
    let mark = mark(&Plane::brightness(image, FULL_SIZE));
    let size = [mark.width, mark.height];
    let scale = [width, height].map(|side| side as f32);
    let scale = [size[0] as f32 / scale[0], size[1] as f32 / scale[1]];
    let is_same = size == [width, height].map(|side| side as usize);
    let rows = image.as_mut().chunks_exact_mut(3 * width as usize);
    for (y, row) in rows.enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let add = if is_same {
                mark.values[y * size[0] + x]
            } else {
                let at = [x, y].map(|at| at as f32 + 0.5);
                bilinear(&mark.values, size, at[0] * scale[0], at[1] * scale[1])
            };
            for value in pixel {
                *value = (f32::from(*value) + add + 0.5) as u8; // rounded; saturates
            }
        }
    }
}

/// What is added to a brightness.
fn mark(brightness: &Plane) -> Plane {
    let around = brightness.fine().deviations(AROUND);
    // The least of the surroundings: a smooth wall beside a sharp edge stays smooth.
    let mut mark = around.least(AROUND).means(AROUND);
    let tile = pattern::tile();
    let width = mark.width;
    let mut squares = 0.0;
    for (y, line) in mark.values.chunks_exact_mut(width).enumerate() {
        let tile = &tile[y % TILE * TILE..][..TILE];
        for part in line.chunks_mut(TILE) {
            for (value, wave) in part.iter_mut().zip(tile) {
                *value = (*value * STRENGTH + LEAST).min(MOST) * wave;
                squares += f64::from(*value * *value);
            }
        }
    }
    let overall = (squares / mark.values.len() as f64).sqrt() as f32;
    let share = (MOST_OVERALL / overall).min(1.0);
    mark.map(|value| value * share)
}
