//! Launches shaders/convflu_grad_sums.wgsl: the gradients of a direction's weights, from their splits.

use burn::backend::wgpu::SourceTemplate;
use bytemuck::{Pod, Zeroable};

use crate::kernels::wgsl::shader::Shader;

/// Threads of a workgroup.
const THREADS: usize = 128;

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sizes {
    pub channels: u32,
    pub taps: u32,
    pub splits: u32,
}

/// The kernel; it has no variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvFluGradSums;

impl ConvFluGradSums {
    /// For so many quads of sums.
    pub fn groups(self, quads: usize) -> [usize; 3] {
        [quads.div_ceil(THREADS), 1, 1]
    }
}

impl Shader for ConvFluGradSums {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        THREADS
    }

    fn source(self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../../../shaders/convflu_grad_sums.wgsl"))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        vec![Self]
    }
}
