//! Is a network as confident as it is correct? Calibration, and accuracy against coverage when it may
//! say "not sure".

use serde::Serialize;

use super::temperature::negative_log_likelihood;
use crate::answer::argmax;

/// Bins of the expected calibration error, equally wide.
pub const BINS: usize = 15;

/// Least confidences of the curve of accuracy against coverage: 0, 0.05 .. 0.95.
const THRESHOLDS: usize = 20;

/// How far confidence and truth are apart at one temperature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Calibration {
    /// Temperature T that the logits are divided by.
    pub temperature: f64,
    /// Expected calibration error, 15 bins (Guo et al., ICML 2017, arXiv 1706.04599).
    pub ece: f64,
    /// Mean squared distance between the probabilities and the truth, summed over the classes: 0
    /// to 2 (Brier 1950).
    pub brier: f64,
    /// Mean negative log-likelihood of the truth, in nats.
    pub nll: f64,
}

/// The faces whose largest probability lies in one bin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// The bin's bounds.
    pub from: f64,
    /// The bin's bounds.
    pub to: f64,
    /// Faces in it.
    pub n: usize,
    /// Their mean largest probability.
    pub confidence: Option<f64>,
    /// Share of them that are read correctly.
    pub accuracy: Option<f64>,
}

/// What is left, and how accurate it is, when less confident answers are withheld.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Coverage {
    /// Largest probability from which on an answer is given.
    pub threshold: f64,
    /// Share of the faces that get an answer.
    pub coverage: f64,
    /// Share of the answers that are right; none without answers.
    pub accuracy: Option<f64>,
}

/// An answer's confidence and whether it is correct.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// The largest probability.
    pub confidence: f64,
    /// Whether it is the truth's.
    pub right: bool,
}

/// Probabilities `[n][E]` at temperature 1 -> at another one.
pub fn at_temperature(probabilities: &[Vec<f32>], temperature: f64) -> Vec<Vec<f64>> {
    let warm = |p: &Vec<f32>| {
        // ln p is the logit but for a constant, which the division by the sum takes off.
        let raised = p.iter().map(|v| f64::from(*v).powf(1.0 / temperature));
        let raised: Vec<f64> = raised.collect();
        let sum: f64 = raised.iter().sum();
        raised.iter().map(|value| value / sum).collect()
    };
    probabilities.iter().map(warm).collect()
}

/// Confidence of each answer at a temperature.
pub fn confidences(
    probabilities: &[Vec<f32>],
    labels: &[usize],
    temperature: f64,
) -> Vec<Confidence> {
    let at = at_temperature(probabilities, temperature);
    let of = |((p, warm), label): ((&Vec<f32>, &Vec<f64>), &usize)| {
        // Asked of the network's own numbers, so that a temperature never changes an answer.
        let answer = argmax(p);
        Confidence {
            confidence: warm[answer],
            right: answer == *label,
        }
    };
    probabilities.iter().zip(&at).zip(labels).map(of).collect()
}

/// The answers sorted into 15 bins.
pub fn bins(answers: &[Confidence]) -> Vec<Bin> {
    let mut sums = [(0_usize, 0.0_f64, 0_usize); BINS]; // faces, confidence, right
    for answer in answers {
        let (n, confidence, right) = &mut sums[bin_of(answer.confidence)];
        *n += 1;
        *confidence += answer.confidence;
        *right += usize::from(answer.right);
    }
    let bin = |(i, (n, confidence, right)): (usize, (usize, f64, usize))| Bin {
        from: i as f64 / BINS as f64,
        to: (i + 1) as f64 / BINS as f64,
        n,
        confidence: (n > 0).then(|| confidence / n as f64),
        accuracy: (n > 0).then(|| right as f64 / n as f64),
    };
    sums.into_iter().enumerate().map(bin).collect()
}

fn bin_of(confidence: f64) -> usize {
    ((confidence * BINS as f64) as usize).min(BINS - 1)
}

/// Expected calibration error: the bins' gaps between confidence and truth, weighed by their faces.
pub fn expected_calibration_error(answers: &[Confidence]) -> f64 {
    let gap = |bin: &Bin| match (bin.confidence, bin.accuracy) {
        (Some(confidence), Some(accuracy)) => bin.n as f64 * (confidence - accuracy).abs(),
        _ => 0.0,
    };
    bins(answers).iter().map(gap).sum::<f64>() / answers.len().max(1) as f64
}

/// All of a temperature's figures.
pub fn calibration(probabilities: &[Vec<f32>], labels: &[usize], temperature: f64) -> Calibration {
    let n = labels.len().max(1) as f64;
    let distance = |(p, label): (&Vec<f64>, &usize)| -> f64 {
        let truth = |class| if class == *label { 1.0 } else { 0.0 };
        let parts = p.iter().enumerate();
        parts.map(|(class, p)| (p - truth(class)).powi(2)).sum()
    };
    let warm = at_temperature(probabilities, temperature);
    let answers = confidences(probabilities, labels, temperature);
    Calibration {
        temperature,
        ece: expected_calibration_error(&answers),
        brier: warm.iter().zip(labels).map(distance).sum::<f64>() / n,
        nll: negative_log_likelihood(probabilities, labels, 1.0 / temperature),
    }
}

/// What is left when only answers from a threshold on are given.
pub fn coverage_at(answers: &[Confidence], threshold: f64) -> Coverage {
    let given = || answers.iter().filter(|a| a.confidence >= threshold);
    let (count, right) = (given().count(), given().filter(|a| a.right).count());
    Coverage {
        threshold,
        coverage: count as f64 / answers.len().max(1) as f64,
        accuracy: (count > 0).then(|| right as f64 / count as f64),
    }
}

/// Accuracy against coverage over all thresholds.
pub fn coverage(answers: &[Confidence]) -> Vec<Coverage> {
    let threshold = |i: usize| i as f64 / THRESHOLDS as f64;
    (0..THRESHOLDS)
        .map(|i| coverage_at(answers, threshold(i)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
    }

    #[test]
    fn three_faces_give_the_hand_computed_figures() {
        let probabilities = [vec![0.9, 0.1], vec![0.7, 0.3], vec![0.2, 0.8]];
        let figures = calibration(&probabilities, &[0, 1, 1], 1.0);
        // Three bins with one face each: gaps 0.1, 0.7 and 0.2.
        close(figures.ece, 1.0 / 3.0);
        close(figures.brier, 2.0 * (0.01 + 0.49 + 0.04) / 3.0);
        let nll = -(0.9_f64.ln() + 0.3_f64.ln() + 0.8_f64.ln()) / 3.0;
        close(figures.nll, nll);
    }

    #[test]
    fn a_temperature_of_two_takes_the_root_of_the_odds() {
        let warm = at_temperature(&[vec![0.8, 0.2]], 2.0);
        // Odds 4 become 2.
        close(warm[0][0], 2.0 / 3.0);
        close(warm[0][1], 1.0 / 3.0);
    }

    #[test]
    fn equally_confident_answers_share_a_bin() {
        let answers = [true, true, true, false].map(|right| Confidence {
            confidence: 0.9,
            right,
        });
        close(expected_calibration_error(&answers), 0.15);
        let filled: Vec<_> = bins(&answers).into_iter().filter(|b| b.n > 0).collect();
        assert_eq!((filled.len(), filled[0].n), (1, 4));
        let confident = [Confidence {
            confidence: 1.0,
            right: true,
        }];
        assert_eq!(bins(&confident)[BINS - 1].n, 1);
    }

    #[test]
    fn withholding_doubtful_answers_covers_less_and_is_right_more_often() {
        let answer = |confidence, right| Confidence { confidence, right };
        let answers = [
            answer(0.9, true),
            answer(0.6, true),
            answer(0.5, false),
            answer(0.3, false),
        ];
        let at = |threshold| {
            let point = coverage_at(&answers, threshold);
            (point.coverage, point.accuracy)
        };
        assert_eq!(at(0.0), (1.0, Some(0.5)));
        assert_eq!(at(0.5), (0.75, Some(2.0 / 3.0)));
        assert_eq!(at(0.95), (0.0, None));
        assert_eq!(coverage(&answers).len(), THRESHOLDS);
    }
}
