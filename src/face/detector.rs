//! A picture -> its faces: BlazeFace finds them at two or three sizes of the picture, the face mesh
//! says of each whether it is one and where exactly its eyes are.

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::blazeface::{BlazeFace, Map};
use super::facemesh::{self, FaceMesh, Mesh};
use super::{Alignment, DetectedFace, FaceError, Landmarks, Point, Rect};
use crate::picture::Picture;

/// The network's own input: it is never given less.
const INPUT: usize = 256;

/// Sizes have to be multiples of this.
const MULTIPLE: usize = 32;

/// Empty pixels around the picture, so that a face at its border is seen whole.
const BORDER: usize = 16;

/// Longer side of the first look: with the rest of [`INPUT`] empty, a face that fills the picture
/// is about as large as those that the network was trained on.
const WHOLE: f32 = 170.0;

/// Further first looks at a small picture in which no face was found: tight and wide crops.
const SMALL_AGAIN: [f32; 3] = [110.0, 224.0, 72.0];

/// Longer side of the second look, which finds faces from about 1/17 of the picture on.
const CLOSE: f32 = 352.0;

/// Longer side of the third look, which finds faces from about 1/50 of the picture on. It costs
/// ten times the first and is taken when the others saw small faces or none.
const CLOSER: f32 = 1024.0;

/// A face below this many pixels in the second look is small: there may be smaller ones.
const SMALL_FACE: f32 = 48.0;

/// Least score of a box to be looked at closely.
const MIN_SCORE: f32 = 0.5;

/// From this presence on the mesh's word is taken that it is a face. Round things reach 0.86.
const MIN_PRESENCE: f32 = 0.9;

/// From this score on the box alone is taken as a face: nothing else was as sure in the tests.
const SURE_SCORE: f32 = 0.88;

/// The most boxes to be looked at closely, the surest ones.
const MAX_CANDIDATES: usize = 100;

/// Faces that are looked at closely in one pass.
const BATCH: usize = 8;

/// Zooms of the close look from the aligned face, each for those that the one before did not see.
/// The eyes are then 57, 46 and 37 pixels apart.
const CLOSE_ZOOMS: [f32; 3] = [1.12, 1.39, 1.7];

/// Boxes that share more than this part of their joint area are one face.
const SAME_FACE: f32 = 0.3;

/// A box of which this part lies within a surer one is a part of that face.
const WITHIN: f32 = 0.7;

/// Box sizes, in pixels of the look, at which the points are most exact.
const EXACT: std::ops::Range<f32> = 40.0..150.0;

/// Weight of a box outside of [`EXACT`] when one face's boxes are averaged.
const INEXACT_WEIGHT: f32 = 0.2;

/// How far the mesh's eye points lie outwards and above the eyes of the training pictures, in eye
/// distances: the mean over the paired portraits.
const EYES_OUTWARD: f32 = 0.013;
const EYES_ABOVE: f32 = 0.02;

/// Finds the faces in a picture.
#[derive(Debug, Clone)]
pub struct FaceDetector {
    boxes: BlazeFace,
    mesh: FaceMesh,
    device: Device,
}

/// One box that the network answered with, in picture coordinates.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    bounds: Rect,
    points: [Point; 6],
    score: f32,
    weight: f32,
}

impl FaceDetector {
    /// The detector with its embedded weights. Meant for Burn's CPU backend, `Device::flex()`.
    ///
    /// # Errors
    /// [`FaceError::Weights`] when they are damaged.
    #[cfg(feature = "native")]
    pub fn load(device: &Device) -> Result<Self, FaceError> {
        Ok(Self {
            boxes: BlazeFace::load(device)?,
            mesh: FaceMesh::load(device)?,
            device: device.clone(),
        })
    }

    /// The detector with the bytes of `blazeface.safetensors` and `facemesh.safetensors`.
    ///
    /// # Errors
    /// [`FaceError::Weights`] when they are damaged.
    pub fn from_bytes(boxes: &[u8], mesh: &[u8], device: &Device) -> Result<Self, FaceError> {
        Ok(Self {
            boxes: BlazeFace::from_bytes(boxes, device)?,
            mesh: FaceMesh::from_bytes(mesh, device)?,
            device: device.clone(),
        })
    }

    /// All faces, the largest first.
    pub async fn detect(&self, picture: &Picture) -> Result<Vec<DetectedFace>, FaceError> {
        if picture.as_image().is_empty() {
            return Ok(Vec::new());
        }
        let longer = picture.width().max(picture.height()) as f32;
        let mut candidates = self.look(picture, WHOLE).await?;
        if longer > 1.25 * WHOLE {
            let close = longer.min(CLOSE);
            candidates.extend(self.look(picture, close).await?);
            let small = SMALL_FACE * longer / close;
            let smallest = candidates.iter().map(|c| c.bounds.width);
            let smallest = smallest.fold(f32::INFINITY, f32::min);
            if longer > 1.25 * CLOSE && (candidates.is_empty() || smallest < small) {
                candidates.extend(self.look(picture, longer.min(CLOSER)).await?);
            }
        } else {
            for size in SMALL_AGAIN {
                if candidates.is_empty() {
                    candidates = self.look(picture, size).await?;
                }
            }
        }
        let mut candidates = merge(candidates);
        candidates.truncate(MAX_CANDIDATES);
        let mut faces = Vec::new();
        for candidates in candidates.chunks(BATCH) {
            let mut unseen = candidates.to_vec();
            for zoom in CLOSE_ZOOMS {
                let seen = self.look_closely(picture, &unseen, zoom).await?;
                let both = unseen.iter().zip(&seen);
                faces.extend(both.filter_map(|(c, seen)| seen.map(|points| c.face(points))));
                let mut seen = seen.iter();
                unseen.retain(|_| seen.next().is_some_and(Option::is_none));
            }
            let sure = unseen.iter().filter(|c| c.score >= SURE_SCORE);
            faces.extend(sure.map(|c| c.face(c.landmarks())));
        }
        let mut faces = distinct(faces);
        faces.sort_by(|a, b| b.bounds.area().total_cmp(&a.bounds.area()));
        Ok(faces)
    }

    /// The landmarks of each candidate in which the mesh sees a face.
    async fn look_closely(
        &self,
        picture: &Picture,
        candidates: &[Candidate],
        zoom: f32,
    ) -> Result<Vec<Option<Landmarks>>, FaceError> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let side = facemesh::INPUT;
        let view = |c: &Candidate| {
            let landmarks = c.landmarks();
            let face = Alignment::from_eyes(landmarks.left_eye, landmarks.right_eye);
            face.moved(Point::new(0.0, 0.0), zoom, 0.0)
        };
        let views: Vec<Alignment> = candidates.iter().map(view).collect();
        let cut = views.iter().flat_map(|view| view.cut(picture, side, side));
        let meshes = self.mesh_raw(cut.collect()).await?;
        let place = |mesh: Mesh, view: &Alignment| {
            let scale = 1.0 / side as f32;
            let seen = |p: Point| view.picture_from_face(Point::new(p.x * scale, p.y * scale));
            let landmarks = corrected(mesh.landmarks().map(seen));
            (mesh.presence >= MIN_PRESENCE).then_some(landmarks)
        };
        Ok(meshes
            .into_iter()
            .zip(&views)
            .map(|(m, v)| place(m, v))
            .collect())
    }

    /// The mesh's raw answers to `[n, 3, 192, 192]` in 0..1.
    pub async fn mesh_raw(&self, values: Vec<f32>) -> Result<Vec<Mesh>, FaceError> {
        let side = facemesh::INPUT;
        let count = values.len() / (3 * side * side);
        let data = TensorData::new(values, [count, 3, side, side]);
        let input = Tensor::<4>::from_data(data, (&self.device, DType::F32));
        self.mesh.forward(input).await
    }

    /// BlazeFace's raw answers to `[1, 3, height, width]` in -1..1.
    pub async fn boxes_raw(
        &self,
        values: Vec<f32>,
        size: [usize; 2],
    ) -> Result<[Map; 2], FaceError> {
        let [height, width] = size;
        let data = TensorData::new(values, [1, 3, height, width]);
        let input = Tensor::<4>::from_data(data, (&self.device, DType::F32));
        self.boxes.forward(input).await
    }

    /// One pass over the whole picture, whose longer side becomes `longer` pixels.
    async fn look(&self, picture: &Picture, longer: f32) -> Result<Vec<Candidate>, FaceError> {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let scale = longer / width.max(height);
        let fit = |length: f32| {
            let with_border = (length * scale).ceil() as usize + 2 * BORDER;
            with_border.next_multiple_of(MULTIPLE).max(INPUT)
        };
        let (columns, rows) = (fit(width), fit(height));
        // The picture in the middle; what is cut beyond it is made black.
        let side = columns as f32 / scale;
        let origin = Point::new((width - side) / 2.0, (height - rows as f32 / scale) / 2.0);
        let view = Alignment::upright(origin, side);
        let inside = |i: usize, from: f32, length: f32| {
            let at = from + (i as f32 + 0.5) / scale;
            at >= 0.0 && at <= length
        };
        let seen = |count: usize, from: f32, length: f32| {
            let first = (0..count).find(|i| inside(*i, from, length));
            let first = first.unwrap_or(count);
            let last = (first..count).take_while(|i| inside(*i, from, length));
            first..first + last.count()
        };
        let part = [seen(columns, origin.x, width), seen(rows, origin.y, height)];
        let mut values = view.cut_part(picture, [columns, rows], part); // [3, rows, columns]
        for value in &mut values {
            *value = *value * 2.0 - 1.0;
        }
        self.answers(values, [rows, columns], &view).await
    }

    /// The answers above [`MIN_SCORE`], taken from the view to the picture.
    async fn answers(
        &self,
        values: Vec<f32>,
        size: [usize; 2],
        view: &Alignment,
    ) -> Result<Vec<Candidate>, FaceError> {
        let width = size[1] as f32;
        let mut found = Vec::new();
        for map in self.boxes_raw(values, size).await? {
            for (anchor, row, column) in cells(&map) {
                let score = sigmoid(map.score(anchor, row, column));
                if score >= MIN_SCORE {
                    let value = |k| map.box_value(anchor, k, row, column);
                    let cell = |i: usize| (i as f32 + 0.5) * map.stride as f32;
                    let (x, y) = (cell(column), cell(row));
                    let seen = |k| Point::new((x + value(k)) / width, (y + value(k + 1)) / width);
                    let points = [4, 6, 8, 10, 12, 14].map(|k| view.picture_from_face(seen(k)));
                    found.push(Candidate {
                        bounds: bounds(view, seen(0), value(2) / width, value(3) / width),
                        points,
                        score,
                        weight: if EXACT.contains(&value(2)) {
                            score
                        } else {
                            score * INEXACT_WEIGHT
                        },
                    });
                }
            }
        }
        found.retain(Candidate::is_finite);
        Ok(found)
    }
}

fn cells(map: &Map) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
    let (anchors, rows, columns) = (map.anchors, map.rows, map.columns);
    (0..anchors).flat_map(move |anchor| {
        (0..rows).flat_map(move |row| (0..columns).map(move |column| (anchor, row, column)))
    })
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

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Makes one of the boxes of one face, by their weighted mean, the surest first.
fn merge(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
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
        let (a, b) = (&self.bounds, &face.bounds);
        let width = (a.x + a.width).min(b.x + b.width) - a.x.max(b.x);
        let height = (a.y + a.height).min(b.y + b.height) - a.y.max(b.y);
        width.max(0.0) * height.max(0.0) > WITHIN * a.area().min(b.area())
    }

    fn face(&self, landmarks: Landmarks) -> DetectedFace {
        DetectedFace {
            bounds: self.bounds,
            landmarks,
            score: self.score,
        }
    }

    fn landmarks(&self) -> Landmarks {
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
fn distinct(mut faces: Vec<DetectedFace>) -> Vec<DetectedFace> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<DetectedFace> = Vec::new();
    for face in faces {
        let (left, right) = (face.landmarks.left_eye, face.landmarks.right_eye);
        let same = |other: &DetectedFace| {
            let apart =
                other.landmarks.left_eye.distance(left) + other.landmarks.right_eye.distance(right);
            apart < left.distance(right)
        };
        if !kept.iter().any(same) {
            kept.push(face);
        }
    }
    kept
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
