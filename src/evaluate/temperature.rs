//! The temperature that makes a network as confident as it is correct (Guo et al., ICML 2017,
//! arXiv 1706.04599), fitted on faces that it was not trained on.

/// Range in which the temperature is sought.
const RANGE: (f64, f64) = (0.2, 5.0);

/// Halvings of the range: enough for three digits.
const ROUNDS: usize = 40;

/// The temperature with the least mean negative log-likelihood of the labels.
///
/// `probabilities` are `[faces][E]` at temperature 1; `labels` are the faces' true classes. One
/// when there are no faces.
pub fn fit_temperature(probabilities: &[Vec<f32>], labels: &[usize]) -> f32 {
    if labels.is_empty() {
        return 1.0;
    }
    // The likelihood is convex in 1 / T: golden-section search on it finds the one minimum.
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let loss = |sharpness: f64| negative_log_likelihood(probabilities, labels, sharpness);
    let (mut low, mut high) = (1.0 / RANGE.1, 1.0 / RANGE.0);
    for _ in 0..ROUNDS {
        let step = ratio * (high - low);
        let (left, right) = (high - step, low + step);
        if loss(left) < loss(right) {
            high = right;
        } else {
            low = left;
        }
    }
    (2.0 / (low + high)) as f32
}

/// Mean negative log-likelihood when the logits are multiplied by `sharpness`, which is 1 / T.
pub(super) fn negative_log_likelihood(
    probabilities: &[Vec<f32>],
    labels: &[usize],
    sharpness: f64,
) -> f64 {
    let total: f64 = probabilities
        .iter()
        .zip(labels)
        .map(|(p, label)| {
            let logit = |value: f32| sharpness * f64::from(value.max(f32::MIN_POSITIVE)).ln();
            let sum: f64 = p.iter().map(|value| logit(*value).exp()).sum();
            sum.ln() - logit(p[*label])
        })
        .sum();
    total / labels.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_is_too_sure_is_cooled_to_how_often_it_is_right() {
        // It says 0.99 and is right in three of four faces: the best confidence is 0.75.
        let probabilities = vec![vec![0.99, 0.01]; 4];
        let temperature = fit_temperature(&probabilities, &[0, 0, 0, 1]);
        let expected = (99.0_f64).ln() / (3.0_f64).ln();
        assert!(
            (f64::from(temperature) - expected).abs() < 0.01,
            "{temperature}"
        );
    }

    #[test]
    fn a_network_that_is_not_sure_enough_is_sharpened() {
        let probabilities = vec![vec![0.6, 0.4]; 10];
        let labels = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert!(fit_temperature(&probabilities, &labels) < 1.0);
    }
}
