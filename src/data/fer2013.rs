//! FER2013 in its official forms: one table with the pixels, or folders by expression.
//!
//! `fer2013.csv` or `icml_face_data.csv` with the columns emotion, pixels and Usage. Where
//! `fer2013new.csv` lies beside it, FER+'s votes take the place of the labels: its rows are those
//! of the table, in the same order. Or `train/angry/*.jpg`, `test/angry/*.jpg` (and
//! `validation/`), whose file names FER+'s table does not know, so that the folders label them.

use std::path::{Path, PathBuf};

use image::RgbImage;

use super::cut::{Cutter, Kind};
use super::expressions::{EXPRESSIONS, holds_expressions, index_in, one_hot};
use super::listing::{Common, Listing};
use super::skipped::Tally;
use super::votes::{self, split_of_usage};
use super::{DataError, Dataset, Face, Layout, Options, Split, files};
use crate::picture::Picture;

/// What a folder of this layout holds, in words.
pub(super) const LOOKED_FOR: &str =
    "FER2013 (fer2013.csv or icml_face_data.csv; or train/ and test/ by expression)";

/// Names of the table.
const TABLES: [&str; 2] = ["fer2013.csv", "icml_face_data.csv"];

/// The expressions by the table's numbers.
const CLASSES: [&str; 7] = [
    "anger",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
    "neutral",
];

/// Side of the pictures.
const SIDE: u32 = 48;

fn table(root: &Path) -> Option<PathBuf> {
    TABLES
        .map(|name| root.join(name))
        .into_iter()
        .find(|path| path.is_file())
}

/// Names that the folder of a part has.
fn folder_names(split: Split) -> &'static [&'static str] {
    match split {
        Split::Train => &["train"],
        Split::Validation => &["validation", "valid", "val"],
        Split::Test => &["test"],
    }
}

fn part_folder(root: &Path, split: Split) -> Option<PathBuf> {
    let names = folder_names(split).iter();
    names.map(|name| root.join(name)).find(|dir| dir.is_dir())
}

/// Whether the folder looks like this layout.
pub(super) fn fits(root: &Path) -> Result<bool, DataError> {
    if table(root).is_some() {
        return Ok(true);
    }
    for split in Split::ALL {
        if let Some(dir) = part_folder(root, split)
            && holds_expressions(&dir)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads the part that is asked for, or all that are there.
pub(super) fn read(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    match table(root) {
        Some(path) => read_table(root, &path, options),
        None => read_folders(root, options),
    }
}

fn read_folders(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    let mut listing = Listing::new(root, Layout::Fer2013);
    let wanted = Split::ALL
        .into_iter()
        .filter(|split| options.split.is_none_or(|wanted| wanted == *split));
    let parts: Vec<_> = wanted
        .filter_map(|split| Some((split, part_folder(root, split)?)))
        .collect();
    if parts.is_empty() {
        let split = options.split.unwrap_or(Split::Train);
        return Err(DataError::MissingSplit {
            first: root.join(TABLES[0]),
            second: root.join(folder_names(split)[0]),
        });
    }
    for (split, dir) in parts {
        for (expression, pictures) in listing.expression_folders(&dir)? {
            let common = Common {
                subject: None,
                expression,
                group: Some(("split", split.name())),
            };
            listing.take(pictures, common);
        }
    }
    listing.read(CLASSES.map(str::to_owned).to_vec(), Kind::BySize, options)
}

/// Where the table has its columns.
struct Columns {
    label: usize,
    pixels: usize,
    usage: usize,
}

impl Columns {
    fn of(path: &Path, headers: &csv::StringRecord) -> Result<Self, DataError> {
        let column = |name: &str| {
            let found = headers.iter().position(|header| header == name);
            found.ok_or_else(|| DataError::table(path, 1, format!("the column {name} is missing")))
        };
        Ok(Self {
            label: column("emotion")?,
            pixels: column("pixels")?,
            usage: column("Usage")?,
        })
    }
}

fn read_table(root: &Path, path: &Path, options: &Options) -> Result<Dataset, DataError> {
    let voted = root.join(votes::TABLE);
    let votes = voted.is_file().then(|| votes::read(&voted)).transpose()?;
    let classes = match votes {
        Some(_) => EXPRESSIONS.map(str::to_owned).to_vec(),
        None => CLASSES.map(str::to_owned).to_vec(),
    };
    let mut cutter = Cutter::new(options);
    let mut faces = Vec::new();
    let mut skipped = Tally::default();
    let mut reader = files::table(path)?;
    let error = files::table_error(path);
    let columns = Columns::of(path, reader.headers().map_err(&error)?)?;
    for (index, record) in reader.records().enumerate() {
        let row = Row::read(path, &columns, &record.map_err(&error)?)?;
        let voted_row = match &votes {
            Some(rows) => Some(same_row(&voted, rows, index, row.split)?),
            None => None,
        };
        if options.split.is_some_and(|split| split != row.split) {
            continue;
        }
        // As FER+ names the pictures.
        let name = format!("fer{index:07}.png");
        match row.label(&classes, voted_row) {
            Ok((label, class)) => {
                let found = cutter.cut_face(path, row.picture(), files::digest(&row.pixels))?;
                let face = Face::new(name, label, class, found);
                faces.push(face.with_group("split", row.split.name()));
            }
            Err(reason) => skipped.add(reason, &name),
        }
    }
    Dataset::build(root, Layout::Fer2013, classes, faces, skipped)
}

/// FER+'s row for a row of the table; they have to be of one part.
fn same_row<'a>(
    path: &Path,
    rows: &'a [votes::Row],
    index: usize,
    split: Split,
) -> Result<&'a votes::Row, DataError> {
    rows.get(index)
        .filter(|row| row.split == split)
        .ok_or_else(|| {
            let what = "the rows are not those of FER2013's table, in its order";
            DataError::table(path, index as u64 + 2, what)
        })
}

/// One row of the table.
struct Row {
    split: Split,
    class: usize,
    pixels: Vec<u8>,
}

impl Row {
    fn read(path: &Path, columns: &Columns, record: &csv::StringRecord) -> Result<Self, DataError> {
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let wrong = |what: String| {
            let line = record.position().map_or(1, csv::Position::line);
            DataError::table(path, line, what)
        };
        let usage = cell(columns.usage);
        let label = cell(columns.label);
        let pixels: Result<Vec<u8>, _> = cell(columns.pixels)
            .split_ascii_whitespace()
            .map(str::parse)
            .collect();
        Ok(Self {
            split: split_of_usage(usage).ok_or_else(|| wrong(votes::unknown_usage(usage)))?,
            class: label
                .parse()
                .ok()
                .filter(|class| *class < CLASSES.len())
                .ok_or_else(|| wrong(format!("`{label}` is not a label from 0 to 6")))?,
            pixels: pixels
                .ok()
                .filter(|pixels| pixels.len() == (SIDE * SIDE) as usize)
                .ok_or_else(|| wrong(format!("the pixels are not {SIDE} x {SIDE} of 0 to 255")))?,
        })
    }

    /// Label and class by FER+'s votes where there are any, or why the picture is skipped.
    fn label(
        &self,
        classes: &[String],
        votes: Option<&votes::Row>,
    ) -> Result<(Vec<f32>, Option<usize>), &'static str> {
        match votes {
            Some(row) if row.name.is_none() => Err(votes::WITHDRAWN),
            Some(row) => votes::tally(row.votes).ok_or(votes::NO_EXPRESSION),
            None => {
                let class = index_in(classes, CLASSES[self.class]).unwrap_or(self.class);
                Ok((one_hot(class, classes.len()), Some(class)))
            }
        }
    }

    fn picture(&self) -> Picture {
        let image = RgbImage::from_fn(SIDE, SIDE, |x, y| {
            image::Rgb([self.pixels[(y * SIDE + x) as usize]; 3])
        });
        Picture::from(image)
    }
}
