//! Data sets: a folder of faces in one of the known layouts becomes a [`Dataset`]. Native only.
//!
//! [`open`] recognises the layout, reads the pictures, finds the faces and says what it skipped;
//! one module a layout.

mod authors;
mod bu4dfe;
mod cache;
mod ck_plus;
pub mod controls;
pub mod crop;
mod cut;
mod dataset;
mod error;
pub mod expressions;
mod fer2013;
mod ferplus;
mod files;
pub mod flow;
mod folders;
mod folds;
mod listing;
#[cfg(test)]
pub(crate) mod made;
mod mmi;
mod oulu_casia;
mod paired;
pub mod shown;
mod skipped;
pub mod strip;
pub mod validation_split;
mod votes;

pub use crop::Augmentation;
pub use error::DataError;
pub use files::digest;
pub use folds::{Folding, folds};
pub use shown::neutral;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::GrayImage;

use clap::ValueEnum;
use serde::Serialize;

pub use flow::Flow;

use crate::face::Point;
use crate::picture::Picture;

/// Official part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize)]
#[value(rename_all = "lower")]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What a network learns from.
    Train,
    /// What is reported while a network is made.
    Validation,
    /// What is reported once.
    Test,
}

impl Split {
    /// All parts.
    pub const ALL: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

    /// `train`, `validation` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        }
    }
}

/// How the files of a data set are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize)]
#[value(rename_all = "lower")]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `fer2013new.csv` beside `FER2013Train`, `FER2013Valid`, `FER2013Test` (folders or tars).
    FerPlus,
    /// FER2013's official `fer2013.csv` or `icml_face_data.csv`, or `train/` and `test/` folders by
    /// expression; with FER+'s votes where `fer2013new.csv` lies beside the table.
    Fer2013,
    /// CK+: `cohn-kanade-images/` and `Emotion/`.
    CkPlus,
    /// Oulu-CASIA: `OriginalImg/VL/Strong/P001/Anger/000.jpeg`.
    OuluCasia,
    /// MMI: `Sessions/171/` with its annotations and the frames of its video.
    Mmi,
    /// BU-4DFE: `F001/Angry/000.jpg`.
    Bu4dFe,
    /// The authors' own of 2021: `SUBJECT/EXPRESSION/*.png`.
    Authors,
    /// A folder for each expression.
    Folders,
    /// `manifest.csv`: the same subject with several expressions.
    Paired,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Layout::FerPlus => "FER+",
            Layout::Fer2013 => "FER2013",
            Layout::CkPlus => "CK+",
            Layout::OuluCasia => "Oulu-CASIA",
            Layout::Mmi => "MMI",
            Layout::Bu4dFe => "BU-4DFE",
            Layout::Authors => "the authors' layout",
            Layout::Folders => "a folder an expression",
            Layout::Paired => "a paired set",
        })
    }
}

/// Source of the faces that a network drew, see [`crate::enlarge`].
pub const SYNTHETIC: &str = "synthetic";

/// Where a face lies in its picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CropRegion {
    /// Eyes are known: the subject's left and right eye, in pixels of the picture.
    Eyes(Point, Point),
    /// The picture is the face.
    Whole,
}

/// One face of a data set.
#[derive(Debug, Clone)]
pub struct Face {
    /// Path inside the data set, with `/`.
    pub name: String,
    /// Subject; none where the data set does not say. Never in two folds.
    pub subject: Option<String>,
    /// Which collection the picture comes from, where a set is made of several; else empty.
    pub source: String,
    /// Share of each of the data set's classes, `[E]`; sums to 1.
    pub label: Vec<f32>,
    /// The class that the face counts as; none where votes have no majority.
    pub class: Option<usize>,
    /// How strong the expression is; 1 is full.
    pub intensity: f32,
    /// What the data set says of the subject or the picture (`sex`, `age`, `skin`, ...).
    pub groups: BTreeMap<String, String>,
    /// Where the face lies in `picture`.
    pub crop_region: CropRegion,
    /// The picture, or the part of it that holds the face with room around.
    pub picture: Picture,
    /// SHA-256 of the picture's file, hexadecimal.
    pub digest: String,
    /// The photograph that the picture was drawn from or is; the pictures of one photograph lie pixel
    /// on pixel, others do not. Empty where a set has one photograph a subject.
    pub photo: String,
    /// What the face shows of the set's controls, `[K]`; none where nobody knows.
    pub controls: Option<Vec<f32>>,
    /// The inside of the mouth; none where nobody marked it.
    pub cavity: Option<Cavity>,
    /// Where a drawn face has its pixels from; none where nobody knows.
    pub flow: Option<Flow>,
}

/// The inside of a mouth between the lips' inner edges.
#[derive(Debug, Clone)]
pub struct Cavity {
    /// 255 inside, 0 outside, as large as the picture; none for a mouth that is shut.
    pub map: Option<Arc<GrayImage>>,
    /// Whether a program drew what is inside: then its colours teach nothing.
    pub is_drawn: bool,
}

/// Pictures that were not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Why, in words.
    pub reason: String,
    /// How many.
    pub count: usize,
    /// One of them.
    pub example: String,
}

/// The faces of a folder, in the order of their names.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The folder.
    pub root: PathBuf,
    /// Its layout.
    pub layout: Layout,
    /// Names of the expressions, in the order of the labels.
    pub classes: Vec<String>,
    /// Names of the controls whose values the faces state; empty where the set states none.
    pub controls: Vec<String>,
    /// Whether faces of one subject and source picture lie pixel on pixel, so that a pair of them
    /// is cut by the source's eyes.
    pub pixel_aligned: bool,
    /// The faces.
    pub faces: Vec<Face>,
    /// What was not taken.
    pub skipped: Vec<Skipped>,
}

/// How pictures that are faces already (FER2013's, and others as small) are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, ValueEnum, Serialize)]
#[value(rename_all = "lower")]
#[serde(rename_all = "lowercase")]
pub enum Cut {
    /// The picture is the face.
    #[default]
    Whole,
    /// By the eyes that the detector finds, as the page and the command line do; whole where it
    /// finds no face.
    Eyes,
}

/// How a folder is read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Its layout; recognised where none is given.
    pub layout: Option<Layout>,
    /// The official part; all that are there where none is given.
    pub split: Option<Split>,
    /// How small pictures are cut.
    pub cut: Cut,
    /// Where found faces are kept between calls; `faces` in `$FERSNET_HOME`, or else in
    /// `~/.cache/fersnet`, where none is given.
    pub cache: Option<PathBuf>,
    /// Whether a paired set's further photographs of a subject are read. They carry the group
    /// `sample` = `real` and are no pixel-wise pairs of the other pictures.
    pub real: bool,
}

/// A file of this name says that a folder holds synthetic faces; see [`crate::enlarge`].
pub const SYNTHETIC_NOTE: &str = "SYNTHETIC.txt";

/// Reads the faces of a folder.
///
/// # Errors
/// [`DataError`] that names the path that is missing or cannot be read, and what to do.
pub fn open(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    let layout = match options.layout {
        Some(layout) => layout,
        None => recognise(root)?,
    };
    if options.split.is_some() && !matches!(layout, Layout::FerPlus | Layout::Fer2013) {
        return Err(DataError::NoSplits {
            root: root.to_owned(),
            layout,
        });
    }
    let read = match layout {
        Layout::FerPlus => ferplus::read,
        Layout::Fer2013 => fer2013::read,
        Layout::CkPlus => ck_plus::read,
        Layout::OuluCasia => oulu_casia::read,
        Layout::Mmi => mmi::read,
        Layout::Bu4dFe => bu4dfe::read,
        Layout::Authors => authors::read,
        Layout::Folders => folders::read,
        Layout::Paired => paired::read,
    };
    read(root, options)
}

/// The layout of a folder.
///
/// # Errors
/// [`DataError::NotRecognised`], which lists what was looked for; [`DataError::Read`] when the
/// folder cannot be listed.
pub fn recognise(root: &Path) -> Result<Layout, DataError> {
    // Without its manifest it would pass for photographs of real subjects.
    if root.join(SYNTHETIC_NOTE).exists() && !paired::fits(root) {
        return Err(DataError::Unfinished(root.to_owned()));
    }
    // Those with names of their own first; the plainest last.
    let known = [
        (Layout::FerPlus, ferplus::LOOKED_FOR, ferplus::fits(root)),
        (Layout::Fer2013, fer2013::LOOKED_FOR, fer2013::fits(root)?),
        (Layout::CkPlus, ck_plus::LOOKED_FOR, ck_plus::fits(root)),
        (
            Layout::OuluCasia,
            oulu_casia::LOOKED_FOR,
            oulu_casia::fits(root),
        ),
        (Layout::Mmi, mmi::LOOKED_FOR, mmi::fits(root)),
        (Layout::Paired, paired::LOOKED_FOR, paired::fits(root)),
        (Layout::Bu4dFe, bu4dfe::LOOKED_FOR, bu4dfe::fits(root)?),
        (Layout::Folders, folders::LOOKED_FOR, folders::fits(root)?),
        (Layout::Authors, authors::LOOKED_FOR, authors::fits(root)?),
    ];
    match known.iter().find(|(_, _, fits)| *fits) {
        Some((layout, _, _)) => Ok(*layout),
        None => Err(DataError::NotRecognised {
            root: root.to_owned(),
            looked_for: known
                .map(|(_, looked_for, _)| looked_for.to_owned())
                .to_vec(),
        }),
    }
}

/// Why a picture with a label of this name is skipped.
fn unknown_expression(name: &str) -> String {
    format!(
        "`{name}` is none of the expressions {}",
        expressions::EXPRESSIONS.join(", ")
    )
}
