//! Figures by group of people or pictures, where the data set says who is shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Predictions;
use super::bootstrap::{Interval, Units, intervals};

/// Fewer subjects than this say nothing of a group.
pub const FEWEST: usize = 30;

/// More values than this are names, not groups.
const MOST_VALUES: usize = 12;

/// Columns that describe the file, not who or what is shown.
const OF_THE_FILE: [&str; 6] = ["licence", "original", "recipe", "sample", "split", "group"];

/// Instead of figures where a group is small.
pub const TOO_FEW: &str = "too few to say";

/// One group's figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Faces.
    pub n: usize,
    /// Subjects, or faces where the subjects are not known.
    pub subjects: usize,
    /// Share of the faces that are read correctly; none where there are too few subjects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Its 95 % interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// [`TOO_FEW`] where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// Groups by the data set's column and value.
pub type Groups = BTreeMap<String, BTreeMap<String, Group>>;

/// Accuracy of every group of every column that divides the faces.
pub fn by_group(predictions: &Predictions, seed: u64) -> Groups {
    let hits = predictions.hits();
    let columns: BTreeSet<&String> = predictions.groups.iter().flat_map(|g| g.keys()).collect();
    let mut groups = Groups::new();
    for column in columns {
        if OF_THE_FILE.contains(&column.as_str()) {
            continue;
        }
        let mut values: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (face, of_face) in predictions.groups.iter().enumerate() {
            if let Some(value) = of_face.get(column).and_then(|v| banded(column, v)) {
                values.entry(value).or_default().push(face);
            }
        }
        if !(2..=MOST_VALUES).contains(&values.len()) {
            continue;
        }
        let figures = values
            .into_iter()
            .map(|(value, faces)| (value, figures(predictions, &hits, &faces, seed)))
            .collect();
        groups.insert(column.clone(), figures);
    }
    groups
}

/// The group that a value belongs to: ages by decades that hold enough people, others as they are.
fn banded(column: &str, value: &str) -> Option<String> {
    if column != "age" {
        return Some(value.to_owned());
    }
    let age: f64 = value.parse().ok()?;
    let band = match age {
        // A part of a scale, as face models give it, and not years.
        a if a <= 1.0 => return None,
        a if a < 18.0 => "under 18",
        a if a < 30.0 => "18 to 29",
        a if a < 45.0 => "30 to 44",
        a if a < 60.0 => "45 to 59",
        _ => "60 and over",
    };
    Some(band.to_owned())
}

fn figures(predictions: &Predictions, hits: &[bool], faces: &[usize], seed: u64) -> Group {
    let subjects: Vec<_> = faces
        .iter()
        .map(|face| predictions.subjects[*face].clone())
        .collect();
    let units = Units::of(&subjects);
    let n = faces.len();
    let enough = units.members.len() >= FEWEST;
    let share = |drawn: &[usize]| {
        let right = drawn.iter().filter(|i| hits[faces[**i]]).count();
        right as f64 / drawn.len().max(1) as f64
    };
    let all: Vec<usize> = (0..n).collect();
    Group {
        n,
        subjects: units.members.len(),
        accuracy: enough.then(|| share(&all)),
        interval: enough
            .then(|| intervals(&units, seed, |drawn| vec![share(drawn)]))
            .and_then(|found| found.into_iter().next().flatten()),
        note: (!enough).then_some(TOO_FEW),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two faces of each subject; the first face of each is read correctly.
    fn predictions(ages: &[&str]) -> Predictions {
        let mut predictions = Predictions::default();
        for (subject, age) in ages.iter().enumerate() {
            for face in 0..2 {
                let right = face == 0;
                predictions.probabilities.push(if right {
                    vec![1.0, 0.0]
                } else {
                    vec![0.0, 1.0]
                });
                predictions.labels.push(0);
                predictions.subjects.push(Some(subject.to_string()));
                predictions.names.push(format!("{subject}/{face}"));
                let groups = [("age", *age), ("licence", "CC0")];
                predictions
                    .groups
                    .push(groups.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
            }
        }
        predictions
    }

    #[test]
    fn a_small_group_is_too_few_to_say_and_a_large_one_has_an_interval() {
        let mut ages = vec!["25"; 30];
        ages.extend(["50"; 29]);
        let groups = by_group(&predictions(&ages), 1);
        assert_eq!(groups.keys().collect::<Vec<_>>(), ["age"]);
        let large = &groups["age"]["18 to 29"];
        assert_eq!((large.n, large.subjects), (60, 30));
        assert_eq!((large.accuracy, large.note), (Some(0.5), None));
        // Every subject is half right: drawing others changes nothing.
        assert_eq!(large.interval, Some([0.5, 0.5]));
        let small = &groups["age"]["45 to 59"];
        assert_eq!((small.n, small.subjects), (58, 29));
        assert_eq!((small.accuracy, small.note), (None, Some(TOO_FEW)));
    }

    #[test]
    fn a_column_with_one_value_or_without_years_divides_nothing() {
        assert!(by_group(&predictions(&["25"; 3]), 1).is_empty());
        assert!(by_group(&predictions(&["0.2", "0.9"]), 1).is_empty());
    }
}
