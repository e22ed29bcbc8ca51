//! The steps on the CPU, where there is no WebGPU: what the WGSL kernels do, in Rust on four
//! numbers at a time (simd128 in the page).
//!
//! Burn's own convolution writes every window of the map out for a matrix product; here a tile of
//! sums stays in registers while the taps pass over the map ([`tile`]).

pub(super) mod box_mean;
mod convolution;
mod depthwise;
pub(super) mod flu;
pub(super) mod pack;
mod planes;
pub(super) mod separable;
mod step;
mod style;
mod tile;
