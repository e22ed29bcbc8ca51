//! Launches shaders/linear.wgsl: a linear layer over the means of maps.

use burn::backend::wgpu::{CubeBackend, CubeTensor, SourceTemplate, into_contiguous};
use bytemuck::{Pod, Zeroable};

use super::shader::{Shader, dims, empty, launch, u32s};
use crate::kernels::backend::LinearBackend;

/// Threads of a workgroup.
const THREADS: usize = 64;

impl LinearBackend for CubeBackend {
    fn linear(x: CubeTensor, weights: CubeTensor, outputs: usize, slope: f32) -> CubeTensor {
        let (x, weights) = (into_contiguous(x), into_contiguous(weights));
        let [batch, inputs, height, width] = dims(&x);
        let out = empty(&x, [batch, outputs]);
        let groups = [outputs, batch, 1];
        let [inputs, map, outputs] = u32s([inputs, height * width, outputs]);
        let sizes = Sizes {
            inputs,
            map,
            outputs,
            slope,
        };
        launch(Linear, groups, &[&x, &weights, &out], sizes);
        out
    }
}

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sizes {
    inputs: u32,
    map: u32,
    outputs: u32,
    slope: f32,
}

/// The kernel; it has no variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Linear;

impl Shader for Linear {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        THREADS
    }

    fn source(self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../../shaders/linear.wgsl"))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        vec![Self]
    }
}
