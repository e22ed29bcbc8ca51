//! The kernels on the CPU, where there is no WebGPU: what the WGSL kernels do, in Rust on four
//! numbers at a time (simd128 in the page), as operations of Burn's CPU backend.
//!
//! Burn's own convolution writes every window of the map out for a matrix product; here a tile of
//! sums stays in registers while the taps pass over the map (`simd.rs`).

mod box_mean;
mod chain;
mod chain_rows;
mod chain_weights;
mod conv;
mod conv_tiles;
mod conv_weights;
mod convflu;
mod maps;
mod simd;
mod style;
mod tensor;
mod vector;

pub use chain::PreparedChain;
pub use chain_weights::LayerWeights;
pub use conv_weights::prepare as conv_weights;
pub use convflu::{can_run as can_run_convflu, prepare as convflu_weights};
