//! From Burn's tensors to the kernels of a step: the extension of the backend that launches them.

use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::{CubeBackend, CubeTensor, into_contiguous};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::conv_step::{self, ConvStep, StepSpec};
use super::launch::{MAX_GROUPS, dims, dispatch_over, empty, fits, u32s};
use super::map_norm::{self, After, MapNorm};
use super::step::Activation;

/// A step as an operation of the backends that run its kernels.
#[backend_extension(Cube, Flex)]
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
}

/// Whether the step's buffers and its dispatch are within WebGPU's defaults.
pub(super) fn can_run(x: &Tensor<4>, spec: StepSpec) -> bool {
    let [batch, channels, height, width] = x.dims();
    let map = spec.taps.output(height) * spec.taps.output(width);
    let [input, output] = [channels * height * width, spec.outputs * map].map(|n| batch * n);
    let weights = (spec.inputs * spec.taps.count() + 1) * spec.outputs.next_multiple_of(4);
    input > 0
        && output > 0
        && spec.inputs <= channels
        && fits(input.max(output).max(weights))
        && [batch, spec.outputs, map]
            .iter()
            .all(|count| *count <= MAX_GROUPS)
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
    let [batch, outputs, height, width] = dims(&map);
    let out = if spec.pool {
        empty(&map, [batch, outputs, height / 2, width / 2])
    } else {
        empty(&map, dims(&map))
    };
    norm(&map, shortcut, &out, spec);
    out
}

/// The convolution; what comes after an instance norm is left to [`norm`].
pub(super) fn convolution(
    x: CubeTensor,
    weights: CubeTensor,
    shortcut: Option<CubeTensor>,
    mut spec: StepSpec,
) -> CubeTensor {
    if spec.instance {
        spec.activation = Activation::None;
        spec.pool = false;
    }
    let [batch, x_channels, height, width] = dims(&x);
    let map = [
        batch,
        spec.outputs,
        spec.taps.output(height),
        spec.taps.output(width),
    ];
    let kernel = ConvStep::new(spec, shortcut.is_some(), map);
    let [_, outputs, out_height, out_width] = map;
    let out = if spec.pool {
        empty(&x, [batch, outputs, out_height / 2, out_width / 2])
    } else {
        empty(&x, map)
    };
    let weights = into_contiguous(weights);
    let mut buffers = vec![&x, &weights, &out];
    buffers.extend(&shortcut);
    let [batch, inputs, height, width] = u32s([batch, spec.inputs, height, width]);
    let [outputs, out_width, x_channels] = u32s([outputs, out_width, x_channels]);
    let sizes = conv_step::Sizes {
        batch,
        inputs,
        height,
        width,
        outputs,
        slope: spec.activation.slope(),
        out_width,
        x_channels,
    };
    dispatch_over(kernel, kernel.groups(map), &buffers, sizes);
    out
}

/// Instance norm of a convolution's map, shortcut, activation and max-pool, into the first channels
/// of `out`.
pub(super) fn norm(
    map: &CubeTensor,
    shortcut: Option<CubeTensor>,
    out: &CubeTensor,
    spec: StepSpec,
) {
    let [_, channels, height, width] = dims(map);
    let after = if shortcut.is_some() {
        After::Shortcut
    } else {
        After::Nothing
    };
    let kernel = MapNorm::new([height, width], after, spec.activation, spec.pool);
    let place = MapPlace {
        channels,
        ..MapPlace::default()
    };
    map_norm(kernel, map, shortcut.iter().collect(), out, place);
}

/// Which channels an instance norm reads and writes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MapPlace {
    pub channels: usize,
    /// The first one in x.
    pub x_first: usize,
    /// The first one in the output.
    pub first: usize,
    /// Numbers of a target, with a style.
    pub classes: usize,
}

/// One launch of shaders/map_norm.wgsl; `beside` is what its variant binds after x and out.
pub(super) fn map_norm(
    kernel: MapNorm,
    x: &CubeTensor,
    beside: Vec<&CubeTensor>,
    out: &CubeTensor,
    place: MapPlace,
) {
    let [x_batch, x_channels, height, width] = dims(x);
    let [batch, out_channels, ..] = dims(out);
    let pixels = kernel.pixels(height * width);
    let x_stride = if x_batch == batch {
        x_channels * pixels
    } else {
        0
    };
    let mut buffers = vec![x, out];
    buffers.extend(beside);
    let groups = [place.channels, batch, 1];
    let [pixels, row, x_stride] = u32s([pixels, kernel.pixels(width), x_stride]);
    let [channels, x_first, first] = u32s([place.channels, place.x_first, place.first]);
    let [out_channels, classes] = u32s([out_channels, place.classes]);
    let sizes = map_norm::Sizes {
        channels,
        pixels,
        x_stride,
        x_first,
        first,
        out_channels,
        row,
        classes,
    };
    dispatch_over(kernel, groups, &buffers, sizes);
}
