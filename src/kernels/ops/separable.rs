//! A block of the face detector: activation(shortcut + pointwise(depthwise(x))).
//!
//! CPU: `cpu/separable.rs`.

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn::tensor::activation::{prelu, relu};
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};

use super::conv::max_pool;
use crate::kernels::backend::SeparableBackend;
use crate::kernels::cpu;
use crate::kernels::route::Route;
use crate::kernels::spec::SeparableSpec;

/// The weights of a block.
#[derive(Debug, Clone)]
pub struct SeparableBlock {
    depthwise: Tensor<4>,
    pointwise: Tensor<4>,
    bias: Tensor<1>,
    slope: Option<Tensor<1>>,
    halve: bool,
    prepared: Option<Tensor<1>>,
}

impl SeparableBlock {
    /// Of depthwise `[inputs, 1, 3, 3]`, pointwise `[outputs, inputs, 1, 1]`, a bias and the
    /// activation's slopes (none: ReLU); with `halve` the block has stride 2.
    pub fn new(
        depthwise: Tensor<4>,
        pointwise: Tensor<4>,
        bias: Tensor<1>,
        slope: Option<Tensor<1>>,
        halve: bool,
    ) -> Self {
        Self {
            depthwise,
            pointwise,
            bias,
            slope,
            halve,
            prepared: None,
        }
    }

    /// Lays the weights out for the kernel, where their device has one; from then on it runs the block.
    pub fn prepare(&mut self) {
        let has_kernel = Route::on(&self.depthwise.device()) == Route::Cpu;
        self.prepared = has_kernel.then(|| {
            let slope = self.slope.as_ref();
            cpu::separable_weights(&self.depthwise, &self.pointwise, &self.bias, slope)
        });
    }

    fn spec(&self, alone: bool) -> SeparableSpec {
        let [outputs, inputs, _, _] = self.pointwise.dims();
        SeparableSpec {
            inputs,
            outputs,
            halve: self.halve,
            alone,
        }
    }
}

/// The block over x `[batch, inputs, height, width]`, or with `alone` its convolutions alone. Where it
/// halves or widens, x is pooled or gets empty channels before the sum.
pub fn separable(x: Tensor<4>, block: &SeparableBlock, alone: bool) -> Tensor<4> {
    let spec = block.spec(alone);
    match (Route::of(&x), &block.prepared) {
        (Route::Cpu, Some(weights)) if can_run(&x, spec) => {
            let weights = weights.clone().into_dispatch();
            Tensor::from_dispatch(Dispatch::separable(x.into_dispatch(), weights, spec))
        }
        _ => separable_reference(x, block, alone),
    }
}

/// The reference implementation of [`separable`]: any device.
pub fn separable_reference(x: Tensor<4>, block: &SeparableBlock, alone: bool) -> Tensor<4> {
    let channels = block.depthwise.dims()[0];
    // TensorFlow's "same" padding puts the odd pixel at the end.
    let (stride, padding) = if block.halve {
        (2, (0, 1))
    } else {
        (1, (1, 1))
    };
    let options = ConvOptions::new_with_padding([stride; 2], [padding; 2], [1, 1], channels);
    let y = conv2d(x.clone(), block.depthwise.clone(), None, options);
    let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
    let bias = Some(block.bias.clone());
    let y = conv2d(y, block.pointwise.clone(), bias, options);
    if alone {
        return y;
    }
    let x = if block.halve { max_pool(x) } else { x };
    let more = y.dims()[1] - x.dims()[1];
    let x = if more > 0 {
        x.pad([(0, more), (0, 0), (0, 0)], PadMode::Constant(0.0))
    } else {
        x
    };
    match &block.slope {
        Some(slope) => prelu(x + y, slope.clone()),
        None => relu(x + y),
    }
}

fn can_run(x: &Tensor<4>, spec: SeparableSpec) -> bool {
    let [_, inputs, height, width] = x.dims();
    let even = height.is_multiple_of(2) && width.is_multiple_of(2);
    inputs == spec.inputs && (even || !spec.halve) && !x.dims().contains(&0)
}
