//! A block of the face detector on Burn's CPU backend: activation(shortcut + pointwise(depthwise(x))), a
//! strip of rows at a time, so that what lies between the two convolutions stays in the cache.

use burn::backend::flex::{Flex, FlexTensor};
use burn::tensor::Tensor;
use wide::f32x4;

use super::depthwise::{TAPS, halved, same};
use super::maps;
use super::simd::{BLOCK, LANES, Maps, sums};
use super::tensor::{dims, tensor, values};
use crate::kernels::backend::SeparableBackend;
use crate::kernels::launches::count_launches;
use crate::kernels::prepared::filled_up;
use crate::kernels::spec::SeparableSpec;

/// SIMD vectors of a tile of the pointwise convolution.
const TILE: usize = 3;
/// Numbers between the two convolutions: 96 KiB, well within a second-level cache, and rows enough
/// that the two that strips share weigh little.
const STRIP: usize = 24 * 1024;

/// The weights in the kernel's order: depthwise `[inputs, 3, 3]`; pointwise, by block of [`BLOCK`] output
/// channels, `[inputs + 1]` of them, the biases last; slopes `[outputs]`, zeros where there are none.
pub fn prepare(
    depthwise: &Tensor<4>,
    pointwise: &Tensor<4>,
    bias: &Tensor<1>,
    slope: Option<&Tensor<1>>,
) -> Tensor<1> {
    let [outputs, inputs, _, _] = pointwise.dims();
    let blocks = outputs.div_ceil(BLOCK);
    let rows = pointwise.clone().reshape([outputs, inputs]);
    let rows = Tensor::cat(vec![rows, bias.clone().unsqueeze_dim(1)], 1); // [outputs, inputs + 1]
    let rows = filled_up(rows, 0, blocks * BLOCK)
        .reshape([blocks, BLOCK, inputs + 1])
        .permute([0, 2, 1]); // [blocks, inputs + 1, BLOCK]
    let slope = match slope {
        Some(slope) => slope.clone(),
        None => Tensor::zeros([outputs], &bias.device()),
    };
    let parts = vec![
        depthwise.clone().flatten::<1>(0, 3),
        rows.flatten::<1>(0, 2),
        slope,
    ];
    Tensor::cat(parts, 0)
}

impl SeparableBackend for Flex {
    fn separable(x: FlexTensor, weights: FlexTensor, spec: SeparableSpec) -> FlexTensor {
        let (x, weights) = (x.to_contiguous(), weights.to_contiguous());
        let block = Block::new(values(&weights), spec);
        let [batch, inputs, height, width] = dims(&x);
        let size = if spec.halve { 2 } else { 1 };
        let [rows, columns] = [height / size, width / size];
        let mut out = vec![0.0; batch * spec.outputs * rows * columns];
        let samples = out.chunks_exact_mut(spec.outputs * rows * columns);
        for (x, out) in values(&x)
            .chunks_exact(inputs * height * width)
            .zip(samples)
        {
            let mut strip = Strip::new(&block, x, [height, width]);
            for row in (0..rows).step_by(strip.rows) {
                strip.fill(row);
                strip.finish(row, out);
            }
        }
        count_launches(1);
        tensor(out, [batch, spec.outputs, rows, columns])
    }
}

/// The prepared weights of a block.
struct Block<'a> {
    depthwise: &'a [f32],
    /// By block of output channels `[inputs]` quads, then their biases.
    pointwise: &'a [[f32; BLOCK]],
    /// What a negative value is multiplied by, a channel.
    slopes: &'a [f32],
    spec: SeparableSpec,
}

impl<'a> Block<'a> {
    fn new(weights: &'a [f32], spec: SeparableSpec) -> Self {
        let (depthwise, rest) = weights.split_at(spec.inputs * TAPS);
        let (pointwise, slopes) = rest.split_at(rest.len() - spec.outputs);
        Self {
            depthwise,
            pointwise: pointwise.as_chunks().0,
            slopes,
            spec,
        }
    }
}

/// Some rows of the block's output, and what they are made of.
struct Strip<'a> {
    block: &'a Block<'a>,
    x: &'a [f32],
    /// Height and width of x.
    size: [usize; 2],
    /// Rows of a strip, columns of the output.
    rows: usize,
    columns: usize,
    /// Values of one channel of `workspace`.
    plane: usize,
    /// After the depthwise convolution: `[inputs, plane]`.
    workspace: Vec<f32>,
    /// What is added: `[inputs, rows * columns]`, where the block halves.
    pooled: Vec<f32>,
    /// One channel's rows with zeros around them.
    padded: Vec<f32>,
}

impl<'a> Strip<'a> {
    fn new(block: &'a Block<'a>, x: &'a [f32], size: [usize; 2]) -> Self {
        let step = if block.spec.halve { 2 } else { 1 };
        let [height, columns] = size.map(|side| side / step);
        let rows = (STRIP / (block.spec.inputs * columns)).clamp(1, height);
        let plane = (rows * columns).next_multiple_of(TILE * LANES);
        let row_stride = columns.next_multiple_of(LANES) + LANES;
        Self {
            block,
            x,
            size,
            rows,
            columns,
            plane,
            workspace: vec![0.0; block.spec.inputs * plane],
            pooled: vec![0.0; block.spec.inputs * rows * columns],
            padded: vec![0.0; step * row_stride * (step * rows + 2)],
        }
    }

    /// Rows of the strip from `row` on.
    fn count(&self, row: usize) -> usize {
        let step = if self.block.spec.halve { 2 } else { 1 };
        self.rows.min(self.size[0] / step - row)
    }

    /// The depthwise convolution of the rows from `row` on, and what is added to them.
    fn fill(&mut self, row: usize) {
        let count = self.count(row);
        let [height, width] = self.size;
        for channel in 0..self.block.spec.inputs {
            let x = &self.x[channel * height * width..][..height * width];
            let Some(kernel) = self.block.depthwise[channel * TAPS..].first_chunk() else {
                return;
            };
            let out = &mut self.workspace[channel * self.plane..][..count * self.columns];
            if self.block.spec.halve {
                halved(
                    x,
                    width,
                    2 * row,
                    kernel,
                    &mut self.padded,
                    self.columns,
                    out,
                );
                if !self.block.spec.alone {
                    let x = &x[2 * row * width..][..2 * count * width];
                    let pooled = &mut self.pooled[channel * self.rows * self.columns..];
                    maps::max_pool(x, width, &mut pooled[..count * self.columns]);
                }
            } else {
                same(x, width, row, kernel, &mut self.padded, out);
            }
        }
    }

    /// The pointwise convolution, the sum and the activation.
    fn finish(&self, row: usize, out: &mut [f32]) {
        let block = self.block;
        let pixels = self.count(row) * self.columns;
        let plane = out.len() / block.spec.outputs;
        let maps = Maps {
            values: &self.workspace,
            plane: self.plane,
            row_stride: self.plane,
        };
        let (added, added_plane) = if block.spec.halve {
            (&self.pooled[..], self.rows * self.columns)
        } else {
            (&self.x[row * self.columns..], plane)
        };
        let blocks = block.pointwise.chunks_exact(block.spec.inputs + 1);
        for (first, weights) in blocks.enumerate() {
            let Some((bias, weights)) = weights.split_last() else {
                return;
            };
            for at in (0..pixels).step_by(TILE * LANES) {
                let sums = sums::<1, 1, TILE>(maps, at, weights, *bias);
                let channels = first * BLOCK..block.spec.outputs.min((first + 1) * BLOCK);
                for (channel, sums) in channels.zip(sums) {
                    let end = (at + TILE * LANES).min(pixels);
                    let out = &mut out[channel * plane + row * self.columns..][at..end];
                    let added = (!self.block.spec.alone && channel < block.spec.inputs)
                        .then(|| &added[channel * added_plane..][at..end]);
                    let slope = if self.block.spec.alone {
                        1.0
                    } else {
                        block.slopes[channel]
                    };
                    store(out, sums, added, slope);
                }
            }
        }
    }
}

/// Adds, activates and writes the pixels of a tile for one channel.
#[inline(always)]
fn store(out: &mut [f32], sums: [f32x4; TILE], added: Option<&[f32]>, slope: f32) {
    let (vectors, rest) = out.as_chunks_mut::<LANES>();
    let mut sums = sums.into_iter();
    for (i, (to, sum)) in vectors.iter_mut().zip(&mut sums).enumerate() {
        let sum = match added.and_then(|added| added[i * LANES..].first_chunk::<LANES>()) {
            Some(added) => sum + f32x4::from(*added),
            None => sum,
        };
        let negative = sum.simd_lt(f32x4::ZERO);
        *to = negative.select(sum * slope, sum).to_array();
    }
    let Some(last) = sums.next() else { return };
    let first = vectors.len() * LANES;
    for (i, (to, sum)) in rest.iter_mut().zip(last.to_array()).enumerate() {
        let sum = sum + added.map_or(0.0, |added| added[first + i]);
        *to = if sum < 0.0 { slope * sum } else { sum };
    }
}
