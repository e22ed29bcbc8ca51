//! `--data` and what goes with it: which faces of a data set are evaluated.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use fersnet::data::validation_split::subjects_at;
use fersnet::data::{self, CropRegion, Cut, Dataset, Face, Layout, Options, Split};
use fersnet::evaluate::DataNote;

use crate::failure::Failure;

/// Which faces are evaluated.
#[derive(Args)]
pub struct Faces {
    /// The data set's folder.
    #[arg(long)]
    data: PathBuf,
    /// Its layout; recognised where none is given.
    #[arg(long, value_enum)]
    layout: Option<Layout>,
    /// Its official part, where it has parts: validation where none is given.
    #[arg(long, value_enum)]
    split: Option<Split>,
    /// How pictures that are faces already are cut.
    #[arg(long, value_enum, default_value = "whole")]
    cut: Cut,
    /// Only the subjects that are held out: N/K takes those at N, N + K, ... of each source, sorted
    /// by name. Training holds out 0/10.
    #[arg(long, value_name = "N/K", value_parser = parse_held_out)]
    held_out: Option<(usize, usize)>,
    /// Only these subjects, separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "held_out")]
    subjects: Vec<String>,
}

fn parse_held_out(text: &str) -> Result<(usize, usize), String> {
    let parse = |(n, k): (&str, &str)| Some((n.parse().ok()?, k.parse().ok()?));
    match text.split_once('/').and_then(parse) {
        Some((n, k)) if n < k => Ok((n, k)),
        _ => Err("N/K with N below K, such as 0/10".into()),
    }
}

/// The pictures that training sees: further photographs of a subject do not count when subjects are
/// picked by their place.
fn own_pictures(data: &Dataset) -> Vec<Face> {
    let is_further = |face: &&Face| {
        face.groups
            .get("sample")
            .is_some_and(|sample| sample == "real")
    };
    data.faces
        .iter()
        .filter(|face| !is_further(face))
        .cloned()
        .collect()
}

/// How the faces lie in their pictures.
fn cut_in_words(data: &Dataset) -> String {
    let whole = data
        .faces
        .iter()
        .filter(|face| face.crop_region == CropRegion::Whole)
        .count();
    match data.faces.len() - whole {
        0 => "whole".to_owned(),
        _ if whole == 0 => "by their eyes".to_owned(),
        by_eyes => format!("{by_eyes} by their eyes, {whole} whole"),
    }
}

impl Faces {
    /// The faces, and what they are in words.
    pub fn open(&self) -> Result<(Dataset, DataNote)> {
        let layout = match self.layout {
            Some(layout) => layout,
            None => data::recognise(&self.data)?,
        };
        let has_parts = matches!(layout, Layout::FerPlus | Layout::Fer2013);
        let split = match self.split {
            None if has_parts => Some(Split::Validation),
            given => given,
        };
        let options = Options {
            layout: Some(layout),
            split,
            cut: self.cut,
            // Further photographs say how alike two of one subject are.
            real: true,
            ..Default::default()
        };
        let mut data = data::open(&self.data, &options)?;
        let subjects = self.keep_subjects(&mut data)?;
        let folder = self
            .data
            .canonicalize()
            .unwrap_or_else(|_| self.data.clone());
        let note = DataNote {
            folder: folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            layout: layout.to_string(),
            split: split.map(|split| split.name().to_owned()),
            cut: cut_in_words(&data),
            subjects,
            skipped: Vec::new(),
        };
        Ok((data, note))
    }

    /// Leaves only the subjects that were asked for; says which.
    fn keep_subjects(&self, data: &mut Dataset) -> Result<Option<String>> {
        let (kept, words): (BTreeSet<String>, String) = match self.held_out {
            Some((n, k)) => (
                subjects_at(&own_pictures(data), n, k),
                format!("subjects {n} of every {k}"),
            ),
            None if self.subjects.is_empty() => return Ok(None),
            None => (
                self.subjects.iter().cloned().collect(),
                "named subjects".to_owned(),
            ),
        };
        data.faces.retain(|face| {
            let subject = face.subject.as_ref();
            subject.is_some_and(|subject| kept.contains(subject))
        });
        if data.faces.is_empty() {
            return Err(Failure::Arguments(
                "no face is of these subjects; --held-out and --subjects need data that says who is shown".into(),
            ))
            .with_context(|| format!("{}", self.data.display()));
        }
        Ok(Some(words))
    }
}
