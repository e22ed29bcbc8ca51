//! Pictures that a layout takes, listed before they are read: subject, expression, frames.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::cut::{Cutter, Kind};
use super::expressions::{canonical, index_in, one_hot};
use super::skipped::Tally;
use super::{DataError, Dataset, Face, Layout, Options, files};

/// The six expressions of the sets without a neutral one and without contempt.
pub(super) const SIX: [&str; 6] = [
    "anger",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
];

/// A picture that will be read.
struct Entry {
    path: PathBuf,
    subject: Option<String>,
    expression: &'static str,
    group: Option<(&'static str, &'static str)>,
}

/// What the pictures of a folder have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common<'a> {
    pub(super) subject: Option<&'a str>,
    pub(super) expression: &'static str,
    pub(super) group: Option<(&'static str, &'static str)>,
}

/// The pictures of a data set, listed and skipped.
pub(super) struct Listing<'a> {
    root: &'a Path,
    layout: Layout,
    entries: Vec<Entry>,
    skipped: Tally,
}

impl<'a> Listing<'a> {
    pub(super) fn new(root: &'a Path, layout: Layout) -> Self {
        Self {
            root,
            layout,
            entries: Vec::new(),
            skipped: Tally::default(),
        }
    }

    /// The folder `below` the root, or an error that names it.
    pub(super) fn folder(&self, below: &str, what: &'static str) -> Result<PathBuf, DataError> {
        let path = self.root.join(below);
        if path.is_dir() {
            return Ok(path);
        }
        Err(DataError::Missing {
            path,
            layout: self.layout,
            what,
        })
    }

    /// Takes all of these pictures.
    pub(super) fn take(&mut self, pictures: Vec<PathBuf>, common: Common) {
        let entries = pictures.into_iter().map(|path| Entry {
            path,
            subject: common.subject.map(str::to_owned),
            expression: common.expression,
            group: common.group,
        });
        self.entries.extend(entries);
    }

    /// Takes some frames of a sequence and skips the others; all where it has fewer than
    /// `least`.
    pub(super) fn take_frames(
        &mut self,
        mut frames: Vec<PathBuf>,
        least: usize,
        chosen: impl Fn(usize) -> Range<usize>,
        common: Common,
    ) {
        if frames.len() < least {
            let reason = format!("a sequence of fewer than {least} frames");
            self.skip_all(&reason, &frames);
            return;
        }
        let chosen = frames.drain(chosen(frames.len())).collect();
        self.take(chosen, common);
        self.skip_all("another moment of its sequence", &frames);
    }

    /// Leaves a picture, or what stands for several, out.
    pub(super) fn skip(&mut self, reason: &str, path: &Path) {
        self.skipped
            .add(reason, &files::name_below(self.root, path));
    }

    /// Leaves pictures out.
    pub(super) fn skip_all(&mut self, reason: &str, paths: &[PathBuf]) {
        if let Some(first) = paths.first() {
            let example = files::name_below(self.root, first);
            self.skipped.add_many(reason, &example, paths.len());
        }
    }

    /// The pictures of each folder that is named by an expression; those of others are skipped.
    pub(super) fn expression_folders(
        &mut self,
        dir: &Path,
    ) -> Result<Vec<(&'static str, Vec<PathBuf>)>, DataError> {
        let mut found = Vec::new();
        for folder in files::folders(dir)? {
            let name = files::name(&folder);
            let pictures = files::pictures(&folder)?;
            match canonical(&name) {
                Some(expression) => found.push((expression, pictures)),
                None => self.skip_all(&super::unknown_expression(&name), &pictures),
            }
        }
        Ok(found)
    }

    /// Whether a picture of this expression was taken.
    pub(super) fn has(&self, expression: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.expression == expression)
    }

    /// Reads what was taken. Pictures of expressions that the data set does not have are skipped.
    pub(super) fn read(
        mut self,
        classes: Vec<String>,
        kind: Kind,
        options: &Options,
    ) -> Result<Dataset, DataError> {
        let mut cutter = Cutter::new(options);
        let mut faces = Vec::with_capacity(self.entries.len());
        for entry in std::mem::take(&mut self.entries) {
            let Some(class) = index_in(&classes, entry.expression) else {
                let reason = format!("{} has no {}", self.layout, entry.expression);
                self.skip(&reason, &entry.path);
                continue;
            };
            let bytes = files::read(&entry.path)?;
            match cutter.find(&entry.path, &bytes, kind)? {
                Ok(found) => {
                    let name = files::name_below(self.root, &entry.path);
                    let label = one_hot(class, classes.len());
                    let mut face = Face::new(name, label, Some(class), found);
                    face.subject = entry.subject;
                    if let Some((group, value)) = entry.group {
                        face = face.with_group(group, value);
                    }
                    faces.push(face);
                }
                Err(reason) => self.skip(&reason, &entry.path),
            }
        }
        Dataset::build(self.root, self.layout, classes, faces, self.skipped)
    }
}

/// The last three frames, where a sequence ends at its peak.
pub(super) fn last_three(count: usize) -> Range<usize> {
    count.saturating_sub(3)..count
}

/// The three frames around the middle, where a sequence rises and falls.
pub(super) fn middle_three(count: usize) -> Range<usize> {
    let first = count.saturating_sub(3) / 2;
    first..(first + 3).min(count)
}
