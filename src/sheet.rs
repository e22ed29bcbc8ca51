//! Contact sheets: pictures in rows and columns with their names, marked as every synthetic face.

use image::imageops::replace;
use image::{Rgb, RgbImage};

use crate::mark::{MarkError, draw_text, encode_marked_png, with_tag_room};

/// Where a name stands in its cell, from the left and the top, in pixels.
const MARGIN: u32 = 3;

/// Pictures side by side.
pub(crate) struct ContactSheet {
    picture: RgbImage,
    cell: [u32; 2],
}

impl ContactSheet {
    /// An empty sheet of so many columns and rows of cells of this width and height.
    pub fn new([columns, rows]: [usize; 2], cell: [u32; 2]) -> Self {
        let length = |count: usize, side: u32| (count as u32 * side).max(1);
        Self {
            picture: RgbImage::from_pixel(
                length(columns, cell[0]),
                length(rows, cell[1]),
                Rgb([255; 3]),
            ),
            cell,
        }
    }

    /// Puts a picture, which is no larger than a cell, into a column and a row.
    pub fn place(&mut self, at: [usize; 2], picture: &RgbImage) {
        let [x, y] = self.corner(at);
        replace(&mut self.picture, picture, i64::from(x), i64::from(y));
    }

    /// The same with planes `[k, height, width]` of a cell's size, 0 to 1: red, green, blue or grey.
    pub fn place_planes(&mut self, at: [usize; 2], planes: &[f32]) {
        let [width, height] = self.cell;
        let plane = (width * height) as usize;
        let last = (planes.len() / plane.max(1)).saturating_sub(1);
        let picture = RgbImage::from_fn(width, height, |x, y| {
            let i = (y * width + x) as usize;
            let value = |channel: usize| planes.get(channel.min(last) * plane + i).copied();
            Rgb([0, 1, 2].map(|channel| {
                let value = value(channel).unwrap_or_default();
                (value * 255.0).round().clamp(0.0, 255.0) as u8
            }))
        });
        self.place(at, &picture);
    }

    /// Writes a name over a cell.
    pub fn name(&mut self, at: [usize; 2], name: &str) {
        let [x, y] = self.corner(at).map(|at| (at + MARGIN) as i32);
        draw_text(&mut self.picture, x, y, 1, name, Rgb([255, 0, 0]));
    }

    fn corner(&self, at: [usize; 2]) -> [u32; 2] {
        [0, 1].map(|axis| at[axis] as u32 * self.cell[axis])
    }

    /// The sheet as a PNG file; the mark stands below it.
    ///
    /// # Errors
    /// [`MarkError`] when it cannot be encoded.
    pub fn encode(&self) -> Result<Vec<u8>, MarkError> {
        encode_marked_png(&with_tag_room(&self.picture))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::is_marked;
    use crate::picture::Picture;

    #[test]
    fn a_sheet_carries_the_mark_below_its_pictures() {
        let mut sheet = ContactSheet::new([12, 2], [32, 32]);
        sheet.place_planes([11, 1], &vec![0.5; 3 * 32 * 32]);
        sheet.place_planes([0, 1], &vec![0.25; 32 * 32]);
        let bytes = sheet.encode().expect("a sheet");
        assert!(is_marked(&bytes));
        let picture = Picture::decode(&bytes).expect("a picture");
        assert_eq!(picture.width(), 12 * 32);
        assert!(picture.height() > 64);
        let at = |x, y| picture.as_image().get_pixel(x, y).0;
        assert_eq!(at(11 * 32 + 5, 63), [128; 3]);
        assert_eq!(at(5, 63), [64; 3]);
        assert_eq!(at(40, 5), [255; 3]);
        // The band is dark.
        assert!(at(1, picture.height() - 1)[0] < 64);
    }
}
