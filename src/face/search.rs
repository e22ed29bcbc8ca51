//! The search for the faces of a picture: from small copies of it, in which large faces are found, to large
//! ones, which cost more.

use super::candidate::{Candidate, has_same_eyes, merge};
use super::{DetectedFace, FaceDetector, FaceError};
use crate::picture::Picture;

/// Longer side of the first look: with the rest of the network's input empty, a face that fills the picture
/// is about as large as those that the network was trained on.
const WHOLE: f32 = 170.0;

/// Further first looks at a small picture in which no face was found: tight and wide crops.
const SMALL_AGAIN: [f32; 3] = [110.0, 224.0, 72.0];

/// Longer side of the second look, which finds faces from about 1/17 of the picture on.
const CLOSE: f32 = 352.0;

/// Longer side of the third look, which finds faces from about 1/50 of the picture on. It costs
/// ten times the second and is taken when the others saw small faces or none.
const CLOSER: f32 = 1024.0;

/// A look is worth its time where the picture has so many times its pixels along a side.
const WORTH: f32 = 1.25;

/// A face below this many pixels in the second look is small: there may be smaller ones.
const SMALL_FACE: f32 = 48.0;

/// The most boxes to be looked at closely, the surest ones.
const MAX_CANDIDATES: usize = 100;

/// A face that is narrower in a look, in pixels, waits for the next one, which sees it better.
const CLEAR_FACE: f32 = 24.0;

/// A search look by look. A face is answered for as soon as a look has seen it clearly, so the largest ones
/// come first.
#[derive(Debug, Default)]
pub struct FaceSearch {
    looks: usize,
    candidates: Vec<Candidate>,
    faces: Vec<DetectedFace>,
}

impl FaceSearch {
    /// Takes the next look at the picture, which has to be the same each time: the faces that it adds, the largest
    /// first. None where nothing is left to be looked for.
    ///
    /// # Errors
    /// [`FaceError::Run`].
    pub async fn next(
        &mut self,
        detector: &FaceDetector,
        picture: &Picture,
    ) -> Result<Option<Vec<DetectedFace>>, FaceError> {
        let Some(longer) = self.next_size(picture) else {
            return Ok(None);
        };
        self.looks += 1;
        self.candidates
            .extend(detector.look(picture, longer).await?);
        let scale = longer / picture.width().max(picture.height()) as f32;
        let is_last = self.next_size(picture).is_none();
        let mut candidates = merge(self.candidates.clone());
        candidates.truncate(MAX_CANDIDATES);
        candidates.retain(|candidate| {
            let is_clear = candidate.bounds.width * scale >= CLEAR_FACE;
            (is_last || is_clear) && !self.faces.iter().any(|face| candidate.is_of(face))
        });
        let mut added = detector.confirm(picture, &candidates).await?;
        added.retain(|face| !self.faces.iter().any(|known| has_same_eyes(face, known)));
        self.faces.extend(&added);
        Ok(Some(added))
    }

    /// Longer side of the next look, in pixels.
    fn next_size(&self, picture: &Picture) -> Option<f32> {
        let longer = picture.width().max(picture.height()) as f32;
        if picture.as_image().is_empty() {
            return None;
        }
        if longer <= WORTH * WHOLE {
            let again = self.looks.checked_sub(1);
            return match again {
                None => Some(WHOLE),
                Some(again) if self.candidates.is_empty() => SMALL_AGAIN.get(again).copied(),
                Some(_) => None,
            };
        }
        let close = longer.min(CLOSE);
        let smallest = self.candidates.iter().map(|c| c.bounds.width);
        let smallest = smallest.fold(f32::INFINITY, f32::min);
        // Infinite where nothing was found.
        let may_be_smaller = smallest < SMALL_FACE * longer / close || self.candidates.is_empty();
        match self.looks {
            0 => Some(WHOLE),
            1 => Some(close),
            2 if longer > WORTH * CLOSE && may_be_smaller => Some(longer.min(CLOSER)),
            _ => None,
        }
    }
}
