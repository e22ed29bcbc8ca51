//! Who reads redrawn faces: an evaluator of another maker, or another FERSNet.

use burn::tensor::{Device, Tensor};

use super::{EvaluateError, Predictions, values};
use crate::answer::answer;
use crate::data::expressions::canonical;
use crate::data::{CropRegion, Face};
use crate::evaluator::{ExpressionEvaluator, Square};
use crate::network::{FACE_SIZE, InferenceNetwork};
use crate::tensor::{luma, planar_tensor};

/// Something that reads expressions. It should not have been used to train the network whose faces
/// it reads.
pub enum Reader {
    /// face-api.js's expression network.
    Other(Box<ExpressionEvaluator>),
    /// A FERSNet weight file.
    Network(Box<InferenceNetwork>),
}

impl Reader {
    /// The embedded evaluator.
    ///
    /// # Errors
    /// [`EvaluateError::Evaluator`] when its weights are damaged.
    pub fn embedded(device: &Device) -> Result<Self, EvaluateError> {
        Ok(Self::Other(Box::new(ExpressionEvaluator::load(device)?)))
    }

    /// What it is, in words.
    pub fn name(&self) -> String {
        match self {
            Reader::Other(_) => "face-api.js 1.7.15, expression network".to_owned(),
            Reader::Network(network) => {
                let config = network.config();
                let (edition, width) = (config.edition_name(), config.width);
                format!("FERSNet, {edition} edition, width {width}")
            }
        }
    }

    /// The expressions that it knows.
    pub fn classes(&self) -> Vec<String> {
        match self {
            Reader::Other(_) => ExpressionEvaluator::classes(),
            Reader::Network(network) => network.config().classes.clone(),
        }
    }

    /// The reader's class of each of these, by name or synonym; none where it does not know it.
    pub fn columns(&self, classes: &[String]) -> Vec<Option<usize>> {
        let known = self.classes();
        let same = |a: &str, b: &str| {
            a == b || canonical(a).is_some_and(|noun| canonical(b) == Some(noun))
        };
        classes
            .iter()
            .map(|class| known.iter().position(|own| same(own, class)))
            .collect()
    }

    /// Probabilities `[n][E]` over its own classes of faces `[n, k, size, size]` in 0..1.
    ///
    /// `by_eyes` says whether they are cut by the eyes; else the picture was the face.
    ///
    /// # Errors
    /// [`EvaluateError`] when the device is lost.
    pub fn read(&self, faces: Tensor<4>, by_eyes: bool) -> Result<Vec<Vec<f32>>, EvaluateError> {
        let logits = match self {
            Reader::Other(evaluator) if by_eyes => {
                evaluator.logits(faces, ExpressionEvaluator::EYE_ALIGNED)?
            }
            Reader::Other(evaluator) => evaluator.logits(faces, Square::WHOLE)?,
            Reader::Network(network) => {
                let faces = with_channels(faces, network.config().channels);
                let logits = network.encode(faces, false).logits; // [n, E]
                let count = logits.dims()[1];
                let rows = values(logits)?;
                rows.chunks_exact(count).map(<[f32]>::to_vec).collect()
            }
        };
        let probabilities = logits.iter().map(|row| answer(row, 1.0).probabilities);
        Ok(probabilities.collect())
    }

    /// What it says of real faces: the ceiling of what it can see in redrawn ones. Only faces whose
    /// expression it knows; `classes` are those of the faces.
    ///
    /// # Errors
    /// [`EvaluateError`] when it knows none of them or the device is lost.
    pub fn predict(
        &self,
        faces: &[Face],
        classes: &[String],
        batch: usize,
        device: &Device,
    ) -> Result<Predictions, EvaluateError> {
        let columns = self.columns(classes);
        let known = |face: &Face| columns.get(face.class?).copied().flatten();
        let mut predictions = Predictions {
            classes: self.classes(),
            ..Default::default()
        };
        for by_eyes in [true, false] {
            let of_this_cut: Vec<(&Face, usize)> = faces
                .iter()
                .filter(|face| matches!(face.crop_region, CropRegion::Eyes(..)) == by_eyes)
                .filter_map(|face| Some((face, known(face)?)))
                .collect();
            for chunk in of_this_cut.chunks(batch.max(1)) {
                let mut pixels = Vec::new();
                for (face, class) in chunk {
                    predictions.add(face, *class);
                    pixels.extend(face.planes(FACE_SIZE));
                }
                let x = planar_tensor(pixels, 3, FACE_SIZE, device); // [batch, 3, 96, 96]
                predictions.probabilities.extend(self.read(x, by_eyes)?);
            }
        }
        if predictions.labels.is_empty() {
            return Err(EvaluateError::Reader);
        }
        Ok(predictions)
    }
}

/// Faces `[n, k, h, w]` in grey or in colour: `[n, channels, h, w]`.
pub(super) fn with_channels(faces: Tensor<4>, channels: usize) -> Tensor<4> {
    match (faces.dims()[1], channels) {
        (1, 3) => faces.repeat_dim(1, 3),
        (3, 1) => {
            let weights = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(luma);
            let weights = Tensor::<1>::from_floats(weights, &faces.device());
            (faces * weights.reshape([1, 3, 1, 1])).sum_dim(1)
        }
        _ => faces,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_evaluator_knows_seven_of_the_eight_by_name_or_synonym() {
        let reader = Reader::embedded(&Device::flex()).expect("the embedded evaluator");
        let classes = ["Happy", "contempt", "neutral"].map(str::to_owned);
        assert_eq!(reader.columns(&classes), [Some(1), None, Some(0)]);
    }

    #[test]
    fn colour_becomes_its_luma_and_grey_three_equal_planes() {
        let device = Device::flex();
        let red = Tensor::<4>::from_data([[[[1.0]], [[0.0]], [[0.0]]]], &device);
        let grey = with_channels(red, 1);
        assert_eq!(grey.dims(), [1, 1, 1, 1]);
        assert!((values(grey.clone()).expect("a value")[0] - 0.299).abs() < 1e-6);
        assert_eq!(with_channels(grey, 3).dims(), [1, 3, 1, 1]);
    }
}
