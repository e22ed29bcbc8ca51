//! The style transform on Burn's CPU backend.

use burn::backend::flex::{Flex, FlexTensor};

use super::conv::FusedConv;
use super::maps;
use super::tensor::{dims, tensor, values};
use crate::kernels::backend::StyleBackend;
use crate::kernels::launches::count_launches;
use crate::kernels::spec::ConvSpec;

impl StyleBackend for Flex {
    fn style(f: FlexTensor, p: FlexTensor, linear: FlexTensor, channels: usize) -> FlexTensor {
        let style = Style::new(&f, &p, &linear, channels);
        let [_, _, height, width] = dims(&f);
        let targets = style.targets();
        let mut out = vec![0.0; targets * channels * height * width];
        let samples = out.chunks_exact_mut(channels * height * width);
        samples
            .enumerate()
            .for_each(|(target, out)| style.write(target, out));
        count_launches(1);
        tensor(out, [targets, channels, height, width])
    }

    fn fused_conv_beside_style(
        x: FlexTensor,
        weights: FlexTensor,
        skip: FlexTensor,
        p: FlexTensor,
        linear: FlexTensor,
        spec: ConvSpec,
        channels: usize,
    ) -> FlexTensor {
        let style = Style::new(&skip, &p, &linear, channels);
        let [_, _, height, width] = dims(&skip);
        let [targets, ..] = dims(&x);
        let plane = height * width;
        let all = spec.outputs + channels;
        let mut out = vec![0.0; targets * all * plane];
        let mut own = Vec::with_capacity(targets);
        for (target, out) in out.chunks_exact_mut(all * plane).enumerate() {
            let (map, beside) = out.split_at_mut(spec.outputs * plane);
            style.write(target, beside);
            own.push(map);
        }
        FusedConv::new(&x, &weights, None, spec).run(own);
        count_launches(1);
        tensor(out, [targets, all, height, width])
    }
}

/// The last channels of f, and what they are styled with.
struct Style {
    f: FlexTensor,
    p: FlexTensor,
    linear: FlexTensor,
    channels: usize,
}

impl Style {
    fn new(f: &FlexTensor, p: &FlexTensor, linear: &FlexTensor, channels: usize) -> Self {
        Self {
            f: f.to_contiguous(),
            p: p.to_contiguous(),
            linear: linear.to_contiguous(),
            channels,
        }
    }

    fn targets(&self) -> usize {
        self.p.layout().shape()[0]
    }

    /// The styled maps of a target; one sample of f serves all targets.
    fn write(&self, target: usize, out: &mut [f32]) {
        let [batch, all, height, width] = dims(&self.f);
        let plane = height * width;
        let sample = if batch == 1 { 0 } else { target };
        let first = (sample * all + all - self.channels) * plane;
        let affine = self.affine(target);
        let (gamma, beta) = affine.split_at(self.channels);
        let maps = values(&self.f)[first..].chunks_exact(plane);
        for (channel, (map, out)) in maps.zip(out.chunks_exact_mut(plane)).enumerate() {
            maps::style(map, gamma[channel], beta[channel], out);
        }
    }

    /// gamma, then beta: the linear layer of the target's p, whose biases are its last row.
    fn affine(&self, target: usize) -> Vec<f32> {
        let classes = self.p.layout().shape()[1];
        let p = &values(&self.p)[target * classes..][..classes];
        let (rows, bias) = values(&self.linear).split_at(classes * 2 * self.channels);
        let mut affine = bias.to_vec();
        for (share, row) in p.iter().zip(rows.chunks_exact(2 * self.channels)) {
            let sums = affine.iter_mut().zip(row);
            sums.for_each(|(sum, weight)| *sum += share * weight);
        }
        affine
    }
}
