//! FER+: FER2013's pictures, 48 x 48 and grey, with ten votes each.
//!
//! A folder with `fer2013new.csv` and, for each part that is there, `FER2013Train`,
//! `FER2013Valid` or `FER2013Test` as a folder or as a tar file of that folder.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::cut::{self, Cutter};
use super::expressions::EXPRESSIONS;
use super::skipped::Tally;
use super::votes::{self, Row};
use super::{DataError, Dataset, Face, Layout, Options, Split, files};

/// What a folder of this layout holds, in words.
pub(super) const LOOKED_FOR: &str =
    "FER+ (fer2013new.csv beside FER2013Train, FER2013Valid or FER2013Test, as folder or .tar)";

fn folder_name(split: Split) -> &'static str {
    match split {
        Split::Train => "FER2013Train",
        Split::Validation => "FER2013Valid",
        Split::Test => "FER2013Test",
    }
}

/// The two forms of a part: its folder and its archive.
fn forms(root: &Path, split: Split) -> (PathBuf, PathBuf) {
    let folder = folder_name(split);
    (root.join(folder), root.join(format!("{folder}.tar")))
}

fn is_there(root: &Path, split: Split) -> bool {
    let (dir, archive) = forms(root, split);
    dir.is_dir() || archive.is_file()
}

/// Whether the folder looks like this layout.
pub(super) fn fits(root: &Path) -> bool {
    Split::ALL.iter().any(|split| is_there(root, *split))
}

/// Reads the part that is asked for, or all that are there.
pub(super) fn read(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    let path = root.join(votes::TABLE);
    if !path.is_file() {
        return Err(DataError::Missing {
            path,
            layout: Layout::FerPlus,
            what: "the votes",
        });
    }
    let splits = match options.split {
        Some(split) => vec![split],
        None => Split::ALL
            .into_iter()
            .filter(|split| is_there(root, *split))
            .collect(),
    };
    let mut part = Part {
        table: votes::read(&path)?,
        cutter: Cutter::new(options),
        faces: Vec::new(),
        skipped: Tally::default(),
    };
    for split in splits {
        part.read(root, split)?;
    }
    Dataset::build(
        root,
        Layout::FerPlus,
        EXPRESSIONS.map(str::to_owned).to_vec(),
        part.faces,
        part.skipped,
    )
}

/// What has been read so far.
struct Part {
    table: Vec<Row>,
    cutter: Cutter,
    faces: Vec<Face>,
    skipped: Tally,
}

impl Part {
    fn read(&mut self, root: &Path, split: Split) -> Result<(), DataError> {
        let folder = folder_name(split);
        let mut pictures = read_pictures(root, split)?;
        // Taken out, so that they can be used while the faces are added.
        let table = std::mem::take(&mut self.table);
        for row in table.iter().filter(|row| row.split == split) {
            let Some(file) = &row.name else {
                self.skipped.add(votes::WITHDRAWN, votes::TABLE);
                continue;
            };
            let name = format!("{folder}/{file}");
            match pictures.remove(file) {
                Some(bytes) => self.add(root, name, &bytes, row)?,
                None => self
                    .skipped
                    .add("the table names it, but it is not there", &name),
            }
        }
        self.table = table;
        let mut unnamed: Vec<_> = pictures.into_keys().collect();
        unnamed.sort();
        for file in unnamed {
            self.skipped.add(
                "the table does not name it in this part",
                &format!("{folder}/{file}"),
            );
        }
        Ok(())
    }

    fn add(&mut self, root: &Path, name: String, bytes: &[u8], row: &Row) -> Result<(), DataError> {
        let Some((label, class)) = votes::tally(row.votes) else {
            self.skipped.add(votes::NO_EXPRESSION, &name);
            return Ok(());
        };
        let path = root.join(&name);
        match cut::decode(bytes) {
            Ok(picture) => {
                let digest = files::digest(bytes);
                let found = self.cutter.cut_face(&path, picture, digest)?;
                let face = Face::new(name, label, class, found);
                self.faces.push(face.with_group("split", row.split.name()));
            }
            Err(reason) => self.skipped.add(&reason, &name),
        }
        Ok(())
    }
}

/// The files of a part by name.
fn read_pictures(root: &Path, split: Split) -> Result<HashMap<String, Vec<u8>>, DataError> {
    let (dir, archive) = forms(root, split);
    let mut pictures = HashMap::new();
    if dir.is_dir() {
        for path in files::pictures(&dir)? {
            pictures.insert(files::name(&path), files::read(&path)?);
        }
    } else if archive.is_file() {
        files::pictures_in_tar(&archive, |path, bytes| {
            pictures.insert(files::name(path), bytes);
        })?;
    } else {
        return Err(DataError::MissingSplit {
            first: dir,
            second: archive,
        });
    }
    Ok(pictures)
}
