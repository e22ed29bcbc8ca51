//! The decoder's heads that change the input face.

use burn::tensor::Tensor;

/// Scale from the last convolution's flow channels to units of the face's width: small, so that an
/// untrained network hardly moves anything.
pub const FLOW_SCALE: f64 = 0.05;

/// Scale of a blend head's shading: small, so that an untrained network hardly shades anything.
pub const SHADE_SCALE: f64 = 0.1;

/// Side of the square over which a blend head's shading is averaged, in pixels: wide, so that it
/// cannot make edges.
pub const SHADE_SIDE: usize = 9;

/// What the last convolution's channels mean; see [`Head`](crate::network::Head).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeadKind {
    /// (d, a).
    Residual,
    /// (d, a, u, v).
    Warp,
    /// (c, a, u, v, s).
    Blend,
}

impl HeadKind {
    /// Whether the input is re-sampled along a flow.
    pub(in crate::kernels) fn has_flow(self) -> bool {
        self != Self::Residual
    }

    /// Whether the input is taken away where the mask is.
    pub(in crate::kernels) fn covers(self) -> bool {
        self == Self::Blend
    }

    /// Channels of the last convolution for a face of k channels.
    pub(in crate::kernels) fn channels(self, k: usize) -> usize {
        match self {
            Self::Residual => k + 1,
            Self::Warp => k + 3,
            Self::Blend => 2 * k + 3,
        }
    }
}

/// The change that a head makes to the input face.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is added to the (re-sampled) input, `[batch, k, height, width]`: sigmoid(a) . d, or of a
    /// blend head (1 - m) . smooth(s) + m . c.
    pub delta: Tensor<4>,
    /// sigmoid(a), `[batch, 1, height, width]`: where the input may change; of a blend head the cavity
    /// map m, where it is covered.
    pub mask: Tensor<4>,
    /// Warp and blend heads: where each pixel comes from, relative to itself,
    /// `[batch, 2, height, width]` (x then y) in units of the face's width.
    pub flow: Option<Tensor<4>>,
    /// Whether the input is taken away where the mask is: face = (1 - mask) . moved + delta.
    pub covers: bool,
}
