//! The whole way in one place, for the command line and the page alike: picture -> [`Face`]s ->
//! [`RecognisedFace`]s -> [`SynthesisedFace`]s.

use std::cell::OnceCell;

use burn::tensor::Device;
use thiserror::Error;

use crate::answer::{Answer, answer, temperature};
use crate::explain::{GateMap, PLACES, Receiver, covered};
use crate::face::source::Source;
use crate::face::{
    Alignment, Doubt, Face, FaceDetector, FaceError, FaceQuality, FaceSearch, FaceTracker,
    MouthFrame, SynthesisedFace, TrackedFace,
};
use crate::kernels::{Gates, GraphError};
use crate::network::weights::WeightError;
use crate::network::{EncodedFace, FACE_SIZE, Inference, NetworkConfig};
use crate::painter::{
    self, INPUTS, MouthCrop, OUTPUTS, Tones, painted_mouth, prepare, teeth_share,
};
use crate::picture::Picture;
use crate::target::{Target, TargetError};
use crate::tensor::{face_values, readback, readback_maps, readback_rows, synthesised_faces};

/// Frames of a film in which a mouth that was painted, and the face's own, are taken for those of the frame before.
/// The painter takes several times as long as the rest of a frame.
const KEPT_FRAMES: usize = 5;

/// The weights that are shipped: what recognises. See `weights/`.
#[cfg(feature = "native")]
pub const SHIPPED_RECOGNITION: &[u8] = include_bytes!("../weights/fersnet.safetensors");

/// The decoder of the shipped weights.
#[cfg(feature = "native")]
pub const SHIPPED_DECODER: &[u8] = include_bytes!("../weights/fersnet-decoder.safetensors");

/// The mouth painter of the shipped weights.
#[cfg(feature = "native")]
pub const SHIPPED_PAINTER: &[u8] = include_bytes!("../weights/fersnet-painter.safetensors");

/// The shipped network with its decoder, as one weight file.
///
/// # Errors
/// [`WeightError`] when the crate was built with files that do not belong together.
#[cfg(feature = "native")]
pub fn shipped_weights() -> Result<Vec<u8>, WeightError> {
    crate::network::parts::join(SHIPPED_RECOGNITION, SHIPPED_DECODER)
}

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
    Graph(#[from] GraphError),
    /// The network recognises only.
    #[error(
        "these weights recognise expressions but synthesise no face; choose weights of another variant"
    )]
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

/// A face whose expression was recognised: only such a one can be synthesised.
pub struct RecognisedFace {
    /// The face.
    pub face: Face,
    /// What it shows.
    pub answer: Answer,
    /// What makes the answer doubtful.
    pub doubts: Vec<Doubt>,
    /// The controls that it shows, each 0 or more; empty where the network has none.
    pub controls: Vec<f32>,
    encoded: EncodedFace,
    /// The inside of its mouth as the network sees it, from the first time that it is synthesised on.
    own_mouth: OnceCell<Option<Vec<f32>>>,
}

/// What a film keeps of a followed face from one frame to the next.
#[derive(Debug, Clone)]
pub struct KeptFace {
    /// As it was synthesised last.
    pub made: SynthesisedFace,
    /// What it was made to show.
    target: Target,
    /// Frames since its mouth was looked at, and painted.
    age: usize,
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
        let pipeline = Self::new(SHIPPED_RECOGNITION, device)?;
        pipeline.add_parts(&[SHIPPED_DECODER, SHIPPED_PAINTER])?;
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

    /// Adds the parts of files of their own, the decoder and the mouth painter, once; each file says which it is.
    ///
    /// # Errors
    /// [`PipelineError::Weights`] when a file is refused, or belongs to another network.
    pub fn add_parts(&self, files: &[&[u8]]) -> Result<(), PipelineError> {
        Ok(self.inference.add_parts(files)?)
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
    pub async fn find_faces(&self, picture: &Picture) -> Result<Vec<Face>, PipelineError> {
        let found = self.detector.detect(picture).await?;
        Ok(found.into_iter().map(Face::Found).collect())
    }

    /// Takes the next look of a search: the faces that it adds, the largest first. None where nothing is left to be
    /// looked for.
    ///
    /// # Errors
    /// [`PipelineError::Face`] when the detector fails.
    pub async fn look(
        &self,
        picture: &Picture,
        search: &mut FaceSearch,
    ) -> Result<Option<Vec<Face>>, PipelineError> {
        let added = search.next(&self.detector, picture).await?;
        Ok(added.map(|added| added.into_iter().map(Face::Found).collect()))
    }

    /// The faces of the next frame of a film, the largest first, each under the number that it keeps.
    ///
    /// # Errors
    /// [`PipelineError::Face`] when the detector fails.
    pub async fn follow<'a>(
        &self,
        frame: &Picture,
        tracker: &'a mut FaceTracker,
    ) -> Result<&'a [TrackedFace], PipelineError> {
        Ok(tracker.next(&self.detector, frame).await?)
    }

    /// Recognises the expression of a face of `picture`.
    ///
    /// # Errors
    /// [`PipelineError::Device`] when the device is lost.
    pub async fn recognise(
        &self,
        picture: &Picture,
        face: Face,
    ) -> Result<RecognisedFace, PipelineError> {
        let values = face_values(picture, &face.alignment(), self.config().channels);
        let (scores, encoded) = self.inference.encode(values)?;
        let mut tables = vec![scores.logits];
        tables.extend(scores.units);
        let rows = readback_rows(tables).await;
        let mut rows = rows.map_err(PipelineError::Device)?.into_iter();
        let (logits, units) = (
            rows.next().unwrap_or_default(),
            rows.next().unwrap_or_default(),
        );
        if logits.iter().chain(&units).any(|score| !score.is_finite()) {
            return Err(PipelineError::NotFinite);
        }
        Ok(RecognisedFace {
            doubts: FaceQuality::of(picture, &face).doubts(),
            face,
            answer: answer(&logits, self.temperature),
            controls: units.into_iter().map(|unit| unit.max(0.0)).collect(),
            encoded,
            own_mouth: OnceCell::new(),
        })
    }

    /// The gates of the ConvFLU pairs for a face of `picture`, shallowest first, recognition's before synthesis';
    /// none where the network has no pairs.
    ///
    /// # Errors
    /// [`PipelineError::Device`] when the device is lost.
    pub async fn gates(
        &self,
        picture: &Picture,
        face: &Face,
    ) -> Result<Vec<GateMap>, PipelineError> {
        let values = face_values(picture, &face.alignment(), self.config().channels);
        let (mut places, mut maps) = (Vec::new(), Vec::new());
        for (pair, gates) in self.inference.gates(values).into_iter().enumerate() {
            let each = [
                (Receiver::Recognition, gates.fer),
                (Receiver::Synthesis, gates.fes),
            ];
            for (receiver, Gates { r, z }) in each {
                places.push((pair + 1, receiver, r.dims()[3]));
                maps.extend([r, z]); // [1, C, side, side] each
            }
        }
        if maps.is_empty() {
            return Ok(Vec::new());
        }
        let read = readback_maps(maps).await.map_err(PipelineError::Device)?;
        let convention = self.config().edition.gate_convention();
        let maps = places.into_iter().zip(read.chunks_exact(2));
        let maps = maps.map(|((level, receiver, side), gates)| {
            GateMap::of(level, receiver, side, [&gates[0], &gates[1]], convention)
        });
        Ok(maps.collect())
    }

    /// The probability of a face's expression while a grey patch covers a part of it: one for each place of the
    /// patch in a row of places, from the left.
    ///
    /// # Errors
    /// [`PipelineError::Device`] when the device is lost.
    pub async fn covered(
        &self,
        picture: &Picture,
        face: &RecognisedFace,
        row: usize,
    ) -> Result<Vec<f32>, PipelineError> {
        let values = face_values(picture, &face.face.alignment(), self.config().channels);
        let mut probabilities = Vec::with_capacity(PLACES);
        for column in 0..PLACES {
            // One by one: a GPU has its graph captured for one face, a page's CPU is one thread.
            let (scores, _) = self.inference.encode(covered(&values, row, column))?;
            let rows = readback_rows(vec![scores.logits]).await;
            let logits = rows.map_err(PipelineError::Device)?.concat();
            let covered = answer(&logits, self.temperature);
            probabilities.push(covered.probabilities[face.answer.expression]);
        }
        Ok(probabilities)
    }

    /// Synthesises a face that was recognised in `picture` with other expressions, once for each target; with a painter in the weights,
    /// opened mouths are painted.
    ///
    /// # Errors
    /// [`PipelineError`] when the weights cannot synthesise, a target is another network's or the device is
    /// lost.
    pub async fn synthesise(
        &self,
        picture: &Picture,
        face: &RecognisedFace,
        targets: &[Target],
    ) -> Result<Vec<SynthesisedFace>, PipelineError> {
        let mut synthesised = self.drawn(face, targets).await?;
        self.finish(picture, face, targets, &mut synthesised)
            .await?;
        Ok(synthesised)
    }

    /// Synthesises a followed face in a frame of a film. Its mouth's inside is that of a frame before, in `kept`, where
    /// that is recent and of the same target; else it is computed as in [`synthesise`](Self::synthesise). What is
    /// synthesised is kept.
    ///
    /// # Errors
    /// As of [`synthesise`](Self::synthesise).
    pub async fn synthesise_followed(
        &self,
        frame: &Picture,
        face: &RecognisedFace,
        target: &Target,
        kept: &mut Option<KeptFace>,
    ) -> Result<SynthesisedFace, PipelineError> {
        let targets = std::slice::from_ref(target);
        let mut drawn = self.drawn(face, targets).await?;
        let paints = self.paints && self.config().painter.is_some();
        let is_painted = paints && drawn.iter().any(|one| painter::opened(one).is_some());
        let recent = kept.take().filter(|kept| {
            let is_same = kept.target == *target && kept.made.mouth.is_some() == is_painted;
            is_same && kept.age < KEPT_FRAMES
        });
        let age = if let Some(KeptFace { made, age, .. }) = recent {
            let own_mouth = made.change.and_then(|change| change.own_mouth);
            for one in &mut drawn {
                one.mouth.clone_from(&made.mouth);
                if let Some(change) = &mut one.change {
                    change.own_mouth.clone_from(&own_mouth);
                }
            }
            age + 1
        } else {
            self.finish(frame, face, targets, &mut drawn).await?;
            0
        };
        let made = drawn.into_iter().next().ok_or(PipelineError::NoSynthesis)?;
        *kept = Some(KeptFace {
            made: made.clone(),
            target: target.clone(),
            age,
        });
        Ok(made)
    }

    /// The faces as the network alone draws them, once for each target.
    async fn drawn(
        &self,
        face: &RecognisedFace,
        targets: &[Target],
    ) -> Result<Vec<SynthesisedFace>, PipelineError> {
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
        let mut synthesised = Vec::with_capacity(targets.len());
        for batch in targets.chunks(classes) {
            let values: Vec<Vec<f32>> = batch
                .iter()
                .map(|target| target.values_for(&face.controls))
                .collect();
            let drawn = self.inference.decode(&face.encoded, &values)?;
            let drawn = drawn.ok_or(PipelineError::NoSynthesis)?;
            let faces = synthesised_faces(drawn, batch.len()).await;
            synthesised.extend(faces.map_err(PipelineError::Device)?);
        }
        Ok(synthesised)
    }

    /// Gives synthesised faces the face's own mouth, and paints the mouths that they open.
    async fn finish(
        &self,
        picture: &Picture,
        face: &RecognisedFace,
        targets: &[Target],
        synthesised: &mut [SynthesisedFace],
    ) -> Result<(), PipelineError> {
        let own_mouth = self.own_mouth(face).await?;
        for change in synthesised.iter_mut().filter_map(|one| one.change.as_mut()) {
            change.own_mouth.clone_from(own_mouth);
        }
        if self.paints {
            let alignment = face.face.alignment();
            let own = own_mouth
                .as_deref()
                .filter(|_| targets.iter().any(|t| t.own_teeth > 0.0));
            let own = own.and_then(|map| self.teeth_of(picture, &alignment, map));
            let teeth: Vec<_> = targets.iter().map(|target| target.teeth_for(own)).collect();
            self.paint(picture, &alignment, &teeth, synthesised).await?;
        }
        Ok(())
    }

    /// The inside of the mouth of a face: the map of the same face, synthesised as it is. None where the
    /// weights have no such map, or the mouth is shut.
    async fn own_mouth<'a>(
        &self,
        face: &'a RecognisedFace,
    ) -> Result<&'a Option<Vec<f32>>, PipelineError> {
        if let Some(known) = face.own_mouth.get() {
            return Ok(known);
        }
        let mut map = None;
        if !face.controls.is_empty() {
            let as_it_is = std::slice::from_ref(&face.controls);
            if let Some(drawn) = self.inference.decode(&face.encoded, as_it_is)? {
                let faces = synthesised_faces(drawn, 1)
                    .await
                    .map_err(PipelineError::Device)?;
                let change = faces.into_iter().next().and_then(|one| one.change);
                map = change.and_then(|change| change.cover);
            }
        }
        let map = map.filter(|map| MouthFrame::around(map, FACE_SIZE).is_some());
        Ok(face.own_mouth.get_or_init(|| map))
    }

    /// The share of teeth that the mouth of a photo shows, by the map of its inside.
    fn teeth_of(&self, picture: &Picture, alignment: &Alignment, map: &[f32]) -> Option<f32> {
        let config = self.config().painter?;
        let crop = MouthCrop::of_photo(picture, alignment, map, FACE_SIZE, config)?;
        let distance = prepare(&crop, config).distance;
        Some(teeth_share(&crop.picture, &distance, &crop.tones, config))
    }

    /// Paints the mouths that the synthesised faces open, all in one batch; `teeth` has a share for each of them.
    async fn paint(
        &self,
        picture: &Picture,
        alignment: &Alignment,
        teeth: &[Option<f32>],
        synthesised: &mut [SynthesisedFace],
    ) -> Result<(), PipelineError> {
        let Some(config) = self.config().painter else {
            return Ok(());
        };
        if synthesised.iter().all(|one| painter::opened(one).is_none()) {
            return Ok(());
        }
        let cut = painter::face_to_crop(picture, alignment, synthesised, config);
        let source = match &cut {
            Some(face) => {
                let in_cut = Alignment::whole_picture(face.width(), face.height());
                Source::cut(face, in_cut, picture, alignment)
            }
            None => Source::photo(picture, alignment),
        };
        let tones = Tones::of(picture, alignment);
        let mouths = synthesised.iter().zip(teeth).enumerate();
        let mouths = mouths.filter_map(|(index, (synthesised, teeth))| {
            let crop = MouthCrop::of_synthesised(&source, synthesised, config, tones, *teeth)?;
            let prepared = prepare(&crop, config);
            Some((index, crop, prepared))
        });
        let mouths: Vec<_> = mouths.collect();
        let inputs = mouths.iter().flat_map(|(_, _, prepared)| &prepared.inputs);
        let inputs: Vec<f32> = inputs.copied().collect();
        let Some(out) = self.inference.paint(inputs, mouths.len()) else {
            return Ok(());
        };
        let out = readback(out).await.map_err(PipelineError::Device)?;
        let each = OUTPUTS * config.crop_width * config.crop_height();
        for ((index, crop, prepared), out) in mouths.iter().zip(out.chunks_exact(each)) {
            synthesised[*index].mouth = Some(painted_mouth(out, crop, prepared, config));
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
                readback(out).await.map_err(PipelineError::Device)?;
            }
        }
        Ok(())
    }
}
