//! An imperceptible mark in the pixels of a synthetic picture, and how it is found again without the original.
//!
//! A spread-spectrum watermark: a tile of 64 x 64 pixels, the sum of some hundred waves of middle frequencies
//! with secret-free but random phases, is repeated over the whole brightness, weak where the picture is smooth.
//! Because it repeats, all that it adds to the picture lies at a few known frequencies, which stand out of a
//! spectrum from any part of the picture. The detector looks only at the phases there: it tries the sizes that
//! the tile may have and, by one inverse transform each, all places.
//!
//! A score is a sum of cosines of angles that are uniform and independent for a key drawn at random, whatever
//! the picture, divided by its standard deviation. So one test exceeds t with a probability of at most
//! exp(-t²/2) (Hoeffding's argument for cosines: I0(x) <= exp(x²/4)), and a whole search that many times as
//! often as it tests. docs/watermark.md has what was measured.

mod detect;
mod embed;
mod fft;
mod pattern;
mod plane;

pub use detect::{Detection, detect};
pub use embed::embed;

/// Side of the tile, in pixels of a picture that is no longer than [`FULL_SIZE`].
const TILE: usize = 64;

/// In pictures with a longer side than this the tile grows with the picture: such ones are mostly shown, and
/// passed on, at a smaller size.
const FULL_SIZE: u32 = 1000;

/// Pictures with a shorter side than this, in pixels, are not marked: they cannot hold it.
pub const MIN_SIDE: u32 = 128;

/// From this score on the mark is taken as found.
pub const THRESHOLD: f32 = 7.0;

/// At most how likely a search of a picture of any size without the mark gives this score, over all keys that
/// might have been drawn.
pub fn most_chance(score: f32) -> f64 {
    chance(score, detect::most_tests())
}

/// The same for so many tests.
fn chance(score: f32, tests: usize) -> f64 {
    let one = (-f64::from(score) * f64::from(score) / 2.0).exp();
    (tests as f64 * one).min(1.0)
}
