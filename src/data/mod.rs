//! Data sets: a folder of faces in one of the known layouts becomes a [`Dataset`]. Native only.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::face::Point;
use crate::picture::Picture;

/// Official part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// What a network learns from.
    Train,
    /// What is reported while a network is made.
    Validation,
    /// What is reported once.
    Test,
}

/// How the files of a data set are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `fer2013new.csv` beside `FER2013Train`, `FER2013Valid`, `FER2013Test` (folders or tars).
    FerPlus,
    /// FER2013's official `fer2013.csv` or `icml_face_data.csv`, or `train/` and `test/` folders by
    /// expression; with FER+'s votes where `fer2013new.csv` lies beside it.
    Fer2013,
    /// CK+: `cohn-kanade-images/` and `Emotion/`.
    CkPlus,
    /// Oulu-CASIA: `OriginalImg/VL/Strong/P001/Anger/000.jpeg`.
    OuluCasia,
    /// MMI: sessions with their annotations.
    Mmi,
    /// BU-4DFE: `F001/Angry/000.jpg`.
    Bu4dFe,
    /// The authors' own of 2021: `SUBJECT/EXPRESSION/*.png`.
    Authors,
    /// A folder for each expression.
    Folders,
    /// `manifest.csv`: the same person with several expressions.
    Paired,
}

/// Where a face lies in its picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// Eyes are known: the person's left and right eye, in pixels of the picture.
    Eyes(Point, Point),
    /// The picture is the face.
    Whole,
}

/// One face of a data set.
#[derive(Debug, Clone)]
pub struct Face {
    /// Path inside the data set, with `/`.
    pub name: String,
    /// Person; none where the data set does not say. Never in two folds.
    pub subject: Option<String>,
    /// Which collection the picture comes from, where a set is made of several; else empty.
    pub source: String,
    /// Share of each of the data set's classes, `[E]`; sums to 1.
    pub label: Vec<f32>,
    /// The class that the face is judged by; none where votes have no majority.
    pub class: Option<usize>,
    /// How strong the expression is; 1 is full.
    pub intensity: f32,
    /// What the data set says of the person or the picture (`sex`, `age`, `skin`, ...).
    pub groups: BTreeMap<String, String>,
    /// Where the face lies in `picture`.
    pub place: Place,
    /// The picture, or the part of it that holds the face with room around.
    pub picture: Picture,
    /// SHA-256 of the picture's file, hexadecimal.
    pub digest: String,
}

/// Pictures that were not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
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
    /// Whether faces of one subject and source picture lie pixel on pixel, so that a pair of them
    /// is cut by the source's eyes.
    pub pixel_aligned: bool,
    /// The faces.
    pub faces: Vec<Face>,
    /// What was not taken.
    pub left_out: Vec<LeftOut>,
}
