//! Contact sheets: pictures in rows and columns with their names, marked as every synthetic face.

use image::imageops::replace;
use image::{Rgb, RgbImage};

use crate::claims::Claims;
use crate::mark::{MarkError, draw_text, encode_marked_png, with_tag_room};
use crate::picture::Picture;

/// Where a name stands on its picture, from the left and the top, in pixels, and its colour.
const MARGIN: u32 = 3;
const ON_PICTURE: Rgb<u8> = Rgb([255, 0, 0]);

/// Height of a caption below a picture, where the name stands in it, and its colour.
const CAPTION: u32 = 24;
const IN_CAPTION: [u32; 2] = [8, 5];
const ON_PAPER: Rgb<u8> = Rgb([20; 3]);

/// Pictures side by side.
pub struct ContactSheet {
    picture: RgbImage,
    cell: [u32; 2],
    /// Room below each picture for its name; 0: it stands on the picture.
    caption: u32,
}

impl ContactSheet {
    /// An empty sheet of so many columns and rows of cells of this width and height, whose names stand
    /// on the pictures.
    pub fn new(counts: [usize; 2], cell: [u32; 2]) -> Self {
        Self::with_room(counts, cell, 0)
    }

    /// The same with the names below the pictures.
    pub fn captioned(counts: [usize; 2], cell: [u32; 2]) -> Self {
        Self::with_room(counts, cell, CAPTION)
    }

    fn with_room([columns, rows]: [usize; 2], cell: [u32; 2], caption: u32) -> Self {
        let length = |count: usize, side: u32| (count as u32 * side).max(1);
        let (width, height) = (length(columns, cell[0]), length(rows, cell[1] + caption));
        Self {
            picture: RgbImage::from_pixel(width, height, Rgb([255; 3])),
            cell,
            caption,
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

    /// Writes a picture's name on it, or below it.
    pub fn name(&mut self, at: [usize; 2], name: &str) {
        let [x, y] = self.corner(at);
        let (x, y, scale, colour) = if self.caption == 0 {
            (x + MARGIN, y + MARGIN, 1, ON_PICTURE)
        } else {
            let [right, down] = IN_CAPTION;
            (x + right, y + self.cell[1] + down, 2, ON_PAPER)
        };
        draw_text(&mut self.picture, x as i32, y as i32, scale, name, colour);
    }

    fn corner(&self, [column, row]: [usize; 2]) -> [u32; 2] {
        let [width, height] = self.cell;
        [column as u32 * width, row as u32 * (height + self.caption)]
    }

    /// The sheet with room for the mark below.
    pub fn picture(&self) -> Picture {
        with_tag_room(&self.picture)
    }

    /// The sheet as a PNG file; the mark stands below it.
    ///
    /// # Errors
    /// [`MarkError`] when it cannot be encoded.
    pub fn encode(&self) -> Result<Vec<u8>, MarkError> {
        encode_marked_png(&self.picture(), &Claims::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::is_marked;

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

    #[test]
    fn a_caption_leaves_its_picture_alone() {
        let mut sheet = ContactSheet::captioned([1, 2], [64, 64]);
        let grey = RgbImage::from_pixel(64, 64, Rgb([128; 3]));
        sheet.place([0, 1], &grey);
        sheet.name([0, 1], "fear");
        let picture = sheet.picture();
        let top = 64 + CAPTION;
        let part = image::imageops::crop_imm(picture.as_image(), 0, top, 64, 64).to_image();
        assert_eq!(part, grey);
        let below = image::imageops::crop_imm(picture.as_image(), 0, top + 64, 64, CAPTION);
        assert!(below.to_image().pixels().any(|pixel| *pixel == ON_PAPER));
    }
}
