//! Launches shaders/convflu_grad_inputs.wgsl: the gradients through U, W_z and W_r to both branches.

use burn::backend::wgpu::{KernelSource, SourceTemplate};
use burn::cubecl::prelude::KernelId;

use super::tile_product::TileProduct;

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ConvFluGradInputs(pub(super) TileProduct);

impl ConvFluGradInputs {
    /// The variant for square kernels of `side` over maps of this width.
    pub(super) fn new(side: usize, channels: usize, width: usize) -> Self {
        Self(TileProduct::new(side, channels, width, 2))
    }
}

impl KernelSource for ConvFluGradInputs {
    fn source(&self) -> SourceTemplate {
        self.0
            .source(include_str!("../../shaders/convflu_grad_inputs.wgsl"))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(*self)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}
