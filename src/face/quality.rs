//! What makes the answer about a face doubtful, measured on its pixels and its landmarks: how small, dark, overexposed,
//! blurred or turned away it is.
//!
//! The limits were chosen by measurement: `examples/doubt_rates.rs`, docs/doubt.md. What covers a face is not told, since
//! the face mesh sees a face behind a patch too. A tilted face is turned upright before it is recognised, and needs no doubt.

use serde::Serialize;

use super::alignment::EYE_DISTANCE;
use super::{Face, Landmarks, Point};
use crate::picture::Picture;
use crate::tensor::luma;

/// Eyes that are less far apart, in pixels, make a face small.
const LEAST_EYE_DISTANCE: f32 = 9.0;

/// Below this mean brightness a face is dark.
const LEAST_LIGHT: f32 = 0.075;

/// From this brightness on a pixel is overexposed, and from this part of such pixels on a face is.
const WHITE: f32 = 0.98;
const MOST_WHITE: f32 = 0.45;

/// Below this part of fine contrast a face is blurred.
const LEAST_DETAIL: f32 = 0.08;

/// Beyond this angle to a side, in degrees, a face is turned away, and where its nose's tip is further below the middle of its
/// ears, in eye distances: it looks down.
const MOST_TURN: f32 = 35.0;
const MOST_NOD: f32 = 0.9;

/// Side of the small face that light and sharpness are measured on, in pixels. How sharp a face is that is called small
/// cannot be told from it.
const SIDE: usize = 48;

/// The part of the aligned face that is measured, an ellipse from the brows to the chin: its centre and radii.
const CENTRE: Point = Point::new(0.5, 0.55);
const RADII: Point = Point::new(0.36, 0.45);

/// The tangent of a face's turn is this times how far the nose's tip is from the middle of the ears, in eye distances:
/// fitted on 387 rendered heads that are turned by up to 18 degrees, to 1.8 degrees (root mean square).
const TURN: f32 = 0.606;

/// Why the answer about a face may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Doubt {
    /// The face has few pixels.
    Small,
    /// It is dark.
    Dark,
    /// Much of it is white.
    Overexposed,
    /// It is out of focus, or was moved.
    Blurred,
    /// It is turned to a side, or down.
    Turned,
}

impl Doubt {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Dark => "dark",
            Self::Overexposed => "overexposed",
            Self::Blurred => "blurred",
            Self::Turned => "turned",
        }
    }
}

/// What was measured of a face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceQuality {
    /// Distance between the eyes, in pixels of the picture.
    pub eye_distance: f32,
    /// Mean brightness, 0 to 1.
    pub light: f32,
    /// Part of its pixels that are overexposed.
    pub white: f32,
    /// How much of the contrast is fine: between neighbouring pixels of a face that is 48 pixels wide.
    pub detail: f32,
    /// How far it is turned to a side, in degrees; positive to the right of the picture. None where its landmarks are not known.
    pub turn: Option<f32>,
    /// How far the nose's tip is below the middle of the ears, in eye distances: about 0.4 of a face that looks at the
    /// camera, more of one that looks down. No angle, since noses differ.
    pub nod: Option<f32>,
}

impl FaceQuality {
    /// Measures a face of `picture`.
    pub fn of(picture: &Picture, face: &Face) -> Self {
        let alignment = face.alignment();
        let planes = alignment.crop_planar(picture, SIDE as u32); // [3, SIDE, SIDE]
        let plane = SIDE * SIDE;
        let grey = |i: usize| luma([planes[i], planes[plane + i], planes[2 * plane + i]]);
        let grey: Vec<f32> = (0..plane).map(grey).collect();
        let measured: Vec<usize> = (0..plane).filter(|i| is_measured(*i)).collect();
        let mean = |of: &dyn Fn(usize) -> f32| {
            measured.iter().map(|i| of(*i)).sum::<f32>() / measured.len() as f32
        };
        let nose = face.found().map(|found| nose_from_ears(&found.landmarks));
        let light = mean(&|i| grey[i]);
        let contrast = mean(&|i| (grey[i] - light).powi(2)).sqrt();
        let fine = mean(&|i| (grey[i] - around(&grey, i)).powi(2)).sqrt();
        Self {
            eye_distance: alignment.side() * EYE_DISTANCE,
            light,
            white: mean(&|i| if grey[i] >= WHITE { 1.0 } else { 0.0 }),
            // A flat face has no contrast at all: one level at least.
            detail: fine / contrast.max(1.0 / 255.0),
            turn: nose.map(|nose| (TURN * nose.x).atan().to_degrees()),
            nod: nose.map(|nose| nose.y),
        }
    }

    /// What makes the answer doubtful, in the order of [`Doubt`].
    pub fn doubts(&self) -> Vec<Doubt> {
        let is_small = self.eye_distance < LEAST_EYE_DISTANCE;
        let is_sideways = self.turn.is_some_and(|turn| turn.abs() > MOST_TURN);
        let is_down = self.nod.is_some_and(|nod| nod > MOST_NOD);
        let all = [
            (Doubt::Small, is_small),
            (Doubt::Dark, self.light < LEAST_LIGHT),
            (Doubt::Overexposed, self.white > MOST_WHITE),
            (Doubt::Blurred, !is_small && self.detail < LEAST_DETAIL),
            (Doubt::Turned, is_sideways || is_down),
        ];
        let all = all.into_iter().filter(|(_, is_so)| *is_so);
        all.map(|(doubt, _)| doubt).collect()
    }
}

/// Where the nose's tip is from the middle of the ears, in eye distances: along the line of the eyes, and down from it.
fn nose_from_ears(landmarks: &Landmarks) -> Point {
    let (left, right) = (landmarks.left_ear, landmarks.right_ear);
    let x = landmarks.nose.x - (left.x + right.x) / 2.0;
    let y = landmarks.nose.y - (left.y + right.y) / 2.0;
    let (left, right) = (landmarks.left_eye, landmarks.right_eye);
    let across = Point::new(left.x - right.x, left.y - right.y);
    let square = across.x * across.x + across.y * across.y;
    Point::new(
        (x * across.x + y * across.y) / square,
        (y * across.x - x * across.y) / square,
    )
}

/// Whether a pixel of the small face is measured.
fn is_measured(i: usize) -> bool {
    let place = |at: usize| (at as f32 + 0.5) / SIDE as f32;
    let (x, y) = (place(i % SIDE) - CENTRE.x, place(i / SIDE) - CENTRE.y);
    // The ellipse leaves the border out, whose pixels have no neighbours, but for the last row.
    i / SIDE < SIDE - 1 && (x / RADII.x).powi(2) + (y / RADII.y).powi(2) <= 1.0
}

/// The mean of a pixel and its eight neighbours.
fn around(grey: &[f32], i: usize) -> f32 {
    let rows = [i - SIDE, i, i + SIDE].map(|i| grey[i - 1] + grey[i] + grey[i + 1]);
    rows.iter().sum::<f32>() / 9.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The landmarks of a head that is turned to a side, then nods, then is tilted, in degrees; its sizes in eye distances.
    fn head([turned, nods, tilted]: [f32; 3]) -> Landmarks {
        let rotated = |(a, b): (f32, f32), degrees: f32| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            (a * cos - b * sin, a * sin + b * cos)
        };
        // Across, down and towards the camera.
        let at = |x: f32, y: f32, z: f32| {
            let (z, x) = rotated((z, x), turned);
            let (_, y) = rotated((z, y), nods);
            let (x, y) = rotated((x, y), tilted);
            Point::new(200.0 + 80.0 * x, 200.0 + 80.0 * y)
        };
        Landmarks {
            left_eye: at(0.5, 0.0, 0.0),
            right_eye: at(-0.5, 0.0, 0.0),
            nose: at(0.0, 0.6, 0.65),
            mouth: at(0.0, 1.05, 0.3),
            left_ear: at(1.15, 0.2, -1.0),
            right_ear: at(-1.15, 0.2, -1.0),
        }
    }

    #[test]
    fn a_head_is_as_far_turned_as_its_nose_is_from_the_middle_of_its_ears() {
        for tilted in [0.0, 30.0, -80.0] {
            for turned in [-40.0, -20.0, 0.0, 10.0, 35.0] {
                let nose = nose_from_ears(&head([turned, 0.0, tilted]));
                let told = (TURN * nose.x).atan().to_degrees();
                assert!(
                    (told - turned).abs() < 1.0,
                    "{turned}, tilted by {tilted}: {told}"
                );
                assert!((nose.y * turned.to_radians().cos() - 0.4).abs() < 1e-3);
            }
            let down = nose_from_ears(&head([0.0, 30.0, tilted]));
            assert!(down.y > MOST_NOD && down.x.abs() < 1e-3, "{down:?}");
            assert!(nose_from_ears(&head([0.0, -30.0, tilted])).y < 0.0);
        }
    }

    #[test]
    fn each_limit_is_a_doubt_of_its_own() {
        let clear = FaceQuality {
            eye_distance: 40.0,
            light: 0.5,
            white: 0.0,
            detail: 0.3,
            turn: Some(5.0),
            nod: Some(0.4),
        };
        assert_eq!(clear.doubts(), []);
        let with = |change: fn(&mut FaceQuality)| {
            let mut quality = clear;
            change(&mut quality);
            quality.doubts()
        };
        assert_eq!(with(|q| q.eye_distance = 8.0), [Doubt::Small]);
        assert_eq!(with(|q| q.light = 0.05), [Doubt::Dark]);
        assert_eq!(with(|q| q.white = 0.6), [Doubt::Overexposed]);
        assert_eq!(with(|q| q.detail = 0.05), [Doubt::Blurred]);
        assert_eq!(with(|q| q.turn = Some(-60.0)), [Doubt::Turned]);
        assert_eq!(with(|q| q.nod = Some(1.0)), [Doubt::Turned]);
        // A face of so few pixels is soft by itself.
        assert_eq!(
            with(|q| (q.eye_distance, q.detail) = (8.0, 0.05)),
            [Doubt::Small]
        );
    }
}
