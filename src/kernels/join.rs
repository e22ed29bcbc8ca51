//! Launches shaders/join.wgsl: two maps side by side on the channels.

use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::{CubeBackend, CubeTensor, SourceTemplate, into_contiguous};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

use super::launch::{MAX_GROUPS, Shader, dims, dispatch_over, empty, fits, u32s};
use super::route::Route;

/// Threads of a workgroup.
const THREADS: usize = 64;

/// a, then b on the channels.
///
/// Each is `[1 or batch, channels, height, width]`; one image is repeated for the whole batch.
pub fn join(a: Tensor<4>, b: Tensor<4>) -> Tensor<4> {
    let [a_batch, a_channels, height, width] = a.dims();
    let [b_batch, b_channels, ..] = b.dims();
    let batch = a_batch.max(b_batch);
    let numbers = (a_channels + b_channels) * height * width;
    let runs = [&a, &b].iter().all(|x| Route::of(x) == Route::Wgsl)
        && a.dims()[2..] == b.dims()[2..]
        && [a_batch, b_batch].iter().all(|n| *n == 1 || *n == batch)
        && numbers > 0
        && fits(batch * numbers)
        && [batch, numbers.div_ceil(THREADS)]
            .iter()
            .all(|groups| *groups <= MAX_GROUPS);
    if runs {
        return Tensor::from_dispatch(Dispatch::join(a.into_dispatch(), b.into_dispatch()));
    }
    join_plain(a, b)
}

/// The twin of [`join`] in plain tensor operations: any device, differentiable.
pub fn join_plain(a: Tensor<4>, b: Tensor<4>) -> Tensor<4> {
    let batch = a.dims()[0].max(b.dims()[0]);
    let repeated = |x: Tensor<4>| match x.dims()[0] {
        1 if batch > 1 => x.repeat_dim(0, batch),
        _ => x,
    };
    Tensor::cat(vec![repeated(a), repeated(b)], 1)
}

/// The operation of the backends that run the kernel.
#[backend_extension(Cube)]
pub trait JoinBackend: Backend {
    /// See [`join`].
    fn join(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl JoinBackend for CubeBackend {
    fn join(a: CubeTensor, b: CubeTensor) -> CubeTensor {
        let (a, b) = (into_contiguous(a), into_contiguous(b));
        let [a_batch, a_channels, height, width] = dims(&a);
        let [b_batch, b_channels, ..] = dims(&b);
        let batch = a_batch.max(b_batch);
        let [a_numbers, b_numbers] = [a_channels, b_channels].map(|c| c * height * width);
        let stride = |images: usize, numbers: usize| if images == batch { numbers } else { 0 };
        let out = empty(&a, [batch, a_channels + b_channels, height, width]);
        let groups = [(a_numbers + b_numbers).div_ceil(THREADS), batch, 1];
        let strides = [stride(a_batch, a_numbers), stride(b_batch, b_numbers)];
        let [a_stride, b_stride] = u32s(strides);
        let [a_numbers, b_numbers] = u32s([a_numbers, b_numbers]);
        let sizes = Sizes {
            a_numbers,
            b_numbers,
            a_stride,
            b_stride,
        };
        dispatch_over(JoinKernel, groups, &[&a, &b, &out], sizes);
        out
    }
}

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Sizes {
    a_numbers: u32,
    b_numbers: u32,
    a_stride: u32,
    b_stride: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct JoinKernel;

impl Shader for JoinKernel {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        THREADS
    }

    fn source(self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../shaders/join.wgsl"))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        vec![Self]
    }
}
