//! One row of a chain's layer on the CPU. Maps are stored pixel by pixel with all channels of one beside
//! each other, so that a vector holds channels: a depthwise window is nine vectors, and a tile of a few
//! pixels by two or three vectors of output channels stays in registers over all inputs.

use wide::f32x4;

use super::chain_weights::{Kind, PreparedLayer, Width};
use super::vector::Vector;
#[cfg(target_arch = "x86_64")]
use super::vector::{Avx2, Avx512};

/// What a row of a layer is made of.
pub struct Row<'a> {
    pub layer: &'a PreparedLayer,
    /// The rows under the window, upper first, with the window's zeros at both ends.
    pub rows: &'a [&'a [f32]],
    /// Pixels of the row that is made.
    pub width: usize,
    /// Room for what lies between the two convolutions: `[width, inputs]`.
    pub between: &'a mut [f32],
    /// `[width, outputs]`, both as they are stored.
    pub to: &'a mut [f32],
}

impl Row<'_> {
    /// Computes the row by the vectors that the weights were laid out for.
    pub fn compute(self) {
        match self.layer.width {
            Width::Four => by::<f32x4>(self),
            // SAFETY: `Width` is only these where the processor has them.
            #[cfg(target_arch = "x86_64")]
            Width::Eight => unsafe { by_eight(self) },
            #[cfg(target_arch = "x86_64")]
            Width::Sixteen => unsafe { by_sixteen(self) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn by_eight(row: Row) {
    by::<Avx2>(row);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn by_sixteen(row: Row) {
    by::<Avx512>(row);
}

/// Pixels and vectors of a tile: 12 sums and what feeds them fit 16 registers.
#[inline(always)]
fn by<V: Vector>(row: Row) {
    match row.layer.block / V::LANES {
        1 => tiles::<V, 1, 6>(row),
        2 => tiles::<V, 2, 6>(row),
        _ => tiles::<V, 3, 4>(row),
    }
}

#[inline(always)]
fn tiles<V: Vector, const N: usize, const P: usize>(row: Row) {
    let Row {
        layer,
        rows,
        width,
        between,
        to,
    } = row;
    let fits = row_fits(layer, rows, width, between, to);
    assert!(fits, "a row of a chain does not fit its layer");
    // SAFETY: what `row_fits` says.
    unsafe {
        match &layer.kind {
            Kind::Separable { depthwise, .. } if layer.window.stride == 1 => {
                depthwise_row::<V>(rows, layer.inputs, depthwise, between, width);
            }
            Kind::Separable { depthwise, .. } => {
                depthwise_row_halved::<V>(rows, layer.inputs, depthwise, between, width);
            }
            Kind::Dense => {}
        }
        let mut at = 0;
        while at < width {
            // The last tile begins early enough to be whole.
            if width >= P {
                at = at.min(width - P);
                tile::<V, N, P>(layer, rows, between, at, to);
                at += P;
            } else {
                tile::<V, N, 1>(layer, rows, between, at, to);
                at += 1;
            }
        }
    }
}

/// Whether all that is read and written of a row is there: what the unchecked loads rely on.
fn row_fits(
    layer: &PreparedLayer,
    rows: &[&[f32]],
    width: usize,
    between: &[f32],
    to: &[f32],
) -> bool {
    let (window, inputs) = (layer.window, layer.inputs);
    let under = match layer.kind {
        Kind::Dense => window.side,
        Kind::Separable { .. } => 3,
    };
    let row = (width.saturating_sub(1) * window.stride + under) * inputs;
    let has_rows = rows.len() == window.side && rows.iter().all(|part| part.len() >= row);
    let has_between = match &layer.kind {
        Kind::Dense => true,
        Kind::Separable { depthwise, .. } => {
            window.side == 3 && depthwise.len() == 9 * inputs && between.len() >= width * inputs
        }
    };
    let blocks = layer.outputs / layer.block;
    let has_weights = layer.weights.len() == blocks * layer.taps * layer.block
        && layer.outputs == blocks * layer.block
        && layer.bias.len() == layer.outputs
        && layer.slopes.len() == layer.outputs;
    has_rows && has_between && has_weights && to.len() >= width * layer.outputs
}

/// A window of 3 x 3 within each channel. Each column of the window is loaded once, for the three pixels
/// that it is part of.
#[inline(always)]
unsafe fn depthwise_row<V: Vector>(
    rows: &[&[f32]],
    channels: usize,
    weights: &[f32],
    out: &mut [f32],
    width: usize,
) {
    let [above, middle, below] = rows else { return };
    let mut channel = 0;
    while channel < channels {
        // SAFETY: the caller's, of the whole function.
        unsafe {
            let taps = taps::<V>(weights, channels, channel);
            let column = |sum: V, at: usize, first: usize| {
                let at = at * channels + channel;
                let sum = V::load(above, at).mul_add(taps[first], sum);
                let sum = V::load(middle, at).mul_add(taps[3 + first], sum);
                V::load(below, at).mul_add(taps[6 + first], sum)
            };
            let zero = V::splat(0.0);
            let mut begun = column(zero, 0, 0);
            let mut half = column(begun, 1, 1);
            begun = column(zero, 1, 0);
            for x in 0..width {
                column(half, x + 2, 2).store(out, x * channels + channel);
                if x + 1 < width {
                    half = column(begun, x + 2, 1);
                    begun = column(zero, x + 2, 0);
                }
            }
        }
        channel += V::LANES;
    }
}

/// The same with a stride of two.
#[inline(always)]
unsafe fn depthwise_row_halved<V: Vector>(
    rows: &[&[f32]],
    channels: usize,
    weights: &[f32],
    out: &mut [f32],
    width: usize,
) {
    let mut channel = 0;
    while channel < channels {
        // SAFETY: the caller's, of the whole function.
        unsafe {
            let taps = taps::<V>(weights, channels, channel);
            for x in 0..width {
                let mut sum = V::splat(0.0);
                for (row, values) in rows.iter().enumerate().take(3) {
                    for column in 0..3 {
                        let at = (2 * x + column) * channels + channel;
                        sum = V::load(values, at).mul_add(taps[3 * row + column], sum);
                    }
                }
                sum.store(out, x * channels + channel);
            }
        }
        channel += V::LANES;
    }
}

/// The weights of a window for some channels.
#[inline(always)]
unsafe fn taps<V: Vector>(weights: &[f32], channels: usize, channel: usize) -> [V; 9] {
    let mut taps = [V::splat(0.0); 9];
    for (tap, to) in taps.iter_mut().enumerate() {
        // SAFETY: the caller's.
        *to = unsafe { V::load(weights, tap * channels + channel) };
    }
    taps
}

/// All output channels of `P` pixels from `at` on.
#[inline(always)]
unsafe fn tile<V: Vector, const N: usize, const P: usize>(
    layer: &PreparedLayer,
    rows: &[&[f32]],
    between: &[f32],
    at: usize,
    to: &mut [f32],
) {
    let (window, inputs) = (layer.window, layer.inputs);
    let blocks = layer.weights.chunks_exact(layer.taps * layer.block);
    for (block, weights) in blocks.enumerate() {
        let first = block * layer.block;
        // SAFETY: the caller's, of the whole function.
        unsafe {
            let mut bias = [V::splat(0.0); N];
            for (n, to) in bias.iter_mut().enumerate() {
                *to = V::load(&layer.bias, first + n * V::LANES);
            }
            let mut sums = [bias; P];
            match layer.kind {
                Kind::Separable { shortcut, .. } => {
                    let between = &between[at * inputs..];
                    sums = sum::<V, N, P>(sums, between, inputs, weights, layer.taps);
                    if shortcut {
                        add_shortcut::<V, N, P>(&mut sums, layer, rows, at, first);
                    }
                }
                Kind::Dense => {
                    let step = window.stride * inputs;
                    let taps = layer.taps / window.side;
                    for (row, weights) in rows.iter().zip(weights.chunks_exact(taps * layer.block))
                    {
                        sums = sum::<V, N, P>(sums, &row[at * step..], step, weights, taps);
                    }
                }
            }
            for (p, sums) in sums.iter().enumerate() {
                for (n, sum) in sums.iter().enumerate() {
                    let channel = first + n * V::LANES;
                    let (slope, zero) = (V::load(&layer.slopes, channel), V::splat(0.0));
                    let out = sum.min(zero).mul_add(slope, sum.max(zero));
                    out.store(to, (at + p) * layer.outputs + channel);
                }
            }
        }
    }
}

/// Adds each input times its weights; a pixel's inputs begin `step` after those of the one before it.
#[inline(always)]
unsafe fn sum<V: Vector, const N: usize, const P: usize>(
    mut sums: [[V; N]; P],
    inputs: &[f32],
    step: usize,
    weights: &[f32],
    taps: usize,
) -> [[V; N]; P] {
    debug_assert!((P - 1) * step + taps <= inputs.len());
    for k in 0..taps {
        // SAFETY: the caller's.
        unsafe {
            let mut loaded = [V::splat(0.0); N];
            for (n, to) in loaded.iter_mut().enumerate() {
                *to = V::load(weights, (k * N + n) * V::LANES);
            }
            for (p, sums) in sums.iter_mut().enumerate() {
                let value = V::splat(*inputs.get_unchecked(p * step + k));
                for (sum, weight) in sums.iter_mut().zip(&loaded) {
                    *sum = value.mul_add(*weight, *sum);
                }
            }
        }
    }
    sums
}

/// Adds the block's input, or the largest of each four of its pixels where it halves; nothing on channels
/// that the input lacks.
#[inline(always)]
unsafe fn add_shortcut<V: Vector, const N: usize, const P: usize>(
    sums: &mut [[V; N]; P],
    layer: &PreparedLayer,
    rows: &[&[f32]],
    at: usize,
    first: usize,
) {
    let [above, middle, ..] = rows else { return };
    for (p, sums) in sums.iter_mut().enumerate() {
        for (n, sum) in sums.iter_mut().enumerate() {
            let channel = first + n * V::LANES;
            if channel >= layer.inputs {
                continue;
            }
            // SAFETY: the caller's.
            let pixel = |row: &[f32], x: usize| unsafe { V::load(row, x * layer.inputs + channel) };
            let x = at + p;
            let own = if layer.window.stride == 2 {
                let (left, right) = (2 * x, 2 * x + 1);
                let above = pixel(above, left).max(pixel(above, right));
                above.max(pixel(middle, left).max(pixel(middle, right)))
            } else {
                pixel(middle, x + 1)
            };
            *sum = sum.add(own);
        }
    }
}
