//! Inputs as the main network makes them: another mouth of the subject, moved and shaded towards the one that
//! is to be painted.

use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::mouths::Mouth;
use super::vary::Placed;
use crate::face::Alignment;
use crate::face::source::Source;
use crate::network::{FACE_SIZE, InferenceNetwork, Network, PainterConfig};
use crate::painter::MouthCrop;
use crate::tensor::{face_values, synthesised_faces};

/// The main network on the CPU.
pub struct OnNetwork {
    network: InferenceNetwork,
    device: Device,
}

impl OnNetwork {
    /// By a network on the CPU, whose controls the mouths' sets have.
    pub fn new(network: Network) -> Self {
        Self {
            network: network.into_inference(),
            device: Device::flex(),
        }
    }

    /// A mouth that the network opened from another one of the subject; none where there is none, or the
    /// network leaves it shut.
    pub(super) fn draw(
        &self,
        mouth: &Mouth<'_>,
        alignment: &Alignment,
        config: PainterConfig,
        rng: &mut StdRng,
    ) -> Option<Placed> {
        let target = mouth.face.controls.clone()?;
        let other = mouth.sources.choose(rng)?;
        let channels = self.network.config().channels;
        let values = face_values(&other.picture, alignment, channels);
        let shape = [1, channels, FACE_SIZE, FACE_SIZE];
        let face = Tensor::from_data(TensorData::new(values, shape), &self.device);
        let width = target.len();
        let target = Tensor::from_data(TensorData::new(target, [1, width]), &self.device);
        let encoded = self.network.encode(face, false);
        let drawn = self.network.decode(&encoded, target)?;
        let redrawn = pollster::block_on(synthesised_faces(drawn, 1))
            .ok()?
            .pop()?;
        let source = Source::photo(&other.picture, alignment);
        let crop = MouthCrop::of_synthesised(&source, &redrawn, config, mouth.tones, None)?;
        let photo = Source::photo(&mouth.face.picture, alignment);
        let real = MouthCrop::picture_in(&photo, &crop.frame, config);
        Some(Placed {
            crop,
            target: Some(real),
        })
    }
}
