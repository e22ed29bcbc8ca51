//! FERSNet: one network that recognises the expression of a face (FER) and synthesises the face with
//! another one (FES).
//!
//! Two editions share the interface: [`Network::encode`] runs both branches once, and
//! [`Network::decode`] synthesises the encoded face with any number of target expressions.
//!
//! A [`Network`] is trained, saved and changed; [`Network::into_inference`] makes an
//! [`InferenceNetwork`] of it, which only answers, with weights that are prepared for the kernels.

mod block;
mod classifier;
mod config;
#[cfg(feature = "native")]
pub mod convert;
mod cost;
mod discriminator;
mod flu;
mod frozen;
mod head;
mod inference;
mod names;
mod paper2020;
pub mod parts;
mod prepared;
mod release2021;
pub mod weights;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::painter::Painter;

pub use crate::kernels::{Change, FLOW_SCALE, SHADE_SCALE, SHADE_SIDE, warp as resample};
pub use config::{
    ConfigError, Edition, FACE_SIZE, Head, MAX_INTENSITY, NetworkConfig, PainterConfig, Presets,
    TEETH, Variant,
};
pub use cost::Cost;
pub use discriminator::Discriminator;
pub use flu::PairGates;
pub use frozen::{FaceNetwork, InferenceNetwork};
pub use head::{Synthesised, synthesise, synthesise_reference};
pub use inference::{EncodedFace, Inference, Scores};

pub(crate) use prepared::conv_layer;

use paper2020::Paper2020;
use release2021::Release2021;

/// A trainable FERSNet of either edition, with the configuration that it was built from. It holds no
/// prepared weights: it always answers with those that it has.
#[derive(Module, Debug)]
pub struct Network {
    #[module(skip)]
    config: NetworkConfig,
    layers: Layers,
    painter: Option<Painter>,
}

/// The layers of one edition.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
enum Layers {
    Paper2020(Paper2020),
    Release2021(Release2021),
}

/// What one pass over the encoder gives.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// The faces that were encoded, `[batch, k, 96, 96]`.
    pub x: Tensor<4>,
    /// Unnormalised scores, `[batch, E]`.
    pub logits: Tensor<2>,
    /// The controls that the faces show, `[batch, K]`; none where the network has no controls.
    pub units: Option<Tensor<2>>,
    /// What both are computed from, `[batch, channels, height, width]`.
    pub class_features: Tensor<4>,
    /// What the decoder needs; none for the single-task baseline.
    pub features: Option<Features>,
    /// Gates of each ConvFLU pair, shallowest first; empty unless asked for.
    pub gates: Vec<PairGates>,
}

/// FES features of an encoded face.
#[derive(Debug, Clone)]
pub struct Features {
    /// Deepest features, `[batch, channels, 3, 3]`; 2021 edition: of both branches, FES last.
    pub bottleneck: Tensor<4>,
    /// 2021 edition: skips 0 to 3, shallowest first.
    pub skips: Vec<Tensor<4>>,
}

impl Encoded {
    /// `count` faces of the batch from `start` on.
    pub fn narrow(&self, start: usize, count: usize) -> Self {
        let part = |x: &Tensor<4>| x.clone().narrow(0, start, count);
        let rows = |x: &Tensor<2>| x.clone().narrow(0, start, count);
        Self {
            x: part(&self.x),
            logits: rows(&self.logits),
            units: self.units.as_ref().map(rows),
            class_features: part(&self.class_features),
            features: self.features.as_ref().map(|features| Features {
                bottleneck: part(&features.bottleneck),
                skips: features.skips.iter().map(part).collect(),
            }),
            gates: Vec::new(),
        }
    }
}

impl Network {
    /// A freshly initialised network.
    ///
    /// # Errors
    /// [`ConfigError`] when no such network exists.
    pub fn new(config: NetworkConfig, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        let mut layers = match config.edition {
            Edition::Paper2020 => Layers::Paper2020(Paper2020::new(&config, device)),
            Edition::Release2021 => Layers::Release2021(Release2021::new(&config, device)),
        };
        if config.head != Head::Raw {
            let conv = match &mut layers {
                Layers::Paper2020(layers) => layers.last_conv_mut(),
                Layers::Release2021(layers) => layers.last_conv_mut(),
            };
            if let Some(conv) = conv {
                head::close_mask(conv, config.head, config.channels);
            }
        }
        let painter = config.painter.map(|painter| Painter::new(painter, device));
        Ok(Self {
            config,
            layers,
            painter,
        })
    }

    /// What kind of network this is.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Notes a value in the configuration that its weight file will carry, such as a temperature.
    pub fn note(&mut self, key: &str, value: serde_json::Value) {
        self.config.extra.insert(key.to_owned(), value);
    }

    /// The same network with other presets, which its weight file will carry.
    ///
    /// # Errors
    /// [`ConfigError`] naming a control that the network does not have or a value out of range.
    pub fn with_presets(mut self, presets: Presets) -> Result<Self, ConfigError> {
        self.config.presets = presets;
        self.config.validate()?;
        Ok(self)
    }

    /// The mouth painter, where there is one.
    pub fn painter(&self) -> Option<&Painter> {
        self.painter.as_ref()
    }

    /// The same network with a painter, whose configuration its weight file will carry, or without one.
    pub fn with_painter(mut self, painter: Option<(PainterConfig, Painter)>) -> Self {
        let (config, painter) = painter.unzip();
        self.config.painter = config;
        self.painter = painter;
        self
    }

    /// The network alone, and its painter.
    pub fn without_painter(mut self) -> (Self, Option<(PainterConfig, Painter)>) {
        let painter = self.config.painter.zip(self.painter.take());
        (self.with_painter(None), painter)
    }

    /// Encodes faces `[batch, k, 96, 96]` with values in `[0, 1]`.
    pub fn encode(&self, x: Tensor<4>, keep_gates: bool) -> Encoded {
        match &self.layers {
            Layers::Paper2020(layers) => layers.encode(x, keep_gates, None),
            Layers::Release2021(layers) => layers.encode(x, keep_gates, None),
        }
    }

    /// The controls that encoded faces show, `[batch, K]`, by this network's own layer: another one with
    /// the same encoder may have encoded them. None without controls.
    pub fn units_of(&self, encoded: &Encoded) -> Option<Tensor<2>> {
        let features = encoded.class_features.clone();
        match &self.layers {
            Layers::Paper2020(layers) => layers.units_of(features),
            Layers::Release2021(layers) => layers.units_of(features),
        }
    }

    /// Synthesises encoded faces with targets p `[targets, E]`, or `[targets, K]` with controls.
    ///
    /// The encoded batch is the number of targets, or 1: then the one face is synthesised for each
    /// target, and the encoder's work is shared. None for the single-task baseline.
    pub fn decode(&self, encoded: &Encoded, target: Tensor<2>) -> Option<Synthesised> {
        let features = encoded.features.as_ref()?;
        let out = match &self.layers {
            Layers::Paper2020(layers) => layers.decode(&encoded.x, features, target, None),
            Layers::Release2021(layers) => layers.decode(&encoded.x, features, target, None),
        }?;
        Some(head::synthesise(self.config.head, &encoded.x, out))
    }
}
