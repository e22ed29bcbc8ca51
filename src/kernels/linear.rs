//! Launches shaders/linear.wgsl: a linear layer over the means of maps.

use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::{CubeBackend, CubeTensor, SourceTemplate, into_contiguous};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, activation};
use bytemuck::{Pod, Zeroable};

use super::launch::{MAX_GROUPS, Shader, dims, dispatch_over, empty, fits, u32s};
use super::route::Route;
use super::step::{Activation, LEAKY_SLOPE};
use super::step_weights::PackedStep;

/// Threads of a workgroup.
const THREADS: usize = 64;

/// A linear layer, and the place of its packed weights where it has one.
#[derive(Clone, Copy)]
pub struct LinearLayer<'a> {
    linear: &'a Linear,
    packed: Option<&'a PackedStep>,
}

impl<'a> From<&'a Linear> for LinearLayer<'a> {
    fn from(linear: &'a Linear) -> Self {
        Self {
            linear,
            packed: None,
        }
    }
}

impl<'a> LinearLayer<'a> {
    /// A layer whose packed weights are kept in `packed`.
    pub fn packed(linear: &'a Linear, packed: &'a PackedStep) -> Self {
        Self {
            linear,
            packed: Some(packed),
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
        let pack = || pack(self.linear).to_device(device);
        match self.packed {
            Some(packed) => packed.get(pack),
            None => pack(),
        }
    }
}

fn pack(linear: &Linear) -> Tensor<1> {
    let weight = linear.weight.val();
    let [inputs, outputs] = weight.dims();
    let bias = match &linear.bias {
        Some(bias) => bias.val(),
        None => Tensor::zeros([outputs], &weight.device()),
    };
    let all = Tensor::cat(vec![weight, bias.unsqueeze::<2>()], 0);
    all.reshape([(inputs + 1) * outputs])
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
    let [batch, inputs, height, width] = x.dims();
    let numbers = [batch * inputs * height * width, batch * layer.outputs()];
    let runs = Route::of(&x) == Route::Wgsl
        && numbers.iter().all(|n| *n > 0 && fits(*n))
        && [batch, layer.outputs()].iter().all(|n| *n <= MAX_GROUPS);
    if !runs {
        return linear_plain(x, layer, activation);
    }
    let weights = layer.weights(&x.device()).into_dispatch();
    let out = Dispatch::linear(
        x.into_dispatch(),
        weights,
        layer.outputs(),
        activation.slope(),
    );
    Tensor::from_dispatch(out)
}

/// The twin of [`linear`] in plain tensor operations: any device, differentiable.
pub fn linear_plain<'a>(
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

/// The layer as an operation of the backends that run its kernel.
#[backend_extension(Cube)]
pub trait LinearBackend: Backend {
    /// x `[batch, inputs, height, width]` to `[batch, outputs]`; slope: of the activation below 0.
    fn linear(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        outputs: usize,
        slope: f32,
    ) -> FloatTensor<Self>;
}

impl LinearBackend for CubeBackend {
    fn linear(x: CubeTensor, weights: CubeTensor, outputs: usize, slope: f32) -> CubeTensor {
        let (x, weights) = (into_contiguous(x), into_contiguous(weights));
        let [batch, inputs, height, width] = dims(&x);
        let out = empty(&x, [batch, outputs]);
        let groups = [outputs, batch, 1];
        let [inputs, map, outputs] = u32s([inputs, height * width, outputs]);
        let sizes = Sizes {
            inputs,
            map,
            outputs,
            slope,
        };
        dispatch_over(LinearKernel, groups, &[&x, &weights, &out], sizes);
        out
    }
}

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Sizes {
    inputs: u32,
    map: u32,
    outputs: u32,
    slope: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LinearKernel;

impl Shader for LinearKernel {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        THREADS
    }

    fn source(self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../shaders/linear.wgsl"))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        vec![Self]
    }
}
