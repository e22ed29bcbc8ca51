//! All figures of a reader on labelled faces, each with how far it may be off.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bootstrap::{Interval, Units, intervals};
use super::confidence::{
    Bin, Calibration, Confidence, Coverage, bins, calibration, confidences, coverage, coverage_at,
    expected_calibration_error,
};
use super::confusion::Confusion;
use super::groups::{Groups, by_group};
use super::{EvaluateError, Predictions};
use crate::answer::{CERTAIN_FROM, argmax};

/// How well expressions are read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recognition {
    /// Faces.
    pub n: usize,
    /// Subjects; none where the data set does not say who is shown.
    pub subjects: Option<usize>,
    /// Share of the faces that are read correctly.
    pub accuracy: f64,
    /// Mean F1 of the expressions that are shown.
    pub macro_f1: f64,
    /// Mean recall of the expressions that are shown.
    pub macro_recall: f64,
    /// Expected calibration error at the weight file's temperature.
    pub ece: f64,
    /// 95 % intervals of the figures above.
    pub intervals: Intervals,
    /// Figures of each expression, by its name.
    pub per_class: BTreeMap<String, ClassFigures>,
    /// Names of the expressions, in the order of the table.
    pub classes: Vec<String>,
    /// Numbers of faces, `[true expression][expression read]`.
    pub confusion: Confusion,
    /// Calibration without and with the weight file's temperature.
    pub calibration: BeforeAfter,
    /// Confidence against accuracy in 15 bins, at the weight file's temperature.
    pub reliability: Vec<Bin>,
    /// What the program's own rule for "not sure" leaves, and how right that is.
    pub not_sure_rule: Coverage,
    /// The same for other thresholds.
    pub coverage: Vec<Coverage>,
    /// Figures by group, where the data set says who is shown.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: Groups,
}

/// 95 % intervals, `[low, high]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intervals {
    /// Of the accuracy.
    pub accuracy: Option<Interval>,
    /// Of the mean F1.
    pub macro_f1: Option<Interval>,
    /// Of the mean recall.
    pub macro_recall: Option<Interval>,
    /// Of the expected calibration error.
    pub ece: Option<Interval>,
    /// What was drawn anew: `subjects` or `pictures`.
    pub over: &'static str,
    /// Seed of the draws.
    pub seed: u64,
}

/// Figures of one expression.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Faces that show it.
    pub n: usize,
    /// Share of them that are read as it; none where no face shows it.
    pub recall: Option<f64>,
    /// Share of the faces read as it that show it; none where none is read as it.
    pub precision: Option<f64>,
    /// Harmonic mean of the two.
    pub f1: Option<f64>,
    /// 95 % interval of the recall.
    pub recall_interval: Option<Interval>,
    /// 95 % interval of the precision.
    pub precision_interval: Option<Interval>,
}

/// Calibration at temperature 1 and at the weight file's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BeforeAfter {
    /// At temperature 1.
    pub before: Calibration,
    /// At the temperature that the weight file carries, fitted on validation training faces.
    pub after: Calibration,
}

/// All figures of the predictions.
///
/// `temperature` has to come from elsewhere than these faces; see [`crate::answer::temperature`].
///
/// # Errors
/// [`EvaluateError::Empty`] without predictions.
pub fn recognition(
    predictions: &Predictions,
    temperature: f64,
    seed: u64,
) -> Result<Recognition, EvaluateError> {
    let (probabilities, labels) = (&predictions.probabilities, &predictions.labels);
    if labels.is_empty() {
        return Err(EvaluateError::Empty("faces whose expression is known"));
    }
    let answers: Vec<usize> = probabilities.iter().map(|p| argmax(p)).collect();
    let confident = confidences(probabilities, labels, temperature);
    let classes = predictions.classes.len();
    let count = |faces: &[usize]| {
        let mut confusion = Confusion::new(classes);
        for face in faces {
            confusion.add(labels[*face], answers[*face]);
        }
        confusion
    };
    let all: Vec<usize> = (0..labels.len()).collect();
    let confusion = count(&all);
    let units = Units::of(&predictions.subjects);
    let mut ends = intervals(&units, seed, |drawn| {
        let confident: Vec<Confidence> = drawn.iter().map(|face| confident[*face]).collect();
        let ece = expected_calibration_error(&confident);
        drawn_figures(&count(drawn), ece)
    })
    .into_iter();
    let mut next = || ends.next().flatten();
    let intervals = Intervals {
        accuracy: next(),
        macro_f1: next(),
        macro_recall: next(),
        ece: next(),
        over: if units.by_subject {
            "subjects"
        } else {
            "pictures"
        },
        seed,
    };
    let mut per_class = BTreeMap::new();
    for (class, name) in predictions.classes.iter().enumerate() {
        per_class.insert(
            name.clone(),
            ClassFigures {
                n: confusion.shown(class),
                recall: confusion.recall(class),
                precision: confusion.precision(class),
                f1: confusion.f1(class),
                recall_interval: next(),
                precision_interval: next(),
            },
        );
    }
    Ok(Recognition {
        n: labels.len(),
        subjects: units.by_subject.then_some(units.members.len()),
        accuracy: confusion.accuracy().unwrap_or(f64::NAN),
        macro_f1: confusion.macro_f1().unwrap_or(f64::NAN),
        macro_recall: confusion.macro_recall().unwrap_or(f64::NAN),
        ece: expected_calibration_error(&confident),
        intervals,
        per_class,
        classes: predictions.classes.clone(),
        confusion,
        calibration: BeforeAfter {
            before: calibration(probabilities, labels, 1.0),
            after: calibration(probabilities, labels, temperature),
        },
        reliability: bins(&confident),
        not_sure_rule: coverage_at(&confident, f64::from(CERTAIN_FROM)),
        coverage: coverage(&confident),
        groups: by_group(predictions, seed),
    })
}

/// The figures with intervals, in the order in which [`recognition`] takes them.
fn drawn_figures(confusion: &Confusion, ece: f64) -> Vec<f64> {
    let or_none = |figure: Option<f64>| figure.unwrap_or(f64::NAN);
    let mut figures = vec![
        or_none(confusion.accuracy()),
        or_none(confusion.macro_f1()),
        or_none(confusion.macro_recall()),
        ece,
    ];
    for class in 0..confusion.counts.len() {
        figures.push(or_none(confusion.recall(class)));
        figures.push(or_none(confusion.precision(class)));
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `rows`: probability of the first of two expressions, true expression, subject.
    fn predictions(rows: &[(f32, usize, Option<&str>)]) -> Predictions {
        let mut predictions = Predictions {
            classes: vec!["calm".into(), "glad".into()],
            ..Default::default()
        };
        for (p, label, subject) in rows {
            predictions.probabilities.push(vec![*p, 1.0 - p]);
            predictions.labels.push(*label);
            predictions.subjects.push(subject.map(str::to_owned));
            predictions.names.push(String::new());
            predictions.groups.push(BTreeMap::new());
        }
        predictions
    }

    #[test]
    fn figures_are_hand_computed_and_named_as_promised() {
        let rows = [(0.9, 0, None), (0.7, 1, None), (0.2, 1, None)];
        let figures = recognition(&predictions(&rows), 1.0, 1).expect("figures");
        let json = serde_json::to_value(&figures).expect("JSON");
        let close = |pointer: &str, expected: f64| {
            let found = json.pointer(pointer).and_then(serde_json::Value::as_f64);
            let found = found.unwrap_or_else(|| panic!("{pointer} in {json:#}"));
            assert!((found - expected).abs() < 1e-6, "{pointer}: {found}");
        };
        close("/n", 3.0);
        close("/accuracy", 2.0 / 3.0);
        close("/macro_recall", 0.75);
        close("/macro_f1", 2.0 / 3.0);
        close("/ece", 1.0 / 3.0);
        close("/per_class/calm/recall", 1.0);
        close("/per_class/calm/precision", 0.5);
        close("/per_class/glad/recall", 0.5);
        close("/per_class/glad/n", 2.0);
        close("/confusion/1/0", 1.0);
        close("/not_sure_rule/coverage", 1.0);
        assert_eq!(json["intervals"]["over"], "pictures");
        let interval = json["intervals"]["accuracy"].as_array().expect("two ends");
        assert!(interval.len() == 2 && interval[0].as_f64() <= interval[1].as_f64());
    }

    #[test]
    fn a_temperature_moves_confidence_and_no_answer() {
        let rows = [
            (0.6, 0, Some("a")),
            (0.6, 1, Some("a")),
            (0.1, 1, Some("b")),
        ];
        let predictions = predictions(&rows);
        let at = |t| recognition(&predictions, t, 1).expect("figures");
        let (one, half) = (at(1.0), at(0.5));
        assert_eq!(one.accuracy, half.accuracy);
        assert_eq!(one.calibration.before, half.calibration.before);
        assert_ne!(one.calibration.after, half.calibration.after);
        assert_eq!((one.subjects, one.intervals.over), (Some(2), "subjects"));
    }

    #[test]
    fn no_faces_give_an_error() {
        assert!(recognition(&predictions(&[]), 1.0, 1).is_err());
    }
}
