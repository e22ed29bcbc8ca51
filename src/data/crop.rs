//! Which square of its picture a face is cut from.

use serde::{Deserialize, Serialize};

use super::{CropRegion, Face};
use crate::face::{Alignment, Point};
use crate::picture::Picture;

/// Side of the 2021 release's stored faces.
pub const RELEASE_SIDE: f32 = 110.0;

/// Side of the part of them that its network sees.
pub const RELEASE_CROP: f32 = 96.0;

/// How training faces are varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Augmentation {
    /// Position, turn, size, mirror, light, blur, grey.
    Varied,
    /// A shifted crop and a mirror, as in the 2021 release.
    Crop,
    /// None.
    Plain,
}

impl Augmentation {
    /// The square in which a network that was trained with this augmentation sees a face when it is used.
    pub fn crop(self, face: &Face) -> Alignment {
        let zoom = self.zoom(face.crop_region);
        face.alignment().moved(Point::new(0.0, 0.0), zoom, 0.0)
    }

    /// How much of a face's square that is: the release's stored faces have a margin of their own.
    pub fn zoom(self, crop_region: CropRegion) -> f32 {
        match (self, crop_region) {
            (Self::Crop, CropRegion::Whole) => RELEASE_CROP / RELEASE_SIDE,
            _ => 1.0,
        }
    }
}

impl CropRegion {
    /// The face's square in its picture.
    pub fn alignment(self, picture: &Picture) -> Alignment {
        match self {
            Self::Eyes(left, right) => Alignment::from_eyes(left, right),
            Self::Whole => Alignment::whole_picture(picture.width(), picture.height()),
        }
    }
}

impl Face {
    /// The face's square in its picture, as the command line and the page cut it.
    pub fn alignment(&self) -> Alignment {
        self.crop_region.alignment(&self.picture)
    }

    /// The pixels of that square, `[3, size, size]` in 0..1.
    pub fn planes(&self, size: usize) -> Vec<f32> {
        self.alignment().crop_planar(&self.picture, size as u32)
    }
}
