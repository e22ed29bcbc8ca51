//! ConvFLU, the Convolutional Feature Leaky Unit (figure 2 of the paper): what one branch takes
//! from the other.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};

use super::block::conv;
use crate::kernels::{self, GateConvention, Gates, PairOutput, PreparedPair, UnitWeights};

/// Weights of one direction: the branch that receives (x) reads the other one (y).
#[derive(Module, Debug)]
pub struct ConvFlu {
    w_r: Conv2d,
    w_z: Conv2d,
    u: Conv2d,
    w: Conv2d,
}

impl ConvFlu {
    /// A unit for maps of `channels`, with a square kernel of 1 or 3.
    pub fn new(channels: usize, kernel: usize, device: &Device) -> Self {
        Self {
            w_r: conv(2 * channels, channels, kernel, false, device),
            w_z: conv(2 * channels, channels, kernel, false, device),
            u: conv(channels, channels, kernel, false, device),
            w: conv(channels, channels, kernel, false, device),
        }
    }

    fn weights(&self) -> UnitWeights {
        UnitWeights {
            w_r: self.w_r.weight.val(),
            w_z: self.w_z.weight.val(),
            u: self.u.weight.val(),
            w: self.w.weight.val(),
        }
    }
}

/// Gates of one pair: which features each branch let in.
#[derive(Debug, Clone)]
pub struct PairGates {
    /// FER receives.
    pub fer: Gates,
    /// FES receives.
    pub fes: Gates,
}

/// The weights of several pairs, laid out once for the kernels of `device`.
pub fn prepare_pairs(to_fer: &[ConvFlu], to_fes: &[ConvFlu], device: &Device) -> Vec<PreparedPair> {
    to_fer
        .iter()
        .zip(to_fes)
        .map(|(fer, fes)| PreparedPair::on_device(&fer.weights(), &fes.weights(), device))
        .collect()
}

/// One pair of units: both directions, and their prepared weights where the network is frozen.
pub struct Pair<'a> {
    /// FER receives.
    pub to_fer: &'a ConvFlu,
    /// FES receives.
    pub to_fes: &'a ConvFlu,
    /// The same weights, laid out for the kernels.
    pub prepared: Option<&'a PreparedPair>,
}

/// Exchanges features between the branches, both directions at once.
///
/// Both read the features as they were before the pair. Shapes: `[batch, channels, height, width]`.
pub fn exchange(
    fer: Tensor<4>,
    fes: Tensor<4>,
    pair: &Pair<'_>,
    convention: GateConvention,
    keep_gates: bool,
) -> (Tensor<4>, Tensor<4>, Option<PairGates>) {
    let PairOutput { x, y, gates } = match pair.prepared {
        Some(prepared) => kernels::convflu_prepared(fer, fes, prepared, convention, keep_gates),
        None => kernels::convflu(
            fer,
            fes,
            &pair.to_fer.weights(),
            &pair.to_fes.weights(),
            convention,
            keep_gates,
        ),
    };
    (x, y, gates.map(|(fer, fes)| PairGates { fer, fes }))
}
