//! Launches shaders/redraw.wgsl: from the decoder's last convolution to the redrawn face.

use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::{CubeBackend, CubeTensor, SourceTemplate, into_contiguous};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

use super::launch::{MAX_GROUPS, Shader, dims, dispatch_over, empty, fits, if_wanted, u32s};
use super::route::Route;
use crate::network::{Change, FLOW_SCALE, SHADE_SCALE, SHADE_SIDE, Synthesised};

/// Threads of a workgroup.
const THREADS: usize = 64;

/// What the last convolution's channels mean; see [`Head`](crate::network::Head).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RedrawKind {
    /// (d, a): a residual head.
    Still,
    /// (d, a, u, v): a warp head.
    Moved,
    /// (c, a, u, v, s): a blend head.
    Blended,
}

impl RedrawKind {
    fn has_flow(self) -> bool {
        self != Self::Still
    }

    /// Channels of the last convolution for a k-channel picture.
    fn channels(self, k: usize) -> usize {
        match self {
            Self::Still => k + 1,
            Self::Moved => k + 3,
            Self::Blended => 2 * k + 3,
        }
    }
}

/// The change of the input face x that the last convolution describes; none where the kernel cannot
/// run. Its twin is [`synthesise_reference`](crate::network::synthesise_reference).
///
/// x: `[1 or batch, k, height, width]`; `last`: `[batch, channels, height, width]`, whose channels
/// `kind` names.
pub fn redraw(x: &Tensor<4>, last: &Tensor<4>, kind: RedrawKind) -> Option<Synthesised> {
    let [x_batch, k, ..] = x.dims();
    let [batch, channels, height, width] = last.dims();
    let map = height * width;
    let runs = [x, last].iter().all(|x| Route::of(x) == Route::Wgsl)
        && x.dims()[2..] == last.dims()[2..]
        && channels == kind.channels(k)
        && (x_batch == 1 || x_batch == batch)
        && batch * map > 0
        && fits(batch * channels * map)
        && [batch, map.div_ceil(THREADS)]
            .iter()
            .all(|groups| *groups <= MAX_GROUPS);
    if !runs {
        return None;
    }
    let (x, last) = (x.clone().into_dispatch(), last.clone().into_dispatch());
    let (face, delta, mask, flow) = if kind.has_flow() {
        let (face, delta, mask, flow) = Dispatch::redraw_moved(x, last, kind);
        (face, delta, mask, Some(flow))
    } else {
        let (face, delta, mask) = Dispatch::redraw(x, last);
        (face, delta, mask, None)
    };
    Some(Synthesised {
        face: Tensor::from_dispatch(face),
        change: Some(Change {
            delta: Tensor::from_dispatch(delta),
            mask: Tensor::from_dispatch(mask),
            flow: flow.map(Tensor::from_dispatch),
            covers: kind == RedrawKind::Blended,
        }),
    })
}

/// The operation of the backends that run the kernel.
#[backend_extension(Cube)]
pub trait RedrawBackend: Backend {
    /// Face, delta and mask.
    fn redraw(
        x: FloatTensor<Self>,
        last: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// Face, delta, mask and flow.
    fn redraw_moved(
        x: FloatTensor<Self>,
        last: FloatTensor<Self>,
        kind: RedrawKind,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    );
}

impl RedrawBackend for CubeBackend {
    fn redraw(x: CubeTensor, last: CubeTensor) -> (CubeTensor, CubeTensor, CubeTensor) {
        launch(x, last, None, RedrawKind::Still)
    }

    fn redraw_moved(
        x: CubeTensor,
        last: CubeTensor,
        kind: RedrawKind,
    ) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
        let [batch, _, height, width] = dims(&last);
        let flow = empty(&last, [batch, 2, height, width]);
        let (face, delta, mask) = launch(x, last, Some(&flow), kind);
        (face, delta, mask, flow)
    }
}

/// Face, delta and mask; the flow, at its scale, into a tensor of its own.
fn launch(
    x: CubeTensor,
    last: CubeTensor,
    flow: Option<&CubeTensor>,
    kind: RedrawKind,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let (x, last) = (into_contiguous(x), into_contiguous(last));
    let [x_batch, k, height, width] = dims(&x);
    let batch = dims(&last)[0];
    let out = |channels: usize| empty(&x, [batch, channels, height, width]);
    let (face, delta, mask) = (out(k), out(k), out(1));
    let mut buffers = vec![&x, &last, &face, &delta, &mask];
    buffers.extend(flow);
    let map = height * width;
    let groups = [map.div_ceil(THREADS), batch, 1];
    let x_stride = if x_batch == batch { k * map } else { 0 };
    let [channels, height, width, x_stride] = u32s([k, height, width, x_stride]);
    let sizes = Sizes {
        channels,
        height,
        width,
        x_stride,
        scale: FLOW_SCALE as f32,
        shade_scale: SHADE_SCALE as f32,
    };
    dispatch_over(RedrawKernel(kind), groups, &buffers, sizes);
    (face, delta, mask)
}

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Sizes {
    channels: u32,
    height: u32,
    width: u32,
    x_stride: u32,
    scale: f32,
    shade_scale: f32,
}

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RedrawKernel(RedrawKind);

impl Shader for RedrawKernel {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        THREADS
    }

    fn source(self) -> SourceTemplate {
        let flow = self.0.has_flow();
        let blend = self.0 == RedrawKind::Blended;
        SourceTemplate::new(include_str!("../../shaders/redraw.wgsl"))
            .register("reach", (SHADE_SIDE / 2).to_string())
            .register("if_flow", if_wanted(flow))
            .register("if_still", if_wanted(!flow))
            .register("if_blend", if_wanted(blend))
            .register("if_added", if_wanted(!blend))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        [RedrawKind::Still, RedrawKind::Moved, RedrawKind::Blended]
            .map(Self)
            .to_vec()
    }
}
