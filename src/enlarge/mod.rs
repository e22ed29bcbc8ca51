//! A data set of synthetic faces: a network redraws the faces of a data set, and those that other
//! networks read as what they were to show are kept. Native only.
//!
//! `propose` lists what may be drawn, `draw` draws it, [`keep`] says what is kept,
//! `write` makes the folder.
//!
//! A synthetic face keeps its subject: whoever divides the data by subjects has it on the same side as
//! the photographs of that subject.

mod draw;
pub mod keep;
mod propose;
mod write;

pub use keep::Rule;
pub use write::CONFIG;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::{Augmentation, DataError, Dataset};
use crate::mark::MarkError;
use crate::network::InferenceNetwork;
use draw::Drawer;
use write::Folder;

/// Synthetic faces of the paper's FERSNet*.
pub const COUNT: usize = 21_000;

/// Faces that are drawn at most for each one that is wanted, where nothing else is asked for: an
/// expression that the network cannot draw does not hold up the others for ever.
pub const TRIES: usize = 8;

/// Faces that are drawn at a time.
const BATCH: usize = 64;

/// Why there are no synthetic faces.
#[derive(Debug, Error)]
pub enum EnlargeError {
    /// The network only reads.
    #[error("these weights read expressions but redraw no face; choose weights of another variant")]
    NoSynthesis,
    /// A network of the ensemble answers for other expressions.
    #[error(
        "{name} answers for {}, the drawing network for {}: an ensemble has to know the same expressions in the same order", has.join(", "), wanted.join(", ")
    )]
    Classes {
        /// The network.
        name: String,
        /// Its expressions.
        has: Vec<String>,
        /// Those of the drawing network.
        wanted: Vec<String>,
    },
    /// A number of the settings is out of range.
    #[error("{0}")]
    Setting(&'static str),
    /// The folder is not empty.
    #[error("{} is there already and is not empty; name a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// Nothing was kept.
    #[error(
        "of {proposed} faces that were drawn, none was read as what it was to show; train the network for longer, or lower the threshold"
    )]
    NothingKept {
        /// Faces that were drawn.
        proposed: usize,
    },
    /// The device was lost or ran out of memory.
    #[error(
        "the device did not answer ({0}); give the command again, with --device cpu if it stays so"
    )]
    Device(String),
    /// A network's scores are not numbers.
    #[error(
        "{0} answers with scores that are not numbers: the file is damaged, or its training diverged"
    )]
    NotFinite(String),
    /// A file cannot be written.
    #[error("cannot write {}: {source}; make room there, or name another folder", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A picture cannot be marked.
    #[error(transparent)]
    Mark(#[from] MarkError),
    /// The data does not fit the network.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// A network with what its file is called and holds.
pub struct Named<'a> {
    /// Name of its file.
    pub name: String,
    /// SHA-256 of its file, hexadecimal.
    pub digest: String,
    /// The network.
    pub network: &'a InferenceNetwork,
}

/// How many faces are made, and which are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Faces to be kept, the same number of each expression.
    pub count: usize,
    /// Faces that are drawn at most for each one that is wanted.
    pub tries: usize,
    /// How the ensemble decides.
    pub rule: Rule,
    /// Probability, at each network's own temperature, that is enough.
    pub threshold: f32,
    /// Seed of the order in which faces are redrawn.
    pub seed: u64,
    /// Side of the face as the networks see it, in pixels.
    pub size: usize,
    /// How the networks' training faces were augmented: decides the part of an aligned face that they
    /// saw.
    #[serde(alias = "views")]
    pub augmentation: Augmentation,
}

impl Settings {
    fn validate(&self, classes: usize) -> Result<(), EnlargeError> {
        if !(0.0..=1.0).contains(&self.threshold) {
            return Err(EnlargeError::Setting(
                "the threshold is a probability, 0 to 1",
            ));
        }
        if self.tries == 0 {
            return Err(EnlargeError::Setting("at least one try for each face"));
        }
        if self.count < classes {
            return Err(EnlargeError::Setting(
                "the count has to be at least one face for each expression",
            ));
        }
        Ok(())
    }
}

/// What became of the faces of one expression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Faces that were drawn.
    pub proposed: usize,
    /// Faces that were kept.
    pub kept: usize,
}

/// What became of the faces, by expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// By the expression that was to be shown.
    pub classes: BTreeMap<String, Tally>,
}

impl Summary {
    /// Faces that were kept.
    pub fn kept(&self) -> usize {
        self.classes.values().map(|tally| tally.kept).sum()
    }

    fn proposed(&self) -> usize {
        self.classes.values().map(|tally| tally.proposed).sum()
    }
}

/// Redraws faces of `data` with `drawer` until each expression has its share of the count or has used
/// up its tries, and writes those that the ensemble reads as intended into the folder `out`, as a
/// paired data set. None when `stop` was set: the folder is then no data set.
///
/// An empty ensemble stands for the drawing network alone.
///
/// # Errors
/// [`EnlargeError`] when networks and data do not fit, nothing is kept or the folder cannot be
/// written.
pub fn enlarge(
    data: Dataset,
    drawer: &Named<'_>,
    ensemble: &[Named<'_>],
    settings: &Settings,
    out: &Path,
    device: &Device,
    stop: &AtomicBool,
) -> Result<Option<Summary>, EnlargeError> {
    let classes = &drawer.network.config().classes;
    settings.validate(classes.len())?;
    if !drawer.network.config().synthesises() {
        return Err(EnlargeError::NoSynthesis);
    }
    let evaluators = if ensemble.is_empty() {
        std::slice::from_ref(drawer)
    } else {
        ensemble
    };
    for evaluator in evaluators {
        let has = &evaluator.network.config().classes;
        if has != classes {
            return Err(EnlargeError::Classes {
                name: evaluator.name.clone(),
                has: has.clone(),
                wanted: classes.clone(),
            });
        }
    }
    let data = data.for_classes(classes)?;
    let mut folder = Folder::create(out, &data)?;
    let drawer_of_faces = Drawer {
        drawer: drawer.network,
        evaluators,
        settings,
        device,
    };
    let mut summary = Summary {
        classes: BTreeMap::new(),
    };
    for (class, name) in classes.iter().enumerate() {
        let wanted = share(settings.count, classes.len(), class);
        let mut tally = Tally::default();
        let sources = propose::sources(&data, class, settings.seed);
        let tries = wanted.saturating_mul(settings.tries).min(sources.len());
        let mut sources = &sources[..tries];
        while tally.kept < wanted && !sources.is_empty() {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            // Twice as many as are missing: about half are read as intended.
            let count = (2 * (wanted - tally.kept)).min(BATCH).min(sources.len());
            let (now, later) = sources.split_at(count);
            sources = later;
            let faces: Vec<_> = now.iter().map(|index| &data.faces[*index]).collect();
            for drawn in drawer_of_faces.draw(&faces, class)? {
                tally.proposed += 1;
                if tally.kept < wanted && settings.rule.keeps(&drawn.read, settings.threshold) {
                    folder.add(&drawn, name)?;
                    tally.kept += 1;
                }
            }
        }
        summary.classes.insert(name.clone(), tally);
    }
    if summary.kept() == 0 {
        return Err(EnlargeError::NothingKept {
            proposed: summary.proposed(),
        });
    }
    folder.finish(&data.root, drawer, evaluators, settings, &summary)?;
    Ok(Some(summary))
}

/// The faces that one class gets of the count; what does not divide goes to the first classes.
fn share(count: usize, classes: usize, class: usize) -> usize {
    count / classes + usize::from(class < count % classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_differ_by_at_most_one_and_sum_to_the_count() {
        let shares: Vec<usize> = (0..8).map(|class| share(21_003, 8, class)).collect();
        assert_eq!(shares.iter().sum::<usize>(), 21_003);
        assert_eq!((shares[0], shares[7]), (2626, 2625));
    }
}
