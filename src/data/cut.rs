//! A picture -> where the face lies in it, and of a large picture the part that holds the face.

use std::path::Path;

use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use super::cache::{Cache, Eyes};
use super::{CropRegion, Cut, DataError, Options, files};
use crate::face::alignment::{EYE_DISTANCE, EYE_LINE};
use crate::face::{Alignment, FaceDetector, FaceError, Point};
use crate::picture::Picture;

/// Side of the part that is kept of a large picture, in pixels.
const PART: u32 = 160;

/// Side of that part in aligned faces: the face's square with a quarter of it around, so that a
/// turned, moved or enlarged square still lies inside. The face is 107 pixels wide in it.
const ROOM: f32 = 1.5;

/// Where a layout mixes cut faces and photographs, pictures up to this many pixels are cut faces:
/// FER2013's have 48, RAF-DB's 100, those of the authors' release 110.
const CUT_ALREADY: u32 = 128;

/// What the pictures of a layout are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Photographs: the largest face is looked for.
    Photographs,
    /// Cut faces or photographs, by their size.
    BySize,
}

/// A picture with its face's place.
pub(super) struct Found {
    pub(super) picture: Picture,
    pub(super) crop_region: CropRegion,
    pub(super) digest: String,
}

/// What became of a picture: its face, or why it is skipped.
pub(super) type Outcome = Result<Found, String>;

/// Finds the faces of a data set; the detector is loaded when the first picture needs it.
pub(super) struct Cutter {
    cut: Cut,
    cache: Cache,
    search: Option<Search>,
}

/// The detector, and how often it was asked: a first reading may take minutes.
struct Search {
    detector: FaceDetector,
    searched: ProgressBar,
}

impl Cutter {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            cut: options.cut,
            cache: Cache::new(options.cache.as_deref()),
            search: None,
        }
    }

    /// The face in the bytes of a file.
    pub(super) fn find(
        &mut self,
        path: &Path,
        bytes: &[u8],
        kind: Kind,
    ) -> Result<Outcome, DataError> {
        let digest = files::digest(bytes);
        let picture = match decode(bytes) {
            Ok(picture) => picture,
            Err(reason) => return Ok(Err(reason)),
        };
        let longer = picture.width().max(picture.height());
        if kind == Kind::BySize && longer <= CUT_ALREADY {
            return self.cut_face(path, picture, digest).map(Ok);
        }
        if let Some(part) = self.cache.part(&digest, PART) {
            return Ok(Ok(in_part(part, digest)));
        }
        let Some((left, right)) = self.eyes(path, &picture, &digest)? else {
            return Ok(Err("no face was found in it".to_owned()));
        };
        let square = Alignment::from_eyes(left, right).moved(Point::new(0.0, 0.0), ROOM, 0.0);
        let part = Picture::from(square.crop(&picture, PART));
        self.cache.keep_part(&digest, &part)?;
        Ok(Ok(in_part(part, digest)))
    }

    /// A picture that is a face already: taken whole, or by its eyes where [`Cut::Eyes`] is asked
    /// for and a face is found. Its pixels are not touched.
    pub(super) fn cut_face(
        &mut self,
        path: &Path,
        picture: Picture,
        digest: String,
    ) -> Result<Found, DataError> {
        let eyes = match self.cut {
            Cut::Whole => None,
            Cut::Eyes => self.eyes(path, &picture, &digest)?,
        };
        Ok(Found {
            picture,
            crop_region: eyes.map_or(CropRegion::Whole, |(left, right)| {
                CropRegion::Eyes(left, right)
            }),
            digest,
        })
    }

    /// The eyes of the largest face, found now or before.
    fn eyes(
        &mut self,
        path: &Path,
        picture: &Picture,
        digest: &str,
    ) -> Result<Option<Eyes>, DataError> {
        if let Some(eyes) = self.cache.eyes(digest) {
            return Ok(eyes);
        }
        let error = |source| DataError::Detector {
            path: path.to_owned(),
            source,
        };
        let search = match &mut self.search {
            Some(search) => search,
            none => none.insert(Search::start().map_err(error)?),
        };
        let faces = pollster::block_on(search.detector.detect(picture)).map_err(error)?;
        search.searched.inc(1);
        let eyes = faces
            .first()
            .map(|face| (face.landmarks.left_eye, face.landmarks.right_eye));
        self.cache.keep_eyes(digest, eyes)?;
        Ok(eyes)
    }
}

impl Search {
    fn start() -> Result<Self, FaceError> {
        let searched = ProgressBar::no_length().with_finish(ProgressFinish::AndClear);
        if let Ok(style) = ProgressStyle::with_template(
            "looking for faces, once for each picture: {pos} done in {elapsed_precise}",
        ) {
            searched.set_style(style);
        }
        Ok(Self {
            detector: FaceDetector::load(&Device::flex())?,
            searched,
        })
    }
}

/// The kept part of a large picture: its eyes are where the cut put them.
fn in_part(part: Picture, digest: String) -> Found {
    let at = |across: f32, down: f32| {
        let pixel = |face: f32| (0.5 + (face - 0.5) / ROOM) * PART as f32;
        Point::new(pixel(across), pixel(down))
    };
    Found {
        picture: part,
        crop_region: CropRegion::Eyes(
            at(0.5 + EYE_DISTANCE / 2.0, EYE_LINE),
            at(0.5 - EYE_DISTANCE / 2.0, EYE_LINE),
        ),
        digest,
    }
}

/// The picture, or why it is skipped.
pub(super) fn decode(bytes: &[u8]) -> Result<Picture, String> {
    Picture::decode(bytes).map_err(|error| format!("cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;

    #[test]
    fn the_eyes_of_a_part_are_where_the_cut_put_them() {
        let (left, right) = (Point::new(320.0, 190.0), Point::new(250.0, 215.0));
        let square = Alignment::from_eyes(left, right).moved(Point::new(0.0, 0.0), ROOM, 0.0);
        let found = in_part(Picture::from(RgbImage::new(PART, PART)), String::new());
        let CropRegion::Eyes(part_left, part_right) = found.crop_region else {
            panic!("a part has eyes");
        };
        for (eye, in_part) in [(left, part_left), (right, part_right)] {
            let face = square.face_from_picture(eye);
            let expected = Point::new(face.x * PART as f32, face.y * PART as f32);
            assert!(
                expected.distance(in_part) < 1e-2,
                "{expected:?} {in_part:?}"
            );
        }
    }
}
