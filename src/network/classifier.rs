//! f_cls of both editions: a convolution, BatchNorm, ReLU, a linear layer over the mean of the map; beside it
//! the controls' own layer.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::block::batch_norm;
use super::config::NetworkConfig;
use super::prepared::{conv_layer, linear_layer};
use crate::kernels::{Activation, Norm, Prepared, fused_conv, linear};

/// Recognises expressions, and controls where the network has some, from the deepest map.
#[derive(Module, Debug)]
pub struct Classifier {
    conv: Conv2d,
    bn: BatchNorm,
    linear: Linear,
    units: Option<Linear>,
}

/// Prepared weights of a [`Classifier`].
#[derive(Debug, Clone, Default)]
pub struct PreparedClassifier {
    conv: Prepared,
    linear: Prepared,
    units: Prepared,
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
        }
    }

    /// The first channels of `[batch, any, 3, 3]` to what both layers read, `[batch, channels, h, w]`; h and
    /// w are 1 without padding, else 3.
    pub fn features(&self, x: Tensor<4>, prepared: Option<&PreparedClassifier>) -> Tensor<4> {
        let layer = conv_layer(&self.conv, prepared.map(|p| &p.conv));
        fused_conv(x, layer, Norm::Batch(&self.bn), None, Activation::Relu)
    }

    /// Features to logits `[batch, E]`.
    pub fn logits(&self, features: Tensor<4>, prepared: Option<&PreparedClassifier>) -> Tensor<2> {
        let layer = linear_layer(&self.linear, prepared.map(|p| &p.linear));
        linear(features, layer, Activation::None)
    }

    /// Features to units `[batch, K]`; none without controls.
    pub fn units(
        &self,
        features: Tensor<4>,
        prepared: Option<&PreparedClassifier>,
    ) -> Option<Tensor<2>> {
        let layer = linear_layer(self.units.as_ref()?, prepared.map(|p| &p.units));
        Some(linear(features, layer, Activation::None))
    }
}
