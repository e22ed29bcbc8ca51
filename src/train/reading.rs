//! How well a network reads the held-out faces, and the temperature that they ask for.

use crate::answer::TEMPERATURE_KEY;
use crate::evaluate::temperature::fit_temperature;
use crate::evaluate::{Predictions, Watched, watched};
use crate::network::Network;

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
    /// Notes the temperature that these faces ask for.
    pub fn calibrate(&self, mut network: Network) -> Network {
        // Fitted on bare logits, whatever temperature the starting weights had.
        let temperature =
            fit_temperature(&self.predictions.probabilities, &self.predictions.labels);
        network.note(TEMPERATURE_KEY, temperature.into());
        network
    }
}
