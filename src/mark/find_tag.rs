//! Looks for the visible tag in the lower left corner of a picture, at any size of its letters.

use image::RgbImage;

use super::tag::{ADVANCE, CAPITAL_HEIGHT, TAG, glyph, text_width};

/// From this correlation on the tag is taken as found.
const THRESHOLD: f32 = 0.3;

/// The room around the words, in the size of a letter's dot.
const MARGIN: f32 = 2.0;

/// From one size of letters that is tried to the next, as a part of it: the words end within half a dot.
const STEP: f32 = 0.004;

/// How much a picture's lower left corner looks like the tag.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct FoundTag {
    /// The correlation of the brightness with the words, at most 1.
    pub score: f32,
    /// From where on it counts as found.
    pub threshold: f32,
    /// Whether the tag is there.
    pub found: bool,
}

/// Looks for the tag as [`draw_tag`](super::draw_tag) draws it, in a picture that may have been made smaller or
/// larger, or cropped at its top and its right. Pictures that were too narrow for all its words have no tag that
/// is found.
pub fn find_tag(image: &RgbImage) -> FoundTag {
    let dots = dots();
    let (width, height) = (image.width() as f32, image.height() as f32);
    let across = text_width(TAG, 1) as f32;
    let [band_width, band_height] = [across, CAPITAL_HEIGHT as f32].map(|side| side + 2.0 * MARGIN);
    // A third of the width or a quarter of the height, in whole pixels once, so that half of it may be lost; it
    // is more only where the letters had to be at least one pixel.
    let least = (width / across / 3.0).min(height / band_height / 4.0) / 2.0;
    let most = (width / band_width).min(height / band_height);
    let mut score = 0.0f32;
    let mut size = least.max(0.3);
    while size <= most {
        let top = height - band_height * size;
        score = score.max(correlation(image, &dots, top, size));
        size *= 1.0 + STEP;
    }
    FoundTag {
        score,
        threshold: THRESHOLD,
        found: score >= THRESHOLD,
    }
}

/// A dot of the band: where its middle lies in dots, and whether a letter covers it.
struct Dot {
    x: f32,
    y: f32,
    is_letter: bool,
}

/// The band's dots, row by row.
fn dots() -> Vec<Dot> {
    let columns = text_width(TAG, 1) + 2 * MARGIN as u32;
    let rows = CAPITAL_HEIGHT + 2 * MARGIN as u32;
    let letters: Vec<_> = TAG.chars().map(glyph).collect();
    let is_letter = |x: u32, y: u32| {
        let (x, y) = (x.checked_sub(MARGIN as u32)?, y.checked_sub(MARGIN as u32)?);
        let row = letters
            .get((x / ADVANCE) as usize)?
            .as_ref()?
            .get(y as usize)?;
        let column = 4u32.checked_sub(x % ADVANCE)?;
        Some(row >> column & 1 == 1)
    };
    let places = (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y)));
    let dot = |(x, y)| Dot {
        x: x as f32 + 0.5,
        y: y as f32 + 0.5,
        is_letter: is_letter(x, y).unwrap_or(false),
    };
    places.map(dot).collect()
}

/// The correlation of the brightness at the dots with the letters, for a band on the left with this top.
fn correlation(image: &RgbImage, dots: &[Dot], top: f32, size: f32) -> f32 {
    let (mut sum, mut squares, mut on, mut count) = (0.0f32, 0.0f32, 0.0f32, 0.0f32);
    for dot in dots {
        let value = brightness(image, dot.x * size, top + dot.y * size);
        sum += value;
        squares += value * value;
        if dot.is_letter {
            on += value;
            count += 1.0;
        }
    }
    let all = dots.len() as f32;
    let variance = squares / all - (sum / all) * (sum / all);
    let part = count / all;
    let covariance = on / all - part * (sum / all);
    // Less than a level of difference is no letter.
    covariance / (variance.max(1.0) * part * (1.0 - part)).sqrt()
}

/// Green at a place, bilinear, the border repeated.
fn brightness(image: &RgbImage, x: f32, y: f32) -> f32 {
    let last = [image.width() - 1, image.height() - 1];
    let x = (x - 0.5).clamp(0.0, last[0] as f32);
    let y = (y - 0.5).clamp(0.0, last[1] as f32);
    let (left, top) = (x as u32, y as u32);
    let at = |x: u32, y: u32| f32::from(image.get_pixel(x.min(last[0]), y.min(last[1])).0[1]);
    let (across, down) = (x - left as f32, y - top as f32);
    let line = |y: u32| at(left, y) + (at(left + 1, y) - at(left, y)) * across;
    line(top) + (line(top + 1) - line(top)) * down
}
