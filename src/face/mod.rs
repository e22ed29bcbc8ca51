//! A picture -> its faces, each with landmarks and its alignment; and a synthesised face -> the picture.
//!
//! Coordinates are continuous picture pixels: the first pixel covers 0..1, its centre is 0.5.

pub mod alignment;
pub mod blazeface;
mod candidate;
mod close_look;
pub mod detector;
pub mod facemesh;
pub(crate) mod fields;
#[cfg(feature = "native")]
mod followed;
#[cfg(feature = "native")]
mod full_mesh;
mod layers;
#[cfg(feature = "native")]
mod lips;
mod lips_meet;
pub mod mouth;
pub mod paste;
mod place;
pub(crate) mod planes;
mod quality;
mod sampling;
mod search;
pub(crate) mod source;
mod track;
mod trunk;

pub use alignment::Alignment;
pub use detector::FaceDetector;
#[cfg(feature = "native")]
pub use followed::{FacesFollowed, FrameLook, SeenFace};
#[cfg(feature = "native")]
pub use full_mesh::{FullMesh, INNER_LIPS};
#[cfg(feature = "native")]
pub use lips::MESH_POINTS;
pub use mouth::{MouthFrame, PaintedMouth};
pub use paste::{Change, SynthesisedFace, paste, synthesised_crop};
pub use place::Face;
pub use quality::{Doubt, FaceQuality};
pub use search::FaceSearch;
pub use track::{FaceTracker, TrackedFace};

use serde::{Deserialize, Serialize};

/// Why no answer about the faces in a picture was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaceError {
    /// The weights are not what the network needs.
    #[error(
        "the face detector's weights are damaged ({reason}): take the file, or build the program, anew"
    )]
    Weights {
        /// What is wrong with them.
        reason: String,
    },
    /// The device did not run the network.
    #[error("the face detector could not run ({reason}): start the program or the page again")]
    Run {
        /// What the device said.
        reason: String,
    },
}

impl FaceError {
    fn weights(reason: &impl ToString) -> Self {
        Self::Weights {
            reason: reason.to_string(),
        }
    }

    fn run(reason: &impl ToString) -> Self {
        Self::Run {
            reason: reason.to_string(),
        }
    }
}

/// A place in a picture, in pixels; x to the right, y down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Point {
    /// A place by its coordinates.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// The distance to another place.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// An upright rectangle in picture pixels; it may reach beyond the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Rect {
    /// The smallest one that holds all `points`.
    pub fn around(points: &[Point]) -> Self {
        let edges = |of: fn(&Point) -> f32| {
            let values = || points.iter().map(of);
            let low = values().fold(f32::INFINITY, f32::min);
            (low, values().fold(f32::NEG_INFINITY, f32::max) - low)
        };
        let ((x, width), (y, height)) = (edges(|p| p.x), edges(|p| p.y));
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// The area.
    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// The shared area over the joint area: 1 for equal rectangles, 0 for disjoint ones.
    pub fn intersection_over_union(&self, other: &Self) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        let shared = width.max(0.0) * height.max(0.0);
        let joint = self.area() + other.area() - shared;
        if joint > 0.0 { shared / joint } else { 0.0 }
    }
}

/// A face's landmarks. Left is the subject's left: in the picture of a face that looks at the
/// camera, the left eye is on the right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Landmarks {
    /// The subject's left eye (right in the picture).
    pub left_eye: Point,
    /// The subject's right eye (left in the picture).
    pub right_eye: Point,
    /// The nose's tip.
    pub nose: Point,
    /// The mouth's centre.
    pub mouth: Point,
    /// In front of the subject's left ear.
    pub left_ear: Point,
    /// In front of the subject's right ear.
    pub right_ear: Point,
}

impl Landmarks {
    /// The landmarks in other coordinates.
    pub fn map(&self, place: impl Fn(Point) -> Point) -> Self {
        Self {
            left_eye: place(self.left_eye),
            right_eye: place(self.right_eye),
            nose: place(self.nose),
            mouth: place(self.mouth),
            left_ear: place(self.left_ear),
            right_ear: place(self.right_ear),
        }
    }
}

/// A face that the detector found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DetectedFace {
    /// From the brow to the chin, about.
    pub bounds: Rect,
    /// Eyes, nose, mouth, ears.
    pub landmarks: Landmarks,
    /// How sure the detector is, 0..1.
    pub score: f32,
}

impl DetectedFace {
    /// The alignment by this face's eyes.
    pub fn alignment(&self) -> Alignment {
        Alignment::from_eyes(self.landmarks.left_eye, self.landmarks.right_eye)
    }
}
