//! The open paired set: the same subject with several expressions.
//!
//! `manifest.csv` beside the pictures that it names, `SUBJECT/EXPRESSION/K.jpg`, as folders or in
//! tars. Columns: file, subject, expression, `left_eye_x`, `left_eye_y`, `right_eye_x`,
//! `right_eye_y` (pixels; left is the subject's left); source, intensity and sample where there are
//! any. A set may also state, all of it optional:
//!
//! - a column for each control ([`CONTROLS`]) with what the face shows of it; the expression may then be
//!   empty;
//! - `photo`: the photograph that the picture was drawn from or is. Pairs are made within it;
//! - `cavity`: a grey picture of the same size, white between the lips' inner edges; empty for a shut
//!   mouth; and `mouth`: `drawn` where a program drew what is inside;
//! - `flow`, `back` and `flow_from`: where a drawn face's pixels are found in the picture `flow_from`, and
//!   where that picture's are found in it, as [`FlowMap`] stores them;
//! - `mouth_file` and `mouth_cavity`: further files of a picture, see [`crate::pairs`]; not read here.
//!
//! Age and every further column of text (sex, ethnicity, skin, licence, ...) become groups.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use image::GrayImage;
use serde::Deserialize;

use super::controls::CONTROLS;
use super::cut::{self, Found};
use super::expressions::{canonical, index_in, one_hot, those};
use super::flow::{Flow, FlowMap};
use super::skipped::Tally;
use super::{Cavity, CropRegion, DataError, Dataset, Face, Layout, Options, files};
use crate::face::Point;

const MANIFEST: &str = "manifest.csv";

/// What a folder of this layout holds, in words.
pub(super) const LOOKED_FOR: &str = "a paired set (manifest.csv)";

/// In the column `sample`, and in the group of that name: another photograph of the subject.
const REAL: &str = "real";

/// Columns that are no groups, besides those of points.
const OWN_COLUMNS: [&str; 13] = [
    "file",
    "subject",
    "source",
    "expression",
    "intensity",
    "photo",
    "cavity",
    "mouth",
    "flow",
    "back",
    "flow_from",
    "mouth_file",
    "mouth_cavity",
];

/// In the column `mouth`: the inside was drawn by a program.
const DRAWN: &str = "drawn";

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
    #[serde(default)]
    photo: String,
    #[serde(default)]
    cavity: String,
    #[serde(default)]
    mouth: String,
    #[serde(default)]
    flow: String,
    #[serde(default)]
    back: String,
    #[serde(default)]
    flow_from: String,
    left_eye_x: f32,
    left_eye_y: f32,
    right_eye_x: f32,
    right_eye_y: f32,
}

struct Row {
    columns: Columns,
    groups: BTreeMap<String, String>,
    /// Values of the manifest's controls; none where one of them is empty.
    controls: Option<Vec<f32>>,
}

/// The manifest's rows, and the controls that it has columns for.
struct Manifest {
    rows: Vec<Row>,
    controls: Vec<String>,
    /// Whether it says where the mouths' insides are.
    marks_cavities: bool,
}

/// Whether the folder looks like this layout.
pub(super) fn fits(root: &Path) -> bool {
    root.join(MANIFEST).is_file()
}

/// Reads every subject. A second photograph of a subject is no pixel-wise pair of the others and is
/// skipped unless [`Options::real`] asks for it.
pub(super) fn read(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    let path = root.join(MANIFEST);
    if !path.is_file() {
        return Err(DataError::Missing {
            path,
            layout: Layout::Paired,
            what: "the list of its pictures",
        });
    }
    let Manifest {
        rows,
        controls,
        marks_cavities,
    } = read_manifest(&path)?;
    let classes = those(|name| {
        rows.iter()
            .any(|row| canonical(&row.columns.expression) == Some(name))
    });
    let mut archives = read_archives(root)?;
    let mut skipped = Tally::default();
    let mut faces = Vec::new();
    for row in rows {
        let name = row.columns.file.clone();
        if row.columns.sample == REAL && !options.real {
            skipped.add(
                "another photograph of the subject: no pixel-wise pair",
                &name,
            );
            continue;
        }
        // Units of no expression are a target all the same.
        let is_free = row.columns.expression.is_empty() && row.controls.is_some();
        let class = index_in(&classes, &row.columns.expression);
        if class.is_none() && !is_free {
            skipped.add(&super::unknown_expression(&row.columns.expression), &name);
            continue;
        }
        let file = |archived: Option<Vec<u8>>, name: &str| match archived {
            Some(bytes) => Ok(Some(bytes)),
            None if !root.join(name).is_file() => Ok(None),
            None => files::read(&root.join(name)).map(Some),
        };
        let Some(bytes) = file(archives.remove(&name), &name)? else {
            skipped.add("manifest.csv names it, but it is not there", &name);
            continue;
        };
        let picture = match cut::decode(&bytes) {
            Ok(picture) => picture,
            Err(reason) => {
                skipped.add(&reason, &name);
                continue;
            }
        };
        let size = (picture.width(), picture.height());
        let map = row.columns.cavity.as_str();
        let cavity = if map.is_empty() {
            marks_cavities.then_some(None)
        } else {
            // Several pictures may share a map.
            let bytes = file(archives.get(map).cloned(), map)?;
            match bytes.map(|bytes| cavity_map(&bytes, size)) {
                Some(Ok(map)) => Some(Some(Arc::new(map))),
                Some(Err(reason)) => {
                    skipped.add(&format!("its cavity map: {reason}"), &name);
                    continue;
                }
                None => {
                    skipped.add("its cavity map is not there", &name);
                    continue;
                }
            }
        };
        let archived = |name: &str| file(archives.get(name).cloned(), name);
        let flow = match known_flow(&row.columns, archived) {
            Ok(flow) => flow,
            Err(Refused::Set(error)) => return Err(error),
            Err(Refused::Face(reason)) => {
                skipped.add(&reason, &name);
                continue;
            }
        };
        let label = match class {
            Some(class) => one_hot(class, classes.len()),
            None => vec![1.0 / classes.len() as f32; classes.len()],
        };
        let found = Found {
            picture,
            crop_region: CropRegion::Whole,
            digest: files::digest(&bytes),
        };
        let mut face = row.into_face(label, class, found, cavity);
        face.flow = flow;
        faces.push(face);
    }
    let mut dataset = Dataset::build(root, Layout::Paired, classes, faces, skipped)?;
    dataset.controls = controls;
    dataset.pixel_aligned = eyes_stay(&dataset.faces);
    Ok(dataset)
}

/// What a fault costs: the whole set, or one face of it.
enum Refused {
    Set(DataError),
    Face(String),
}

/// The flow that a row names, its maps from `file`.
fn known_flow(
    columns: &Columns,
    file: impl Fn(&str) -> Result<Option<Vec<u8>>, DataError>,
) -> Result<Option<Flow>, Refused> {
    let map = |name: &str| {
        let bytes = file(name).map_err(Refused::Set)?;
        let bytes = bytes.ok_or_else(|| Refused::Face("its flow is not there".to_owned()))?;
        let map = FlowMap::decode(&bytes);
        let map = map.map_err(|reason| Refused::Face(format!("its flow: {reason}")))?;
        Ok(Some(Arc::new(map)))
    };
    let named = |name: &str| if name.is_empty() { Ok(None) } else { map(name) };
    let Some(there) = named(&columns.flow)? else {
        return Ok(None);
    };
    Ok(Some(Flow {
        of: columns.flow_from.clone(),
        there,
        back: named(&columns.back)?,
    }))
}

/// The map of a mouth's inside, which has to be as large as its picture.
fn cavity_map(bytes: &[u8], size: (u32, u32)) -> Result<GrayImage, String> {
    let map = cut::decode(bytes)?;
    if (map.width(), map.height()) != size {
        let (width, height) = (map.width(), map.height());
        return Err(format!(
            "{width} x {height} pixels, the picture has {} x {}",
            size.0, size.1
        ));
    }
    Ok(image::imageops::grayscale(map.as_image()))
}

impl Row {
    /// The face at the manifest's eyes.
    fn into_face(
        self,
        label: Vec<f32>,
        class: Option<usize>,
        found: Found,
        cavity: Option<Option<Arc<GrayImage>>>,
    ) -> Face {
        let columns = self.columns;
        Face {
            subject: Some(columns.subject),
            source: columns.source,
            intensity: columns.intensity.unwrap_or(1.0),
            groups: self.groups,
            crop_region: CropRegion::Eyes(
                Point::new(columns.left_eye_x, columns.left_eye_y),
                Point::new(columns.right_eye_x, columns.right_eye_y),
            ),
            photo: columns.photo,
            controls: self.controls,
            cavity: cavity.map(|map| Cavity {
                map,
                is_drawn: columns.mouth == DRAWN,
            }),
            ..Face::new(columns.file, label, class, found)
        }
    }
}

/// Whether a subject's eyes are in one place in all pictures of one photograph: only then
/// does the whole picture stay where it is when the expression changes.
fn eyes_stay(faces: &[Face]) -> bool {
    let mut first: HashMap<(&Option<String>, &str), CropRegion> = HashMap::new();
    faces
        .iter()
        .filter(|face| {
            face.groups
                .get("sample")
                .is_none_or(|sample| sample != REAL)
        })
        .all(|face| {
            let crop_region = first
                .entry((&face.subject, &face.photo))
                .or_insert(face.crop_region);
            match (*crop_region, face.crop_region) {
                (CropRegion::Eyes(left, right), CropRegion::Eyes(other_left, other_right)) => {
                    left.distance(other_left) <= SAME_PLACE
                        && right.distance(other_right) <= SAME_PLACE
                }
                _ => false,
            }
        })
}

fn read_manifest(path: &Path) -> Result<Manifest, DataError> {
    let mut reader = files::table(path)?;
    let error = files::table_error(path);
    let headers = reader.headers().map_err(&error)?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let control_columns: Vec<(&str, usize)> = CONTROLS
        .iter()
        .filter_map(|name| Some((*name, column(name)?)))
        .collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(&error)?;
        let columns: Columns = record.deserialize(Some(&headers)).map_err(&error)?;
        let line = record.position().map_or(1, csv::Position::line);
        check(&columns).map_err(|what| DataError::table(path, line, what))?;
        let controls = control_values(&control_columns, &record);
        let controls = controls.map_err(|what| DataError::table(path, line, what))?;
        let groups = headers
            .iter()
            .zip(&record)
            .filter(|(column, cell)| is_group(column, cell))
            .map(|(column, cell)| (column.to_owned(), cell.to_owned()))
            .collect();
        rows.push(Row {
            columns,
            groups,
            controls,
        });
    }
    Ok(Manifest {
        rows,
        controls: control_columns
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect(),
        marks_cavities: column("cavity").is_some(),
    })
}

/// The controls of a row; none where a cell is empty.
fn control_values(
    columns: &[(&str, usize)],
    record: &csv::StringRecord,
) -> Result<Option<Vec<f32>>, &'static str> {
    let cells: Vec<&str> = columns
        .iter()
        .map(|(_, index)| record.get(*index).unwrap_or_default())
        .collect();
    if cells.is_empty() || cells.iter().any(|cell| cell.is_empty()) {
        return Ok(None);
    }
    let values = cells.iter().map(|cell| cell.parse::<f32>().ok());
    let values: Option<Vec<f32>> = values
        .map(|value| value.filter(|value| value.is_finite() && *value >= 0.0))
        .collect();
    values
        .map(Some)
        .ok_or("a control is not a number of 0 or more")
}

fn is_group(column: &str, cell: &str) -> bool {
    let own = OWN_COLUMNS.contains(&column) || CONTROLS.contains(&column);
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
