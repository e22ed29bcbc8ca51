//! Launches shaders/convflu_grad_sums.wgsl: the gradients of a direction's weights, from their splits.

use burn::backend::wgpu::{KernelSource, SourceTemplate};
use burn::cubecl::prelude::KernelId;

use super::READ;

/// Threads of a workgroup.
const THREADS: usize = 128;

/// The kernel; it has no variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ConvFluGradSums;

impl ConvFluGradSums {
    pub(super) fn threads(self) -> usize {
        THREADS
    }

    /// For so many quads of sums.
    pub(super) fn groups(self, quads: usize) -> [usize; 3] {
        [quads.div_ceil(THREADS), 1, 1]
    }
}

impl KernelSource for ConvFluGradSums {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../shaders/convflu_grad_sums.wgsl"))
            .register("threads", THREADS.to_string())
            .register("read", READ)
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>()
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}
