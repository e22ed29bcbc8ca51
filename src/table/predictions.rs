//! What a network says of a fold's test faces, kept as JSON: from these alone the table is computed.

use std::path::Path;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{TableError, Variant};
use crate::data::{Augmentation, Face};
use crate::evaluate::{Predictions, predict};
use crate::network::weights;
use crate::store;

/// A network's answers on the test faces of a fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfFold {
    /// The network.
    pub variant: Variant,
    /// Names of the expressions, in the order of the probabilities.
    pub classes: Vec<String>,
    /// Wall-clock seconds of its training; of the last call alone where it was stopped in between.
    pub seconds: f64,
    /// The test faces.
    pub faces: Vec<Answer>,
}

/// A network's answer on one face.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Name of the face in its data set.
    pub name: String,
    /// Subject, or the picture itself where nobody says who it is.
    pub subject: String,
    /// True expression.
    pub class: usize,
    /// Probabilities at temperature 1, `[E]`.
    pub probabilities: Vec<f32>,
}

impl OfFold {
    /// Reads the test faces, which have a class, with the weights of a file that were trained with such augmentation
    /// of this size.
    pub(super) fn read_with(
        path: &Path,
        variant: Variant,
        faces: &[&Face],
        (augmentation, size): (Augmentation, usize),
        seconds: f64,
        device: &Device,
    ) -> Result<Self, TableError> {
        let network = weights::load(&store::read(path)?, device)?;
        let crop = |face: &Face| augmentation.crop(face);
        let Predictions {
            probabilities,
            labels,
            ..
        } = predict(&network, faces.iter().copied(), crop, size, device)?;
        let answers = faces.iter().zip(probabilities).zip(labels);
        Ok(Self {
            variant,
            classes: network.config().classes.clone(),
            seconds,
            faces: answers
                .map(|((face, probabilities), class)| Answer {
                    name: face.name.clone(),
                    subject: face.identity().to_owned(),
                    class,
                    probabilities,
                })
                .collect(),
        })
    }

    /// From a file; none where it is not there yet.
    pub(super) fn load(path: &Path) -> Result<Option<Self>, TableError> {
        if !path.is_file() {
            return Ok(None);
        }
        serde_json::from_slice(&store::read(path)?)
            .map(Some)
            .map_err(|error| TableError::Damaged {
                path: path.to_owned(),
                what: error.to_string(),
            })
    }

    pub(super) fn save(&self, path: &Path) -> Result<(), TableError> {
        Ok(store::write_json(path, self)?)
    }

    /// Share of the faces that are read correctly; 0 without faces.
    pub fn accuracy(&self) -> f64 {
        let hits = pooled(std::slice::from_ref(&self)).hits();
        hits.iter().filter(|hit| **hit).count() as f64 / hits.len().max(1) as f64
    }
}

/// The answers of one network on the test faces of all folds, one after the other.
pub(super) fn pooled(folds: &[&OfFold]) -> Predictions {
    let mut pooled = Predictions::default();
    for fold in folds {
        pooled.classes.clone_from(&fold.classes);
        for face in &fold.faces {
            pooled.probabilities.push(face.probabilities.clone());
            pooled.labels.push(face.class);
            pooled.subjects.push(Some(face.subject.clone()));
            pooled.names.push(face.name.clone());
            pooled.groups.push(Default::default());
        }
    }
    pooled
}
