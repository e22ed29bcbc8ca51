//! What an answer came from: the gates of the ConvFLU pairs of one face, and what the recognised expression
//! loses where a part of the face is covered. Both are computed on request only.

use serde::Serialize;

use crate::kernels::GateConvention;
use crate::network::FACE_SIZE;

/// Side of the patch that covers a part of the face, in pixels of the network's square.
pub const PATCH: usize = 32;

/// From one place of the patch to the next, in pixels of the network's square.
pub const STRIDE: usize = 8;

/// Places of the patch along a side.
pub const PLACES: usize = (FACE_SIZE - PATCH) / STRIDE + 1;

/// Cells along a side of the map that comes of them, each [`STRIDE`] pixels wide.
pub const CELLS: usize = FACE_SIZE / STRIDE;

/// Value of the patch: mid-grey.
const GREY: f32 = 0.5;

/// The branch that receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Receiver {
    /// FER reads FES.
    Recognition,
    /// FES reads FER.
    Synthesis,
}

/// The gates of one direction of a pair, averaged over the channels: maps of `side` x `side`, row by row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GateMap {
    /// From 1, the shallowest.
    pub level: usize,
    /// Which branch receives.
    pub receiver: Receiver,
    /// Places along a side.
    pub side: usize,
    /// r: how much of the other branch's features is let into the candidate, 0 to 1.
    pub let_in: Vec<f32>,
    /// How much of the candidate takes the place of the branch's own features, 0 to 1: z, or 1 - z by the
    /// gate convention.
    pub taken: Vec<f32>,
}

impl GateMap {
    /// Averages gates `[1, C, side, side]` over the channels.
    pub fn of(
        level: usize,
        receiver: Receiver,
        side: usize,
        [r, z]: [&[f32]; 2],
        convention: GateConvention,
    ) -> Self {
        let mean = |values| mean_of_channels(values, side * side);
        let taken = |z| match convention {
            GateConvention::ZTakesCandidate => z,
            GateConvention::ZKeepsInput => 1.0 - z,
        };
        Self {
            level,
            receiver,
            side,
            let_in: mean(r),
            taken: mean(z).into_iter().map(taken).collect(),
        }
    }
}

fn mean_of_channels(values: &[f32], plane: usize) -> Vec<f32> {
    let channels = (values.len() / plane.max(1)).max(1) as f32;
    let sum = |i: usize| values.iter().skip(i).step_by(plane.max(1)).sum::<f32>();
    (0..plane).map(|i| sum(i) / channels).collect()
}

/// The face `[channels, 96, 96]` with the patch at a place, each below [`PLACES`].
pub fn covered(face: &[f32], row: usize, column: usize) -> Vec<f32> {
    let mut face = face.to_vec();
    let (top, left) = (row * STRIDE, column * STRIDE);
    for plane in face.chunks_exact_mut(FACE_SIZE * FACE_SIZE) {
        for line in plane.chunks_exact_mut(FACE_SIZE).skip(top).take(PATCH) {
            line[left..left + PATCH].fill(GREY);
        }
    }
    face
}

/// The map of a cover's effect, [`CELLS`] x [`CELLS`]: in each cell the mean of what the expression's
/// probability fell by, over all patches that cover the cell.
///
/// `probabilities` are those of the covered faces, [`PLACES`] x [`PLACES`]; `whole` is that of the face as it is.
pub fn fall(whole: f32, probabilities: &[f32]) -> Vec<f32> {
    let reach = PATCH / STRIDE;
    let cell = |i: usize| {
        let covers = |at: usize| at.saturating_sub(reach - 1)..=at.min(PLACES - 1);
        let (rows, columns) = (covers(i / CELLS), covers(i % CELLS));
        let count = (rows.clone().count() * columns.clone().count()) as f32;
        let at = rows.flat_map(|row| columns.clone().map(move |column| row * PLACES + column));
        let sum: f32 = at.filter_map(|at| probabilities.get(at)).sum();
        whole - sum / count
    };
    (0..CELLS * CELLS).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_averaged_over_channels_and_say_how_much_is_taken() {
        let r = [0.0, 0.2, 0.4, 0.6, 1.0, 0.8, 0.6, 0.4];
        let of = |convention| {
            let gates = [&r[..], &[0.25; 8]];
            GateMap::of(1, Receiver::Recognition, 2, gates, convention)
        };
        let map = of(GateConvention::ZKeepsInput);
        assert_eq!(map.let_in, [0.5; 4]);
        assert_eq!(map.taken, [0.75; 4]);
        assert_eq!(of(GateConvention::ZTakesCandidate).taken, [0.25; 4]);
    }

    #[test]
    fn the_patch_covers_its_square_and_nothing_else() {
        let face = vec![0.9; 3 * FACE_SIZE * FACE_SIZE];
        let last = PLACES - 1;
        for (row, column) in [(0, 0), (2, 5), (last, last)] {
            let changed = covered(&face, row, column);
            let grey = changed.iter().filter(|value| **value == GREY).count();
            assert_eq!(grey, 3 * PATCH * PATCH);
        }
        let changed = covered(&face, last, last);
        assert_eq!(
            changed[FACE_SIZE * FACE_SIZE - 1],
            GREY,
            "the last corner is reached"
        );
    }

    #[test]
    fn a_face_read_by_one_place_alone_falls_there() {
        // The expression is lost where a patch covers the cell (6, 7).
        let reaches = |at: usize, place: usize| (place..place + PATCH / STRIDE).contains(&at);
        let probabilities: Vec<f32> = (0..PLACES * PLACES)
            .map(|i| {
                let hides = reaches(6, i / PLACES) && reaches(7, i % PLACES);
                if hides { 0.1 } else { 0.9 }
            })
            .collect();
        let map = fall(0.9, &probabilities);
        let strongest = (0..map.len()).max_by(|a, b| map[*a].total_cmp(&map[*b]));
        assert_eq!(strongest, Some(6 * CELLS + 7));
        assert!((map[6 * CELLS + 7] - 0.8).abs() < 1e-5);
        assert!(map[0].abs() < 1e-5, "far from it nothing changes");
    }
}
