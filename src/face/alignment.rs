//! The eyes in a picture -> the turned, scaled square of the face, and its pixels.

use std::ops::Range;

use image::{GrayImage, RgbImage};

use super::Point;
use super::sampling::Samples;
use crate::picture::Picture;

/// Distance between the eyes in an aligned face, as a part of its width.
pub const EYE_DISTANCE: f32 = 0.33;

/// Height of the eyes in an aligned face, from its upper edge, as a part of its width.
pub const EYE_LINE: f32 = 0.37;

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
        Samples {
            size: [size; 2],
            part: [0..size, 0..size],
        }
        .of_map(map, self)
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
        size: [usize; 2],
        part: [Range<usize>; 2],
    ) -> Vec<f32> {
        Samples { size, part }.of(picture, self)
    }

    /// Whether columns of the square are columns of the picture.
    pub(super) fn is_upright(&self) -> bool {
        self.across.y == 0.0 && self.across.x > 0.0
    }

    /// The same square in a part of the picture from `corner` on that is scaled.
    pub(super) fn in_part(&self, corner: Point, scale: f32) -> Self {
        let scaled = |p: Point| Point::new(p.x * scale, p.y * scale);
        let (x, y) = (self.origin.x - corner.x, self.origin.y - corner.y);
        Self {
            across: scaled(self.across),
            origin: scaled(Point::new(x, y)),
        }
    }
}
