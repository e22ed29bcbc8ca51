//! The 2020 edition: figure 1 of the paper, width C, 3x3 ConvFLU pairs after blocks 1, 2 and 3.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d};
use burn::nn::{BatchNorm, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::block::{ConvBlock, batch_norm, conv, deconv};
use super::classifier::Classifier;
use super::config::{Head, NetworkConfig, Variant};
use super::flu::{ConvFlu, Pair, exchange, pack};
use super::{Encoded, Features};
use crate::kernels::{
    Activation, GateConvention, Layer, LinearLayer, Norm, Prepared, PreparedPair, concat,
    fused_conv, linear,
};

/// Blocks of a branch after the stem.
const BLOCKS: usize = 4;

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
    pairs: usize,
    #[module(skip)]
    packed: Vec<PreparedPair>,
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
            pairs,
            packed: Vec::new(),
        }
    }

    /// Keeps the weights as the kernels of `device` read them; from then on they must not change.
    pub fn pack(&mut self, device: &Device) {
        self.packed = pack(&self.flu_fer, &self.flu_fes, device);
        self.stem.pack();
        let blocks = self.fer.iter_mut().chain(&mut self.fes);
        blocks.for_each(ConvBlock::pack);
        self.classifier.pack();
        if let Some(transformer) = &mut self.transformer {
            transformer.packed.iter_mut().for_each(Prepared::freeze);
        }
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
        let mut fer = self.stem.forward(x.clone()); // [batch, C, 48, 48]
        let mut fes = (!self.fes.is_empty()).then(|| fer.clone());
        let mut gates = Vec::new();
        for level in 0..BLOCKS {
            fer = self.fer[level].forward(fer); // [batch, C, 24, 24] .. [batch, C, 3, 3]
            let Some(other) = fes.take() else { continue };
            let other = self.fes[level].forward(other);
            if level >= self.pairs {
                fes = Some(other);
                continue;
            }
            // Tied weights: the one unit serves every level.
            let unit = level.min(self.flu_fer.len() - 1);
            let (fer_out, fes_out, pair_gates) = exchange(
                fer,
                other,
                &self.pair(unit),
                GateConvention::ZTakesCandidate,
                keep_gates,
            );
            fer = fer_out;
            fes = Some(fes_out);
            gates.extend(pair_gates);
        }
        let features = self.decoder.is_some().then(|| Features {
            bottleneck: fes.unwrap_or_else(|| fer.clone()),
            skips: Vec::new(),
        });
        let class_features = self.classifier.features(fer);
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
    /// `target` is p_t, `[targets, E or K]`; the batch of the faces x and their features is 1 or the
    /// same.
    pub fn decode(
        &self,
        x: &Tensor<4>,
        features: &Features,
        target: Tensor<2>,
    ) -> Option<Tensor<4>> {
        let (transformer, decoder) = (self.transformer.as_ref()?, self.decoder.as_ref()?);
        let wanted = transformer.forward(target); // [targets, 2C, 3, 3]
        Some(decoder.forward(x, concat(features.bottleneck.clone(), wanted)))
    }
}

/// f_tra: the target expression as a feature map.
#[derive(Module, Debug)]
pub struct Transformer {
    linear: Linear,
    deconv: ConvTranspose2d,
    bn: BatchNorm,
    conv: Conv2d,
    #[module(skip)]
    packed: [Prepared; 3],
}

impl Transformer {
    fn new(e: usize, m: usize, device: &Device) -> Self {
        Self {
            linear: LinearConfig::new(e, m).init(device),
            deconv: deconv([m, m], 3, 1, 0, false, device),
            bn: batch_norm(m, device),
            conv: conv(m, m, 1, false, device),
            packed: Default::default(),
        }
    }

    /// p_t `[targets, E]` to `[targets, M, 3, 3]`.
    fn forward(&self, target: Tensor<2>) -> Tensor<4> {
        let [features, deconv, conv] = &self.packed;
        let target = target.unsqueeze_dims::<4>(&[2, 3]); // [targets, E, 1, 1]
        let features = LinearLayer::prepared(&self.linear, features);
        let x = linear(target, features, Activation::Relu); // [targets, M]
        let x = x.unsqueeze_dims::<4>(&[2, 3]); // [targets, M, 1, 1]
        let norm = Norm::Batch(&self.bn);
        let deconv = Layer::prepared(&self.deconv, deconv);
        let x = fused_conv(x, deconv, norm, None, Activation::Relu); // [targets, M, 3, 3]
        let conv = Layer::prepared(&self.conv, conv);
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
    #[module(skip)]
    packed: Prepared,
}

/// Merges the face's features with the target's.
#[derive(Module, Debug)]
pub struct Reduce {
    conv: Conv2d,
    bn: BatchNorm,
    #[module(skip)]
    packed: Prepared,
}

/// Transposed convolution 2x2, two convolutions; the last step ends with a bare convolution.
#[derive(Module, Debug)]
pub struct UpStep {
    deconv: ConvTranspose2d,
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: Option<BatchNorm>,
    #[module(skip)]
    packed: [Prepared; 3],
}

impl Decoder {
    fn new(config: &NetworkConfig, device: &Device) -> Self {
        let (c, k) = (config.width, config.channels);
        let outputs = config.head.channels(k);
        let sees_picture = config.head == Head::Blend;
        let widths = [2 * c, 2 * c, c, c / 2, c / 4, outputs];
        let last = widths.len() - 2;
        let beside = |i: usize| if sees_picture && i == last { c / 4 } else { 0 };
        let step = |i: usize| UpStep {
            deconv: deconv([widths[i], widths[i]], 2, 2, 0, true, device),
            conv1: conv(widths[i], widths[i], 3, true, device),
            bn1: batch_norm(widths[i], device),
            conv2: conv(widths[i] + beside(i), widths[i + 1], 3, true, device),
            bn2: (i < last).then(|| batch_norm(widths[i + 1], device)),
            packed: Default::default(),
        };
        Self {
            reduce: Reduce {
                conv: conv(3 * c, 2 * c, 3, true, device),
                bn: batch_norm(2 * c, device),
                packed: Prepared::default(),
            },
            up: (0..=last).map(step).collect(),
            picture: sees_picture.then(|| conv(k, c / 4, 3, true, device)),
            packed: Prepared::default(),
        }
    }

    fn pack(&mut self) {
        self.packed.freeze();
        self.reduce.packed.freeze();
        let steps = self.up.iter_mut().flat_map(|step| &mut step.packed);
        steps.for_each(Prepared::freeze);
    }

    /// `[targets, C + M, 3, 3]` and the faces to `[targets, head channels, 96, 96]`.
    fn forward(&self, faces: &Tensor<4>, y: Tensor<4>) -> Tensor<4> {
        let norm = Norm::Batch(&self.reduce.bn);
        let layer = Layer::prepared(&self.reduce.conv, &self.reduce.packed);
        let y = fused_conv(y, layer, norm, None, Activation::Relu);
        self.up.iter().fold(y, |y, step| {
            // The picture's own features join those of the step that has no norm after it.
            let own = self.picture.as_ref().filter(|_| step.bn2.is_none());
            let own = own.map(|conv| {
                let layer = Layer::prepared(conv, &self.packed);
                fused_conv(faces.clone(), layer, Norm::None, None, Activation::Leaky)
            });
            step.forward(y, own)
        })
    }

    /// The convolution whose channels the head reads.
    pub(super) fn last_conv_mut(&mut self) -> Option<&mut Conv2d> {
        self.up.last_mut().map(|step| &mut step.conv2)
    }
}

impl UpStep {
    fn forward(&self, x: Tensor<4>, beside: Option<Tensor<4>>) -> Tensor<4> {
        let [deconv, conv1, conv2] = &self.packed;
        let deconv = Layer::prepared(&self.deconv, deconv);
        let conv1 = Layer::prepared(&self.conv1, conv1);
        let conv2 = Layer::prepared(&self.conv2, conv2);
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
    /// The convolution whose channels the head reads; none where nothing is redrawn.
    pub(super) fn last_conv_mut(&mut self) -> Option<&mut Conv2d> {
        self.decoder.as_mut()?.last_conv_mut()
    }
}
