//! A convolution of one image on the CPU, a block of output channels at a time.

use std::borrow::Cow;

use super::simd::{BLOCK, LANES, Maps, sums};
use wide::f32x4;

use crate::kernels::spec::ConvKind;

/// SIMD vectors of a tile.
const TILE: usize = 2;
/// SIMD vectors of a tile where rows are whole multiples of it.
const WIDE_TILE: usize = 3;

/// The input of a convolution with zeros around it, so that every tap of every tile has a place.
pub struct Padded<'a> {
    values: Cow<'a, [f32]>,
    plane: usize,
    row_stride: usize,
    rows: usize,
    columns: usize,
    tile: usize,
}

impl<'a> Padded<'a> {
    /// x: `[inputs, height, width]`.
    pub fn new(x: &'a [f32], inputs: usize, [height, width]: [usize; 2], kind: ConvKind) -> Self {
        // Without neighbours a map is one long row.
        let [height, width] = match kind {
            ConvKind::Conv1x1 => [1, height * width],
            _ => [height, width],
        };
        let (pad, extra, rows, columns) = match kind {
            ConvKind::Conv3x3 { padding } => (padding, 2, kind.output(height), kind.output(width)),
            ConvKind::Conv1x1 | ConvKind::Transposed2x2 => (0, 0, height, width),
            ConvKind::Transposed4x4 => (1, 2, height, width),
        };
        let tile = if columns.is_multiple_of(WIDE_TILE * LANES) {
            WIDE_TILE
        } else {
            TILE
        };
        let row_stride = columns.next_multiple_of(tile * LANES) + extra;
        let plane = (rows + extra) * row_stride;
        let values = if pad == 0 && row_stride == width && plane == height * width {
            Cow::Borrowed(x)
        } else {
            let mut values = vec![0.0; inputs * plane];
            let maps = values.chunks_exact_mut(plane);
            for (to, from) in maps.zip(x.chunks_exact(height * width)) {
                let to = to.chunks_exact_mut(row_stride).skip(pad);
                for (to, from) in to.zip(from.chunks_exact(width)) {
                    to[pad..pad + width].copy_from_slice(from);
                }
            }
            Cow::Owned(values)
        };
        Self {
            values,
            plane,
            row_stride,
            rows,
            columns,
            tile,
        }
    }

    fn maps(&self) -> Maps<'_> {
        Maps {
            values: &self.values,
            plane: self.plane,
            row_stride: self.row_stride,
        }
    }
}

/// A block of the output channels of a convolution.
///
/// weights: as [`prepare`](super::conv_weights) leaves a block; out: the maps of up to [`BLOCK`] channels.
pub fn convolve(x: &Padded<'_>, weights: &[f32], kind: ConvKind, out: &mut [f32]) {
    let (weights, _) = weights.as_chunks::<BLOCK>();
    let Some((bias, weights)) = weights.split_last() else {
        return;
    };
    match kind {
        ConvKind::Conv3x3 { .. } => sized::<3, 3>(x, weights, *bias, Places::SAME, out),
        ConvKind::Conv1x1 => sized::<1, 1>(x, weights, *bias, Places::SAME, out),
        ConvKind::Transposed2x2 => upwards::<1>(x, weights, *bias, out),
        ConvKind::Transposed4x4 => upwards::<2>(x, weights, *bias, out),
    }
}

/// Where the sums of one pass go, and where they come from.
#[derive(Clone, Copy)]
struct Places {
    /// From one output pixel of the pass to the next, in both directions.
    step: usize,
    /// The first output pixel: row, column.
    first: [usize; 2],
    /// The first input of the first pixel.
    at: [usize; 2],
}

impl Places {
    const SAME: Self = Self {
        step: 1,
        first: [0, 0],
        at: [0, 0],
    };
}

/// A transposed convolution of stride 2 with kernels of 2 `T`: each of the four phases of its output
/// is a convolution of its own with `T` x `T` taps.
fn upwards<const T: usize>(
    x: &Padded<'_>,
    weights: &[[f32; BLOCK]],
    bias: [f32; BLOCK],
    out: &mut [f32],
) {
    let phases = weights.chunks_exact(weights.len() / 4);
    for (phase, weights) in phases.enumerate() {
        let [row, column] = [phase / 2, phase % 2];
        let places = Places {
            step: 2,
            first: [row, column],
            // With four taps the second phase reads one input further on.
            at: if T == 2 { [row, column] } else { [0, 0] },
        };
        sized::<T, T>(x, weights, bias, places, out);
    }
}

/// Takes the widest tile that fits.
fn sized<const TR: usize, const TC: usize>(
    x: &Padded<'_>,
    weights: &[[f32; BLOCK]],
    bias: [f32; BLOCK],
    places: Places,
    out: &mut [f32],
) {
    if x.tile == WIDE_TILE {
        pass::<TR, TC, WIDE_TILE>(x, weights, bias, places, out);
    } else {
        pass::<TR, TC, TILE>(x, weights, bias, places, out);
    }
}

#[inline(always)]
fn pass<const TR: usize, const TC: usize, const V: usize>(
    x: &Padded<'_>,
    weights: &[[f32; BLOCK]],
    bias: [f32; BLOCK],
    places: Places,
    out: &mut [f32],
) {
    let step = places.step;
    let row_stride = x.columns * step;
    let plane = x.rows * step * row_stride;
    for row in 0..x.rows {
        for column in (0..x.columns).step_by(V * LANES) {
            let at = (row + places.at[0]) * x.row_stride + column + places.at[1];
            let sums = sums::<TR, TC, V>(x.maps(), at, weights, bias);
            let first =
                (row * step + places.first[0]) * row_stride + column * step + places.first[1];
            let count = (V * LANES).min(x.columns - column);
            for (out, sums) in out.chunks_exact_mut(plane).zip(&sums) {
                store(&mut out[first..], sums, step, count);
            }
        }
    }
}

/// The first `count` pixels of a tile's row, `step` apart.
#[inline(always)]
fn store<const V: usize>(out: &mut [f32], sums: &[f32x4; V], step: usize, count: usize) {
    if step == 1 && count == V * LANES {
        let (out, _) = out.as_chunks_mut::<LANES>();
        for (to, sum) in out.iter_mut().zip(sums) {
            *to = sum.to_array();
        }
    } else {
        let sums = sums.iter().flat_map(|sum| sum.to_array());
        let places = out.iter_mut().step_by(step);
        places.zip(sums.take(count)).for_each(|(to, sum)| *to = sum);
    }
}
