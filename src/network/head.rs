//! Head of the decoder: from the last convolution to a face.

use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor, TensorData, activation, s};

use super::config::Head;
use crate::kernels::{self, RedrawKind};

/// Where the mask of a residual or warp head starts: sigmoid(-1) = 0.27, nearly closed.
const MASK_BIAS: f32 = -1.0;

/// Where the cavity map of a blend head starts: sigmoid(-2) = 0.12, since most mouths are shut.
const CAVITY_BIAS: f32 = -2.0;

/// Scale of a blend head's shading: small, so that an untrained network hardly shades anything.
pub const SHADE_SCALE: f64 = 0.1;

/// Side of the square over which a blend head's shading is averaged, in pixels: wide, so that it
/// cannot make edges.
pub const SHADE_SIDE: usize = 9;

/// Scale from the last convolution's flow channels to units of the face's width: small, so that an
/// untrained network hardly moves anything.
pub const FLOW_SCALE: f64 = 0.05;

/// Synthesised faces, as tensors: what the network gives.
#[derive(Debug, Clone)]
pub struct Synthesised {
    /// The face, `[batch, k, height, width]`, not clamped.
    pub face: Tensor<4>,
    /// What changes against the input; none for the raw head.
    pub change: Option<Change>,
}

/// The change that a head other than raw makes to the input face.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is added to the (re-sampled) input, `[batch, k, height, width]`: sigmoid(a) . d, or of a
    /// blend head (1 - m) . smooth(s) + m . c.
    pub delta: Tensor<4>,
    /// sigmoid(a), `[batch, 1, height, width]`: where the input may change; of a blend head the cavity
    /// map m, where it is covered.
    pub mask: Tensor<4>,
    /// Warp and blend heads: where each pixel comes from, relative to itself,
    /// `[batch, 2, height, width]` (x then y) in units of the face's width.
    pub flow: Option<Tensor<4>>,
    /// Whether the input is taken away where the mask is: face = (1 - mask) . moved + delta.
    pub covers: bool,
}

/// Turns the last convolution's output into a face.
///
/// `x` is the input face, `[1 or batch, k, height, width]`; `out` is
/// `[batch, head channels, height, width]`.
pub fn synthesise(head: Head, x: &Tensor<4>, out: Tensor<4>) -> Synthesised {
    let kind = match head {
        Head::Raw => {
            return Synthesised {
                face: out,
                change: None,
            };
        }
        Head::Residual => RedrawKind::Still,
        Head::Warp => RedrawKind::Moved,
        Head::Blend => RedrawKind::Blended,
    };
    kernels::redraw(x, &out, kind)
        .unwrap_or_else(|| synthesise_with(head, x, out, kernels::box_mean))
}

/// The twin of [`synthesise`] in plain tensor operations: any device, differentiable.
pub fn synthesise_reference(head: Head, x: &Tensor<4>, out: Tensor<4>) -> Synthesised {
    synthesise_with(head, x, out, kernels::box_mean_plain)
}

/// `mean`: of a blend head's shading over a square of the given side.
fn synthesise_with(
    head: Head,
    x: &Tensor<4>,
    out: Tensor<4>,
    mean: fn(Tensor<4>, usize) -> Tensor<4>,
) -> Synthesised {
    let [batch, _, height, width] = out.dims();
    let [x_batch, k, _, _] = x.dims();
    if head == Head::Raw {
        return Synthesised {
            face: out,
            change: None,
        };
    }
    let x = if x_batch == batch {
        x.clone()
    } else {
        x.clone().repeat_dim(0, batch)
    };
    let d = out.clone().narrow(1, 0, k); // [batch, k, height, width]
    let mask = activation::sigmoid(out.clone().narrow(1, k, 1)); // [batch, 1, height, width]
    let mut delta = d * mask.clone();
    let flow = head
        .has_flow()
        .then(|| out.clone().narrow(1, k + 1, 2) * FLOW_SCALE);
    let mut moved = match &flow {
        Some(flow) => resample(x, flow.clone()),
        None => x,
    };
    debug_assert_eq!(moved.dims(), [batch, k, height, width]);
    let covers = head == Head::Blend;
    if covers {
        let keep = -mask.clone() + 1.0;
        let shade = mean(out.narrow(1, k + 3, k), SHADE_SIDE) * SHADE_SCALE;
        delta = delta + shade * keep.clone();
        moved = moved * keep;
    }
    Synthesised {
        face: moved + delta.clone(),
        change: Some(Change {
            delta,
            mask,
            flow,
            covers,
        }),
    }
}

/// Re-samples each pixel of `x` from its place plus the flow (bilinear, the border repeated).
///
/// `x`: `[batch, k, height, width]`; `flow`: `[batch, 2, height, width]` in units of the width.
pub fn resample(x: Tensor<4>, flow: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    // Burn's sampling on wgpu takes x and y from neighbouring numbers, whatever the strides of the
    // grid say; so they are stacked, and not permuted.
    let axis = |i| flow.clone().narrow(1, i, 1).squeeze_dim::<3>(1); // [batch, height, width]
    let flow = Tensor::stack::<4>(vec![axis(0), axis(1)], 3); // [batch, height, width, 2]
    let grid = identity_grid(height, width, &x.device()) + flow * 2.0;
    kernels::resample(x, grid)
}

/// Each pixel's own place in `[-1, 1]`, pixel centres, `[1, height, width, 2]` (x then y).
fn identity_grid(height: usize, width: usize, device: &Device) -> Tensor<4> {
    let centre = |i: usize, n: usize| (2.0 * i as f32 + 1.0) / n as f32 - 1.0;
    let places: Vec<f32> = (0..height)
        .flat_map(|row| (0..width).flat_map(move |col| [centre(col, width), centre(row, height)]))
        .collect();
    Tensor::from_data(TensorData::new(places, [1, height, width, 2]), device)
}

/// Makes a freshly initialised head begin nearly as the identity, by the bias of its mask.
pub(super) fn close_mask(conv: &mut Conv2d, head: Head, k: usize) {
    let start = if head == Head::Blend {
        CAVITY_BIAS
    } else {
        MASK_BIAS
    };
    // Mapped at initialisation, before gradients are tracked: what is mapped later would no
    // longer be a leaf, and never be trained.
    conv.bias = conv.bias.take().map(|bias| {
        bias.init_mapper(move |bias| {
            let start = Tensor::<1>::from_data([start], &bias.device());
            bias.slice_assign(s![k..k + 1], start)
        })
    });
}
