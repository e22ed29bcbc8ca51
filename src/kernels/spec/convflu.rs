//! The ConvFLU pair: its weights, its gates, and which of the two gate conventions it follows.

use burn::tensor::Tensor;

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

impl UnitWeights {
    /// Side of the square kernels.
    pub(in crate::kernels) fn side(&self) -> usize {
        self.u.dims()[2]
    }
}

/// What z weighs: the candidate h or the branch's own features x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GateConvention {
    /// x' = (1 - z) . x + z . h: the paper, and the 2020 edition.
    ZTakesCandidate,
    /// x' = z . x + (1 - z) . h: the authors' 2021 release.
    ZKeepsInput,
}

#[cfg(all(test, feature = "gpu"))]
impl GateConvention {
    pub(in crate::kernels) const ALL: [Self; 2] = [Self::ZTakesCandidate, Self::ZKeepsInput];
}

/// What a pair computes, beside the tensors' shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvFluSpec {
    /// Side of the square kernels: 1 or 3.
    pub side: usize,
    /// What z weighs.
    pub convention: GateConvention,
}

#[cfg(all(test, feature = "gpu"))]
impl ConvFluSpec {
    pub(in crate::kernels) fn all() -> impl Iterator<Item = Self> {
        let of = |side| GateConvention::ALL.map(|convention| Self { side, convention });
        [1, 3].into_iter().flat_map(of)
    }
}

/// The gates of one direction, each `[batch, C, height, width]`, values in (0, 1).
#[derive(Debug, Clone)]
pub struct Gates {
    /// What leaks in from the other branch.
    pub r: Tensor<4>,
    /// How much of the candidate (or of the input) is taken; see [`GateConvention`].
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
