//! What a run's folder says of how it came about: its numbers, the program, the faces; and the batch
//! on which it failed.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::TrainError;
use super::batch::Batch;
use super::config::RunConfig;
use super::stored::safetensors_file;
use crate::data::{Dataset, Skipped, digest};
use crate::store::{self, COMMIT};
use crate::tensor_file::f32_bytes;

/// The run's numbers, which `--preset` takes as they are.
const CONFIG: &str = "config.toml";

/// The program and the device.
const PROGRAM: &str = "run.json";

/// The data sets in short.
const DATA: &str = "data.json";

/// Every face with its hash.
const FACES: &str = "faces.csv";

/// Names of a bad batch that its error tells.
const NAMES_TOLD: usize = 3;

#[derive(Serialize)]
struct Program<'a> {
    version: &'a str,
    commit: &'a str,
    device: &'a str,
    config: &'a RunConfig,
}

/// The data of a run in short.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// SHA-256 of `faces.csv`.
    pub digest: String,
    /// The data sets.
    pub sets: Vec<SetManifest>,
    /// `faces.csv`: set, use, name and SHA-256 of each face.
    #[serde(skip)]
    faces: String,
}

/// One data set in short.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct SetManifest {
    /// The folder, as it was given.
    pub root: PathBuf,
    /// Its layout.
    pub layout: String,
    /// Its expressions, as the network's.
    pub classes: Vec<String>,
    /// Faces that the network learns from.
    pub training: usize,
    /// Faces of the validation split.
    #[serde(alias = "held_out")]
    pub validation: usize,
    /// Pictures that were not taken, and why.
    #[serde(rename = "left_out")]
    pub skipped: Vec<String>,
}

/// The numbers of the run in a folder, nothing left open.
///
/// # Errors
/// [`TrainError`] when there is none, or it is damaged.
pub fn read_config(folder: &Path) -> Result<RunConfig, TrainError> {
    let path = folder.join(CONFIG);
    let text = String::from_utf8_lossy(&store::read(&path)?).into_owned();
    toml::from_str(&text).map_err(|error| TrainError::Checkpoint {
        path,
        what: error.to_string(),
    })
}

/// Writes a run's numbers into its folder; in an old one, compares them with what is there.
///
/// A run may be given more steps and save at others; all else would make it another run.
///
/// # Errors
/// [`TrainError::Checkpoint`] that names the key which differs.
pub fn keep_config(folder: &Path, config: &RunConfig, device: &str) -> Result<(), TrainError> {
    let path = folder.join(CONFIG);
    let damaged = |what: String| TrainError::Checkpoint {
        path: path.clone(),
        what,
    };
    if path.is_file() {
        let old = read_config(folder)?;
        if let Some(difference) = difference(&old, config) {
            return Err(TrainError::Checkpoint {
                path: folder.to_owned(),
                what: format!("this run was begun with {difference}"),
            });
        }
    }
    let text = toml::to_string(config).map_err(|error| damaged(error.to_string()))?;
    store::write(&path, text.as_bytes())?;
    let program = Program {
        version: env!("CARGO_PKG_VERSION"),
        commit: COMMIT,
        device,
        config,
    };
    Ok(store::write_json(&folder.join(PROGRAM), &program)?)
}

/// The first key in which two runs differ, with both values.
fn difference(old: &RunConfig, new: &RunConfig) -> Option<String> {
    let comparable = |config: &RunConfig| {
        let mut config = config.clone();
        (config.run.steps, config.run.epochs) = (0, 0);
        (config.run.checkpoint_every, config.run.sheet_every) = (0, 0);
        config.run.licence.clear();
        config.painter.adversarial_steps = 0;
        Table::try_from(config).unwrap_or_default()
    };
    let (old, new) = (comparable(old), comparable(new));
    // An option that is off is not written: the keys of either may be missing in the other.
    let tables: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for table in tables {
        let [old, new] = [&old, &new].map(|run| run.get(table).and_then(Value::as_table));
        let keys: BTreeSet<&String> = [old, new]
            .into_iter()
            .flatten()
            .flat_map(Table::keys)
            .collect();
        for key in keys {
            let [before, now] = [old, new].map(|values| values.and_then(|values| values.get(key)));
            if before != now {
                let text = |value: Option<&Value>| {
                    value.map_or_else(|| "nothing".into(), Value::to_string)
                };
                let (before, now) = (text(before), text(now));
                return Some(format!("{table}.{key} = {before}, not {now}"));
            }
        }
    }
    None
}

impl Manifest {
    /// Of the training and the validation faces of the same data sets.
    pub fn new(train: &[impl Borrow<Dataset>], validation: &[Dataset]) -> Self {
        let mut faces = String::from("set,use,name,sha256\n");
        let mut sets = Vec::new();
        let train = train.iter().map(Borrow::borrow);
        for (index, (train, validation)) in train.zip(validation).enumerate() {
            for (usage, set) in [("training", train), ("held out", validation)] {
                for face in &set.faces {
                    // The use and the quotes are as older versions wrote them: the bytes decide whether a run may go on.
                    // Every name is quoted, which csv's writer would do only where needed: a run
                    // that was begun before goes on only with the same bytes.
                    let name = face.name.replace('"', "\"\"");
                    let digest = &face.digest;
                    faces.push_str(&format!("{index},{usage},\"{name}\",{digest}\n"));
                }
            }
            sets.push(SetManifest {
                root: train.root.clone(),
                layout: train.layout.to_string(),
                classes: train.classes.clone(),
                training: train.faces.len(),
                validation: validation.faces.len(),
                skipped: train.skipped.iter().map(in_words).collect(),
            });
        }
        Self {
            digest: digest(faces.as_bytes()),
            sets,
            faces,
        }
    }

    /// Compares the faces with those that a run in this folder was begun with, if there is one.
    ///
    /// # Errors
    /// [`TrainError::OtherData`] when they differ.
    pub fn check(&self, folder: &Path) -> Result<(), TrainError> {
        let path = folder.join(DATA);
        if !path.is_file() {
            return Ok(());
        }
        let old: Self = serde_json::from_slice(&store::read(&path)?).map_err(|error| {
            TrainError::Checkpoint {
                path: path.clone(),
                what: error.to_string(),
            }
        })?;
        if old.digest == self.digest {
            Ok(())
        } else {
            Err(TrainError::OtherData {
                path: folder.to_owned(),
            })
        }
    }

    /// Writes the faces into a run's folder.
    ///
    /// # Errors
    /// [`TrainError::Store`].
    pub fn keep(&self, folder: &Path) -> Result<(), TrainError> {
        store::write(&folder.join(FACES), self.faces.as_bytes())?;
        Ok(store::write_json(&folder.join(DATA), self)?)
    }
}

/// Keeps the batch of a step whose loss is no number: its tensors and the names of its faces.
pub fn keep_bad_batch(folder: &Path, batch: &Batch, error: TrainError) -> TrainError {
    let TrainError::NotANumber { step, .. } = &error else {
        return error;
    };
    let kept = folder.join(format!("bad-batch-{step}"));
    match write_batch(&kept, batch) {
        Ok(()) => TrainError::BadBatch {
            source: Box::new(error),
            names: batch.names[..batch.names.len().min(NAMES_TOLD)].join(", "),
            batch: kept,
        },
        Err(unwritten) => unwritten,
    }
}

fn write_batch(folder: &Path, batch: &Batch) -> Result<(), TrainError> {
    store::make_folder(folder)?;
    let shape = batch.shape;
    let (rows, drawn) = (shape.rows(), shape.pairs + shape.unpaired);
    let width = |values: &[f32], rows: usize| values.len() / rows.max(1);
    let classes = width(&batch.labels, rows);
    let (units, targets) = (width(&batch.shown.units, rows), width(&batch.wanted, drawn));
    let faces = |count: usize| vec![count, 3, shape.size, shape.size];
    let tensors = [
        ("faces", faces(rows), &batch.faces),
        ("labels", vec![rows, classes], &batch.labels),
        ("label_weights", vec![rows], &batch.label_weights),
        ("targets", faces(shape.pairs), &batch.targets),
        ("wanted", vec![drawn, targets], &batch.wanted),
        ("units", vec![rows, units], &batch.shown.units),
        (
            "cavities",
            vec![shape.pairs, 1, shape.size, shape.size],
            &batch.shown.cavities,
        ),
    ]
    .map(|(name, shape, values)| (name.to_owned(), shape, f32_bytes(values)));
    let tensors = safetensors_file(&tensors)?;
    store::write(&folder.join("batch.safetensors"), &tensors)?;
    Ok(store::write_json(&folder.join("names.json"), &batch.names)?)
}

fn in_words(skipped: &Skipped) -> String {
    let Skipped {
        reason,
        count,
        example,
    } = skipped;
    format!("{count}: {reason} (such as {example})")
}
