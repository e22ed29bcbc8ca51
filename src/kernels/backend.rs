//! The operations that have kernels, as extensions of Burn's backends: `Cube` is wgpu, whose kernels are
//! in `wgsl/` (with the feature `gpu`), `Flex` is Burn's CPU backend, whose kernels are in `cpu/`.
//!
//! Weights come as `ops/` has prepared them for the backend. Shapes are `[batch, channels, height,
//! width]` unless they are told.

use std::ops::Range;
use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};

use super::cpu::PreparedChain;
use super::spec::{ConvFluSpec, ConvSpec, HeadKind};

/// The fused convolution.
#[backend_extension(Cube: cfg(feature = "gpu"), Flex)]
pub trait ConvBackend: Backend {
    /// x through the convolution and what follows it.
    fn fused_conv(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        spec: ConvSpec,
    ) -> FloatTensor<Self>;

    /// The same with a shortcut of the shape that the map has before its max-pool.
    fn fused_conv_with_shortcut(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        shortcut: FloatTensor<Self>,
        spec: ConvSpec,
    ) -> FloatTensor<Self>;
}

/// The style transform.
#[backend_extension(Cube: cfg(feature = "gpu"), Flex)]
pub trait StyleBackend: Backend {
    /// Instance norm of the last `channels` of f, times gamma, plus beta: p `[targets, E]` through the
    /// prepared linear layer.
    fn style(
        f: FloatTensor<Self>,
        p: FloatTensor<Self>,
        linear: FloatTensor<Self>,
        channels: usize,
    ) -> FloatTensor<Self>;

    /// A fused convolution with instance norm, and the styled skip after it on the channels.
    fn fused_conv_beside_style(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        p: FloatTensor<Self>,
        linear: FloatTensor<Self>,
        spec: ConvSpec,
        channels: usize,
    ) -> FloatTensor<Self>;
}

/// The ConvFLU pair.
#[backend_extension(Cube: cfg(feature = "gpu"), Flex)]
pub trait ConvFluBackend: Backend {
    /// x and y after the pair.
    fn convflu(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        spec: ConvFluSpec,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// x and y after the pair, and the gates r_x, z_x, r_y, z_y: `[4, batch, channels, height, width]`.
    fn convflu_with_gates(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        spec: ConvFluSpec,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// A linear layer over the means of maps.
#[backend_extension(Cube: cfg(feature = "gpu"))]
pub trait LinearBackend: Backend {
    /// x to `[batch, outputs]`; slope: of the activation below 0.
    fn linear(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        outputs: usize,
        slope: f32,
    ) -> FloatTensor<Self>;
}

/// Two maps one after the other on the channels.
#[backend_extension(Cube: cfg(feature = "gpu"))]
pub trait ConcatBackend: Backend {
    /// a, then b; one image of either is repeated for the whole batch.
    fn concat(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The decoder's heads.
#[backend_extension(Cube: cfg(feature = "gpu"))]
pub trait HeadBackend: Backend {
    /// Face, delta and mask of a residual head.
    fn head(
        x: FloatTensor<Self>,
        last: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// Face, delta, mask and flow of a head that has a flow.
    fn head_with_flow(
        x: FloatTensor<Self>,
        last: FloatTensor<Self>,
        kind: HeadKind,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    );
}

/// The mean over a square around every pixel.
#[backend_extension(Flex)]
pub trait BoxMeanBackend: Backend {
    /// x of the same shape, over a square of an odd side.
    fn box_mean(x: FloatTensor<Self>, side: usize) -> FloatTensor<Self>;
}

/// The chains of the face detector.
#[backend_extension(Flex)]
pub trait ChainBackend: Backend {
    /// x through some of a chain's layers.
    fn chain(
        x: FloatTensor<Self>,
        layers: Arc<PreparedChain>,
        part: Range<usize>,
    ) -> FloatTensor<Self>;
}
