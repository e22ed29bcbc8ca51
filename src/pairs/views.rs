//! The views that are drawn of every portrait: the face, and the mouth in its own scale.

use super::portrait::Portrait;
use super::view::View;

/// Distance of the eyes as a part of the face picture's side, and where their middle lies in it: the
/// chin of an opened jaw stays inside, and so does the aligned face with room around.
const EYES: f32 = 0.28;
const MIDDLE: [f32; 2] = [0.5, 0.40];

/// Width of the mouth picture in distances of the eyes, its height as a part of its width, and where
/// the photo's mouth lies in it: a jaw that opens moves the mouth down.
const MOUTH_WIDTH: f32 = 1.5;
const MOUTH_ASPECT: [usize; 2] = [3, 4];
const MOUTH_MIDDLE: [f32; 2] = [0.5, 0.40];

/// The face, `size` x `size` pixels.
pub fn face_view(portrait: &Portrait, size: usize) -> View {
    let step = portrait.eyes / (EYES * size as f32);
    let [right, left] = portrait.eye_places;
    let middle = [0, 1].map(|axis| (right[axis] + left[axis]) / 2.0);
    around(middle, MIDDLE, step, [size, size])
}

/// The mouth, `width` pixels wide and three quarters of it high.
pub fn mouth_view(portrait: &Portrait, width: usize) -> View {
    let step = MOUTH_WIDTH * portrait.eyes / width as f32;
    let (right, left) = (portrait.inner_lips[0], portrait.inner_lips[10]);
    let middle = [0, 1].map(|axis| (right[axis] + left[axis]) / 2.0);
    let height = width * MOUTH_ASPECT[0] / MOUTH_ASPECT[1];
    around(middle, MOUTH_MIDDLE, step, [width, height])
}

fn around(middle: [f32; 2], at: [f32; 2], step: f32, size: [usize; 2]) -> View {
    View {
        origin: [0, 1].map(|axis| middle[axis] - at[axis] * size[axis] as f32 * step),
        step,
        size,
    }
}
