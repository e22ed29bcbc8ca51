//! The open paired set: the same person with several expressions.
//!
//! `manifest.csv` beside the pictures that it names, `SUBJECT/EXPRESSION/K.jpg`, as folders or in
//! tars. Columns: file, subject, expression, `left_eye_x`, `left_eye_y`, `right_eye_x`,
//! `right_eye_y` (pixels; left is the person's left); source, intensity and sample where there are
//! any. Age and every further column of text (sex, ethnicity, skin, licence, ...) become groups.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;

use super::cut::{self, Found};
use super::expressions::{canonical, index_in, one_hot, those};
use super::left_out::Tally;
use super::{DataError, Dataset, Face, Layout, Options, Place, files};
use crate::face::Point;

const MANIFEST: &str = "manifest.csv";

/// What a folder of this layout holds, in words.
pub(super) const LOOKED_FOR: &str = "a paired set (manifest.csv)";

/// In the column `sample`, and in the group of that name: another photograph of the person.
const REAL: &str = "real";

/// Columns that are no groups, besides those of points.
const OWN_COLUMNS: [&str; 5] = ["file", "subject", "source", "expression", "intensity"];

/// Eyes that differ by more than this, in pixels, are not in one place.
const SAME_PLACE: f32 = 0.5;

#[derive(Deserialize)]
struct Columns {
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

struct Row {
    columns: Columns,
    groups: BTreeMap<String, String>,
}

/// Whether the folder looks like this layout.
pub(super) fn fits(root: &Path) -> bool {
    root.join(MANIFEST).is_file()
}

/// Reads every person. A second photograph of a person is no pixel-wise pair of the others and is
/// left out unless [`Options::real`] asks for it.
pub(super) fn read(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    let path = root.join(MANIFEST);
    if !path.is_file() {
        return Err(DataError::Missing {
            path,
            layout: Layout::Paired,
            what: "the list of its pictures",
        });
    }
    let rows = read_manifest(&path)?;
    let classes = those(|name| {
        rows.iter()
            .any(|row| canonical(&row.columns.expression) == Some(name))
    });
    let mut archives = read_archives(root)?;
    let mut left_out = Tally::default();
    let mut faces = Vec::new();
    for row in rows {
        let name = row.columns.file.clone();
        if row.columns.sample == REAL && !options.real {
            left_out.add(
                "another photograph of the person: no pixel-wise pair",
                &name,
            );
            continue;
        }
        let Some(class) = index_in(&classes, &row.columns.expression) else {
            left_out.add(&super::unknown_expression(&row.columns.expression), &name);
            continue;
        };
        let bytes = match archives.remove(&name) {
            Some(bytes) => bytes,
            None if !root.join(&name).is_file() => {
                left_out.add("manifest.csv names it, but it is not there", &name);
                continue;
            }
            None => files::read(&root.join(&name))?,
        };
        match cut::decode(&bytes) {
            Ok(picture) => faces.push(row.into_face(
                one_hot(class, classes.len()),
                class,
                Found {
                    picture,
                    place: Place::Whole,
                    digest: files::digest(&bytes),
                },
            )),
            Err(reason) => left_out.add(&reason, &name),
        }
    }
    let mut dataset = Dataset::build(root, Layout::Paired, classes, faces, left_out)?;
    dataset.pixel_aligned = eyes_stay(&dataset.faces);
    Ok(dataset)
}

impl Row {
    /// The face at the manifest's eyes.
    fn into_face(self, label: Vec<f32>, class: usize, found: Found) -> Face {
        let columns = self.columns;
        Face {
            subject: Some(columns.subject),
            source: columns.source,
            intensity: columns.intensity.unwrap_or(1.0),
            groups: self.groups,
            place: Place::Eyes(
                Point::new(columns.left_eye_x, columns.left_eye_y),
                Point::new(columns.right_eye_x, columns.right_eye_y),
            ),
            ..Face::new(columns.file, label, Some(class), found)
        }
    }
}

/// Whether each person's eyes are in one place in all pictures but further photographs: only then
/// does the whole picture stay where it is when the expression changes.
fn eyes_stay(faces: &[Face]) -> bool {
    let mut first: HashMap<&Option<String>, Place> = HashMap::new();
    faces
        .iter()
        .filter(|face| {
            face.groups
                .get("sample")
                .is_none_or(|sample| sample != REAL)
        })
        .all(|face| {
            let place = first.entry(&face.subject).or_insert(face.place);
            match (*place, face.place) {
                (Place::Eyes(left, right), Place::Eyes(other_left, other_right)) => {
                    left.distance(other_left) <= SAME_PLACE
                        && right.distance(other_right) <= SAME_PLACE
                }
                _ => false,
            }
        })
}

fn read_manifest(path: &Path) -> Result<Vec<Row>, DataError> {
    let mut reader = files::table(path)?;
    let error = files::table_error(path);
    let headers = reader.headers().map_err(&error)?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(&error)?;
        let columns: Columns = record.deserialize(Some(&headers)).map_err(&error)?;
        let line = record.position().map_or(1, csv::Position::line);
        check(&columns).map_err(|what| DataError::table(path, line, what))?;
        let groups = headers
            .iter()
            .zip(&record)
            .filter(|(column, cell)| is_group(column, cell))
            .map(|(column, cell)| (column.to_owned(), cell.to_owned()))
            .collect();
        rows.push(Row { columns, groups });
    }
    Ok(rows)
}

fn is_group(column: &str, cell: &str) -> bool {
    let own = OWN_COLUMNS.contains(&column);
    !own && !cell.is_empty() && (column == "age" || cell.parse::<f32>().is_err())
}

fn check(columns: &Columns) -> Result<(), &'static str> {
    let left = Point::new(columns.left_eye_x, columns.left_eye_y);
    let right = Point::new(columns.right_eye_x, columns.right_eye_y);
    if columns.file.is_empty() {
        return Err("the name of the file is missing");
    }
    if columns.subject.is_empty() {
        return Err("the subject is missing");
    }
    // A distance that is no number is not above 1 either.
    if left.distance(right).is_finite() && left.distance(right) > 1.0 {
        Ok(())
    } else {
        Err("the eyes are not two places in the picture")
    }
}

/// The files of every tar beside the manifest, by the manifest's names.
fn read_archives(root: &Path) -> Result<HashMap<String, Vec<u8>>, DataError> {
    let mut pictures = HashMap::new();
    for archive in files::files(root, &["tar"])? {
        files::pictures_in_tar(&archive, |path, bytes| {
            pictures.insert(files::name_below(Path::new("."), path), bytes);
        })?;
    }
    Ok(pictures)
}
