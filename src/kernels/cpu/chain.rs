//! A chain of layers on Burn's CPU backend, row by row: as soon as a layer has the rows that lie under its
//! window it makes one of its own, so that only a few rows of each map are ever stored, in the cache.

use std::ops::Range;
use std::sync::Arc;

use burn::backend::flex::{Flex, FlexTensor};

use super::chain_rows::Row;
use super::chain_weights::{Kind, LayerWeights, PreparedLayer, Width};
use super::tensor::{dims, tensor, values};
use crate::kernels::backend::ChainBackend;
use crate::kernels::launches::count_launches;

/// A chain's layers as the kernel takes them.
#[derive(Debug)]
pub struct PreparedChain(Vec<PreparedLayer>);

impl PreparedChain {
    /// Lays the weights out for this processor.
    pub fn new(layers: &[LayerWeights]) -> Self {
        Self::of_width(layers, Width::widest())
    }

    fn of_width(layers: &[LayerWeights], width: Width) -> Self {
        let mut prepared: Vec<PreparedLayer> = Vec::with_capacity(layers.len());
        for layer in layers {
            let stored = prepared.last().map(|layer| layer.outputs);
            prepared.push(PreparedLayer::new(layer, stored, width));
        }
        Self(prepared)
    }

    /// Channels, height and width after some of the layers; None where a window does not fit, or nothing is
    /// left.
    pub fn size(&self, part: Range<usize>, [height, width]: [usize; 2]) -> Option<[usize; 3]> {
        let layers = self.0.get(part)?;
        let size = layers.iter().fold([height, width], |size, layer| {
            size.map(|length| layer.window.places(length))
        });
        let channels = layers.last()?.channels;
        (!size.contains(&0)).then_some([channels, size[0], size[1]])
    }

    /// One picture `[channels, height, width]` through some of the layers.
    fn run(&self, part: Range<usize>, x: &[f32], [height, width]: [usize; 2], out: &mut [f32]) {
        let Some(layers) = self.0.get(part) else {
            return;
        };
        let mut size = [height, width];
        let mut stages: Vec<Stage> = Vec::with_capacity(layers.len());
        for layer in layers {
            stages.push(Stage::new(layer, size));
            size = size.map(|length| layer.window.places(length));
        }
        let Some(channels) = layers.last().map(|layer| layer.channels) else {
            return;
        };
        let mut planes = Planes {
            values: out,
            channels,
            size,
            next: 0,
        };
        let mut last = vec![0.0; size[1] * layers.last().map_or(0, |layer| layer.outputs)];
        for row in 0..height {
            if let Some(first) = stages.first_mut() {
                first.take(x, row);
            }
            advance(&mut stages, &mut last, &mut planes);
        }
    }
}

/// Makes all rows that can be made.
fn advance(stages: &mut [Stage], last: &mut [f32], planes: &mut Planes) {
    let mut at = 0;
    while let Some((stage, after)) = stages.get_mut(at..).and_then(<[_]>::split_first_mut) {
        if !stage.is_ready() {
            // Back to where the rows come from.
            match at.checked_sub(1) {
                Some(before) => at = before,
                None => return,
            }
            continue;
        }
        match after.first_mut() {
            Some(next) => {
                stage.make(next.place());
                next.received += 1;
                at += 1;
            }
            None => {
                stage.make(last);
                planes.take(last, stage.layer.outputs);
            }
        }
    }
}

/// A layer while a picture runs through it.
struct Stage<'a> {
    layer: &'a PreparedLayer,
    /// Height and width of what it reads.
    size: [usize; 2],
    /// The last rows that it was given, as many as its window is high, each with the window's zeros at both
    /// ends; and after them a row of zeros.
    rows: Aligned,
    /// Numbers from one such row to the next.
    row_stride: usize,
    /// Between a separable layer's two convolutions.
    between: Aligned,
    /// Rows that it was given.
    received: usize,
    /// Rows that it made.
    made: usize,
}

impl<'a> Stage<'a> {
    fn new(layer: &'a PreparedLayer, size: [usize; 2]) -> Self {
        let window = layer.window;
        let row = (size[1] + window.before + window.after) * layer.inputs;
        let row_stride = row.next_multiple_of(Aligned::LINE);
        let between = match layer.kind {
            Kind::Dense => 0,
            Kind::Separable { .. } => window.places(size[1]) * layer.inputs,
        };
        Self {
            layer,
            size,
            rows: Aligned::zeros(row_stride * (window.side + 1)),
            row_stride,
            between: Aligned::zeros(between),
            received: 0,
            made: 0,
        }
    }

    /// Whether the rows under the window are there.
    fn is_ready(&self) -> bool {
        let window = self.layer.window;
        let end = self.made * window.stride + window.side - window.before;
        let [height, _] = self.size;
        self.made < window.places(height) && self.received >= end.min(height)
    }

    /// Where the next row goes.
    fn place(&mut self) -> &mut [f32] {
        let (layer, [_, width]) = (self.layer, self.size);
        let slot = self.received % layer.window.side * self.row_stride;
        &mut self.rows.values_mut()[slot + layer.window.before * layer.inputs..]
            [..width * layer.inputs]
    }

    /// Takes a row out of a picture's planes.
    fn take(&mut self, x: &[f32], row: usize) {
        let ([height, width], inputs) = (self.size, self.layer.inputs);
        let to = self.place();
        for (channel, plane) in x.chunks_exact(height * width).enumerate() {
            let values = &plane[row * width..][..width];
            let pixels = to.chunks_exact_mut(inputs);
            pixels
                .zip(values)
                .for_each(|(to, value)| to[channel] = *value);
        }
        self.received += 1;
    }

    /// Makes its next row.
    fn make(&mut self, to: &mut [f32]) {
        const MOST: usize = 8;
        let (window, [height, width]) = (self.layer.window, self.size);
        let stored = self.rows.values();
        let zeros = &stored[window.side * self.row_stride..];
        let mut rows: [&[f32]; MOST] = [zeros; MOST];
        for (i, to) in rows.iter_mut().take(window.side).enumerate() {
            let row = (self.made * window.stride + i).checked_sub(window.before);
            if let Some(row) = row.filter(|row| *row < height) {
                *to = &stored[row % window.side * self.row_stride..][..self.row_stride];
            }
        }
        Row {
            layer: self.layer,
            rows: &rows[..window.side.min(MOST)],
            width: window.places(width),
            between: self.between.values_mut(),
            to,
        }
        .compute();
        self.made += 1;
    }
}

/// Numbers that begin at a cache line: a vector then lies within one.
struct Aligned {
    stored: Vec<f32>,
    count: usize,
}

impl Aligned {
    /// Numbers of a cache line.
    const LINE: usize = 16;

    fn zeros(count: usize) -> Self {
        Self {
            stored: vec![0.0; count + Self::LINE],
            count,
        }
    }

    fn start(&self) -> usize {
        let bytes = Self::LINE * size_of::<f32>();
        self.stored.as_ptr().align_offset(bytes).min(Self::LINE)
    }

    fn values(&self) -> &[f32] {
        &self.stored[self.start()..][..self.count]
    }

    fn values_mut(&mut self) -> &mut [f32] {
        let start = self.start();
        &mut self.stored[start..][..self.count]
    }
}

/// What comes out of a chain: `[channels, height, width]`.
struct Planes<'a> {
    values: &'a mut [f32],
    channels: usize,
    size: [usize; 2],
    next: usize,
}

impl Planes<'_> {
    fn take(&mut self, row: &[f32], stored: usize) {
        let [height, width] = self.size;
        let planes = self.values.chunks_exact_mut(height * width);
        for (channel, plane) in planes.take(self.channels).enumerate() {
            let to = &mut plane[self.next * width..][..width];
            let pixels = row.chunks_exact(stored);
            to.iter_mut()
                .zip(pixels)
                .for_each(|(to, pixel)| *to = pixel[channel]);
        }
        self.next += 1;
    }
}

impl ChainBackend for Flex {
    fn chain(x: FlexTensor, layers: Arc<PreparedChain>, part: Range<usize>) -> FlexTensor {
        let x = x.to_contiguous();
        let [batch, inputs, height, width] = dims(&x);
        let size = layers.size(part.clone(), [height, width]);
        let [channels, rows, columns] = size.unwrap_or_default();
        let each = channels * rows * columns;
        let mut out = vec![0.0; batch * each];
        let pictures = values(&x).chunks_exact(inputs * height * width);
        let run = |(x, out): (&[f32], &mut [f32])| {
            layers.run(part.clone(), x, [height, width], out);
        };
        #[cfg(feature = "native")]
        {
            use rayon::prelude::*;
            let pairs: Vec<_> = pictures.zip(out.chunks_exact_mut(each)).collect();
            pairs.into_par_iter().for_each(run);
        }
        #[cfg(not(feature = "native"))]
        pictures.zip(out.chunks_exact_mut(each)).for_each(run);
        count_launches(1);
        tensor(out, [batch, channels, rows, columns])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::spec::Window;

    /// The same products in another order, or fused with their sums.
    const TOLERANCE: f32 = 1e-4;

    fn wave(count: usize, seed: f32) -> Vec<f32> {
        (0..count)
            .map(|i| (i as f32 * 1.7 + seed).sin() * 0.4)
            .collect()
    }

    fn layer(outputs: usize, inputs: usize, window: Window, is_separable: bool) -> LayerWeights {
        let taps = if is_separable {
            1
        } else {
            window.side * window.side
        };
        LayerWeights {
            weight: wave(outputs * inputs * taps, 1.0),
            bias: wave(outputs, 2.0),
            slopes: wave(outputs, 3.0),
            inputs,
            window,
            depthwise: is_separable.then(|| (wave(9 * inputs, 4.0), true)),
        }
    }

    #[test]
    fn vectors_of_all_widths_that_this_processor_has_answer_alike() {
        let window = |side, stride, before, after| Window {
            side,
            stride,
            before,
            after,
        };
        let (same, halving) = (window(3, 1, 1, 1), window(3, 2, 0, 1));
        let layers = [
            layer(24, 3, window(5, 2, 1, 2), false),
            layer(24, 24, same, true),
            layer(48, 24, halving, true),
            layer(50, 48, same, true),
            layer(7, 50, window(1, 1, 0, 0), false),
        ];
        let size = [20, 36];
        let x = wave(3 * size[0] * size[1], 5.0);
        let answers: Vec<Vec<f32>> = Width::all()
            .into_iter()
            .map(|width| {
                let chain = PreparedChain::of_width(&layers, width);
                assert_eq!(chain.size(0..5, size), Some([7, 5, 9]));
                let mut out = vec![f32::NAN; 7 * 5 * 9];
                chain.run(0..5, &x, size, &mut out);
                out
            })
            .collect();
        for other in &answers {
            for (a, b) in answers[0].iter().zip(other) {
                assert!((a - b).abs() <= TOLERANCE * a.abs().max(1.0), "{a} {b}");
            }
        }
    }

    #[test]
    fn a_picture_that_a_window_does_not_fit_has_no_answer() {
        let valid = layer(
            4,
            3,
            Window {
                side: 3,
                stride: 1,
                before: 0,
                after: 0,
            },
            false,
        );
        let chain = PreparedChain::new(&[valid]);
        assert_eq!(chain.size(0..1, [2, 9]), None);
        assert_eq!(chain.size(0..1, [3, 9]), Some([4, 1, 7]));
        assert_eq!(chain.size(0..2, [3, 9]), None);
    }
}
