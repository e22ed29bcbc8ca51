//! One launch of a WGSL kernel through cubecl, and the tensors that it writes.

use std::cell::RefCell;

use burn::backend::wgpu::{CubeDim, CubeTensor, KernelSource, SourceKernel};
use burn::cubecl::CubeCount;
use burn::cubecl::client::Client;
use burn::cubecl::server::{Handle, KernelArguments, MetadataBindingInfo};
use burn::tensor::Shape;

use super::count_launches;

thread_local! {
    /// The buffers that were handed out while [`keeping_buffers`].
    static KEPT: RefCell<Option<Vec<Handle>>> = const { RefCell::new(None) };
}

/// A buffer for so many f32, not filled.
pub(super) fn buffer(client: &Client, numbers: usize) -> Handle {
    let buffer = client.empty(numbers * size_of::<f32>());
    KEPT.with_borrow_mut(|kept| {
        if let Some(kept) = kept {
            kept.push(buffer.clone());
        }
    });
    buffer
}

/// What `run` gives, none of whose buffers were used twice.
pub(super) fn keeping_buffers<T>(run: impl FnOnce() -> T) -> T {
    struct Keeping;
    impl Drop for Keeping {
        fn drop(&mut self) {
            KEPT.set(None);
        }
    }
    KEPT.set(Some(Vec::new()));
    let _keeping = Keeping;
    run()
}

/// Launches `kernel` on the device of `on`, in `groups` of so many threads: the buffers in the order
/// of their bindings, and after them the sizes (an even number of u32) as a uniform.
pub(super) fn dispatch(
    on: &CubeTensor,
    kernel: impl KernelSource,
    threads: usize,
    groups: [usize; 3],
    buffers: Vec<Handle>,
    sizes: &[usize],
) {
    let [x, y, z] = groups.map(|count| count as u32);
    let arguments = KernelArguments::new()
        .with_buffers(buffers.into_iter().map(Handle::binding).collect())
        .with_info(uniform(sizes));
    on.client.launch(
        Box::new(SourceKernel::new(kernel, CubeDim::new_1d(threads as u32))),
        CubeCount::Static(x, y, z),
        arguments,
    );
    count_launches(1);
}

/// Pairs of u32 in the words in which cubecl passes a kernel's sizes.
fn uniform(sizes: &[usize]) -> MetadataBindingInfo {
    let pairs = sizes.chunks_exact(2);
    let words = pairs.map(|pair| pair[0] as u64 | (pair[1] as u64) << 32);
    MetadataBindingInfo::custom(words.collect())
}

/// [`dispatch`] of whole tensors.
pub(super) fn dispatch_over(
    kernel: impl KernelSource,
    threads: usize,
    groups: [usize; 3],
    tensors: &[&CubeTensor],
    sizes: &[usize],
) {
    let buffers = tensors.iter().map(|tensor| tensor.handle.clone()).collect();
    dispatch(tensors[0], kernel, threads, groups, buffers, sizes);
}

/// Batch, channels, height, width.
pub(super) fn dims(tensor: &CubeTensor) -> [usize; 4] {
    let shape = tensor.meta.shape();
    [shape[0], shape[1], shape[2], shape[3]]
}

/// A tensor of the same device and type, not filled.
pub(super) fn empty<const D: usize>(like: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    let buffer = buffer(&like.client, shape.iter().product());
    tensor_in(buffer, like, shape)
}

/// A tensor of the same device and type that lies in `buffer`.
pub(super) fn tensor_in<const D: usize>(
    buffer: Handle,
    like: &CubeTensor,
    shape: [usize; D],
) -> CubeTensor {
    CubeTensor::new_contiguous(
        like.client.clone(),
        like.device.clone(),
        Shape::new(shape),
        buffer,
        like.dtype,
    )
}
