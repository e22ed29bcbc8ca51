//! Our own kernels on Burn's tensors, in WGSL and for the CPU, each with a twin in plain tensor
//! operations.
//!
//! One name a stage: `shaders/convflu_1x1.wgsl` is launched by `convflu_1x1.rs`, and so on. A kernel
//! is taken where it can run (`route.rs` says where); everywhere else the twin does the same work,
//! and in training too, but for the ConvFLU pair.
//!
//! A step of the network ([`conv_step`](conv_step())): one kernel for the convolution (3x3, 1x1,
//! transposed) with folded BatchNorm, shortcut, activation and max-pool; `map_norm` after it where
//! the norm is an instance norm, and for the style transform ([`style`](style())). Between the steps:
//! [`linear`](linear()) over the means of maps, and [`join`](join()) of two maps on the channels; at
//! the end [`redraw`](redraw()), which for the CPU is plain but for [`box_mean`](box_mean()). On LibTorch a step, and a ConvFLU pair, is trained as one group of
//! PyTorch's operations (`torch.rs`, with the feature `tch`), whose twin is the plain step.
//!
//! A whole run of launches is recorded and replayed as a [`Plan`].
//!
//! Where there is no WebGPU, Burn's CPU backend runs the same steps, the pairs and the face
//! detector's blocks (in the page, [`Separable`]) by the kernels in `cpu/`; their twins are the same.
//!
//! ConvFLU pair: `convflu_1x1` does all of it in one pass when the kernels are 1x1 and the channels
//! fit; `convflu_gates` and the candidate of `tile_product` do it in two passes otherwise. On an
//! autodiff device over wgpu each direction is a node of the graph (`convflu_autodiff.rs`), with
//! backward kernels of its own: `convflu_grad_launch` says which. Their twin is the plain pair's graph.

mod box_mean;
mod conv_step;
mod convflu;
mod convflu_1x1;
#[cfg(feature = "native")]
mod convflu_autodiff;
mod convflu_gates;
#[cfg(feature = "native")]
mod convflu_grad_launch;
#[cfg(feature = "native")]
mod convflu_grad_outputs;
#[cfg(feature = "native")]
mod convflu_grad_sums;
#[cfg(feature = "native")]
mod convflu_grad_weights;
mod convflu_launch;
mod convflu_weights;
mod cpu;
mod join;
mod launch;
mod linear;
mod map_norm;
mod plan;
mod precision;
mod redraw;
mod route;
#[cfg(test)]
mod shader_check;
mod step;
mod step_launch;
mod step_weights;
mod style;
mod tile_product;
#[cfg(feature = "tch")]
mod torch;

pub use box_mean::{box_mean, box_mean_plain};
pub use convflu::{
    GateSense, Gates, PairOutput, UnitWeights, convflu_pair, convflu_pair_packed,
    convflu_pair_plain,
};
pub use convflu_weights::PackedPair;
pub use cpu::separable::Separable;
pub use join::{join, join_plain};
pub use launch::launches;
pub use linear::{LinearLayer, linear, linear_plain};
pub use plan::{Plan, PlanError};
pub use precision::{TrainingPrecision, set_training_precision, training_precision};
pub use redraw::{RedrawKind, redraw};
pub use route::{kernels_available, set_plain_only};
pub use step::{
    Activation, Convolution, LEAKY_SLOPE, Layer, NORM_EPSILON, Norm, conv_step, conv_step_plain,
    conv_step_pooled, instance_norm, max_pool, resample,
};
pub use step_weights::PackedStep;
pub use style::{conv_step_beside_style, style, style_plain};
