//! What follows a convolution on the CPU, a map at a time.

use crate::kernels::spec::{Activation, LEAKY_SLOPE, NORM_EPSILON};

/// Sums that run beside each other, so that they fill SIMD vectors.
const LANES: usize = 8;

/// activation(v) of every value.
pub fn activate(map: &mut [f32], activation: Activation) {
    match activation {
        Activation::None => {}
        Activation::Relu => scale_negative(map, 0.0),
        Activation::Leaky => scale_negative(map, LEAKY_SLOPE as f32),
    }
}

/// Comparisons, since `f32::max` is a function call in WebAssembly; a value that is not a number
/// stays so.
fn scale_negative(map: &mut [f32], slope: f32) {
    for v in map {
        *v = if *v < 0.0 { slope * *v } else { *v };
    }
}

/// Adds the other map.
pub fn add(map: &mut [f32], other: &[f32]) {
    map.iter_mut().zip(other).for_each(|(v, other)| *v += other);
}

/// What takes a map to mean 0 and deviation 1: its mean, and one over its deviation.
pub fn moments(map: &[f32]) -> [f32; 2] {
    let count = map.len() as f32;
    let mean = sum(map, |v| v) / count;
    let variance = sum(map, |v| (v - mean) * (v - mean)) / count;
    [mean, 1.0 / (variance + NORM_EPSILON as f32).sqrt()]
}

/// (v - mean) * scale of every value.
pub fn normalise(map: &mut [f32], [mean, scale]: [f32; 2]) {
    map.iter_mut().for_each(|v| *v = (*v - mean) * scale);
}

/// Instance norm of `map`, times gamma, plus beta.
pub fn style(map: &[f32], gamma: f32, beta: f32, out: &mut [f32]) {
    let [mean, scale] = moments(map);
    let scale = scale * gamma;
    let values = out.iter_mut().zip(map);
    values.for_each(|(to, v)| *to = (v - mean) * scale + beta);
}

/// The maximum of each 2x2 square of a map of so many columns.
pub fn max_pool(map: &[f32], columns: usize, out: &mut [f32]) {
    let rows = map.chunks_exact(2 * columns);
    for (out, rows) in out.chunks_exact_mut(columns / 2).zip(rows) {
        let (upper, lower) = rows.split_at(columns);
        let (upper, _) = upper.as_chunks::<2>();
        let (lower, _) = lower.as_chunks::<2>();
        for (to, ([a, b], [c, d])) in out.iter_mut().zip(upper.iter().zip(lower)) {
            *to = larger(larger(*a, *b), larger(*c, *d));
        }
    }
}

fn larger(a: f32, b: f32) -> f32 {
    if a < b { b } else { a }
}

fn sum(map: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = map.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, v) in sums.iter_mut().zip(chunk) {
            *sum += term(*v);
        }
    }
    let rest: f32 = rest.iter().map(|v| term(*v)).sum();
    sums.iter().sum::<f32>() + rest
}
