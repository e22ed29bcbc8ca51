//! The devices that have kernels of ours, and what a fused convolution launches on each.

use std::sync::MutexGuard;

use burn::tensor::Device;
use fersnet::kernels::launches;

use super::{Case, NormKind, TOLERANCE, difference};
use crate::gpu::turn;

/// Whose kernels run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Path {
    /// Those of `shaders/`, on the default wgpu adapter.
    #[cfg(feature = "gpu")]
    Wgpu,
    /// Those of `src/kernels/cpu/`.
    Cpu,
}

/// One of the paths, for one test at a time.
pub struct Route {
    pub path: Path,
    pub device: Device,
    _turn: MutexGuard<'static, ()>,
}

impl Route {
    #[cfg(feature = "gpu")]
    pub fn wgpu() -> Self {
        let gpu = crate::gpu::gpu();
        Self {
            path: Path::Wgpu,
            device: gpu.device,
            _turn: gpu._turn,
        }
    }

    /// Works where there is no adapter.
    pub fn cpu() -> Self {
        Self {
            path: Path::Cpu,
            device: Device::flex(),
            _turn: turn(),
        }
    }

    /// How many launches a fused convolution takes: on wgpu an instance norm is a second kernel.
    pub fn launches_of(&self, norm: NormKind) -> usize {
        match (self.path, norm) {
            #[cfg(feature = "gpu")]
            (Path::Wgpu, NormKind::Instance) => 2,
            _ => 1,
        }
    }

    /// What `work` gives; it has to launch so many kernels of ours.
    #[track_caller]
    pub fn launching<T>(&self, expected: usize, what: &str, work: impl FnOnce() -> T) -> T {
        let before = launches();
        let result = work();
        let launched = launches() - before;
        assert_eq!(
            launched, expected,
            "{:?}, {what}: the kernels' launches",
            self.path
        );
        result
    }

    /// Every case by this path's kernels, beside its reference on the CPU.
    #[track_caller]
    pub fn check(&self, cases: Vec<Case>) {
        let mut worst = 0f32;
        for case in &cases {
            let what = format!("{case:?}");
            let expected = self.launches_of(case.norm);
            let kernel = self.launching(expected, &what, || case.run(&self.device, false));
            let apart = difference(kernel, case.run(&Device::flex(), true));
            assert!(
                apart <= TOLERANCE,
                "{:?}, {what}: {apart:e} apart",
                self.path
            );
            worst = worst.max(apart);
        }
        assert!(!cases.is_empty());
        println!(
            "{:?}, {} fused convolutions: largest difference {worst:e}",
            self.path,
            cases.len()
        );
    }
}
