//! Where a redrawn face is torn: pixels at which the flow folds the photo over itself. Under the inside of a
//! mouth nobody sees it: there the flow has to leap from the one lip to the other.

use serde::Serialize;

use super::bootstrap::{Interval, Units, intervals};
use super::redrawn::{Flow, Portrait, SIDE};
use super::teeth::is_within;
use crate::face::Point;

/// The face's outline in the mesh, in turn.
const OVAL: [usize; 36] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];

/// From this share of folded pixels on a face is called torn.
pub const TORN_FROM: f64 = 0.001;

/// How much of the redrawn faces is torn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tears {
    /// Redrawn faces, over all targets.
    pub n: usize,
    /// Share of the faces' pixels whose flow has a Jacobian determinant of 0 or less and which are seen.
    pub share: f64,
    /// Its 95 % interval, over subjects.
    pub interval: Option<Interval>,
    /// Share of the redrawn faces of which 0.1 % or more is torn.
    pub torn_faces: f64,
    /// Share of the faces' pixels that are folded under the painted inside of a mouth.
    pub covered: f64,
}

/// Pixels of one redrawn face.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Folds {
    pub folded: usize,
    pub covered: usize,
    pub all: usize,
}

impl Folds {
    /// Of the pixels within the outline of the face as it was.
    pub fn of(flow: &Flow, source: &Portrait) -> Self {
        let scale = flow.size as f32 / SIDE as f32;
        let place = |i: &usize| {
            let at = source.points[*i];
            Point::new(at.x * scale, at.y * scale)
        };
        let outline: Vec<Point> = OVAL.iter().map(place).collect();
        folds(flow, |x, y| {
            is_within(Point::new(x as f32 + 0.5, y as f32 + 0.5), &outline)
        })
    }

    fn share(&self) -> f64 {
        self.folded as f64 / self.all.max(1) as f64
    }
}

/// The map is pixel -> pixel + flow; its Jacobian is taken by forward differences.
fn folds(flow: &Flow, is_face: impl Fn(usize, usize) -> bool) -> Folds {
    let size = flow.size;
    let (across, down) = flow.values.split_at(size * size);
    let slope =
        |plane: &[f32], at: usize, step: usize| (plane[at + step] - plane[at]) * size as f32;
    let is_covered = |at: usize| {
        let cover = flow.cover.as_ref();
        // One of the three pixels that the slopes are taken of.
        cover.is_some_and(|cover| [0, 1, size].iter().any(|step| cover[at + step] > 0.5))
    };
    let mut found = Folds::default();
    for y in 0..size.saturating_sub(1) {
        for x in (0..size - 1).filter(|x| is_face(*x, y)) {
            let at = y * size + x;
            let (xx, xy) = (1.0 + slope(across, at, 1), slope(across, at, size));
            let (yx, yy) = (slope(down, at, 1), 1.0 + slope(down, at, size));
            found.all += 1;
            let is_folded = usize::from(xx * yy - xy * yx <= 0.0);
            if is_covered(at) {
                found.covered += is_folded;
            } else {
                found.folded += is_folded;
            }
        }
    }
    found
}

/// `faces[i]` holds the folds of all redrawings of source i; none where no network says its flow.
pub(super) fn tears(faces: &[Vec<Folds>], units: &Units, seed: u64) -> Option<Tears> {
    let all: Vec<&Folds> = faces.iter().flatten().collect();
    if all.is_empty() {
        return None;
    }
    let share = |chosen: &[usize]| {
        let folds = chosen.iter().flat_map(|i| &faces[*i]);
        let (folded, all) = folds.fold((0, 0), |sum, f| (sum.0 + f.folded, sum.1 + f.all));
        folded as f64 / all.max(1) as f64
    };
    let everyone: Vec<usize> = (0..faces.len()).collect();
    let ends = intervals(units, seed, |drawn| vec![share(drawn)]);
    let torn = all
        .iter()
        .filter(|folds| folds.share() >= TORN_FROM)
        .count();
    Some(Tears {
        n: all.len(),
        share: share(&everyone),
        interval: ends.into_iter().next().flatten(),
        torn_faces: torn as f64 / all.len() as f64,
        covered: {
            let sum = |of: fn(&Folds) -> usize| all.iter().map(|folds| of(folds)).sum::<usize>();
            sum(|folds| folds.covered) as f64 / sum(|folds| folds.all).max(1) as f64
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(size: usize, dx: impl Fn(f32) -> f32) -> Flow {
        let across = (0..size * size).map(|i| dx((i % size) as f32) / size as f32);
        let values = across
            .chain(std::iter::repeat_n(0.0, size * size))
            .collect();
        Flow {
            values,
            cover: None,
            size,
        }
    }

    #[test]
    fn a_flow_that_turns_back_folds_where_it_turns_back() {
        // x + dx rises to column 10, falls until column 20 and rises again: ten columns of 31 are folded.
        let back = |x: f32| {
            if x < 10.0 {
                0.0
            } else if x < 20.0 {
                -2.0 * (x - 10.0)
            } else {
                -20.0
            }
        };
        let found = folds(&flow(32, back), |_, _| true);
        assert_eq!((found.folded, found.all), (10 * 31, 31 * 31));
        let stretched = folds(&flow(32, |x| 0.9 * x), |_, _| true);
        assert_eq!(stretched.folded, 0);
        // All pixels from one column: the area is 0.
        assert_eq!(folds(&flow(32, |x| -x), |_, _| true).folded, 31 * 31);
        assert_eq!(folds(&flow(32, |x| -x), |x, _| x < 4).all, 4 * 31);
        // Nobody sees what a mouth covers: here all but the last columns.
        let mut hidden = flow(32, |x| -x);
        let cover = (0..32 * 32).map(|i| f32::from(u8::from(i % 32 < 29)));
        hidden.cover = Some(cover.collect());
        let found = folds(&hidden, |_, _| true);
        assert_eq!((found.folded, found.covered), (2 * 31, 29 * 31));
    }

    #[test]
    fn the_share_is_over_pixels_and_a_torn_face_is_counted() {
        let faces = [
            vec![Folds {
                folded: 0,
                covered: 20,
                all: 1000,
            }],
            vec![Folds {
                folded: 10,
                covered: 0,
                all: 1000,
            }],
        ];
        let found = tears(&faces, &Units::of(&[None, None]), 1).expect("figures");
        assert_eq!((found.n, found.share, found.torn_faces), (2, 0.005, 0.5));
        assert_eq!(found.covered, 0.01);
        assert_eq!(tears(&[vec![]], &Units::of(&[None]), 1), None);
    }
}
