//! Weights that are laid out once for the kernels of a device.

use std::sync::{Arc, OnceLock};

use burn::nn::Linear;
use burn::tensor::Tensor;

use super::spec::{ConvKind, Convolution, Norm};

/// The prepared weights of one convolution or linear layer: laid out at its first call, and used by every
/// later one.
///
/// For layers whose weights no longer change. A layer without it has them laid out anew at each call.
#[derive(Debug, Clone, Default)]
pub struct Prepared(Arc<OnceLock<Tensor<1>>>);

impl Prepared {
    /// What was laid out before, or what `lay_out` gives.
    pub(super) fn get(&self, lay_out: impl FnOnce() -> Tensor<1>) -> Tensor<1> {
        self.0.get_or_init(lay_out).clone()
    }
}

/// The weights of a convolution as the kernels need them: `[inputs * taps + 1, outputs]`, biases in the
/// last row, a BatchNorm folded into both; zeros fill the outputs up to a multiple of four.
///
/// The work is done where the weights lie: from the CPU to a GPU one finished buffer goes over.
pub(super) fn conv_rows(convolution: Convolution<'_>, norm: Norm<'_>, kind: ConvKind) -> Tensor<2> {
    let weight = convolution.weight();
    // [inputs, k, k, outputs]
    let weight = match convolution {
        Convolution::Plain(_) => weight.permute([1, 2, 3, 0]),
        // As a convolution, a transposed one reads its taps backwards.
        Convolution::Transposed(_) if matches!(kind, ConvKind::Conv3x3 { .. }) => {
            weight.permute([0, 2, 3, 1]).flip([1, 2])
        }
        Convolution::Transposed(_) => weight.permute([0, 2, 3, 1]),
    };
    let [inputs, _, _, outputs] = weight.dims();
    let weight = weight.reshape([inputs * kind.taps(), outputs]);
    let bias = match (norm, convolution.bias()) {
        // The norm takes every constant off again.
        (Norm::Instance, _) | (_, None) => Tensor::zeros([outputs], &weight.device()),
        (_, Some(bias)) => bias,
    };
    let (weight, bias) = match norm {
        Norm::Batch(norm) => {
            let variance = norm.running_var.value();
            let scale = norm.gamma.val() / (variance + norm.epsilon).sqrt(); // [outputs]
            let bias = (bias - norm.running_mean.value()) * scale.clone() + norm.beta.val();
            (weight * scale.unsqueeze::<2>(), bias)
        }
        Norm::None | Norm::Instance => (weight, bias),
    };
    let rows = Tensor::cat(vec![weight, bias.unsqueeze::<2>()], 0); // [inputs * taps + 1, outputs]
    filled_up(rows, 1, outputs.next_multiple_of(4))
}

/// The weights of a linear layer, `[inputs + 1, outputs]`, biases in the last row.
pub(super) fn linear_rows(linear: &Linear) -> Tensor<2> {
    let weight = linear.weight.val();
    let [_, outputs] = weight.dims();
    let bias = match &linear.bias {
        Some(bias) => bias.val(),
        None => Tensor::zeros([outputs], &weight.device()),
    };
    Tensor::cat(vec![weight, bias.unsqueeze::<2>()], 0)
}

/// Zeros at the end of an axis, up to `count`.
pub(super) fn filled_up<const D: usize>(tensor: Tensor<D>, axis: usize, count: usize) -> Tensor<D> {
    let mut shape = tensor.dims();
    if shape[axis] == count {
        return tensor;
    }
    shape[axis] = count - shape[axis];
    let zeros = Tensor::zeros(shape, &tensor.device());
    Tensor::cat(vec![tensor, zeros], axis)
}
