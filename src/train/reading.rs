//! How well a network reads the held-out faces: the one place where a run calls the evaluation.

use burn::tensor::{Device, activation};

use super::augment::View;
use super::calibrate;
use super::config::Views;
use super::evaluate::{self, Figures};
use crate::answer::TEMPERATURE_KEY;
use crate::data::{Face, Place};
use crate::network::Network;
use crate::tensor::planar_tensor;

/// Faces that are read at a time.
const BATCH: usize = 64;

/// What the network answers for the held-out faces, and how good that is.
pub struct Reading {
    /// Probabilities of each face, `[faces][E]`, at temperature 1.
    pub probabilities: Vec<Vec<f32>>,
    /// Each face's true class.
    pub labels: Vec<usize>,
    /// Accuracy, recall of each class, calibration error.
    pub figures: Figures,
}

impl Reading {
    /// Reads faces, which have a class, in the view that a run with `views` is judged by.
    pub fn new(
        network: &Network,
        faces: &[&Face],
        views: Views,
        size: usize,
        device: &Device,
    ) -> Self {
        let classes = &network.config().classes;
        let channels = network.config().channels;
        let mut probabilities = Vec::with_capacity(faces.len());
        for chunk in faces.chunks(BATCH) {
            let pixels: Vec<f32> = chunk
                .iter()
                .flat_map(|face| {
                    let view = View::judged(views, face.place == Place::Whole);
                    view.cut(&face.picture, face.place, size)
                })
                .collect();
            let x = planar_tensor(pixels, channels, size, device);
            let values = activation::softmax(network.encode(x, false).logits, 1).into_data();
            let values: Vec<f32> = values.iter::<f32>().collect();
            probabilities.extend(values.chunks_exact(classes.len()).map(<[f32]>::to_vec));
        }
        let labels: Vec<usize> = faces.iter().filter_map(|face| face.class).collect();
        let figures = evaluate::figures(classes, &probabilities, &labels);
        Self {
            probabilities,
            labels,
            figures,
        }
    }

    /// Notes the temperature that these faces ask for.
    pub fn calibrate(&self, mut network: Network) -> Network {
        // Fitted on bare logits, whatever temperature the starting weights had.
        let temperature = calibrate::fit_temperature(&self.probabilities, &self.labels);
        network.note(TEMPERATURE_KEY, temperature.into());
        network
    }
}
