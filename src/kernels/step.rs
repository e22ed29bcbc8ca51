//! A convolution with what follows it: norm, shortcut, activation. The blocks of both editions are
//! made of such steps, so that a device with something better than separate passes has one place
//! to say so.

use burn::nn::BatchNorm;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::{
    GridSampleOptions, GridSamplePaddingMode, InterpolateMode, MaxPoolOptions,
};
use burn::tensor::{Device, Tensor, activation};

use super::conv_step::StepSpec;
use super::route::Route;
use super::step_launch;
use super::step_weights::{self, PackedStep};
#[cfg(feature = "tch")]
use super::torch;

/// Slope of the LeakyReLU in the 2021 decoder and in the discriminator.
pub const LEAKY_SLOPE: f64 = 0.2;

/// Epsilon of every norm in both editions, PyTorch's default.
pub const NORM_EPSILON: f64 = 1e-5;

/// The convolution of a step.
#[derive(Clone, Copy)]
pub enum Convolution<'a> {
    /// A convolution.
    Plain(&'a Conv2d),
    /// A transposed one.
    Transposed(&'a ConvTranspose2d),
}

impl<'a> From<&'a Conv2d> for Convolution<'a> {
    fn from(conv: &'a Conv2d) -> Self {
        Self::Plain(conv)
    }
}

impl<'a> From<&'a ConvTranspose2d> for Convolution<'a> {
    fn from(conv: &'a ConvTranspose2d) -> Self {
        Self::Transposed(conv)
    }
}

/// A square convolution without dilation or channel groups, without its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    pub transposed: bool,
    pub side: usize,
    pub stride: usize,
    pub padding: usize,
}

impl Convolution<'_> {
    pub(super) fn weight(self) -> Tensor<4> {
        match self {
            Self::Plain(conv) => conv.weight.val(),
            Self::Transposed(conv) => conv.weight.val(),
        }
    }

    pub(super) fn bias(self) -> Option<Tensor<1>> {
        let bias = match self {
            Self::Plain(conv) => &conv.bias,
            Self::Transposed(conv) => &conv.bias,
        };
        bias.as_ref().map(|bias| bias.val())
    }

    /// None for what only plain operations can run.
    pub(super) fn geometry(self) -> Option<Geometry> {
        let (transposed, side, stride, padding, dilation, groups) = match self {
            Convolution::Plain(conv) => {
                let padding = match conv.padding {
                    PaddingConfig2d::Explicit(top, left, bottom, right)
                        if top == bottom && left == right =>
                    {
                        [top, left]
                    }
                    PaddingConfig2d::Valid => [0, 0],
                    _ => return None,
                };
                let side = conv.kernel_size;
                (
                    false,
                    side,
                    conv.stride,
                    padding,
                    conv.dilation,
                    conv.groups,
                )
            }
            Convolution::Transposed(conv) if conv.padding_out == [0, 0] => {
                let side = conv.kernel_size;
                (
                    true,
                    side,
                    conv.stride,
                    conv.padding,
                    conv.dilation,
                    conv.groups,
                )
            }
            Convolution::Transposed(_) => return None,
        };
        let square = [side, stride, padding].iter().all(|[a, b]| a == b);
        (square && dilation == [1, 1] && groups == 1).then_some(Geometry {
            transposed,
            side: side[0],
            stride: stride[0],
            padding: padding[0],
        })
    }
}

/// A step's convolution, and the place of its packed weights where it has one.
#[derive(Clone, Copy)]
pub struct Layer<'a> {
    convolution: Convolution<'a>,
    packed: Option<&'a PackedStep>,
}

impl<'a, C: Into<Convolution<'a>>> From<C> for Layer<'a> {
    fn from(convolution: C) -> Self {
        Self {
            convolution: convolution.into(),
            packed: None,
        }
    }
}

impl<'a> Layer<'a> {
    /// A convolution whose packed weights are kept in `packed`.
    pub fn packed(convolution: impl Into<Convolution<'a>>, packed: &'a PackedStep) -> Self {
        Self {
            convolution: convolution.into(),
            packed: Some(packed),
        }
    }

    pub(super) fn weights(self, norm: Norm<'_>, spec: StepSpec, device: &Device) -> Tensor<1> {
        let pack = || step_weights::pack(self.convolution, norm, spec.taps, device);
        match self.packed {
            Some(packed) => packed.get(pack),
            None => pack(),
        }
    }
}

/// The norm of a step.
#[derive(Clone, Copy)]
pub enum Norm<'a> {
    /// None.
    None,
    /// Instance norm without an affine part.
    Instance,
    /// BatchNorm.
    Batch(&'a BatchNorm),
}

/// The activation of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// None.
    None,
    /// max(x, 0).
    Relu,
    /// max(x, 0.2 x), see [`LEAKY_SLOPE`].
    Leaky,
}

impl Activation {
    /// Slope below zero; above it is 1.
    pub(super) fn slope(self) -> f32 {
        match self {
            Self::None => 1.0,
            Self::Relu => 0.0,
            Self::Leaky => LEAKY_SLOPE as f32,
        }
    }
}

/// activation(norm(convolution(x)) + shortcut).
///
/// x: `[batch, inputs or more, height, width]`, of which the first channels are read; the shortcut
/// has the shape of the output.
pub fn conv_step<'a>(
    x: Tensor<4>,
    layer: impl Into<Layer<'a>>,
    norm: Norm<'_>,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let layer = layer.into();
    #[cfg(feature = "tch")]
    if Route::of(&x) == Route::Torch
        && let Some(shape) = StepShape::of(layer.convolution, norm, shortcut.is_some(), activation)
    {
        let x = first_channels(x, step_weights::inputs_of(layer.convolution));
        return grouped(x, layer.convolution, norm, shortcut, shape);
    }
    match spec_for(&x, layer, norm, activation) {
        Some(spec) => {
            let weights = layer.weights(norm, spec, &x.device());
            step_launch::run(x, weights, shortcut, spec)
        }
        None => conv_step_plain(x, layer.convolution, norm, shortcut, activation),
    }
}

/// [`conv_step`], then the maximum of each 2x2 square.
pub fn conv_step_pooled<'a>(
    x: Tensor<4>,
    layer: impl Into<Layer<'a>>,
    norm: Norm<'_>,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let layer = layer.into();
    match spec_for(&x, layer, norm, activation) {
        Some(spec) if can_pool(&x, spec) => {
            let spec = StepSpec { pool: true, ..spec };
            let weights = layer.weights(norm, spec, &x.device());
            step_launch::run(x, weights, shortcut, spec)
        }
        _ => max_pool(conv_step(x, layer, norm, shortcut, activation)),
    }
}

/// What the kernels compute for a step; none where only plain operations can.
pub(super) fn spec_for(
    x: &Tensor<4>,
    layer: Layer<'_>,
    norm: Norm<'_>,
    activation: Activation,
) -> Option<StepSpec> {
    if !Route::of(x).has_steps() {
        return None;
    }
    let spec = StepSpec {
        taps: step_weights::taps_of(layer.convolution)?,
        inputs: step_weights::inputs_of(layer.convolution),
        outputs: step_weights::outputs_of(layer.convolution),
        instance: matches!(norm, Norm::Instance),
        activation,
        pool: false,
    };
    step_launch::can_run(x, spec).then_some(spec)
}

/// Whether the max-pool can be part of the step's last kernel.
fn can_pool(x: &Tensor<4>, spec: StepSpec) -> bool {
    let [_, _, height, width] = x.dims();
    [height, width]
        .iter()
        .all(|side| spec.taps.output(*side) >= 2)
}

/// The first channels of x, all of them where it has no more.
pub(super) fn first_channels(x: Tensor<4>, count: usize) -> Tensor<4> {
    if x.dims()[1] == count {
        x
    } else {
        x.narrow(1, 0, count)
    }
}

/// Halves height and width by the maximum of each 2x2 square.
pub fn max_pool(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([2, 2]).with_stride([2, 2]))
}

/// The twin of [`conv_step`] in plain tensor operations: any device, differentiable.
pub fn conv_step_plain(
    x: Tensor<4>,
    convolution: Convolution<'_>,
    norm: Norm<'_>,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let x = first_channels(x, step_weights::inputs_of(convolution));
    let map = match convolution {
        Convolution::Plain(conv) => conv.forward(x),
        Convolution::Transposed(conv) => conv.forward(x),
    };
    let map = match norm {
        Norm::None => map,
        Norm::Instance => instance_norm(map),
        Norm::Batch(batch_norm) => batch_norm.forward(map),
    };
    let map = match shortcut {
        Some(shortcut) => map + shortcut,
        None => map,
    };
    match activation {
        Activation::None => map,
        Activation::Relu => activation::relu(map),
        Activation::Leaky => activation::leaky_relu(map, LEAKY_SLOPE),
    }
}

/// Instance norm without an affine part: every map of every sample to mean 0, deviation 1.
///
/// Shape in and out: `[batch, channels, height, width]`.
pub fn instance_norm(x: Tensor<4>) -> Tensor<4> {
    let centred = x.clone() - x.mean_dims(&[2, 3]);
    let variance = centred.clone().square().mean_dims(&[2, 3]); // [batch, channels, 1, 1]
    centred / (variance + NORM_EPSILON).sqrt()
}

/// x `[batch, channels, height, width]` re-sampled at the places of `grid`,
/// `[1 or batch, height, width, 2]` (x then y in `[-1, 1]`): bilinear, the border repeated.
pub fn resample(x: Tensor<4>, grid: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "tch")]
    if Route::of(&x) == Route::Torch {
        let device = x.device();
        let inputs = torch::Inputs::default().with(x).with(grid);
        return inputs.run(torch::Group::Resample, &device).first();
    }
    let options = GridSampleOptions::new(InterpolateMode::Bilinear)
        .with_padding_mode(GridSamplePaddingMode::Border)
        .with_align_corners(false);
    x.grid_sample_2d(grid, options)
}

/// What a step is made of, without its tensors.
#[cfg(feature = "tch")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepShape {
    /// A transposed convolution.
    pub transposed: bool,
    /// Stride in both directions.
    pub stride: usize,
    /// Padding on all four sides.
    pub padding: usize,
    /// Whether there is a bias.
    pub bias: bool,
    /// The norm.
    pub norm: NormShape,
    /// Whether a shortcut is added.
    pub shortcut: bool,
    /// The activation.
    pub activation: Activation,
}

/// A norm without its tensors.
#[cfg(feature = "tch")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NormShape {
    /// None.
    None,
    /// Instance norm.
    Instance {
        /// Added to the variance.
        epsilon: f64,
    },
    /// BatchNorm.
    Batch {
        /// Added to the variance.
        epsilon: f64,
    },
}

#[cfg(feature = "tch")]
impl StepShape {
    /// The shape of a step that a group can run; none where only plain operations can: uneven
    /// padding or strides, dilation, channel groups, a BatchNorm that is not trained.
    fn of(
        convolution: Convolution<'_>,
        norm: Norm<'_>,
        shortcut: bool,
        activation: Activation,
    ) -> Option<Self> {
        let geometry = convolution.geometry()?;
        let norm = match norm {
            Norm::None => NormShape::None,
            Norm::Instance => NormShape::Instance {
                epsilon: NORM_EPSILON,
            },
            Norm::Batch(batch_norm) if batch_norm.training.is_enabled() => NormShape::Batch {
                epsilon: batch_norm.epsilon,
            },
            Norm::Batch(_) => return None,
        };
        Some(Self {
            transposed: geometry.transposed,
            stride: geometry.stride,
            padding: geometry.padding,
            bias: convolution.bias().is_some(),
            norm,
            shortcut,
            activation,
        })
    }
}

/// [`conv_step`] as one group; keeps a BatchNorm's running statistics as the plain layer does.
#[cfg(feature = "tch")]
fn grouped(
    x: Tensor<4>,
    convolution: Convolution<'_>,
    norm: Norm<'_>,
    shortcut: Option<Tensor<4>>,
    shape: StepShape,
) -> Tensor<4> {
    let device = x.device();
    let mut inputs = torch::Inputs::default().with(x).with(convolution.weight());
    if let Some(bias) = convolution.bias() {
        inputs = inputs.with(bias);
    }
    if let Norm::Batch(batch_norm) = norm {
        inputs = inputs
            .with(batch_norm.gamma.val())
            .with(batch_norm.beta.val());
    }
    if let Some(shortcut) = shortcut {
        inputs = inputs.with(shortcut);
    }
    let mut outputs = inputs.run(torch::Group::Step(shape), &device);
    let map = outputs.first();
    if let Norm::Batch(batch_norm) = norm
        && let (Some(mean), Some(variance)) = (outputs.next::<1>(), outputs.next::<1>())
    {
        let momentum = batch_norm.momentum;
        let blend = |old: Tensor<1>, new: Tensor<1>| {
            (old * (1.0 - momentum) + new.detach() * momentum).detach()
        };
        let (means, variances) = (&batch_norm.running_mean, &batch_norm.running_var);
        means.update(blend(means.value_sync(), mean));
        variances.update(blend(variances.value_sync(), variance));
    }
    map
}
