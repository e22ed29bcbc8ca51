//! A contact sheet: what was drawn, portrait by portrait, the mouth below each face.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use image::imageops::{FilterType, crop_imm, replace, resize};
use image::{Rgb, RgbImage};

use super::PairsError;
use super::encode::with_tag_room;
use super::write::Part;
use crate::mark::{draw_text, encode_marked_png};
use crate::picture::Picture;

/// Portraits on a sheet, and pictures of each.
const PORTRAITS: usize = 12;
const PICTURES: usize = 10;

/// Width of a face and a mouth on the sheet, and height of a mouth.
const WIDTH: u32 = 192;
const MOUTH_HEIGHT: u32 = WIDTH * 3 / 4;

/// Columns of the manifest.
const FILE: usize = 0;
const EXPRESSION: usize = 3;
const MOUTH_FILE: usize = 14;

/// Writes a sheet of a finished folder's first portraits, marked as synthetic.
///
/// # Errors
/// [`PairsError::Read`], [`PairsError::Write`].
pub(super) fn write(root: &Path, parts: &[Part], path: &Path) -> Result<(), PairsError> {
    let shown: Vec<&Part> = parts.iter().filter(|part| !part.rows.is_empty()).collect();
    // Spread over all, so that several collections are seen.
    let step = shown.len().div_ceil(PORTRAITS).max(1);
    let shown: Vec<&Part> = shown.into_iter().step_by(step).collect();
    let height = WIDTH + MOUTH_HEIGHT;
    let mut sheet = RgbImage::from_pixel(
        WIDTH * PICTURES as u32,
        (height * shown.len() as u32).max(1),
        Rgb([255; 3]),
    );
    for (row, part) in shown.iter().enumerate() {
        for (column, picture) in chosen(part).into_iter().enumerate() {
            let (x, y) = (column as u32 * WIDTH, row as u32 * height);
            let mut put = |file: &str, y: u32, height: u32| {
                let cell = cell(&root.join(file), height)?;
                replace(&mut sheet, &cell, i64::from(x), i64::from(y));
                Ok::<(), PairsError>(())
            };
            put(&picture[FILE], y, WIDTH)?;
            put(&picture[MOUTH_FILE], y + WIDTH, MOUTH_HEIGHT)?;
            let name = match picture[EXPRESSION].as_str() {
                "" => "(units)",
                name => name,
            };
            draw_text(
                &mut sheet,
                x as i32 + 3,
                y as i32 + 3,
                1,
                name,
                Rgb([255, 0, 0]),
            );
        }
    }
    let bytes = encode_marked_png(&with_tag_room(&sheet))?;
    fs::write(path, bytes).map_err(PairsError::write(path))
}

/// The photo, then the first picture of each expression, then others.
fn chosen(part: &Part) -> Vec<&Vec<String>> {
    let mut first = BTreeMap::new();
    for (i, row) in part.rows.iter().enumerate().skip(1) {
        if !row[EXPRESSION].is_empty() {
            first.entry(&row[EXPRESSION]).or_insert(i);
        }
    }
    let mut indices: Vec<usize> = first.into_values().collect();
    indices.sort_unstable();
    let free = |i: &usize| part.rows[*i][EXPRESSION].is_empty();
    indices.extend((1..part.rows.len()).filter(free));
    let chosen = [0].into_iter().chain(indices);
    chosen
        .take(PICTURES)
        .filter_map(|i| part.rows.get(i))
        .collect()
}

/// A picture without its strip, at the sheet's size.
fn cell(path: &Path, height: u32) -> Result<RgbImage, PairsError> {
    let bytes = fs::read(path).map_err(PairsError::read(path))?;
    let picture = Picture::decode(&bytes).map_err(|error| PairsError::Read {
        path: path.to_owned(),
        source: std::io::Error::other(error.to_string()),
    })?;
    let image = picture.as_image();
    let part = crop_imm(image, 0, 0, image.width(), image.width() * height / WIDTH).to_image();
    Ok(resize(&part, WIDTH, height, FilterType::Triangle))
}
