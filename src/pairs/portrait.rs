//! A portrait that was fitted: the face in three dimensions, where each part of it stands in the
//! photo, and how it moves.

use std::sync::Arc;

use image::RgbImage;

use super::fit::{CORNERS, Fit, LEFT_EYE, RIGHT_EYE, eye_distance, fit_neutral, fit_shown, middle};
use super::model::{FaceModel, LANDMARKS, Vector};
pub use super::posed::Posed;
use super::posed::{folds, front_triangles, lit};
use super::spline::Spline;
pub use super::unfit::Unfit;
use crate::face::{INNER_LIPS, MESH_POINTS, Point};

/// Landmarks that stay further from the photo's than this, in distances of the eyes, are no fit: of a
/// face taken as neutral, and of one whose expression was fitted too.
const MOST_RMS_NEUTRAL: f64 = 0.12;
const MOST_RMS_SHOWN: f64 = 0.085;

/// The sine of the angle to the side and up above which a face is turned away: half of it is hidden.
const MOST_TURNED: [f64; 2] = [0.42, 0.5];

/// Ring around the face on which what the fit leaves over ends, in distances of the eyes.
const RING: f64 = 2.6;
const RING_POINTS: usize = 10;

/// Ridge of the field of what the fit leaves over.
const SMOOTH: f64 = 0.004;

/// A smile that is closed leaves the mouth too wide, by what landmarks say of the person. The width of
/// the person's own neutral mouth follows from it by this line (82 persons of the Face Research Lab
/// London set, neutral and smiling; leave-one-out median 1.00, tenth to ninetieth 0.93 to 1.08).
const WIDTH_FROM_CLOSED: [f64; 2] = [0.147, 0.758];

/// Landmarks of the upper and lower inner lips that lie on each other when the mouth is shut.
pub(super) const INNER_UPPER: [usize; 3] = [61, 62, 63];
pub(super) const INNER_LOWER: [usize; 3] = [67, 66, 65];
const MOUTH: std::ops::Range<usize> = 48..68;
const NOSE: usize = 30;
pub(super) const CHIN: usize = 8;

/// Gaps of the inner lips through their corners' distance below which a mouth counts as shut.
const SHUT: f32 = 0.035;

/// How far lips that are shut are pressed over each other, in distances of the eyes.
const PRESSED: f64 = 0.015;

/// How far the edge of the lips may be off, in distances of the eyes.
const EDGE: f32 = 0.008;

/// What a photo is taken to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A neutral face.
    Neutral,
    /// Any expression: it is fitted too.
    Shown,
}

/// A fitted face in its photo.
#[derive(Debug, Clone)]
pub struct Portrait {
    /// The face model.
    pub model: Arc<FaceModel>,
    /// The photo.
    pub photo: Arc<RgbImage>,
    /// Who it is, what it shows, the camera.
    pub fit: Fit,
    /// The distance of the eyes in the photo, in pixels.
    pub eyes: f32,
    /// The person's right and left eye in the photo.
    pub eye_places: [[f32; 2]; 2],
    /// The photo's 68 landmarks.
    pub landmarks: [[f64; 2]; LANDMARKS],
    /// The inner edge of the lips in the photo, once around the mouth.
    pub inner_lips: [[f32; 2]; 20],
    /// Triangles outside of the mouth that can ever be seen: not the back of the head, nor that of the eyes.
    pub(super) front: Vec<u32>,
    /// The neutral face of the person, in the model's unit.
    neutral: Vec<Vector>,
    /// What the fit leaves over at each vertex, in the photo's pixels.
    rest: Vec<[f32; 2]>,
    /// What shuts and narrows the mouth of a smile that is drawn neutral, in the photo's pixels.
    shut: Option<Vec<[f32; 2]>>,
}

impl Portrait {
    /// Fits the face whose mesh is given, in pixels of the photo (the first covers 0..1).
    ///
    /// # Errors
    /// [`Unfit`] says why it cannot be drawn from.
    pub fn new(
        model: &Arc<FaceModel>,
        photo: &Arc<RgbImage>,
        mesh: &[Point],
        taken: Taken,
    ) -> Result<Self, Unfit> {
        let landmarks = landmarks_of(model, mesh).ok_or(Unfit::NoMesh)?;
        let eyes = eye_distance(&landmarks);
        if eyes < 16.0 {
            return Err(Unfit::Small(eyes));
        }
        let fit = match taken {
            Taken::Neutral => fit_neutral(model, &landmarks),
            Taken::Shown => fit_shown(model, &landmarks),
        };
        let fit = fit.ok_or(Unfit::NoSolution)?;
        let turned = fit.camera.turned();
        if turned
            .iter()
            .zip(MOST_TURNED)
            .any(|(sine, most)| sine.abs() > most)
        {
            let [aside, up] = turned.map(|sine| sine.abs().min(1.0).asin().to_degrees());
            return Err(Unfit::Turned { aside, up });
        }
        let most = match taken {
            Taken::Neutral => MOST_RMS_NEUTRAL,
            Taken::Shown => MOST_RMS_SHOWN,
        };
        if fit.rms > most {
            return Err(Unfit::DoesNotFit(fit.rms));
        }
        let neutral = model.person(&fit.identity);
        let eye = |range| middle(&landmarks, range).map(|value| value as f32);
        let mut portrait = Self {
            model: Arc::clone(model),
            photo: Arc::clone(photo),
            eyes: eyes as f32,
            eye_places: [eye(RIGHT_EYE), eye(LEFT_EYE)],
            landmarks,
            inner_lips: INNER_LIPS.map(|i| [mesh[i].x, mesh[i].y]),
            rest: vec![[0.0; 2]; neutral.len()],
            front: Vec::new(),
            neutral,
            fit,
            shut: None,
        };
        portrait.front = front_triangles(model, &portrait.fit.camera.project(&portrait.neutral));
        portrait.rest = portrait.left_over().ok_or(Unfit::NoSolution)?;
        if taken == Taken::Shown {
            portrait.shut = portrait.shutting();
        }
        Ok(portrait)
    }

    /// The face with these units, in absolute weights, one for each of the model's shapes.
    pub fn posed(&self, units: &[f32]) -> Posed {
        let mut face = self.neutral.clone();
        self.model.add(&mut face, units);
        let mut places = self.fit.camera.project(&face);
        let (light, facing) = lit(&self.model, &places);
        let shut = self.shut.as_ref().map(|shut| (shut, self.unlike(units)));
        for (i, place) in places.iter_mut().enumerate() {
            for axis in 0..2 {
                place[axis] += self.rest[i][axis];
                if let Some((shut, part)) = shut {
                    place[axis] += part * shut[i][axis];
                }
            }
        }
        Posed {
            places,
            light,
            facing,
            folds: folds(&self.model, units),
        }
    }

    /// How far units are from those of the photo: 0 for those, 1 for a neutral face.
    fn unlike(&self, units: &[f32]) -> f32 {
        let shown = &self.fit.units;
        let square: f32 = shown.iter().map(|weight| weight * weight).sum();
        let dot: f32 = shown.iter().zip(units).map(|(a, b)| a * b).sum();
        if square > 0.0 {
            1.0 - (dot / square).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// A landmark of a posed face.
    pub(super) fn landmark(&self, posed: &Posed, index: usize) -> Vector {
        posed.places[self.model.landmarks[index] as usize]
    }

    /// The distance of the mouth's corners in distances of the eyes, and the gap of the inner lips
    /// through the distance of their corners.
    pub fn mouth(&self, posed: &Posed) -> [f32; 2] {
        let flat = |index: usize| self.landmark(posed, index);
        let apart = |a: usize, b: usize| {
            let (a, b) = (flat(a), flat(b));
            (a[0] - b[0]).hypot(a[1] - b[1])
        };
        let gaps = INNER_UPPER.iter().zip(INNER_LOWER);
        let gap: f32 = gaps.map(|(upper, lower)| apart(*upper, lower)).sum::<f32>() / 3.0;
        [
            apart(CORNERS[0], CORNERS[1]) / self.eyes,
            gap / apart(60, 64).max(1e-3),
        ]
    }

    /// How far the photo's mouth is open: the gap of the inner lips' middle through the distance of their
    /// corners.
    pub fn opening(&self) -> f32 {
        let apart = |a: usize, b: usize| {
            let (a, b) = (self.inner_lips[a], self.inner_lips[b]);
            (a[0] - b[0]).hypot(a[1] - b[1])
        };
        apart(5, 15) / apart(0, 10).max(1e-3)
    }

    /// Whether the photo's mouth is shut.
    pub fn is_shut(&self) -> bool {
        self.opening() < SHUT
    }

    /// The inner edge of the lips, a little into the lips: the mesh is not exact, and teeth must not become
    /// lips.
    pub(super) fn lips_with_edge(&self) -> Vec<[f32; 2]> {
        let by = EDGE * self.eyes;
        let lips = self.inner_lips.iter().enumerate();
        lips.map(|(i, [x, y])| match i {
            1..=9 => [*x, y - by],
            11..=19 => [*x, y + by],
            _ => [*x, *y],
        })
        .collect()
    }

    /// What the fit leaves over at the landmarks, everywhere; nothing of it on a ring far outside.
    fn left_over(&self) -> Option<Vec<[f32; 2]>> {
        let posed = self.posed(&self.fit.units);
        let drawn = self.drawn_landmarks(&posed);
        let differences =
            std::array::from_fn(|i| [0, 1].map(|axis| self.landmarks[i][axis] - drawn[i][axis]));
        self.field(&drawn, &differences, &posed)
    }

    /// A smooth field that moves the landmarks by `differences`, at each vertex.
    fn field(
        &self,
        drawn: &[[f64; 2]; LANDMARKS],
        differences: &[[f64; 2]; LANDMARKS],
        posed: &Posed,
    ) -> Option<Vec<[f32; 2]>> {
        let unit = f64::from(self.eyes);
        let scaled = |at: [f64; 2]| at.map(|value| value / unit);
        let mut at: Vec<[f64; 2]> = drawn.iter().map(|at| scaled(*at)).collect();
        let mut values: Vec<[f64; 2]> = differences.iter().map(|at| scaled(*at)).collect();
        for i in 0..RING_POINTS {
            let angle = i as f64 * std::f64::consts::TAU / RING_POINTS as f64;
            let nose = scaled(self.landmarks[NOSE]);
            at.push([nose[0] + RING * angle.cos(), nose[1] + RING * angle.sin()]);
            values.push([0.0; 2]);
        }
        let field = Spline::through(&at, &values, SMOOTH)?;
        let value = |place: &Vector| {
            let place = scaled([f64::from(place[0]), f64::from(place[1])]);
            field.value(place).map(|value| (value * unit) as f32)
        };
        Some(posed.places.iter().map(value).collect())
    }

    fn drawn_landmarks(&self, posed: &Posed) -> [[f64; 2]; LANDMARKS] {
        std::array::from_fn(|i| {
            let at = self.landmark(posed, i);
            [f64::from(at[0]), f64::from(at[1])]
        })
    }

    /// What a smile's neutral mouth still lacks: the width of a neutral mouth, and lips that meet.
    fn shutting(&self) -> Option<Vec<[f32; 2]>> {
        let posed = self.posed(&vec![0.0; self.model.shapes.len()]);
        let drawn = self.drawn_landmarks(&posed);
        let [from, to] = CORNERS.map(|corner| drawn[corner]);
        let unit = f64::from(self.eyes);
        let width = f64::from(self.mouth(&posed)[0]).max(0.1);
        let wanted = WIDTH_FROM_CLOSED[0] + WIDTH_FROM_CLOSED[1] * width;
        let narrower = wanted / width - 1.0;
        let centre = [0, 1].map(|axis| (from[axis] + to[axis]) / 2.0);
        let mut differences = [[0.0; 2]; LANDMARKS];
        for i in MOUTH {
            for axis in 0..2 {
                // Along the line of the corners, which is nearly level.
                let along = drawn[i][axis] - centre[axis];
                differences[i][axis] = if axis == 0 { narrower * along } else { 0.0 };
            }
        }
        for (upper, lower) in INNER_UPPER.into_iter().zip(INNER_LOWER) {
            let gap = drawn[lower][1] - drawn[upper][1] + PRESSED * unit;
            let gap = gap.max(0.0);
            differences[upper][1] += gap / 2.0;
            differences[lower][1] -= gap / 2.0;
        }
        self.field(&drawn, &differences, &posed)
    }
}

/// The 68 landmarks among the mesh's points.
fn landmarks_of(model: &FaceModel, mesh: &[Point]) -> Option<[[f64; 2]; LANDMARKS]> {
    if mesh.len() < MESH_POINTS {
        return None;
    }
    let mut landmarks = [[0.0; 2]; LANDMARKS];
    for (at, index) in landmarks.iter_mut().zip(&model.mesh_points) {
        let point = mesh.get(*index as usize)?;
        let is_place = point.x.abs() < 1e5 && point.y.abs() < 1e5;
        if !is_place {
            return None;
        }
        *at = [f64::from(point.x), f64::from(point.y)];
    }
    Some(landmarks)
}
