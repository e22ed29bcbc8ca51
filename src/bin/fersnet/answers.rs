//! What `fersnet predict` says of a picture.

use std::collections::BTreeMap;
use std::path::Path;

use fersnet::face::{Doubt, Landmarks, Rect};
use serde::Serialize;

/// A picture's faces, or why it has none.
#[derive(Serialize)]
pub struct PictureAnswer {
    /// Its path, as it was given.
    pub file: String,
    /// None of a picture that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// None of a picture that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The largest first.
    pub faces: Vec<FaceAnswer>,
}

impl PictureAnswer {
    /// A picture that could not be read.
    pub fn failed(path: &Path, error: &anyhow::Error) -> Self {
        Self {
            file: path.display().to_string(),
            width: None,
            height: None,
            error: Some(format!("{error:#}")),
            faces: Vec::new(),
        }
    }
}

/// A face's expression.
#[derive(Serialize)]
pub struct FaceAnswer {
    /// None when the whole picture was taken.
    #[serde(rename = "box")]
    pub bounds: Option<Rect>,
    /// None when the whole picture was taken.
    pub landmarks: Option<Landmarks>,
    /// The likeliest class.
    pub expression: String,
    /// Whether it is told without "not sure".
    pub certain: bool,
    /// What makes the answer doubtful.
    pub doubts: Vec<Doubt>,
    /// Of each class.
    pub probabilities: BTreeMap<String, f32>,
    /// What it shows of each control, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controls: Option<BTreeMap<String, f32>>,
}

impl FaceAnswer {
    /// The probability of a class.
    pub fn probability(&self, class: &str) -> f32 {
        self.probabilities.get(class).copied().unwrap_or_default()
    }
}
