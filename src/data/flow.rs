//! Known flows: where each pixel of a picture was found in another picture of the same photograph.
//!
//! Stored as a 16-bit RGB PNG, as wide as its face's picture or smaller by one scale: red and green are the way
//! right and down, 32768 for none and 65536 for the picture's whole width; blue has the bit 256 where the way is
//! known. What lies below the map, as the strip with a mark does, is not known.

use std::sync::Arc;

use image::DynamicImage;

use crate::face::Point;

/// Largest side of a stored map, in pixels.
const MOST_PIXELS: u32 = 4096;

/// The stored value of no movement.
const STILL: f32 = 32768.0;

/// Steps of a stored value for the picture's whole width.
const STEPS: f32 = 65536.0;

/// Set in blue where the way is known.
pub const KNOWN: u16 = 256;

/// A way in widths of the picture as it is stored.
pub fn stored(way: f32) -> u16 {
    (way * STEPS + STILL)
        .round()
        .clamp(0.0, f32::from(u16::MAX)) as u16
}

/// The way of a stored value, in widths of the picture.
pub fn way(stored: u16) -> f32 {
    (f32::from(stored) - STILL) / STEPS
}

/// Where a drawn face and the picture that it was drawn from have their pixels from.
#[derive(Debug, Clone)]
pub struct Flow {
    /// The picture that it was drawn from, by the name of its file.
    pub of: String,
    /// Where each pixel of the drawn face is found in that picture.
    pub there: Arc<FlowMap>,
    /// Where each pixel of that picture is found in the drawn face.
    pub back: Option<Arc<FlowMap>>,
}

/// A flow over a picture, at its own resolution.
#[derive(Debug, Clone)]
pub struct FlowMap {
    width: usize,
    height: usize,
    /// Right and down in widths of the picture; none where it is not known.
    places: Vec<Option<[f32; 2]>>,
}

impl FlowMap {
    /// Decodes a stored map.
    ///
    /// # Errors
    ///
    /// In words, what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let bytes = std::io::Cursor::new(bytes);
        let mut reader = image::ImageReader::with_format(bytes, image::ImageFormat::Png);
        let mut limits = image::Limits::default();
        limits.max_image_width = Some(MOST_PIXELS);
        limits.max_image_height = Some(MOST_PIXELS);
        reader.limits(limits);
        let decoded = reader.decode().map_err(|error| error.to_string())?;
        let DynamicImage::ImageRgb16(map) = decoded else {
            return Err("not a 16-bit RGB PNG".to_owned());
        };
        let place = |pixel: &image::Rgb<u16>| {
            let [right, down, known] = pixel.0;
            (known & KNOWN != 0).then(|| [way(right), way(down)])
        };
        Ok(Self {
            width: map.width() as usize,
            height: map.height() as usize,
            places: map.pixels().map(place).collect(),
        })
    }

    /// The way at a place of a picture of this width, both in its pixels; none outside and beside what is not
    /// known.
    pub fn at(&self, place: Point, width: u32) -> Option<Point> {
        let scale = self.width as f32 / width as f32;
        let (x, y) = (place.x * scale - 0.5, place.y * scale - 0.5);
        let (column, row) = (x.floor(), y.floor());
        if column < 0.0 || row < 0.0 {
            return None;
        }
        let (dx, dy) = (x - column, y - row);
        let (column, row) = (column as usize, row as usize);
        if column + 1 >= self.width || row + 1 >= self.height {
            return None;
        }
        let corner =
            |right: usize, down: usize| self.places[(row + down) * self.width + column + right];
        let corners = [corner(0, 0)?, corner(1, 0)?, corner(0, 1)?, corner(1, 1)?];
        let shares = [
            (1.0 - dx) * (1.0 - dy),
            dx * (1.0 - dy),
            (1.0 - dx) * dy,
            dx * dy,
        ];
        let sum = |axis: usize| -> f32 {
            let parts = corners.iter().zip(shares);
            parts.map(|(corner, share)| corner[axis] * share).sum()
        };
        Some(Point::new(sum(0) * width as f32, sum(1) * width as f32))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The bytes of a map of this size.
    pub fn file([width, height]: [u32; 2], pixel: impl Fn(u32, u32) -> [u16; 3]) -> Vec<u8> {
        let map = image::ImageBuffer::from_fn(width, height, |x, y| image::Rgb(pixel(x, y)));
        let mut bytes = Vec::new();
        DynamicImage::ImageRgb16(map)
            .write_to(
                &mut std::io::Cursor::new(&mut bytes),
                image::ImageFormat::Png,
            )
            .expect("a PNG");
        bytes
    }

    #[test]
    fn a_stored_way_is_a_part_of_the_pictures_width() {
        // An eighth of the width right, a sixteenth up; the last column is not known.
        let known = |x| if x < 3 { u16::MAX } else { 0 };
        let map = FlowMap::decode(&file([4, 2], |x, _| [32768 + 8192, 32768 - 4096, known(x)]));
        let map = map.expect("a map");
        let way = map.at(Point::new(5.0, 4.0), 16).expect("known");
        assert_eq!((way.x, way.y), (2.0, -1.0));
        assert!(map.at(Point::new(13.0, 4.0), 16).is_none());
        assert!(map.at(Point::new(-1.0, 4.0), 16).is_none());
        assert!(map.at(Point::new(5.0, 12.0), 16).is_none(), "below the map");
        assert_eq!(
            [stored(0.0), stored(0.125), stored(9.0)],
            [32768, 40960, u16::MAX]
        );
    }

    #[test]
    fn other_pictures_are_no_flow() {
        let mut bytes = Vec::new();
        DynamicImage::new_rgb8(4, 4)
            .write_to(
                &mut std::io::Cursor::new(&mut bytes),
                image::ImageFormat::Png,
            )
            .expect("a PNG");
        assert!(FlowMap::decode(&bytes).is_err_and(|what| what.contains("16-bit")));
        assert!(FlowMap::decode(b"no picture").is_err());
    }
}
