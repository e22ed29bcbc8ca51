//! Faces and sets that tests make.

use std::collections::BTreeMap;
use std::path::PathBuf;

use image::{Rgb, RgbImage};

use super::{CropRegion, Dataset, Face, Layout};
use crate::face::Point;

/// Neutral and happiness.
pub fn classes() -> Vec<String> {
    ["neutral", "happiness"].map(str::to_owned).to_vec()
}

/// A face of these two classes.
pub fn face(name: &str, subject: Option<&str>, class: usize) -> Face {
    let mut label = vec![0.0; 2];
    label[class] = 1.0;
    let picture = RgbImage::from_fn(96, 96, |x, y| Rgb([x as u8, y as u8, 7]));
    Face {
        name: name.to_owned(),
        subject: subject.map(str::to_owned),
        source: String::new(),
        label,
        class: Some(class),
        intensity: 1.0,
        groups: BTreeMap::new(),
        crop_region: CropRegion::Eyes(Point::new(62.0, 38.0), Point::new(34.0, 38.0)),
        picture: picture.into(),
        digest: String::new(),
        photo: String::new(),
        controls: None,
        cavity: None,
        flow: None,
    }
}

/// A set of such faces.
pub fn set(layout: Layout, faces: Vec<Face>) -> Dataset {
    Dataset {
        root: PathBuf::new(),
        layout,
        classes: classes(),
        controls: Vec::new(),
        pixel_aligned: layout == Layout::Paired,
        faces,
        skipped: Vec::new(),
    }
}
