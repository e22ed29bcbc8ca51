//! The 2020 edition: figure 1 of the paper, width C, 3x3 ConvFLU pairs after blocks 1, 2 and 3.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d};
use burn::nn::{BatchNorm, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::block::{ConvBlock, PreparedConvBlock, batch_norm, conv, deconv};
use super::classifier::{Classifier, PreparedClassifier};
use super::config::{Edition, Head, NetworkConfig, Variant};
use super::flu::{ConvFlu, Pair, exchange, prepare_pairs};
use super::prepared::{conv_layer, linear_layer};
use super::{Encoded, Features};
use crate::kernels::{Activation, Norm, Prepared, PreparedPair, concat, fused_conv, linear};

/// Blocks of a branch after the stem.
const BLOCKS: usize = 4;

/// Up-steps of the decoder.
const UP_STEPS: usize = 5;

/// All layers of the 2020 edition; the members bear the weight file's names.
#[derive(Module, Debug)]
pub struct Paper2020 {
    stem: ConvBlock,
    fer: Vec<ConvBlock>,
    fes: Vec<ConvBlock>,
    flu_fer: Vec<ConvFlu>,
    flu_fes: Vec<ConvFlu>,
    classifier: Classifier,
    transformer: Option<Transformer>,
    decoder: Option<Decoder>,
    /// Whether a decoder reads the features: this one, or one that comes later.
    keeps_features: bool,
    pairs: usize,
}

/// Prepared weights of a [`Paper2020`].
#[derive(Debug, Clone)]
pub struct PreparedPaper2020 {
    stem: PreparedConvBlock,
    /// By level, as the blocks.
    fer: [PreparedConvBlock; BLOCKS],
    fes: [PreparedConvBlock; BLOCKS],
    /// By unit: one for all levels where their weights are tied.
    pairs: Vec<PreparedPair>,
    classifier: PreparedClassifier,
    transformer: PreparedTransformer,
    decoder: PreparedDecoder,
}

impl Paper2020 {
    /// Freshly initialised layers of a validated configuration.
    pub fn new(config: &NetworkConfig, device: &Device) -> Self {
        let c = config.width;
        let branch = |built: bool| {
            let blocks = if built { BLOCKS } else { 0 };
            (0..blocks).map(|_| ConvBlock::new(c, c, device)).collect()
        };
        let pairs = config.pairs();
        let units = if config.tied_pairs {
            pairs.min(1)
        } else {
            pairs
        };
        let flu = || (0..units).map(|_| ConvFlu::new(c, 3, device)).collect();
        let synthesises = config.synthesises();
        Self {
            stem: ConvBlock::new(config.channels, c, device),
            fer: branch(true),
            fes: branch(config.variant == Variant::Fersnet),
            flu_fer: flu(),
            flu_fes: flu(),
            // Without padding: 3 x 3 to 1 x 1.
            classifier: Classifier::new(
                Conv2dConfig::new([c, c], [3, 3]).init(device),
                c,
                config,
                device,
            ),
            transformer: synthesises
                .then(|| Transformer::new(config.target_width(), 2 * c, device)),
            decoder: synthesises.then(|| Decoder::new(config, device)),
            keeps_features: config.variant != Variant::Single,
            pairs,
        }
    }

    /// The weights as the kernels of `device` read them, for as long as they do not change.
    pub fn prepare(&self, device: &Device) -> PreparedPaper2020 {
        PreparedPaper2020 {
            stem: PreparedConvBlock::default(),
            fer: Default::default(),
            fes: Default::default(),
            pairs: prepare_pairs(&self.flu_fer, &self.flu_fes, device),
            classifier: PreparedClassifier::default(),
            transformer: PreparedTransformer::default(),
            decoder: PreparedDecoder::default(),
        }
    }

    fn pair<'a>(&'a self, unit: usize, prepared: Option<&'a PreparedPaper2020>) -> Pair<'a> {
        Pair {
            to_fer: &self.flu_fer[unit],
            to_fes: &self.flu_fes[unit],
            prepared: prepared.map(|p| &p.pairs[unit]),
        }
    }

    /// The same layers with the transformer and the decoder of others.
    pub fn with_decoder_of(mut self, other: Self) -> Self {
        (self.transformer, self.decoder) = (other.transformer, other.decoder);
        self
    }

    /// Encodes the faces `[batch, k, 96, 96]`.
    pub fn encode(
        &self,
        x: Tensor<4>,
        keep_gates: bool,
        prepared: Option<&PreparedPaper2020>,
    ) -> Encoded {
        let mut fer = self.stem.forward(x.clone(), prepared.map(|p| &p.stem)); // [batch, C, 48, 48]
        let mut fes = (!self.fes.is_empty()).then(|| fer.clone());
        let mut gates = Vec::new();
        for level in 0..BLOCKS {
            fer = self.fer[level].forward(fer, prepared.map(|p| &p.fer[level])); // [batch, C, 24, 24] .. [batch, C, 3, 3]
            let Some(other) = fes.take() else { continue };
            let other = self.fes[level].forward(other, prepared.map(|p| &p.fes[level]));
            if level >= self.pairs {
                fes = Some(other);
                continue;
            }
            // Tied weights: the one unit serves every level.
            let unit = level.min(self.flu_fer.len() - 1);
            let (fer_out, fes_out, pair_gates) = exchange(
                fer,
                other,
                &self.pair(unit, prepared),
                Edition::Paper2020.gate_convention(),
                keep_gates,
            );
            fer = fer_out;
            fes = Some(fes_out);
            gates.extend(pair_gates);
        }
        let features = self.keeps_features.then(|| Features {
            bottleneck: fes.unwrap_or_else(|| fer.clone()),
            skips: Vec::new(),
        });
        let classifier = prepared.map(|p| &p.classifier);
        let class_features = self.classifier.features(fer, classifier);
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
    /// `target` is p_t, `[targets, E or K]`; the batch of the faces x and their features is 1 or the
    /// same.
    pub fn decode(
        &self,
        x: &Tensor<4>,
        features: &Features,
        target: Tensor<2>,
        prepared: Option<&PreparedPaper2020>,
    ) -> Option<Tensor<4>> {
        let (transformer, decoder) = (self.transformer.as_ref()?, self.decoder.as_ref()?);
        let wanted = transformer.forward(target, prepared.map(|p| &p.transformer)); // [targets, 2C, 3, 3]
        let y = concat(features.bottleneck.clone(), wanted); // [targets, 3C, 3, 3]
        Some(decoder.forward(x, y, prepared.map(|p| &p.decoder)))
    }
}

/// f_tra: the target expression as a feature map.
#[derive(Module, Debug)]
pub struct Transformer {
    linear: Linear,
    deconv: ConvTranspose2d,
    bn: BatchNorm,
    conv: Conv2d,
}

/// Prepared weights of a [`Transformer`].
#[derive(Debug, Clone, Default)]
struct PreparedTransformer {
    linear: Prepared,
    deconv: Prepared,
    conv: Prepared,
}

impl Transformer {
    fn new(e: usize, m: usize, device: &Device) -> Self {
        Self {
            linear: LinearConfig::new(e, m).init(device),
            deconv: deconv([m, m], 3, 1, 0, false, device),
            bn: batch_norm(m, device),
            conv: conv(m, m, 1, false, device),
        }
    }

    /// p_t `[targets, E]` to `[targets, M, 3, 3]`.
    fn forward(&self, target: Tensor<2>, prepared: Option<&PreparedTransformer>) -> Tensor<4> {
        let target = target.unsqueeze_dims::<4>(&[2, 3]); // [targets, E, 1, 1]
        let features = linear_layer(&self.linear, prepared.map(|p| &p.linear));
        let x = linear(target, features, Activation::Relu); // [targets, M]
        let x = x.unsqueeze_dims::<4>(&[2, 3]); // [targets, M, 1, 1]
        let norm = Norm::Batch(&self.bn);
        let deconv = conv_layer(&self.deconv, prepared.map(|p| &p.deconv));
        let x = fused_conv(x, deconv, norm, None, Activation::Relu); // [targets, M, 3, 3]
        let conv = conv_layer(&self.conv, prepared.map(|p| &p.conv));
        fused_conv(x, conv, Norm::None, None, Activation::None)
    }
}

/// f_dec: five up-steps from 3 x 3 to 96 x 96. With a blend head the last convolution also sees the
/// picture itself.
#[derive(Module, Debug)]
pub struct Decoder {
    reduce: Reduce,
    up: Vec<UpStep>,
    picture: Option<Conv2d>,
}

/// Prepared weights of a [`Decoder`].
#[derive(Debug, Clone, Default)]
struct PreparedDecoder {
    reduce: Prepared,
    up: [PreparedUpStep; UP_STEPS],
    picture: Prepared,
}

/// Merges the face's features with the target's.
#[derive(Module, Debug)]
pub struct Reduce {
    conv: Conv2d,
    bn: BatchNorm,
}

/// Transposed convolution 2x2, two convolutions; the last step ends with a bare convolution.
#[derive(Module, Debug)]
pub struct UpStep {
    deconv: ConvTranspose2d,
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: Option<BatchNorm>,
}

/// Prepared weights of an [`UpStep`].
#[derive(Debug, Clone, Default)]
struct PreparedUpStep {
    deconv: Prepared,
    conv1: Prepared,
    conv2: Prepared,
}

impl Decoder {
    fn new(config: &NetworkConfig, device: &Device) -> Self {
        let (c, k) = (config.width, config.channels);
        let outputs = config.head.channels(k);
        let sees_picture = config.head == Head::Blend;
        let widths: [usize; UP_STEPS + 1] = [2 * c, 2 * c, c, c / 2, c / 4, outputs];
        let last = UP_STEPS - 1;
        let beside = |i: usize| if sees_picture && i == last { c / 4 } else { 0 };
        let step = |i: usize| UpStep {
            deconv: deconv([widths[i], widths[i]], 2, 2, 0, true, device),
            conv1: conv(widths[i], widths[i], 3, true, device),
            bn1: batch_norm(widths[i], device),
            conv2: conv(widths[i] + beside(i), widths[i + 1], 3, true, device),
            bn2: (i < last).then(|| batch_norm(widths[i + 1], device)),
        };
        Self {
            reduce: Reduce {
                conv: conv(3 * c, 2 * c, 3, true, device),
                bn: batch_norm(2 * c, device),
            },
            up: (0..UP_STEPS).map(step).collect(),
            picture: sees_picture.then(|| conv(k, c / 4, 3, true, device)),
        }
    }

    /// `[targets, C + M, 3, 3]` and the faces to `[targets, head channels, 96, 96]`.
    fn forward(
        &self,
        faces: &Tensor<4>,
        y: Tensor<4>,
        prepared: Option<&PreparedDecoder>,
    ) -> Tensor<4> {
        let norm = Norm::Batch(&self.reduce.bn);
        let layer = conv_layer(&self.reduce.conv, prepared.map(|p| &p.reduce));
        let y = fused_conv(y, layer, norm, None, Activation::Relu);
        self.up.iter().enumerate().fold(y, |y, (i, step)| {
            // The picture's own features join those of the step that has no norm after it.
            let own = self.picture.as_ref().filter(|_| step.bn2.is_none());
            let own = own.map(|conv| {
                let layer = conv_layer(conv, prepared.map(|p| &p.picture));
                fused_conv(faces.clone(), layer, Norm::None, None, Activation::Leaky)
            });
            step.forward(y, own, prepared.map(|p| &p.up[i]))
        })
    }

    /// The convolution whose channels the head reads.
    pub(super) fn last_conv_mut(&mut self) -> Option<&mut Conv2d> {
        self.up.last_mut().map(|step| &mut step.conv2)
    }
}

impl UpStep {
    fn forward(
        &self,
        x: Tensor<4>,
        beside: Option<Tensor<4>>,
        prepared: Option<&PreparedUpStep>,
    ) -> Tensor<4> {
        let deconv = conv_layer(&self.deconv, prepared.map(|p| &p.deconv));
        let conv1 = conv_layer(&self.conv1, prepared.map(|p| &p.conv1));
        let conv2 = conv_layer(&self.conv2, prepared.map(|p| &p.conv2));
        // Height and width doubled.
        let x = fused_conv(x, deconv, Norm::None, None, Activation::None);
        let x = fused_conv(x, conv1, Norm::Batch(&self.bn1), None, Activation::Relu);
        let x = match beside {
            Some(own) => concat(own, x),
            None => x,
        };
        match &self.bn2 {
            Some(bn) => fused_conv(x, conv2, Norm::Batch(bn), None, Activation::Relu),
            None => fused_conv(x, conv2, Norm::None, None, Activation::None),
        }
    }
}

impl Paper2020 {
    /// The convolution whose channels the head reads; none where nothing is synthesised.
    pub(super) fn last_conv_mut(&mut self) -> Option<&mut Conv2d> {
        self.decoder.as_mut()?.last_conv_mut()
    }
}
