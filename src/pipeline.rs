//! The whole way in one place, for the command line and the page alike: picture -> faces ->
//! reading -> redrawn faces.

use burn::tensor::Device;
use thiserror::Error;

use crate::answer::{Answer, answer, temperature};
use crate::face::source::Source;
use crate::face::{Alignment, DetectedFace, FaceDetector, FaceError, Redrawn};
use crate::kernels::GraphError;
use crate::network::weights::WeightError;
use crate::network::{EncodedFace, Inference, NetworkConfig};
use crate::painter::{self, INPUTS, MouthCrop, OUTPUTS, Tones, painted_mouth, prepare};
use crate::picture::Picture;
use crate::target::{Target, TargetError};
use crate::tensor::{face_values, read_back, read_back_rows, redrawn_faces};

/// The weights that are shipped, see `weights/`.
#[cfg(feature = "native")]
pub const SHIPPED_WEIGHTS: &[u8] = include_bytes!("../weights/fersnet.safetensors");

/// The mouth painter of the shipped weights.
#[cfg(feature = "native")]
pub const SHIPPED_PAINTER: &[u8] = include_bytes!("../weights/fersnet-painter.safetensors");

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
    Plan(#[from] GraphError),
    /// The network recognises only.
    #[error("these weights read expressions but redraw no face; choose weights of another variant")]
    NoSynthesis,
    /// The network's scores are not numbers.
    #[error(
        "these weights answer with scores that are not numbers: the file is damaged, or its training diverged"
    )]
    NotFinite,
    /// A target is refused.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A target of another network.
    #[error("a target of these weights has {expected} values; {found} were given")]
    OtherTarget {
        /// Length of the network's targets.
        expected: usize,
        /// Values that were given.
        found: usize,
    },
}

/// A network on a device together with the face detector.
pub struct Pipeline {
    detector: FaceDetector,
    inference: Inference,
    temperature: f32,
    paints: bool,
}

/// One face, read.
pub struct Reading {
    /// What the face shows.
    pub answer: Answer,
    /// The controls that it shows, each 0 or more; empty where the network has none.
    pub controls: Vec<f32>,
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

    /// The shipped weights with their mouth painter, on a device.
    ///
    /// # Errors
    /// [`PipelineError`] when the device fails.
    #[cfg(feature = "native")]
    pub fn shipped(device: Device) -> Result<Self, PipelineError> {
        let pipeline = Self::new(SHIPPED_WEIGHTS, device)?;
        pipeline.add_painter(SHIPPED_PAINTER)?;
        Ok(pipeline)
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
            paints: true,
        })
    }

    /// Adds the mouth painter of a file of its own.
    ///
    /// # Errors
    /// [`PipelineError::Weights`] when the file is refused.
    pub fn add_painter(&self, file: &[u8]) -> Result<(), PipelineError> {
        Ok(self.inference.add_painter(file)?)
    }

    /// What kind of network answers.
    pub fn config(&self) -> &NetworkConfig {
        self.inference.config()
    }

    /// Whether opened mouths are painted, where the weights can; they are unless this says no.
    pub fn set_painting(&mut self, paints: bool) {
        self.paints = paints;
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
        let (scores, face) = self.inference.encode(values)?;
        let mut tables = vec![scores.logits];
        tables.extend(scores.units);
        let rows = read_back_rows(tables).await;
        let mut rows = rows.map_err(PipelineError::Device)?.into_iter();
        let (logits, units) = (
            rows.next().unwrap_or_default(),
            rows.next().unwrap_or_default(),
        );
        if logits.iter().chain(&units).any(|score| !score.is_finite()) {
            return Err(PipelineError::NotFinite);
        }
        Ok(Reading {
            answer: answer(&logits, self.temperature),
            controls: units.into_iter().map(|unit| unit.max(0.0)).collect(),
            alignment,
            face,
        })
    }

    /// Redraws a face that was read in `picture`, once for each target; with a painter in the weights,
    /// opened mouths are painted.
    ///
    /// # Errors
    /// [`PipelineError`] when the weights cannot redraw, a target is another network's or the device is
    /// lost.
    pub async fn redraw(
        &self,
        picture: &Picture,
        reading: &Reading,
        targets: &[Target],
    ) -> Result<Vec<Redrawn>, PipelineError> {
        let (classes, expected) = (self.config().classes.len(), self.config().target_width());
        if let Some(target) = targets
            .iter()
            .find(|target| target.values.len() != expected)
        {
            return Err(PipelineError::OtherTarget {
                expected,
                found: target.values.len(),
            });
        }
        let mut redrawn = Vec::with_capacity(targets.len());
        for batch in targets.chunks(classes) {
            let values: Vec<Vec<f32>> = batch.iter().map(|target| target.values.clone()).collect();
            let drawn = self.inference.decode(&reading.face, &values)?;
            let drawn = drawn.ok_or(PipelineError::NoSynthesis)?;
            let faces = redrawn_faces(drawn, batch.len()).await;
            redrawn.extend(faces.map_err(PipelineError::Device)?);
        }
        if self.paints {
            self.paint(picture, &reading.alignment, targets, &mut redrawn)
                .await?;
        }
        Ok(redrawn)
    }

    /// Paints the mouths that the redrawn faces open, all in one batch.
    async fn paint(
        &self,
        picture: &Picture,
        alignment: &Alignment,
        targets: &[Target],
        redrawn: &mut [Redrawn],
    ) -> Result<(), PipelineError> {
        let Some(config) = self.config().painter else {
            return Ok(());
        };
        if redrawn.iter().all(|one| painter::opened(one).is_none()) {
            return Ok(());
        }
        let cut = painter::face_to_crop(picture, alignment, redrawn, config);
        let source = match &cut {
            Some(face) => {
                let in_cut = Alignment::whole_picture(face.width(), face.height());
                Source::cut(face, in_cut, picture, alignment)
            }
            None => Source::photo(picture, alignment),
        };
        let tones = Tones::of(picture, alignment);
        let mouths = redrawn.iter().zip(targets).enumerate();
        let mouths = mouths.filter_map(|(index, (redrawn, target))| {
            let crop = MouthCrop::of_redrawn(&source, redrawn, config, tones, target.teeth)?;
            let prepared = prepare(&crop, config);
            Some((index, crop, prepared))
        });
        let mouths: Vec<_> = mouths.collect();
        let inputs = mouths.iter().flat_map(|(_, _, prepared)| &prepared.inputs);
        let inputs: Vec<f32> = inputs.copied().collect();
        let Some(out) = self.inference.paint(inputs, mouths.len()) else {
            return Ok(());
        };
        let out = read_back(out).await.map_err(PipelineError::Device)?;
        let each = OUTPUTS * config.crop_width * config.crop_height();
        for ((index, crop, prepared), out) in mouths.iter().zip(out.chunks_exact(each)) {
            redrawn[*index].mouth = Some(painted_mouth(out, crop, prepared, config));
        }
        Ok(())
    }

    /// Runs the painter once on nothing for each size of batch that it is given, so that the device has
    /// compiled all it needs; nothing where there is none.
    ///
    /// # Errors
    /// [`PipelineError::Device`] when the device is lost.
    pub async fn warm_up_painter(&self) -> Result<(), PipelineError> {
        let Some(config) = self.config().painter else {
            return Ok(());
        };
        let each = INPUTS * config.crop_width * config.crop_height();
        for count in [self.config().classes.len(), 1] {
            if let Some(out) = self.inference.paint(vec![0.0; count * each], count) {
                read_back(out).await.map_err(PipelineError::Device)?;
            }
        }
        Ok(())
    }
}
