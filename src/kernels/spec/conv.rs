//! The fused convolution: a convolution, what follows it, and which of its kinds have kernels.

use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::nn::{BatchNorm, PaddingConfig2d};
use burn::tensor::{DType, Tensor};

/// Slope of the LeakyReLU in the 2021 decoder and in the discriminator.
pub const LEAKY_SLOPE: f64 = 0.2;

/// Epsilon of every norm in both editions, PyTorch's default.
pub const NORM_EPSILON: f64 = 1e-5;

/// A layer that a fused convolution begins with.
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
pub(in crate::kernels) struct Geometry {
    pub transposed: bool,
    pub side: usize,
    pub stride: usize,
    pub padding: usize,
}

impl Convolution<'_> {
    pub(in crate::kernels) fn weight(self) -> Tensor<4> {
        match self {
            Self::Plain(conv) => conv.weight.val(),
            Self::Transposed(conv) => conv.weight.val(),
        }
    }

    pub(in crate::kernels) fn bias(self) -> Option<Tensor<1>> {
        let bias = match self {
            Self::Plain(conv) => &conv.bias,
            Self::Transposed(conv) => &conv.bias,
        };
        bias.as_ref().map(|bias| bias.val())
    }

    /// None for what only the reference implementation can run.
    pub(in crate::kernels) fn geometry(self) -> Option<Geometry> {
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

    /// Input channels.
    pub(in crate::kernels) fn inputs(self) -> usize {
        let dims = self.weight().dims();
        match self {
            Self::Plain(conv) => dims[1] * conv.groups,
            Self::Transposed(_) => dims[0],
        }
    }

    /// Output channels.
    pub(in crate::kernels) fn outputs(self) -> usize {
        let dims = self.weight().dims();
        match self {
            Self::Plain(_) => dims[0],
            Self::Transposed(_) => dims[1],
        }
    }
}

/// The norm after a convolution.
#[derive(Clone, Copy)]
pub enum Norm<'a> {
    /// None.
    None,
    /// Instance norm without an affine part.
    Instance,
    /// BatchNorm.
    Batch(&'a BatchNorm),
}

/// The activation at the end.
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
    pub(in crate::kernels) fn slope(self) -> f32 {
        match self {
            Self::None => 1.0,
            Self::Relu => 0.0,
            Self::Leaky => LEAKY_SLOPE as f32,
        }
    }
}

/// The convolutions that have kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConvKind {
    /// A convolution of 3 x 3; a transposed one with stride 1 is one too, with a larger padding.
    Conv3x3 {
        /// Rows and columns of zeros around the map.
        padding: usize,
    },
    /// A convolution of 1 x 1.
    Conv1x1,
    /// A transposed convolution of 2 x 2, stride 2.
    Transposed2x2,
    /// A transposed convolution of 4 x 4, stride 2, padding 1.
    Transposed4x4,
}

impl ConvKind {
    /// The kind of a convolution; none where only the reference implementation can run it.
    pub(in crate::kernels) fn of(convolution: Convolution<'_>) -> Option<Self> {
        let geometry = convolution.geometry()?;
        if convolution.weight().dtype() != DType::F32 {
            return None;
        }
        let Geometry {
            transposed,
            side,
            stride,
            padding,
        } = geometry;
        match (transposed, side, stride, padding) {
            (false, 3, 1, padding @ 0..=2) => Some(Self::Conv3x3 { padding }),
            (false, 1, 1, 0) => Some(Self::Conv1x1),
            (true, 3, 1, 0) => Some(Self::Conv3x3 { padding: 2 }),
            (true, 2, 2, 0) => Some(Self::Transposed2x2),
            (true, 4, 2, 1) => Some(Self::Transposed4x4),
            _ => None,
        }
    }

    /// Rows (and columns) of the kernel.
    pub(in crate::kernels) fn side(self) -> usize {
        match self {
            Self::Conv3x3 { .. } => 3,
            Self::Conv1x1 => 1,
            Self::Transposed2x2 => 2,
            Self::Transposed4x4 => 4,
        }
    }

    /// Taps of the kernel.
    pub(in crate::kernels) fn taps(self) -> usize {
        self.side() * self.side()
    }

    /// Height or width of the output.
    pub(in crate::kernels) fn output(self, input: usize) -> usize {
        match self {
            Self::Conv3x3 { padding } => (input + 2 * padding).saturating_sub(2),
            Self::Conv1x1 => input,
            Self::Transposed2x2 | Self::Transposed4x4 => 2 * input,
        }
    }
}

/// What a fused convolution computes, beside the tensors' shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvSpec {
    /// Which convolution.
    pub kind: ConvKind,
    /// Input channels: the first of x, which may have more.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Instance norm after the convolution.
    pub instance_norm: bool,
    /// The activation.
    pub activation: Activation,
    /// Whether height and width are halved by the maximum at the end.
    pub pool: bool,
}

impl ConvSpec {
    /// Height and width of the convolution's map, before the max-pool.
    pub(in crate::kernels) fn map(self, [height, width]: [usize; 2]) -> [usize; 2] {
        [height, width].map(|side| self.kind.output(side))
    }

    /// Height and width of the output.
    pub(in crate::kernels) fn output(self, size: [usize; 2]) -> [usize; 2] {
        let half = if self.pool { 2 } else { 1 };
        self.map(size).map(|side| side / half)
    }
}
