//! The waves of the tile: which there are, and their phases.

use super::TILE;
use super::fft::Fft;

/// The lowest and the highest frequency of the tile's waves, in waves a tile: below is what the eye sees best,
/// above is what JPEG and smaller sizes take away.
pub(super) const FREQUENCIES: [f32; 2] = [4.0, 13.0];

/// Where the random phases begin: "FERSNet" in ASCII. Another key is another watermark.
const KEY: u64 = 0x0046_4552_534e_6574;

/// One wave of the tile.
pub(super) struct Wave {
    /// Waves a tile, across: 0 or more.
    pub x: usize,
    /// Waves a tile, down.
    pub y: isize,
    /// Cosine and sine of its phase.
    pub phase: [f32; 2],
}

/// The waves of the tile: one of each pair of opposite frequencies.
pub(super) fn waves() -> Vec<Wave> {
    let [low, high] = FREQUENCIES;
    let reach = high as isize;
    let mut state = KEY;
    let mut waves = Vec::new();
    for x in 0..=reach {
        for y in -reach..=reach {
            let frequency = (x as f32).hypot(y as f32);
            if (x > 0 || y > 0) && (low..=high).contains(&frequency) {
                let turn = random(&mut state) * std::f32::consts::TAU;
                let phase = [turn.cos(), turn.sin()];
                waves.push(Wave {
                    x: x as usize,
                    y,
                    phase,
                });
            }
        }
    }
    waves
}

/// The next of evenly distributed numbers from 0 to 1 (SplitMix64).
fn random(state: &mut u64) -> f32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u32 << 24) as f32
}

/// The tile, row by row, with a mean of 0 and a standard deviation of 1.
pub(super) fn tile() -> Vec<f32> {
    let waves = waves();
    let fft = Fft::new(TILE);
    // [y, x], then [x, y]; the sum of the waves is the real part of the transform over both.
    let (mut re, mut im) = (vec![0.0; TILE * TILE], vec![0.0; TILE * TILE]);
    for Wave { x, y, phase } in &waves {
        let at = y.rem_euclid(TILE as isize) as usize * TILE + x;
        // The transform runs backwards: the conjugate of its input is that of its output.
        (re[at], im[at]) = (phase[0], -phase[1]);
    }
    fft.transform(&mut re, &mut im, TILE);
    let [mut re, mut im] = [re, im].map(turned);
    fft.transform(&mut re, &mut im, TILE);
    let share = 1.0 / (waves.len() as f32 / 2.0).sqrt();
    turned(re).into_iter().map(|value| value * share).collect()
}

/// A tile whose rows are its columns.
fn turned(values: Vec<f32>) -> Vec<f32> {
    let at = |i: usize| values[i % TILE * TILE + i / TILE];
    (0..TILE * TILE).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tile_is_the_sum_of_its_waves() {
        let (tile, waves) = (tile(), waves());
        let share = 1.0 / (waves.len() as f32 / 2.0).sqrt();
        for (x, y) in [(0, 0), (5, 0), (0, 9), (31, 62)] {
            let sum: f32 = waves
                .iter()
                .map(|wave| {
                    let turn = (wave.x * x) as f32 + wave.y as f32 * y as f32;
                    let turn = turn * std::f32::consts::TAU / TILE as f32;
                    turn.cos() * wave.phase[0] - turn.sin() * wave.phase[1]
                })
                .sum();
            let found = tile[y * TILE + x];
            assert!(
                (found - sum * share).abs() < 1e-3,
                "{found} {}",
                sum * share
            );
        }
        let square: f32 = tile.iter().map(|value| value * value).sum();
        assert!((square / (TILE * TILE) as f32 - 1.0).abs() < 1e-3);
    }
}
