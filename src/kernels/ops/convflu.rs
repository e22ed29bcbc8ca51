//! The ConvFLU pair: both branches take from each other, both directions at once.
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
//!
//! WGSL: `wgsl/convflu/`, with backward kernels. CPU: `cpu/convflu.rs`. LibTorch: trained as one group.

use burn::backend::Dispatch;
use burn::tensor::activation::sigmoid;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Device, Tensor};

use crate::kernels::backend::ConvFluBackend;
use crate::kernels::cpu;
use crate::kernels::route::Route;
use crate::kernels::spec::{ConvFluSpec, GateConvention, Gates, PairOutput, UnitWeights};
#[cfg(feature = "tch")]
use crate::kernels::torch;
#[cfg(feature = "gpu")]
use crate::kernels::wgsl;

/// The weights of both directions of a pair, laid out once for many calls of [`convflu_prepared`].
#[derive(Debug, Clone)]
pub struct PreparedPair {
    to_x: UnitWeights,
    to_y: UnitWeights,
    /// As the kernels of a route read them; none where there are none.
    laid_out: Option<(Route, Tensor<1>)>,
}

impl PreparedPair {
    /// Lays the weights out for the kernels of their device, WGSL's or the CPU's; where there are none,
    /// keeps them as they are.
    pub fn new(to_x: &UnitWeights, to_y: &UnitWeights) -> Self {
        Self::on_device(to_x, to_y, &to_x.u.device())
    }

    /// [`new`](Self::new) for maps on another device than the weights.
    ///
    /// About a dozen small copies where the weights lie, as many numbers as they hold (a third more
    /// for two passes).
    pub fn on_device(to_x: &UnitWeights, to_y: &UnitWeights, device: &Device) -> Self {
        let is_fit = to_x.u.dtype() == DType::F32 && matches!(to_x.side(), 1 | 3);
        let laid_out = match Route::on(device) {
            #[cfg(feature = "gpu")]
            route @ Route::Wgsl if is_fit => {
                Some((route, wgsl::convflu_weights(to_x, to_y).to_device(device)))
            }
            route @ Route::Cpu if is_fit => {
                Some((route, cpu::convflu_weights(to_x, to_y).to_device(device)))
            }
            _ => None,
        };
        Self {
            to_x: to_x.clone(),
            to_y: to_y.clone(),
            laid_out,
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
}

/// Both directions of a ConvFLU pair over x and y, each `[batch, C, height, width]`.
///
/// Takes the WGSL kernels where they can run, in training their backward kernels too (unless the gates
/// are kept), else [`convflu_reference`]. The weights are laid out anew at each call: where they do not
/// change, keep a [`PreparedPair`] and call [`convflu_prepared`].
pub fn convflu(
    x: Tensor<4>,
    y: Tensor<4>,
    to_x: &UnitWeights,
    to_y: &UnitWeights,
    convention: GateConvention,
    keep_gates: bool,
) -> PairOutput {
    match Route::of(&x) {
        #[cfg(feature = "gpu")]
        Route::Wgsl if wgsl::can_run_convflu(&x, &y, to_x.side()) => {
            let pair = PreparedPair::new(to_x, to_y);
            convflu_prepared(x, y, &pair, convention, keep_gates)
        }
        #[cfg(all(feature = "native", feature = "gpu"))]
        Route::WgslAutodiff if !keep_gates && wgsl::can_run_convflu(&x, &y, to_x.side()) => {
            wgsl::train_convflu(x, y, to_x, to_y, convention)
        }
        #[cfg(feature = "tch")]
        Route::Torch if !keep_gates => torch::convflu(x, y, to_x, to_y, convention),
        _ => convflu_reference(x, y, to_x, to_y, convention, keep_gates),
    }
}

/// [`convflu`] with weights that were prepared before.
pub fn convflu_prepared(
    x: Tensor<4>,
    y: Tensor<4>,
    pair: &PreparedPair,
    convention: GateConvention,
    keep_gates: bool,
) -> PairOutput {
    let side = pair.to_x.side();
    let can_run = |route| match route {
        #[cfg(feature = "gpu")]
        Route::Wgsl => wgsl::can_run_convflu(&x, &y, side),
        Route::Cpu => cpu::can_run_convflu(&x, &y, pair.to_x.u.dims()[0]),
        _ => false,
    };
    match &pair.laid_out {
        Some((route, weights)) if *route == Route::of(&x) && can_run(*route) => {
            let spec = ConvFluSpec { side, convention };
            run(x, y, weights.clone(), spec, keep_gates)
        }
        _ => convflu_reference(x, y, &pair.to_x, &pair.to_y, convention, keep_gates),
    }
}

fn run(
    x: Tensor<4>,
    y: Tensor<4>,
    weights: Tensor<1>,
    spec: ConvFluSpec,
    keep_gates: bool,
) -> PairOutput {
    let shape = x.dims();
    let (x, y, weights) = (
        x.into_dispatch(),
        y.into_dispatch(),
        weights.into_dispatch(),
    );
    if !keep_gates {
        let (x, y) = Dispatch::convflu(x, y, weights, spec);
        return PairOutput {
            x: Tensor::from_dispatch(x),
            y: Tensor::from_dispatch(y),
            gates: None,
        };
    }
    let (x, y, gates) = Dispatch::convflu_with_gates(x, y, weights, spec);
    let gates = Tensor::<5>::from_dispatch(gates); // [4, batch, C, height, width]
    let gate = |i: usize| gates.clone().narrow(0, i, 1).reshape(shape);
    PairOutput {
        x: Tensor::from_dispatch(x),
        y: Tensor::from_dispatch(y),
        gates: Some(pair_of(gate)),
    }
}

/// The gates of both directions from the four of a pair, in the order of the kernels: r and z into x, r and z into y.
fn pair_of(gate: impl Fn(usize) -> Tensor<4>) -> (Gates, Gates) {
    let unit = |first: usize| Gates {
        r: gate(first),
        z: gate(first + 1),
    };
    (unit(0), unit(2))
}

/// The reference implementation of [`convflu`]: any device, differentiable.
///
/// Six convolutions and no concatenation of features: `[x, y]` never exists, since
/// `W_r * [x, y] = W_r,x * x + W_r,y * y`; the four gates of the pair are one product with x and one
/// with y, over stacked weights.
pub fn convflu_reference(
    x: Tensor<4>,
    y: Tensor<4>,
    to_x: &UnitWeights,
    to_y: &UnitWeights,
    convention: GateConvention,
    keep_gates: bool,
) -> PairOutput {
    let [_, c, _, _] = x.dims();
    let pad = to_x.side() / 2;
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
        match convention {
            GateConvention::ZTakesCandidate => (h - x.clone()) * z + x,
            GateConvention::ZKeepsInput => (x - h.clone()) * z + h,
        }
    };
    let (gates_x, gates_y) = pair_of(gate);
    PairOutput {
        x: receive(x.clone(), y.clone(), to_x, &gates_x),
        y: receive(y, x, to_y, &gates_y),
        gates: keep_gates.then_some((gates_x, gates_y)),
    }
}
