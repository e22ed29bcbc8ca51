//! How well a network reads the validation faces, and the temperature that they ask for.

use crate::answer::TEMPERATURE_KEY;
use crate::evaluate::temperature::fit_temperature;
use crate::evaluate::{Predictions, ValidationMetrics, validation_metrics};
use crate::network::Network;

/// What the network answers for the validation faces, and how good that is.
pub struct Reading {
    /// Answers and true classes.
    pub predictions: Predictions,
    /// Accuracy, mean recall, calibration error at temperature 1.
    pub figures: ValidationMetrics,
}

impl From<Predictions> for Reading {
    fn from(predictions: Predictions) -> Self {
        let figures = validation_metrics(&predictions, 1.0);
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
