//! The kernels in WGSL, on wgpu: one file a shader, which says in which variant it is launched, over
//! how many workgroups and with what uniform. `shader.rs` has the one launch, `check.rs` the test that
//! validates every variant.

#[cfg(test)]
mod check;
mod concat;
mod conv;
mod convflu;
mod graph;
mod head;
mod instance_norm;
mod linear;
mod shader;
mod style;
mod tiling;

#[cfg(feature = "native")]
pub use convflu::train as train_convflu;
pub use convflu::{can_run as can_run_convflu, prepare as convflu_weights};
pub use graph::{CapturedGraph, GraphError};
