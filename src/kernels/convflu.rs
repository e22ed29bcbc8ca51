//! The ConvFLU pair: the public face of the kernels, and their twin in plain tensor operations.
//!
//! x is the branch that receives, y the branch that is read, `*` a convolution (1x1, or 3x3 with a
//! padding of 1, no bias), `.` a product of elements:
//!
//! ```text
//! r  = sigmoid(W_r * [x, y])        what to let leak in from y
//! h  = tanh(U * x + W * (r . y))    candidate
//! z  = sigmoid(W_z * [x, y])        how much of it to take
//! x' = (1 - z) . x + z . h          (the 2021 release swaps z and 1 - z)
//! ```
//!
//! The other direction swaps the roles of x and y and has its own weights. Both read the features
//! as they were before the pair.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

#[cfg(feature = "native")]
use super::convflu_autodiff;
use super::convflu_launch;
use super::convflu_weights::PackedPair;
use super::route::Route;
#[cfg(feature = "tch")]
use super::torch;

/// Weights of one direction, in PyTorch's layouts; `k` is 1 or 3.
#[derive(Debug, Clone)]
pub struct UnitWeights {
    /// W_r, `[C, 2C, k, k]`; the receiving branch comes first on the input channels.
    pub w_r: Tensor<4>,
    /// W_z, `[C, 2C, k, k]`; the receiving branch comes first on the input channels.
    pub w_z: Tensor<4>,
    /// U, `[C, C, k, k]`.
    pub u: Tensor<4>,
    /// W, `[C, C, k, k]`.
    pub w: Tensor<4>,
}

/// What z weighs: the candidate h or the branch's own features x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GateSense {
    /// x' = (1 - z) . x + z . h: the paper, and the 2020 edition.
    ZTakesCandidate,
    /// x' = z . x + (1 - z) . h: the authors' 2021 release.
    ZKeepsInput,
}

#[cfg(test)]
impl GateSense {
    pub(super) const ALL: [Self; 2] = [Self::ZTakesCandidate, Self::ZKeepsInput];
}

/// The gates of one direction, each `[batch, C, height, width]`, values in (0, 1).
#[derive(Debug, Clone)]
pub struct Gates {
    /// What leaks in from the other branch.
    pub r: Tensor<4>,
    /// How much of the candidate (or of the input) is taken; see [`GateSense`].
    pub z: Tensor<4>,
}

/// What a pair gives.
#[derive(Debug, Clone)]
pub struct PairOutput {
    /// x after it received from y, `[batch, C, height, width]`.
    pub x: Tensor<4>,
    /// y after it received from x, `[batch, C, height, width]`.
    pub y: Tensor<4>,
    /// Gates of the direction into x and of the direction into y, when they were asked for.
    pub gates: Option<(Gates, Gates)>,
}

/// Both directions of a ConvFLU pair over x and y, each `[batch, C, height, width]`.
///
/// Takes the WGSL kernels where they can run, in training their backward kernels too (unless the gates
/// are kept), else [`convflu_pair_plain`]. The weights are packed anew at each call: where they do not
/// change, keep a [`PackedPair`] and call [`convflu_pair_packed`].
pub fn convflu_pair(
    x: Tensor<4>,
    y: Tensor<4>,
    to_x: &UnitWeights,
    to_y: &UnitWeights,
    sense: GateSense,
    keep_gates: bool,
) -> PairOutput {
    let fits = convflu_launch::fits(&x, &y, to_x.u.dims()[2]);
    match Route::of(&x) {
        #[cfg(feature = "tch")]
        Route::Torch if !keep_gates => torch::convflu_pair(x, y, to_x, to_y, sense),
        #[cfg(feature = "native")]
        Route::TrainedWgsl if !keep_gates && fits => convflu_autodiff::run(x, y, to_x, to_y, sense),
        Route::Wgsl if fits => {
            let pair = PackedPair::new(to_x, to_y);
            convflu_pair_packed(x, y, &pair, sense, keep_gates)
        }
        _ => convflu_pair_plain(x, y, to_x, to_y, sense, keep_gates),
    }
}

/// [`convflu_pair`] with weights that were packed before.
pub fn convflu_pair_packed(
    x: Tensor<4>,
    y: Tensor<4>,
    pair: &PackedPair,
    sense: GateSense,
    keep_gates: bool,
) -> PairOutput {
    let side = pair.side();
    match (Route::of(&x), pair.packed(), pair.on_cpu()) {
        (Route::Wgsl, Some(packed), _) if convflu_launch::fits(&x, &y, side) => {
            convflu_launch::run(x, y, packed, side, sense, keep_gates)
        }
        (Route::Cpu, _, Some(on_cpu))
            if let Some(output) = on_cpu.run(&x, &y, sense, keep_gates) =>
        {
            output
        }
        _ => convflu_pair_plain(x, y, pair.to_x(), pair.to_y(), sense, keep_gates),
    }
}

/// The twin of the kernels in plain tensor operations: any device, differentiable.
///
/// Six convolutions and no concatenation of features: `[x, y]` never exists, since
/// `W_r * [x, y] = W_r,x * x + W_r,y * y`; the four gates of the pair are one product with x and one
/// with y, over stacked weights.
pub fn convflu_pair_plain(
    x: Tensor<4>,
    y: Tensor<4>,
    to_x: &UnitWeights,
    to_y: &UnitWeights,
    sense: GateSense,
    keep_gates: bool,
) -> PairOutput {
    let [_, c, _, _] = x.dims();
    let pad = to_x.u.dims()[2] / 2;
    let conv = |input: &Tensor<4>, weight: Tensor<4>| {
        let options = ConvOptions::new([1, 1], [pad, pad], [1, 1], 1);
        conv2d(input.clone(), weight, None, options)
    };
    let own = |weight: &Tensor<4>| weight.clone().narrow(1, 0, c);
    let other = |weight: &Tensor<4>| weight.clone().narrow(1, c, c);

    let from_x = Tensor::cat(
        vec![
            own(&to_x.w_r),
            own(&to_x.w_z),
            other(&to_y.w_r),
            other(&to_y.w_z),
        ],
        0,
    ); // [4C, C, k, k]
    let from_y = Tensor::cat(
        vec![
            other(&to_x.w_r),
            other(&to_x.w_z),
            own(&to_y.w_r),
            own(&to_y.w_z),
        ],
        0,
    ); // [4C, C, k, k]
    let gates = sigmoid(conv(&x, from_x) + conv(&y, from_y)); // [batch, 4C, height, width]
    let gate = |i: usize| gates.clone().narrow(1, i * c, c); // [batch, C, height, width]

    let receive = |x: Tensor<4>, y: Tensor<4>, weights: &UnitWeights, gates: &Gates| {
        let leaked = gates.r.clone() * y;
        let h = (conv(&x, weights.u.clone()) + conv(&leaked, weights.w.clone())).tanh();
        let z = gates.z.clone();
        match sense {
            GateSense::ZTakesCandidate => (h - x.clone()) * z + x,
            GateSense::ZKeepsInput => (x - h.clone()) * z + h,
        }
    };
    let gates_x = Gates {
        r: gate(0),
        z: gate(1),
    };
    let gates_y = Gates {
        r: gate(2),
        z: gate(3),
    };
    PairOutput {
        x: receive(x.clone(), y.clone(), to_x, &gates_x),
        y: receive(y, x, to_y, &gates_y),
        gates: keep_gates.then_some((gates_x, gates_y)),
    }
}
