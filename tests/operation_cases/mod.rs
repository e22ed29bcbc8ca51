//! Layers and cases for the tests of the operations: what is tried, with numbers of its own, and the routes
//! that it is tried on.

pub mod lists;
mod on_cpu_alone;
#[cfg(feature = "gpu")]
mod on_wgpu_alone;
pub mod route;

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};
use fersnet::kernels::{
    Activation, Convolution, Norm, fused_conv, fused_conv_pooled, fused_conv_reference, max_pool,
};

/// Kernel against reference, both f32, relative to the largest value (or to 1): sums of up to 864
/// products in another order, a BatchNorm folded into its weights, and an instance norm whose
/// division enlarges what the sums differ by.
pub const TOLERANCE: f32 = 5e-5;

pub const ACTIVATIONS: [Activation; 3] = [Activation::None, Activation::Relu, Activation::Leaky];

/// What is tried of a convolution: kernel, stride, padding.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Plain(usize, usize),
    Transposed(usize, usize, usize),
}

pub const KINDS: [Kind; 7] = [
    Kind::Plain(3, 1),
    Kind::Plain(3, 0),
    Kind::Plain(3, 2),
    Kind::Plain(1, 0),
    Kind::Transposed(4, 2, 1),
    Kind::Transposed(2, 2, 0),
    Kind::Transposed(3, 1, 0),
];

/// The norm after it.
#[derive(Debug, Clone, Copy)]
pub enum NormKind {
    None,
    Instance,
    Batch,
}

/// The layers of one: a convolution with a bias, a BatchNorm.
pub struct Layers {
    plain: Option<Conv2d>,
    transposed: Option<ConvTranspose2d>,
    batch_norm: BatchNorm,
}

impl Layers {
    pub fn new(kind: Kind, inputs: usize, outputs: usize, device: &Device) -> Self {
        let bias = Param::from_tensor(wave([outputs], 0.3, 5.0, device));
        let batch_norm = BatchNormConfig::new(outputs).init(device);
        let mean = wave([outputs], 0.4, 9.0, device);
        batch_norm.running_mean.update(mean);
        let variance = wave([outputs], 0.4, 7.0, device) + 0.6;
        batch_norm.running_var.update(variance);
        let mut layers = Self {
            plain: None,
            transposed: None,
            batch_norm: BatchNorm {
                gamma: Param::from_tensor(wave([outputs], 1.0, 3.0, device) + 1.2),
                beta: Param::from_tensor(wave([outputs], 1.0, 4.0, device)),
                ..batch_norm
            },
        };
        match kind {
            Kind::Plain(side, padding) => {
                let padding = PaddingConfig2d::Explicit(padding, padding, padding, padding);
                let mut conv = Conv2dConfig::new([inputs, outputs], [side, side])
                    .with_padding(padding)
                    .init(device);
                let scale = 2.0 / ((inputs * side * side) as f32).sqrt();
                let weight = wave([outputs, inputs, side, side], scale, 1.0, device);
                conv.weight = Param::from_tensor(weight);
                conv.bias = Some(bias);
                layers.plain = Some(conv);
            }
            Kind::Transposed(side, stride, padding) => {
                let mut conv = ConvTranspose2dConfig::new([inputs, outputs], [side, side])
                    .with_stride([stride, stride])
                    .with_padding([padding, padding])
                    .init(device);
                let scale = 2.0 / ((inputs * side * side) as f32 / 4.0).sqrt();
                let weight = wave([inputs, outputs, side, side], scale, 1.0, device);
                conv.weight = Param::from_tensor(weight);
                conv.bias = Some(bias);
                layers.transposed = Some(conv);
            }
        }
        layers
    }

    pub fn convolution(&self) -> Convolution<'_> {
        match (&self.plain, &self.transposed) {
            (Some(conv), _) => conv.into(),
            (_, Some(conv)) => conv.into(),
            _ => unreachable!("a case has a convolution"),
        }
    }

    pub fn norm(&self, norm: NormKind) -> Norm<'_> {
        match norm {
            NormKind::None => Norm::None,
            NormKind::Instance => Norm::Instance,
            NormKind::Batch => Norm::Batch(&self.batch_norm),
        }
    }
}

/// Numbers in (-scale, scale) without a pattern that a kernel could share.
pub fn wave<const D: usize>(
    shape: [usize; D],
    scale: f32,
    seed: f32,
    device: &Device,
) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|i| scale * (i as f32 * 1.7 + seed + ((i * i) % 97) as f32 * 0.31).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Largest difference, relative to the largest value or 1; a NaN is a difference of one.
pub fn difference(kernel: Tensor<4>, reference: Tensor<4>) -> f32 {
    assert_eq!(kernel.dims(), reference.dims());
    let values = |tensor: Tensor<4>| -> Vec<f32> { tensor.into_data().iter::<f32>().collect() };
    let (kernel, reference) = (values(kernel), values(reference));
    let scale = reference
        .iter()
        .fold(1.0f32, |largest, v| largest.max(v.abs()));
    kernel.iter().zip(&reference).fold(0.0, |worst, (a, b)| {
        let apart = (a - b).abs() / scale;
        if apart.is_nan() || apart > worst {
            apart
        } else {
            worst
        }
    })
}

/// One fused convolution.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub kind: Kind,
    /// Inputs, outputs.
    pub channels: [usize; 2],
    /// Batch, height, width of the input.
    pub shape: [usize; 3],
    pub norm: NormKind,
    pub activation: Activation,
    pub shortcut: bool,
    pub pooled: bool,
}

impl Case {
    pub fn run(self, device: &Device, plain: bool) -> Tensor<4> {
        let [inputs, outputs] = self.channels;
        let [batch, height, width] = self.shape;
        let layers = Layers::new(self.kind, inputs, outputs, device);
        let x = wave([batch, inputs, height, width], 1.0, 0.5, device);
        let convolution = layers.convolution();
        let activation = self.activation;
        let bare = fused_conv_reference(x.clone(), convolution, Norm::None, None, Activation::None);
        let shortcut = self.shortcut.then(|| wave(bare.dims(), 0.7, 2.5, device));
        let norm = layers.norm(self.norm);
        match (plain, self.pooled) {
            (true, true) => max_pool(fused_conv_reference(
                x,
                convolution,
                norm,
                shortcut,
                activation,
            )),
            (true, false) => fused_conv_reference(x, convolution, norm, shortcut, activation),
            (false, true) => fused_conv_pooled(x, convolution, norm, shortcut, activation),
            (false, false) => fused_conv(x, convolution, norm, shortcut, activation),
        }
    }
}

/// A linear layer with a bias.
pub fn linear_layer(inputs: usize, outputs: usize, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs).init(device);
    layer.weight = Param::from_tensor(wave([inputs, outputs], 0.9, 1.5, device));
    layer.bias = Some(Param::from_tensor(wave([outputs], 0.7, 0.2, device)));
    layer
}
