//! Is one reader better than another on the same faces? A paired permutation test.
//!
//! If both were equally good, which of the two gave which answer would not matter: their answers are
//! swapped at random, all answers of a subject together, and the difference in accuracy is counted
//! anew (Fisher 1935; Good, "Permutation, Parametric, and Bootstrap Tests of Hypotheses", 2005).

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use super::bootstrap::Units;
use super::{EvaluateError, Predictions};

/// Random swaps; where there are not more ways to swap, each is counted once instead.
const ROUNDS: u64 = 10_000;

/// What the test says of two readers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// Faces that both read.
    pub n: usize,
    /// Subjects, or pictures where the subjects are not known, whose answers are swapped as one.
    pub units: usize,
    /// Accuracy of the first less that of the second.
    pub difference: f64,
    /// Share of the swaps with at least so large a difference, of either sign.
    pub p: f64,
}

/// Compares two readers' predictions of the same faces.
///
/// # Errors
/// [`EvaluateError::OtherFaces`] when they are not of the same faces in the same order.
pub fn compare(a: &Predictions, b: &Predictions, seed: u64) -> Result<Comparison, EvaluateError> {
    if a.names != b.names {
        return Err(EvaluateError::OtherFaces);
    }
    Ok(paired_permutation(
        &a.hits(),
        &b.hits(),
        &Units::of(&a.subjects),
        seed,
    ))
}

/// The test itself, on which faces each of the two read correctly.
pub fn paired_permutation(a: &[bool], b: &[bool], units: &Units, seed: u64) -> Comparison {
    let n = a.len().min(b.len());
    let gain = |face: &usize| i64::from(a[*face]) - i64::from(b[*face]);
    let gains: Vec<i64> = units
        .members
        .iter()
        .map(|faces| faces.iter().filter(|face| **face < n).map(gain).sum())
        .collect();
    let observed: i64 = gains.iter().sum();
    // Swapping a unit without a difference changes nothing.
    let moving: Vec<i64> = gains.iter().copied().filter(|gain| *gain != 0).collect();
    Comparison {
        n,
        units: units.members.len(),
        difference: observed as f64 / n.max(1) as f64,
        p: share_as_large(&moving, observed.abs(), seed),
    }
}

fn share_as_large(gains: &[i64], observed: i64, seed: u64) -> f64 {
    let sum = |swapped: &dyn Fn(usize) -> bool| -> i64 {
        let signed = |(i, gain): (usize, &i64)| if swapped(i) { -gain } else { *gain };
        gains.iter().enumerate().map(signed).sum()
    };
    if gains.len() < 64 && 1_u64 << gains.len() <= ROUNDS {
        let ways = 1_u64 << gains.len();
        let large = |way: &u64| sum(&|i| way >> i & 1 == 1).abs() >= observed;
        return (0..ways).filter(large).count() as f64 / ways as f64;
    }
    let mut rng = StdRng::seed_from_u64(seed);
    let mut large = 0;
    for _ in 0..ROUNDS {
        let swaps: Vec<bool> = gains.iter().map(|_| rng.random_bool(0.5)).collect();
        large += u64::from(sum(&|i| swaps[i]).abs() >= observed);
    }
    // The observed way is one of the ways: p is never 0 (Phipson and Smyth, 2010).
    (large + 1) as f64 / (ROUNDS + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(n: usize) -> Units {
        Units::of(&vec![None; n])
    }

    #[test]
    fn three_faces_that_only_one_reads_give_a_quarter() {
        // Of 8 swaps, those with a difference of 3 are all and none: 2 / 8.
        let a = [true, true, true, true, false];
        let b = [false, false, false, true, false];
        let test = paired_permutation(&a, &b, &apart(5), 1);
        assert!((test.difference - 0.6).abs() < 1e-12);
        assert_eq!((test.n, test.units, test.p), (5, 5, 0.25));
    }

    #[test]
    fn a_subject_is_swapped_as_one() {
        // The three faces are one subject's: 2 swaps, both with a difference of 3.
        let units = Units::of(&["a", "a", "a", "b", "b"].map(|name| Some(name.to_owned())));
        let a = [true, true, true, true, false];
        let b = [false, false, false, true, false];
        assert_eq!(paired_permutation(&a, &b, &units, 1).p, 1.0);
    }

    #[test]
    fn many_faces_are_swapped_at_random_and_near_the_binomial() {
        // 20 to 10 among the faces that differ: two-sided binomial p = 0.0987.
        let a: Vec<bool> = (0..60).map(|i| !(20..30).contains(&i)).collect();
        let b: Vec<bool> = (0..60).map(|i| i >= 20).collect();
        let test = paired_permutation(&a, &b, &apart(60), 3);
        // Three standard errors of 10,000 rounds.
        assert!((test.p - 0.0987).abs() < 0.009, "{}", test.p);
        assert_eq!(test, paired_permutation(&a, &b, &apart(60), 3));
    }

    #[test]
    fn equal_readers_do_not_differ() {
        let a = [true, false];
        assert_eq!(paired_permutation(&a, &a, &apart(2), 1).p, 1.0);
        assert_eq!(paired_permutation(&[], &[], &apart(0), 1).p, 1.0);
    }
}
