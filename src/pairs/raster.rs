//! Triangles -> the nearest one at each pixel.

use std::ops::Range;

use super::model::Vector;

/// No triangle.
pub const NONE: u32 = u32::MAX;

/// How far outside of a triangle a pixel's centre still counts, so that no seam stays open.
const SEAM: f32 = 1e-4;

/// The nearest triangle at each pixel, and how near it is.
#[derive(Debug, Clone)]
pub struct Raster {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width]`: index of the triangle, or [`NONE`].
    pub triangle: Vec<u32>,
    /// `[height, width]`: how near it is, in pixels; more is nearer.
    pub depth: Vec<f32>,
}

impl Raster {
    /// Nothing is drawn yet.
    pub fn new([width, height]: [usize; 2]) -> Self {
        Self {
            width,
            height,
            triangle: vec![NONE; width * height],
            depth: vec![f32::NEG_INFINITY; width * height],
        }
    }

    /// Draws those of the triangles that turn their front to the camera, within some columns and rows.
    /// Corners stand at `places`, in pixels (the first covers 0..1).
    pub fn draw(
        &mut self,
        places: &[Vector],
        triangles: &[[u32; 3]],
        which: &[u32],
        within: [Range<usize>; 2],
    ) {
        for index in which {
            let corners = triangles[*index as usize];
            self.draw_one(
                *index,
                corners.map(|vertex| places[vertex as usize]),
                &within,
            );
        }
    }

    fn draw_one(&mut self, index: u32, [a, b, c]: [Vector; 3], within: &[Range<usize>; 2]) {
        // Most triangles are smaller than a pixel and cover the centre of none.
        let (left, right) = span(a[0], b[0], c[0], &within[0]);
        let (top, bottom) = span(a[1], b[1], c[1], &within[1]);
        if left >= right || top >= bottom {
            return;
        }
        let area = (b[1] - c[1]) * (a[0] - c[0]) + (c[0] - b[0]) * (a[1] - c[1]);
        // The back, or an edge; what is no number is no front either.
        let is_front = area < -1e-9;
        if !is_front {
            return;
        }
        // Shares of corner a and b, linear in the place.
        let across = [(b[1] - c[1]) / area, (c[1] - a[1]) / area];
        let down = [(c[0] - b[0]) / area, (a[0] - c[0]) / area];
        let depths = [a[2] - c[2], b[2] - c[2]];
        for y in top..bottom {
            let (dx, dy) = (left as f32 + 0.5 - c[0], y as f32 + 0.5 - c[1]);
            let mut share = [0, 1].map(|i| across[i] * dx + down[i] * dy);
            let row = y * self.width;
            let triangles = &mut self.triangle[row + left..row + right];
            let nearest = &mut self.depth[row + left..row + right];
            for (triangle, nearest) in triangles.iter_mut().zip(nearest) {
                let rest = 1.0 - share[0] - share[1];
                if share[0] >= -SEAM && share[1] >= -SEAM && rest >= -SEAM {
                    let depth = c[2] + share[0] * depths[0] + share[1] * depths[1];
                    if depth > *nearest {
                        *nearest = depth;
                        *triangle = index;
                    }
                }
                share[0] += across[0];
                share[1] += across[1];
            }
        }
    }
}

/// The pixels whose centres lie between the least and the most of three places.
fn span(a: f32, b: f32, c: f32, within: &Range<usize>) -> (usize, usize) {
    // Casts keep within the type, and make 0 of what is no number.
    let first = (a.min(b).min(c) + 0.5) as usize;
    let after = (a.max(b).max(c) + 0.5) as usize;
    (first.max(within.start), after.min(within.end))
}

/// The shares of a triangle's corners at a place.
pub fn shares([a, b, c]: [[f32; 2]; 3], x: f32, y: f32) -> [f32; 3] {
    let area = (b[1] - c[1]) * (a[0] - c[0]) + (c[0] - b[0]) * (a[1] - c[1]);
    let area = if area.abs() < 1e-9 { 1e-9 } else { area };
    let (dx, dy) = (x - c[0], y - c[1]);
    let first = ((b[1] - c[1]) * dx + (c[0] - b[0]) * dy) / area;
    let second = ((c[1] - a[1]) * dx + (a[0] - c[0]) * dy) / area;
    [first, second, 1.0 - first - second]
}

/// What lies at a place of a triangle: its corners' values by their shares.
pub fn mixed<const N: usize>(
    corners: [u32; 3],
    shares: [f32; 3],
    value: impl Fn(usize) -> [f32; N],
) -> [f32; N] {
    let mut mixed = [0.0; N];
    for (vertex, share) in corners.into_iter().zip(shares) {
        for (sum, value) in mixed.iter_mut().zip(value(vertex as usize)) {
            *sum += share * value;
        }
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_of_two_triangles_is_seen_and_shares_give_the_place() {
        let far = [[0.0, 0.0, 1.0], [8.0, 0.0, 1.0], [0.0, 8.0, 1.0]];
        let near = [[0.0, 0.0, 2.0], [4.0, 0.0, 2.0], [0.0, 4.0, 2.0]];
        let places = [far, near].concat();
        let mut raster = Raster::new([8, 8]);
        raster.draw(&places, &[[0, 2, 1], [3, 5, 4]], &[0, 1], [0..8, 0..8]);
        assert_eq!(raster.triangle[0], 1);
        assert_eq!(raster.triangle[5], 0);
        assert_eq!(raster.triangle[63], NONE);
        assert_eq!(raster.depth[8], 2.0);
        let flat = far.map(|at| [at[0], at[1]]);
        let [a, b, c] = shares(flat, 3.0, 2.0);
        assert!(
            (b - 3.0 / 8.0).abs() < 1e-6
                && (c - 0.25).abs() < 1e-6
                && (a + b + c - 1.0).abs() < 1e-6
        );
    }

    #[test]
    fn places_far_outside_or_no_numbers_draw_nothing_and_do_not_panic() {
        for value in [1e30, -1e30, f32::NAN, f32::INFINITY] {
            let places = [[value, 0.0, 0.0], [4.0, value, 0.0], [0.0, 4.0, value]];
            let mut raster = Raster::new([4, 4]);
            raster.draw(&places, &[[0, 1, 2]], &[0], [0..4, 0..4]);
            assert_eq!(raster.triangle.len(), 16);
        }
    }
}
