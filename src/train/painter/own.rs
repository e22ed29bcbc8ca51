//! Mouths that were open before: a part of the inside is the photo's own, and what is painted goes on from it.

use rand::RngExt;
use rand::rngs::StdRng;

use crate::face::planes::bilinear;
use crate::network::PainterConfig;

/// The inside of a mouth from which that of `cavity` `[height, width]` may have been opened: as wide, give or take,
/// and up to three times less high.
pub(super) fn mouth_before(cavity: &[f32], config: PainterConfig, rng: &mut StdRng) -> Vec<f32> {
    let size @ [width, height] = [config.crop_width, config.crop_height()];
    let is_open = |i: &usize| cavity[*i] > 0.5;
    let rows = (0..cavity.len()).filter(is_open).map(|i| i / width);
    let top = rows.clone().min().unwrap_or_default() as f32;
    let high = rows.max().unwrap_or_default() as f32 - top;
    let lower_by = high * rng.random_range(-0.15..0.25f32);
    let (wider, higher) = (
        rng.random_range(0.75..1.25f32),
        rng.random_range(0.9..3.0f32),
    );
    let middle = width as f32 * (0.5 + rng.random_range(-0.04..0.04f32));
    let value = |i: usize| {
        let (x, y) = ((i % width) as f32 + 0.5, (i / width) as f32 + 0.5);
        let from = [
            middle + wider * (x - middle),
            top + higher * (y - lower_by - top),
        ];
        let is_within = (0.0..height as f32).contains(&from[1]);
        if is_within {
            bilinear(cavity, size, from[0], from[1])
        } else {
            0.0
        }
    };
    (0..cavity.len()).map(value).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::painter::kept;

    #[test]
    fn what_was_open_before_lies_at_the_top_and_is_a_part() {
        let config = PainterConfig {
            width: 4,
            crop_width: 96,
        };
        let is_open = |i: usize| (20..76).contains(&(i % 96)) && (20..56).contains(&(i / 96));
        let cavity: Vec<f32> = (0..96 * 72)
            .map(|i| f32::from(u8::from(is_open(i))))
            .collect();
        let mut rng = StdRng::seed_from_u64(1);
        let (mut upper, mut lower, mut parts) = (0.0, 0.0, Vec::new());
        for _ in 0..50 {
            let own = mouth_before(&cavity, config, &mut rng);
            let kept = kept(&own, &cavity, config);
            let halves = kept.split_at(38 * 96);
            upper += halves.0.iter().sum::<f32>();
            lower += halves.1.iter().sum::<f32>();
            parts.push(kept.iter().sum::<f32>() / (56.0 * 36.0));
        }
        assert!(upper > 1.5 * lower, "{upper} {lower}");
        let mean = parts.iter().sum::<f32>() / 50.0;
        assert!((0.1..0.8).contains(&mean), "{mean}");
        assert!(parts.iter().any(|part| *part < 0.5));
    }
}
