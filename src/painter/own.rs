//! What of a mouth's inside stays the photo's own: teeth belong to the skull, so that they stay where they are while
//! the lips around them move.

use crate::face::mouth::rise;
use crate::face::planes::signed_distance;
use crate::network::PainterConfig;

/// From where to where inside of the photo's own mouth its pixels are kept, in pixels of a crop of 96: at the edge they
/// are half lip, and the map is not exact.
const INSIDE: [f32; 2] = [0.0, 2.0];

/// From where to where in the own mouth's height, from its top, lower teeth may be seen, which go with the jaw.
const LOWER: [f32; 2] = [0.7, 1.0];

/// How much lower than the own mouth's the new mouth's lower edge lies where the jaw has begun to drop, and where what
/// it carries is no longer in its place; in pixels of a crop of 96.
const DROP: [f32; 2] = [3.0, 9.0];

/// How much of each pixel is the photo's own, 0 to 1, `[height, width]`: in the frame's pixels `own` is the inside of
/// the photo's mouth and `cavity` that of the new one.
pub fn kept(own: &[f32], cavity: &[f32], config: PainterConfig) -> Vec<f32> {
    if own.iter().all(|value| *value > 0.5) {
        return vec![0.0; own.len()]; // No edge, no mouth.
    }
    let size = [config.crop_width, config.crop_height()];
    let pixel = config.crop_width as f32 / 96.0;
    let (of_own, of_new) = (Rows::of(own, size[0]), Rows::of(cavity, size[0]));
    let dropped = rise(DROP, of_new.lower_than(&of_own) / pixel);
    let distance = signed_distance(own, size);
    let value = |i: usize| {
        let place = of_own.place(i % size[0], i / size[0]);
        rise(INSIDE, distance[i] / pixel) * (1.0 - dropped * rise(LOWER, place))
    };
    (0..own.len()).map(value).collect()
}

/// First and last row of an opened mouth in each column; none where it is shut.
struct Rows(Vec<Option<[usize; 2]>>);

impl Rows {
    fn of(map: &[f32], width: usize) -> Self {
        let mut rows: Vec<Option<[usize; 2]>> = vec![None; width];
        for (i, _) in map.iter().enumerate().filter(|(_, value)| **value > 0.5) {
            let (row, column) = (i / width, i % width);
            let first = rows[column].map_or(row, |[first, _]| first);
            rows[column] = Some([first, row]);
        }
        Self(rows)
    }

    /// How much lower this mouth's lower edge lies than the other's, on average over the columns of both.
    fn lower_than(&self, other: &Self) -> f32 {
        let both = self.0.iter().zip(&other.0);
        let drops = both
            .filter_map(|(one, other)| Some(one.as_ref()?[1] as f32 - other.as_ref()?[1] as f32));
        let (sum, count) = drops.fold((0.0, 0.0f32), |(sum, count), drop| {
            (sum + drop, count + 1.0)
        });
        sum / count.max(1.0)
    }

    /// Where a row lies between the edges, 0 at the upper and 1 at the lower one.
    fn place(&self, column: usize, row: usize) -> f32 {
        self.0[column].map_or(0.0, |[first, last]| {
            (row as f32 - first as f32) / (last - first).max(1) as f32
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: PainterConfig = PainterConfig {
        width: 4,
        crop_width: 96,
    };

    /// Open in some rows.
    fn open(rows: std::ops::Range<usize>) -> Vec<f32> {
        let is_open = |i: usize| (20..76).contains(&(i % 96)) && rows.contains(&(i / 96));
        (0..96 * 72)
            .map(|i| f32::from(u8::from(is_open(i))))
            .collect()
    }

    fn at(map: &[f32], row: usize) -> f32 {
        map[row * 96 + 48]
    }

    #[test]
    fn the_photos_own_mouth_stays_but_for_its_edge() {
        let smile = open(30..46);
        let kept = kept(&smile, &smile, CONFIG);
        assert_eq!(
            (at(&kept, 38), at(&kept, 34), at(&kept, 41)),
            (1.0, 1.0, 1.0)
        );
        assert!(at(&kept, 30) < 0.2 && at(&kept, 45) < 0.2);
        assert_eq!((at(&kept, 20), at(&kept, 60)), (0.0, 0.0));
    }

    #[test]
    fn what_the_jaw_carries_goes_with_it() {
        let kept = kept(&open(30..46), &open(30..66), CONFIG);
        assert_eq!(at(&kept, 35), 1.0);
        assert!(at(&kept, 44) < 0.2, "{}", at(&kept, 44));
    }

    #[test]
    fn a_shut_mouth_keeps_nothing() {
        let kept = kept(&vec![0.0; 96 * 72], &open(30..46), CONFIG);
        assert!(kept.iter().all(|value| *value == 0.0));
    }
}
