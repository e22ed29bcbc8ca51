//! The pixels of a picture under a turned, scaled square: averaged when shrinking, bilinear when enlarging,
//! the edge's pixels repeated outside of the picture.

use std::ops::{AddAssign, Range};

use image::GrayImage;
use wide::f32x4;

use super::{Alignment, Point};
use crate::picture::Picture;

/// From this many picture pixels a sample on, the picture is shrunk by a whole number first.
const SHRINK_FIRST: f32 = 4.0;

/// Rows of bytes whose sums fit 16 bits.
const NARROW: usize = 256;

/// Width and height of what is sampled, in samples, and which columns and rows of it are wanted.
#[derive(Debug, Clone)]
pub struct Samples {
    pub size: [usize; 2],
    pub part: [Range<usize>; 2],
}

impl Samples {
    /// Of a picture under a rectangle whose width is the alignment's: planes `[3, height, width]` in 0..1;
    /// what is not wanted is 0.
    pub fn of(&self, picture: &Picture, view: &Alignment) -> Vec<f32> {
        let [width, height] = self.size;
        let mut planes = vec![0.0; 3 * width * height];
        let wants_none = self.part.iter().any(Range::is_empty);
        if wants_none || planes.is_empty() || picture.as_image().is_empty() {
            return planes;
        }
        let step = view.side() / width as f32;
        let factor = if step >= SHRINK_FIRST && step.is_finite() {
            (step / 2.0) as usize
        } else {
            1
        };
        let part = Part::under(view, self.size, picture, factor);
        let within = part.view(view);
        if within.is_upright() && step.is_finite() {
            self.upright(&part, &within, &mut planes);
        } else {
            self.turned(&part.region(), &within, &mut planes);
        }
        planes
    }

    /// Of a map of a picture's size: `[height, width]`, 255 as 1.
    pub fn of_map(&self, map: &GrayImage, view: &Alignment) -> Vec<f32> {
        let [width, height] = self.size;
        let mut planes = vec![0.0; 3 * width * height];
        if !map.is_empty() {
            let colour = |value: &u8| [f32::from(*value); 4];
            let size = [map.width() as usize, map.height() as usize];
            let rows = map.as_raw().chunks_exact(size[0]);
            let region = Region::new(size, rows.map(|row| row.iter().map(colour)));
            self.turned(&region, view, &mut planes);
        }
        planes.truncate(width * height);
        planes
    }

    /// Samples along a side of each pixel that is made.
    fn fine(&self, view: &Alignment) -> usize {
        let step = view.side() / self.size[0] as f32;
        // The tolerance keeps a picture that maps pixel by pixel exact.
        (step - 1e-3).ceil().clamp(1.0, 2.0 * SHRINK_FIRST) as usize
    }

    /// Averages `n` x `n` bilinear samples for each pixel.
    fn turned(&self, source: &Region, view: &Alignment, planes: &mut [f32]) {
        let ([width, height], n) = (self.size, self.fine(view));
        let weight = f32x4::splat(1.0 / (255.0 * (n * n) as f32));
        let fine = 1.0 / (width * n) as f32;
        let [columns, rows] = &self.part;
        let place = |column: usize, row: usize| {
            let middle = |i: usize| (i as f32 + 0.5) * fine;
            view.picture_from_face(Point::new(middle(column), middle(row)))
        };
        let mut sums = vec![f32x4::ZERO; columns.len()];
        for row in rows.clone() {
            sums.fill(f32x4::ZERO);
            for line in row * n..(row + 1) * n {
                for (column, sum) in columns.clone().zip(&mut sums) {
                    for i in column * n..(column + 1) * n {
                        *sum += source.bilinear(place(i, line));
                    }
                }
            }
            for (column, sum) in columns.clone().zip(&sums) {
                let colour = (*sum * weight).to_array();
                let planes = planes.chunks_exact_mut(width * height);
                for (plane, value) in planes.zip(colour) {
                    plane[row * width + column] = value;
                }
            }
        }
    }

    /// The same of an upright view, whose samples lie in columns and rows: along the rows, then along the
    /// columns.
    fn upright(&self, part: &Part, view: &Alignment, planes: &mut [f32]) {
        let ([width, height], n) = (self.size, self.fine(view));
        let fine = 1.0 / (width * n) as f32;
        let [columns, rows] = &self.part;
        let places = |along: fn(Point) -> f32, of: &Range<usize>, length: usize| {
            let place = |i: usize| {
                let face = (i as f32 + 0.5) * fine;
                along(view.picture_from_face(Point::new(face, face)))
            };
            let places = of.clone().map(|i| (i * n..(i + 1) * n).map(place));
            Taps::new(places, n, length)
        };
        let across = places(|p| p.x, columns, part.size()[0]);
        let down = places(|p| p.y, rows, part.size()[1]);
        let count = columns.len();
        let mut lines = Lines::new(part, &across, down.most);
        let mut sums = vec![0.0; 3 * count];
        for (row, (first, weights)) in rows.clone().zip(down.each()) {
            sums.fill(0.0);
            for (i, weight) in weights.iter().enumerate() {
                if *weight != 0.0 {
                    let line = lines.line(first + i).iter();
                    let sums = sums.iter_mut().zip(line);
                    sums.for_each(|(sum, value)| *sum += weight * value);
                }
            }
            for (c, sums) in sums.chunks_exact(count).enumerate() {
                let from = (c * height + row) * width + columns.start;
                let to = &mut planes[from..from + count];
                to.iter_mut()
                    .zip(sums)
                    .for_each(|(to, sum)| *to = sum / 255.0);
            }
        }
    }
}

/// What each of some pixels is the weighted sum of, along one direction.
struct Taps {
    firsts: Vec<usize>,
    /// `most` for each.
    weights: Vec<f32>,
    most: usize,
}

impl Taps {
    /// The mean of `n` places between the pixels of a line, for each of the pixels.
    fn new<P: Iterator<Item = f32>>(
        places: impl Iterator<Item = P>,
        n: usize,
        length: usize,
    ) -> Self {
        let mut taps: Vec<(usize, Vec<f32>)> = Vec::new();
        for places in places {
            let pairs: Vec<(usize, f32)> = places.map(|at| between(at, length)).collect();
            let first = pairs.iter().map(|(left, _)| *left).min().unwrap_or(0);
            let last = pairs.iter().map(|(left, _)| *left).max().unwrap_or(0);
            let mut weights = vec![0.0; last - first + 2];
            for (left, part) in pairs {
                weights[left - first] += (1.0 - part) / n as f32;
                weights[left - first + 1] += part / n as f32;
            }
            taps.push((first, weights));
        }
        let most = taps.iter().map(|(_, weights)| weights.len()).max();
        let most = most.unwrap_or(1);
        let mut all = Vec::with_capacity(taps.len() * most);
        for (_, weights) in &taps {
            all.extend(weights);
            all.resize(all.len() + most - weights.len(), 0.0);
        }
        Self {
            firsts: taps.into_iter().map(|(first, _)| first).collect(),
            weights: all,
            most,
        }
    }

    fn each(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let firsts = self.firsts.iter().copied();
        firsts.zip(self.weights.chunks_exact(self.most))
    }
}

/// The pixel left of a place on a line of pixels, and how much of the one right of it is seen there. At
/// both ends the outermost pixel alone.
fn between(at: f32, length: usize) -> (usize, f32) {
    let at = (at - 0.5).clamp(0.0, (length - 1) as f32);
    // The bound is for lengths that f32 cannot hold exactly.
    let left = (at as usize).min(length - 1);
    if left + 1 == length {
        (left, 0.0)
    } else {
        (left, at - left as f32)
    }
}

/// The last rows of a part, each summed along itself: `[3, columns]`.
struct Lines<'a> {
    part: &'a Part<'a>,
    across: &'a Taps,
    /// Which row each place holds.
    rows: Vec<Option<usize>>,
    values: Vec<f32>,
    pixels: Vec<[f32; 4]>,
}

impl<'a> Lines<'a> {
    fn new(part: &'a Part<'a>, across: &'a Taps, most: usize) -> Self {
        Self {
            part,
            across,
            rows: vec![None; most],
            values: vec![0.0; most * 3 * across.firsts.len()],
            // Taps that weigh nothing may lie behind the last pixel.
            pixels: vec![[0.0; 4]; part.size()[0] + across.most],
        }
    }

    fn line(&mut self, row: usize) -> &[f32] {
        let (count, place) = (self.across.firsts.len(), row % self.rows.len());
        let line = &mut self.values[place * 3 * count..][..3 * count];
        if self.rows[place] != Some(row) {
            self.rows[place] = Some(row);
            self.part.row(row, &mut self.pixels);
            let (red, rest) = line.split_at_mut(count);
            let (green, blue) = rest.split_at_mut(count);
            let to = red.iter_mut().zip(green).zip(blue);
            for (((red, green), blue), (first, weights)) in to.zip(self.across.each()) {
                let mut sum = f32x4::ZERO;
                for (pixel, weight) in self.pixels[first..].iter().zip(weights) {
                    sum += f32x4::from(*pixel) * f32x4::splat(*weight);
                }
                [*red, *green, *blue, _] = sum.to_array();
            }
        }
        line
    }
}

/// A part of a picture, made smaller by a whole number.
struct Part<'a> {
    picture: &'a Picture,
    columns: Range<usize>,
    rows: Range<usize>,
    factor: usize,
}

impl<'a> Part<'a> {
    /// What lies under the rectangle, and a little around it.
    fn under(
        view: &Alignment,
        [width, height]: [usize; 2],
        picture: &'a Picture,
        factor: usize,
    ) -> Self {
        let aspect = height as f32 / width as f32;
        let corners = [(0.0, 0.0), (1.0, 0.0), (1.0, aspect), (0.0, aspect)]
            .map(|(x, y)| view.picture_from_face(Point::new(x, y)));
        let margin = 2.0 * factor as f32;
        let range = |of: fn(&Point) -> f32, length: u32| {
            let low = corners.iter().map(of).fold(f32::INFINITY, f32::min) - margin;
            let high = corners.iter().map(of).fold(f32::NEG_INFINITY, f32::max) + margin;
            // At least one pixel, also where the square lies outside of the picture.
            let length = i64::from(length);
            let low = (low.floor() as i64).clamp(0, length - 1);
            let high = (high.ceil() as i64).clamp(low + 1, length);
            low as usize..high as usize
        };
        Self {
            picture,
            columns: range(|p| p.x, picture.width()),
            rows: range(|p| p.y, picture.height()),
            factor,
        }
    }

    /// The view in the part's pixels.
    fn view(&self, view: &Alignment) -> Alignment {
        let corner = Point::new(self.columns.start as f32, self.rows.start as f32);
        view.in_part(corner, 1.0 / self.factor as f32)
    }

    /// Width and height in pixels of it.
    fn size(&self) -> [usize; 2] {
        [&self.columns, &self.rows].map(|range| range.len().div_ceil(self.factor))
    }

    /// A row's pixels, 0..255: red, green, blue, and a number without meaning.
    fn row(&self, row: usize, to: &mut [[f32; 4]]) {
        let bytes = self.picture.as_image().as_raw();
        let stride = self.picture.width() as usize * 3;
        let line = |y: usize| {
            let line = &bytes[y * stride..][..stride];
            &line[3 * self.columns.start..3 * self.columns.end]
        };
        let top = self.rows.start + row * self.factor;
        if self.factor == 1 {
            for (to, pixel) in to.iter_mut().zip(line(top).as_chunks::<3>().0) {
                *to = [pixel[0], pixel[1], pixel[2], 0].map(f32::from);
            }
            return;
        }
        let lines = (top..(top + self.factor).min(self.rows.end)).map(line);
        if self.factor <= NARROW {
            averaged::<u16>(lines, self.factor, to);
        } else {
            averaged::<u64>(lines, self.factor, to);
        }
    }

    fn region(&self) -> Region {
        let [width, height] = self.size();
        let mut line = vec![[0.0; 4]; width];
        let mut region = Region::empty([width, height]);
        for row in 0..height {
            self.row(row, &mut line);
            region.add(line.iter().copied());
        }
        region.finish()
    }
}

/// Some rows of pixels, averaged over squares of `factor` pixels along a side; sums of a column fit into a T.
fn averaged<'a, T>(
    rows: impl ExactSizeIterator<Item = &'a [u8]>,
    factor: usize,
    to: &mut [[f32; 4]],
) where
    T: Copy + Default + AddAssign + From<u8> + Into<u64>,
{
    let count = rows.len();
    let mut sums: Vec<T> = Vec::new();
    for row in rows {
        sums.resize(row.len(), T::default());
        let sums = sums.iter_mut().zip(row);
        sums.for_each(|(sum, value)| *sum += T::from(*value));
    }
    for (to, columns) in to.iter_mut().zip(sums.chunks(3 * factor)) {
        let [mut red, mut green, mut blue] = [0u64; 3];
        for [r, g, b] in columns.as_chunks::<3>().0 {
            red += (*r).into();
            green += (*g).into();
            blue += (*b).into();
        }
        let pixels = (count * columns.len() / 3) as f32;
        *to = [
            red as f32 / pixels,
            green as f32 / pixels,
            blue as f32 / pixels,
            0.0,
        ];
    }
}

/// Pixels to sample between, 0..255.
struct Region {
    /// One more in each row, and a row more: the edge's again.
    pixels: Vec<f32x4>,
    size: [usize; 2],
    /// The last place in both directions.
    last: [f32; 2],
}

impl Region {
    fn new<R: Iterator<Item = [f32; 4]>>(size: [usize; 2], rows: impl Iterator<Item = R>) -> Self {
        let mut region = Self::empty(size);
        rows.for_each(|row| region.add(row));
        region.finish()
    }

    fn empty(size: [usize; 2]) -> Self {
        Self {
            pixels: Vec::with_capacity((size[0] + 1) * (size[1] + 1)),
            size,
            last: size.map(|length| length.saturating_sub(1) as f32),
        }
    }

    fn add(&mut self, row: impl Iterator<Item = [f32; 4]>) {
        self.pixels.extend(row.map(f32x4::from));
        self.pixels.extend(self.pixels.last().copied());
    }

    fn finish(mut self) -> Self {
        let last = self.pixels.len().saturating_sub(self.size[0] + 1);
        self.pixels.extend_from_within(last..);
        self
    }

    /// The colour between the pixels; outside, the edge's.
    #[inline(always)]
    fn bilinear(&self, at: Point) -> f32x4 {
        let ([width, height], [right, bottom]) = (self.size, self.last);
        let x = (at.x - 0.5).clamp(0.0, right);
        let y = (at.y - 0.5).clamp(0.0, bottom);
        // The bounds are for lengths that f32 cannot hold exactly.
        let (left, top) = (
            (x as u32 as usize).min(width - 1),
            (y as u32 as usize).min(height - 1),
        );
        let first = top * (width + 1) + left;
        let (Some([a, b]), Some([c, d])) = (
            self.pixels[first..].first_chunk::<2>(),
            self.pixels[first + width + 1..].first_chunk::<2>(),
        ) else {
            return f32x4::ZERO;
        };
        let (fx, fy) = (f32x4::splat(x - left as f32), f32x4::splat(y - top as f32));
        let above = *a + (*b - *a) * fx;
        let below = *c + (*d - *c) * fx;
        above + (below - above) * fy
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    /// Sums in another order.
    const TOLERANCE: f32 = 2e-5;

    #[test]
    fn an_upright_view_is_sampled_as_a_turned_one_is() {
        let mut state = 3u32;
        let noise = |_: u32, _: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Rgb([state >> 24, state >> 16 & 255, state >> 8 & 255].map(|v| v as u8))
        };
        let picture = Picture::from(RgbImage::from_fn(61, 47, noise));
        for (corner, side) in [((3.2, 5.7), 30.0), ((-8.0, -3.5), 90.0), ((0.0, 0.0), 61.0)] {
            let view = Alignment::upright(Point::new(corner.0, corner.1), side);
            for size in [[16, 12], [40, 40], [130, 70]] {
                for factor in [1, 2, 3] {
                    let samples = Samples {
                        size,
                        part: [1..size[0], 0..size[1] - 2],
                    };
                    let part = Part::under(&view, size, &picture, factor);
                    let within = part.view(&view);
                    let [mut upright, mut turned] =
                        [0, 1].map(|_| vec![0.0; 3 * size[0] * size[1]]);
                    samples.upright(&part, &within, &mut upright);
                    samples.turned(&part.region(), &within, &mut turned);
                    for (a, b) in upright.iter().zip(&turned) {
                        assert!((a - b).abs() < TOLERANCE, "{a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn squares_of_pixels_are_averaged_also_where_their_sums_are_large() {
        let picture = Picture::from(RgbImage::from_pixel(2, 4000, Rgb([255, 7, 90])));
        let view = Alignment::upright(Point::new(0.0, 0.0), 4000.0);
        for factor in [2, 256, 257, 4000] {
            let region = Part::under(&view, [1, 1], &picture, factor).region();
            for pixel in &region.pixels {
                assert_eq!(pixel.to_array()[..3], [255.0, 7.0, 90.0], "{factor}");
            }
        }
    }
}
