//! Found faces on disk, by the content of their files, so that a data set is searched only once.
//!
//! For each file that was searched: its eyes (`DIGEST.json`; `null` where no face was found) and,
//! for a large picture, the part that holds the face (`DIGEST.png`). A damaged entry is made anew.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::ImageFormat;

use super::DataError;
use crate::face::Point;
use crate::home::home;
use crate::picture::Picture;
use crate::store;

/// Folder of the entries. Raise the number when the detector or the cut changes, so that no entry
/// of the old ones is used.
const VERSION: &str = "aligner-2";

/// The subject's left and right eye, in pixels of the picture.
pub(super) type Eyes = (Point, Point);

/// The entries; nothing is kept where the user has no home.
pub(super) struct Cache(Option<PathBuf>);

impl Cache {
    /// The entries in this folder, or in `faces` of the program's own.
    pub(super) fn new(dir: Option<&Path>) -> Self {
        let dir = dir.map_or_else(usual_folder, |dir| Some(dir.to_owned()));
        Self(dir.map(|dir| dir.join(VERSION)))
    }

    /// What was found in a file, if it was searched: perhaps nothing.
    pub(super) fn eyes(&self, digest: &str) -> Option<Option<Eyes>> {
        let bytes = fs::read(self.entry(digest, "json")?).ok()?;
        let eyes: Option<Eyes> = serde_json::from_slice(&bytes).ok()?;
        eyes.is_none_or(|(left, right)| left.distance(right) > 0.0)
            .then_some(eyes)
    }

    /// Keeps what was found in a file.
    pub(super) fn keep_eyes(&self, digest: &str, eyes: Option<Eyes>) -> Result<(), DataError> {
        let Some(path) = self.entry(digest, "json") else {
            return Ok(());
        };
        let text = serde_json::to_vec(&eyes).map_err(|error| kept(&path)(error.into()))?;
        write(&path, &text)
    }

    /// The part of a file's picture that holds the face, if it was cut.
    pub(super) fn part(&self, digest: &str, side: u32) -> Option<Picture> {
        let bytes = fs::read(self.entry(digest, "png")?).ok()?;
        let part = Picture::decode(&bytes).ok()?;
        (part.width() == side && part.height() == side).then_some(part)
    }

    /// Keeps the part that holds the face.
    pub(super) fn keep_part(&self, digest: &str, part: &Picture) -> Result<(), DataError> {
        let Some(path) = self.entry(digest, "png") else {
            return Ok(());
        };
        let mut png = Cursor::new(Vec::new());
        part.as_image()
            .write_to(&mut png, ImageFormat::Png)
            .map_err(|error| kept(&path)(std::io::Error::other(error)))?;
        write(&path, png.get_ref())
    }

    fn entry(&self, digest: &str, ending: &str) -> Option<PathBuf> {
        let dir = self.0.as_ref()?;
        Some(dir.join(format!("{digest}.{ending}")))
    }
}

fn usual_folder() -> Option<PathBuf> {
    Some(home()?.join("faces"))
}

fn kept(path: &Path) -> impl Fn(std::io::Error) -> DataError {
    let path = path.to_owned();
    move |source| DataError::Cache {
        path: path.clone(),
        source,
    }
}

/// Writes an entry whole or not at all, also where two programs write the same one.
fn write(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let dir = path.parent().unwrap_or(path);
    fs::create_dir_all(dir).map_err(kept(dir))?;
    store::write_cached(path, bytes).map_err(kept(path))
}
