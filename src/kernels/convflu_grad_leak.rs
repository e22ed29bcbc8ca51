//! Launches shaders/convflu_grad_leak.wgsl: the gradient through W to r and to the branch that is read.

use burn::backend::wgpu::{KernelSource, SourceTemplate};
use burn::cubecl::prelude::KernelId;

use super::tile_product::TileProduct;

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ConvFluGradLeak(pub(super) TileProduct);

impl ConvFluGradLeak {
    /// The variant for square kernels of `side` over maps of this width.
    pub(super) fn new(side: usize, channels: usize, width: usize) -> Self {
        Self(TileProduct::new(side, channels, width, 1))
    }
}

impl KernelSource for ConvFluGradLeak {
    fn source(&self) -> SourceTemplate {
        self.0
            .source(include_str!("../../shaders/convflu_grad_leak.wgsl"))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(*self)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}
