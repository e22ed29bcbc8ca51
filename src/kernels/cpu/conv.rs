//! The fused convolution on Burn's CPU backend.

use burn::backend::flex::{Flex, FlexTensor};

use super::conv_tiles::{Padded, convolve};
use super::maps;
use super::simd::BLOCK;
use super::tensor::{dims, tensor, values};
use crate::kernels::backend::ConvBackend;
use crate::kernels::launches::count_launches;
use crate::kernels::spec::ConvSpec;

impl ConvBackend for Flex {
    fn fused_conv(x: FlexTensor, weights: FlexTensor, spec: ConvSpec) -> FlexTensor {
        run(x, weights, None, spec)
    }

    fn fused_conv_with_shortcut(
        x: FlexTensor,
        weights: FlexTensor,
        shortcut: FlexTensor,
        spec: ConvSpec,
    ) -> FlexTensor {
        run(x, weights, Some(shortcut), spec)
    }
}

fn run(
    x: FlexTensor,
    weights: FlexTensor,
    shortcut: Option<FlexTensor>,
    spec: ConvSpec,
) -> FlexTensor {
    let shortcut = shortcut.map(|shortcut| shortcut.to_contiguous());
    let [batch, _, height, width] = dims(&x);
    let [height, width] = spec.output([height, width]);
    let sample = spec.outputs * height * width;
    let mut out = vec![0.0; batch * sample];
    FusedConv::new(&x, &weights, shortcut.as_ref(), spec)
        .run(out.chunks_exact_mut(sample).collect());
    count_launches(1);
    tensor(out, [batch, spec.outputs, height, width])
}

/// A fused convolution with its tensors.
pub struct FusedConv<'a> {
    x: FlexTensor,
    weights: FlexTensor,
    shortcut: Option<&'a FlexTensor>,
    spec: ConvSpec,
}

impl<'a> FusedConv<'a> {
    pub fn new(
        x: &FlexTensor,
        weights: &FlexTensor,
        shortcut: Option<&'a FlexTensor>,
        spec: ConvSpec,
    ) -> Self {
        Self {
            x: x.to_contiguous(),
            weights: weights.to_contiguous(),
            shortcut,
            spec,
        }
    }

    /// Each sample of x into its place of `out`.
    pub fn run(&self, out: Vec<&mut [f32]>) {
        let [_, channels, height, width] = dims(&self.x);
        let spec = self.spec;
        // Of a larger map the first channels are read.
        let [sample, read] = [channels, spec.inputs].map(|count| count * height * width);
        let blocks = spec.outputs.div_ceil(BLOCK);
        let weights = values(&self.weights);
        let map = spec.map([height, width]);
        let plane = if spec.pool {
            (map[0] / 2) * (map[1] / 2)
        } else {
            map[0] * map[1]
        };
        for (i, (x, out)) in values(&self.x).chunks_exact(sample).zip(out).enumerate() {
            let x = Padded::new(&x[..read], spec.inputs, [height, width], spec.kind);
            let run = |(block, out): (usize, &mut [f32])| {
                let weights = &weights[block * weights.len() / blocks..][..weights.len() / blocks];
                self.run_block(&x, weights, map, [i, block * BLOCK], out);
            };
            for_each(out.chunks_mut(BLOCK * plane), run);
        }
    }

    /// A block of output channels of a sample, from `first` = sample, channel on.
    fn run_block(
        &self,
        x: &Padded<'_>,
        weights: &[f32],
        [height, width]: [usize; 2],
        [sample, channel]: [usize; 2],
        out: &mut [f32],
    ) {
        let spec = self.spec;
        let plane = height * width;
        if !spec.pool {
            convolve(x, weights, spec.kind, out);
            self.finish(plane, [sample, channel], out);
            return;
        }
        let count = BLOCK.min(spec.outputs - channel);
        let mut maps = vec![0.0; count * plane];
        convolve(x, weights, spec.kind, &mut maps);
        self.finish(plane, [sample, channel], &mut maps);
        let pooled = out.chunks_exact_mut(out.len() / count);
        for (map, out) in maps.chunks_exact(plane).zip(pooled) {
            maps::max_pool(map, width, out);
        }
    }

    /// Norm, shortcut and activation of the maps from `channel` on.
    fn finish(&self, plane: usize, [sample, channel]: [usize; 2], maps: &mut [f32]) {
        for (i, map) in maps.chunks_exact_mut(plane).enumerate() {
            if self.spec.instance_norm {
                let moments = maps::moments(map);
                maps::normalise(map, moments);
            }
            if let Some(shortcut) = self.shortcut {
                let at = sample * self.spec.outputs + channel + i;
                maps::add(map, &values(shortcut)[at * plane..][..plane]);
            }
            maps::activate(map, self.spec.activation);
        }
    }
}

/// Runs the blocks, natively beside each other.
fn for_each<'a>(
    blocks: std::slice::ChunksMut<'a, f32>,
    run: impl Fn((usize, &'a mut [f32])) + Sync + Send,
) {
    #[cfg(feature = "native")]
    {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        let blocks: Vec<_> = blocks.enumerate().collect();
        blocks.into_par_iter().for_each(run);
    }
    #[cfg(not(feature = "native"))]
    blocks.enumerate().for_each(run);
}
