//! The network as it answers: frozen, its weights prepared for the kernels of one device.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::head;
use super::paper2020::{Paper2020, PreparedPaper2020};
use super::parts::Parts;
use super::release2021::{PreparedRelease2021, Release2021};
use super::{Encoded, Layers, Network, NetworkConfig, Synthesised};
use crate::painter::InferencePainter;

/// A FERSNet whose weights no longer change: each layer's are prepared once for the kernels of a device.
///
/// It comes from [`Network::into_inference`], and there is no way back. It is no module of Burn's, so
/// that nothing can train it, map its weights or save it. What compiles for a trainable network
///
/// ```
/// fn train(network: fersnet::network::Network) -> impl burn::module::Module {
///     burn::module::Module::train(network)
/// }
/// ```
///
/// does not for a frozen one:
///
/// ```compile_fail
/// fn train(network: fersnet::network::InferenceNetwork) -> impl burn::module::Module {
///     burn::module::Module::train(network)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct InferenceNetwork {
    config: NetworkConfig,
    layers: FrozenLayers,
    painter: Option<InferencePainter>,
}

/// The layers of one edition, each with its prepared weights.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)]
enum FrozenLayers {
    Paper2020(Paper2020, PreparedPaper2020),
    Release2021(Release2021, PreparedRelease2021),
}

impl Network {
    /// Freezes the network for inference on its own device.
    pub fn into_inference(self) -> InferenceNetwork {
        let device = self.devices().into_iter().next().unwrap_or_default();
        self.into_inference_on(&device)
    }

    /// [`into_inference`](Self::into_inference) for faces on `device`, whose kernels have to run: weights
    /// that lie on the CPU are prepared there, and go over as the kernels read them.
    pub fn into_inference_on(self, device: &Device) -> InferenceNetwork {
        InferenceNetwork {
            config: self.config,
            layers: match self.layers {
                Layers::Paper2020(layers) => {
                    let prepared = layers.prepare(device);
                    FrozenLayers::Paper2020(layers, prepared)
                }
                Layers::Release2021(layers) => {
                    let prepared = layers.prepare(device);
                    FrozenLayers::Release2021(layers, prepared)
                }
            },
            painter: self.painter.map(InferencePainter::new),
        }
    }
}

impl InferenceNetwork {
    /// What kind of network this is.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// The mouth painter, where there is one.
    pub fn painter(&self) -> Option<&InferencePainter> {
        self.painter.as_ref()
    }

    /// The same network with parts that came in files of their own.
    pub(super) fn with_parts(&self, parts: Parts) -> Self {
        let mut whole = self.clone();
        if let Some(decoder) = parts.decoder {
            whole.config.decoder_apart = None;
            whole.layers = match (whole.layers, decoder.layers) {
                (FrozenLayers::Paper2020(layers, prepared), Layers::Paper2020(other)) => {
                    FrozenLayers::Paper2020(layers.with_decoder_of(other), prepared)
                }
                (FrozenLayers::Release2021(layers, prepared), Layers::Release2021(other)) => {
                    FrozenLayers::Release2021(layers.with_decoder_of(other), prepared)
                }
                // The decoder was read by this network's own configuration.
                (layers, _) => layers,
            };
        }
        if let Some((config, painter)) = parts.painter {
            whole.config.painter = Some(config);
            whole.painter = Some(InferencePainter::new(painter));
        }
        whole
    }

    /// [`Network::encode`].
    pub fn encode(&self, x: Tensor<4>, keep_gates: bool) -> Encoded {
        match &self.layers {
            FrozenLayers::Paper2020(layers, prepared) => {
                layers.encode(x, keep_gates, Some(prepared))
            }
            FrozenLayers::Release2021(layers, prepared) => {
                layers.encode(x, keep_gates, Some(prepared))
            }
        }
    }

    /// [`Network::decode`].
    pub fn decode(&self, encoded: &Encoded, target: Tensor<2>) -> Option<Synthesised> {
        let features = encoded.features.as_ref()?;
        let out = match &self.layers {
            FrozenLayers::Paper2020(layers, prepared) => {
                layers.decode(&encoded.x, features, target, Some(prepared))
            }
            FrozenLayers::Release2021(layers, prepared) => {
                layers.decode(&encoded.x, features, target, Some(prepared))
            }
        }?;
        Some(head::synthesise(self.config.head, &encoded.x, out))
    }
}

/// What a network does in both of its states, trainable ([`Network`]) and frozen ([`InferenceNetwork`]).
pub trait FaceNetwork {
    /// What kind of network this is.
    fn config(&self) -> &NetworkConfig;

    /// [`Network::encode`].
    fn encode(&self, x: Tensor<4>, keep_gates: bool) -> Encoded;

    /// [`Network::decode`].
    fn decode(&self, encoded: &Encoded, target: Tensor<2>) -> Option<Synthesised>;
}

impl FaceNetwork for Network {
    fn config(&self) -> &NetworkConfig {
        self.config()
    }

    fn encode(&self, x: Tensor<4>, keep_gates: bool) -> Encoded {
        self.encode(x, keep_gates)
    }

    fn decode(&self, encoded: &Encoded, target: Tensor<2>) -> Option<Synthesised> {
        self.decode(encoded, target)
    }
}

impl FaceNetwork for InferenceNetwork {
    fn config(&self) -> &NetworkConfig {
        self.config()
    }

    fn encode(&self, x: Tensor<4>, keep_gates: bool) -> Encoded {
        self.encode(x, keep_gates)
    }

    fn decode(&self, encoded: &Encoded, target: Tensor<2>) -> Option<Synthesised> {
        self.decode(encoded, target)
    }
}
