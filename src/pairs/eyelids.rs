//! The openings between the eyelids. A photo shows an eyeball only between its lids: an eye that opens wider is
//! the photo's eye, drawn higher.

use super::model::Part;

/// Columns over whose openings a mean is taken: edges of pixels are steps.
const SMOOTH: usize = 1;

/// How far beside an eye's corner a wider eye's may lie, in distances of the eyes.
const CORNER: f32 = 0.1;

/// A place so near to a lid's edge, in pixels, is taken from beside the edge: it is half skin.
const EDGE: f32 = 0.5;

/// Where each column of a picture shows an eyeball, from above to below in pixels; none where it shows none.
#[derive(Debug, Clone)]
pub(super) struct Openings {
    shown: Vec<Option<[f32; 2]>>,
    /// The same, with the nearest opening in the columns beside one.
    bridged: Vec<Option<[f32; 2]>>,
}

impl Openings {
    /// The openings of a picture whose pixels show these parts, its eyes `eyes` pixels apart.
    pub fn of(
        [width, height]: [usize; 2],
        eyes: f32,
        part: impl Fn(usize) -> Option<Part>,
    ) -> Self {
        let mut columns: Vec<Option<[f32; 2]>> = vec![None; width];
        for row in 0..height {
            for (column, opening) in columns.iter_mut().enumerate() {
                if part(row * width + column) == Some(Part::Eyes) {
                    let [first, last] = opening.get_or_insert([row as f32, row as f32 + 1.0]);
                    *first = first.min(row as f32);
                    *last = row as f32 + 1.0;
                }
            }
        }
        let smooth = (0..width).map(|column| {
            columns[column]?;
            let near = column.saturating_sub(SMOOTH)..=(column + SMOOTH).min(width - 1);
            let near: Vec<[f32; 2]> = near.filter_map(|column| columns[column]).collect();
            let mean =
                |i: usize| near.iter().map(|opening| opening[i]).sum::<f32>() / near.len() as f32;
            Some([mean(0), mean(1)])
        });
        let shown: Vec<Option<[f32; 2]>> = smooth.collect();
        let reach = (CORNER * eyes) as usize;
        let bridged = (0..width).map(|column| {
            let near = (0..=reach).flat_map(|by| [column.checked_sub(by), Some(column + by)]);
            near.flatten()
                .find_map(|at| shown.get(at).copied().flatten())
        });
        Self {
            bridged: bridged.collect(),
            shown,
        }
    }

    /// A place of an eyeball between the lids: this one, or the nearest above or below; none beside the eye.
    pub fn inside(&self, [x, y]: [f32; 2]) -> Option<[f32; 2]> {
        let [top, bottom] = self.shown.get(x.max(0.0) as usize).copied().flatten()?;
        let middle = (top + bottom) / 2.0;
        Some([
            x,
            y.clamp((top + EDGE).min(middle), (bottom - EDGE).max(middle)),
        ])
    }

    fn at(&self, x: f32) -> Option<[f32; 2]> {
        self.bridged.get(x.max(0.0) as usize).copied().flatten()
    }

    /// The height in `there` of what is seen at a place of this picture. Where this opening is the larger one
    /// what is seen is stretched over it; where it is the smaller one lids cover the rest, and the eyeball
    /// stands still. None where either shows no eye.
    pub fn height_in(&self, there: &Self, place: [f32; 2]) -> Option<f32> {
        self.height(there, place, |here, far| here > far)
    }

    /// The inverse of [`height_in`](Self::height_in): where `there` shows what this picture shows at a height.
    pub fn height_back(&self, there: &Self, place: [f32; 2]) -> Option<f32> {
        self.height(there, place, |here, far| far > here)
    }

    /// A height of this opening in the other one where `is_stretched` says so of their heights, else the same height.
    fn height(
        &self,
        there: &Self,
        [x, y]: [f32; 2],
        is_stretched: impl Fn(f32, f32) -> bool,
    ) -> Option<f32> {
        let ([top, bottom], [far_top, far_bottom]) = (self.at(x)?, there.at(x)?);
        let (here, far) = (bottom - top, far_bottom - far_top);
        Some(if is_stretched(here, far) {
            far_top + (y - top) / here * far
        } else {
            y
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [40, 20];

    /// An eye between two columns and two rows.
    fn eye(columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> Openings {
        Openings::of(SIZE, 20.0, |pixel| {
            let (row, column) = (pixel / SIZE[0], pixel % SIZE[0]);
            (rows.contains(&row) && columns.contains(&column)).then_some(Part::Eyes)
        })
    }

    #[test]
    fn a_wider_eye_is_the_photos_eye_stretched_and_back() {
        let (photo, wide) = (eye(5..15, 8..12), eye(5..15, 4..12));
        let there = |y| wide.height_in(&photo, [9.5, y]).expect("an eye");
        assert_eq!([there(4.0), there(8.0), there(12.0)], [8.0, 10.0, 12.0]);
        for y in [8.5, 9.5, 11.5] {
            let drawn = photo.height_back(&wide, [9.5, y]).expect("an eye");
            assert!((there(drawn) - y).abs() < 1e-5);
        }
    }

    #[test]
    fn a_lid_that_falls_leaves_the_eyeball_where_it_is() {
        let (photo, narrow) = (eye(5..15, 8..12), eye(5..15, 10..12));
        assert_eq!(narrow.height_in(&photo, [9.5, 10.5]), Some(10.5));
        assert_eq!(photo.height_back(&narrow, [9.5, 10.5]), Some(10.5));
    }

    #[test]
    fn a_place_under_a_lid_is_taken_from_its_edge() {
        let photo = eye(5..15, 8..12);
        assert_eq!(photo.inside([9.5, 3.0]), Some([9.5, 8.5]));
        assert_eq!(photo.inside([9.5, 9.0]), Some([9.5, 9.0]));
        assert_eq!(photo.inside([20.5, 9.0]), None);
    }

    #[test]
    fn the_corner_of_a_wider_eye_is_the_photos_corner_and_there_is_no_eye_far_from_one() {
        let (photo, wide) = (eye(7..13, 8..12), eye(6..14, 8..12));
        assert_eq!(wide.height_in(&photo, [6.5, 9.0]), Some(9.0));
        assert_eq!(wide.height_in(&photo, [25.5, 9.0]), None);
    }
}
