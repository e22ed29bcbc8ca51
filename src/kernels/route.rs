//! What computes an operation: the one place that tells devices apart.

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device, Tensor};

use super::options::{RunOptions, TrainingPrecision};

/// What computes an operation that it can run; where it cannot, [`Reference`](Self::Reference) does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The WGSL kernels: a wgpu device whose compiler is WGSL (not SPIR-V or MSL). Without the
    /// feature `gpu` there is none.
    Wgsl,
    /// The WGSL kernels with their backward kernels: autodiff over such a device.
    #[cfg(feature = "native")]
    WgslAutodiff,
    /// The kernels of `cpu/`: Burn's flex.
    Cpu,
    /// Groups of PyTorch's operations: autodiff over LibTorch.
    #[cfg(feature = "tch")]
    Torch,
    /// The reference implementation, in plain tensor operations.
    Reference,
}

impl Route {
    /// Of an operation over x.
    pub fn of<const D: usize>(x: &Tensor<D>) -> Self {
        if RunOptions::current().reference_only {
            return Self::Reference;
        }
        match Self::on(&x.device()) {
            #[cfg(feature = "tch")]
            Self::Torch => Self::Torch,
            route if x.dtype() == DType::F32 => route,
            _ => Self::Reference,
        }
    }

    /// Of an operation over both maps.
    pub fn of_both(a: &Tensor<4>, b: &Tensor<4>) -> Self {
        let route = Self::of(a);
        if Self::of(b) == route {
            route
        } else {
            Self::Reference
        }
    }

    /// What `device` has, whatever the tensors: for weights that are prepared once.
    ///
    /// Opens the device. In a page it has to be initialised before.
    pub fn on(device: &Device) -> Self {
        match device.as_dispatch() {
            #[cfg(feature = "gpu")]
            DispatchDevice::Cube(device) if device.client().name() == "wgpu<wgsl>" => Self::Wgsl,
            DispatchDevice::Flex(_) => Self::Cpu,
            #[cfg(feature = "tch")]
            DispatchDevice::Autodiff(device)
                if matches!(device.clone().inner(), DispatchDevice::LibTorch(_)) =>
            {
                Self::Torch
            }
            #[cfg(feature = "native")]
            DispatchDevice::Autodiff(_) => match Self::on(&device.clone().inner()) {
                Self::Wgsl => Self::WgslAutodiff,
                _ => Self::Reference,
            },
            #[allow(
                unreachable_patterns,
                reason = "the page's small program has no other device"
            )]
            _ => Self::Reference,
        }
    }
}

/// Whether tensors on `device` go through the WGSL kernels: a wgpu device whose compiler is WGSL
/// (not SPIR-V or MSL), without autodiff (where [`convflu`](super::convflu()) alone has kernels).
///
/// Opens the device. In a page it has to be initialised before.
pub fn kernels_available(device: &Device) -> bool {
    Route::on(device) == Route::Wgsl
}

impl TrainingPrecision {
    /// Whether what is trained on `device` can be computed in it.
    pub fn is_available(self, device: &Device) -> bool {
        #[cfg(feature = "tch")]
        let has_half = Route::on(&device.clone().autodiff()) == Route::Torch;
        #[cfg(not(feature = "tch"))]
        let has_half = {
            let _ = device;
            false
        };
        self == Self::Full || has_half
    }
}
