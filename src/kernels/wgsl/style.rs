//! The 2021 edition's style transform, alone and beside a fused convolution, on
//! shaders/instance_norm.wgsl.

use burn::backend::wgpu::{CubeBackend, CubeTensor, into_contiguous};

use super::conv;
use super::instance_norm::{self, After, InstanceNorm, Place};
use super::shader::{dims, empty};
use crate::kernels::backend::StyleBackend;
use crate::kernels::spec::{Activation, ConvSpec};

impl StyleBackend for CubeBackend {
    fn style(f: CubeTensor, p: CubeTensor, linear: CubeTensor, channels: usize) -> CubeTensor {
        let f = into_contiguous(f);
        let [_, _, height, width] = dims(&f);
        let out = empty(&f, [p.meta.shape()[0], channels, height, width]);
        style(&f, p, linear, &out, [0, channels]);
        out
    }

    fn fused_conv_beside_style(
        x: CubeTensor,
        weights: CubeTensor,
        skip: CubeTensor,
        p: CubeTensor,
        linear: CubeTensor,
        spec: ConvSpec,
        channels: usize,
    ) -> CubeTensor {
        let map = conv::convolution(into_contiguous(x), weights, None, spec);
        let [batch, outputs, height, width] = dims(&map);
        let out = empty(&map, [batch, outputs + channels, height, width]);
        conv::norm(&map, None, &out, spec);
        let skip = into_contiguous(skip);
        style(&skip, p, linear, &out, [outputs, channels]);
        out
    }
}

/// The last `channels` of f, styled, into the channels of `out` from `first` on.
fn style(
    f: &CubeTensor,
    p: CubeTensor,
    linear: CubeTensor,
    out: &CubeTensor,
    [first, channels]: [usize; 2],
) {
    let [_, all, height, width] = dims(f);
    let kernel = InstanceNorm::new([height, width], After::Style, Activation::None, false);
    let (p, linear) = (into_contiguous(p), into_contiguous(linear));
    let place = Place {
        channels,
        x_first: all - channels,
        first,
        classes: p.meta.shape()[1],
    };
    instance_norm::run(kernel, f, &[&p, &linear], out, place);
}
