//! The weights of a step in the order in which the CPU reads them: blocks of four output channels,
//! each with `[phase, input channel, tap row, tap column]` quads of its channels and then their
//! biases. A convolution has one phase, a transposed one of stride 2 has four.

use burn::tensor::Tensor;

use super::tile::BLOCK;
use crate::kernels::conv_step::Taps;

/// Reorders weights of `[inputs, tap, outputs]`, outputs being a multiple of [`BLOCK`], and their
/// biases behind them.
pub fn pack(weights: Tensor<1>, inputs: usize, taps: Taps) -> Tensor<1> {
    let rows = inputs * taps.count();
    let outputs = weights.dims()[0] / (rows + 1);
    let all = weights.reshape([rows + 1, outputs]);
    let bias = all.clone().narrow(0, rows, 1);
    let weights = all.narrow(0, 0, rows);
    let weights = match taps {
        Taps::Three { .. } | Taps::One => weights,
        Taps::UpTwo => by_phase(weights, [inputs, 1, 2], outputs),
        // Tap 3 - 2 i - a reaches phase a from its i-th input.
        Taps::UpFour => {
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
