//! The figures of one weight file on one data set, as they are written down.

use serde::Serialize;

use super::{Recognition, Synthesis};

/// What was evaluated on what, and all figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Which of a run's weights: `last`, `best`; or the file's name.
    pub weights: String,
    /// SHA-256 of the weight file, hexadecimal.
    pub sha256: String,
    /// What the figures were computed from.
    pub data: DataNote,
    /// How well it reads.
    #[serde(flatten)]
    pub recognition: Recognition,
    /// What others see in the faces that it redraws; none where not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synthesis: Option<Synthesis>,
}

/// What the figures were computed from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataNote {
    /// Name of the folder.
    pub folder: String,
    /// Layout of the folder.
    pub layout: String,
    /// Official part, where the layout has parts.
    pub split: Option<String>,
    /// How faces are cut: at known eyes, `eyes` (found), or `whole`.
    pub cut: String,
    /// Which subjects, where not all.
    #[serde(rename = "persons")]
    pub subjects: Option<String>,
    /// Pictures that were not taken, and why.
    #[serde(rename = "left_out")]
    pub skipped: Vec<String>,
}

impl DataNote {
    /// In one line.
    pub fn in_words(&self) -> String {
        let mut words = format!("{} ({})", self.folder, self.layout);
        if let Some(split) = &self.split {
            words.push_str(&format!(", {split} split"));
        }
        words.push_str(&format!(", faces cut {}", self.cut));
        if let Some(subjects) = &self.subjects {
            words.push_str(&format!(", {subjects}"));
        }
        words
    }
}
