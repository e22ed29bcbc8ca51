//! The painter's U-Net: steps of convolution and activation alone, so that the fused kernels run it.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor, s};

use super::prepare::INPUTS;
use crate::kernels::{self, Activation, LEAKY_SLOPE, Layer, Norm, Prepared, fused_conv};
use crate::network::{PainterConfig, conv_layer};

/// Channels of the answer: how much of the eyes' white, of the skin and of the lips' tone is added, and the
/// mask before its sigmoid.
pub const OUTPUTS: usize = 4;

/// Levels below the first, each half as wide and high as the one before.
const LEVELS: usize = 3;

/// Where the mask starts: sigmoid(2) = 0.88, painted nearly everywhere within reach.
const MASK_BIAS: f32 = 2.0;

/// The last convolution's weights begin at so much of the others': an untrained painter changes little.
const LAST_SCALE: f32 = 0.1;

/// Levels of the convolutions with a shortcut.
const DEEP_LEVELS: [usize; 3] = [2, 3, 3];

/// The trainable painter's layers; widths are w, 2w, 3w and 4w from the first level to the deepest.
#[derive(Module, Debug)]
pub struct Painter {
    /// 3 x 3 at full size.
    enter: Conv2d,
    /// 3 x 3 after each max-pool.
    down: Vec<Conv2d>,
    /// 3 x 3 with a shortcut: one on the last level but one, two on the deepest.
    deep: Vec<Conv2d>,
    /// Transposed 2 x 2 of stride 2, deepest first; the level's own map is added.
    up: Vec<ConvTranspose2d>,
    /// 3 x 3 after each of them.
    refine: Vec<Conv2d>,
    /// 3 x 3 to the answer.
    out: Conv2d,
}

/// A painter whose weights no longer change, each layer's prepared once for the kernels of its device.
#[derive(Debug, Clone)]
pub struct InferencePainter {
    painter: Painter,
    prepared: PreparedPainter,
}

/// Prepared weights, named as in the [`Painter`].
#[derive(Debug, Clone, Default)]
struct PreparedPainter {
    enter: Prepared,
    down: [Prepared; LEVELS],
    deep: [Prepared; DEEP_LEVELS.len()],
    up: [Prepared; LEVELS],
    refine: [Prepared; LEVELS],
    out: Prepared,
}

impl InferencePainter {
    /// Freezes a painter.
    pub fn new(painter: Painter) -> Self {
        Self {
            painter,
            prepared: PreparedPainter::default(),
        }
    }

    /// [`Painter::forward`].
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.painter.run(x, Some(&self.prepared))
    }
}

impl Painter {
    /// Freshly initialised layers of a validated configuration.
    pub fn new(config: PainterConfig, device: &Device) -> Self {
        let w = config.width;
        let widths = [w, 2 * w, 3 * w, 4 * w];
        let conv = |inputs, outputs| he_conv(inputs, outputs, device);
        let mut out = conv(w, OUTPUTS);
        out.weight = out.weight.init_mapper(|weight| weight * LAST_SCALE);
        out.bias = out.bias.take().map(|bias: Param<Tensor<1>>| {
            bias.init_mapper(|bias| {
                let start = Tensor::<1>::from_data([MASK_BIAS], &bias.device());
                bias.slice_assign(s![OUTPUTS - 1..OUTPUTS], start)
            })
        });
        Self {
            enter: conv(INPUTS, w),
            down: (0..LEVELS)
                .map(|i| conv(widths[i], widths[i + 1]))
                .collect(),
            deep: DEEP_LEVELS.map(|i| conv(widths[i], widths[i])).into(),
            up: (0..LEVELS)
                .rev()
                .map(|i| he_deconv(widths[i + 1], widths[i], device))
                .collect(),
            refine: (0..LEVELS)
                .rev()
                .map(|i| conv(widths[i], widths[i]))
                .collect(),
            out,
        }
    }

    /// The weights that the adversarial loss is weighed by: those of the last convolution but one.
    pub fn last_but_one(&self) -> &Param<Tensor<4>> {
        &self.refine[LEVELS - 1].weight
    }

    /// Inputs `[batch, INPUTS, height, width]`, both sides multiples of 8, to `[batch, OUTPUTS, height,
    /// width]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.run(x, None)
    }

    fn run(&self, x: Tensor<4>, prepared: Option<&PreparedPainter>) -> Tensor<4> {
        let step = |x: Tensor<4>, layer: Layer<'_>, shortcut| {
            fused_conv(x, layer, Norm::None, shortcut, Activation::Leaky)
        };
        let enter = conv_layer(&self.enter, prepared.map(|p| &p.enter));
        let mut x = step(x, enter, None); // [batch, w, height, width]
        let (mut skips, mut deep) = (Vec::new(), self.deep.iter().enumerate());
        for (level, down) in self.down.iter().enumerate() {
            skips.push(x.clone());
            let down = conv_layer(down, prepared.map(|p| &p.down[level]));
            x = step(kernels::max_pool(x), down, None); // half as high and wide
            for (i, conv) in deep.by_ref().take(level) {
                let conv = conv_layer(conv, prepared.map(|p| &p.deep[i]));
                x = step(x.clone(), conv, Some(x));
            }
        }
        for (i, (up, refine)) in self.up.iter().zip(&self.refine).enumerate() {
            let up = conv_layer(up, prepared.map(|p| &p.up[i]));
            x = step(x, up, skips.pop()); // twice as high and wide
            let refine = conv_layer(refine, prepared.map(|p| &p.refine[i]));
            x = step(x, refine, None);
        }
        let out = conv_layer(&self.out, prepared.map(|p| &p.out));
        fused_conv(x, out, Norm::None, None, Activation::None)
    }
}

/// A convolution 3 x 3 with He's initialisation for the leaky activation (He et al., 2015).
fn he_conv(inputs: usize, outputs: usize, device: &Device) -> Conv2d {
    let mut conv = Conv2dConfig::new([inputs, outputs], [3, 3])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .with_initializer(he(9 * inputs))
        .init(device);
    conv.bias = conv.bias.take().map(zeros);
    conv
}

/// A transposed convolution 2 x 2 of stride 2: each output sees every input once.
fn he_deconv(inputs: usize, outputs: usize, device: &Device) -> ConvTranspose2d {
    let mut conv = ConvTranspose2dConfig::new([inputs, outputs], [2, 2])
        .with_stride([2, 2])
        .with_initializer(he(inputs))
        .init(device);
    conv.bias = conv.bias.take().map(zeros);
    conv
}

fn he(seen: usize) -> Initializer {
    let slope = 1.0 + LEAKY_SLOPE * LEAKY_SLOPE;
    Initializer::Normal {
        mean: 0.0,
        std: (2.0 / (slope * seen as f64)).sqrt(),
    }
}

/// Mapped at initialisation, before gradients are tracked: what is mapped later is no leaf.
fn zeros(bias: Param<Tensor<1>>) -> Param<Tensor<1>> {
    bias.init_mapper(|bias| bias.zeros_like())
}

/// Parameters and multiply-adds of painting one mouth.
pub(crate) fn cost(config: PainterConfig) -> (u64, u64) {
    let w = config.width;
    let widths = [w, 2 * w, 3 * w, 4 * w];
    let pixels = |level: usize| (config.crop_width >> level) * (config.crop_height() >> level);
    // Inputs, outputs, kernel, pixels of its output (of its input for a transposed one).
    let mut layers = vec![(INPUTS, w, 9, pixels(0)), (w, OUTPUTS, 9, pixels(0))];
    for level in 0..LEVELS {
        let (near, far) = (widths[level], widths[level + 1]);
        layers.push((near, far, 9, pixels(level + 1)));
        layers.extend((0..level).map(|_| (far, far, 9, pixels(level + 1))));
        layers.push((far, near, 4, pixels(level + 1)));
        layers.push((near, near, 9, pixels(level)));
    }
    layers.into_iter().fold(
        (0, 0),
        |(parameters, macs), (inputs, outputs, taps, pixels)| {
            let weights = (inputs * outputs * taps) as u64;
            (
                parameters + weights + outputs as u64,
                macs + weights * pixels as u64,
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::ModuleVisitor;

    struct Count(u64);

    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 += param.shape().num_elements() as u64;
        }
    }

    #[test]
    fn the_cost_counts_the_parameters_that_there_are() {
        let config = PainterConfig {
            width: 16,
            crop_width: 128,
        };
        let mut count = Count(0);
        Painter::new(config, &Device::flex()).visit(&mut count);
        let (parameters, macs) = cost(config);
        assert_eq!(parameters, count.0);
        assert!((170_000_000..190_000_000).contains(&macs), "{macs}");
    }
}
