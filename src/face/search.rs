//! The search for the faces of a picture: from small copies of it, in which large faces are found, to large
//! ones, which cost more.

use super::candidate::{Candidate, merge};
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

/// A search that can be stopped between two looks. After the last, [`faces`](Self::faces) is what
/// [`FaceDetector::detect`] answers; before, it is what was found so far, the largest faces first.
pub struct FaceSearch<'a> {
    detector: &'a FaceDetector,
    picture: &'a Picture,
    looks: usize,
    candidates: Vec<Candidate>,
}

impl<'a> FaceSearch<'a> {
    pub(super) fn new(detector: &'a FaceDetector, picture: &'a Picture) -> Self {
        Self {
            detector,
            picture,
            looks: 0,
            candidates: Vec::new(),
        }
    }

    /// Takes the next look at the picture; false where nothing is left to be looked for.
    ///
    /// # Errors
    /// [`FaceError::Run`].
    pub async fn look(&mut self) -> Result<bool, FaceError> {
        let Some(longer) = self.next_size() else {
            return Ok(false);
        };
        self.looks += 1;
        let found = self.detector.look(self.picture, longer).await?;
        self.candidates.extend(found);
        Ok(true)
    }

    /// The faces that the looks so far have found, the largest first.
    ///
    /// # Errors
    /// [`FaceError::Run`].
    pub async fn faces(&self) -> Result<Vec<DetectedFace>, FaceError> {
        let mut candidates = merge(self.candidates.clone());
        candidates.truncate(MAX_CANDIDATES);
        self.detector.confirm(self.picture, &candidates).await
    }

    /// Longer side of the next look, in pixels.
    fn next_size(&self) -> Option<f32> {
        let longer = self.picture.width().max(self.picture.height()) as f32;
        if self.picture.as_image().is_empty() {
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
