//! The network's operations: kernels of our own on Burn's tensors, in WGSL and for the CPU, each
//! beside a reference implementation in plain tensor operations.
//!
//! Start in `ops/`, one file an operation: its public function, its reference implementation, and
//! which route computes it where. Below, an operation keeps its name: `ops/linear.rs` is launched by
//! `wgsl/linear.rs` with `shaders/linear.wgsl`, `ops/style.rs` runs on the CPU by `cpu/style.rs`; the
//! operations of several shaders, conv and convflu, have folders in `wgsl/`. Each of these uses only
//! those above it, and `ops/` uses them all:
//!
//! - `spec/`: what an operation is asked to compute, and WebGPU's limits.
//! - `options.rs`, `route.rs`: what a caller may choose of a run; what computes an operation on a device.
//! - `prepared.rs`: weights that are laid out once for the kernels of a device.
//! - `backend.rs`: the operations as extensions of Burn's backends, which these implement:
//! - `wgsl/`: the kernels of `shaders/`, and a whole run of them as a [`CapturedGraph`] (with the feature
//!   `gpu`; `without_gpu.rs` stands in for the graph).
//! - `cpu/`: the kernels for Burn's CPU backend, where there is no WebGPU.
//! - `torch/`: groups of PyTorch's operations, each trained as one (with the feature `tch`).
//!
//! In training, all other devices run the reference implementations, but for the ConvFLU pair: on
//! wgpu it has backward kernels too (`wgsl/convflu/`).

#[cfg_attr(
    not(feature = "gpu"),
    expect(
        unused_variables,
        reason = "of operations that only wgpu has kernels for"
    )
)]
mod backend;
mod cpu;
mod launches;
mod ops;
mod options;
mod prepared;
mod route;
mod spec;
#[cfg(feature = "tch")]
mod torch;
#[cfg(feature = "gpu")]
mod wgsl;
#[cfg(not(feature = "gpu"))]
mod without_gpu;

pub use launches::launches;
pub use ops::{
    Chain, ChainLayer, Layer, LinearLayer, PreparedPair, Slope, box_mean, box_mean_reference,
    chain, chain_reference, concat, concat_reference, convflu, convflu_prepared, convflu_reference,
    fused_conv, fused_conv_beside_style, fused_conv_pooled, fused_conv_reference, head,
    head_reference, instance_norm, linear, linear_reference, max_pool, resample, style,
    style_reference, warp,
};
pub use options::{RunOptions, TrainingPrecision};
pub use prepared::Prepared;
pub use route::kernels_available;
pub use spec::{
    Activation, Change, Convolution, FLOW_SCALE, GateConvention, Gates, HeadKind, LEAKY_SLOPE,
    NORM_EPSILON, Norm, PairOutput, SHADE_SCALE, SHADE_SIDE, UnitWeights,
};
#[cfg(feature = "gpu")]
pub use wgsl::{CapturedGraph, GraphError};
#[cfg(not(feature = "gpu"))]
pub use without_gpu::{CapturedGraph, GraphError};
