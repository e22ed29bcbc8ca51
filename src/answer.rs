//! Logits -> answer: probabilities at the weights' temperature, the expression, and whether it is
//! confident enough to be said.

use serde::Serialize;

use crate::network::NetworkConfig;

/// Below this probability of the likeliest expression the answer is "not sure".
pub const CERTAIN_FROM: f32 = 0.5;

/// Key of the temperature in a weight file's configuration.
pub const TEMPERATURE_KEY: &str = "temperature";

/// What a face shows, as the network recognises it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// Probability of each expression, in the order of the network's classes; they sum to 1.
    pub probabilities: Vec<f32>,
    /// Index of the likeliest expression.
    pub expression: usize,
    /// Whether its probability is at least [`CERTAIN_FROM`].
    pub certain: bool,
}

/// The temperature that the weight file was calibrated with; 1 when it names none.
///
/// It is the number under [`TEMPERATURE_KEY`] of the file's configuration.
pub fn temperature(config: &NetworkConfig) -> f32 {
    config
        .extra
        .get(TEMPERATURE_KEY)
        .and_then(serde_json::Value::as_f64)
        .map(|t| t as f32)
        .filter(|t| t.is_normal() && *t > 0.0)
        .unwrap_or(1.0)
}

/// Softmax of the logits divided by the temperature.
pub fn answer(logits: &[f32], temperature: f32) -> Answer {
    let peak = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits
        .iter()
        .map(|logit| ((logit - peak) / temperature).exp())
        .collect();
    let sum: f32 = exponentials.iter().sum();
    let probabilities: Vec<f32> = exponentials.iter().map(|e| e / sum).collect();
    let expression = argmax(&probabilities);
    Answer {
        certain: probabilities
            .get(expression)
            .is_some_and(|p| *p >= CERTAIN_FROM),
        probabilities,
        expression,
    }
}

/// Index of the largest value; the first where several are equal.
pub fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_temperature_is_less_sure_of_the_same_expression() {
        let logits = [1.0, 3.0, 0.0];
        let (cold, warm) = (answer(&logits, 1.0), answer(&logits, 4.0));
        assert_eq!((cold.expression, warm.expression), (1, 1));
        assert!(cold.certain && !warm.certain);
        assert!((cold.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let answer = answer(&[1000.0, -1000.0], 1.0);
        assert_eq!(answer.probabilities, [1.0, 0.0]);
    }
}
