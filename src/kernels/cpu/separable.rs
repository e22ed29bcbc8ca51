//! A block of the face detector on the CPU: activation(shortcut + pointwise(depthwise(x))), a strip of
//! rows at a time, so that what lies between the two convolutions stays in the cache.

use burn::tensor::{Tensor, TensorData};
use wide::f32x4;

use super::depthwise::{TAPS, halved, same};
use super::planes;
use super::tile::{BLOCK, LANES, Maps, sums};
use crate::kernels::route::Route;

/// SIMD vectors of a tile of the pointwise convolution.
const TILE: usize = 3;
/// Numbers between the two convolutions: 96 KiB, well within a second-level cache, and rows enough
/// that the two that strips share weigh little.
const STRIP: usize = 24 * 1024;

/// The weights of a block, packed once for the CPU.
#[derive(Debug, Clone)]
pub struct Separable {
    depthwise: Vec<f32>,
    /// By block of output channels `[inputs]` quads, then their biases.
    pointwise: Vec<[f32; BLOCK]>,
    /// What a negative value is multiplied by, a channel.
    slopes: Vec<f32>,
    inputs: usize,
    outputs: usize,
    halve: bool,
}

impl Separable {
    /// Packs depthwise `[inputs, 1, 3, 3]`, pointwise `[outputs, inputs, 1, 1]`, a bias and the
    /// activation's slopes (none: ReLU); with `halve` the block has stride 2. None where the weights
    /// are not on a device whose tensors [`forward`](Self::forward) takes.
    pub fn pack(
        depthwise: &Tensor<4>,
        pointwise: &Tensor<4>,
        bias: &Tensor<1>,
        slope: Option<&Tensor<1>>,
        halve: bool,
    ) -> Option<Self> {
        if Route::on(&depthwise.device()) != Route::Cpu {
            return None;
        }
        let [outputs, inputs, _, _] = pointwise.dims();
        let bias = values(bias.clone())?;
        let rows = values(pointwise.clone())?;
        let quad = |block: usize, value: &dyn Fn(usize) -> f32| -> [f32; BLOCK] {
            let channel = |i: usize| Some(block * BLOCK + i).filter(|o| *o < outputs);
            std::array::from_fn(|i| channel(i).map_or(0.0, value))
        };
        let pointwise = (0..outputs.div_ceil(BLOCK)).flat_map(|block| {
            let weights = (0..inputs).map(move |c| (block, c));
            let weights = weights.map(|(block, c)| quad(block, &|o| rows[o * inputs + c]));
            let mut all: Vec<_> = weights.collect();
            all.push(quad(block, &|o| bias[o]));
            all
        });
        Some(Self {
            depthwise: values(depthwise.clone())?,
            pointwise: pointwise.collect(),
            slopes: match slope {
                Some(slope) => values(slope.clone())?,
                None => vec![0.0; outputs],
            },
            inputs,
            outputs,
            halve,
        })
    }

    /// The block over x `[batch, inputs, height, width]`, or with `alone` its convolutions alone;
    /// none where x has to go through plain tensors.
    pub fn forward(&self, x: &Tensor<4>, alone: bool) -> Option<Tensor<4>> {
        let [batch, inputs, height, width] = x.dims();
        let device = x.device();
        let even = height.is_multiple_of(2) && width.is_multiple_of(2);
        let fits = inputs == self.inputs && (even || !self.halve) && batch * height * width > 0;
        if !fits || Route::of(x) != Route::Cpu {
            return None;
        }
        let data = x.clone().into_data();
        let x = data.as_slice::<f32>().ok()?;
        let size = if self.halve { 2 } else { 1 };
        let [rows, columns] = [height / size, width / size];
        let mut out = vec![0.0; batch * self.outputs * rows * columns];
        let samples = out.chunks_exact_mut(self.outputs * rows * columns);
        for (x, out) in x.chunks_exact(inputs * height * width).zip(samples) {
            let mut strip = Strip::new(self, x, [height, width]);
            for row in (0..rows).step_by(strip.rows) {
                strip.fill(row, alone);
                strip.finish(row, alone, out);
            }
        }
        crate::kernels::launch::count_launches(1);
        let data = TensorData::new(out, [batch, self.outputs, rows, columns]);
        Some(Tensor::from_data(data, &device))
    }
}

/// The values of a tensor.
fn values<const D: usize>(tensor: Tensor<D>) -> Option<Vec<f32>> {
    tensor.into_data().try_into_vec::<f32>().ok()
}

/// Some rows of the block's output, and what they are made of.
struct Strip<'a> {
    block: &'a Separable,
    x: &'a [f32],
    /// Height and width of x.
    size: [usize; 2],
    /// Rows of a strip, columns of the output.
    rows: usize,
    columns: usize,
    /// Values of one channel of `middle`.
    plane: usize,
    /// After the depthwise convolution: `[inputs, plane]`.
    middle: Vec<f32>,
    /// What is added: `[inputs, rows * columns]`, where the block halves.
    pooled: Vec<f32>,
    /// One channel's rows with zeros around them.
    padded: Vec<f32>,
}

impl<'a> Strip<'a> {
    fn new(block: &'a Separable, x: &'a [f32], size: [usize; 2]) -> Self {
        let step = if block.halve { 2 } else { 1 };
        let [height, columns] = size.map(|side| side / step);
        let rows = (STRIP / (block.inputs * columns)).clamp(1, height);
        let plane = (rows * columns).next_multiple_of(TILE * LANES);
        let pitch = columns.next_multiple_of(LANES) + LANES;
        Self {
            block,
            x,
            size,
            rows,
            columns,
            plane,
            middle: vec![0.0; block.inputs * plane],
            pooled: vec![0.0; block.inputs * rows * columns],
            padded: vec![0.0; step * pitch * (step * rows + 2)],
        }
    }

    /// Rows of the strip from `row` on.
    fn count(&self, row: usize) -> usize {
        let step = if self.block.halve { 2 } else { 1 };
        self.rows.min(self.size[0] / step - row)
    }

    /// The depthwise convolution of the rows from `row` on, and what is added to them.
    fn fill(&mut self, row: usize, alone: bool) {
        let count = self.count(row);
        let [height, width] = self.size;
        for channel in 0..self.block.inputs {
            let x = &self.x[channel * height * width..][..height * width];
            let Some(kernel) = self.block.depthwise[channel * TAPS..].first_chunk() else {
                return;
            };
            let out = &mut self.middle[channel * self.plane..][..count * self.columns];
            if self.block.halve {
                halved(
                    x,
                    width,
                    2 * row,
                    kernel,
                    &mut self.padded,
                    self.columns,
                    out,
                );
                if !alone {
                    let x = &x[2 * row * width..][..2 * count * width];
                    let pooled = &mut self.pooled[channel * self.rows * self.columns..];
                    planes::max_pool(x, width, &mut pooled[..count * self.columns]);
                }
            } else {
                same(x, width, row, kernel, &mut self.padded, out);
            }
        }
    }

    /// The pointwise convolution, the sum and the activation.
    fn finish(&self, row: usize, alone: bool, out: &mut [f32]) {
        let block = self.block;
        let pixels = self.count(row) * self.columns;
        let plane = out.len() / block.outputs;
        let maps = Maps {
            values: &self.middle,
            plane: self.plane,
            pitch: self.plane,
        };
        let (added, added_plane) = if block.halve {
            (&self.pooled[..], self.rows * self.columns)
        } else {
            (&self.x[row * self.columns..], plane)
        };
        let blocks = block.pointwise.chunks_exact(block.inputs + 1);
        for (first, weights) in blocks.enumerate() {
            let Some((bias, weights)) = weights.split_last() else {
                return;
            };
            for at in (0..pixels).step_by(TILE * LANES) {
                let sums = sums::<1, 1, TILE>(maps, at, weights, *bias);
                let channels = first * BLOCK..block.outputs.min((first + 1) * BLOCK);
                for (channel, sums) in channels.zip(sums) {
                    let end = (at + TILE * LANES).min(pixels);
                    let out = &mut out[channel * plane + row * self.columns..][at..end];
                    let added = (!alone && channel < block.inputs)
                        .then(|| &added[channel * added_plane..][at..end]);
                    let slope = if alone { 1.0 } else { block.slopes[channel] };
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
