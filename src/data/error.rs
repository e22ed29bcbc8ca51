//! Why a folder did not become a data set; each text names the path and what to do.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Layout;
use crate::face::FaceError;

/// Why a folder did not become a data set.
#[derive(Debug, Error)]
pub enum DataError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}; check the path and its permissions", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder has none of the known layouts.
    #[error("{} has none of the known layouts; looked for: {}; give the folder that holds one of these", root.display(), looked_for.join("; "))]
    NotRecognised {
        /// The folder.
        root: PathBuf,
        /// What each layout would have shown.
        looked_for: Vec<String>,
    },
    /// Synthetic pictures whose writing was stopped.
    #[error("{} holds synthetic faces that were never finished; remove it and make them again with `fersnet enlarge`", .0.display())]
    Unfinished(PathBuf),
    /// A part of the layout is missing.
    #[error("{} is missing: {layout} keeps {what} there; add it, or give another folder or layout", path.display())]
    Missing {
        /// The path that was expected.
        path: PathBuf,
        /// The layout that expects it.
        layout: Layout,
        /// What it holds.
        what: &'static str,
    },
    /// An official part is missing.
    #[error("neither {} nor {} is there; add one of them, or ask for another part", first.display(), second.display())]
    MissingSplit {
        /// One form in which it may be there.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A part was asked for of a data set without parts.
    #[error("{}: {layout} has no official parts; read all of it and divide it by folds", root.display())]
    NoSplits {
        /// The folder.
        root: PathBuf,
        /// Its layout.
        layout: Layout,
    },
    /// A table is not as expected.
    #[error("{}, line {line}: {what}; correct the table or copy it again", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// Nothing usable was found.
    #[error("{} holds no usable face as {layout}: {why}", root.display())]
    Empty {
        /// The folder.
        root: PathBuf,
        /// Its layout.
        layout: Layout,
        /// What was skipped, or what would be usable.
        why: String,
    },
    /// The network and the data have no expression in common.
    #[error("{} is labelled with {}, the network answers for {}: give data or weights that share an expression", root.display(), has.join(", "), wanted.join(", "))]
    Classes {
        /// The folder.
        root: PathBuf,
        /// Expressions of the data.
        has: Vec<String>,
        /// Expressions that were asked for.
        wanted: Vec<String>,
    },
    /// More folds than subjects, or fewer than two.
    #[error("{} cannot be divided into {count} folds: ask for 2 to {subjects}, its number of subjects", root.display())]
    Folds {
        /// The folder.
        root: PathBuf,
        /// The folds asked for.
        count: usize,
        /// Subjects in the data.
        subjects: usize,
    },
    /// The face detector failed.
    #[error("{}: {source}", path.display())]
    Detector {
        /// The picture.
        path: PathBuf,
        /// Why.
        source: FaceError,
    },
    /// Found faces cannot be kept.
    #[error("cannot keep found faces in {}: {source}; make room there, or name another folder by FERSNET_HOME", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl DataError {
    pub(super) fn read(path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read {
            path: path.clone(),
            source,
        }
    }

    pub(super) fn table(path: &Path, line: u64, what: impl ToString) -> Self {
        Self::Table {
            path: path.to_owned(),
            line,
            what: what.to_string(),
        }
    }
}
