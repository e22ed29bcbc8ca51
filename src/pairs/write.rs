//! The folder of pairs: a paired data set, written portrait by portrait, so that it can be stopped and
//! gone on with.
//!
//! Each finished portrait leaves `parts/ID.json` with its rows or the reason why it was left out; the
//! tables are put together from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::listing::Listed;
use super::plan::{Kind, Shot, Shots, Sizes};
use super::{PairsError, encode};
use crate::data::SYNTHETIC_NOTE;
use crate::data::controls::CONTROLS;
use crate::store::{self, write_whole};

/// What the folder was made of and how.
pub const CONFIG: &str = "pairs.json";

/// The list of the pictures, which makes the folder a data set.
pub(super) const MANIFEST: &str = "manifest.csv";

/// What became of each portrait.
pub const PORTRAITS: &str = "portraits.csv";

const PARTS: &str = "parts";

/// The manifest's columns before the controls.
pub(super) const COLUMNS: [&str; 19] = [
    "file",
    "subject",
    "source",
    "expression",
    "intensity",
    "sample",
    "photo",
    "cavity",
    "mouth",
    "left_eye_x",
    "left_eye_y",
    "right_eye_x",
    "right_eye_y",
    "licence",
    "mouth_file",
    "mouth_cavity",
    "flow",
    "flow_from",
    "back",
];

const NOTE: &str = "Most pictures in this folder are SYNTHETIC: a program moved a face model that was fitted to a
photograph, and drew the photograph anew. The persons never looked like that. Each such picture says
so in its metadata (IPTC DigitalSourceType) and in a strip below the face, which training does not
see. Rows of manifest.csv whose column `sample` is `photo` are the photographs themselves, cut. The
terms of the photographs (column `licence`) hold for all of them. pairs.json says how they were made.
";

/// What decides the bytes of the folder.
#[derive(Serialize)]
pub(super) struct Config<'a> {
    pub version: &'static str,
    pub portraits: String,
    pub model_sha256: &'a str,
    pub recipes_sha256: &'a str,
    #[serde(flatten)]
    pub sizes: &'a Sizes,
}

/// What became of one portrait.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// Name below the folder of portraits.
    pub name: String,
    /// Why it was left out; none where it was not.
    pub left_out: Option<String>,
    /// `opened from closed` or `closed from open`.
    pub kind: String,
    /// The portrait whose teeth it got; empty where none.
    pub teeth: String,
    /// How well it fits, how far its mouth is open, how wide it is as shown and drawn neutral: the last
    /// two in distances of the eyes.
    pub figures: Vec<String>,
    /// Rows of the manifest.
    pub rows: Vec<Vec<String>>,
}

/// A folder in the making.
pub(super) struct Folder {
    root: PathBuf,
    /// Names in the folder, one for each portrait.
    ids: BTreeMap<String, String>,
}

impl Folder {
    /// A new folder, or with `resume` one that was begun with the same settings.
    pub fn open(
        root: &Path,
        listed: &[Listed],
        config: &Config<'_>,
        resume: bool,
    ) -> Result<Self, PairsError> {
        let is_taken = fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some());
        let path = root.join(CONFIG);
        let text = serde_json::to_vec_pretty(config).map_err(std::io::Error::from);
        let text = text.map_err(PairsError::write(&path))?;
        if is_taken && !resume {
            return Err(PairsError::NotEmpty(root.to_owned()));
        }
        if is_taken && fs::read(&path).map_err(PairsError::read(&path))? != text {
            return Err(PairsError::OtherSettings(root.to_owned()));
        }
        fs::create_dir_all(root.join(PARTS)).map_err(PairsError::write(root))?;
        // First of all: a folder that is never finished says what it holds, too.
        for (name, bytes) in [(SYNTHETIC_NOTE, NOTE.as_bytes()), (CONFIG, &text)] {
            let path = root.join(name);
            write_whole(&path, bytes).map_err(PairsError::write(&path))?;
        }
        let mut taken = BTreeSet::new();
        let mut ids = BTreeMap::new();
        for portrait in listed {
            let stem = portrait
                .name
                .rsplit_once('.')
                .map_or(&*portrait.name, |(stem, _)| stem);
            let plain = as_folder(stem);
            // Names may lose letters, and then be equal.
            let mut id = plain.clone();
            let mut number = 2;
            while !taken.insert(id.to_ascii_lowercase()) {
                id = format!("{plain}-{number}");
                number += 1;
            }
            ids.insert(portrait.name.clone(), id);
        }
        Ok(Self {
            root: root.to_owned(),
            ids,
        })
    }

    fn id(&self, name: &str) -> &str {
        self.ids.get(name).map_or("portrait", String::as_str)
    }

    fn part_path(&self, name: &str) -> PathBuf {
        self.root
            .join(PARTS)
            .join(format!("{}.json", self.id(name)))
    }

    /// What became of a portrait, if it was finished before.
    pub fn part(&self, name: &str) -> Option<Part> {
        let bytes = fs::read(self.part_path(name)).ok()?;
        // A damaged one is drawn again.
        let part: Part = serde_json::from_slice(&bytes).ok()?;
        let width = COLUMNS.len() + CONTROLS.len();
        let is_whole = part.name == name && part.rows.iter().all(|row| row.len() == width);
        is_whole.then_some(part)
    }

    /// Notes that a portrait is left out.
    pub fn leave_out(&self, name: &str, reason: String) -> Result<Part, PairsError> {
        self.finish_part(Part {
            name: name.to_owned(),
            left_out: Some(reason),
            ..Part::default()
        })
    }

    /// Writes the pictures of a portrait.
    pub fn add(&self, listed: &Listed, shots: &Shots) -> Result<Part, PairsError> {
        let id = self.id(&listed.name);
        let folder = self.root.join(id);
        fs::create_dir_all(&folder).map_err(PairsError::write(&folder))?;
        let mut rows = Vec::new();
        for (i, shot) in shots.shots.iter().enumerate() {
            rows.push(self.add_shot(listed, shots, shot, id, i)?);
        }
        let portrait = &shots.portrait;
        let neutral = vec![0.0; portrait.model.shapes.len()];
        let width = |units: &[f32]| portrait.mouth(&portrait.posed(units))[0];
        let figures = [
            portrait.fit.rms as f32,
            portrait.opening(),
            width(&portrait.fit.units),
            width(&neutral),
        ];
        self.finish_part(Part {
            name: listed.name.clone(),
            left_out: None,
            kind: match shots.kind {
                Kind::OpenedFromClosed => "opened from closed".to_owned(),
                Kind::ClosedFromOpen => "closed from open".to_owned(),
            },
            teeth: shots.teeth.clone(),
            figures: figures.map(|value| format!("{value:.4}")).to_vec(),
            rows,
        })
    }

    fn add_shot(
        &self,
        listed: &Listed,
        shots: &Shots,
        shot: &Shot,
        id: &str,
        index: usize,
    ) -> Result<Vec<String>, PairsError> {
        let is_drawn = shot.ways.is_some();
        let [face, mouth] = &shot.views;
        let face = encode::face(face, shots.eyes, is_drawn)?;
        let mouth = encode::mouth(mouth, is_drawn)?;
        let write = |ending: &str, bytes: &[u8]| {
            let name = format!("{id}/{index:03}{ending}");
            let path = self.root.join(&name);
            fs::write(&path, bytes).map_err(PairsError::write(&path))?;
            Ok::<String, PairsError>(name)
        };
        let some = |ending: &str, bytes: Option<&Vec<u8>>| match bytes {
            Some(bytes) => write(ending, bytes),
            None => Ok(String::new()),
        };
        let file = write(".jpg", &face.picture)?;
        let cavity = some("-cavity.png", face.cavity.as_ref())?;
        let mouth_file = write("-mouth.jpg", &mouth.picture)?;
        let mouth_cavity = some("-mouth-cavity.png", mouth.cavity.as_ref())?;
        let mut maps = [None, None];
        if let Some([there, back]) = &shot.ways {
            maps = [Some(encode::map(there)?), Some(encode::map(back)?)];
        }
        let flow = some("-flow.png", maps[0].as_ref())?;
        let back = some("-back.png", maps[1].as_ref())?;
        // The photo comes first, and all others were drawn from it.
        let flow_from = if is_drawn {
            format!("{id}/000.jpg")
        } else {
            String::new()
        };
        let model = &shots.portrait.model;
        let [right, left] = shots.eyes;
        let number = |value: f32| format!("{value:.3}");
        let text = |text: &str| text.to_owned();
        let mut row = vec![
            file,
            listed.subject.clone(),
            listed.source.clone(),
            shot.sample.expression.clone().unwrap_or_default(),
            number(shot.sample.intensity),
            if is_drawn {
                index.to_string()
            } else {
                text("photo")
            },
            listed.name.clone(),
            cavity,
            text(if is_drawn { "drawn" } else { "photo" }),
            number(left[0]),
            number(left[1]),
            number(right[0]),
            number(right[1]),
            listed.licence.clone(),
            mouth_file,
            mouth_cavity,
            flow,
            flow_from,
            back,
        ];
        row.extend(CONTROLS.iter().map(|control| {
            let weight = model.shape(control).map_or(0.0, |i| shot.sample.units[i]);
            number(weight)
        }));
        Ok(row)
    }

    fn finish_part(&self, part: Part) -> Result<Part, PairsError> {
        let path = self.part_path(&part.name);
        let bytes = serde_json::to_vec(&part).map_err(std::io::Error::from);
        let bytes = bytes.map_err(PairsError::write(&path))?;
        write_whole(&path, &bytes).map_err(PairsError::write(&path))?;
        Ok(part)
    }

    /// Writes the tables over all finished portraits; with them the folder is a data set.
    pub fn finish(&self, parts: &[Part]) -> Result<(), PairsError> {
        let head = [
            "file",
            "kind",
            "fit_rms",
            "opening",
            "mouth_width",
            "closed_width",
            "teeth",
            "left_out",
        ];
        let mut portraits = vec![head.map(str::to_owned).to_vec()];
        let mut manifest = vec![
            COLUMNS
                .iter()
                .chain(&CONTROLS)
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        ];
        for part in parts {
            let mut row = vec![part.name.clone(), part.kind.clone()];
            row.extend((0..4).map(|i| part.figures.get(i).cloned().unwrap_or_default()));
            row.push(part.teeth.clone());
            row.push(part.left_out.clone().unwrap_or_default());
            portraits.push(row);
            manifest.extend(part.rows.iter().cloned());
        }
        for (name, rows) in [(PORTRAITS, portraits), (MANIFEST, manifest)] {
            // The manifest comes last: with it the folder counts as whole.
            let path = self.root.join(name);
            let bytes = store::csv(rows).map_err(PairsError::write(&path))?;
            write_whole(&path, &bytes).map_err(PairsError::write(&path))?;
        }
        Ok(())
    }
}

/// A name as one folder: it may come from a table, and has slashes.
fn as_folder(name: &str) -> String {
    let name = store::folder_name(name);
    // Beside the folder's own, whatever the letters' case.
    if name.is_empty() || name.eq_ignore_ascii_case(PARTS) {
        return format!("{name}_");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_the_folder_nor_hide_the_parts() {
        assert_eq!(as_folder("../S005 é"), "___S005__");
        assert_eq!(as_folder("Parts"), "Parts_");
    }
}
