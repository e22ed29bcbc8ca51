//! Faces of a video's frames followed as one id each, by the rules of the page's table (`www/page/faces-followed.js`
//! and `shot.js`): the detector finds the faces of each frame anew, and a face keeps its id by where it is and by how
//! it looks. Across a cut every face gets a new id: nothing here tells reliably who somebody is.
//!
//! What differs from the page: small pictures are averaged by another scaler, frames of more than 1,920 pixels stay as large
//! as they are, and faces are kept for longer where the frames are more than a second apart. [`super::FaceTracker`] is for a
//! camera: it is quicker, but its places are not those of a frame that is looked at alone, and it knows no cuts.
//! Native only: the page has this in JavaScript.

use image::RgbImage;
use image::imageops::thumbnail;

use super::{DetectedFace, Landmarks, Point, Rect};
use crate::picture::Picture;
use crate::tensor::luma;

/// Frames that differ more than this are of two shots.
const CUT: f32 = 0.18;

/// Frames that differ more than this may be.
const PERHAPS_CUT: f32 = 0.06;

/// How alike a face must look to the one before: within a shot, and where there may have been a cut.
const SAME_LOOK: f32 = 0.6;
const SURELY_SAME_LOOK: f32 = 0.9;

/// A face that is not seen for longer than this is lost, in seconds, or for longer than so many frames where they are further
/// apart (in the page they never are).
const KEEP_SECONDS: f64 = 1.0;
const KEEP_FRAMES: f64 = 1.5;

/// How far a face goes on as it moved, in seconds.
const MOVES_ON_SECONDS: f64 = 0.5;

/// Where a face may be: how much its box overlaps, or how far its landmarks are, in sides of its box.
const OVERLAP: f32 = 0.3;
const REACH: f32 = 0.5;

/// How much larger or smaller it may be than before.
const GROWTH: f32 = 1.8;

/// Size of the small picture of a frame, and side of that of a face.
const FRAME_SIZE: [u32; 2] = [32, 18];
const FACE_SIDE: u32 = 12;

/// How a frame looks, in a few numbers: enough to tell a cut.
#[derive(Debug, Clone)]
pub struct FrameLook(RgbImage);

impl FrameLook {
    /// How a frame looks.
    pub fn of(frame: &Picture) -> Self {
        Self(thumbnail(frame.as_image(), FRAME_SIZE[0], FRAME_SIZE[1]))
    }

    /// How much two frames differ on average, from 0 to 1.
    fn difference(&self, other: &Self) -> f32 {
        let pairs = self.0.as_raw().iter().zip(other.0.as_raw());
        let sum: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        sum as f32 / self.0.as_raw().len() as f32 / 255.0
    }
}

/// A face of a frame and how it looks.
#[derive(Debug, Clone)]
pub struct SeenFace {
    face: DetectedFace,
    /// The aligned face, small, in grey: its mean is 0 and its length 1.
    look: Vec<f32>,
}

impl SeenFace {
    /// A face of `frame`.
    pub fn of(frame: &Picture, face: &DetectedFace) -> Self {
        let planes = face.alignment().crop_planar(frame, FACE_SIDE);
        let plane = (FACE_SIDE * FACE_SIDE) as usize;
        let grey = |i: usize| luma([planes[i], planes[plane + i], planes[2 * plane + i]]);
        let mut look: Vec<f32> = (0..plane).map(grey).collect();
        let mean = look.iter().sum::<f32>() / plane as f32;
        look.iter_mut().for_each(|value| *value -= mean);
        let length = look.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length > 0.0 {
            look.iter_mut().for_each(|value| *value /= length);
        }
        Self { face: *face, look }
    }

    /// 1 for the same look, about 0 for nothing in common.
    fn likeness(&self, other: &Self) -> f32 {
        let pairs = self.look.iter().zip(&other.look);
        pairs.map(|(a, b)| a * b).sum()
    }
}

/// A face that is followed.
#[derive(Debug)]
struct Followed {
    id: u32,
    /// As it was seen last.
    seen: SeenFace,
    seconds: f64,
    /// In pixels a second.
    speed: Point,
}

/// Gives the faces of frame after frame their ids.
#[derive(Debug)]
pub struct FacesFollowed {
    keep_seconds: f64,
    followed: Vec<Followed>,
    before: Option<FrameLook>,
    ids: u32,
}

impl FacesFollowed {
    /// For frames that are so many seconds apart.
    pub fn new(step_seconds: f64) -> Self {
        Self {
            keep_seconds: KEEP_SECONDS.max(KEEP_FRAMES * step_seconds),
            followed: Vec::new(),
            before: None,
            ids: 0,
        }
    }

    /// An id for each face of the next frame, from 1; `seconds` are later than those before.
    pub fn add(&mut self, seconds: f64, frame: FrameLook, faces: Vec<SeenFace>) -> Vec<u32> {
        let before = self.before.as_ref();
        let change = before.map_or(1.0, |before| before.difference(&frame));
        self.before = Some(frame);
        let keep = self.keep_seconds;
        self.followed
            .retain(|one| change < CUT && seconds - one.seconds <= keep);
        let alike = if change < PERHAPS_CUT {
            SAME_LOOK
        } else {
            SURELY_SAME_LOOK
        };
        let same = self.matched(&faces, seconds, alike);
        let faces = faces.into_iter().zip(same);
        faces
            .map(|(face, same)| self.keep(same, face, seconds))
            .collect()
    }

    /// Which face is which, by its index among those that are followed: the pairs that fit best first.
    fn matched(&self, faces: &[SeenFace], seconds: f64, alike: f32) -> Vec<Option<usize>> {
        let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
        for (k, one) in self.followed.iter().enumerate() {
            for (i, face) in faces.iter().enumerate() {
                if one.seen.likeness(face) >= alike
                    && let Some(far) = one.farness(&face.face, seconds)
                {
                    pairs.push((far, k, i));
                }
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut same = vec![None; faces.len()];
        for (_, k, i) in pairs {
            if same[i].is_none() && !same.contains(&Some(k)) {
                same[i] = Some(k);
            }
        }
        same
    }

    fn keep(&mut self, same: Option<usize>, seen: SeenFace, seconds: f64) -> u32 {
        let Some(before) = same.and_then(|k| self.followed.get_mut(k)) else {
            self.ids += 1;
            let (id, speed) = (self.ids, Point::new(0.0, 0.0));
            self.followed.push(Followed {
                id,
                seen,
                seconds,
                speed,
            });
            return id;
        };
        let (from, to) = (centre(&before.seen.face.bounds), centre(&seen.face.bounds));
        let passed = (seconds - before.seconds).max(1e-3) as f32;
        before.speed = Point::new((to.x - from.x) / passed, (to.y - from.y) / passed);
        before.seen = seen;
        before.seconds = seconds;
        before.id
    }
}

impl Followed {
    /// How far a face is from where this one should be; None where it cannot be the same.
    fn farness(&self, face: &DetectedFace, seconds: f64) -> Option<f32> {
        let last = &self.seen.face;
        let growth = side(&face.bounds) / side(&last.bounds);
        if !(1.0 / GROWTH..=GROWTH).contains(&growth) {
            return None;
        }
        let on = (seconds - self.seconds).min(MOVES_ON_SECONDS) as f32;
        // It may have stopped or turned: where it was counts as much as where it was going.
        let ways = [
            Point::new(0.0, 0.0),
            Point::new(self.speed.x * on, self.speed.y * on),
        ];
        let far = ways.into_iter().filter_map(|way| {
            let moved = Rect {
                x: last.bounds.x + way.x,
                y: last.bounds.y + way.y,
                ..last.bounds
            };
            let overlap = moved.intersection_over_union(&face.bounds);
            let apart = landmarks_apart(&last.landmarks, &face.landmarks, way) / side(&face.bounds);
            (overlap > OVERLAP || apart < REACH).then_some(apart + 1.0 - overlap)
        });
        far.min_by(f32::total_cmp)
    }
}

/// The mean way between the landmarks of two faces, the first moved by `way`, in pixels.
fn landmarks_apart(a: &Landmarks, b: &Landmarks, way: Point) -> f32 {
    let all = |of: &Landmarks| {
        [
            of.left_eye,
            of.right_eye,
            of.nose,
            of.mouth,
            of.left_ear,
            of.right_ear,
        ]
    };
    let (a, b) = (all(a), all(b));
    let apart =
        |(from, to): (&Point, &Point)| Point::new(from.x + way.x, from.y + way.y).distance(*to);
    a.iter().zip(&b).map(apart).sum::<f32>() / a.len() as f32
}

fn centre(bounds: &Rect) -> Point {
    Point::new(
        bounds.x + bounds.width / 2.0,
        bounds.y + bounds.height / 2.0,
    )
}

fn side(bounds: &Rect) -> f32 {
    bounds.area().sqrt().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(grey: u8) -> FrameLook {
        FrameLook(RgbImage::from_pixel(32, 18, image::Rgb([grey; 3])))
    }

    /// A face 100 pixels wide at a place, that looks in one of two ways that have nothing in common.
    fn face(x: f32, is_other: bool) -> SeenFace {
        let at = |dx: f32, dy: f32| Point::new(x + dx, 50.0 + dy);
        let look = (0..144)
            .map(|i| {
                let sign = if is_other { i / 12 } else { i % 12 };
                if sign % 2 == 0 {
                    1.0 / 12.0
                } else {
                    -1.0 / 12.0
                }
            })
            .collect();
        SeenFace {
            face: DetectedFace {
                bounds: Rect {
                    x,
                    y: 50.0,
                    width: 100.0,
                    height: 100.0,
                },
                landmarks: Landmarks {
                    left_eye: at(70.0, 30.0),
                    right_eye: at(30.0, 30.0),
                    nose: at(50.0, 50.0),
                    mouth: at(50.0, 75.0),
                    left_ear: at(95.0, 40.0),
                    right_ear: at(5.0, 40.0),
                },
                score: 0.9,
            },
            look,
        }
    }

    #[test]
    fn faces_keep_their_ids_while_they_move_and_swap_their_order() {
        let mut followed = FacesFollowed::new(0.2);
        let first = followed.add(0.0, frame(90), vec![face(0.0, false), face(300.0, true)]);
        let second = followed.add(0.2, frame(92), vec![face(290.0, true), face(20.0, false)]);
        assert_eq!((first, second), (vec![1, 2], vec![2, 1]));
    }

    #[test]
    fn a_face_that_was_away_for_less_than_a_second_is_the_same_and_for_longer_another() {
        let mut followed = FacesFollowed::new(0.2);
        let ids: Vec<Vec<u32>> = [
            (0.0, true),
            (0.4, false),
            (0.9, true),
            (1.8, false),
            (2.0, true),
        ]
        .into_iter()
        .map(|(seconds, is_there)| {
            let faces = if is_there {
                vec![face(10.0, false)]
            } else {
                Vec::new()
            };
            followed.add(seconds, frame(90), faces)
        })
        .collect();
        assert_eq!(ids, [vec![1], vec![], vec![1], vec![], vec![2]]);
    }

    #[test]
    fn a_face_is_followed_through_frames_that_are_further_apart() {
        let mut followed = FacesFollowed::new(5.0);
        let mut at = |seconds| followed.add(seconds, frame(90), vec![face(10.0, false)]);
        assert_eq!([at(0.0), at(5.0), at(15.0)], [[1], [1], [2]]);
    }

    #[test]
    fn no_id_outlives_a_cut_and_another_face_in_the_same_place_is_another() {
        let mut followed = FacesFollowed::new(0.2);
        let ids: Vec<u32> = [(90, false), (150, false), (150, true)]
            .into_iter()
            .enumerate()
            .flat_map(|(i, (grey, is_other))| {
                followed.add(i as f64 / 5.0, frame(grey), vec![face(10.0, is_other)])
            })
            .collect();
        assert_eq!(ids, [1, 2, 3]);
    }
}
