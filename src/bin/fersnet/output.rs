//! Where a command writes: looked at before anything is computed, and written whole or not at all.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use fersnet::mark::is_marked;
use fersnet::network::parts::{DECODER_KEY, PAINTER_KEY};
use fersnet::network::weights::METADATA_KEY;
use fersnet::{store, tensor_file};

use crate::failure::Failure;

/// Whether files may be replaced.
#[derive(Args, Clone, Copy)]
pub struct Force {
    /// Replace a file that this program did not make.
    #[arg(long)]
    force: bool,
}

impl Force {
    /// For a command whose outputs cannot be told from other files.
    pub const GIVEN: Self = Self { force: true };

    /// Refuses outputs before the work: one that is an input or another output, one whose folder is not there
    /// or cannot be written to, and a file that this program did not make, unless it was asked to replace it.
    ///
    /// # Errors
    /// [`Failure::Arguments`].
    pub fn check(self, outputs: &[&Path], inputs: &[impl AsRef<Path>]) -> Result<()> {
        for (i, output) in outputs.iter().enumerate() {
            if inputs.iter().any(|input| is_same(input.as_ref(), output)) {
                return refuse(output, "is what is read: give the output another name");
            }
            if outputs[..i].iter().any(|other| is_same(other, output)) {
                return refuse(output, "is given for two outputs: give each its own name");
            }
            if output.is_dir() {
                return refuse(output, "is a folder: give the output a file's name");
            }
            let folder = folder(output);
            if !folder.is_dir() {
                return refuse(output, "cannot be written: its folder is not there");
            }
            if tempfile::tempfile_in(folder).is_err() {
                return refuse(
                    output,
                    "cannot be written: nothing may be written in its folder",
                );
            }
            if output.exists() && !self.force && !is_own(output) {
                let what = "is there, and not made by this program: give --force to replace it";
                return refuse(output, what);
            }
        }
        Ok(())
    }
}

fn refuse<T>(output: &Path, what: &str) -> Result<T> {
    Err(Failure::Arguments(format!("{} {what}", output.display())).into())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether two paths are one file, also over links and where one of them is still to be made.
fn is_same(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| {
            let name = path.file_name().unwrap_or_default();
            let folder = folder(path).canonicalize();
            folder.map_or_else(|_| path.to_owned(), |folder| folder.join(name))
        })
    };
    whole(a) == whole(b) || is_same_file(a, b)
}

/// Two names of one file.
#[cfg(unix)]
fn is_same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (a.metadata(), b.metadata()) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(_: &Path, _: &Path) -> bool {
    false
}

/// How the tables of `fersnet predict` begin: of pictures, and of videos.
const TABLE_HEADS: [&str; 2] = ["file,face,", "file,time,"];

/// How its JSON begins: of pictures, and of a video.
const JSON_HEADS: [&str; 2] = ["{\n  \"pictures\": [", "{\n  \"video\": {"];

/// Whether a file is a picture with the mark, a weight file or a table of this program, or empty. Such a one
/// can be made again.
fn is_own(path: &Path) -> bool {
    let Ok(bytes) = store::read(path) else {
        return false;
    };
    let has = |key| tensor_file::metadata(&bytes, key).is_ok_and(|value| value.is_some());
    bytes.is_empty()
        || is_marked(&bytes)
        || TABLE_HEADS
            .iter()
            .chain(&JSON_HEADS)
            .any(|head| bytes.starts_with(head.as_bytes()))
        || has(METADATA_KEY)
        || has(DECODER_KEY)
        || has(PAINTER_KEY)
}
