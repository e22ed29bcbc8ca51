//! Launches shaders/head.wgsl: from the decoder's last convolution to the synthesised face.

use burn::backend::wgpu::{CubeBackend, CubeTensor, SourceTemplate, into_contiguous};
use bytemuck::{Pod, Zeroable};

use super::shader::{Shader, dims, empty, if_wanted, launch, u32s};
use super::tiling::element_groups;
use crate::kernels::backend::HeadBackend;
use crate::kernels::spec::{ELEMENT_THREADS, FLOW_SCALE, HeadKind, SHADE_SCALE, SHADE_SIDE};

impl HeadBackend for CubeBackend {
    fn head(x: CubeTensor, last: CubeTensor) -> (CubeTensor, CubeTensor, CubeTensor) {
        run(x, last, None, HeadKind::Residual)
    }

    fn head_with_flow(
        x: CubeTensor,
        last: CubeTensor,
        kind: HeadKind,
    ) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
        let [batch, _, height, width] = dims(&last);
        let flow = empty(&last, [batch, 2, height, width]);
        let (face, delta, mask) = run(x, last, Some(&flow), kind);
        (face, delta, mask, flow)
    }
}

/// Face, delta and mask; the flow, at its scale, into a tensor of its own.
fn run(
    x: CubeTensor,
    last: CubeTensor,
    flow: Option<&CubeTensor>,
    kind: HeadKind,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let (x, last) = (into_contiguous(x), into_contiguous(last));
    let [x_batch, k, height, width] = dims(&x);
    let batch = dims(&last)[0];
    let out = |channels: usize| empty(&x, [batch, channels, height, width]);
    let (face, delta, mask) = (out(k), out(k), out(1));
    let mut tensors = vec![&x, &last, &face, &delta, &mask];
    tensors.extend(flow);
    let map = height * width;
    let x_stride = if x_batch == batch { k * map } else { 0 };
    let [channels, height, width, x_stride] = u32s([k, height, width, x_stride]);
    let sizes = Sizes {
        channels,
        height,
        width,
        x_stride,
        flow_scale: FLOW_SCALE as f32,
        shade_scale: SHADE_SCALE as f32,
    };
    launch(Head(kind), element_groups(map, batch), &tensors, sizes);
    (face, delta, mask)
}

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sizes {
    channels: u32,
    height: u32,
    width: u32,
    x_stride: u32,
    flow_scale: f32,
    shade_scale: f32,
}

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head(HeadKind);

impl Shader for Head {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        ELEMENT_THREADS
    }

    fn source(self) -> SourceTemplate {
        let Self(kind) = self;
        SourceTemplate::new(include_str!("../../../shaders/head.wgsl"))
            .register("reach", (SHADE_SIDE / 2).to_string())
            .register("if_residual", if_wanted(kind == HeadKind::Residual))
            .register("if_warp", if_wanted(kind == HeadKind::Warp))
            .register("if_flow", if_wanted(kind.has_flow()))
            .register("if_blend", if_wanted(kind == HeadKind::Blend))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        [HeadKind::Residual, HeadKind::Warp, HeadKind::Blend]
            .map(Self)
            .to_vec()
    }
}
