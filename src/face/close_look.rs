//! The face mesh's look at a face that was found: whether it is one, and where exactly its landmarks are.

use super::candidate::{Candidate, distinct};
use super::facemesh::{self, Mesh};
use super::{Alignment, DetectedFace, FaceDetector, FaceError, Landmarks, Point};
use crate::picture::Picture;

/// From this presence on the mesh's word is taken that it is a face. Round things reach 0.86.
const MIN_PRESENCE: f32 = 0.9;

/// From this score on the box alone is taken as a face: nothing else was as sure in the tests.
const SURE_SCORE: f32 = 0.88;

/// Faces that are looked at closely in one pass.
const BATCH: usize = 8;

/// Zooms of the close look from the aligned face, each for those that the one before did not see.
/// The eyes are then 57, 46 and 37 pixels apart.
const CLOSE_ZOOMS: [f32; 3] = [1.12, 1.39, 1.7];

/// How far the mesh's eye points lie outwards and above the eyes of the training pictures, in eye
/// distances: the mean over the paired portraits.
const EYES_OUTWARD: f32 = 0.013;
const EYES_ABOVE: f32 = 0.02;

/// What the mesh sees at a place.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// How sure it is that there is a face, 0..1.
    pub presence: f32,
    /// Where its landmarks would be, in the picture.
    pub landmarks: Landmarks,
}

impl FaceDetector {
    /// The candidates that are faces, the largest first.
    pub(super) async fn confirm(
        &self,
        picture: &Picture,
        candidates: &[Candidate],
    ) -> Result<Vec<DetectedFace>, FaceError> {
        let mut faces = Vec::new();
        for candidates in candidates.chunks(BATCH) {
            let mut unseen = candidates.to_vec();
            for zoom in CLOSE_ZOOMS {
                let places: Vec<Landmarks> = unseen.iter().map(Candidate::landmarks).collect();
                let seen = self.look_closely(picture, &places, zoom).await?;
                let (found, rest): (Vec<_>, Vec<_>) = unseen
                    .into_iter()
                    .zip(seen)
                    .partition(|(_, seen)| seen.presence >= MIN_PRESENCE);
                faces.extend(found.iter().map(|(c, seen)| c.face(seen.landmarks)));
                unseen = rest.into_iter().map(|(c, _)| c).collect();
            }
            let sure = unseen.iter().filter(|c| c.score >= SURE_SCORE);
            faces.extend(sure.map(|c| c.face(c.landmarks())));
        }
        let mut faces = distinct(faces);
        faces.sort_by(|a, b| b.bounds.area().total_cmp(&a.bounds.area()));
        Ok(faces)
    }

    /// What the mesh sees of faces whose eyes are at about these places, in squares that are `zoom` times
    /// the aligned face's.
    pub(super) async fn look_closely(
        &self,
        picture: &Picture,
        places: &[Landmarks],
        zoom: f32,
    ) -> Result<Vec<Seen>, FaceError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let side = facemesh::INPUT;
        let view = |landmarks: &Landmarks| {
            let face = Alignment::from_eyes(landmarks.left_eye, landmarks.right_eye);
            face.moved(Point::new(0.0, 0.0), zoom, 0.0)
        };
        let views: Vec<Alignment> = places.iter().map(view).collect();
        let cut = views.iter().flat_map(|view| view.cut(picture, side, side));
        let meshes = self.mesh_raw(cut.collect()).await?;
        let seen = |(mesh, view): (Mesh, &Alignment)| {
            let scale = 1.0 / side as f32;
            let place = |p: Point| view.picture_from_face(Point::new(p.x * scale, p.y * scale));
            Seen {
                presence: mesh.presence,
                landmarks: corrected(mesh.landmarks().map(place)),
            }
        };
        Ok(meshes.into_iter().zip(&views).map(seen).collect())
    }
}

/// The mesh's eyes moved to where the training pictures have them.
fn corrected(landmarks: Landmarks) -> Landmarks {
    let (left, right) = (landmarks.left_eye, landmarks.right_eye);
    let (dx, dy) = (left.x - right.x, left.y - right.y);
    let moved = |eye: Point, inward: f32| {
        Point::new(
            eye.x + inward * dx - EYES_ABOVE * dy,
            eye.y + inward * dy + EYES_ABOVE * dx,
        )
    };
    Landmarks {
        left_eye: moved(left, -EYES_OUTWARD),
        right_eye: moved(right, EYES_OUTWARD),
        ..landmarks
    }
}
