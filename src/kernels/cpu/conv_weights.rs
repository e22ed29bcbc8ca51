//! The weights of a convolution in the order in which the CPU reads them: blocks of four output
//! channels, each with `[phase, input channel, tap row, tap column]` quads of its channels and then
//! their biases. A convolution has one phase, a transposed one of stride 2 has four.

use burn::tensor::Tensor;

use super::simd::BLOCK;
use crate::kernels::spec::ConvKind;

/// Reorders weights `[inputs * taps + 1, outputs]`, biases in the last row, outputs a multiple of
/// [`BLOCK`].
pub fn prepare(all: Tensor<2>, inputs: usize, kind: ConvKind) -> Tensor<1> {
    let [rows, outputs] = all.dims();
    let rows = rows - 1;
    let bias = all.clone().narrow(0, rows, 1);
    let weights = all.narrow(0, 0, rows);
    let weights = match kind {
        ConvKind::Conv3x3 { .. } | ConvKind::Conv1x1 => weights,
        ConvKind::Transposed2x2 => by_phase(weights, [inputs, 1, 2], outputs),
        // Tap 3 - 2 i - a reaches phase a from its i-th input.
        ConvKind::Transposed4x4 => {
            let backwards = weights.reshape([inputs, 4, 4, outputs]).flip([1, 2]);
            by_phase(backwards.reshape([rows, outputs]), [inputs, 2, 2], outputs)
        }
    };
    Tensor::cat(vec![weights, bias], 0)
        .reshape([rows + 1, outputs / BLOCK, BLOCK])
        .permute([1, 0, 2])
        .reshape([(rows + 1) * outputs])
}

/// `[inputs, i, row phase, j, column phase, outputs]` -> the phases first.
fn by_phase(weights: Tensor<2>, [inputs, taps, phases]: [usize; 3], outputs: usize) -> Tensor<2> {
    weights
        .reshape([inputs, taps, phases, taps, phases, outputs])
        .permute([2, 4, 0, 1, 3, 5])
        .reshape([inputs * (taps * phases).pow(2), outputs])
}
