//! A linear layer over the means of maps.
//!
//! WGSL: `wgsl/linear.rs`.

use burn::backend::Dispatch;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, activation};

use crate::kernels::backend::LinearBackend;
use crate::kernels::prepared::{Prepared, linear_rows};
use crate::kernels::route::Route;
use crate::kernels::spec::{Activation, LEAKY_SLOPE, MAX_GROUPS, fits_buffer};

/// A linear layer, and the place of its prepared weights where it has one.
#[derive(Clone, Copy)]
pub struct LinearLayer<'a> {
    linear: &'a Linear,
    prepared: Option<&'a Prepared>,
}

impl<'a> From<&'a Linear> for LinearLayer<'a> {
    fn from(linear: &'a Linear) -> Self {
        Self {
            linear,
            prepared: None,
        }
    }
}

impl<'a> LinearLayer<'a> {
    /// A layer whose prepared weights are kept in `prepared`.
    pub fn prepared(linear: &'a Linear, prepared: &'a Prepared) -> Self {
        Self {
            linear,
            prepared: Some(prepared),
        }
    }

    pub(super) fn outputs(self) -> usize {
        self.linear.weight.dims()[1]
    }

    /// The layer in plain tensor operations.
    pub(super) fn forward(self, x: Tensor<2>) -> Tensor<2> {
        self.linear.forward(x)
    }

    /// `[inputs + 1, outputs]`, the biases last, on `device`.
    pub(super) fn weights(self, device: &Device) -> Tensor<1> {
        let lay_out = || {
            linear_rows(self.linear)
                .flatten::<1>(0, 1)
                .to_device(device)
        };
        match self.prepared {
            Some(prepared) => prepared.get(lay_out),
            None => lay_out(),
        }
    }
}

/// activation(linear(mean of each map of x)).
///
/// x: `[batch, inputs, height, width]`; gives `[batch, outputs]`.
pub fn linear<'a>(
    x: Tensor<4>,
    layer: impl Into<LinearLayer<'a>>,
    activation: Activation,
) -> Tensor<2> {
    let layer = layer.into();
    match Route::of(&x) {
        Route::Wgsl if can_run(&x, layer.outputs()) => {
            let weights = layer.weights(&x.device()).into_dispatch();
            let (outputs, slope) = (layer.outputs(), activation.slope());
            Tensor::from_dispatch(Dispatch::linear(x.into_dispatch(), weights, outputs, slope))
        }
        _ => linear_reference(x, layer, activation),
    }
}

/// The reference implementation of [`linear`]: any device, differentiable.
pub fn linear_reference<'a>(
    x: Tensor<4>,
    layer: impl Into<LinearLayer<'a>>,
    activation: Activation,
) -> Tensor<2> {
    let x = match x.dims() {
        [_, _, 1, 1] => x,
        _ => x.mean_dims(&[2, 3]), // [batch, inputs, 1, 1]
    };
    let out = layer.into().forward(x.flatten::<2>(1, 3));
    match activation {
        Activation::None => out,
        Activation::Relu => activation::relu(out),
        Activation::Leaky => activation::leaky_relu(out, LEAKY_SLOPE),
    }
}

fn can_run(x: &Tensor<4>, outputs: usize) -> bool {
    let [batch, inputs, height, width] = x.dims();
    let numbers = [batch * inputs * height * width, batch * outputs];
    numbers.iter().all(|n| *n > 0 && fits_buffer(*n))
        && [batch, outputs].iter().all(|n| *n <= MAX_GROUPS)
}
