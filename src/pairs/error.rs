//! Why no pairs were drawn, with what to do about it.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::face::FaceError;
use crate::mark::MarkError;

/// Why no pairs were drawn.
#[derive(Debug, Error)]
pub enum PairsError {
    /// The face model's file is not what is needed.
    #[error("the face model is damaged ({0}): take weights/facemodel.safetensors anew")]
    Model(String),
    /// The recipes cannot be used.
    #[error("the recipes cannot be used: {0}")]
    Recipes(String),
    /// A number of the settings is out of range.
    #[error("{0}")]
    Setting(String),
    /// The folder of portraits cannot be used.
    #[error("{}: {what}", path.display())]
    Portraits {
        /// The folder, or the table in it.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The folder is not empty.
    #[error(
        "{} is there already and is not empty; name a new folder, or go on with --resume", .0.display()
    )]
    NotEmpty(PathBuf),
    /// The folder was begun otherwise.
    #[error(
        "{} was begun with other settings, another model or other recipes; give the same ones, or name a new folder", .0.display()
    )]
    OtherSettings(PathBuf),
    /// Not one portrait could be used.
    #[error(
        "none of {0} portraits could be used: {1}; the face has to be seen from the front, upright and whole"
    )]
    NothingFits(usize, String),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}; make room there, or name another folder", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A picture cannot be encoded or marked.
    #[error(transparent)]
    Mark(#[from] MarkError),
    /// A map cannot be encoded.
    #[error("a map could not be encoded: {0}")]
    Encode(#[from] image::ImageError),
    /// The face detector failed.
    #[error(transparent)]
    Face(#[from] FaceError),
}

impl PairsError {
    pub(super) fn read(path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read {
            path: path.clone(),
            source,
        }
    }

    pub(super) fn write(path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write {
            path: path.clone(),
            source,
        }
    }
}
