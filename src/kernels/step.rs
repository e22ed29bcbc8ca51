//! A convolution with what follows it: norm, shortcut, activation. The blocks of both editions are
//! made of such steps, so that a device with something better than separate passes has one place
//! to say so.

use burn::nn::BatchNorm;
#[cfg(feature = "tch")]
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::tensor::ops::{GridSampleOptions, GridSamplePaddingMode, InterpolateMode};
use burn::tensor::{Tensor, activation};

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

/// activation(norm(convolution(x)) + shortcut).
///
/// x: `[batch, inputs, height, width]`; the shortcut has the shape of the output.
pub fn conv_step<'a>(
    x: Tensor<4>,
    convolution: impl Into<Convolution<'a>>,
    norm: Norm<'_>,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let convolution = convolution.into();
    #[cfg(feature = "tch")]
    if let Some(shape) = StepShape::of(convolution, norm, shortcut.is_some(), activation)
        && torch::available(&x.device())
    {
        return grouped(x, convolution, norm, shortcut, shape);
    }
    conv_step_plain(x, convolution, norm, shortcut, activation)
}

/// The twin of [`conv_step`] in plain tensor operations: any device, differentiable.
pub fn conv_step_plain(
    x: Tensor<4>,
    convolution: Convolution<'_>,
    norm: Norm<'_>,
    shortcut: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
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

/// Instance norm of f, times gamma, plus beta: the 2021 edition's style transform.
///
/// f: `[1 or targets, channels, height, width]`; gamma, beta: `[targets, channels, 1, 1]`.
pub fn style(f: Tensor<4>, gamma: Tensor<4>, beta: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "tch")]
    if torch::available(&f.device()) {
        let device = f.device();
        let inputs = torch::Inputs::default().with(f).with(gamma).with(beta);
        let group = torch::Group::Style {
            epsilon: NORM_EPSILON,
        };
        return inputs.run(group, &device).first();
    }
    instance_norm(f) * gamma + beta
}

/// x `[batch, channels, height, width]` re-sampled at the places of `grid`,
/// `[1 or batch, height, width, 2]` (x then y in `[-1, 1]`): bilinear, the border repeated.
pub fn resample(x: Tensor<4>, grid: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "tch")]
    if torch::available(&x.device()) {
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
        let (stride, padding, dilation, groups, bias) = match convolution {
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
                let bias = conv.bias.is_some();
                (conv.stride, padding, conv.dilation, conv.groups, bias)
            }
            Convolution::Transposed(conv) if conv.padding_out == [0, 0] => {
                let bias = conv.bias.is_some();
                (conv.stride, conv.padding, conv.dilation, conv.groups, bias)
            }
            Convolution::Transposed(_) => return None,
        };
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
        let square = stride[0] == stride[1] && padding[0] == padding[1];
        (square && dilation == [1, 1] && groups == 1).then_some(Self {
            transposed: matches!(convolution, Convolution::Transposed(_)),
            stride: stride[0],
            padding: padding[0],
            bias,
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
    let (weight, bias) = match convolution {
        Convolution::Plain(conv) => (&conv.weight, &conv.bias),
        Convolution::Transposed(conv) => (&conv.weight, &conv.bias),
    };
    let device = x.device();
    let mut inputs = torch::Inputs::default().with(x).with(weight.val());
    if let Some(bias) = bias {
        inputs = inputs.with(bias.val());
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
