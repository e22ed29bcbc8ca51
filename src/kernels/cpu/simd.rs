//! The inner loop of every convolution on the CPU: a few output channels over a few pixels of a row,
//! whose sums stay in registers.

use wide::f32x4;

/// Output channels of a tile: prepared weights come in blocks of so many.
pub const BLOCK: usize = 4;

/// Pixels of a SIMD vector: what simd128 and SSE hold. With two or three of them a tile's sums fit
/// the 16 registers of both.
pub const LANES: usize = 4;

/// Sums of a tile of `V` vectors of pixels, by output channel.
pub type Sums<const V: usize> = [[f32x4; V]; BLOCK];

/// Input maps, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Maps<'a> {
    /// The values of all maps.
    pub values: &'a [f32],
    /// Values from one map to the next.
    pub plane: usize,
    /// Values from one row to the next.
    pub row_stride: usize,
}

/// The sums of `V` vectors of pixels of a row: bias, then what each input channel adds.
///
/// A kernel has `TR` rows of `TC` taps; its first tap reads the tile's first pixel at `at`.
/// weights: `[input channel, TR, TC]` blocks.
#[inline(always)]
pub fn sums<const TR: usize, const TC: usize, const V: usize>(
    maps: Maps<'_>,
    at: usize,
    weights: &[[f32; BLOCK]],
    bias: [f32; BLOCK],
) -> Sums<V> {
    let mut sums = bias.map(|bias| [f32x4::splat(bias); V]);
    for (channel, kernel) in weights.chunks_exact(TR * TC).enumerate() {
        let map = &maps.values[channel * maps.plane + at..];
        for tap_row in 0..TR {
            let inputs = &map[tap_row * maps.row_stride..][..V * LANES + TC - 1];
            for tap_column in 0..TC {
                let weight = kernel[tap_row * TC + tap_column].map(f32x4::splat);
                let (inputs, _) = inputs[tap_column..].as_chunks::<LANES>();
                for v in 0..V {
                    let input = f32x4::from(inputs[v]);
                    for (sums, weight) in sums.iter_mut().zip(weight) {
                        sums[v] += weight * input;
                    }
                }
            }
        }
    }
    sums
}
