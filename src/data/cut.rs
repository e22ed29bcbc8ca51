//! Bytes of a picture file -> the picture and where the face lies in it.

use std::path::Path;

use burn::tensor::Device;

use super::{Cut, DataError, Options, Place, files};
use crate::face::{FaceDetector, Point};
use crate::picture::Picture;

/// A picture with its face's place.
pub(super) struct Found {
    pub(super) picture: Picture,
    pub(super) place: Place,
    pub(super) digest: String,
}

/// What became of a picture: its face, or why it is left out.
pub(super) type Outcome = Result<Found, String>;

/// Finds the faces of a data set; the detector is loaded when the first picture needs it.
pub(super) struct Cutter {
    cut: Cut,
    detector: Option<FaceDetector>,
}

impl Cutter {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            cut: options.cut,
            detector: None,
        }
    }

    /// A picture that is a face already: taken whole, or by its eyes where [`Cut::Eyes`] is asked
    /// for and a face is found.
    pub(super) fn thumbnail(&mut self, path: &Path, bytes: &[u8]) -> Result<Outcome, DataError> {
        let picture = match decode(bytes) {
            Ok(picture) => picture,
            Err(reason) => return Ok(Err(reason)),
        };
        let digest = files::digest(bytes);
        let eyes = match self.cut {
            Cut::Whole => None,
            Cut::Eyes => self.eyes(path, &picture)?,
        };
        Ok(Ok(Found {
            picture,
            place: eyes.map_or(Place::Whole, |(left, right)| Place::Eyes(left, right)),
            digest,
        }))
    }

    /// The eyes of the largest face.
    fn eyes(
        &mut self,
        path: &Path,
        picture: &Picture,
    ) -> Result<Option<(Point, Point)>, DataError> {
        let error = |source| DataError::Detector {
            path: path.to_owned(),
            source,
        };
        let detector = match &mut self.detector {
            Some(detector) => detector,
            none => none.insert(FaceDetector::load(&Device::flex()).map_err(error)?),
        };
        let faces = pollster::block_on(detector.detect(picture)).map_err(error)?;
        let landmarks = faces.first().map(|face| face.landmarks);
        Ok(landmarks.map(|points| (points.left_eye, points.right_eye)))
    }
}

/// The picture, or why it is left out.
pub(super) fn decode(bytes: &[u8]) -> Result<Picture, String> {
    Picture::decode(bytes).map_err(|error| format!("cannot be read: {error}"))
}
