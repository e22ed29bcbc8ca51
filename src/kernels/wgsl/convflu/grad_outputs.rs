//! Launches shaders/convflu_grad_outputs.wgsl: the gradient through the mix, tanh and the sigmoid of z.

use burn::backend::wgpu::SourceTemplate;
use bytemuck::{Pod, Zeroable};

use crate::kernels::spec::GateConvention;
use crate::kernels::wgsl::shader::Shader;

/// Threads of a workgroup.
const THREADS: usize = 256;

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sizes {
    pub numbers: u32,
    pub z: u32,
}

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvFluGradOutputs {
    convention: GateConvention,
    /// Numbers of a thread: 4 or 1.
    lanes: usize,
}

impl ConvFluGradOutputs {
    /// The variant for maps of so many numbers.
    pub fn new(convention: GateConvention, numbers: usize) -> Self {
        let lanes = if numbers.is_multiple_of(4) { 4 } else { 1 };
        Self { convention, lanes }
    }

    pub fn lanes(self) -> usize {
        self.lanes
    }

    pub fn groups(self, numbers: usize) -> [usize; 3] {
        [numbers.div_ceil(self.lanes * THREADS), 1, 1]
    }
}

impl Shader for ConvFluGradOutputs {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        THREADS
    }

    fn source(self) -> SourceTemplate {
        let element = if self.lanes == 4 { "vec4<f32>" } else { "f32" };
        let (share, rest, sign) = match self.convention {
            GateConvention::ZTakesCandidate => ("z", "1.0 - z", ""),
            GateConvention::ZKeepsInput => ("1.0 - z", "z", "-"),
        };
        SourceTemplate::new(include_str!(
            "../../../../shaders/convflu_grad_outputs.wgsl"
        ))
        .register("element", element)
        .register("share", share)
        .register("rest", rest)
        .register("sign", sign)
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        let of = |convention| [4, 5].map(|numbers| Self::new(convention, numbers));
        GateConvention::ALL.map(of).concat()
    }
}
