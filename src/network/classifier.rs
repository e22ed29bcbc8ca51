//! f_cls of both editions: a convolution, BatchNorm, ReLU, a linear layer over the mean of the map; beside it
//! the controls' own layer.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::block::batch_norm;
use super::config::NetworkConfig;
use crate::kernels::{Activation, Layer, LinearLayer, Norm, Prepared, fused_conv, linear};

/// Reads expressions, and controls where the network has some, off the deepest map.
#[derive(Module, Debug)]
pub struct Classifier {
    conv: Conv2d,
    bn: BatchNorm,
    linear: Linear,
    units: Option<Linear>,
    #[module(skip)]
    packed: [Prepared; 3],
}

impl Classifier {
    /// Freshly initialised layers after `conv`, which answers with `channels` and differs between editions.
    pub fn new(conv: Conv2d, channels: usize, config: &NetworkConfig, device: &Device) -> Self {
        let (classes, controls) = (config.classes.len(), config.controls.len());
        Self {
            conv,
            bn: batch_norm(channels, device),
            linear: LinearConfig::new(channels, classes).init(device),
            units: (controls > 0).then(|| LinearConfig::new(channels, controls).init(device)),
            packed: Default::default(),
        }
    }

    /// Keeps the packed weights; from then on they must not change.
    pub fn pack(&mut self) {
        self.packed.iter_mut().for_each(Prepared::freeze);
    }

    /// The first channels of `[batch, any, 3, 3]` to what both layers read, `[batch, channels, h, w]`; h and
    /// w are 1 without padding, else 3.
    pub fn features(&self, x: Tensor<4>) -> Tensor<4> {
        let layer = Layer::prepared(&self.conv, &self.packed[0]);
        fused_conv(x, layer, Norm::Batch(&self.bn), None, Activation::Relu)
    }

    /// Features to logits `[batch, E]`.
    pub fn logits(&self, features: Tensor<4>) -> Tensor<2> {
        let layer = LinearLayer::prepared(&self.linear, &self.packed[1]);
        linear(features, layer, Activation::None)
    }

    /// Features to units `[batch, K]`; none without controls.
    pub fn units(&self, features: Tensor<4>) -> Option<Tensor<2>> {
        let layer = LinearLayer::prepared(self.units.as_ref()?, &self.packed[2]);
        Some(linear(features, layer, Activation::None))
    }
}
