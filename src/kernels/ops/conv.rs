//! The fused convolution: activation(norm(convolution(x)) + shortcut), and perhaps a max-pool after it.
//! The blocks of both editions and of the painter are made of it.
//!
//! WGSL: `wgsl/conv/`, and for an instance norm `wgsl/instance_norm.rs`. CPU: `cpu/conv.rs`.
//! LibTorch: trained as one group.

use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor, activation};

use burn::backend::Dispatch;

use crate::kernels::backend::ConvBackend;
use crate::kernels::cpu;
use crate::kernels::prepared::{Prepared, conv_rows};
use crate::kernels::route::Route;
use crate::kernels::spec::{
    Activation, ConvKind, ConvSpec, Convolution, LEAKY_SLOPE, MAX_GROUPS, NORM_EPSILON, Norm,
    fits_buffer,
};
#[cfg(feature = "tch")]
use crate::kernels::torch;

/// A convolution, and the place of its prepared weights where it has one.
#[derive(Clone, Copy)]
pub struct Layer<'a> {
    convolution: Convolution<'a>,
    prepared: Option<&'a Prepared>,
}

impl<'a, C: Into<Convolution<'a>>> From<C> for Layer<'a> {
    fn from(convolution: C) -> Self {
        Self {
            convolution: convolution.into(),
            prepared: None,
        }
    }
}

impl<'a> Layer<'a> {
    /// A convolution whose prepared weights are kept in `prepared`.
    pub fn prepared(convolution: impl Into<Convolution<'a>>, prepared: &'a Prepared) -> Self {
        Self {
            convolution: convolution.into(),
            prepared: Some(prepared),
        }
    }

    /// The weights as the kernels of `device` read them.
    pub(super) fn weights(self, norm: Norm<'_>, spec: ConvSpec, device: &Device) -> Tensor<1> {
        let lay_out = || {
            let rows = conv_rows(self.convolution, norm, spec.kind);
            match Route::on(device) {
                Route::Cpu => cpu::conv_weights(rows, spec.inputs, spec.kind),
                _ => rows.flatten::<1>(0, 1).to_device(device),
            }
        };
        match self.prepared {
            Some(prepared) => prepared.get(lay_out),
            None => lay_out(),
        }
    }

    /// What the kernels compute over x; none where only the reference implementation can run.
    pub(super) fn spec(
        self,
        x: &Tensor<4>,
        norm: Norm<'_>,
        activation: Activation,
    ) -> Option<ConvSpec> {
        let spec = ConvSpec {
            kind: ConvKind::of(self.convolution)?,
            inputs: self.convolution.inputs(),
            outputs: self.convolution.outputs(),
            instance_norm: matches!(norm, Norm::Instance),
            activation,
            pool: false,
        };
        can_run(x, spec).then_some(spec)
    }
}

/// activation(norm(convolution(x)) + shortcut).
///
/// x: `[batch, inputs or more, height, width]`, of which the first channels are read; the shortcut
/// has the shape of the output.
pub fn fused_conv<'a>(
    x: Tensor<4>,
    layer: impl Into<Layer<'a>>,
    norm: Norm<'_>,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let layer = layer.into();
    let convolution = layer.convolution;
    match Route::of(&x) {
        Route::Wgsl | Route::Cpu if let Some(spec) = layer.spec(&x, norm, activation) => {
            let weights = layer.weights(norm, spec, &x.device());
            run(x, weights, shortcut, spec)
        }
        #[cfg(feature = "tch")]
        Route::Torch
            if let Some(shape) =
                torch::ConvShape::of(convolution, norm, shortcut.is_some(), activation) =>
        {
            let x = first_channels(x, convolution.inputs());
            torch::fused_conv(x, convolution, norm, shortcut, shape)
        }
        _ => fused_conv_reference(x, convolution, norm, shortcut, activation),
    }
}

/// [`fused_conv`], then the maximum of each 2x2 square.
pub fn fused_conv_pooled<'a>(
    x: Tensor<4>,
    layer: impl Into<Layer<'a>>,
    norm: Norm<'_>,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let layer = layer.into();
    match Route::of(&x) {
        Route::Wgsl | Route::Cpu
            if let Some(spec) = layer.spec(&x, norm, activation)
                && can_pool(&x, spec) =>
        {
            let spec = ConvSpec { pool: true, ..spec };
            let weights = layer.weights(norm, spec, &x.device());
            run(x, weights, shortcut, spec)
        }
        _ => max_pool(fused_conv(x, layer, norm, shortcut, activation)),
    }
}

/// The reference implementation of [`fused_conv`]: any device, differentiable.
pub fn fused_conv_reference(
    x: Tensor<4>,
    convolution: Convolution<'_>,
    norm: Norm<'_>,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let x = first_channels(x, convolution.inputs());
    let map = match convolution {
        Convolution::Plain(conv) => conv.forward(x),
        Convolution::Transposed(conv) => conv.forward(x),
    };
    let map = match norm {
        Norm::None => map,
        Norm::Instance => instance_norm(map),
        Norm::Batch(batch_norm) => batch_norm.forward(map),
    };
    let map = match shortcut {
        Some(shortcut) => map + shortcut,
        None => map,
    };
    match activation {
        Activation::None => map,
        Activation::Relu => activation::relu(map),
        Activation::Leaky => activation::leaky_relu(map, LEAKY_SLOPE),
    }
}

/// Instance norm without an affine part: every map of every sample to mean 0, deviation 1.
///
/// Shape in and out: `[batch, channels, height, width]`.
pub fn instance_norm(x: Tensor<4>) -> Tensor<4> {
    let centred = x.clone() - x.mean_dims(&[2, 3]);
    let variance = centred.clone().square().mean_dims(&[2, 3]); // [batch, channels, 1, 1]
    centred / (variance + NORM_EPSILON).sqrt()
}

/// Halves height and width by the maximum of each 2x2 square.
pub fn max_pool(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([2, 2]).with_stride([2, 2]))
}

/// The first channels of x, all of them where it has no more.
fn first_channels(x: Tensor<4>, count: usize) -> Tensor<4> {
    if x.dims()[1] == count {
        x
    } else {
        x.narrow(1, 0, count)
    }
}

/// Whether the buffers and the dispatch are within WebGPU's defaults.
fn can_run(x: &Tensor<4>, spec: ConvSpec) -> bool {
    let [batch, channels, height, width] = x.dims();
    let map: usize = spec.map([height, width]).iter().product();
    let [input, output] = [channels * height * width, spec.outputs * map].map(|n| batch * n);
    let weights = (spec.inputs * spec.kind.taps() + 1) * spec.outputs.next_multiple_of(4);
    input > 0
        && output > 0
        && spec.inputs <= channels
        && fits_buffer(input.max(output).max(weights))
        && [batch, spec.outputs, map]
            .iter()
            .all(|count| *count <= MAX_GROUPS)
}

/// Whether the max-pool can be part of the last kernel.
fn can_pool(x: &Tensor<4>, spec: ConvSpec) -> bool {
    let [_, _, height, width] = x.dims();
    spec.map([height, width]).iter().all(|side| *side >= 2)
}

fn run(x: Tensor<4>, weights: Tensor<1>, shortcut: Option<Tensor<4>>, spec: ConvSpec) -> Tensor<4> {
    let (x, weights) = (x.into_dispatch(), weights.into_dispatch());
    Tensor::from_dispatch(match shortcut {
        Some(shortcut) => {
            Dispatch::fused_conv_with_shortcut(x, weights, shortcut.into_dispatch(), spec)
        }
        None => Dispatch::fused_conv(x, weights, spec),
    })
}
