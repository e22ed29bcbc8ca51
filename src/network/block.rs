//! Convolution blocks that both editions are made of, and the norms between them.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

use super::prepared::conv_layer;
use crate::kernels::{Activation, NORM_EPSILON, Norm, Prepared, fused_conv, fused_conv_pooled};

/// A convolution that keeps the map's size: kernel 3 with padding 1, or kernel 1.
pub fn conv(inputs: usize, outputs: usize, kernel: usize, bias: bool, device: &Device) -> Conv2d {
    let padding = kernel / 2;
    Conv2dConfig::new([inputs, outputs], [kernel, kernel])
        .with_padding(PaddingConfig2d::Explicit(
            padding, padding, padding, padding,
        ))
        .with_bias(bias)
        .init(device)
}

/// A transposed convolution.
pub fn deconv(
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
    bias: bool,
    device: &Device,
) -> ConvTranspose2d {
    ConvTranspose2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding([padding, padding])
        .with_bias(bias)
        .init(device)
}

/// BatchNorm over the channels of a `[batch, channels, height, width]` map.
pub fn batch_norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels)
        .with_epsilon(NORM_EPSILON)
        .init(device)
}

/// `[convolution 3x3, BatchNorm, ReLU] x 2, max-pool 2`: stem and blocks of the 2020 edition.
#[derive(Module, Debug)]
pub struct ConvBlock {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
}

/// Prepared weights of a [`ConvBlock`].
#[derive(Debug, Clone, Default)]
pub struct PreparedConvBlock {
    conv1: Prepared,
    conv2: Prepared,
}

impl ConvBlock {
    /// A block from `inputs` to `outputs` channels.
    pub fn new(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self {
            conv1: conv(inputs, outputs, 3, true, device),
            bn1: batch_norm(outputs, device),
            conv2: conv(outputs, outputs, 3, true, device),
            bn2: batch_norm(outputs, device),
        }
    }

    /// `[batch, inputs, height, width]` to `[batch, outputs, height / 2, width / 2]`.
    pub fn forward(&self, x: Tensor<4>, prepared: Option<&PreparedConvBlock>) -> Tensor<4> {
        let layer1 = conv_layer(&self.conv1, prepared.map(|p| &p.conv1));
        let layer2 = conv_layer(&self.conv2, prepared.map(|p| &p.conv2));
        let x = fused_conv(x, layer1, Norm::Batch(&self.bn1), None, Activation::Relu);
        fused_conv_pooled(x, layer2, Norm::Batch(&self.bn2), None, Activation::Relu)
    }
}

/// The norm inside a residual block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockNorm {
    /// BatchNorm: the FER branch and the joint block.
    Batch,
    /// Instance norm without affine part: the FES branch.
    Instance,
}

/// Residual block of the 2021 edition: convolution 3x3, norm, ReLU, convolution 3x3, norm, plus
/// the input (through a 1x1 convolution where the width changes), ReLU; no biases.
#[derive(Module, Debug)]
pub struct ResidualBlock {
    conv1: Conv2d,
    bn1: Option<BatchNorm>,
    conv2: Conv2d,
    bn2: Option<BatchNorm>,
    downsample: Option<Conv2d>,
}

/// Prepared weights of a [`ResidualBlock`].
#[derive(Debug, Clone, Default)]
pub struct PreparedResidualBlock {
    conv1: Prepared,
    conv2: Prepared,
    downsample: Prepared,
}

impl ResidualBlock {
    /// A block from `inputs` to `outputs` channels.
    pub fn new(inputs: usize, outputs: usize, norm: BlockNorm, device: &Device) -> Self {
        let norm_layer = || match norm {
            BlockNorm::Batch => Some(batch_norm(outputs, device)),
            BlockNorm::Instance => None,
        };
        Self {
            conv1: conv(inputs, outputs, 3, false, device),
            bn1: norm_layer(),
            conv2: conv(outputs, outputs, 3, false, device),
            bn2: norm_layer(),
            downsample: (inputs != outputs).then(|| conv(inputs, outputs, 1, false, device)),
        }
    }

    /// The block, then max-pool 2: `[batch, inputs, height, width]` to
    /// `[batch, outputs, height / 2, width / 2]`.
    pub fn forward(&self, x: Tensor<4>, prepared: Option<&PreparedResidualBlock>) -> Tensor<4> {
        let norm = |layer| match layer {
            Some(batch_norm) => Norm::Batch(batch_norm),
            None => Norm::Instance,
        };
        let layer1 = conv_layer(&self.conv1, prepared.map(|p| &p.conv1));
        let layer2 = conv_layer(&self.conv2, prepared.map(|p| &p.conv2));
        let shortcut = match &self.downsample {
            Some(conv) => {
                let layer = conv_layer(conv, prepared.map(|p| &p.downsample));
                fused_conv(x.clone(), layer, Norm::None, None, Activation::None)
            }
            None => x.clone(),
        };
        let (norm1, norm2) = (norm(self.bn1.as_ref()), norm(self.bn2.as_ref()));
        let out = fused_conv(x, layer1, norm1, None, Activation::Relu);
        fused_conv_pooled(out, layer2, norm2, Some(shortcut), Activation::Relu)
    }
}
