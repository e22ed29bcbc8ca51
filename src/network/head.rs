//! Head of the decoder: from the last convolution to a face.

use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor, TensorData, activation, s};

use super::config::Head;
use crate::kernels::{self, Redraw};

/// Where the mask of a residual head starts: sigmoid(-1) = 0.27, nearly closed.
pub const MASK_BIAS: f32 = -1.0;

/// Scale from the last convolution's flow channels to units of the face's width: small, so that an
/// untrained network hardly moves anything.
pub const FLOW_SCALE: f64 = 0.05;

/// A redrawn face, as tensors.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The face, `[batch, k, height, width]`, not clamped.
    pub face: Tensor<4>,
    /// What changes against the input; none for the raw head.
    pub change: Option<Change>,
}

/// The change that a residual or warp head makes to the input face.
#[derive(Debug, Clone)]
pub struct Change {
    /// sigmoid(a) . d, `[batch, k, height, width]`: added to the (re-sampled) input.
    pub delta: Tensor<4>,
    /// sigmoid(a), `[batch, 1, height, width]`: where the input may change.
    pub mask: Tensor<4>,
    /// Warp head: where each pixel comes from, relative to itself, `[batch, 2, height, width]`
    /// (x then y) in units of the face's width.
    pub flow: Option<Tensor<4>>,
}

/// Turns the last convolution's output into a face.
///
/// `x` is the input face, `[1 or batch, k, height, width]`; `out` is
/// `[batch, head channels, height, width]`.
pub fn draw(head: Head, x: &Tensor<4>, out: Tensor<4>) -> Drawn {
    let flow_scale = match head {
        Head::Raw => {
            return Drawn {
                face: out,
                change: None,
            };
        }
        Head::Residual => None,
        Head::Warp => Some(FLOW_SCALE as f32),
    };
    match kernels::redraw(x, &out, flow_scale) {
        Some(Redraw {
            face,
            delta,
            mask,
            flow,
        }) => Drawn {
            face,
            change: Some(Change { delta, mask, flow }),
        },
        None => draw_plain(head, x, out),
    }
}

/// The twin of [`draw`] in plain tensor operations: any device, differentiable.
pub fn draw_plain(head: Head, x: &Tensor<4>, out: Tensor<4>) -> Drawn {
    let [batch, _, height, width] = out.dims();
    let [x_batch, k, _, _] = x.dims();
    if head == Head::Raw {
        return Drawn {
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
    let delta = d * mask.clone();
    let flow = (head == Head::Warp).then(|| out.narrow(1, k + 1, 2) * FLOW_SCALE);
    let moved = match &flow {
        Some(flow) => resample(x, flow.clone()),
        None => x,
    };
    debug_assert_eq!(moved.dims(), [batch, k, height, width]);
    Drawn {
        face: moved + delta.clone(),
        change: Some(Change { delta, mask, flow }),
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

/// Makes a freshly initialised head begin nearly as the identity: the mask's bias at
/// [`MASK_BIAS`].
pub(super) fn close_mask(conv: &mut Conv2d, k: usize) {
    // Mapped at initialisation, before gradients are tracked: what is mapped later would no
    // longer be a leaf, and never be trained.
    conv.bias = conv.bias.take().map(|bias| {
        bias.init_mapper(move |bias| {
            let start = Tensor::<1>::from_data([MASK_BIAS], &bias.device());
            bias.slice_assign(s![k..k + 1], start)
        })
    });
}
