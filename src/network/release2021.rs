//! The 2021 edition: the authors' full release, base width n, 1x1 ConvFLU pairs after each level
//! and a decoder that reads the FES features of every level.

use burn::module::Module;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::nn::{BatchNorm, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::block::{BlockNorm, ResidualBlock, batch_norm, conv, deconv};
use super::classifier::Classifier;
use super::config::{Head, NetworkConfig, Variant};
use super::flu::{ConvFlu, Pair, exchange, pack};
use super::{Encoded, Features};
use crate::kernels::{
    Activation, GateConvention, Layer, LinearLayer, Norm, Prepared, PreparedPair, concat,
    fused_conv, fused_conv_beside_style, fused_conv_pooled, style,
};

/// Levels of a branch after the stem, of 2n, 4n and 8n channels.
const LEVELS: usize = 3;

/// All layers of the 2021 edition.
#[derive(Module, Debug)]
pub struct Release2021 {
    stem: Stem,
    fer: Vec<ResidualBlock>,
    fes: Vec<ResidualBlock>,
    flu_fer: Vec<ConvFlu>,
    flu_fes: Vec<ConvFlu>,
    joint: ResidualBlock,
    classifier: Classifier,
    decoder: Option<Decoder>,
    #[module(skip)]
    packed: Vec<PreparedPair>,
}

impl Release2021 {
    /// Freshly initialised layers of a validated configuration.
    pub fn new(config: &NetworkConfig, device: &Device) -> Self {
        let n = config.width;
        let two_branches = config.variant == Variant::Fersnet;
        let branch = |built: bool, norm| -> Vec<ResidualBlock> {
            let levels = if built { LEVELS } else { 0 };
            (0..levels)
                .map(|level| ResidualBlock::new(n << level, n << (level + 1), norm, device))
                .collect()
        };
        let flu = || -> Vec<ConvFlu> {
            (0..config.pairs())
                .map(|level| ConvFlu::new(n << (level + 1), 1, device))
                .collect()
        };
        let joint = if two_branches { 16 * n } else { 8 * n };
        Self {
            stem: Stem {
                conv: conv(config.channels, n, 3, true, device),
                bn: batch_norm(n, device),
                packed: Prepared::default(),
            },
            fer: branch(true, BlockNorm::Batch),
            fes: branch(two_branches, BlockNorm::Instance),
            flu_fer: flu(),
            flu_fes: flu(),
            joint: ResidualBlock::new(joint, joint, BlockNorm::Batch, device),
            classifier: Classifier::new(conv(8 * n, 8 * n, 3, true, device), 8 * n, config, device),
            decoder: config.synthesises().then(|| Decoder::new(config, device)),
            packed: Vec::new(),
        }
    }

    /// Keeps the weights as the kernels of `device` read them; from then on they must not change.
    pub fn pack(&mut self, device: &Device) {
        self.packed = pack(&self.flu_fer, &self.flu_fes, device);
        self.stem.packed.freeze();
        let blocks = self.fer.iter_mut().chain(&mut self.fes);
        blocks.for_each(ResidualBlock::pack);
        self.joint.pack();
        self.classifier.pack();
        if let Some(decoder) = &mut self.decoder {
            decoder.pack();
        }
    }

    fn pair(&self, unit: usize) -> Pair<'_> {
        Pair {
            to_fer: &self.flu_fer[unit],
            to_fes: &self.flu_fes[unit],
            packed: self.packed.get(unit),
        }
    }

    /// Reads the faces `[batch, k, 96, 96]`.
    pub fn encode(&self, x: Tensor<4>, keep_gates: bool) -> Encoded {
        let stem = self.stem.forward(x.clone()); // [batch, n, 48, 48]
        let mut skips = vec![stem.clone()];
        let mut fer = stem.clone();
        let mut fes = (!self.fes.is_empty()).then_some(stem);
        let mut gates = Vec::new();
        for level in 0..LEVELS {
            fer = self.fer[level].forward(fer); // [batch, 2n, 24, 24] .. [batch, 8n, 6, 6]
            if let Some(other) = fes.take() {
                let other = self.fes[level].forward(other);
                let (fer_out, fes_out, pair_gates) = exchange(
                    fer,
                    other,
                    &self.pair(level),
                    GateConvention::ZKeepsInput,
                    keep_gates,
                );
                fer = fer_out;
                skips.push(fes_out.clone());
                fes = Some(fes_out);
                gates.extend(pair_gates);
            } else {
                skips.push(fer.clone());
            }
        }
        let joined = match fes {
            Some(fes) => concat(fer, fes), // [batch, 16n, 6, 6]
            None => fer,
        };
        let joined = self.joint.forward(joined); // [batch, 16n or 8n, 3, 3]
        // The classifier reads the first 8n channels, the decoder the last: with hard sharing, the
        // one branch's features serve both tasks.
        let features = self.decoder.is_some().then(|| Features {
            bottleneck: joined.clone(),
            skips,
        });
        let class_features = self.classifier.features(joined);
        Encoded {
            x,
            logits: self.classifier.logits(class_features.clone()),
            units: self.classifier.units(class_features.clone()),
            class_features,
            features,
            gates,
        }
    }

    /// Units `[batch, K]` from the classifier's features; none without controls.
    pub fn units_of(&self, features: Tensor<4>) -> Option<Tensor<2>> {
        self.classifier.units(features)
    }

    /// Output of the decoder's last convolution, `[targets, head channels, 96, 96]`.
    ///
    /// `target` is p, `[targets, E or K]`; the batch of the faces x and their features is 1 or the same.
    pub fn decode(
        &self,
        x: &Tensor<4>,
        features: &Features,
        target: Tensor<2>,
    ) -> Option<Tensor<4>> {
        Some(self.decoder.as_ref()?.forward(x, features, target))
    }

    /// The convolution whose channels the head reads; none where nothing is redrawn.
    pub(super) fn last_conv_mut(&mut self) -> Option<&mut Conv2d> {
        Some(&mut self.decoder.as_mut()?.out)
    }
}

/// Convolution 3x3, BatchNorm, ReLU, max-pool 2.
#[derive(Module, Debug)]
pub struct Stem {
    conv: Conv2d,
    bn: BatchNorm,
    #[module(skip)]
    packed: Prepared,
}

impl Stem {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let layer = Layer::prepared(&self.conv, &self.packed);
        fused_conv_pooled(x, layer, Norm::Batch(&self.bn), None, Activation::Relu)
    }
}

/// T(f, p): instance norm of f, times gamma + beta, both linear in p.
#[derive(Module, Debug)]
pub struct StyleTransform {
    linear: Linear,
    #[module(skip)]
    packed: Prepared,
}

impl StyleTransform {
    fn new(channels: usize, e: usize, device: &Device) -> Self {
        Self {
            linear: LinearConfig::new(e, 2 * channels).init(device),
            packed: Prepared::default(),
        }
    }

    fn layer(&self) -> LinearLayer<'_> {
        LinearLayer::prepared(&self.linear, &self.packed)
    }
}

/// Five up-steps from 3 x 3 to 96 x 96, the first four with a skip. With a blend head the last
/// convolution also sees the picture itself, whose colours no instance norm has taken away.
#[derive(Module, Debug)]
pub struct Decoder {
    transform: StyleTransform,
    up: Vec<UpStep>,
    picture: Option<Conv2d>,
    out: Conv2d,
    #[module(skip)]
    packed: [Prepared; 2],
}

/// Transposed convolution 4x4 stride 2, the transformed skip beside it, two convolutions.
#[derive(Module, Debug)]
pub struct UpStep {
    deconv: ConvTranspose2d,
    transform: Option<StyleTransform>,
    conv1: Conv2d,
    conv2: Conv2d,
    #[module(skip)]
    packed: [Prepared; 3],
}

impl Decoder {
    fn new(config: &NetworkConfig, device: &Device) -> Self {
        let (n, k) = (config.width, config.channels);
        let (targets, outputs) = (config.target_width(), config.head.channels(k));
        let sees_picture = config.head == Head::Blend;
        // Transposed convolution in and out, after the first and the second convolution.
        let widths = [
            [8 * n, 8 * n, 8 * n, 8 * n],
            [8 * n, 4 * n, 8 * n, 4 * n],
            [4 * n, 2 * n, 4 * n, 2 * n],
            [2 * n, n, 2 * n, 2 * n],
            [2 * n, n, n, n],
        ];
        let last = widths.len() - 1;
        let step = |(i, [input, up, mid, output]): (usize, [usize; 4])| {
            let skip = if i < last { up } else { 0 };
            UpStep {
                deconv: deconv([input, up], 4, 2, 1, false, device),
                transform: (i < last).then(|| StyleTransform::new(skip, targets, device)),
                conv1: conv(up + skip, mid, 3, true, device),
                conv2: conv(mid, output, 3, true, device),
                packed: Default::default(),
            }
        };
        Self {
            transform: StyleTransform::new(8 * n, targets, device),
            up: widths.into_iter().enumerate().map(step).collect(),
            picture: sees_picture.then(|| conv(k, n, 3, true, device)),
            out: conv(
                if sees_picture { 2 * n } else { n },
                outputs,
                3,
                true,
                device,
            ),
            packed: Default::default(),
        }
    }

    fn pack(&mut self) {
        self.packed.iter_mut().for_each(Prepared::freeze);
        self.transform.packed.freeze();
        for step in &mut self.up {
            step.packed.iter_mut().for_each(Prepared::freeze);
            if let Some(transform) = &mut step.transform {
                transform.packed.freeze();
            }
        }
    }

    fn forward(&self, x: &Tensor<4>, features: &Features, p: Tensor<2>) -> Tensor<4> {
        let bottleneck = features.bottleneck.clone();
        let mut y = style(bottleneck, p.clone(), self.transform.layer()); // [targets, 8n, 3, 3]
        let mut skips = features.skips.iter().rev();
        for step in &self.up {
            y = step.forward(y, skips.next(), p.clone()); // height and width doubled
        }
        let [picture, out] = &self.packed;
        if let Some(conv) = &self.picture {
            let layer = Layer::prepared(conv, picture);
            let own = fused_conv(x.clone(), layer, Norm::None, None, Activation::Leaky);
            y = concat(own, y); // [targets, 2n, 96, 96]
        }
        let layer = Layer::prepared(&self.out, out);
        fused_conv(y, layer, Norm::None, None, Activation::None)
    }
}

impl UpStep {
    fn forward(&self, x: Tensor<4>, skip: Option<&Tensor<4>>, p: Tensor<2>) -> Tensor<4> {
        let deconv = Layer::prepared(&self.deconv, &self.packed[0]);
        let leaky = |x, layer| fused_conv(x, layer, Norm::Instance, None, Activation::Leaky);
        let x = match (&self.transform, skip) {
            (Some(transform), Some(skip)) => {
                let (skip, layer) = (skip.clone(), transform.layer());
                fused_conv_beside_style(x, deconv, Activation::Relu, skip, p, layer)
            }
            _ => leaky(x, deconv),
        };
        let x = leaky(x, Layer::prepared(&self.conv1, &self.packed[1]));
        leaky(x, Layer::prepared(&self.conv2, &self.packed[2]))
    }
}
