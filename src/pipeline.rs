//! The whole way in one place, for the command line and the page alike: picture -> faces ->
//! reading -> redrawn faces.

use burn::tensor::Device;
use thiserror::Error;

use crate::answer::{Answer, answer, temperature};
use crate::face::{Alignment, DetectedFace, FaceDetector, FaceError, Redrawn};
use crate::kernels::PlanError;
use crate::network::weights::WeightError;
use crate::network::{EncodedFace, Inference, NetworkConfig};
use crate::picture::Picture;
use crate::tensor::{face_values, read_back, redrawn_faces};

/// The weights that are shipped, see `weights/`.
#[cfg(feature = "native")]
pub const SHIPPED_WEIGHTS: &[u8] = include_bytes!("../weights/fersnet.safetensors");

/// Why a picture could not be answered.
#[derive(Debug, Error)]
pub enum PipelineError {
    /// The weight file is refused.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// The face detector failed.
    #[error(transparent)]
    Face(#[from] FaceError),
    /// The device did not answer.
    #[error("the device did not answer ({0}); reload, or choose the CPU")]
    Device(String),
    /// The device refused the network's kernels.
    #[error("{0}; reload, or choose the CPU")]
    Plan(#[from] PlanError),
    /// The network recognises only.
    #[error("these weights read expressions but redraw no face; choose weights of another variant")]
    NoSynthesis,
    /// The network's scores are not numbers.
    #[error(
        "these weights answer with scores that are not numbers: the file is damaged, or its training diverged"
    )]
    NotFinite,
    /// A weight of a target outside of 0 to 1.
    #[error("a target's weight is {0}; each has to be from 0 to 1")]
    TargetWeight(f32),
    /// A target with another number of weights than the network has classes.
    #[error("a target needs {expected} weights, one a class; {found} were given")]
    Target {
        /// Classes of the network.
        expected: usize,
        /// Weights that were given.
        found: usize,
    },
}

/// A network on a device together with the face detector.
pub struct Pipeline {
    detector: FaceDetector,
    inference: Inference,
    temperature: f32,
}

/// One face, read.
pub struct Reading {
    /// What the face shows.
    pub answer: Answer,
    /// Where the face lies in the picture.
    pub alignment: Alignment,
    face: EncodedFace,
}

impl Pipeline {
    /// Loads weights onto a device, and the embedded detector onto the CPU.
    ///
    /// # Errors
    /// [`PipelineError::Weights`] when the file is refused.
    #[cfg(feature = "native")]
    pub fn new(weights: &[u8], device: Device) -> Result<Self, PipelineError> {
        Self::with_detector(weights, FaceDetector::load(&Device::flex())?, device)
    }

    /// Loads weights onto a device. The detector is best on the CPU, where it is the same everywhere.
    ///
    /// # Errors
    /// [`PipelineError::Weights`] when the file is refused.
    pub fn with_detector(
        weights: &[u8],
        detector: FaceDetector,
        device: Device,
    ) -> Result<Self, PipelineError> {
        let inference = Inference::load(weights, device)?;
        Ok(Self {
            detector,
            temperature: temperature(inference.config()),
            inference,
        })
    }

    /// What kind of network answers.
    pub fn config(&self) -> &NetworkConfig {
        self.inference.config()
    }

    /// All faces of a picture, the largest first.
    ///
    /// # Errors
    /// [`PipelineError::Face`] when the detector fails.
    pub async fn find_faces(&self, picture: &Picture) -> Result<Vec<DetectedFace>, PipelineError> {
        Ok(self.detector.detect(picture).await?)
    }

    /// Reads the face at `alignment`.
    ///
    /// # Errors
    /// [`PipelineError::Device`] when the device is lost.
    pub async fn read(
        &self,
        picture: &Picture,
        alignment: Alignment,
    ) -> Result<Reading, PipelineError> {
        let values = face_values(picture, &alignment, self.config().channels);
        let (logits, face) = self.inference.encode(values)?;
        let logits = read_back(logits).await.map_err(PipelineError::Device)?;
        if logits.iter().any(|logit| !logit.is_finite()) {
            return Err(PipelineError::NotFinite);
        }
        Ok(Reading {
            answer: answer(&logits, self.temperature),
            alignment,
            face,
        })
    }

    /// Redraws a face that was read, once for each target (a weight for each class).
    ///
    /// # Errors
    /// [`PipelineError`] when the weights cannot redraw, a target does not fit or the device is lost.
    pub async fn redraw(
        &self,
        reading: &Reading,
        targets: &[Vec<f32>],
    ) -> Result<Vec<Redrawn>, PipelineError> {
        let classes = self.config().classes.len();
        if let Some(target) = targets.iter().find(|target| target.len() != classes) {
            return Err(PipelineError::Target {
                expected: classes,
                found: target.len(),
            });
        }
        let outside = |weight: &&f32| !(0.0..=1.0).contains(*weight);
        if let Some(weight) = targets.iter().flatten().find(outside) {
            return Err(PipelineError::TargetWeight(*weight));
        }
        let mut redrawn = Vec::with_capacity(targets.len());
        for batch in targets.chunks(classes) {
            let drawn = self.inference.decode(&reading.face, batch)?;
            let drawn = drawn.ok_or(PipelineError::NoSynthesis)?;
            let faces = redrawn_faces(drawn, batch.len()).await;
            redrawn.extend(faces.map_err(PipelineError::Device)?);
        }
        Ok(redrawn)
    }
}
