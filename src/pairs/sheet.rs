//! A contact sheet: what was drawn, portrait by portrait, the mouth below each face.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, replace, resize};

use super::PairsError;
use super::write::Part;
use crate::picture::Picture;
use crate::sheet::ContactSheet;
use crate::store::write_whole;

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
    let cell = [WIDTH, WIDTH + MOUTH_HEIGHT];
    let mut sheet = ContactSheet::new([PICTURES, shown.len()], cell);
    for (row, part) in shown.iter().enumerate() {
        for (column, picture) in chosen(part).into_iter().enumerate() {
            let mut both = RgbImage::new(cell[0], cell[1]);
            for (file, top, height) in [(FILE, 0, WIDTH), (MOUTH_FILE, WIDTH, MOUTH_HEIGHT)] {
                let part = part_of(&root.join(&picture[file]), height)?;
                replace(&mut both, &part, 0, i64::from(top));
            }
            sheet.place([column, row], &both);
            let name = match picture[EXPRESSION].as_str() {
                "" => "(units)",
                name => name,
            };
            sheet.name([column, row], name);
        }
    }
    write_whole(path, &sheet.encode()?).map_err(PairsError::write(path))
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
fn part_of(path: &Path, height: u32) -> Result<RgbImage, PairsError> {
    let bytes = fs::read(path).map_err(PairsError::read(path))?;
    let picture = Picture::decode(&bytes).map_err(|error| PairsError::Read {
        path: path.to_owned(),
        source: std::io::Error::other(error.to_string()),
    })?;
    let image = picture.as_image();
    let part = crop_imm(image, 0, 0, image.width(), image.width() * height / WIDTH).to_image();
    Ok(resize(&part, WIDTH, height, FilterType::Triangle))
}
