//! Faces -> the same faces with another expression, in their pictures, and what networks read in them.

use burn::tensor::{Device, Tensor, TensorData};

use super::{EnlargeError, Named, Settings};
use crate::answer::{answer, temperature};
use crate::data::Face;
use crate::face::{Alignment, paste};
use crate::network::InferenceNetwork;
use crate::picture::Picture;
use crate::tensor::{planar_tensor, readback, synthesised_faces};

/// Draws and reads.
pub(super) struct Drawer<'a> {
    pub(super) drawer: &'a InferenceNetwork,
    pub(super) evaluators: &'a [Named<'a>],
    pub(super) settings: &'a Settings,
    pub(super) device: &'a Device,
}

/// A redrawn face.
pub(super) struct Drawn<'a> {
    /// The face that was redrawn.
    pub(super) source: &'a Face,
    /// Its picture with the new expression.
    pub(super) picture: Picture,
    /// Where the face lies in it.
    pub(super) alignment: Alignment,
    /// Probability that each network gives the new expression.
    pub(super) read: Vec<f32>,
}

impl Drawer<'_> {
    /// The faces with the expression `class`.
    pub(super) fn draw<'a>(
        &self,
        faces: &[&'a Face],
        class: usize,
    ) -> Result<Vec<Drawn<'a>>, EnlargeError> {
        let augmentation = self.settings.augmentation;
        let alignments: Vec<Alignment> = faces.iter().map(|face| augmentation.crop(face)).collect();
        let x = self.cut(
            faces
                .iter()
                .zip(&alignments)
                .map(|(face, at)| (&face.picture, at)),
            self.drawer,
        ); // [batch, k, size, size]
        let config = self.drawer.config();
        let target = config.preset(&config.classes[class]);
        let target = target.ok_or(EnlargeError::NoSynthesis)?;
        let shape = [faces.len(), target.len()];
        let target = TensorData::new(target.repeat(faces.len()), shape);
        let drawn = self
            .drawer
            .decode(
                &self.drawer.encode(x, false),
                Tensor::from_data(target, self.device),
            )
            .ok_or(EnlargeError::NoSynthesis)?;
        let redrawn = pollster::block_on(synthesised_faces(drawn, faces.len()))
            .map_err(EnlargeError::Device)?;
        let pictures: Vec<Picture> = faces
            .iter()
            .zip(&alignments)
            .zip(&redrawn)
            .map(|((face, at), redrawn)| paste(&face.picture, at, redrawn))
            .collect();
        // What is read is what is written: the face in its picture, cut again.
        let mut read = vec![Vec::with_capacity(self.evaluators.len()); faces.len()];
        for evaluator in self.evaluators {
            let x = self.cut(pictures.iter().zip(&alignments), evaluator.network);
            for (read, probability) in read.iter_mut().zip(self.read(evaluator, x, class)?) {
                read.push(probability);
            }
        }
        Ok(faces
            .iter()
            .zip(pictures)
            .zip(alignments)
            .zip(read)
            .map(|(((source, picture), alignment), read)| Drawn {
                source,
                picture,
                alignment,
                read,
            })
            .collect())
    }

    /// The faces as a network reads them, `[batch, k, size, size]`.
    fn cut<'a>(
        &self,
        faces: impl Iterator<Item = (&'a Picture, &'a Alignment)>,
        network: &InferenceNetwork,
    ) -> Tensor<4> {
        let size = self.settings.size;
        let pixels = faces.flat_map(|(picture, at)| at.crop_planar(picture, size as u32));
        planar_tensor(
            pixels.collect(),
            network.config().channels,
            size,
            self.device,
        )
    }

    /// The probability of `class` in each face, at the network's temperature, `[batch]`.
    fn read(
        &self,
        evaluator: &Named<'_>,
        x: Tensor<4>,
        class: usize,
    ) -> Result<Vec<f32>, EnlargeError> {
        let config = evaluator.network.config();
        let logits = evaluator.network.encode(x, false).logits; // [batch, E]
        let logits = pollster::block_on(readback(logits)).map_err(EnlargeError::Device)?;
        if logits.iter().any(|logit| !logit.is_finite()) {
            return Err(EnlargeError::NotFinite(evaluator.name.clone()));
        }
        let temperature = temperature(config);
        let rows = logits.chunks_exact(config.classes.len());
        Ok(rows
            .map(|row| answer(row, temperature).probabilities[class])
            .collect())
    }
}
