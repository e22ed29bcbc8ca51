//! Real or redrawn? How far two sets of mouths are apart, by the kernel inception distance on features of
//! the face mesh's early blocks, beside how far real mouths are from real ones.
//!
//! Binkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs", ICLR 2018 (arXiv 1801.01401): the
//! squared maximum mean discrepancy with the kernel (x . y / d + 1)^3, unbiased.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Serialize;

use super::bootstrap::{Interval, Units, intervals};
use super::mouth::{MOUTH_HEIGHT, MOUTH_WIDTH};
use super::{EvaluateError, values};
use crate::face::FullMesh;

/// After how many blocks of the mesh its features are taken: half and a quarter of their input across.
const BLOCKS: [usize; 2] = [5, 8];

/// Random halves of the real mouths that are compared with one another.
const HALVES: u64 = 50;

/// Least mouths of a set: with fewer there is nothing to say.
const LEAST: usize = 4;

/// Least deviation over real mouths of a feature that is compared.
const LEAST_DEVIATION: f64 = 1e-6;

/// How far redrawn mouths are from real ones.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kid {
    /// Redrawn mouths.
    pub redrawn_n: usize,
    /// Real mouths.
    pub real_n: usize,
    /// Distance of redrawn from real mouths; about 0 where they cannot be told apart.
    pub kid: f64,
    /// Its 95 % interval, over subjects.
    pub interval: Option<Interval>,
    /// Distance of the mouths that were not redrawn from the real smiles: what doing nothing gives.
    pub unchanged: f64,
    /// Mean size of the distance between two halves of the real mouths, over subjects: the floor.
    pub real_against_real: f64,
    /// Where the middle 95 % of the halves' distances lie, of either sign.
    pub real_interval: Option<Interval>,
}

/// A mouth as the mesh sees it, and whose it is.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub subject: Option<String>,
    pub features: Vec<f64>,
}

/// Mean and deviation of each channel, over the mouth `[3, 80, 112]`.
pub(super) fn features(mesh: &FullMesh, mouth: Vec<f32>) -> Result<Vec<f64>, EvaluateError> {
    let shape = [1, 3, MOUTH_HEIGHT, MOUTH_WIDTH];
    let mut all = Vec::new();
    for blocks in BLOCKS {
        let seen = mesh.features(mouth.clone(), shape, blocks); // [1, c, h, w]
        let [_, _, height, width] = seen.dims();
        for channel in values(seen)?.chunks_exact(height * width) {
            let (mean, deviation) = moments(channel.iter().map(|v| f64::from(*v)));
            all.extend([mean, deviation]);
        }
    }
    Ok(all)
}

fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

/// The distance of redrawn from real mouths; none with too few of them.
pub(super) fn kid(redrawn: &[Seen], unchanged: &[Seen], real: &[Seen], seed: u64) -> Option<Kid> {
    if redrawn.len().min(real.len()).min(unchanged.len()) < LEAST {
        return None;
    }
    let subjects: Vec<Option<String>> = redrawn
        .iter()
        .chain(real)
        .map(|m| m.subject.clone())
        .collect();
    let units = Units::of(&subjects);
    let kernels = Kernels::of(redrawn, real);
    let split = redrawn.len();
    let everyone: Vec<usize> = (0..subjects.len()).collect();
    let ends = intervals(&units, seed, |drawn| vec![kernels.distance(drawn, split)]);
    let halves = halves(real, seed);
    let sizes = halves.iter().map(|distance| distance.abs());
    Some(Kid {
        redrawn_n: redrawn.len(),
        real_n: real.len(),
        kid: kernels.distance(&everyone, split),
        interval: ends.into_iter().next().flatten(),
        unchanged: {
            let all: Vec<usize> = (0..unchanged.len() + real.len()).collect();
            Kernels::of(unchanged, real).distance(&all, unchanged.len())
        },
        real_against_real: sizes.sum::<f64>() / halves.len().max(1) as f64,
        real_interval: middle(halves),
    })
}

/// Distances of random halves of the mouths, no subject in both.
fn halves(real: &[Seen], seed: u64) -> Vec<f64> {
    let subjects: Vec<Option<String>> = real.iter().map(|mouth| mouth.subject.clone()).collect();
    let units = Units::of(&subjects).members;
    let kernels = Kernels::of(&[], real);
    let of = |draw: u64| {
        let mut order: Vec<&Vec<usize>> = units.iter().collect();
        order.shuffle(&mut StdRng::seed_from_u64(seed.wrapping_mul(HALVES) ^ draw));
        let (one, two) = order.split_at(order.len() / 2);
        let flat = |part: &[&Vec<usize>]| -> Vec<usize> {
            part.iter().flat_map(|unit| unit.iter().copied()).collect()
        };
        kernels.between(&flat(one), &flat(two))
    };
    (0..HALVES)
        .map(of)
        .filter(|distance| distance.is_finite())
        .collect()
}

fn middle(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)? as f64;
    let at = |share: f64| values[(last * share).round() as usize];
    Some([at(0.025), at(0.975)])
}

/// The kernel between all mouths of two sets, one after the other.
struct Kernels {
    values: Vec<f64>,
    n: usize,
}

impl Kernels {
    /// Each feature is measured from the second set's mean, in its deviations.
    fn of(first: &[Seen], second: &[Seen]) -> Self {
        let width = second.first().map_or(0, |mouth| mouth.features.len());
        let scale: Vec<(f64, f64)> = (0..width)
            .map(|k| moments(second.iter().map(|mouth| mouth.features[k])))
            .collect();
        // What never changes in real mouths has no scale, and says nothing.
        let scaled = |mouth: &Seen| -> Vec<f64> {
            let parts = mouth.features.iter().zip(&scale);
            let of = |(value, (mean, deviation)): (&f64, &(f64, f64))| {
                let is_constant = *deviation < LEAST_DEVIATION;
                if is_constant {
                    0.0
                } else {
                    (value - mean) / deviation
                }
            };
            parts.map(of).collect()
        };
        let rows: Vec<Vec<f64>> = first.iter().chain(second).map(scaled).collect();
        let kernel = |a: &[f64], b: &[f64]| {
            let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            (product / width.max(1) as f64 + 1.0).powi(3)
        };
        let mut values = Vec::with_capacity(rows.len() * rows.len());
        for a in &rows {
            values.extend(rows.iter().map(|b| kernel(a, b)));
        }
        Self {
            values,
            n: rows.len(),
        }
    }

    /// The distance of those drawn below `split` from the others.
    fn distance(&self, drawn: &[usize], split: usize) -> f64 {
        let (first, second): (Vec<usize>, Vec<usize>) =
            drawn.iter().copied().partition(|i| *i < split);
        self.between(&first, &second)
    }

    /// Unbiased: no mouth is compared with itself, nor with a copy that a draw made of it. NaN where a
    /// set has fewer than two different ones.
    fn between(&self, first: &[usize], second: &[usize]) -> f64 {
        let mean = |a: &[usize], b: &[usize], same: bool| {
            let (mut sum, mut n) = (0.0, 0);
            for i in a {
                for j in b.iter().filter(|j| !same || *j != i) {
                    sum += self.values[i * self.n + j];
                    n += 1;
                }
            }
            sum / f64::from(n)
        };
        let different = |set: &[usize]| set.iter().collect::<BTreeSet<_>>().len();
        if different(first).min(different(second)) < 2 {
            return f64::NAN;
        }
        mean(first, first, true) + mean(second, second, true) - 2.0 * mean(first, second, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    fn set(n: usize, shift: f64, seed: u64) -> Vec<Seen> {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut mouth = |i: usize| Seen {
            subject: Some(format!("{i}")),
            features: (0..8)
                .map(|_| shift + rng.random_range(-1.0..1.0))
                .collect(),
        };
        (0..n).map(&mut mouth).collect()
    }

    #[test]
    fn sets_of_one_kind_are_as_far_apart_as_halves_of_one_set() {
        let (one, other) = (set(80, 0.0, 1), set(80, 0.0, 2));
        let found = kid(&one, &one, &other, 1).expect("figures");
        let [low, high] = found.interval.expect("an interval");
        assert!(
            low < found.kid && found.kid < high && low < 0.0 && high > 0.0,
            "{found:?}"
        );
        assert!(found.kid.abs() < 3.0 * found.real_against_real, "{found:?}");
        let [low, high] = found.real_interval.expect("halves");
        assert!(low < 0.0 && high > 0.0);
    }

    #[test]
    fn a_shifted_set_is_far_from_the_real_one_and_further_with_more_shift() {
        let real = set(60, 0.0, 2);
        let of = |shift| kid(&set(60, shift, 1), &real, &real, 1).expect("figures");
        let (near, far) = (of(0.5), of(1.0));
        assert!(near.interval.expect("an interval")[0] > 0.0, "{near:?}");
        assert!(
            near.kid > 10.0 * near.real_against_real && far.kid > 2.0 * near.kid,
            "{near:?} {far:?}"
        );
    }

    #[test]
    fn the_distance_is_that_computed_by_hand() {
        let mouth = |value: f64| Seen {
            subject: None,
            features: vec![value],
        };
        // Scaled by the second set (mean 0, deviation 1): {1, 3} against {-1, 1}.
        let kernels = Kernels::of(&[mouth(1.0), mouth(3.0)], &[mouth(-1.0), mouth(1.0)]);
        // k(1, 3) = 64, k(-1, 1) = 0; across: k(1, -1) = 0, k(1, 1) = 8, k(3, -1) = -8, k(3, 1) = 64.
        let expected = 64.0 + 0.0 - 2.0 * (0.0 + 8.0 - 8.0 + 64.0) / 4.0;
        assert!((kernels.distance(&[0, 1, 2, 3], 2) - expected).abs() < 1e-9);
        // A mouth that is drawn twice is not compared with itself.
        assert!((kernels.distance(&[0, 1, 2, 2, 3], 2).is_finite()));
        assert!(kernels.distance(&[0, 0, 2, 3], 2).is_nan());
        assert!(kid(&[], &[], &[mouth(1.0)], 1).is_none());
    }
}
