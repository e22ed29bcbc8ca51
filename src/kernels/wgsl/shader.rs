//! One launch of a WGSL kernel through cubecl, and the tensors that it writes.

use std::cell::RefCell;
use std::fmt::Debug;
use std::hash::Hash;

use burn::backend::wgpu::{CubeDim, CubeTensor, KernelSource, SourceKernel, SourceTemplate};
use burn::cubecl::CubeCount;
use burn::cubecl::prelude::KernelId;
use burn::cubecl::server::{Handle, KernelArguments, MetadataBindingInfo};
use burn::tensor::Shape;
use bytemuck::Pod;

use crate::kernels::launches::count_launches;

/// How a shader declares the buffers that it only reads.
///
/// Natively cubecl serves several tensors from one buffer, and a buffer that is written in a
/// dispatch may not be bound as read-only in it. In a page each tensor has its own buffer.
const READ: &str = if cfg!(target_family = "wasm") {
    "read"
} else {
    "read_write"
};

/// Bytes of which a uniform is a multiple.
const UNIFORM_BYTES: usize = 16;

thread_local! {
    /// The buffers that were handed out while [`keeping_buffers`].
    static KEPT: RefCell<Option<Vec<Handle>>> = const { RefCell::new(None) };
}

/// A shader in one of its variants.
pub trait Shader: Copy + Debug + Eq + Hash + Send + Sync + 'static {
    /// The uniform: the shader's struct of this name, field by field.
    type Sizes: Pod;

    /// Threads of a workgroup.
    fn threads(self) -> usize;

    /// The WGSL, whose buffers have no binding numbers; `threads` and `read` are filled in here.
    fn source(self) -> SourceTemplate;

    /// Those that the launches choose, over the shapes that tell them apart; may name one twice.
    #[cfg(test)]
    fn variants() -> Vec<Self>;
}

/// A shader as cubecl compiles it.
struct Kernel<S>(S);

impl<S: Shader> KernelSource for Kernel<S> {
    fn source(&self) -> SourceTemplate {
        let Self(shader) = *self;
        SourceTemplate::new(wgsl(shader, READ))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<S>().info(self.0)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// The whole WGSL of a shader; `read` is how it declares the buffers that it only reads.
pub fn wgsl<S: Shader>(shader: S, read: &str) -> String {
    let template = shader.source();
    let source = template
        .register("threads", shader.threads().to_string())
        .register("read", read)
        .complete();
    with_bindings(&source)
}

/// The WGSL with its buffers and its uniform bound in the order in which they are declared.
fn with_bindings(source: &str) -> String {
    let mut declared = 0;
    let bound = |line: &str| {
        if !line.starts_with("var<storage") && !line.starts_with("var<uniform") {
            return format!("{line}\n");
        }
        declared += 1;
        format!("@group(0) @binding({}) {line}\n", declared - 1)
    };
    source.lines().map(bound).collect()
}

/// Nothing where a line of a shader is wanted, else what makes it a comment.
pub fn if_wanted(wanted: bool) -> &'static str {
    if wanted { "" } else { "//" }
}

/// What `run` gives, none of whose buffers were used twice.
pub fn keeping_buffers<T>(run: impl FnOnce() -> T) -> T {
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

/// Launches `shader` in so many workgroups over whole tensors of one device, in the order in which
/// the shader declares them.
pub fn launch<S: Shader>(shader: S, groups: [usize; 3], tensors: &[&CubeTensor], sizes: S::Sizes) {
    let [x, y, z] = u32s(groups);
    let bindings = tensors.iter().map(|tensor| tensor.handle.clone().binding());
    let arguments = KernelArguments::new()
        .with_buffers(bindings.collect())
        .with_info(uniform(&sizes));
    let [threads] = u32s([shader.threads()]);
    tensors[0].client.launch(
        Box::new(SourceKernel::new(Kernel(shader), CubeDim::new_1d(threads))),
        CubeCount::Static(x, y, z),
        arguments,
    );
    count_launches(1);
}

/// The bytes of a struct in the words in which cubecl passes a uniform.
fn uniform<T: Pod>(sizes: &T) -> MetadataBindingInfo {
    let bytes = bytemuck::bytes_of(sizes);
    let mut words = vec![0u64; bytes.len().next_multiple_of(UNIFORM_BYTES) / size_of::<u64>()];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
    MetadataBindingInfo::custom(words)
}

/// Counts as a shader has them; [`fits_buffer`](crate::kernels::spec::fits_buffer) keeps them far below
/// the end of u32.
pub fn u32s<const N: usize>(counts: [usize; N]) -> [u32; N] {
    counts.map(|count| count as u32)
}

/// Batch, channels, height, width.
pub fn dims(tensor: &CubeTensor) -> [usize; 4] {
    let shape = tensor.meta.shape();
    [shape[0], shape[1], shape[2], shape[3]]
}

/// A tensor of the same device and type, not filled.
pub fn empty<const D: usize>(like: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    let numbers: usize = shape.iter().product();
    let buffer = like.client.empty(numbers * size_of::<f32>());
    KEPT.with_borrow_mut(|kept| {
        if let Some(kept) = kept {
            kept.push(buffer.clone());
        }
    });
    CubeTensor::new_contiguous(
        like.client.clone(),
        like.device.clone(),
        Shape::new(shape),
        buffer,
        like.dtype,
    )
}
