//! A convolution of 3 x 3 within one channel on the CPU, some rows at a time.

use wide::f32x4;

use super::simd::LANES;

/// Taps of the kernel.
pub const TAPS: usize = 9;

/// Rows of a depthwise convolution of 3 x 3 with a border of one zero, from `row` on.
pub fn same(
    x: &[f32],
    width: usize,
    row: usize,
    kernel: &[f32; TAPS],
    padded: &mut [f32],
    out: &mut [f32],
) {
    let row_stride = width.next_multiple_of(LANES) + LANES;
    let count = out.len() / width;
    for (i, to) in padded
        .chunks_exact_mut(row_stride)
        .take(count + 2)
        .enumerate()
    {
        // A row of zeros above the first and below the last.
        match (row + i)
            .checked_sub(1)
            .and_then(|y| x.chunks_exact(width).nth(y))
        {
            Some(from) => to[1..=width].copy_from_slice(from),
            None => to.fill(0.0),
        }
    }
    let kernel = kernel.map(f32x4::splat);
    for (y, out) in out.chunks_exact_mut(width).enumerate() {
        let rows = [0, 1, 2].map(|row| &padded[(y + row) * row_stride..][..row_stride]);
        each_vector(out, |at| {
            let mut sum = f32x4::ZERO;
            for row in 0..3 {
                for column in 0..3 {
                    sum += kernel[3 * row + column] * vector(rows[row], at + column);
                }
            }
            sum
        });
    }
}

/// Rows of a depthwise convolution of 3 x 3 with stride 2 and a zero at the end, from input `row` on.
pub fn halved(
    x: &[f32],
    width: usize,
    row: usize,
    kernel: &[f32; TAPS],
    padded: &mut [f32],
    columns: usize,
    out: &mut [f32],
) {
    let row_stride = columns.next_multiple_of(LANES) + LANES;
    let count = 2 * (out.len() / columns) + 1;
    for (i, to) in padded
        .chunks_exact_mut(2 * row_stride)
        .take(count)
        .enumerate()
    {
        // Even columns, then odd ones.
        let (even, odd) = to.split_at_mut(row_stride);
        match x.chunks_exact(width).nth(row + i) {
            Some(from) => {
                let pairs = from.as_chunks::<2>().0.iter().zip(even.iter_mut().zip(odd));
                pairs.for_each(|([a, b], (even, odd))| (*even, *odd) = (*a, *b));
            }
            None => to.fill(0.0),
        }
    }
    let kernel = kernel.map(f32x4::splat);
    for (y, out) in out.chunks_exact_mut(columns).enumerate() {
        let rows = [0, 1, 2].map(|row| {
            let both = &padded[(2 * y + row) * 2 * row_stride..][..2 * row_stride];
            both.split_at(row_stride)
        });
        each_vector(out, |at| {
            let mut sum = f32x4::ZERO;
            for row in 0..3 {
                let (even, odd) = rows[row];
                sum += kernel[3 * row] * vector(even, at);
                sum += kernel[3 * row + 1] * vector(odd, at);
                sum += kernel[3 * row + 2] * vector(even, at + 1);
            }
            sum
        });
    }
}

/// Writes a row, a vector at a time: `f` takes a vector's first column.
#[inline(always)]
fn each_vector(out: &mut [f32], f: impl Fn(usize) -> f32x4) {
    let (vectors, rest) = out.as_chunks_mut::<LANES>();
    let first = vectors.len() * LANES;
    for (i, out) in vectors.iter_mut().enumerate() {
        *out = f(i * LANES).to_array();
    }
    if !rest.is_empty() {
        let last = f(first).to_array();
        rest.iter_mut().zip(last).for_each(|(out, v)| *out = v);
    }
}

#[inline(always)]
fn vector(values: &[f32], at: usize) -> f32x4 {
    values[at..]
        .first_chunk()
        .map_or(f32x4::ZERO, |v: &[f32; LANES]| f32x4::from(*v))
}
