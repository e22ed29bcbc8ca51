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

use burn::tensor::{DType, Device, Tensor};

use super::convflu::UnitWeights;
use super::convflu_launch;
use super::cpu::flu::CpuPair;
use super::route::Route;

/// The weights of both directions of a pair, made ready once for many calls of
/// [`convflu_pair_packed`](super::convflu_pair_packed).
#[derive(Debug, Clone)]
pub struct PackedPair {
    to_x: UnitWeights,
    to_y: UnitWeights,
    packed: Option<Tensor<1>>,
    on_cpu: Option<CpuPair>,
}

impl PackedPair {
    /// Packs the weights for the kernels of their device, WGSL's or the CPU's; where there are none,
    /// keeps them as they are.
    pub fn new(to_x: &UnitWeights, to_y: &UnitWeights) -> Self {
        Self::on_device(to_x, to_y, &to_x.u.device())
    }

    /// [`new`](Self::new) for maps on another device than the weights.
    ///
    /// About a dozen small copies where the weights lie, as many numbers as they hold (a third more
    /// for two passes).
    pub fn on_device(to_x: &UnitWeights, to_y: &UnitWeights, device: &Device) -> Self {
        let for_kernels = to_x.u.dtype() == DType::F32 && Route::on(device) == Route::Wgsl;
        Self {
            to_x: to_x.clone(),
            to_y: to_y.clone(),
            packed: for_kernels.then(|| pack(to_x, to_y).to_device(device)),
            on_cpu: if for_kernels {
                None
            } else {
                CpuPair::new(to_x, to_y)
            },
        }
    }

    /// The weights of the direction into x.
    pub fn to_x(&self) -> &UnitWeights {
        &self.to_x
    }

    /// The weights of the direction into y.
    pub fn to_y(&self) -> &UnitWeights {
        &self.to_y
    }

    pub(super) fn packed(&self) -> Option<&Tensor<1>> {
        self.packed.as_ref()
    }

    pub(super) fn on_cpu(&self) -> Option<&CpuPair> {
        self.on_cpu.as_ref()
    }

    /// Side of the square kernel: 1 or 3.
    pub(super) fn side(&self) -> usize {
        self.to_x.u.dims()[2]
    }
}

/// The weights of both directions in the kernels' order.
pub(super) fn pack(to_x: &UnitWeights, to_y: &UnitWeights) -> Tensor<1> {
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
    if !convflu_launch::in_two_passes(c, side) {
        return first;
    }
    let quads = c.div_ceil(4);
    let second = |weight: &Tensor<4>| -> Tensor<1> {
        let weight = weight.clone().reshape([c, c, taps]);
        let weight = if quads * 4 == c {
            weight
        } else {
            let zeros = Tensor::zeros([quads * 4 - c, c, taps], &weight.device());
            Tensor::cat(vec![weight, zeros], 0)
        };
        weight
            .reshape([quads, 4, c, taps])
            .permute([2, 3, 0, 1]) // [in, tap, quad, 4]
            .reshape([c * taps * quads * 4])
    };
    Tensor::cat(vec![first, second(&to_x.w), second(&to_y.w)], 0)
}
