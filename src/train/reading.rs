//! How well a network reads the held-out faces: the one place where a run calls the evaluation.

use burn::tensor::{Device, activation};

use super::augment::View;
use super::config::Views;
use crate::answer::TEMPERATURE_KEY;
use crate::data::{Face, Place};
use crate::evaluate::temperature::fit_temperature;
use crate::evaluate::{Predictions, Watched, watched};
use crate::network::Network;
use crate::tensor::planar_tensor;

/// Faces that are read at a time.
const BATCH: usize = 64;

/// What the network answers for the held-out faces, and how good that is.
pub struct Reading {
    /// Answers and true classes.
    pub predictions: Predictions,
    /// Accuracy, mean recall, calibration error at temperature 1.
    pub figures: Watched,
}

impl From<Predictions> for Reading {
    fn from(predictions: Predictions) -> Self {
        let figures = watched(&predictions, 1.0);
        Self {
            predictions,
            figures,
        }
    }
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
        Self::from(Predictions {
            classes: classes.clone(),
            probabilities,
            labels: faces.iter().filter_map(|face| face.class).collect(),
            ..Predictions::default()
        })
    }

    /// Notes the temperature that these faces ask for.
    pub fn calibrate(&self, mut network: Network) -> Network {
        // Fitted on bare logits, whatever temperature the starting weights had.
        let temperature =
            fit_temperature(&self.predictions.probabilities, &self.predictions.labels);
        network.note(TEMPERATURE_KEY, temperature.into());
        network
    }
}
