//! A face of a picture: what is known of it before its expression is recognised.

use super::alignment::{EYE_DISTANCE, EYE_LINE};
use super::{Alignment, DetectedFace, Landmarks, Point, Rect};
use crate::picture::Picture;

/// A face of a picture, by how its place is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Face {
    /// Found by the detector.
    Found(DetectedFace),
    /// The whole picture, taken as a face.
    WholePicture {
        /// The picture's width in pixels.
        width: u32,
        /// Its height in pixels.
        height: u32,
    },
    /// At a place that the caller knows, such as a data set's.
    Placed(Alignment),
}

impl Face {
    /// The whole of `picture`.
    pub fn whole(picture: &Picture) -> Self {
        Self::WholePicture {
            width: picture.width(),
            height: picture.height(),
        }
    }

    /// What the detector found; none where it was not asked.
    pub fn found(&self) -> Option<&DetectedFace> {
        match self {
            Self::Found(found) => Some(found),
            Self::WholePicture { .. } | Self::Placed(_) => None,
        }
    }

    /// The square that the network sees.
    pub fn alignment(&self) -> Alignment {
        match *self {
            Self::Found(found) => found.alignment(),
            Self::WholePicture { width, height } => Alignment::whole_picture(width, height),
            Self::Placed(alignment) => alignment,
        }
    }

    /// The same square in a copy of the picture of another size: `from` and `to` are width and height
    /// of the picture and of the copy, in pixels.
    pub fn alignment_in_copy(&self, from: [u32; 2], to: [u32; 2]) -> Alignment {
        let [left, right] = match *self {
            Self::Found(DetectedFace {
                landmarks:
                    Landmarks {
                        left_eye,
                        right_eye,
                        ..
                    },
                ..
            }) => [left_eye, right_eye],
            Self::WholePicture { .. } => return Alignment::whole_picture(to[0], to[1]),
            Self::Placed(alignment) => [0.5, -0.5].map(|side| {
                let eye = Point::new(0.5 + side * EYE_DISTANCE, EYE_LINE);
                alignment.picture_from_face(eye)
            }),
        };
        let [x, y] = [0, 1].map(|axis| to[axis] as f32 / from[axis] as f32);
        let scaled = |eye: Point| Point::new(eye.x * x, eye.y * y);
        Alignment::from_eyes(scaled(left), scaled(right))
    }

    /// Of a face that was found from the brow to the chin, about; else what holds the network's square, of
    /// a whole picture the picture.
    pub fn bounds(&self) -> Rect {
        match *self {
            Self::Found(found) => found.bounds,
            Self::WholePicture { width, height } => Rect {
                x: 0.0,
                y: 0.0,
                width: width as f32,
                height: height as f32,
            },
            Self::Placed(alignment) => Rect::around(&alignment.corners()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: [u32; 2] = [400, 200];
    const TO: [u32; 2] = [100, 50];

    fn found() -> DetectedFace {
        let at = Point::new;
        DetectedFace {
            bounds: Rect {
                x: 40.0,
                y: 20.0,
                width: 80.0,
                height: 90.0,
            },
            landmarks: Landmarks {
                left_eye: at(110.0, 50.0),
                right_eye: at(60.0, 60.0),
                nose: at(90.0, 70.0),
                mouth: at(92.0, 90.0),
                left_ear: at(125.0, 55.0),
                right_ear: at(40.0, 70.0),
            },
            score: 0.9,
        }
    }

    #[test]
    fn a_face_lies_at_the_same_place_in_a_smaller_copy_of_its_picture() {
        let whole = Face::WholePicture {
            width: FROM[0],
            height: FROM[1],
        };
        for face in [
            Face::Found(found()),
            Face::Placed(found().alignment()),
            whole,
        ] {
            let in_copy = face.alignment_in_copy(FROM, TO).corners();
            for (own, copy) in face.alignment().corners().into_iter().zip(in_copy) {
                let apart = copy.distance(Point::new(own.x / 4.0, own.y / 4.0));
                assert!(apart < 1e-3, "{face:?}: {apart} pixels apart");
            }
        }
    }

    #[test]
    fn only_a_face_that_was_found_has_what_the_detector_says() {
        let (width, height) = (FROM[0], FROM[1]);
        let whole = Face::WholePicture { width, height };
        let all = Rect {
            x: 0.0,
            y: 0.0,
            width: width as f32,
            height: height as f32,
        };
        assert_eq!((whole.found(), whole.bounds()), (None, all));
        let square = Face::Placed(Alignment::upright(Point::new(3.0, 4.0), 20.0)).bounds();
        assert_eq!((square.x, square.y, square.width), (3.0, 4.0, 20.0));
        assert_eq!(Face::Found(found()).bounds(), found().bounds);
        assert_eq!(Face::Found(found()).found(), Some(&found()));
    }
}
