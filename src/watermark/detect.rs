//! Looks for the mark in a picture of which nothing else is known.

use image::RgbImage;

use super::fft::Fft;
use super::pattern::{Wave, waves};
use super::plane::Plane;
use super::{THRESHOLD, TILE, chance};

/// The longer side of the picture that is looked at, in pixels; larger ones are made smaller.
const SIZE: u32 = 512;

/// Smaller pictures are searched as ones of this longer side would be.
const LEAST_SIZE: usize = 256;

/// The sides of a tile that are tried, in pixels of the picture that is looked at: what is left of one in a
/// picture that was made smaller, to two fifths, and cropped, or larger, to double.
const SIDES: [f32; 2] = [26.0, 130.0];

/// From one side of a tile that is tried to the next, as a part of it, in a picture of [`SIZE`]: the waves stay in
/// step to its border. In a smaller one steps are wider.
const STEP: f32 = 0.005;

/// How far around a pixel its fine structure is measured, by which it is divided, in pixels; and what is added
/// to that, in levels: the grain of a flat area is not made as large as all else.
const AROUND: usize = 6;
const GRAIN: f32 = 2.0;

/// Where fine structure is cut off, in its standard deviations around: an edge weighs no more than a texture.
const CUT: f32 = 3.0;

/// A frequency with less than this is empty: its phase says nothing.
const EMPTY: f32 = 1e-3;

/// What a search for the mark found.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Detection {
    /// How well the best of all tries fits, in standard deviations of what chance gives one try.
    pub score: f32,
    /// From where on it counts as found.
    pub threshold: f32,
    /// Whether the mark is there.
    pub found: bool,
    /// At most how likely a picture without the mark gives this score.
    pub chance: f64,
    /// The size of the picture now in that which it was marked at; of one that was larger than the mark's full
    /// size in that. Only where it was found.
    pub scale: Option<f32>,
    /// Whether the picture was mirrored since, left and right; only where it was found.
    pub mirrored: Option<bool>,
}

/// How many tests the longest search makes: sides, mirrored or not, and places.
pub(super) fn most_tests() -> usize {
    tests(SIZE as usize)
}

fn tests(longer: usize) -> usize {
    2 * sides(longer).count() * TILE * TILE
}

/// The sides of a tile that are tried in a picture with this longer side.
fn sides(longer: usize) -> impl Iterator<Item = f32> {
    let step = STEP * (SIZE as f32 / longer.max(LEAST_SIZE) as f32).sqrt();
    let steps = ((SIDES[1] / SIDES[0]).ln() / step) as usize;
    (0..=steps).map(move |i| SIDES[0] * (i as f32 * step).exp())
}

/// Searches a picture for the mark: at any place, from 0.4 times to twice its size, mirrored or not.
pub fn detect(image: &RgbImage) -> Detection {
    let (width, height) = image.dimensions();
    let longer = width.max(height).max(1);
    let looked_at = longer.min(SIZE);
    let mut best = (0.0f32, 0.0f32, false);
    if width > 0 && height > 0 {
        let spectrum = Spectrum::of(&evened(Plane::brightness(image, SIZE)));
        let mut search = Search::new();
        for side in sides(looked_at as usize) {
            let scores = search.best_places(&spectrum, side);
            for (score, mirrored) in scores.into_iter().zip([false, true]) {
                if score > best.0 {
                    best = (score, side, mirrored);
                }
            }
        }
    }
    let (score, side, mirrored) = best;
    let found = score >= THRESHOLD;
    let scale = side / TILE as f32 * longer as f32 / looked_at as f32;
    Detection {
        score,
        threshold: THRESHOLD,
        found,
        chance: chance(score, tests(looked_at as usize)),
        scale: found.then_some(scale),
        mirrored: found.then_some(mirrored),
    }
}

/// Fine structure that is about equally strong everywhere.
fn evened(brightness: Plane) -> Plane {
    let fine = brightness.fine();
    let around = fine.deviations(AROUND);
    fine.with(&around, |value, around| {
        (value / (around + GRAIN)).clamp(-CUT, CUT)
    })
}

/// The Fourier transform of a picture whose middle is the origin, for frequencies from 0 to half of all across.
struct Spectrum {
    /// Twice the picture's longer side or more, so that no frequency lies far from one that is computed.
    length: usize,
    /// Frequencies across: half of all and one.
    columns: usize,
    /// `[length, columns]`: frequencies down and across.
    re: Vec<f32>,
    im: Vec<f32>,
}

/// How many rows are transformed side by side.
const ROWS: usize = 16;

impl Spectrum {
    fn of(plane: &Plane) -> Self {
        let longer = plane.width.max(plane.height).max(LEAST_SIZE);
        let length = (2 * longer).next_power_of_two();
        let fft = Fft::new(length);
        let columns = length / 2 + 1;
        let (mut re, mut im) = (vec![0.0; length * columns], vec![0.0; length * columns]);
        // Where a row or column of the picture lies, so that its middle is at 0.
        let place = |i: usize, side: usize| (i + length - side / 2) % length;
        let (mut rows_re, mut rows_im) = (vec![0.0; length * ROWS], vec![0.0; length * ROWS]);
        for (block, lines) in plane.values.chunks(ROWS * plane.width).enumerate() {
            rows_re.fill(0.0);
            rows_im.fill(0.0);
            for (row, line) in lines.chunks_exact(plane.width).enumerate() {
                for (x, value) in line.iter().enumerate() {
                    rows_re[place(x, plane.width) * ROWS + row] = *value;
                }
            }
            fft.transform(&mut rows_re, &mut rows_im, ROWS);
            for (row, y) in (block * ROWS..plane.height).take(ROWS).enumerate() {
                let to = place(y, plane.height) * columns;
                for x in 0..columns {
                    let from = x * ROWS + row;
                    (re[to + x], im[to + x]) = (rows_re[from], rows_im[from]);
                }
            }
        }
        fft.transform(&mut re, &mut im, columns);
        Self {
            length,
            columns,
            re,
            im,
        }
    }

    /// The value at a frequency, in waves a pixel; the first one 0 or more.
    fn at(&self, x: f32, y: f32) -> [f32; 2] {
        let [x, y] = [x, y].map(|frequency| (frequency * self.length as f32).round());
        let x = (x as usize).min(self.columns - 1);
        let y = (y as isize).rem_euclid(self.length as isize) as usize;
        let at = y * self.columns + x;
        [self.re[at], self.im[at]]
    }
}

/// Tries all places of the tile at once.
struct Search {
    waves: Vec<Wave>,
    fft: Fft,
    /// Frequencies across that have waves.
    across: usize,
    /// The products of the picture's and the tile's phases, then the places' sums down: `[TILE, 2 * across]`, the
    /// picture's before the mirrored one's.
    down: [Vec<f32>; 2],
    /// The same across, `[TILE, TILE]` with the places down as lanes.
    both: [Vec<f32>; 2],
}

impl Search {
    fn new() -> Self {
        let waves = waves();
        let across = waves.iter().map(|wave| wave.x + 1).max().unwrap_or(0);
        let zeros = |lanes: usize| [vec![0.0; TILE * lanes], vec![0.0; TILE * lanes]];
        Self {
            waves,
            fft: Fft::new(TILE),
            across,
            down: zeros(2 * across),
            both: zeros(TILE),
        }
    }

    /// The best score of any place of a tile with this side: in the picture, and in the mirrored one.
    fn best_places(&mut self, spectrum: &Spectrum, side: f32) -> [f32; 2] {
        self.multiply(spectrum, side);
        let lanes = 2 * self.across;
        let [re, im] = &mut self.down;
        self.fft.transform(re, im, lanes);
        self.both.iter_mut().for_each(|part| part.fill(0.0));
        // Only the real part of each is asked for, which is the transform of the half with its conjugate mirror: so
        // one transform has both, the other one as its imaginary part.
        for x in 0..self.across {
            let opposite = (TILE - x) % TILE;
            for y in 0..TILE {
                let (plain, mirrored) = (y * lanes + x, y * lanes + self.across + x);
                let ([a_re, b_re], [a_im, b_im]) =
                    ([re[plain], re[mirrored]], [im[plain], im[mirrored]]);
                let [to_re, to_im] = &mut self.both;
                to_re[x * TILE + y] += (a_re - b_im) / 2.0;
                to_im[x * TILE + y] += (a_im + b_re) / 2.0;
                to_re[opposite * TILE + y] += (a_re + b_im) / 2.0;
                to_im[opposite * TILE + y] += (b_re - a_im) / 2.0;
            }
        }
        let [re, im] = &mut self.both;
        self.fft.transform(re, im, TILE);
        let deviation = (self.waves.len() as f32 / 2.0).sqrt();
        [re, im].map(|sums| sums.iter().copied().fold(f32::MIN, f32::max) / deviation)
    }

    /// The picture's phases at the tile's frequencies, less the tile's.
    fn multiply(&mut self, spectrum: &Spectrum, side: f32) {
        let lanes = 2 * self.across;
        let [to_re, to_im] = &mut self.down;
        to_re.fill(0.0);
        to_im.fill(0.0);
        for Wave { x, y, phase } in &self.waves {
            let (across, down) = (*x as f32 / side, *y as f32 / side);
            let plain = spectrum.at(across, down);
            // Of the mirrored picture the frequency across is the opposite one, whose value is the conjugate of
            // that at the opposite of both.
            let [re, im] = spectrum.at(across, -down);
            let row = y.rem_euclid(TILE as isize) as usize * lanes;
            let both = [(plain, row + x), ([re, -im], row + self.across + x)];
            for ([re, im], at) in both {
                let size = (re * re + im * im).sqrt();
                if size > EMPTY {
                    to_re[at] = (re * phase[0] + im * phase[1]) / size;
                    to_im[at] = (im * phase[0] - re * phase[1]) / size;
                }
            }
        }
    }
}
