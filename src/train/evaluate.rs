//! How well a network reads labelled faces: accuracy, recall of each class, calibration error.

use burn::tensor::{Device, activation};
use serde::Serialize;

use super::TrainError;
use super::augment::View;
use super::ferplus::{CLASSES, LabelledFace};
use crate::answer::{self, largest};
use crate::network::Network;
use crate::tensor::planar_tensor;

/// Bins of the expected calibration error.
const BINS: usize = 15;

/// Figures over the faces whose votes have a majority.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Number of faces.
    pub n: usize,
    /// Share of faces whose largest probability is the majority's.
    pub accuracy: f64,
    /// Mean of the classes' recalls.
    pub macro_recall: f64,
    /// Expected calibration error, 15 bins.
    pub ece: f64,
    /// Recall and number of faces of each class.
    pub per_class: Vec<ClassFigures>,
}

/// Figures of one class.
#[derive(Debug, Clone, Serialize)]
pub struct ClassFigures {
    /// Name of the expression.
    pub name: String,
    /// Share of its faces that are read as it.
    pub recall: f64,
    /// Number of its faces.
    pub n: usize,
}

/// Probabilities `[E]` of each face at the network's temperature, cut at
/// its place at the given side.
pub fn probabilities(
    network: &Network,
    faces: &[&LabelledFace],
    size: usize,
    batch: usize,
    device: &Device,
) -> Vec<Vec<f32>> {
    let classes = network.config().classes.len();
    let temperature = answer::temperature(network.config());
    let mut all = Vec::with_capacity(faces.len());
    for chunk in faces.chunks(batch) {
        let pixels: Vec<f32> = chunk
            .iter()
            .flat_map(|face| View::plain().cut(&face.picture, face.place, size))
            .collect();
        let x = planar_tensor(pixels, network.config().channels, size, device);
        let logits = network.encode(x, false).logits / temperature;
        let values: Vec<f32> = activation::softmax(logits, 1)
            .into_data()
            .iter::<f32>()
            .collect();
        all.extend(values.chunks_exact(classes).map(<[f32]>::to_vec));
    }
    all
}

/// Evaluates a network on labelled faces.
///
/// # Errors
/// [`TrainError::Classes`] when the network's classes are not FER+'s eight.
pub fn evaluate(
    network: &Network,
    faces: &[LabelledFace],
    size: usize,
    batch: usize,
    device: &Device,
) -> Result<Figures, TrainError> {
    let (probabilities, labels) = judged(network, faces, size, batch, device)?;
    Ok(figures(&network.config().classes, &probabilities, &labels))
}

/// Probabilities and true classes of the faces whose votes have a majority.
///
/// # Errors
/// [`TrainError::Classes`] when the network's classes are not FER+'s eight.
pub fn judged(
    network: &Network,
    faces: &[LabelledFace],
    size: usize,
    batch: usize,
    device: &Device,
) -> Result<(Vec<Vec<f32>>, Vec<usize>), TrainError> {
    let columns = class_columns(&network.config().classes)?;
    let judged: Vec<&LabelledFace> = faces
        .iter()
        .filter(|face| face.majority.is_some())
        .collect();
    let labels = judged
        .iter()
        .filter_map(|face| face.majority)
        .map(|majority| columns[majority])
        .collect();
    Ok((probabilities(network, &judged, size, batch, device), labels))
}

/// The network's class of each of FER+'s expressions, by name.
fn class_columns(classes: &[String]) -> Result<Vec<usize>, TrainError> {
    CLASSES
        .iter()
        .map(|name| classes.iter().position(|class| class == name))
        .collect::<Option<Vec<_>>>()
        .filter(|columns| columns.len() == classes.len())
        .ok_or_else(|| TrainError::Classes {
            network: classes.to_vec(),
        })
}

/// Figures from probabilities and true classes.
pub fn figures(classes: &[String], probabilities: &[Vec<f32>], labels: &[usize]) -> Figures {
    let mut right = vec![0_usize; classes.len()];
    let mut total = vec![0_usize; classes.len()];
    let mut bins = vec![(0_usize, 0.0_f64, 0_usize); BINS]; // faces, confidence, right
    for (p, label) in probabilities.iter().zip(labels) {
        let answer = largest(p);
        let hit = usize::from(answer == *label);
        right[*label] += hit;
        total[*label] += 1;
        let confidence = f64::from(p[answer]);
        let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + 1, bin.1 + confidence, bin.2 + hit);
    }
    let n = labels.len();
    let recall = |i: usize| right[i] as f64 / total[i].max(1) as f64;
    let seen: Vec<usize> = (0..classes.len()).filter(|i| total[*i] > 0).collect();
    Figures {
        n,
        accuracy: right.iter().sum::<usize>() as f64 / n.max(1) as f64,
        macro_recall: seen.iter().map(|i| recall(*i)).sum::<f64>() / seen.len().max(1) as f64,
        ece: bins
            .iter()
            .map(|(_, confidence, hits)| (confidence - *hits as f64).abs())
            .sum::<f64>()
            / n.max(1) as f64,
        per_class: classes
            .iter()
            .enumerate()
            .map(|(i, name)| ClassFigures {
                name: name.clone(),
                recall: recall(i),
                n: total[i],
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_count_hits_by_class_and_the_gap_between_confidence_and_hits() {
        let classes = ["a".to_owned(), "b".to_owned()];
        let probabilities = [vec![0.9, 0.1], vec![0.7, 0.3], vec![0.2, 0.8]];
        let figures = figures(&classes, &probabilities, &[0, 1, 1]);
        assert!((figures.accuracy - 2.0 / 3.0).abs() < 1e-9);
        assert!((figures.macro_recall - 0.75).abs() < 1e-9);
        // Three bins with one face each: gaps 0.1, 0.7 and 0.2.
        assert!((figures.ece - 1.0 / 3.0).abs() < 1e-6);
    }
}
