//! The decoder's heads that change the input face: from the last convolution to the synthesised face.
//!
//! ```text
//! residual  (d, a)           mask = sigmoid(a), delta = mask . d, face = input + delta
//! warp      (d, a, u, v)     the same, the input re-sampled along flow = scale * (u, v)
//! blend     (c, a, u, v, s)  delta = (1 - mask) . smooth(s) + mask . c,
//!                            face = (1 - mask) . moved + delta
//! ```
//!
//! WGSL: `wgsl/head.rs`. On the CPU the means of a blend head's shading have a kernel.

use burn::backend::Dispatch;
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::box_mean::{box_mean, box_mean_reference};
use super::resample::resample;
use crate::kernels::backend::HeadBackend;
use crate::kernels::route::Route;
use crate::kernels::spec::{
    Change, FLOW_SCALE, HeadKind, SHADE_SCALE, SHADE_SIDE, fits_buffer, fits_dispatch,
};

/// The face `[batch, k, height, width]`, not clamped, that the last convolution makes of the input face x,
/// and the change.
///
/// x: `[1 or batch, k, height, width]`; `last`: `[batch, channels, height, width]`, whose channels
/// `kind` names.
pub fn head(x: &Tensor<4>, last: Tensor<4>, kind: HeadKind) -> (Tensor<4>, Change) {
    match Route::of_both(x, &last) {
        Route::Wgsl if can_run(x, &last, kind) => run(x.clone(), last, kind),
        _ => compose(x, last, kind, box_mean),
    }
}

/// The reference implementation of [`head`]: any device, differentiable.
pub fn head_reference(x: &Tensor<4>, last: Tensor<4>, kind: HeadKind) -> (Tensor<4>, Change) {
    compose(x, last, kind, box_mean_reference)
}

/// `mean`: of a blend head's shading over a square of the given side.
fn compose(
    x: &Tensor<4>,
    last: Tensor<4>,
    kind: HeadKind,
    mean: fn(Tensor<4>, usize) -> Tensor<4>,
) -> (Tensor<4>, Change) {
    let [batch, _, height, width] = last.dims();
    let [x_batch, k, _, _] = x.dims();
    let x = if x_batch == batch {
        x.clone()
    } else {
        x.clone().repeat_dim(0, batch)
    };
    let d = last.clone().narrow(1, 0, k); // [batch, k, height, width]
    let mask = activation::sigmoid(last.clone().narrow(1, k, 1)); // [batch, 1, height, width]
    let mut delta = d * mask.clone();
    let flow = kind
        .has_flow()
        .then(|| last.clone().narrow(1, k + 1, 2) * FLOW_SCALE);
    let mut moved = match &flow {
        Some(flow) => warp(x, flow.clone()),
        None => x,
    };
    debug_assert_eq!(moved.dims(), [batch, k, height, width]);
    if kind.covers() {
        let keep = -mask.clone() + 1.0;
        let shade = mean(last.narrow(1, k + 3, k), SHADE_SIDE) * SHADE_SCALE;
        delta = delta + shade * keep.clone();
        moved = moved * keep;
    }
    let face = moved + delta.clone();
    let change = Change {
        delta,
        mask,
        flow,
        covers: kind.covers(),
    };
    (face, change)
}

/// Re-samples each pixel of `x` from its place plus the flow (bilinear, the border repeated).
///
/// `x`: `[batch, k, height, width]`; `flow`: `[batch, 2, height, width]` in units of the width.
pub fn warp(x: Tensor<4>, flow: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    // Burn's sampling on wgpu takes x and y from neighbouring numbers, whatever the strides of the
    // grid say; so they are stacked, and not permuted.
    let axis = |i| flow.clone().narrow(1, i, 1).squeeze_dim::<3>(1); // [batch, height, width]
    let flow = Tensor::stack::<4>(vec![axis(0), axis(1)], 3); // [batch, height, width, 2]
    let grid = identity_grid(height, width, &x.device()) + flow * 2.0;
    resample(x, grid)
}

/// Each pixel's own place in `[-1, 1]`, pixel centres, `[1, height, width, 2]` (x then y).
fn identity_grid(height: usize, width: usize, device: &Device) -> Tensor<4> {
    let centre = |i: usize, n: usize| (2.0 * i as f32 + 1.0) / n as f32 - 1.0;
    let places: Vec<f32> = (0..height)
        .flat_map(|row| (0..width).flat_map(move |col| [centre(col, width), centre(row, height)]))
        .collect();
    Tensor::from_data(TensorData::new(places, [1, height, width, 2]), device)
}

fn can_run(x: &Tensor<4>, last: &Tensor<4>, kind: HeadKind) -> bool {
    let [x_batch, k, ..] = x.dims();
    let [batch, channels, height, width] = last.dims();
    x.dims()[2..] == last.dims()[2..]
        && channels == kind.channels(k)
        && (x_batch == 1 || x_batch == batch)
        && batch * height * width > 0
        && fits_buffer(batch * channels * height * width)
        && fits_dispatch(height * width, batch)
}

fn run(x: Tensor<4>, last: Tensor<4>, kind: HeadKind) -> (Tensor<4>, Change) {
    let (x, last) = (x.into_dispatch(), last.into_dispatch());
    let (face, delta, mask, flow) = if kind.has_flow() {
        let (face, delta, mask, flow) = Dispatch::head_with_flow(x, last, kind);
        (face, delta, mask, Some(flow))
    } else {
        let (face, delta, mask) = Dispatch::head(x, last);
        (face, delta, mask, None)
    };
    let change = Change {
        delta: Tensor::from_dispatch(delta),
        mask: Tensor::from_dispatch(mask),
        flow: flow.map(Tensor::from_dispatch),
        covers: kind.covers(),
    };
    (Tensor::from_dispatch(face), change)
}
