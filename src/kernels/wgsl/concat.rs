//! Launches shaders/concat.wgsl: two maps one after the other on the channels.

use burn::backend::wgpu::{CubeBackend, CubeTensor, SourceTemplate, into_contiguous};
use bytemuck::{Pod, Zeroable};

use super::shader::{Shader, dims, empty, launch, u32s};
use super::tiling::element_groups;
use crate::kernels::backend::ConcatBackend;
use crate::kernels::spec::ELEMENT_THREADS;

impl ConcatBackend for CubeBackend {
    fn concat(a: CubeTensor, b: CubeTensor) -> CubeTensor {
        let (a, b) = (into_contiguous(a), into_contiguous(b));
        let [a_batch, a_channels, height, width] = dims(&a);
        let [b_batch, b_channels, ..] = dims(&b);
        let batch = a_batch.max(b_batch);
        let [a_numbers, b_numbers] = [a_channels, b_channels].map(|c| c * height * width);
        let stride = |images: usize, numbers: usize| if images == batch { numbers } else { 0 };
        let out = empty(&a, [batch, a_channels + b_channels, height, width]);
        let groups = element_groups(a_numbers + b_numbers, batch);
        let strides = [stride(a_batch, a_numbers), stride(b_batch, b_numbers)];
        let [a_stride, b_stride] = u32s(strides);
        let [a_numbers, b_numbers] = u32s([a_numbers, b_numbers]);
        let sizes = Sizes {
            a_numbers,
            b_numbers,
            a_stride,
            b_stride,
        };
        launch(Concat, groups, &[&a, &b, &out], sizes);
        out
    }
}

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sizes {
    a_numbers: u32,
    b_numbers: u32,
    a_stride: u32,
    b_stride: u32,
}

/// The kernel; it has no variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Concat;

impl Shader for Concat {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        ELEMENT_THREADS
    }

    fn source(self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../../shaders/concat.wgsl"))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        vec![Self]
    }
}
