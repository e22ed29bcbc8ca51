//! The 2021 edition's style transform, alone and beside an up-step, on shaders/map_norm.wgsl.

use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::{CubeBackend, CubeTensor, into_contiguous};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::conv_step::StepSpec;
use super::launch::{MAX_GROUPS, dims, empty, fits};
use super::linear::LinearLayer;
use super::map_norm::{After, MapNorm};
use super::route::Route;
use super::step::{Activation, Layer, Norm, conv_step, instance_norm, spec_for};
use super::step_launch::{self, MapPlace};
#[cfg(feature = "tch")]
use super::{step::NORM_EPSILON, torch};

/// Instance norm of f, times gamma, plus beta, both linear in p: the 2021 edition's style transform.
///
/// f: `[1 or targets, channels or more, height, width]`, of which the last channels are read;
/// p: `[targets, E]`; the layer gives `2 * channels` numbers, gamma then beta.
/// Gives `[targets, channels, height, width]`.
pub fn style<'a>(f: Tensor<4>, p: Tensor<2>, layer: impl Into<LinearLayer<'a>>) -> Tensor<4> {
    let layer = layer.into();
    if can_style(&f, &p, layer) {
        let linear = layer.weights(&f.device());
        let (f, p) = (f.into_dispatch(), p.into_dispatch());
        let linear = linear.into_dispatch();
        return Tensor::from_dispatch(Dispatch::style(f, p, linear, layer.outputs() / 2));
    }
    style_plain(f, p, layer)
}

/// A step with instance norm over x, and [`style`] of `skip` after it on the channels.
pub fn conv_step_beside_style<'a, 'b>(
    x: Tensor<4>,
    step: impl Into<Layer<'a>>,
    activation: Activation,
    skip: Tensor<4>,
    p: Tensor<2>,
    layer: impl Into<LinearLayer<'b>>,
) -> Tensor<4> {
    let (step, layer) = (step.into(), layer.into());
    match spec_for(&x, step, Norm::Instance, activation) {
        Some(spec) if can_style(&skip, &p, layer) && can_join(&x, &p, spec, layer) => {
            let weights = step.weights(Norm::Instance, spec, &x.device());
            let linear = layer.weights(&x.device());
            Tensor::from_dispatch(Dispatch::step_beside_style(
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
            let map = conv_step(x, step, Norm::Instance, None, activation);
            Tensor::cat(vec![map, style(skip, p, layer)], 1)
        }
    }
}

/// The twin of [`style`] in plain tensor operations: any device, differentiable.
pub fn style_plain<'a>(f: Tensor<4>, p: Tensor<2>, layer: impl Into<LinearLayer<'a>>) -> Tensor<4> {
    let affine = layer.into().forward(p); // [targets, 2 channels]
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
    #[cfg(feature = "tch")]
    if Route::of(&f) == Route::Torch {
        let device = f.device();
        let inputs = torch::Inputs::default().with(f).with(gamma).with(beta);
        let group = torch::Group::Style {
            epsilon: NORM_EPSILON,
        };
        return inputs.run(group, &device).first();
    }
    instance_norm(f) * gamma + beta
}

/// The style as an operation of the backends that run its kernel.
#[backend_extension(Cube, Flex)]
pub trait StyleBackend: Backend {
    /// Instance norm of the last channels of f, times gamma, plus beta: p `[targets, E]` through
    /// the packed linear layer.
    fn style(
        f: FloatTensor<Self>,
        p: FloatTensor<Self>,
        linear: FloatTensor<Self>,
        channels: usize,
    ) -> FloatTensor<Self>;

    /// A step with instance norm, and the styled skip after it on the channels.
    fn step_beside_style(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        p: FloatTensor<Self>,
        linear: FloatTensor<Self>,
        spec: StepSpec,
        channels: usize,
    ) -> FloatTensor<Self>;
}

impl StyleBackend for CubeBackend {
    fn style(f: CubeTensor, p: CubeTensor, linear: CubeTensor, channels: usize) -> CubeTensor {
        let f = into_contiguous(f);
        let [_, _, height, width] = dims(&f);
        let out = empty(&f, [p.meta.shape()[0], channels, height, width]);
        styled(&f, p, linear, &out, [0, channels]);
        out
    }

    fn step_beside_style(
        x: CubeTensor,
        weights: CubeTensor,
        skip: CubeTensor,
        p: CubeTensor,
        linear: CubeTensor,
        spec: StepSpec,
        channels: usize,
    ) -> CubeTensor {
        let map = step_launch::convolution(into_contiguous(x), weights, None, spec);
        let [batch, outputs, height, width] = dims(&map);
        let out = empty(&map, [batch, outputs + channels, height, width]);
        step_launch::norm(&map, None, &out, spec);
        let skip = into_contiguous(skip);
        styled(&skip, p, linear, &out, [outputs, channels]);
        out
    }
}

/// Whether the kernel can run over f for the targets p.
fn can_style(f: &Tensor<4>, p: &Tensor<2>, layer: LinearLayer<'_>) -> bool {
    let [batch, all, height, width] = f.dims();
    let [targets, channels] = [p.dims()[0], layer.outputs() / 2];
    let numbers = targets * channels * height * width;
    Route::of(f).has_steps()
        && (batch == 1 || batch == targets)
        && numbers > 0
        && channels <= all
        && [numbers, batch * all * height * width]
            .iter()
            .all(|numbers| fits(*numbers))
        && [targets, channels].iter().all(|count| *count <= MAX_GROUPS)
}

/// Whether a step's map and a styled one can lie in one buffer, a target for each image of x.
fn can_join(x: &Tensor<4>, p: &Tensor<2>, spec: StepSpec, layer: LinearLayer<'_>) -> bool {
    let [batch, _, height, width] = x.dims();
    let map = spec.taps.output(height) * spec.taps.output(width);
    batch == p.dims()[0] && fits(batch * (spec.outputs + layer.outputs() / 2) * map)
}

/// The last `channels` of f, styled, into the channels of `out` from `first` on.
fn styled(
    f: &CubeTensor,
    p: CubeTensor,
    linear: CubeTensor,
    out: &CubeTensor,
    [first, channels]: [usize; 2],
) {
    let [_, all, height, width] = dims(f);
    let kernel = MapNorm::new([height, width], After::Style, Activation::None, false);
    let (p, linear) = (into_contiguous(p), into_contiguous(linear));
    let place = MapPlace {
        channels,
        x_first: all - channels,
        first,
        classes: p.meta.shape()[1],
    };
    step_launch::map_norm(kernel, f, vec![&p, &linear], out, place);
}
