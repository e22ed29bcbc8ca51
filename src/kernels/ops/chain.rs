//! A chain of convolutions, of which the face detector's networks are made: dense ones, and blocks
//! activation(shortcut + pointwise(depthwise(x))).
//!
//! CPU: `cpu/chain.rs`, the whole chain in one launch.

use std::ops::Range;
use std::sync::Arc;

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn::tensor::activation::{prelu, relu};
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};

use super::conv::max_pool;
use crate::kernels::backend::ChainBackend;
use crate::kernels::cpu::{LayerWeights, PreparedChain};
use crate::kernels::route::Route;
use crate::kernels::spec::Window;

/// The largest window that the kernel knows.
const MAX_SIDE: usize = 8;

/// What follows a layer's sums.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "built once a network, a few of them; boxes would stand in every pattern"
)]
pub enum Slope {
    /// Nothing.
    Linear,
    /// ReLU.
    Relu,
    /// What a value below 0 is multiplied by, a channel: `[outputs]`.
    Each(Tensor<1>),
}

/// A layer of a chain.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "built once a network, a few of them; boxes would stand in every pattern"
)]
pub enum ChainLayer {
    /// A convolution over all channels.
    Dense {
        /// `[outputs, inputs, side, side]`.
        weight: Tensor<4>,
        /// `[outputs]`.
        bias: Tensor<1>,
        /// What follows.
        slope: Slope,
        /// Pixels from one window to the next.
        stride: usize,
        /// Zeros before and after the map, in both directions.
        padding: (usize, usize),
    },
    /// 3 x 3 within each channel, then 1 x 1 over the channels.
    Separable {
        /// `[inputs, 1, 3, 3]`.
        depthwise: Tensor<4>,
        /// `[outputs, inputs, 1, 1]`.
        pointwise: Tensor<4>,
        /// `[outputs]`.
        bias: Tensor<1>,
        /// What follows.
        slope: Slope,
        /// Whether it has stride 2.
        halve: bool,
        /// Whether the input is added, before what follows: pooled where the layer halves, with empty
        /// channels where it widens.
        shortcut: bool,
    },
}

impl ChainLayer {
    fn window(&self) -> Window {
        match self {
            Self::Dense {
                weight,
                stride,
                padding,
                ..
            } => Window {
                side: weight.dims()[2],
                stride: *stride,
                before: padding.0,
                after: padding.1,
            },
            // TensorFlow's "same" padding puts the odd pixel at the end.
            Self::Separable { halve, .. } => Window {
                side: 3,
                stride: if *halve { 2 } else { 1 },
                before: usize::from(!halve),
                after: 1,
            },
        }
    }

    fn inputs(&self) -> usize {
        match self {
            Self::Dense { weight, .. } => weight.dims()[1],
            Self::Separable { depthwise, .. } => depthwise.dims()[0],
        }
    }

    fn weights(&self) -> LayerWeights {
        let (weight, bias, slope) = match self {
            Self::Dense {
                weight,
                bias,
                slope,
                ..
            } => (weight, bias, slope),
            Self::Separable {
                pointwise,
                bias,
                slope,
                ..
            } => (pointwise, bias, slope),
        };
        let bias = values(bias);
        let slopes = match slope {
            Slope::Linear => vec![1.0; bias.len()],
            Slope::Relu => vec![0.0; bias.len()],
            Slope::Each(slopes) => values(slopes),
        };
        LayerWeights {
            weight: values(weight),
            bias,
            slopes,
            inputs: self.inputs(),
            window: self.window(),
            depthwise: match self {
                Self::Dense { .. } => None,
                Self::Separable {
                    depthwise,
                    shortcut,
                    ..
                } => Some((values(depthwise), *shortcut)),
            },
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let Window {
            side: _,
            stride,
            before,
            after,
        } = self.window();
        let moved = |groups| {
            let padding = [(before, after); 2];
            ConvOptions::new_with_padding([stride; 2], padding, [1, 1], groups)
        };
        match self {
            Self::Dense {
                weight,
                bias,
                slope,
                ..
            } => activate(
                conv2d(x, weight.clone(), Some(bias.clone()), moved(1)),
                slope,
            ),
            Self::Separable {
                depthwise,
                pointwise,
                bias,
                slope,
                halve,
                shortcut,
            } => {
                let y = conv2d(x.clone(), depthwise.clone(), None, moved(self.inputs()));
                let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
                let y = conv2d(y, pointwise.clone(), Some(bias.clone()), options);
                if !shortcut {
                    return activate(y, slope);
                }
                let x = if *halve { max_pool(x) } else { x };
                let more = y.dims()[1] - x.dims()[1];
                let x = if more > 0 {
                    x.pad([(0, more), (0, 0), (0, 0)], PadMode::Constant(0.0))
                } else {
                    x
                };
                activate(x + y, slope)
            }
        }
    }
}

fn activate(x: Tensor<4>, slope: &Slope) -> Tensor<4> {
    match slope {
        Slope::Linear => x,
        Slope::Relu => relu(x),
        Slope::Each(slope) => prelu(x, slope.clone()),
    }
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().into_data().iter::<f32>().collect()
}

/// Layers one after the other.
#[derive(Debug, Clone)]
pub struct Chain {
    layers: Vec<ChainLayer>,
    prepared: Option<Arc<PreparedChain>>,
}

impl Chain {
    /// The layers in their order. Their weights are laid out for the kernel where their device has one.
    pub fn new(layers: Vec<ChainLayer>) -> Self {
        let on_cpu = |layer: &ChainLayer| match layer {
            ChainLayer::Dense { weight, .. } => Route::on(&weight.device()) == Route::Cpu,
            ChainLayer::Separable { pointwise, .. } => Route::on(&pointwise.device()) == Route::Cpu,
        };
        let fits = |layer: &ChainLayer| on_cpu(layer) && layer.window().side <= MAX_SIDE;
        let prepared = layers.iter().all(fits).then(|| {
            let weights: Vec<LayerWeights> = layers.iter().map(ChainLayer::weights).collect();
            Arc::new(PreparedChain::new(&weights))
        });
        Self { layers, prepared }
    }

    /// How many layers it has.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
}

/// x `[batch, inputs, height, width]` through some of a chain's layers. Sides that a layer halves are even.
pub fn chain(x: Tensor<4>, chain: &Chain, part: Range<usize>) -> Tensor<4> {
    let [_, inputs, height, width] = x.dims();
    match (Route::of(&x), &chain.prepared) {
        (Route::Cpu, Some(prepared))
            if prepared.size(part.clone(), [height, width]).is_some()
                && chain.layers[part.start].inputs() == inputs =>
        {
            let prepared = Arc::clone(prepared);
            Tensor::from_dispatch(Dispatch::chain(x.into_dispatch(), prepared, part))
        }
        _ => chain_reference(x, chain, part),
    }
}

/// The reference implementation of [`chain`]: any device.
pub fn chain_reference(x: Tensor<4>, chain: &Chain, part: Range<usize>) -> Tensor<4> {
    let layers = &chain.layers[part];
    layers.iter().fold(x, |x, layer| layer.forward(x))
}
