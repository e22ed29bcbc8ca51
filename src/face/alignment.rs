//! The eyes in a picture -> the turned, scaled square of the face, and its pixels.

use std::ops::Range;

use image::{GrayImage, RgbImage};

use super::Point;
use crate::picture::Picture;

/// Distance between the eyes in an aligned face, as a part of its width.
pub const EYE_DISTANCE: f32 = 0.33;

/// Height of the eyes in an aligned face, from its upper edge, as a part of its width.
pub const EYE_LINE: f32 = 0.37;

/// From this many picture pixels a sample on, the picture is shrunk by a whole number first.
const SHRINK_FIRST: f32 = 4.0;

/// Where the aligned face's square lies in the picture: a rotation, one scale and a shift.
///
/// Face coordinates run from 0 to 1 over the square; picture coordinates are pixels (the first
/// pixel covers 0..1, its centre is 0.5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alignment {
    /// The step in the picture, in pixels, for one whole step to the right in the face.
    across: Point,
    /// The place of the square's upper left corner in the picture.
    origin: Point,
}

impl Alignment {
    /// The square in which the eyes lie where the network expects them. Left is the subject's left.
    pub fn from_eyes(left_eye: Point, right_eye: Point) -> Self {
        let across = Point::new(
            (left_eye.x - right_eye.x) / EYE_DISTANCE,
            (left_eye.y - right_eye.y) / EYE_DISTANCE,
        );
        let (u, v) = (0.5 - EYE_DISTANCE / 2.0, EYE_LINE);
        let origin = Point::new(
            right_eye.x - across.x * u + across.y * v,
            right_eye.y - across.y * u - across.x * v,
        );
        Self { across, origin }
    }

    /// The whole picture as the face: the centred square over its longer side (the edge's pixels
    /// are repeated over the shorter one), so that a square picture maps pixel by pixel.
    pub fn whole_picture(width: u32, height: u32) -> Self {
        let (width, height) = (width as f32, height as f32);
        let side = width.max(height);
        let origin = Point::new((width - side) / 2.0, (height - side) / 2.0);
        Self::upright(origin, side)
    }

    /// The upright square with the given upper left corner and side, in picture pixels.
    pub fn upright(origin: Point, side: f32) -> Self {
        Self {
            across: Point::new(side, 0.0),
            origin,
        }
    }

    /// Face coordinates -> picture coordinates.
    pub fn picture_from_face(&self, face: Point) -> Point {
        Point::new(
            self.origin.x + self.across.x * face.x - self.across.y * face.y,
            self.origin.y + self.across.y * face.x + self.across.x * face.y,
        )
    }

    /// Picture coordinates -> face coordinates.
    pub fn face_from_picture(&self, picture: Point) -> Point {
        let (x, y) = (picture.x - self.origin.x, picture.y - self.origin.y);
        let square = self.across.x * self.across.x + self.across.y * self.across.y;
        Point::new(
            (self.across.x * x + self.across.y * y) / square,
            (self.across.x * y - self.across.y * x) / square,
        )
    }

    /// Side of the face's square in picture pixels.
    pub fn side(&self) -> f32 {
        self.across.x.hypot(self.across.y)
    }

    /// The angle of the face's horizontal in the picture, in radians, clockwise.
    pub fn angle(&self) -> f32 {
        self.across.y.atan2(self.across.x)
    }

    /// The square's corners in the picture: upper left, upper right, lower right, lower left.
    pub fn corners(&self) -> [Point; 4] {
        [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
            .map(|(x, y)| self.picture_from_face(Point::new(x, y)))
    }

    /// The square moved by `shift` face widths, turned by `turn` radians about its centre, and
    /// enlarged by `zoom` (above 1 it shows more of the picture): the trainer's jitter.
    pub fn moved(&self, shift: Point, zoom: f32, turn: f32) -> Self {
        let centre = self.picture_from_face(Point::new(0.5 + shift.x, 0.5 + shift.y));
        let (sin, cos) = (turn.sin() * zoom, turn.cos() * zoom);
        let across = Point::new(
            self.across.x * cos - self.across.y * sin,
            self.across.x * sin + self.across.y * cos,
        );
        let origin = Point::new(
            centre.x - (across.x - across.y) / 2.0,
            centre.y - (across.y + across.x) / 2.0,
        );
        Self { across, origin }
    }

    /// The face's pixels, `size` x `size`: averaged when shrinking, bilinear when enlarging, the
    /// edge's pixels repeated outside of the picture. The training pictures are cut by this too.
    pub fn crop(&self, picture: &Picture, size: u32) -> RgbImage {
        let planar = self.crop_planar(picture, size);
        let plane = size as usize * size as usize;
        let mut face = RgbImage::new(size, size);
        for (i, pixel) in face.pixels_mut().enumerate() {
            pixel.0 =
                [0, 1, 2].map(|c| (planar[c * plane + i] * 255.0).round().clamp(0.0, 255.0) as u8);
        }
        face
    }

    /// As [`Alignment::crop`], without rounding to 8 bits: red, green, blue planes in 0..1.
    pub fn crop_planar(&self, picture: &Picture, size: u32) -> Vec<f32> {
        self.cut(picture, size as usize, size as usize)
    }

    /// A map of the picture's size over the face, `[size, size]`, 255 as 1; sampled as the picture is.
    pub fn crop_map(&self, map: &GrayImage, size: usize) -> Vec<f32> {
        let mut planes = vec![0.0; 3 * size * size];
        if !map.is_empty() {
            self.sample(map, [size; 2], [0..size, 0..size], &mut planes);
        }
        planes.truncate(size * size);
        planes
    }

    /// As [`Alignment::crop_planar`] over a rectangle whose width is the face's: `[3, height,
    /// width]`.
    pub(super) fn cut(&self, picture: &Picture, width: usize, height: usize) -> Vec<f32> {
        self.cut_part(picture, [width, height], [0..width, 0..height])
    }

    /// As [`Alignment::cut`], of some columns and rows alone; the others are 0.
    pub(super) fn cut_part(
        &self,
        picture: &Picture,
        [width, height]: [usize; 2],
        part: [Range<usize>; 2],
    ) -> Vec<f32> {
        let mut planes = vec![0.0; 3 * width * height]; // [3, height, width]
        if planes.is_empty() || picture.as_image().is_empty() {
            return planes;
        }
        let step = self.side() / width as f32;
        if step >= SHRINK_FIRST && step.is_finite() {
            let aspect = height as f32 / width as f32;
            let (shrunk, moved) = self.shrunk(picture, aspect, (step / 2.0) as usize);
            moved.sample(&shrunk, [width, height], part, &mut planes);
        } else {
            self.sample(picture.as_image(), [width, height], part, &mut planes);
        }
        planes
    }

    /// The part of the picture under the rectangle, `factor` times smaller, and the alignment in
    /// it.
    fn shrunk(&self, picture: &Picture, aspect: f32, factor: usize) -> (Shrunk, Self) {
        let corners = [(0.0, 0.0), (1.0, 0.0), (1.0, aspect), (0.0, aspect)]
            .map(|(x, y)| self.picture_from_face(Point::new(x, y)));
        let margin = 2.0 * factor as f32;
        let range = |of: fn(&Point) -> f32, length: u32| {
            let low = corners.iter().map(of).fold(f32::INFINITY, f32::min) - margin;
            let high = corners.iter().map(of).fold(f32::NEG_INFINITY, f32::max) + margin;
            // At least one pixel, also where the square lies outside of the picture.
            let length = i64::from(length);
            let low = (low.floor() as i64).clamp(0, length - 1);
            let high = (high.ceil() as i64).clamp(low + 1, length);
            low as usize..high as usize
        };
        let columns = range(|p| p.x, picture.width());
        let rows = range(|p| p.y, picture.height());
        let scale = 1.0 / factor as f32;
        let moved = Self {
            across: Point::new(self.across.x * scale, self.across.y * scale),
            origin: Point::new(
                (self.origin.x - columns.start as f32) * scale,
                (self.origin.y - rows.start as f32) * scale,
            ),
        };
        (Shrunk::new(picture, columns, rows, factor), moved)
    }

    /// Averages `n` x `n` bilinear samples for each of the rectangle's pixels.
    fn sample(
        &self,
        source: &impl Pixels,
        [width, height]: [usize; 2],
        [columns, rows]: [Range<usize>; 2],
        planes: &mut [f32],
    ) {
        let step = self.side() / width as f32;
        // The tolerance keeps a picture that maps pixel by pixel exact.
        let n = (step - 1e-3).ceil().clamp(1.0, 2.0 * SHRINK_FIRST) as usize;
        let weight = 1.0 / (255.0 * (n * n) as f32);
        let fine = 1.0 / (width * n) as f32;
        let plane = width * height;
        for row in rows {
            for column in columns.clone() {
                let mut sum = [0.0f32; 3];
                for j in 0..n {
                    for i in 0..n {
                        let face = Point::new(
                            ((column * n + i) as f32 + 0.5) * fine,
                            ((row * n + j) as f32 + 0.5) * fine,
                        );
                        let colour = bilinear(source, self.picture_from_face(face));
                        for c in 0..3 {
                            sum[c] += colour[c];
                        }
                    }
                }
                for c in 0..3 {
                    planes[c * plane + row * width + column] = sum[c] * weight;
                }
            }
        }
    }
}

/// Something to sample from, 0..255.
trait Pixels {
    fn size(&self) -> (usize, usize);
    fn pixel(&self, x: usize, y: usize) -> [f32; 3];
}

impl Pixels for RgbImage {
    fn size(&self) -> (usize, usize) {
        (self.width() as usize, self.height() as usize)
    }

    fn pixel(&self, x: usize, y: usize) -> [f32; 3] {
        self.get_pixel(x as u32, y as u32).0.map(f32::from)
    }
}

impl Pixels for GrayImage {
    fn size(&self) -> (usize, usize) {
        (self.width() as usize, self.height() as usize)
    }

    fn pixel(&self, x: usize, y: usize) -> [f32; 3] {
        [f32::from(self.get_pixel(x as u32, y as u32).0[0]); 3]
    }
}

/// A part of a picture, made smaller by a whole number.
struct Shrunk {
    pixels: Vec<[f32; 3]>,
    width: usize,
    height: usize,
}

impl Pixels for Shrunk {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn pixel(&self, x: usize, y: usize) -> [f32; 3] {
        self.pixels[y * self.width + x]
    }
}

impl Shrunk {
    /// The pixels of the columns and rows, averaged over squares of `factor` x `factor`.
    fn new(picture: &Picture, columns: Range<usize>, rows: Range<usize>, factor: usize) -> Self {
        let bytes = picture.as_image().as_raw();
        let stride = picture.width() as usize * 3;
        let (left, right, top, bottom) = (columns.start, columns.end, rows.start, rows.end);
        let width = (right - left).div_ceil(factor);
        let height = (bottom - top).div_ceil(factor);
        let mut pixels = Vec::with_capacity(width * height);
        for row in 0..height {
            let rows = top + row * factor..(top + (row + 1) * factor).min(bottom);
            for column in 0..width {
                let first = left + column * factor;
                let last = (first + factor).min(right);
                let mut sum = [0u64; 3];
                for y in rows.clone() {
                    let line = &bytes[y * stride + first * 3..y * stride + last * 3];
                    for pixel in line.chunks_exact(3) {
                        for c in 0..3 {
                            sum[c] += u64::from(pixel[c]);
                        }
                    }
                }
                let count = (rows.len() * (last - first)) as f32;
                pixels.push(sum.map(|s| s as f32 / count));
            }
        }
        Self {
            pixels,
            width,
            height,
        }
    }
}

/// The colour between the pixels; outside, the edge's.
fn bilinear(source: &impl Pixels, at: Point) -> [f32; 3] {
    let (width, height) = source.size();
    let x = (at.x - 0.5).clamp(0.0, (width - 1) as f32);
    let y = (at.y - 0.5).clamp(0.0, (height - 1) as f32);
    // The second bound is for lengths that f32 cannot hold exactly.
    let (left, top) = ((x as usize).min(width - 1), (y as usize).min(height - 1));
    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let (a, b) = (source.pixel(left, top), source.pixel(right, top));
    let (c, d) = (source.pixel(left, bottom), source.pixel(right, bottom));
    [0, 1, 2].map(|i| {
        let above = a[i] + (b[i] - a[i]) * fx;
        let below = c[i] + (d[i] - c[i]) * fx;
        above + (below - above) * fy
    })
}
