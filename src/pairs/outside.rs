//! Beside the face the photo follows the nearest part of it, less and less with the distance: no old
//! jaw line stays behind, and nothing tears.

use super::field::Cells;
use crate::face::planes::blur;

/// Cells across the distance of the eyes.
const FINENESS: f32 = 12.0;

/// How far what lies beside the face follows, in distances of the eyes; more towards the neck.
const REACH: f32 = 0.30;
const REACH_BELOW: f32 = 0.45;

/// Over how much the follow becomes smooth, and how smooth, in distances of the eyes.
const SOFT_FROM: f32 = 0.25;
const SOFT: f32 = 0.09;

/// What is needed of a drawn picture.
pub(super) struct Seen<'a> {
    /// Pixels in a row, and rows.
    pub size: [usize; 2],
    /// The eyes' distance in pixels.
    pub eyes: f32,
    /// Height of the drawn chin, in pixels.
    pub chin: f32,
    /// Whether a pixel shows skin that the photo shows too.
    pub is_seen: &'a [bool],
    /// Whether it shows no part of the model.
    pub is_outside: &'a [bool],
}

/// Fills the flow of what lies outside of the face.
pub(super) fn follow(seen: &Seen<'_>, flow: &mut [[f32; 2]]) {
    let cells = Cells::new(seen.size, (seen.eyes / FINENESS).round().max(1.0) as usize);
    let (means, shares) = cells.means(|i| seen.is_seen[i].then(|| flow[i]));
    let is_face: Vec<bool> = shares.iter().map(|share| *share >= 0.25).collect();
    let Some(nearest) = cells.nearest(&is_face) else {
        return;
    };
    let near: Vec<[f32; 2]> = nearest.iter().map(|(cell, _)| means[*cell]).collect();
    let deviation = SOFT * seen.eyes / cells.side as f32;
    let soft = [0, 1].map(|axis| {
        let plane: Vec<f32> = near.iter().map(|flow| flow[axis]).collect();
        blur(&plane, cells.size, deviation)
    });
    let fading = |cell: usize| {
        let distance = nearest[cell].1;
        let y = ((cell / cells.size[0]) as f32 + 0.5) * cells.side as f32;
        let low = ((y - seen.chin + 0.6 * seen.eyes) / (0.9 * seen.eyes)).clamp(0.0, 1.0);
        let reach = seen.eyes * (REACH + REACH_BELOW * low);
        let part = (distance / (SOFT_FROM * seen.eyes)).clamp(0.0, 1.0);
        let left = (-0.8 * (distance / reach).powi(2)).exp();
        [0, 1].map(|axis| {
            let near = near[cell][axis];
            (near + (soft[axis][cell] - near) * part) * left
        })
    };
    let follow: Vec<[f32; 2]> = (0..cells.count()).map(fading).collect();
    cells.spread(&follow, |i| seen.is_outside[i], |i, value| flow[i] = value);
}
