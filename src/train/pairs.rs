//! The open paired set: one person with eight expressions, as `manifest.csv` beside folders
//! `SUBJECT/EXPRESSION/K.jpg` or tar files of them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;

use super::TrainError;
use super::files::{for_each_in_tar, read_file};
use crate::face::Point;
use crate::picture::Picture;

/// One picture of a person.
pub struct PersonFace {
    /// The picture.
    pub picture: Picture,
    /// Index of the expression.
    pub expression: usize,
    /// How strong the expression is; about 1 is full.
    pub intensity: f32,
    /// The person's left eye (right in the picture).
    pub left_eye: Point,
    /// The person's right eye.
    pub right_eye: Point,
}

/// All pictures of one person.
pub struct Person {
    /// Name in the manifest; never in two folds.
    pub subject: String,
    /// Which set the person comes from.
    pub source: String,
    /// The pictures of each expression, by the expression's index.
    pub faces: Vec<Vec<PersonFace>>,
}

#[derive(Deserialize)]
struct Row {
    file: String,
    subject: String,
    #[serde(default)]
    source: String,
    expression: String,
    #[serde(default)]
    sample: String,
    #[serde(default)]
    intensity: Option<f32>,
    left_eye_x: f32,
    left_eye_y: f32,
    right_eye_x: f32,
    right_eye_y: f32,
}

/// Reads every person of a paired set.
///
/// Pictures whose expression is not among `classes` are left out.
///
/// # Errors
/// [`TrainError`] that names the file that is missing or cannot be read.
pub fn read(root: &Path, classes: &[String]) -> Result<Vec<Person>, TrainError> {
    let rows = read_manifest(&root.join("manifest.csv"))?;
    let mut pictures = read_archives(root)?;
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    for row in rows {
        // A second photograph of the person: another pose, so no pixel-wise pair of the others.
        if row.sample == "real" {
            continue;
        }
        let Some(expression) = classes.iter().position(|name| *name == row.expression) else {
            continue;
        };
        let bytes = match pictures.remove(&row.file) {
            Some(bytes) => bytes,
            None => read_file(&root.join(&row.file))?,
        };
        let picture = Picture::decode(&bytes).map_err(|source| TrainError::Picture {
            name: row.file.clone(),
            source,
        })?;
        let person = people.entry(row.subject.clone()).or_insert_with(|| Person {
            subject: row.subject.clone(),
            source: row.source.clone(),
            faces: classes.iter().map(|_| Vec::new()).collect(),
        });
        person.faces[expression].push(PersonFace {
            picture,
            expression,
            intensity: row.intensity.unwrap_or(1.0),
            left_eye: Point {
                x: row.left_eye_x,
                y: row.left_eye_y,
            },
            right_eye: Point {
                x: row.right_eye_x,
                y: row.right_eye_y,
            },
        });
    }
    Ok(people.into_values().collect())
}

fn read_manifest(path: &Path) -> Result<Vec<Row>, TrainError> {
    let bytes = read_file(path)?;
    csv::Reader::from_reader(bytes.as_slice())
        .deserialize()
        .enumerate()
        .map(|(index, row)| {
            row.map_err(|error| TrainError::Table {
                path: path.to_owned(),
                line: index + 2,
                what: error.to_string(),
            })
        })
        .collect()
}

/// The files of every tar beside the manifest, by the manifest's names.
fn read_archives(root: &Path) -> Result<HashMap<String, Vec<u8>>, TrainError> {
    let mut files = HashMap::new();
    let error = |source| TrainError::Read {
        path: root.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(root).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path.extension().is_some_and(|extension| extension == "tar") {
            for_each_in_tar(&path, |name, bytes| {
                files.insert(name.to_string_lossy().into_owned(), bytes);
            })?;
        }
    }
    Ok(files)
}
