//! What a table is made with, and the file that keeps it.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{TableError, Variant};
use crate::data::Dataset;
use crate::enlarge;
use crate::store;
use crate::train::config::RunConfig;

/// Where a table keeps what it is made with.
const FILE: &str = "settings.json";

/// What a table is made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Folds.
    pub folds: usize,
    /// The collections that faces are taken from; all where none is named.
    pub sources: Vec<String>,
    /// Every run's numbers; the variant is set for each.
    pub run: RunConfig,
    /// How FERSNet becomes FERSNet*.
    pub fine_tune: FineTune,
    /// The synthetic faces of FERSNet*.
    pub enlarge: enlarge::Settings,
}

/// How FERSNet is fine-tuned with its synthetic faces.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FineTune {
    /// Length, as a part of the runs before.
    pub length: f64,
    /// Learning rate, as a part of theirs.
    pub rate: f64,
}

impl Default for FineTune {
    /// Half as long again, at a quarter of the rate: the paper gives no numbers.
    fn default() -> Self {
        Self {
            length: 0.5,
            rate: 0.25,
        }
    }
}

/// What lies in the file.
#[derive(Serialize)]
struct Kept<'a> {
    settings: &'a Settings,
    /// SHA-256 over names, subjects and hashes of all faces.
    faces: String,
}

impl Settings {
    pub(super) fn validate(&self) -> Result<(), TableError> {
        self.run.validate()?;
        if self.run.batch.pairs == 0 {
            return Err(TableError::Setting(
                "a table needs pairs, from which redrawing is learnt: set batch.pairs above 0",
            ));
        }
        if self.run.run.start().is_some() {
            return Err(TableError::Setting(
                "the table's networks start from nothing: weights that were trained before may have seen the test; leave run.finetune out",
            ));
        }
        if !self.run.data.portraits.is_empty() {
            return Err(TableError::Setting(
                "a table draws no pairs as it goes: tested subjects could be among the portraits; leave data.portraits out, or draw a set with `fersnet pairs` and give it as --data",
            ));
        }
        let parts = [self.fine_tune.length, self.fine_tune.rate];
        if parts.iter().any(|part| !part.is_finite() || *part <= 0.0) {
            return Err(TableError::Setting(
                "length and rate of the fine-tuning are parts above 0",
            ));
        }
        Ok(())
    }

    /// Takes away the faces of other sources than the chosen ones.
    pub(super) fn choose_sources(&self, data: &mut Dataset) -> Result<(), TableError> {
        let has: BTreeSet<&str> = data.faces.iter().map(|face| face.source.as_str()).collect();
        if let Some(wanted) = self
            .sources
            .iter()
            .find(|name| !has.contains(name.as_str()))
        {
            return Err(TableError::Source {
                wanted: wanted.clone(),
                has: has.into_iter().map(str::to_owned).collect(),
            });
        }
        if !self.sources.is_empty() {
            data.faces
                .retain(|face| self.sources.contains(&face.source));
        }
        Ok(())
    }

    /// The numbers of one network's run from the beginning.
    pub(super) fn run_of(&self, variant: Variant) -> RunConfig {
        let mut run = self.run.clone();
        run.network.variant = variant.network();
        run
    }

    /// The numbers of a run that goes on from weights, which took `steps`. In steps, not in epochs:
    /// with and without synthetic faces it has to be as long.
    pub(super) fn fine_tuning(&self, variant: Variant, start: &Path, steps: usize) -> RunConfig {
        let mut run = self.run_of(variant);
        run.run.steps = (steps as f64 * self.fine_tune.length).ceil() as usize;
        run.run.epochs = 0;
        run.optimiser.rate *= self.fine_tune.rate;
        run.run.finetune = start.to_owned();
        // Synthetic faces are read, never paired: a preset of pairs alone would leave them out.
        run.batch.labelled = run.batch.labelled.max(run.batch.pairs);
        run
    }

    /// Whether a folder holds a table's settings.
    pub(super) fn are_kept(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Keeps them in the table's folder; in an old one, compares them with what is there.
    pub(super) fn keep(&self, data: &Dataset, folder: &Path) -> Result<(), TableError> {
        store::make_folder(folder)?;
        let path = folder.join(FILE);
        let damaged = |error: serde_json::Error| TableError::Damaged {
            path: path.clone(),
            what: error.to_string(),
        };
        let new = serde_json::to_value(Kept {
            settings: self,
            faces: digest(data),
        })
        .map_err(damaged)?;
        if !path.is_file() {
            return Ok(store::write_json(&path, &new)?);
        }
        let old: Value = serde_json::from_slice(&store::read(&path)?).map_err(damaged)?;
        match difference(&with_keys_of_today(old), &new, "") {
            None => Ok(()),
            Some(what) => Err(TableError::Other {
                path: folder.to_owned(),
                what,
            }),
        }
    }
}

/// A file of an older version, its keys under their names of today; unchanged where it does not fit.
fn with_keys_of_today(mut kept: Value) -> Value {
    let settings = kept["settings"].clone();
    let settings = serde_json::from_value::<Settings>(settings).and_then(serde_json::to_value);
    if let Ok(settings) = settings {
        kept["settings"] = settings;
    }
    kept
}

fn digest(data: &Dataset) -> String {
    let mut hash = Sha256::new();
    for face in &data.faces {
        hash.update(format!(
            "{}\n{}\n{}\n",
            face.name,
            face.identity(),
            face.digest
        ));
    }
    format!("{:x}", hash.finalize())
}

/// The first key in which two values differ, with both.
fn difference(old: &Value, new: &Value, key: &str) -> Option<String> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            keys.into_iter().find_map(|name| {
                let of = |object: &serde_json::Map<String, Value>| {
                    object.get(name).cloned().unwrap_or_default()
                };
                let key = if key.is_empty() {
                    name.clone()
                } else {
                    format!("{key}.{name}")
                };
                difference(&of(old), &of(new), &key)
            })
        }
        _ if old == new => None,
        _ => Some(format!("{key} ({old}, not {new})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_named_with_its_tables() {
        let value = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let old = value(r#"{"a": 1, "b": {"c": 2, "d": [1]}}"#);
        assert_eq!(difference(&old, &old, ""), None);
        let new = value(r#"{"a": 1, "b": {"c": 3, "d": [1]}}"#);
        let what = difference(&old, &new, "");
        assert_eq!(what.as_deref(), Some("b.c (2, not 3)"));
    }
}
