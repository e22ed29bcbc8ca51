//! The wgpu adapter of the tests, for one of them at a time.

#[cfg(feature = "gpu")]
pub use adapter::gpu;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One test at a time in a process, so that launches can be counted; it needs no adapter.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(feature = "gpu")]
mod adapter {
    use std::sync::{MutexGuard, OnceLock};

    use burn::tensor::Device;

    use super::turn;

    /// The default adapter, a GPU or Mesa's lavapipe, until it is dropped: launches can be counted.
    pub struct Gpu {
        pub device: Device,
        pub _turn: MutexGuard<'static, ()>,
    }

    /// Waits for the test before.
    pub fn gpu() -> Gpu {
        static DEVICE: OnceLock<Device> = OnceLock::new();
        let turn = turn();
        let device = DEVICE.get_or_init(|| {
            Device::wgpu_options().init().unwrap_or_else(|error| {
                panic!(
                    "no wgpu adapter ({error}): these tests need one; on a machine without a GPU install \
                     Mesa's software Vulkan: apt-get install mesa-vulkan-drivers"
                )
            })
        });
        Gpu {
            device: device.clone(),
            _turn: turn,
        }
    }
}
