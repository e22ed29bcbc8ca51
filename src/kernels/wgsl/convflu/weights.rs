//! The weights of a ConvFLU pair in the order in which the kernels read them: one buffer for both
//! directions.
//!
//! First, for all kernels, `[in channel, tap, 3, out channel]` vec4:
//! - 0: of r and z into x: (W_r from x, W_r from y, W_z from x, W_z from y);
//! - 1: of r and z into y: (W_r from y, W_r from x, W_z from y, W_z from x);
//! - 2: (U into x, U into y, W into x, W into y).
//!
//! Neighbouring threads hold neighbouring output channels, so that they read neighbouring vec4s.
//! Then, where two passes are needed, W again for the second one:
//! `[direction, in channel, tap, ceil(C / 4)]` vec4 of four output channels, zero beyond C.

use burn::tensor::Tensor;

use super::in_two_passes;
use crate::kernels::prepared::filled_up;
use crate::kernels::spec::UnitWeights;

/// The weights of both directions in the kernels' order.
pub fn prepare(to_x: &UnitWeights, to_y: &UnitWeights) -> Tensor<1> {
    let [c, _, side, _] = to_x.u.dims();
    let taps = side * side;
    // The halves of W_r and W_z become an axis: own, other.
    let rows = |weight: &Tensor<4>| -> Tensor<4> {
        let sources = weight.dims()[1] / c;
        weight.clone().reshape([c, sources, c, taps]) // [out, sources, in, tap]
    };
    let all = Tensor::cat(
        vec![
            rows(&to_x.w_r),
            rows(&to_x.w_z),
            rows(&to_y.w_r),
            rows(&to_y.w_z),
            rows(&to_x.u),
            rows(&to_y.u),
            rows(&to_x.w),
            rows(&to_y.w),
        ],
        1,
    ); // [out, 12, in, tap]
    let first = all
        .reshape([c, 3, 4, c, taps])
        .permute([3, 4, 1, 0, 2]) // [in, tap, 3, out, 4]
        .reshape([c * taps * 12 * c]);
    if !in_two_passes(c, side) {
        return first;
    }
    let quads = c.div_ceil(4);
    let second = |weight: &Tensor<4>| -> Tensor<1> {
        let weight = weight.clone().reshape([c, c, taps]);
        filled_up(weight, 0, quads * 4)
            .reshape([quads, 4, c, taps])
            .permute([2, 3, 0, 1]) // [in, tap, quad, 4]
            .reshape([c * taps * quads * 4])
    };
    Tensor::cat(vec![first, second(&to_x.w), second(&to_y.w)], 0)
}
