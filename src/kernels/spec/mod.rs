//! What the operations are asked to compute, without the tensors that they compute it on; and what
//! WebGPU grants on every adapter.

mod chain;
mod conv;
mod convflu;
mod head;
mod limits;

pub use chain::Window;
pub use conv::{Activation, ConvKind, ConvSpec, Convolution, LEAKY_SLOPE, NORM_EPSILON, Norm};
pub use convflu::{ConvFluSpec, GateConvention, Gates, PairOutput, UnitWeights};
pub use head::{Change, FLOW_SCALE, HeadKind, SHADE_SCALE, SHADE_SIDE};
#[cfg(all(feature = "native", feature = "gpu"))]
pub(super) use limits::MAX_BUFFER_BYTES;
#[cfg(feature = "gpu")]
pub(super) use limits::{ELEMENT_THREADS, WORKGROUP_BYTES};
pub(super) use limits::{MAX_GROUPS, fits_buffer, fits_dispatch};
