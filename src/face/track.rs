//! Faces followed from frame to frame of a film: the face mesh alone looks where they were, and says when they
//! are lost. The detector looks for new ones now and then.

use super::candidate::has_same_eyes;
use super::{DetectedFace, FaceDetector, FaceError, Landmarks, Point, Rect};
use crate::picture::Picture;

/// The look's zoom from the aligned face: wider than the first of the detector's, for a face that moves.
const ZOOM: f32 = 1.39;

/// Below this presence the face is lost. Less than what the detector asks for: there was a face a moment ago.
const MIN_PRESENCE: f32 = 0.6;

/// A face that moved by more than this part of its eye distance is looked at again where it is now.
const MOVED: f32 = 0.12;

/// A face whose eyes are less than this many times as far apart as before, or more than its inverse, is
/// another one, or none.
const LEAST_SCALE: f32 = 0.6;

impl FaceDetector {
    /// Where each of some faces of the last frame is in this one; none where it is lost. Several times faster
    /// than [`FaceDetector::detect`], which finds the first place of a face.
    ///
    /// # Errors
    /// [`FaceError::Run`].
    pub async fn track(
        &self,
        frame: &Picture,
        last: &[DetectedFace],
    ) -> Result<Vec<Option<DetectedFace>>, FaceError> {
        if frame.as_image().is_empty() {
            return Ok(vec![None; last.len()]);
        }
        let places: Vec<Landmarks> = last.iter().map(|face| face.landmarks).collect();
        let seen = self.look_closely(frame, &places, ZOOM).await?;
        let found = last.iter().zip(seen);
        let mut found: Vec<Option<DetectedFace>> = found
            .map(|(face, seen)| moved(face, seen.landmarks, seen.presence))
            .collect();
        // Again those that moved: the mesh is most exact where the face is in its middle.
        let again: Vec<usize> = (0..last.len())
            .filter(|i| found[*i].is_some_and(|face| is_far(&face.landmarks, &places[*i])))
            .collect();
        let places: Vec<Landmarks> = again
            .iter()
            .filter_map(|i| found[*i].map(|face| face.landmarks))
            .collect();
        let seen = self.look_closely(frame, &places, ZOOM).await?;
        for (i, seen) in again.into_iter().zip(seen) {
            found[i] = moved(&last[i], seen.landmarks, seen.presence);
        }
        Ok(found)
    }
}

/// The face at its new landmarks; None where there is none.
fn moved(last: &DetectedFace, landmarks: Landmarks, presence: f32) -> Option<DetectedFace> {
    let eyes = |of: &Landmarks| {
        let (left, right) = (of.left_eye, of.right_eye);
        let middle = Point::new((left.x + right.x) / 2.0, (left.y + right.y) / 2.0);
        (middle, left.distance(right))
    };
    let ((from, before), (to, now)) = (eyes(&last.landmarks), eyes(&landmarks));
    let scale = now / before;
    let is_same = presence >= MIN_PRESENCE && scale.is_finite();
    if !is_same || !(LEAST_SCALE..=1.0 / LEAST_SCALE).contains(&scale) {
        return None;
    }
    let bounds = &last.bounds;
    Some(DetectedFace {
        bounds: Rect {
            x: to.x + (bounds.x - from.x) * scale,
            y: to.y + (bounds.y - from.y) * scale,
            width: bounds.width * scale,
            height: bounds.height * scale,
        },
        landmarks,
        score: presence,
    })
}

/// Whether an eye is not where the look was centred.
fn is_far(now: &Landmarks, then: &Landmarks) -> bool {
    let apart = now.left_eye.distance(then.left_eye);
    let apart = apart.max(now.right_eye.distance(then.right_eye));
    apart > MOVED * now.left_eye.distance(now.right_eye)
}

/// A face of a film, under the number that it keeps while it is followed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackedFace {
    /// Its number, from 0 on; none is used twice.
    pub id: u32,
    /// Where it is.
    pub face: DetectedFace,
}

/// The faces of a film.
#[derive(Debug, Clone)]
pub struct FaceTracker {
    /// Frames from one search of the detector to the next.
    every: usize,
    /// Frames since the last one.
    since: usize,
    next_id: u32,
    faces: Vec<TrackedFace>,
}

impl FaceTracker {
    /// A tracker that looks for new faces every so many frames, and in each frame while it has none.
    pub fn new(every: usize) -> Self {
        Self {
            every: every.max(1),
            since: 0,
            next_id: 0,
            faces: Vec::new(),
        }
    }

    /// The faces of the next frame, the largest first.
    ///
    /// # Errors
    /// [`FaceError::Run`].
    pub async fn next(
        &mut self,
        detector: &FaceDetector,
        frame: &Picture,
    ) -> Result<&[TrackedFace], FaceError> {
        self.since += 1;
        let last: Vec<DetectedFace> = self.faces.iter().map(|tracked| tracked.face).collect();
        let followed = detector.track(frame, &last).await?;
        let followed = self.faces.iter().zip(followed);
        self.faces = followed
            .filter_map(|(tracked, face)| face.map(|face| TrackedFace { face, ..*tracked }))
            .collect();
        if self.faces.is_empty() || self.since >= self.every {
            self.since = 0;
            self.find_anew(detector.detect(frame).await?);
        }
        let area = |tracked: &TrackedFace| tracked.face.bounds.area();
        self.faces.sort_by(|a, b| area(b).total_cmp(&area(a)));
        Ok(&self.faces)
    }

    /// The faces that the detector found, those that were followed under the numbers that they have.
    fn find_anew(&mut self, found: Vec<DetectedFace>) {
        let before = std::mem::take(&mut self.faces);
        for face in found {
            let known = before
                .iter()
                .find(|tracked| has_same_eyes(&face, &tracked.face));
            let id = known.map_or(self.next_id, |tracked| tracked.id);
            self.next_id = self.next_id.max(id + 1);
            self.faces.push(TrackedFace { id, face });
        }
    }
}
