//! A rectangle of the photo at some scale, and the photo's pixels in it.

use image::RgbImage;

use crate::face::planes::{blur, catmull_rom};

/// A colour, 0 to 255.
pub type Colour = [f32; 3];

/// An upright rectangle over a photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Its upper left corner in the photo, in pixels of it.
    pub origin: [f32; 2],
    /// The photo's pixels in one of the view's.
    pub step: f32,
    /// The view's own pixels: in a row, and rows.
    pub size: [usize; 2],
}

impl View {
    /// A place of the photo in the view.
    pub fn view_from_photo(&self, place: [f32; 2]) -> [f32; 2] {
        [0, 1].map(|axis| (place[axis] - self.origin[axis]) / self.step)
    }

    /// The view with so many more of its pixels on each side.
    pub fn with_margin(&self, pixels: usize) -> Self {
        let by = pixels as f32 * self.step;
        Self {
            origin: self.origin.map(|at| at - by),
            step: self.step,
            size: self.size.map(|length| length + 2 * pixels),
        }
    }

    /// The photo in the view: averaged where it is made smaller. Beyond the photo its border goes on,
    /// softer the further out, so that no streaks are drawn.
    pub fn cut(&self, photo: &RgbImage) -> Vec<Colour> {
        let [width, height] = self.size;
        let n = self.step.ceil().clamp(1.0, 16.0) as usize;
        let weight = 1.0 / (n * n) as f32;
        let source = Pixels::of(photo);
        let mut cut = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let mut sum = [0.0; 3];
                for j in 0..n {
                    for i in 0..n {
                        let fine = |pixel: usize, part: usize, axis: usize| {
                            let at = pixel as f32 + (part as f32 + 0.5) / n as f32;
                            self.origin[axis] + at * self.step
                        };
                        let colour = source.bilinear([fine(x, i, 0), fine(y, j, 1)]);
                        for c in 0..3 {
                            sum[c] += weight * colour[c];
                        }
                    }
                }
                cut.push(sum);
            }
        }
        self.soften_outside(&mut cut, photo);
        cut
    }

    /// How much of each pixel lies within a closed line of the photo, 0 to 1.
    pub(super) fn inside(&self, line: &[[f32; 2]]) -> Vec<f32> {
        const FINE: usize = 4;
        let [width, height] = self.size;
        let line: Vec<[f32; 2]> = line.iter().map(|at| self.view_from_photo(*at)).collect();
        let mut inside = vec![0.0; width * height];
        let weight = 1.0 / (FINE * FINE) as f32;
        for row in 0..height * FINE {
            let y = (row as f32 + 0.5) / FINE as f32;
            // Between the first and the second crossing, the third and the fourth, ...
            let pieces = line.iter().zip(line.iter().cycle().skip(1));
            let mut crossings: Vec<f32> = pieces
                .filter(|(a, b)| (a[1] > y) != (b[1] > y))
                .map(|(a, b)| a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
                .collect();
            crossings.sort_by(f32::total_cmp);
            for pair in crossings.chunks_exact(2) {
                let first = |x: f32| (x * FINE as f32 + 0.5) as usize;
                for fine in first(pair[0])..first(pair[1]).min(width * FINE) {
                    inside[row / FINE * width + fine / FINE] += weight;
                }
            }
        }
        inside
    }

    fn soften_outside(&self, cut: &mut [Colour], photo: &RgbImage) {
        let last = [photo.width(), photo.height()].map(|length| length as f32 / self.step);
        let start = self.origin.map(|at| -at / self.step);
        // How far a pixel lies outside of the photo.
        let outside = |pixel: usize, axis: usize| {
            let at = pixel as f32 + 0.5;
            (start[axis] - at)
                .max(at - start[axis] - last[axis])
                .max(0.0)
        };
        let [width, height] = self.size;
        let most = outside(0, 0)
            .max(outside(width - 1, 0))
            .max(outside(0, 1))
            .max(outside(height - 1, 1));
        if most < 1.0 {
            return;
        }
        for deviation in [most / 10.0, most / 3.0] {
            if deviation < 0.5 {
                continue;
            }
            for c in 0..3 {
                let plane: Vec<f32> = cut.iter().map(|colour| colour[c]).collect();
                let soft = blur(&plane, self.size, deviation);
                for (i, colour) in cut.iter_mut().enumerate() {
                    let far = outside(i % width, 0).max(outside(i / width, 1));
                    let part = (far / (2.5 * deviation)).clamp(0.0, 1.0);
                    colour[c] += (soft[i] - colour[c]) * part;
                }
            }
        }
    }
}

/// The photo's pixels, read between their centres; the border goes on outside.
pub(super) struct Pixels<'a> {
    raw: &'a [u8],
    size: [usize; 2],
}

impl<'a> Pixels<'a> {
    pub fn of(photo: &'a RgbImage) -> Self {
        Self {
            raw: photo.as_raw(),
            size: [photo.width() as usize, photo.height() as usize],
        }
    }

    fn at(&self, x: usize, y: usize) -> Colour {
        let i = 3 * (y * self.size[0] + x);
        [0, 1, 2].map(|c| f32::from(self.raw[i + c]))
    }

    pub fn bilinear(&self, place: [f32; 2]) -> Colour {
        let size = self.size;
        let [x, y] = [0, 1].map(|i| (place[i] - 0.5).clamp(0.0, (size[i] - 1) as f32));
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(size[0] - 1), (top + 1).min(size[1] - 1));
        let (fx, fy) = (x - left as f32, y - top as f32);
        let corners = [
            self.at(left, top),
            self.at(right, top),
            self.at(left, bottom),
            self.at(right, bottom),
        ];
        [0, 1, 2].map(|c| {
            let above = corners[0][c] + (corners[1][c] - corners[0][c]) * fx;
            let below = corners[2][c] + (corners[3][c] - corners[2][c]) * fx;
            above + (below - above) * fy
        })
    }
}

/// A colour with a fourth number, so that one instruction takes all.
pub(super) type Pixel = [f32; 4];

pub(super) fn pixel([red, green, blue]: Colour) -> Pixel {
    [red, green, blue, 0.0]
}

pub(super) fn colour([red, green, blue, _]: Pixel) -> Colour {
    [red, green, blue]
}

/// A picture at a place: cubic (Catmull-Rom), so that what moves stays as sharp as what does not; the
/// border goes on outside.
pub(super) fn cubic(picture: &[Pixel], [width, height]: [usize; 2], place: [f32; 2]) -> Colour {
    let last = [width as f32 - 1.0, height as f32 - 1.0];
    let [x, y] = [0, 1].map(|i| (place[i] - 0.5).clamp(0.0, last[i]));
    let (column, row) = (x as usize, y as usize);
    let across = catmull_rom(x - column as f32);
    let down = catmull_rom(y - row as f32);
    let mut sum = [0.0; 4];
    let mut add = |pixel: &Pixel, part: f32| {
        for c in 0..4 {
            sum[c] += part * pixel[c];
        }
    };
    let is_inner = column >= 1 && row >= 1 && column + 2 < width && row + 2 < height;
    if is_inner {
        for (j, weight) in down.into_iter().enumerate() {
            let first = (row + j - 1) * width + column - 1;
            for (pixel, part) in picture[first..first + 4].iter().zip(across) {
                add(pixel, part * weight);
            }
        }
    } else {
        let index =
            |at: usize, step: usize, length: usize| (at + step).saturating_sub(1).min(length - 1);
        for (j, weight) in down.into_iter().enumerate() {
            let line = index(row, j, height) * width;
            for (i, part) in across.into_iter().enumerate() {
                add(&picture[line + index(column, i, width)], part * weight);
            }
        }
    }
    colour(sum).map(|value| value.clamp(0.0, 255.0))
}
