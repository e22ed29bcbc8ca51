//! A block of the face detector: activation(shortcut + pointwise(depthwise(x))).
//!
//! CPU: `cpu/separable.rs`. Its reference implementation is the block itself, in `face/layers.rs`.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::kernels::backend::SeparableBackend;
use crate::kernels::cpu;
use crate::kernels::route::Route;
use crate::kernels::spec::SeparableSpec;

/// The weights of a block, laid out once for the CPU.
#[derive(Debug, Clone)]
pub struct Separable {
    weights: Tensor<1>,
    inputs: usize,
    outputs: usize,
    halve: bool,
}

impl Separable {
    /// Lays out depthwise `[inputs, 1, 3, 3]`, pointwise `[outputs, inputs, 1, 1]`, a bias and the
    /// activation's slopes (none: ReLU); with `halve` the block has stride 2. None where the weights
    /// are not on a device whose tensors [`forward`](Self::forward) takes.
    pub fn prepare(
        depthwise: &Tensor<4>,
        pointwise: &Tensor<4>,
        bias: &Tensor<1>,
        slope: Option<&Tensor<1>>,
        halve: bool,
    ) -> Option<Self> {
        if Route::on(&depthwise.device()) != Route::Cpu {
            return None;
        }
        let [outputs, inputs, _, _] = pointwise.dims();
        Some(Self {
            weights: cpu::separable_weights(depthwise, pointwise, bias, slope),
            inputs,
            outputs,
            halve,
        })
    }

    /// The block over x `[batch, inputs, height, width]`, or with `alone` its convolutions alone;
    /// none where only the reference implementation can run.
    pub fn forward(&self, x: &Tensor<4>, alone: bool) -> Option<Tensor<4>> {
        let [batch, inputs, height, width] = x.dims();
        let even = height.is_multiple_of(2) && width.is_multiple_of(2);
        let fits = inputs == self.inputs && (even || !self.halve) && batch * height * width > 0;
        match Route::of(x) {
            Route::Cpu if fits => {
                let spec = SeparableSpec {
                    inputs,
                    outputs: self.outputs,
                    halve: self.halve,
                    alone,
                };
                let (x, weights) = (x.clone(), self.weights.clone());
                let out = Dispatch::separable(x.into_dispatch(), weights.into_dispatch(), spec);
                Some(Tensor::from_dispatch(out))
            }
            _ => None,
        }
    }
}
