//! The folder of synthetic faces: a paired data set whose pictures and files say that nobody looked
//! like that.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::draw::Drawn;
use super::{EnlargeError, Named, Settings, Summary};
use crate::data::strip::with_strip;
use crate::data::{Dataset, SYNTHETIC, SYNTHETIC_NOTE};
use crate::face::Point;
use crate::face::alignment::{EYE_DISTANCE, EYE_LINE};
use crate::mark::encode_training_jpeg;
use crate::store::{self, COMMIT};

/// How the faces came about.
pub const CONFIG: &str = "enlarge.json";

/// The list of the pictures, which makes the folder a data set: written last.
const MANIFEST: &str = "manifest.csv";

/// From which photograph each picture was made, and how it was read.
const ORIGINS: &str = "origins.csv";

/// JPEG quality: traces of it are weaker than those of the photographs' own.
const QUALITY: u8 = 95;

/// The paired layout's columns before the groups.
const COLUMNS: [&str; 9] = [
    "file",
    "subject",
    "source",
    "expression",
    "intensity",
    "left_eye_x",
    "left_eye_y",
    "right_eye_x",
    "right_eye_y",
];

const ORIGIN_COLUMNS: [&str; 5] = [
    "file",
    "from",
    "from_sha256",
    "from_expression",
    "least_probability",
];

/// Groups of a photograph that are not true of what was made from it.
const NOT_TAKEN: [&str; 3] = ["sample", "split", "recipe"];

const NOTE: &str = "All pictures in this folder are SYNTHETIC: FERSNet redrew the expression of a face. The subjects
never looked like that. Each picture says so in its metadata (IPTC DigitalSourceType) and in a strip
below the face, which training does not see. The terms of the photographs that they were made from
hold for them too. enlarge.json says how they were made and kept, origins.csv from what.
";

/// A folder in the making.
pub(super) struct Folder {
    root: PathBuf,
    /// Names of the expressions, in the order of the labels.
    classes: Vec<String>,
    /// Columns of what is known of the subjects.
    groups: Vec<String>,
    /// Rows of the two tables, the heads first.
    manifest: Vec<Vec<String>>,
    origins: Vec<Vec<String>>,
    count: usize,
}

#[derive(Serialize)]
struct Weights<'a> {
    name: &'a str,
    sha256: &'a str,
}

#[derive(Serialize)]
struct Config<'a> {
    version: &'static str,
    commit: &'static str,
    data: &'a Path,
    drawer: Weights<'a>,
    ensemble: Vec<Weights<'a>>,
    #[serde(flatten)]
    settings: &'a Settings,
    kept: usize,
    #[serde(flatten)]
    summary: &'a Summary,
}

impl<'a> Weights<'a> {
    fn of(named: &'a Named<'_>) -> Self {
        Self {
            name: &named.name,
            sha256: &named.digest,
        }
    }
}

impl Folder {
    /// A new folder for faces made from `data`.
    pub(super) fn create(root: &Path, data: &Dataset) -> Result<Self, EnlargeError> {
        let is_taken = fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some());
        if is_taken {
            return Err(EnlargeError::NotEmpty(root.to_owned()));
        }
        fs::create_dir_all(root).map_err(error(root))?;
        // First of all: a folder that is never finished says what it holds, too.
        let note = root.join(SYNTHETIC_NOTE);
        fs::write(&note, NOTE).map_err(error(&note))?;
        let groups: BTreeSet<&String> = data.faces.iter().flat_map(|f| f.groups.keys()).collect();
        let groups: Vec<String> = groups
            .into_iter()
            .filter(|name| !NOT_TAKEN.contains(&name.as_str()))
            .cloned()
            .collect();
        let columns = COLUMNS.map(str::to_owned).into_iter();
        let manifest = columns.chain(groups.iter().cloned()).collect();
        Ok(Self {
            root: root.to_owned(),
            classes: data.classes.clone(),
            groups,
            manifest: vec![manifest],
            origins: vec![ORIGIN_COLUMNS.map(str::to_owned).to_vec()],
            count: 0,
        })
    }

    /// Writes a face that shows `expression`.
    pub(super) fn add(&mut self, drawn: &Drawn<'_>, expression: &str) -> Result<(), EnlargeError> {
        let face = drawn.source;
        let subject = face.identity();
        // The number makes names differ that lose letters below.
        let file = format!(
            "{}/{}/{:06}.jpg",
            store::folder_name(subject),
            store::folder_name(expression),
            self.count
        );
        let picture = with_strip(&drawn.picture, &drawn.alignment);
        let bytes = encode_training_jpeg(&picture, QUALITY)?;
        let path = self.root.join(&file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(error(parent))?;
        }
        fs::write(&path, bytes).map_err(error(&path))?;
        let eye = |across: f32| {
            let Point { x, y } = drawn
                .alignment
                .picture_from_face(Point::new(across, EYE_LINE));
            [x, y].map(|at| format!("{at:.3}"))
        };
        let text = str::to_owned;
        let mut row = vec![
            file.clone(),
            text(subject),
            text(SYNTHETIC),
            text(expression),
            text("1"),
        ];
        row.extend(eye(0.5 + EYE_DISTANCE / 2.0));
        row.extend(eye(0.5 - EYE_DISTANCE / 2.0));
        let group = |name: &String| face.groups.get(name).cloned().unwrap_or_default();
        row.extend(self.groups.iter().map(group));
        self.manifest.push(row);
        let least = drawn.read.iter().copied().fold(f32::INFINITY, f32::min);
        self.origins.push(vec![
            file,
            face.name.clone(),
            face.digest.clone(),
            self.classes[face.expression()].clone(),
            format!("{least:.4}"),
        ]);
        self.count += 1;
        Ok(())
    }

    /// Makes the folder a data set.
    pub(super) fn finish(
        self,
        data: &Path,
        drawer: &Named<'_>,
        evaluators: &[Named<'_>],
        settings: &Settings,
        summary: &Summary,
    ) -> Result<(), EnlargeError> {
        let config = Config {
            version: env!("CARGO_PKG_VERSION"),
            commit: COMMIT,
            data,
            drawer: Weights::of(drawer),
            ensemble: evaluators.iter().map(Weights::of).collect(),
            settings,
            kept: summary.kept(),
            summary,
        };
        let config = serde_json::to_vec_pretty(&config).map_err(std::io::Error::from);
        for (name, bytes) in [
            (ORIGINS, store::csv(self.origins)),
            (CONFIG, config),
            (MANIFEST, store::csv(self.manifest)),
        ] {
            // The manifest comes last: with it the folder counts as whole.
            let path = self.root.join(name);
            let written = bytes.and_then(|bytes| store::write_whole(&path, &bytes));
            written.map_err(error(&path))?;
        }
        Ok(())
    }
}

fn error(path: &Path) -> impl Fn(std::io::Error) -> EnlargeError {
    let path = path.to_owned();
    move |source| EnlargeError::Write {
        path: path.clone(),
        source,
    }
}
