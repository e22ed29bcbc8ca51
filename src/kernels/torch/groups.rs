//! What the groups compute, in PyTorch's own operations.

use tch::Kind;

use crate::kernels::options::{RunOptions, TrainingPrecision};
use crate::kernels::spec::{
    Activation, Convolution, GateConvention, LEAKY_SLOPE, NORM_EPSILON, Norm,
};

/// A group of operations; the inputs stand in the order of its description.
#[derive(Debug, Clone, Copy)]
pub enum Group {
    /// x, kernel, then as the shape says: bias, gamma and beta, shortcut. Out: the map, then the
    /// batch's mean and variance where the norm is a BatchNorm.
    Conv(ConvShape),
    /// f, gamma, beta. Out: instance norm of f, times gamma + beta.
    Style {
        /// Added to the variance.
        epsilon: f64,
    },
    /// x, grid. Out: x re-sampled, bilinear, the border repeated.
    Resample,
    /// x, y, W_r, W_z, U, W into x, then into y. Out: x' and y' one after the other on the batch.
    ConvFlu {
        /// What z weighs.
        convention: GateConvention,
        /// Of the convolutions.
        precision: TrainingPrecision,
    },
}

/// A fused convolution without its tensors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConvShape {
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
    /// Of the convolution.
    pub precision: TrainingPrecision,
}

/// A norm without its tensors.
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

impl ConvShape {
    /// The shape of one that a group can run; none where only the reference implementation can: uneven
    /// padding or strides, dilation, channel groups, a BatchNorm that is not trained.
    pub fn of(
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
            precision: RunOptions::current().precision,
        })
    }
}

/// The outputs of a group.
pub fn run(inputs: &[&tch::Tensor], group: Group) -> Vec<tch::Tensor> {
    match group {
        Group::Conv(shape) => fused_conv(inputs, shape),
        Group::Style { epsilon } => vec![instance_norm(inputs[0], epsilon) * inputs[1] + inputs[2]],
        Group::Resample => {
            const BILINEAR: i64 = 0;
            const BORDER: i64 = 1;
            vec![inputs[0].grid_sampler_2d(inputs[1], BILINEAR, BORDER, false)]
        }
        Group::ConvFlu {
            convention,
            precision,
        } => vec![convflu(inputs, convention, precision)],
    }
}

fn fused_conv(inputs: &[&tch::Tensor], shape: ConvShape) -> Vec<tch::Tensor> {
    let narrowed = |tensor: &tch::Tensor| narrowed(tensor, shape.precision);
    let mut inputs = inputs.iter().copied();
    let mut next = || inputs.next().expect("as many inputs as the shape says");
    let (x, kernel) = (narrowed(next()), narrowed(next()));
    let bias = shape.bias.then(|| narrowed(next()));
    let (stride, padding) = ([shape.stride as i64; 2], [shape.padding as i64; 2]);
    let map = if shape.transposed {
        x.conv_transpose2d(&kernel, bias.as_ref(), stride, padding, [0, 0], 1, [1, 1])
    } else {
        x.conv2d(&kernel, bias.as_ref(), stride, padding, [1, 1], 1)
    };
    let none = None::<&tch::Tensor>;
    let (map, statistics) = match shape.norm {
        NormShape::None => (map, None),
        NormShape::Instance { epsilon } => (instance_norm(&map, epsilon), None),
        NormShape::Batch { epsilon } => {
            let (gamma, beta) = (next(), next());
            let (map, mean, inverse) =
                map.native_batch_norm(Some(gamma), Some(beta), none, none, true, 0.0, epsilon);
            let variance = inverse.detach().pow_tensor_scalar(-2) - epsilon;
            // A copy: PyTorch's graph needs the mean, and Burn may change what it is given.
            (map, Some((mean.detach().copy(), variance)))
        }
    };
    let map = if shape.shortcut { map + next() } else { map };
    let map = match shape.activation {
        Activation::None => map,
        Activation::Relu => map.relu(),
        Activation::Leaky => {
            let options = (map.kind(), map.device());
            map.prelu(&tch::Tensor::full(1, LEAKY_SLOPE, options))
        }
    };
    let mut outputs = vec![map.to_kind(Kind::Float)];
    if let Some((mean, variance)) = statistics {
        outputs.extend([mean, variance]);
    }
    outputs
}

/// Both directions of a pair; the same products as the reference implementation's.
fn convflu(
    inputs: &[&tch::Tensor],
    convention: GateConvention,
    precision: TrainingPrecision,
) -> tch::Tensor {
    let [x, y, to_x @ ..] = inputs else {
        unreachable!("a pair has ten inputs")
    };
    let (to_x, to_y) = to_x.split_at(4);
    let channels = x.size()[1];
    let own = |kernel: &tch::Tensor| kernel.narrow(1, 0, channels);
    let other = |kernel: &tch::Tensor| kernel.narrow(1, channels, channels);
    let pad = to_x[2].size()[2] / 2;
    let conv = |map: &tch::Tensor, kernel: &tch::Tensor| {
        narrowed(map, precision).conv2d(
            &narrowed(kernel, precision),
            None::<&tch::Tensor>,
            [1, 1],
            [pad, pad],
            [1, 1],
            1,
        )
    };
    let from_x = tch::Tensor::cat(
        &[own(to_x[0]), own(to_x[1]), other(to_y[0]), other(to_y[1])],
        0,
    );
    let from_y = tch::Tensor::cat(
        &[other(to_x[0]), other(to_x[1]), own(to_y[0]), own(to_y[1])],
        0,
    );
    let gates = (conv(x, &from_x) + conv(y, &from_y))
        .to_kind(Kind::Float)
        .sigmoid()
        .chunk(4, 1);
    let receive = |x: &tch::Tensor, y: &tch::Tensor, u, w, r: &tch::Tensor, z: &tch::Tensor| {
        let h = (conv(x, u) + conv(&(r * y), w)).to_kind(Kind::Float).tanh();
        match convention {
            GateConvention::ZTakesCandidate => x.lerp_tensor(&h, z),
            GateConvention::ZKeepsInput => h.lerp_tensor(x, z),
        }
    };
    let x_after = receive(x, y, to_x[2], to_x[3], &gates[0], &gates[1]);
    let y_after = receive(y, x, to_y[2], to_y[3], &gates[2], &gates[3]);
    tch::Tensor::cat(&[x_after, y_after], 0)
}

fn instance_norm(map: &tch::Tensor, epsilon: f64) -> tch::Tensor {
    let none = None::<&tch::Tensor>;
    map.instance_norm(none, none, none, none, true, 0.0, epsilon, false)
}

/// bf16 with half precision.
fn narrowed(tensor: &tch::Tensor, precision: TrainingPrecision) -> tch::Tensor {
    match precision {
        TrainingPrecision::Full => tensor.shallow_clone(),
        TrainingPrecision::Half => tensor.to_kind(Kind::BFloat16),
    }
}
