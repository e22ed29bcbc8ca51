//! How far a figure may be off: 95 % intervals by drawing subjects (or pictures) anew.
//!
//! Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile interval).
//! Pictures of one subject resemble one another, so subjects are drawn, each with all its pictures;
//! drawing pictures would overstate the effective sample size (cluster bootstrap).

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Draws behind an interval: its ends move by less than a twentieth of its width from seed to seed.
const DRAWS: u64 = 1000;

/// What lies in the interval.
const LEVEL: f64 = 0.95;

/// A lower and an upper end.
pub type Interval = [f64; 2];

/// What is drawn as one: the pictures of a subject, or a picture of nobody known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units {
    /// Indices of the faces of each unit.
    pub members: Vec<Vec<usize>>,
    /// Whether every face has a subject.
    pub by_subject: bool,
}

impl Units {
    /// Groups faces by their subjects; a face without one stands alone.
    pub fn of(subjects: &[Option<String>]) -> Self {
        let mut known: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut members = Vec::new();
        for (face, subject) in subjects.iter().enumerate() {
            match subject {
                Some(subject) => known.entry(subject).or_default().push(face),
                None => members.push(vec![face]),
            }
        }
        let by_subject = members.is_empty() && !known.is_empty();
        members.extend(known.into_values());
        Self {
            members,
            by_subject,
        }
    }
}

/// Intervals of several figures at once.
///
/// `figures` computes them from the indices of the drawn faces, which repeat; a figure that a draw
/// does not have (a class without faces) is NaN there and skipped. None where hardly any draw has it.
pub fn intervals(
    units: &Units,
    seed: u64,
    figures: impl Fn(&[usize]) -> Vec<f64>,
) -> Vec<Option<Interval>> {
    let count = units.members.len();
    if count == 0 {
        return Vec::new();
    }
    let mut columns: Vec<Vec<f64>> = Vec::new();
    let mut drawn = Vec::new();
    for draw in 0..DRAWS {
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(DRAWS) ^ draw);
        drawn.clear();
        for _ in 0..count {
            drawn.extend(&units.members[rng.random_range(0..count)]);
        }
        let values = figures(&drawn);
        columns.resize(values.len(), Vec::new());
        for (column, value) in columns.iter_mut().zip(values) {
            column.extend(Some(value).filter(|value| value.is_finite()));
        }
    }
    columns.into_iter().map(percentiles).collect()
}

/// The middle 95 % of the values.
fn percentiles(mut values: Vec<f64>) -> Option<Interval> {
    // A class that half of the draws miss has too few faces for an interval.
    if (values.len() as u64) < DRAWS / 2 {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    Some([at((1.0 - LEVEL) / 2.0), at((1.0 + LEVEL) / 2.0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(hits: &[bool]) -> impl Fn(&[usize]) -> Vec<f64> {
        move |drawn| {
            let right = drawn.iter().filter(|face| hits[**face]).count();
            vec![right as f64 / drawn.len() as f64]
        }
    }

    #[test]
    fn the_interval_of_a_share_is_near_the_normal_approximation() {
        let hits: Vec<bool> = (0..400).map(|i| i % 5 != 0).collect();
        let units = Units::of(&vec![None; hits.len()]);
        let Some([low, high]) = intervals(&units, 1, share(&hits))[0] else {
            panic!("an interval");
        };
        // 0.8 -+ 1.96 sqrt(0.8 * 0.2 / 400); the ends of 1,000 draws wobble by some 0.003.
        let half = 1.96 * 0.02;
        assert!((low - (0.8 - half)).abs() < 0.008, "{low}");
        assert!((high - (0.8 + half)).abs() < 0.008, "{high}");
    }

    #[test]
    fn a_seed_always_draws_the_same() {
        let hits: Vec<bool> = (0..50).map(|i| i % 3 == 0).collect();
        let units = Units::of(&vec![None; hits.len()]);
        let of = |seed| intervals(&units, seed, share(&hits));
        assert_eq!(of(7), of(7));
    }

    #[test]
    fn copies_of_a_subjects_picture_do_not_narrow_the_interval() {
        let width = |copies: usize| {
            let hits: Vec<bool> = (0..40 * copies)
                .map(|i| (i / copies).is_multiple_of(2))
                .collect();
            let subjects: Vec<_> = (0..40 * copies)
                .map(|i| Some(format!("{:02}", i / copies)))
                .collect();
            let units = Units::of(&subjects);
            assert!(units.by_subject && units.members.len() == 40);
            let [low, high] = intervals(&units, 1, share(&hits))[0].expect("an interval");
            high - low
        };
        assert_eq!(width(1), width(10));
    }

    #[test]
    fn a_figure_that_draws_lack_has_no_interval() {
        let units = Units::of(&[None, None]);
        assert_eq!(intervals(&units, 1, |_| vec![f64::NAN]), [None]);
        assert!(intervals(&Units::of(&[]), 1, |_| vec![0.0]).is_empty());
    }
}
