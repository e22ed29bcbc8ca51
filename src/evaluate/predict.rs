//! Labelled faces -> what a network says of each.

use std::collections::BTreeMap;

use burn::tensor::{Device, activation};

use super::confusion::Confusion;
use super::{EvaluateError, values};
use crate::answer::argmax;
use crate::data::Face;
use crate::face::Alignment;
use crate::network::FaceNetwork;
use crate::tensor::planar_tensor;

/// Faces that are read at a time.
const BATCH: usize = 64;

/// What a reader says of the faces whose true expression is known; one entry a face in each list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predictions {
    /// The expressions, in the order of the probabilities.
    pub classes: Vec<String>,
    /// Probabilities at temperature 1, `[n][E]`.
    pub probabilities: Vec<Vec<f32>>,
    /// True expression of each face, `[n]`.
    pub labels: Vec<usize>,
    /// Subject of each face, with the source's name where there is one, `[n]`.
    pub subjects: Vec<Option<String>>,
    /// Name of each face in its data set, `[n]`.
    pub names: Vec<String>,
    /// What the data set says of each face, its source included, `[n]`.
    pub groups: Vec<BTreeMap<String, String>>,
}

impl Predictions {
    /// Which faces are read correctly, `[n]`.
    pub fn hits(&self) -> Vec<bool> {
        let answers = self.probabilities.iter().map(|p| argmax(p));
        let pairs = answers.zip(&self.labels);
        pairs.map(|(answer, label)| answer == *label).collect()
    }

    /// How often each expression is read as each.
    pub fn confusion(&self) -> Confusion {
        let mut confusion = Confusion::new(self.classes.len());
        for (p, label) in self.probabilities.iter().zip(&self.labels) {
            confusion.add(*label, argmax(p));
        }
        confusion
    }

    /// The face's labels without its probabilities.
    pub(super) fn add(&mut self, face: &Face, class: usize) {
        self.labels.push(class);
        self.subjects.push(subject_of(face));
        self.names.push(face.name.clone());
        let mut groups = face.groups.clone();
        if !face.source.is_empty() {
            groups.insert("source".to_owned(), face.source.clone());
        }
        self.groups.push(groups);
    }
}

/// A subject's name over all sources.
pub(super) fn subject_of(face: &Face) -> Option<String> {
    let subject = face.subject.as_deref()?;
    Some(format!("{}/{subject}", face.source))
}

/// Reads the faces whose true expression is known, cut at `size` x `size` from the squares that `crop`
/// tells.
///
/// The faces' classes have to be the network's, see [`crate::data::Dataset::for_classes`].
///
/// # Errors
/// [`EvaluateError`] when the classes do not fit, the network's scores are no numbers or the device is
/// lost.
pub fn predict<'a>(
    network: &impl FaceNetwork,
    faces: impl IntoIterator<Item = &'a Face>,
    crop: impl Fn(&Face) -> Alignment,
    size: usize,
    device: &Device,
) -> Result<Predictions, EvaluateError> {
    let config = network.config();
    let mut predictions = Predictions {
        classes: config.classes.clone(),
        ..Default::default()
    };
    let count = config.classes.len();
    let known = faces.into_iter().filter(|face| face.class.is_some());
    for chunk in known.collect::<Vec<_>>().chunks(BATCH) {
        let mut pixels = Vec::with_capacity(chunk.len() * 3 * size * size);
        for face in chunk {
            let class = face.class.filter(|class| *class < count);
            predictions.add(face, class.ok_or(EvaluateError::Classes)?);
            pixels.extend(crop(face).crop_planar(&face.picture, size as u32));
        }
        let x = planar_tensor(pixels, config.channels, size, device); // [batch, k, size, size]
        let probabilities = activation::softmax(network.encode(x, false).logits, 1); // [batch, E]
        let values = values(probabilities)?;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(EvaluateError::NotFinite);
        }
        let rows = values.chunks_exact(count).map(<[f32]>::to_vec);
        predictions.probabilities.extend(rows);
    }
    Ok(predictions)
}
