//! The 2021 edition's style transform, alone and beside the fused convolution that it is concatenated
//! with.
//!
//! WGSL: `wgsl/style.rs`. CPU: `cpu/style.rs`. LibTorch: trained as one group.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use super::conv::{Layer, fused_conv, instance_norm};
use super::linear::LinearLayer;
use crate::kernels::backend::StyleBackend;
use crate::kernels::route::Route;
use crate::kernels::spec::{Activation, ConvSpec, MAX_GROUPS, Norm, fits_buffer};
#[cfg(feature = "tch")]
use crate::kernels::torch;

/// Instance norm of f, times gamma, plus beta, both linear in p: the 2021 edition's style transform.
///
/// f: `[1 or targets, channels or more, height, width]`, of which the last channels are read;
/// p: `[targets, E]`; the layer gives `2 * channels` numbers, gamma then beta.
/// Gives `[targets, channels, height, width]`.
pub fn style<'a>(f: Tensor<4>, p: Tensor<2>, layer: impl Into<LinearLayer<'a>>) -> Tensor<4> {
    let layer = layer.into();
    match Route::of(&f) {
        Route::Wgsl | Route::Cpu if can_run(&f, &p, layer) => {
            let linear = layer.weights(&f.device()).into_dispatch();
            let (f, p) = (f.into_dispatch(), p.into_dispatch());
            Tensor::from_dispatch(Dispatch::style(f, p, linear, layer.outputs() / 2))
        }
        #[cfg(feature = "tch")]
        Route::Torch => {
            let (f, gamma, beta) = affine(f, p, layer);
            torch::style(f, gamma, beta)
        }
        _ => style_reference(f, p, layer),
    }
}

/// A fused convolution with instance norm over x, and [`style`] of `skip` after it on the channels.
pub fn fused_conv_beside_style<'a, 'b>(
    x: Tensor<4>,
    conv: impl Into<Layer<'a>>,
    activation: Activation,
    skip: Tensor<4>,
    p: Tensor<2>,
    layer: impl Into<LinearLayer<'b>>,
) -> Tensor<4> {
    let (conv, layer) = (conv.into(), layer.into());
    match Route::of_both(&x, &skip) {
        Route::Wgsl | Route::Cpu
            if let Some(spec) = conv.spec(&x, Norm::Instance, activation)
                && can_run(&skip, &p, layer)
                && can_concat(&x, &p, spec, layer) =>
        {
            let weights = conv.weights(Norm::Instance, spec, &x.device());
            let linear = layer.weights(&x.device());
            Tensor::from_dispatch(Dispatch::fused_conv_beside_style(
                x.into_dispatch(),
                weights.into_dispatch(),
                skip.into_dispatch(),
                p.into_dispatch(),
                linear.into_dispatch(),
                spec,
                layer.outputs() / 2,
            ))
        }
        _ => {
            let map = fused_conv(x, conv, Norm::Instance, None, activation);
            Tensor::cat(vec![map, style(skip, p, layer)], 1)
        }
    }
}

/// The reference implementation of [`style`]: any device, differentiable.
pub fn style_reference<'a>(
    f: Tensor<4>,
    p: Tensor<2>,
    layer: impl Into<LinearLayer<'a>>,
) -> Tensor<4> {
    let (f, gamma, beta) = affine(f, p, layer.into());
    instance_norm(f) * gamma + beta
}

/// The channels of f that are styled; gamma and beta, each `[targets, channels, 1, 1]`.
fn affine(f: Tensor<4>, p: Tensor<2>, layer: LinearLayer<'_>) -> (Tensor<4>, Tensor<4>, Tensor<4>) {
    let affine = layer.forward(p); // [targets, 2 channels]
    let channels = affine.dims()[1] / 2;
    let more = f.dims()[1] - channels;
    let f = if more == 0 {
        f
    } else {
        f.narrow(1, more, channels)
    };
    let affine = affine.unsqueeze_dims::<4>(&[2, 3]); // [targets, 2 channels, 1, 1]
    let gamma = affine.clone().narrow(1, 0, channels);
    let beta = affine.narrow(1, channels, channels);
    (f, gamma, beta)
}

/// Whether the kernel can run over f for the targets p.
fn can_run(f: &Tensor<4>, p: &Tensor<2>, layer: LinearLayer<'_>) -> bool {
    let [batch, all, height, width] = f.dims();
    let [targets, channels] = [p.dims()[0], layer.outputs() / 2];
    let numbers = targets * channels * height * width;
    (batch == 1 || batch == targets)
        && numbers > 0
        && channels <= all
        && [numbers, batch * all * height * width]
            .iter()
            .all(|numbers| fits_buffer(*numbers))
        && [targets, channels].iter().all(|count| *count <= MAX_GROUPS)
}

/// Whether a convolution's map and a styled one can lie in one buffer, a target for each image of x.
fn can_concat(x: &Tensor<4>, p: &Tensor<2>, spec: ConvSpec, layer: LinearLayer<'_>) -> bool {
    let [batch, _, height, width] = x.dims();
    let map: usize = spec.map([height, width]).iter().product();
    batch == p.dims()[0] && fits_buffer(batch * (spec.outputs + layer.outputs() / 2) * map)
}
