//! The boxes that BlazeFace answers with: several of one face, made one.

use super::blazeface::Map;
use super::{Alignment, DetectedFace, Landmarks, Point, Rect};

/// Boxes that share more than this part of their joint area are one face.
const SAME_FACE: f32 = 0.3;

/// A box of which this part lies within a surer one is a part of that face.
const WITHIN: f32 = 0.7;

/// Least score of a box to be looked at closely.
const MIN_SCORE: f32 = 0.5;

/// Box sizes, in pixels of the look, at which the points are most exact.
const EXACT: std::ops::Range<f32> = 40.0..150.0;

/// Weight of a box outside of [`EXACT`] when one face's boxes are averaged.
const INEXACT_WEIGHT: f32 = 0.2;

/// One box that the network answered with, in picture coordinates.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// From the brow to the chin, about.
    pub bounds: Rect,
    /// Eyes, nose, mouth, ears, the subject's right first.
    points: [Point; 6],
    /// How sure the network is, 0..1.
    pub score: f32,
    /// What it counts where one face's boxes are averaged.
    weight: f32,
}

/// The boxes above [`MIN_SCORE`] in the answers to a view of so many columns, taken to the picture.
pub fn candidates(maps: &[Map], columns: usize, view: &Alignment) -> Vec<Candidate> {
    let width = columns as f32;
    let mut found = Vec::new();
    for map in maps {
        for (anchor, row, column) in cells(map) {
            let score = sigmoid(map.score(anchor, row, column));
            if score < MIN_SCORE {
                continue;
            }
            let value = |k| map.box_value(anchor, k, row, column);
            let cell = |i: usize| (i as f32 + 0.5) * map.stride as f32;
            let (x, y) = (cell(column), cell(row));
            let seen = |k| Point::new((x + value(k)) / width, (y + value(k + 1)) / width);
            found.push(Candidate {
                bounds: bounds(view, seen(0), value(2) / width, value(3) / width),
                points: [4, 6, 8, 10, 12, 14].map(|k| view.picture_from_face(seen(k))),
                score,
                weight: if EXACT.contains(&value(2)) {
                    score
                } else {
                    score * INEXACT_WEIGHT
                },
            });
        }
    }
    found.retain(Candidate::is_finite);
    found
}

fn cells(map: &Map) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
    let (anchors, rows, columns) = (map.anchors, map.rows, map.columns);
    (0..anchors).flat_map(move |anchor| {
        (0..rows).flat_map(move |row| (0..columns).map(move |column| (anchor, row, column)))
    })
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The upright rectangle in the picture of the same centre and size as the box in the view.
fn bounds(view: &Alignment, centre: Point, width: f32, height: f32) -> Rect {
    let centre = view.picture_from_face(centre);
    let (width, height) = (width * view.side(), height * view.side());
    Rect {
        x: centre.x - width / 2.0,
        y: centre.y - height / 2.0,
        width,
        height,
    }
}

/// Makes one of the boxes of one face, by their weighted mean, the surest first.
pub fn merge(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut faces: Vec<Candidate> = Vec::new();
    while let Some(best) = candidates.first().copied() {
        let same = |c: &Candidate| best.bounds.intersection_over_union(&c.bounds) > SAME_FACE;
        let (group, rest): (Vec<_>, Vec<_>) = candidates.into_iter().partition(same);
        candidates = rest;
        if !faces.iter().any(|face| best.is_part_of(face)) {
            faces.push(mean(&group, best));
        }
        // A box without area is not even like itself.
        if group.is_empty() {
            candidates.remove(0);
        }
    }
    faces
}

fn mean(group: &[Candidate], best: Candidate) -> Candidate {
    let total: f32 = group.iter().map(|c| c.weight).sum();
    if total <= 0.0 {
        return best;
    }
    let mean = |value: &dyn Fn(&Candidate) -> f32| {
        group.iter().map(|c| c.weight * value(c)).sum::<f32>() / total
    };
    Candidate {
        bounds: Rect {
            x: mean(&|c| c.bounds.x),
            y: mean(&|c| c.bounds.y),
            width: mean(&|c| c.bounds.width),
            height: mean(&|c| c.bounds.height),
        },
        points: std::array::from_fn(|i| {
            Point::new(mean(&|c| c.points[i].x), mean(&|c| c.points[i].y))
        }),
        score: best.score,
        weight: best.weight,
    }
}

impl Candidate {
    fn is_finite(&self) -> bool {
        let points = self
            .points
            .iter()
            .all(|p| p.x.is_finite() && p.y.is_finite());
        points && self.bounds.area().is_normal()
    }

    fn is_part_of(&self, face: &Self) -> bool {
        self.is_within(&face.bounds)
    }

    /// Whether it is a box of this face, which is known, or of a part of it.
    pub fn is_of(&self, face: &DetectedFace) -> bool {
        let same = self.bounds.intersection_over_union(&face.bounds) > SAME_FACE;
        same || self.is_within(&face.bounds)
    }

    /// Whether most of the smaller of the two, the box and a face's, lies in the other one.
    fn is_within(&self, face: &Rect) -> bool {
        let (a, b) = (&self.bounds, face);
        let width = (a.x + a.width).min(b.x + b.width) - a.x.max(b.x);
        let height = (a.y + a.height).min(b.y + b.height) - a.y.max(b.y);
        width.max(0.0) * height.max(0.0) > WITHIN * a.area().min(b.area())
    }

    /// The face with landmarks that were seen more closely.
    pub fn face(&self, landmarks: Landmarks) -> DetectedFace {
        DetectedFace {
            bounds: self.bounds,
            landmarks,
            score: self.score,
        }
    }

    /// The landmarks that the box itself says.
    pub fn landmarks(&self) -> Landmarks {
        let [right_eye, left_eye, nose, mouth, right_ear, left_ear] = self.points;
        Landmarks {
            left_eye,
            right_eye,
            nose,
            mouth,
            left_ear,
            right_ear,
        }
    }
}

/// Leaves out a face whose eyes the mesh placed where a surer face has them.
pub fn distinct(mut faces: Vec<DetectedFace>) -> Vec<DetectedFace> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<DetectedFace> = Vec::new();
    for face in faces {
        if !kept.iter().any(|other| has_same_eyes(&face, other)) {
            kept.push(face);
        }
    }
    kept
}

/// Whether another face's eyes are about where this one's are.
pub fn has_same_eyes(face: &DetectedFace, other: &DetectedFace) -> bool {
    let (left, right) = (face.landmarks.left_eye, face.landmarks.right_eye);
    let apart = other.landmarks.left_eye.distance(left) + other.landmarks.right_eye.distance(right);
    apart < left.distance(right)
}
