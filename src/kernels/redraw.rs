//! Launches shaders/redraw.wgsl: from the decoder's last convolution to the redrawn face.

use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::{CubeBackend, CubeTensor, KernelSource, SourceTemplate, into_contiguous};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::cubecl::prelude::KernelId;
use burn::tensor::Tensor;

use super::conv_step::if_wanted;
use super::launch::{dims, dispatch_over, empty};
use super::step_launch;
use super::{MAX_GROUPS, READ};

/// Threads of a workgroup.
const THREADS: usize = 64;

/// What the kernel gives; see [`redraw`].
pub struct Redraw {
    /// The face, `[batch, k, height, width]`.
    pub face: Tensor<4>,
    /// sigmoid(a) . d, `[batch, k, height, width]`.
    pub delta: Tensor<4>,
    /// sigmoid(a), `[batch, 1, height, width]`.
    pub mask: Tensor<4>,
    /// With a flow: where each pixel comes from, `[batch, 2, height, width]` (x then y) in units
    /// of the width.
    pub flow: Option<Tensor<4>>,
}

/// The change of the input face x that the last convolution describes; none where the kernel cannot
/// run. Its twin is [`draw_plain`](crate::network::draw_plain).
///
/// x: `[1 or batch, k, height, width]`; `last`: (d, a), `[batch, k + 1, height, width]`, or with a
/// flow, whose scale to units of the width is `flow_scale`, (d, a, u, v),
/// `[batch, k + 3, height, width]`.
pub fn redraw(x: &Tensor<4>, last: &Tensor<4>, flow_scale: Option<f32>) -> Option<Redraw> {
    let [x_batch, k, ..] = x.dims();
    let [batch, channels, height, width] = last.dims();
    let map = height * width;
    let runs = step_launch::wgsl_available(x)
        && step_launch::wgsl_available(last)
        && x.dims()[2..] == last.dims()[2..]
        && channels == k + beside_d(flow_scale.is_some())
        && (x_batch == 1 || x_batch == batch)
        && batch * map > 0
        && step_launch::fits(batch * channels * map)
        && [batch, map.div_ceil(THREADS)]
            .iter()
            .all(|groups| *groups <= MAX_GROUPS);
    if !runs {
        return None;
    }
    let (x, last) = (x.clone().into_dispatch(), last.clone().into_dispatch());
    Some(match flow_scale {
        Some(scale) => {
            let (face, delta, mask, flow) = Dispatch::redraw_moved(x, last, scale);
            Redraw {
                face: Tensor::from_dispatch(face),
                delta: Tensor::from_dispatch(delta),
                mask: Tensor::from_dispatch(mask),
                flow: Some(Tensor::from_dispatch(flow)),
            }
        }
        None => {
            let (face, delta, mask) = Dispatch::redraw(x, last);
            Redraw {
                face: Tensor::from_dispatch(face),
                delta: Tensor::from_dispatch(delta),
                mask: Tensor::from_dispatch(mask),
                flow: None,
            }
        }
    })
}

/// Channels of the last convolution after d: a, and the flow.
fn beside_d(flow: bool) -> usize {
    if flow { 3 } else { 1 }
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
        flow_scale: f32,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    );
}

impl RedrawBackend for CubeBackend {
    fn redraw(x: CubeTensor, last: CubeTensor) -> (CubeTensor, CubeTensor, CubeTensor) {
        launch(x, last, None)
    }

    fn redraw_moved(
        x: CubeTensor,
        last: CubeTensor,
        flow_scale: f32,
    ) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
        let [batch, _, height, width] = dims(&last);
        let flow = empty(&last, [batch, 2, height, width]);
        let (face, delta, mask) = launch(x, last, Some((&flow, flow_scale)));
        (face, delta, mask, flow)
    }
}

/// Face, delta and mask; the flow, at its scale, into a tensor of its own.
fn launch(
    x: CubeTensor,
    last: CubeTensor,
    flow: Option<(&CubeTensor, f32)>,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let (x, last) = (into_contiguous(x), into_contiguous(last));
    let [x_batch, k, height, width] = dims(&x);
    let batch = dims(&last)[0];
    let out = |channels: usize| empty(&x, [batch, channels, height, width]);
    let (face, delta, mask) = (out(k), out(k), out(1));
    let mut buffers = vec![&x, &last, &face, &delta, &mask];
    let mut scale = 0.0f32;
    if let Some((flow, flow_scale)) = flow {
        buffers.push(flow);
        scale = flow_scale;
    }
    let map = height * width;
    let sizes = [
        k,
        height,
        width,
        if x_batch == batch { k * map } else { 0 },
        scale.to_bits() as usize,
        0,
        0,
        0,
    ];
    let kernel = RedrawKernel {
        flow: flow.is_some(),
    };
    let groups = [map.div_ceil(THREADS), batch, 1];
    dispatch_over(kernel, THREADS, groups, &buffers, &sizes);
    (face, delta, mask)
}

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct RedrawKernel {
    flow: bool,
}

impl KernelSource for RedrawKernel {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../shaders/redraw.wgsl"))
            .register("threads", THREADS.to_string())
            .register("read", READ)
            .register("beside_d", beside_d(self.flow).to_string())
            .register("sizes_binding", if self.flow { "6" } else { "5" })
            .register("if_flow", if_wanted(self.flow))
            .register("if_still", if_wanted(!self.flow))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(*self)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}
