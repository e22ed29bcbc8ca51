//! Our own kernels on Burn's tensors, in WGSL and for the CPU, each with a twin in plain tensor
//! operations.
//!
//! One name a stage: `shaders/convflu_1x1.wgsl` is launched by `convflu_1x1.rs`, and so on. A kernel
//! is taken where it can run (see [`kernels_available`]); everywhere else the twin does the same work,
//! and in training too, but for the ConvFLU pair.
//!
//! A step of the network ([`conv_step`](conv_step())): one kernel for the convolution (3x3, 1x1,
//! transposed) with folded BatchNorm, shortcut, activation and max-pool; [`map_norm`] after it where
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
//! ConvFLU pair: [`convflu_1x1`] does all of it in one pass when the kernels are 1x1 and the channels
//! fit; [`convflu_gates`] and the candidate of [`tile_product`] do it in two passes otherwise. On an autodiff
//! device over wgpu each direction is a node of the graph (`convflu_autodiff.rs`), with backward
//! kernels of its own: [`convflu_grad_launch`] says which. Their twin is the plain pair's graph.

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
mod redraw;
mod step;
mod step_launch;
mod step_weights;
mod style;
mod tile_product;
#[cfg(feature = "tch")]
mod torch;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use burn::backend::DispatchDevice;
use burn::tensor::Device;

pub use box_mean::{box_mean, box_mean_plain};
pub use convflu::{
    GateSense, Gates, PairOutput, UnitWeights, convflu_pair, convflu_pair_packed,
    convflu_pair_plain,
};
pub use convflu_weights::PackedPair;
pub use cpu::separable::Separable;
pub use join::{join, join_plain};
pub use linear::{LinearLayer, linear, linear_plain};
pub use plan::{Plan, PlanError};
pub use redraw::{Redraw, RedrawKind, redraw};
pub use step::{
    Activation, Convolution, LEAKY_SLOPE, Layer, NORM_EPSILON, Norm, conv_step, conv_step_plain,
    conv_step_pooled, instance_norm, max_pool, resample,
};
pub use step_weights::PackedStep;
pub use style::{conv_step_beside_style, style, style_plain};

/// Workgroup memory that every WebGPU adapter grants, in bytes.
const WORKGROUP_BYTES: usize = 16 * 1024;
/// Workgroups that every WebGPU adapter grants along one axis of a dispatch.
const MAX_GROUPS: usize = 65_535;
/// Largest storage buffer that every WebGPU adapter binds, in bytes.
const MAX_BUFFER_BYTES: usize = 128 * 1024 * 1024;

static LAUNCHES: AtomicUsize = AtomicUsize::new(0);

/// Whether tensors on `device` go through the WGSL kernels: a wgpu device whose compiler is WGSL
/// (not SPIR-V or MSL), without autodiff (where [`convflu_pair`] alone has kernels).
///
/// Opens the device. In a page it has to be initialised before.
pub fn kernels_available(device: &Device) -> bool {
    match device.as_dispatch() {
        DispatchDevice::Cube(device) => device.client().name() == "wgpu<wgsl>",
        _ => false,
    }
}

/// How many kernels, in WGSL or on the CPU, this process has launched or replayed: tells a test or a
/// bench which path was taken.
pub fn launches() -> usize {
    LAUNCHES.load(Ordering::Relaxed)
}

static PLAIN_ONLY: AtomicBool = AtomicBool::new(false);

/// Leaves the kernels out from now on in this process: a bench compares them with plain tensors.
pub fn set_plain_only(plain_only: bool) {
    PLAIN_ONLY.store(plain_only, Ordering::Relaxed);
}

fn plain_only() -> bool {
    PLAIN_ONLY.load(Ordering::Relaxed)
}

fn count_launches(more: usize) {
    LAUNCHES.fetch_add(more, Ordering::Relaxed);
}

/// Numbers that the convolutions of a training run are computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrainingPrecision {
    /// f32.
    Full,
    /// bf16 products with f32 sums; weights, norms and losses stay f32. LibTorch only.
    Half,
}

static HALF_PRECISION: AtomicBool = AtomicBool::new(false);

impl TrainingPrecision {
    /// Whether what is trained on `device` can be computed in it.
    pub fn is_available(self, device: &Device) -> bool {
        #[cfg(feature = "tch")]
        let has_half = torch::available(&device.clone().autodiff());
        #[cfg(not(feature = "tch"))]
        let has_half = {
            let _ = device;
            false
        };
        self == Self::Full || has_half
    }
}

/// Sets the precision of what is trained from now on in this process.
pub fn set_training_precision(precision: TrainingPrecision) {
    HALF_PRECISION.store(precision == TrainingPrecision::Half, Ordering::Relaxed);
}

/// The precision that was set; full unless it was.
pub fn training_precision() -> TrainingPrecision {
    if HALF_PRECISION.load(Ordering::Relaxed) {
        TrainingPrecision::Half
    } else {
        TrainingPrecision::Full
    }
}
