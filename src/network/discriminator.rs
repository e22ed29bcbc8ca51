//! PatchGAN discriminator of both editions: judges 6 x 6 patches of a face, given its label.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use crate::kernels::{Activation, Norm, fused_conv};

/// Output channels of the four strided convolutions.
const WIDTHS: [usize; 4] = [64, 128, 256, 512];

/// Four convolutions 4x4 stride 2 and a last one to patch scores.
#[derive(Module, Debug)]
pub struct Discriminator {
    convs: Vec<Conv2d>,
    score: Conv2d,
}

impl Discriminator {
    /// For faces of `channels` and `classes` expressions.
    pub fn new(channels: usize, classes: usize, device: &Device) -> Self {
        let padding = PaddingConfig2d::Explicit(1, 1, 1, 1);
        let inputs = [channels + classes, WIDTHS[0], WIDTHS[1], WIDTHS[2]];
        let convs = inputs.into_iter().zip(WIDTHS).map(|(input, output)| {
            Conv2dConfig::new([input, output], [4, 4])
                .with_stride([2, 2])
                .with_padding(padding.clone())
                .init(device)
        });
        Self {
            convs: convs.collect(),
            // Zero-padding left and top by one, then padding 1 all around.
            score: Conv2dConfig::new([WIDTHS[3], 1], [4, 4])
                .with_padding(PaddingConfig2d::Explicit(2, 2, 1, 1))
                .init(device),
        }
    }

    /// Patch scores `[batch, 1, 6, 6]` of `face` `[batch, k, 96, 96]` under `label` `[batch, E]`.
    pub fn forward(&self, face: Tensor<4>, label: Tensor<2>) -> Tensor<4> {
        let [batch, _, height, width] = face.dims();
        let classes = label.dims()[1];
        let maps = label
            .unsqueeze_dims::<4>(&[2, 3])
            .expand([batch, classes, height, width]);
        let mut x = Tensor::cat(vec![face, maps], 1); // [batch, k + E, 96, 96]
        for (i, conv) in self.convs.iter().enumerate() {
            let norm = if i > 0 { Norm::Instance } else { Norm::None };
            // [batch, 64, 48, 48] .. [batch, 512, 6, 6]
            x = fused_conv(x, conv, norm, None, Activation::Leaky);
        }
        self.score.forward(x)
    }
}
