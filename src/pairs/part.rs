//! The part of a picture that holds a face, with its mesh.

use std::sync::Arc;

use image::RgbImage;

use super::view::View;
use crate::face::Point;

/// Half the side of the part that is kept, in distances of the eyes: more than is ever drawn.
const ROOM: f32 = 3.0;

/// Eyes further apart than this, in pixels, are brought to it: nothing is drawn larger.
const MOST_EYES: f32 = 200.0;

/// Places of the mesh are kept in parts of a pixel: what differs below this between machines does not
/// change a picture.
const PARTS: f32 = 16.0;

/// A face in its picture.
pub struct Found {
    /// The part of the picture that holds it.
    pub photo: Arc<RgbImage>,
    /// The points of its mesh, in pixels of that part.
    pub mesh: Vec<Point>,
}

/// The part of a picture around a face, made smaller where the face is large.
pub fn part(picture: &RgbImage, mesh: Vec<Point>) -> Found {
    let middle = |a: usize, b: usize| {
        let at = |i: usize| mesh.get(i).copied().unwrap_or(Point::new(0.0, 0.0));
        Point::new((at(a).x + at(b).x) / 2.0, (at(a).y + at(b).y) / 2.0)
    };
    // The corners of each eye in the mesh.
    let (right, left) = (middle(33, 133), middle(362, 263));
    let eyes = right.distance(left);
    let step = (eyes / MOST_EYES).max(1.0);
    let centre = [
        (right.x + left.x) / 2.0,
        (right.y + left.y) / 2.0 + 0.5 * eyes,
    ];
    let size = [picture.width(), picture.height()];
    // In whole pixels, so that a picture which is not made smaller stays as it is.
    let first = [0, 1].map(|i| {
        (centre[i] - ROOM * eyes)
            .clamp(0.0, size[i] as f32 - 1.0)
            .floor()
    });
    let end = [0, 1].map(|i| {
        let end = (centre[i] + ROOM * eyes).clamp(0.0, size[i] as f32).ceil();
        ((end - first[i]) / step).max(1.0) as usize
    });
    let view = View {
        origin: first,
        step,
        size: end,
    };
    let colours = view.cut(picture);
    let photo = RgbImage::from_fn(end[0] as u32, end[1] as u32, |x, y| {
        let colour = colours[y as usize * end[0] + x as usize];
        image::Rgb(colour.map(|value| value.round().clamp(0.0, 255.0) as u8))
    });
    let mesh = mesh.iter().map(|at| {
        let [x, y] = view.view_from_photo([at.x, at.y]);
        Point::new((x * PARTS).round() / PARTS, (y * PARTS).round() / PARTS)
    });
    Found {
        mesh: mesh.collect(),
        photo: Arc::new(photo),
    }
}
