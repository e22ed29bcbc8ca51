//! Which way an operation takes: the one place that tells devices apart.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device, Tensor};

#[cfg(feature = "tch")]
use super::torch;

/// What computes an operation, where it can; [`Plain`](Self::Plain) everywhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// The WGSL kernels: a wgpu device whose compiler is WGSL (not SPIR-V or MSL).
    Wgsl,
    /// The WGSL kernels with their backward kernels: autodiff over such a device.
    #[cfg(feature = "native")]
    TrainedWgsl,
    /// The kernels of `cpu/`: Burn's flex.
    Cpu,
    /// Groups of PyTorch's operations: autodiff over LibTorch.
    #[cfg(feature = "tch")]
    Torch,
    /// Plain tensor operations.
    Plain,
}

impl Route {
    /// Of an operation over x.
    pub(super) fn of<const D: usize>(x: &Tensor<D>) -> Self {
        let kernels_may = !PLAIN_ONLY.load(Ordering::Relaxed) && x.dtype() == DType::F32;
        match Self::on(&x.device()) {
            #[cfg(feature = "tch")]
            Self::Torch => Self::Torch,
            route if kernels_may => route,
            _ => Self::Plain,
        }
    }

    /// What `device` has, whatever the tensors: for weights that are prepared once.
    ///
    /// Opens the device. In a page it has to be initialised before.
    pub(super) fn on(device: &Device) -> Self {
        match device.as_dispatch() {
            DispatchDevice::Cube(device) if device.client().name() == "wgpu<wgsl>" => Self::Wgsl,
            DispatchDevice::Flex(_) => Self::Cpu,
            #[cfg(feature = "tch")]
            _ if torch::available(device) => Self::Torch,
            #[cfg(feature = "native")]
            DispatchDevice::Autodiff(_) => match Self::on(&device.clone().inner()) {
                Self::Wgsl => Self::TrainedWgsl,
                _ => Self::Plain,
            },
            _ => Self::Plain,
        }
    }

    /// Whether the steps of the network have kernels on it.
    pub(super) fn has_steps(self) -> bool {
        matches!(self, Self::Wgsl | Self::Cpu)
    }
}

/// Whether tensors on `device` go through the WGSL kernels: a wgpu device whose compiler is WGSL
/// (not SPIR-V or MSL), without autodiff (where [`convflu_pair`](super::convflu_pair) alone has
/// kernels).
///
/// Opens the device. In a page it has to be initialised before.
pub fn kernels_available(device: &Device) -> bool {
    Route::on(device) == Route::Wgsl
}

static PLAIN_ONLY: AtomicBool = AtomicBool::new(false);

/// Leaves the kernels out from now on in this process: a bench compares them with plain tensors.
pub fn set_plain_only(plain_only: bool) {
    PLAIN_ONLY.store(plain_only, Ordering::Relaxed);
}
