//! The brightness of a picture, made smaller and filtered.

use image::RgbImage;

/// Red's, green's and blue's share of the brightness (BT.601, as in JPEG).
const SHARES: [f32; 3] = [0.299, 0.587, 0.114];

/// What varies slower than about this many pixels is no part of the mark.
const SLOW: usize = 4;

/// Numbers over a rectangle, row by row.
#[derive(Clone)]
pub(super) struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Plane {
    /// The brightness of a picture, 0 to 255, its longer side at most `longest` pixels: smaller ones are means
    /// over areas.
    pub(super) fn brightness(image: &RgbImage, longest: u32) -> Self {
        let (width, height) = image.dimensions();
        let longer = width.max(height).max(1);
        let fit = |side: u32| {
            let side = f64::from(side) * f64::from(longest.min(longer)) / f64::from(longer);
            (side.round() as usize).max(1)
        };
        let (across, down) = (fit(width), fit(height));
        let line = 3 * width as usize;
        let brightness = |pixel: &[u8]| -> f32 {
            let channels = pixel.iter().zip(SHARES);
            channels
                .map(|(value, share)| f32::from(*value) * share)
                .sum()
        };
        if longer <= longest {
            return Self {
                width: across,
                height: down,
                values: image.as_raw().chunks_exact(3).map(brightness).collect(),
            };
        }
        let columns = Shares::new(width as usize, across);
        let rows = Shares::new(height as usize, down);
        let mut values = vec![0.0; across * down];
        let mut reduced = vec![0.0; across];
        for (row, pixels) in rows.parts.iter().zip(image.as_raw().chunks_exact(line)) {
            reduced.fill(0.0);
            for (column, pixel) in columns.parts.iter().zip(pixels.chunks_exact(3)) {
                let value = brightness(pixel);
                reduced[column.first] += column.share * value;
                reduced[column.second] += column.rest * value;
            }
            for (to, share) in [(row.first, row.share), (row.second, row.rest)] {
                let line = &mut values[to * across..][..across];
                for (value, add) in line.iter_mut().zip(&reduced) {
                    *value += share * add;
                }
            }
        }
        Self {
            width: across,
            height: down,
            values,
        }
    }

    /// Each value by a function.
    pub(super) fn map(mut self, function: impl Fn(f32) -> f32) -> Self {
        for value in &mut self.values {
            *value = function(*value);
        }
        self
    }

    /// Each value with the one of another plane at its place.
    pub(super) fn with(mut self, other: &Self, function: impl Fn(f32, f32) -> f32) -> Self {
        for (value, other) in self.values.iter_mut().zip(&other.values) {
            *value = function(*value, *other);
        }
        self
    }

    /// What is left without what varies slowly.
    pub(super) fn fine(&self) -> Self {
        let slow = self.means(SLOW).means(SLOW);
        self.clone().with(&slow, |value, slow| value - slow)
    }

    /// The standard deviation of fine values in the square around each.
    pub(super) fn deviations(&self, radius: usize) -> Self {
        let squares = self.clone().map(|value| value * value);
        // A running sum may end below 0 by its rounding.
        squares.means(radius).map(|square| square.max(0.0).sqrt())
    }

    /// The mean of the square around each value, the border repeated.
    pub(super) fn means(&self, radius: usize) -> Self {
        let (width, height) = (self.width, self.height);
        let share = 1.0 / (2 * radius + 1) as f32;
        let mut across = self.clone();
        let lines = across.values.chunks_exact_mut(width);
        for (means, line) in lines.zip(self.values.chunks_exact(width)) {
            let at = |x: usize| line[x.min(width - 1)] * share;
            // The window before the first pixel: sums slide on from there.
            let mut sum = (0..radius).fold((radius + 1) as f32 * at(0), |sum, x| sum + at(x));
            for (x, mean) in means.iter_mut().enumerate() {
                sum += at(x + radius) - at(x.saturating_sub(radius + 1));
                *mean = sum;
            }
        }
        let line = |y: usize| &across.values[y.min(height - 1) * width..][..width];
        let mut sums = vec![0.0; width];
        let add = |sums: &mut [f32], y: usize, share: f32| {
            for (sum, value) in sums.iter_mut().zip(line(y)) {
                *sum += value * share;
            }
        };
        add(&mut sums, 0, (radius + 1) as f32 * share);
        (0..radius).for_each(|y| add(&mut sums, y, share));
        let mut values = Vec::with_capacity(self.values.len());
        for y in 0..height {
            add(&mut sums, y + radius, share);
            add(&mut sums, y.saturating_sub(radius + 1), -share);
            values.extend_from_slice(&sums);
        }
        Self {
            width,
            height,
            values,
        }
    }

    /// The least of the square around each value.
    pub(super) fn least(&self, radius: usize) -> Self {
        let (width, height) = (self.width, self.height);
        let mut across = self.clone();
        let lines = across.values.chunks_exact_mut(width);
        for (least, line) in lines.zip(self.values.chunks_exact(width)) {
            for shift in 1..=radius.min(width - 1) {
                lower(&mut least[shift..], line);
                lower(least, &line[shift..]);
            }
        }
        let mut both = across.clone();
        for shift in 1..=radius.min(height - 1) {
            lower(&mut both.values[shift * width..], &across.values);
            lower(&mut both.values, &across.values[shift * width..]);
        }
        both
    }
}

/// Takes the lower of each pair.
fn lower(values: &mut [f32], others: &[f32]) {
    for (value, other) in values.iter_mut().zip(others) {
        *value = value.min(*other);
    }
}

/// How pixels of a line are spread over fewer of them: each over at most two.
struct Shares {
    parts: Vec<Share>,
}

/// Where a pixel goes: the part of it that goes to the first one, and the rest, that goes to the second one.
struct Share {
    first: usize,
    share: f32,
    second: usize,
    rest: f32,
}

impl Shares {
    fn new(from: usize, to: usize) -> Self {
        let scale = to as f64 / from as f64;
        let part = |i: usize| {
            let (start, end) = (i as f64 * scale, (i + 1) as f64 * scale);
            let first = (start as usize).min(to - 1);
            let second = (first + 1).min(to - 1);
            let rest = (end - (first + 1) as f64).clamp(0.0, scale);
            Share {
                first,
                share: (scale - rest) as f32,
                second,
                rest: rest as f32,
            }
        };
        Self {
            parts: (0..from).map(part).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn a_smaller_brightness_keeps_what_is_even_and_the_mean_of_all() {
        let even = RgbImage::from_pixel(37, 91, Rgb([100; 3]));
        let plane = Plane::brightness(&even, 40);
        assert_eq!((plane.width, plane.height), (16, 40));
        assert!(
            plane
                .values
                .iter()
                .all(|value| (value - 100.0).abs() < 1e-2)
        );
        let steps = RgbImage::from_fn(90, 60, |x, y| Rgb([(x + 2 * y) as u8; 3]));
        let mean = |plane: &Plane| plane.values.iter().sum::<f32>() / plane.values.len() as f32;
        let [whole, small] = [1000, 45].map(|longest| mean(&Plane::brightness(&steps, longest)));
        assert!((whole - small).abs() < 1e-2, "{whole} {small}");
    }

    #[test]
    fn means_and_least_values_are_those_of_the_square_around() {
        let mut plane = Plane {
            width: 9,
            height: 7,
            values: vec![8.0; 63],
        };
        plane.values[3 * 9 + 4] = -1.0;
        let (means, least) = (plane.means(1), plane.least(1));
        for (i, (mean, least)) in means.values.iter().zip(&least.values).enumerate() {
            let is_near = (i / 9).abs_diff(3) <= 1 && (i % 9).abs_diff(4) <= 1;
            let expected = if is_near { [7.0, -1.0] } else { [8.0; 2] };
            assert!((mean - expected[0]).abs() < 1e-4);
            assert_eq!(*least, expected[1]);
        }
    }
}
