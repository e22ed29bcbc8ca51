//! The 2021 edition: the authors' full release, base width n, 1x1 ConvFLU pairs after each level
//! and a decoder that reads the FES features of every level.

use burn::module::Module;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::nn::{BatchNorm, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::block::{BlockNorm, PreparedResidualBlock, ResidualBlock, batch_norm, conv, deconv};
use super::classifier::{Classifier, PreparedClassifier};
use super::config::{Edition, Head, NetworkConfig, Variant};
use super::flu::{ConvFlu, Pair, exchange, prepare_pairs};
use super::prepared::{conv_layer, linear_layer};
use super::{Encoded, Features};
use crate::kernels::{
    Activation, Norm, Prepared, PreparedPair, concat, fused_conv, fused_conv_beside_style,
    fused_conv_pooled, style,
};

/// Levels of a branch after the stem, of 2n, 4n and 8n channels.
const LEVELS: usize = 3;

/// Up-steps of the decoder.
const UP_STEPS: usize = 5;

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
    /// Whether a decoder reads the features: this one, or one that comes later.
    keeps_features: bool,
}

/// Prepared weights of a [`Release2021`].
#[derive(Debug, Clone)]
pub struct PreparedRelease2021 {
    stem: Prepared,
    /// By level, as the blocks.
    fer: [PreparedResidualBlock; LEVELS],
    fes: [PreparedResidualBlock; LEVELS],
    pairs: Vec<PreparedPair>,
    joint: PreparedResidualBlock,
    classifier: PreparedClassifier,
    decoder: PreparedDecoder,
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
            },
            fer: branch(true, BlockNorm::Batch),
            fes: branch(two_branches, BlockNorm::Instance),
            flu_fer: flu(),
            flu_fes: flu(),
            joint: ResidualBlock::new(joint, joint, BlockNorm::Batch, device),
            classifier: Classifier::new(conv(8 * n, 8 * n, 3, true, device), 8 * n, config, device),
            decoder: config.synthesises().then(|| Decoder::new(config, device)),
            keeps_features: config.variant != Variant::Single,
        }
    }

    /// The weights as the kernels of `device` read them, for as long as they do not change.
    pub fn prepare(&self, device: &Device) -> PreparedRelease2021 {
        PreparedRelease2021 {
            stem: Prepared::default(),
            fer: Default::default(),
            fes: Default::default(),
            pairs: prepare_pairs(&self.flu_fer, &self.flu_fes, device),
            joint: PreparedResidualBlock::default(),
            classifier: PreparedClassifier::default(),
            decoder: PreparedDecoder::default(),
        }
    }

    fn pair<'a>(&'a self, level: usize, prepared: Option<&'a PreparedRelease2021>) -> Pair<'a> {
        Pair {
            to_fer: &self.flu_fer[level],
            to_fes: &self.flu_fes[level],
            prepared: prepared.map(|p| &p.pairs[level]),
        }
    }

    /// The same layers with the decoder of others.
    pub fn with_decoder_of(mut self, other: Self) -> Self {
        self.decoder = other.decoder;
        self
    }

    /// Encodes the faces `[batch, k, 96, 96]`.
    pub fn encode(
        &self,
        x: Tensor<4>,
        keep_gates: bool,
        prepared: Option<&PreparedRelease2021>,
    ) -> Encoded {
        let stem = self.stem.forward(x.clone(), prepared.map(|p| &p.stem)); // [batch, n, 48, 48]
        let mut skips = vec![stem.clone()];
        let mut fer = stem.clone();
        let mut fes = (!self.fes.is_empty()).then_some(stem);
        let mut gates = Vec::new();
        for level in 0..LEVELS {
            fer = self.fer[level].forward(fer, prepared.map(|p| &p.fer[level])); // [batch, 2n, 24, 24] .. [batch, 8n, 6, 6]
            if let Some(other) = fes.take() {
                let other = self.fes[level].forward(other, prepared.map(|p| &p.fes[level]));
                let (fer_out, fes_out, pair_gates) = exchange(
                    fer,
                    other,
                    &self.pair(level, prepared),
                    Edition::Release2021.gate_convention(),
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
        let joined = self.joint.forward(joined, prepared.map(|p| &p.joint)); // [batch, 16n or 8n, 3, 3]
        // The classifier reads the first 8n channels, the decoder the last: with hard sharing, the
        // one branch's features serve both tasks.
        let features = self.keeps_features.then(|| Features {
            bottleneck: joined.clone(),
            skips,
        });
        let classifier = prepared.map(|p| &p.classifier);
        let class_features = self.classifier.features(joined, classifier);
        Encoded {
            x,
            logits: self.classifier.logits(class_features.clone(), classifier),
            units: self.classifier.units(class_features.clone(), classifier),
            class_features,
            features,
            gates,
        }
    }

    /// Units `[batch, K]` from the classifier's features; none without controls.
    pub fn units_of(&self, features: Tensor<4>) -> Option<Tensor<2>> {
        self.classifier.units(features, None)
    }

    /// Output of the decoder's last convolution, `[targets, head channels, 96, 96]`.
    ///
    /// `target` is p, `[targets, E or K]`; the batch of the faces x and their features is 1 or the same.
    pub fn decode(
        &self,
        x: &Tensor<4>,
        features: &Features,
        target: Tensor<2>,
        prepared: Option<&PreparedRelease2021>,
    ) -> Option<Tensor<4>> {
        let decoder = self.decoder.as_ref()?;
        Some(decoder.forward(x, features, target, prepared.map(|p| &p.decoder)))
    }

    /// The convolution whose channels the head reads; none where nothing is synthesised.
    pub(super) fn last_conv_mut(&mut self) -> Option<&mut Conv2d> {
        Some(&mut self.decoder.as_mut()?.out)
    }
}

/// Convolution 3x3, BatchNorm, ReLU, max-pool 2.
#[derive(Module, Debug)]
pub struct Stem {
    conv: Conv2d,
    bn: BatchNorm,
}

impl Stem {
    fn forward(&self, x: Tensor<4>, prepared: Option<&Prepared>) -> Tensor<4> {
        let layer = conv_layer(&self.conv, prepared);
        fused_conv_pooled(x, layer, Norm::Batch(&self.bn), None, Activation::Relu)
    }
}

/// T(f, p): instance norm of f, times gamma + beta, both linear in p.
#[derive(Module, Debug)]
pub struct StyleTransform {
    linear: Linear,
}

impl StyleTransform {
    fn new(channels: usize, e: usize, device: &Device) -> Self {
        Self {
            linear: LinearConfig::new(e, 2 * channels).init(device),
        }
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
}

/// Prepared weights of a [`Decoder`].
#[derive(Debug, Clone, Default)]
struct PreparedDecoder {
    transform: Prepared,
    up: [PreparedUpStep; UP_STEPS],
    picture: Prepared,
    out: Prepared,
}

/// Transposed convolution 4x4 stride 2, the transformed skip beside it, two convolutions.
#[derive(Module, Debug)]
pub struct UpStep {
    deconv: ConvTranspose2d,
    transform: Option<StyleTransform>,
    conv1: Conv2d,
    conv2: Conv2d,
}

/// Prepared weights of an [`UpStep`].
#[derive(Debug, Clone, Default)]
struct PreparedUpStep {
    deconv: Prepared,
    transform: Prepared,
    conv1: Prepared,
    conv2: Prepared,
}

impl Decoder {
    fn new(config: &NetworkConfig, device: &Device) -> Self {
        let (n, k) = (config.width, config.channels);
        let (targets, outputs) = (config.target_width(), config.head.channels(k));
        let sees_picture = config.head == Head::Blend;
        // Transposed convolution in and out, after the first and the second convolution.
        let widths: [[usize; 4]; UP_STEPS] = [
            [8 * n, 8 * n, 8 * n, 8 * n],
            [8 * n, 4 * n, 8 * n, 4 * n],
            [4 * n, 2 * n, 4 * n, 2 * n],
            [2 * n, n, 2 * n, 2 * n],
            [2 * n, n, n, n],
        ];
        let last = UP_STEPS - 1;
        let step = |(i, [input, up, mid, output]): (usize, [usize; 4])| {
            let skip = if i < last { up } else { 0 };
            UpStep {
                deconv: deconv([input, up], 4, 2, 1, false, device),
                transform: (i < last).then(|| StyleTransform::new(skip, targets, device)),
                conv1: conv(up + skip, mid, 3, true, device),
                conv2: conv(mid, output, 3, true, device),
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
        }
    }

    fn forward(
        &self,
        x: &Tensor<4>,
        features: &Features,
        p: Tensor<2>,
        prepared: Option<&PreparedDecoder>,
    ) -> Tensor<4> {
        let bottleneck = features.bottleneck.clone();
        let transform = linear_layer(&self.transform.linear, prepared.map(|p| &p.transform));
        let mut y = style(bottleneck, p.clone(), transform); // [targets, 8n, 3, 3]
        let mut skips = features.skips.iter().rev();
        for (i, step) in self.up.iter().enumerate() {
            y = step.forward(y, skips.next(), p.clone(), prepared.map(|p| &p.up[i])); // height and width doubled
        }
        if let Some(conv) = &self.picture {
            let layer = conv_layer(conv, prepared.map(|p| &p.picture));
            let own = fused_conv(x.clone(), layer, Norm::None, None, Activation::Leaky);
            y = concat(own, y); // [targets, 2n, 96, 96]
        }
        let layer = conv_layer(&self.out, prepared.map(|p| &p.out));
        fused_conv(y, layer, Norm::None, None, Activation::None)
    }
}

impl UpStep {
    fn forward(
        &self,
        x: Tensor<4>,
        skip: Option<&Tensor<4>>,
        p: Tensor<2>,
        prepared: Option<&PreparedUpStep>,
    ) -> Tensor<4> {
        let deconv = conv_layer(&self.deconv, prepared.map(|p| &p.deconv));
        let leaky = |x, layer| fused_conv(x, layer, Norm::Instance, None, Activation::Leaky);
        let x = match (&self.transform, skip) {
            (Some(transform), Some(skip)) => {
                let layer = linear_layer(&transform.linear, prepared.map(|p| &p.transform));
                fused_conv_beside_style(x, deconv, Activation::Relu, skip.clone(), p, layer)
            }
            _ => leaky(x, deconv),
        };
        let x = leaky(x, conv_layer(&self.conv1, prepared.map(|p| &p.conv1)));
        leaky(x, conv_layer(&self.conv2, prepared.map(|p| &p.conv2)))
    }
}
