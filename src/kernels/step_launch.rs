//! From Burn's tensors to the kernels of a step: the extension of the backend that launches them.

use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::{
    CubeBackend, CubeDim, CubeTensor, KernelSource, SourceKernel, into_contiguous,
};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::cubecl::CubeCount;
use burn::cubecl::server::{Handle, KernelArguments, MetadataBindingInfo};
use burn::tensor::{DType, Shape, Tensor};

use super::conv_step::{ConvStep, StepSpec};
use super::map_norm::{After, MapNorm};
use super::step::Activation;
use super::{MAX_BUFFER_BYTES, MAX_GROUPS, count_launch, kernels_available, plain_only};

/// A step as an operation of the backends that run its kernels.
#[backend_extension(Cube)]
pub trait StepBackend: Backend {
    /// x `[batch, inputs, height, width]` through the step.
    fn step(x: FloatTensor<Self>, weights: FloatTensor<Self>, spec: StepSpec) -> FloatTensor<Self>;

    /// The same with a shortcut of the shape that the step has before its max-pool.
    fn step_with_shortcut(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        shortcut: FloatTensor<Self>,
        spec: StepSpec,
    ) -> FloatTensor<Self>;

    /// Instance norm of f `[1 or targets, channels, height, width]`, times gamma, plus beta:
    /// affine `[targets, 2 * channels]`.
    fn style(f: FloatTensor<Self>, affine: FloatTensor<Self>) -> FloatTensor<Self>;

    /// A step with instance norm, and the styled skip after it on the channels.
    fn step_beside_style(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        affine: FloatTensor<Self>,
        spec: StepSpec,
    ) -> FloatTensor<Self>;
}

impl StepBackend for CubeBackend {
    fn step(x: CubeTensor, weights: CubeTensor, spec: StepSpec) -> CubeTensor {
        step(x, weights, None, spec)
    }

    fn step_with_shortcut(
        x: CubeTensor,
        weights: CubeTensor,
        shortcut: CubeTensor,
        spec: StepSpec,
    ) -> CubeTensor {
        step(x, weights, Some(into_contiguous(shortcut)), spec)
    }

    fn style(f: CubeTensor, affine: CubeTensor) -> CubeTensor {
        let f = into_contiguous(f);
        let [_, channels, height, width] = dims(&f);
        let targets = affine.meta.shape()[0];
        let out = empty(&f, [targets, channels, height, width]);
        styled(&f, affine, &out, 0);
        out
    }

    fn step_beside_style(
        x: CubeTensor,
        weights: CubeTensor,
        skip: CubeTensor,
        affine: CubeTensor,
        spec: StepSpec,
    ) -> CubeTensor {
        let map = convolution(into_contiguous(x), weights, None, spec);
        let skip = into_contiguous(skip);
        let [batch, outputs, height, width] = dims(&map);
        let out = empty(&map, [batch, outputs + dims(&skip)[1], height, width]);
        norm(&map, None, &out, spec.activation);
        styled(&skip, affine, &out, outputs);
        out
    }
}

/// Whether the kernels can run at all over x.
pub(super) fn available(x: &Tensor<4>) -> bool {
    !plain_only() && x.dtype() == DType::F32 && kernels_available(&x.device())
}

/// Whether the step's buffers and its dispatch are within WebGPU's defaults.
pub(super) fn can_run(x: &Tensor<4>, spec: StepSpec) -> bool {
    let [batch, inputs, height, width] = x.dims();
    let map = spec.taps.output(height) * spec.taps.output(width);
    let [input, output] = [inputs * height * width, spec.outputs * map].map(|n| batch * n);
    let weights = (inputs * spec.taps.count() + 1) * spec.outputs.next_multiple_of(4);
    input > 0
        && output > 0
        && fits(input.max(output).max(weights))
        && [batch, spec.outputs, map]
            .iter()
            .all(|count| *count <= MAX_GROUPS)
}

/// Whether a buffer of so many numbers can be bound on every adapter.
fn fits(numbers: usize) -> bool {
    numbers * size_of::<f32>() <= MAX_BUFFER_BYTES
}

/// Whether the style kernel can run over f for so many targets.
pub(super) fn can_style(f: &Tensor<4>, targets: usize) -> bool {
    let [batch, channels, height, width] = f.dims();
    let numbers = targets * channels * height * width;
    available(f)
        && (batch == 1 || batch == targets)
        && numbers > 0
        && fits(numbers)
        && [targets, channels].iter().all(|count| *count <= MAX_GROUPS)
}

/// Runs a step that [`can_run`] allows.
pub(super) fn run(
    x: Tensor<4>,
    weights: Tensor<1>,
    shortcut: Option<Tensor<4>>,
    spec: StepSpec,
) -> Tensor<4> {
    let (x, weights) = (x.into_dispatch(), weights.into_dispatch());
    Tensor::from_dispatch(match shortcut {
        Some(shortcut) => Dispatch::step_with_shortcut(x, weights, shortcut.into_dispatch(), spec),
        None => Dispatch::step(x, weights, spec),
    })
}

/// Runs a style that [`can_style`] allows.
pub(super) fn style(f: Tensor<4>, affine: Tensor<2>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::style(f.into_dispatch(), affine.into_dispatch()))
}

/// Runs a step with instance norm and a style beside it.
pub(super) fn run_beside_style(
    x: Tensor<4>,
    weights: Tensor<1>,
    skip: Tensor<4>,
    affine: Tensor<2>,
    spec: StepSpec,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::step_beside_style(
        x.into_dispatch(),
        weights.into_dispatch(),
        skip.into_dispatch(),
        affine.into_dispatch(),
        spec,
    ))
}

fn step(
    x: CubeTensor,
    weights: CubeTensor,
    shortcut: Option<CubeTensor>,
    spec: StepSpec,
) -> CubeTensor {
    let x = into_contiguous(x);
    if !spec.instance {
        return convolution(x, weights, shortcut, spec);
    }
    let map = convolution(x, weights, None, spec);
    let out = empty(&map, dims(&map));
    norm(&map, shortcut, &out, spec.activation);
    out
}

/// The convolution; what comes after an instance norm is left to [`norm`].
fn convolution(
    x: CubeTensor,
    weights: CubeTensor,
    shortcut: Option<CubeTensor>,
    mut spec: StepSpec,
) -> CubeTensor {
    if spec.instance {
        spec.activation = Activation::None;
    }
    let [batch, inputs, height, width] = dims(&x);
    let map = [
        batch,
        spec.outputs,
        spec.taps.output(height),
        spec.taps.output(width),
    ];
    let kernel = ConvStep::new(spec, shortcut.is_some(), inputs, map);
    let [_, outputs, out_height, out_width] = map;
    let out = if spec.pool {
        empty(&x, [batch, outputs, out_height / 2, out_width / 2])
    } else {
        empty(&x, map)
    };
    let weights = into_contiguous(weights);
    let mut buffers = vec![&x, &weights, &out];
    buffers.extend(&shortcut);
    let sizes = [
        batch,
        inputs,
        height,
        width,
        outputs,
        out_height,
        out_width,
        kernel.tiles_x(out_width),
    ];
    dispatch(
        kernel,
        kernel.threads(),
        kernel.groups(map),
        &buffers,
        sizes,
    );
    out
}

/// Instance norm of a convolution's map, shortcut and activation, into the first channels of `out`.
fn norm(map: &CubeTensor, shortcut: Option<CubeTensor>, out: &CubeTensor, activation: Activation) {
    let after = if shortcut.is_some() {
        After::Shortcut
    } else {
        After::Nothing
    };
    map_norm(map, shortcut, after, out, 0, activation);
}

/// The styled f into the channels of `out` from `first` on.
fn styled(f: &CubeTensor, affine: CubeTensor, out: &CubeTensor, first: usize) {
    let affine = Some(into_contiguous(affine));
    map_norm(f, affine, After::Affine, out, first, Activation::None);
}

fn map_norm(
    x: &CubeTensor,
    beside: Option<CubeTensor>,
    after: After,
    out: &CubeTensor,
    first: usize,
    activation: Activation,
) {
    let [x_batch, channels, height, width] = dims(x);
    let [batch, out_channels, ..] = dims(out);
    let kernel = MapNorm::new(height * width, after, activation);
    let pixels = kernel.pixels(height * width);
    let x_stride = if x_batch == batch {
        channels * pixels
    } else {
        0
    };
    let mut buffers = vec![x, out];
    buffers.extend(&beside);
    let sizes = [channels, pixels, x_stride, first, out_channels, 0, 0, 0];
    dispatch(
        kernel,
        kernel.threads(),
        [channels, batch, 1],
        &buffers,
        sizes,
    );
}

fn dispatch(
    kernel: impl KernelSource,
    threads: usize,
    groups: [usize; 3],
    tensors: &[&CubeTensor],
    sizes: [usize; 8],
) {
    let [x, y, z] = groups.map(|count| count as u32);
    let buffers: Vec<Handle> = tensors.iter().map(|tensor| tensor.handle.clone()).collect();
    let arguments = KernelArguments::new()
        .with_buffers(buffers.into_iter().map(Handle::binding).collect())
        .with_info(uniform(sizes));
    tensors[0].client.launch(
        Box::new(SourceKernel::new(kernel, CubeDim::new_1d(threads as u32))),
        CubeCount::Static(x, y, z),
        arguments,
    );
    count_launch();
}

/// Eight u32 in the words in which cubecl passes a kernel's sizes (bound last, as a uniform).
fn uniform(sizes: [usize; 8]) -> MetadataBindingInfo {
    let words = sizes.chunks_exact(2);
    let words = words.map(|pair| pair[0] as u64 | (pair[1] as u64) << 32);
    MetadataBindingInfo::custom(words.collect())
}

fn dims(tensor: &CubeTensor) -> [usize; 4] {
    let shape = tensor.meta.shape();
    [shape[0], shape[1], shape[2], shape[3]]
}

/// A tensor of the same device and type, not filled.
fn empty(like: &CubeTensor, shape: [usize; 4]) -> CubeTensor {
    let numbers: usize = shape.iter().product();
    CubeTensor::new_contiguous(
        like.client.clone(),
        like.device.clone(),
        Shape::new(shape),
        like.client.empty(numbers * size_of::<f32>()),
        like.dtype,
    )
}
