//! What `fersnet predict` says of a picture, and of a video.

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

/// What is known of a video, as the page's file has it.
#[derive(Serialize)]
pub struct VideoAnswer {
    /// Its path, as it was given.
    pub file: String,
    /// None of a video that cannot be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// None of a video that cannot be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How long it is, where the file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Frames a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

impl VideoAnswer {
    /// A video that could not be decoded.
    pub fn failed(path: &Path) -> Self {
        Self {
            file: path.display().to_string(),
            width: None,
            height: None,
            seconds: None,
            rate: None,
        }
    }
}

/// A frame's faces.
#[derive(Serialize)]
pub struct FrameAnswer {
    /// `00:01:02.345`.
    pub time: String,
    /// The same in seconds.
    pub seconds: f64,
    /// Its number, from 0, as the frame rate counts.
    pub frame: u64,
    /// Why it was not recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The largest first.
    pub faces: Vec<FollowedFace>,
}

/// A face of a frame, under the id that it keeps through a shot.
#[derive(Serialize)]
pub struct FollowedFace {
    /// From 1.
    pub id: u32,
    /// What it shows.
    #[serde(flatten)]
    pub face: FaceAnswer,
}

/// A time as files have it: `00:01:02.345`.
pub fn clock(seconds: f64) -> String {
    let all = (seconds * 1000.0).round() as u64;
    let (hours, minutes) = (all / 3_600_000, all / 60_000 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}.{:03}",
        all / 1000 % 60,
        all % 1000
    )
}

impl FaceAnswer {
    /// The probability of a class.
    pub fn probability(&self, class: &str) -> f32 {
        self.probabilities.get(class).copied().unwrap_or_default()
    }
}
