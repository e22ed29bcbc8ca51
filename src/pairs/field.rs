//! Numbers over a picture: distances, blurs over a part of it, grids of cells.

use crate::face::planes::blur;

/// Farther than any pixel.
pub(super) const FAR: f32 = 1e6;

/// The distance of each pixel to the nearest one of a mask, in pixels, by steps to neighbours and
/// knight's moves: off by at most 3 %, and ten times as fast as exact.
pub(super) fn distance(mask: &[bool], [width, height]: [usize; 2]) -> Vec<f32> {
    let mut distance: Vec<f32> = mask
        .iter()
        .map(|is_in| if *is_in { 0.0 } else { FAR })
        .collect();
    const STEPS: [(isize, isize, f32); 8] = [
        (-1, 0, 1.0),
        (0, -1, 1.0),
        (-1, -1, std::f32::consts::SQRT_2),
        (1, -1, std::f32::consts::SQRT_2),
        (-2, -1, 2.236),
        (2, -1, 2.236),
        (-1, -2, 2.236),
        (1, -2, 2.236),
    ];
    let mut pass = |turned: bool| {
        let last = width * height;
        for i in 0..last {
            let at = if turned { last - 1 - i } else { i };
            let (x, y) = ((at % width) as isize, (at / width) as isize);
            let mut least = distance[at];
            if least == 0.0 {
                continue;
            }
            for (dx, dy, length) in STEPS {
                let (dx, dy) = if turned { (-dx, -dy) } else { (dx, dy) };
                let (x, y) = (x + dx, y + dy);
                if x >= 0 && y >= 0 && x < width as isize && y < height as isize {
                    least = least.min(distance[y as usize * width + x as usize] + length);
                }
            }
            distance[at] = least;
        }
    };
    pass(false);
    pass(true);
    distance
}

/// The Gaussian mean of values over the pixels of a mask alone.
pub(super) fn mean_within(
    values: &[f32],
    mask: &[bool],
    size: [usize; 2],
    deviation: f32,
) -> Vec<f32> {
    let weights: Vec<f32> = mask
        .iter()
        .map(|is_in| f32::from(u8::from(*is_in)))
        .collect();
    let parts: Vec<f32> = values.iter().zip(&weights).map(|(v, w)| v * w).collect();
    let (parts, weights) = (
        blur(&parts, size, deviation),
        blur(&weights, size, deviation),
    );
    let mean = |(part, weight): (&f32, &f32)| part / (weight + 1e-6);
    parts.iter().zip(&weights).map(mean).collect()
}

/// A picture in square cells: what varies slowly is reckoned in them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells {
    /// Pixels along the side of a cell.
    pub side: usize,
    /// Cells in a row, rows of cells.
    pub size: [usize; 2],
    /// Pixels in a row, rows of pixels.
    pub pixels: [usize; 2],
}

impl Cells {
    pub fn new(pixels: [usize; 2], side: usize) -> Self {
        Self {
            side,
            size: pixels.map(|length| length.div_ceil(side)),
            pixels,
        }
    }

    pub fn count(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// The mean of `N` values in each cell over the pixels that have any, and the share of those.
    pub fn means<const N: usize>(
        &self,
        value: impl Fn(usize) -> Option<[f32; N]>,
    ) -> (Vec<[f32; N]>, Vec<f32>) {
        let mut sums = vec![[0.0; N]; self.count()];
        let mut counts = vec![0u32; self.count()];
        for y in 0..self.pixels[1] {
            let row = y / self.side * self.size[0];
            for x in 0..self.pixels[0] {
                if let Some(value) = value(y * self.pixels[0] + x) {
                    let cell = row + x / self.side;
                    counts[cell] += 1;
                    for (sum, value) in sums[cell].iter_mut().zip(value) {
                        *sum += value;
                    }
                }
            }
        }
        for (sum, count) in sums.iter_mut().zip(&counts) {
            for value in sum {
                *value /= (*count).max(1) as f32;
            }
        }
        let whole = (self.side * self.side) as f32;
        let shares = counts.iter().map(|count| *count as f32 / whole).collect();
        (sums, shares)
    }

    /// Values of the cells, read between their centres for each pixel that is asked for.
    pub fn spread<const N: usize>(
        &self,
        values: &[[f32; N]],
        is_asked: impl Fn(usize) -> bool,
        mut take: impl FnMut(usize, [f32; N]),
    ) {
        let scale = 1.0 / self.side as f32;
        let place = |pixel: usize, count: usize| {
            let at = ((pixel as f32 + 0.5) * scale - 0.5).clamp(0.0, (count - 1) as f32);
            let first = (at as usize).min(count.saturating_sub(2));
            (first, (first + 1).min(count - 1), at - first as f32)
        };
        for y in 0..self.pixels[1] {
            let (top, bottom, down) = place(y, self.size[1]);
            for x in 0..self.pixels[0] {
                let pixel = y * self.pixels[0] + x;
                if !is_asked(pixel) {
                    continue;
                }
                let (left, right, across) = place(x, self.size[0]);
                let at = |row: usize, column: usize| &values[row * self.size[0] + column];
                let corners = [
                    at(top, left),
                    at(top, right),
                    at(bottom, left),
                    at(bottom, right),
                ];
                let value = std::array::from_fn(|i| {
                    let above = corners[0][i] + (corners[1][i] - corners[0][i]) * across;
                    let below = corners[2][i] + (corners[3][i] - corners[2][i]) * across;
                    above + (below - above) * down
                });
                take(pixel, value);
            }
        }
    }

    /// For each cell the nearest one of a mask, and its distance in pixels. Nothing where the mask is
    /// empty.
    pub fn nearest(&self, mask: &[bool]) -> Option<Vec<(usize, f32)>> {
        let [width, height] = self.size;
        // In its own row first: the distance along it, ...
        let mut column = vec![usize::MAX; self.count()];
        for y in 0..height {
            let inside: Vec<usize> = (0..width).filter(|x| mask[y * width + x]).collect();
            for x in 0..width {
                if let Some(near) = inside.iter().min_by_key(|near| near.abs_diff(x)) {
                    column[y * width + x] = *near;
                }
            }
        }
        // ... then over all rows.
        let mut nearest = Vec::with_capacity(self.count());
        for y in 0..height {
            for x in 0..width {
                let of_row = |row: usize| {
                    let near = column[row * width + x];
                    let is_there = near != usize::MAX;
                    is_there.then(|| {
                        let (dx, dy) = (near.abs_diff(x), row.abs_diff(y));
                        (dx * dx + dy * dy, row * width + near)
                    })
                };
                let (square, cell) = (0..height).filter_map(of_row).min()?;
                nearest.push((cell, (square as f32).sqrt() * self.side as f32));
            }
        }
        Some(nearest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_right_within_three_parts_of_a_hundred() {
        let size = [40, 30];
        let mut mask = vec![false; 1200];
        mask[12 * 40 + 15] = true;
        for (i, found) in distance(&mask, size).iter().enumerate() {
            let (x, y) = ((i % 40) as f32 - 15.0, (i / 40) as f32 - 12.0);
            let exact = x.hypot(y);
            assert!(
                (found - exact).abs() <= 0.03 * exact + 1e-3,
                "{found} for {exact}"
            );
        }
    }

    #[test]
    fn cells_know_the_nearest_one_of_a_mask() {
        let cells = Cells::new([16, 16], 4);
        let mut mask = vec![false; 16];
        assert!(cells.nearest(&mask).is_none());
        mask[5] = true;
        let nearest = cells.nearest(&mask).expect("one");
        assert_eq!(nearest[5], (5, 0.0));
        assert_eq!(nearest[15], (5, 8.0f32 * 2.0f32.sqrt()));
    }
}
