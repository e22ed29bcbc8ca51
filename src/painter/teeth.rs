//! How much teeth an opened mouth of a photo shows.

use super::Tones;
use crate::network::PainterConfig;
use crate::tensor::luma;

/// How far inside the lips' edge teeth are looked for, and from where to where outside the lips' tone is
/// measured; in pixels of a crop of 96.
const TEETH_INSIDE: f32 = 1.0;
const LIPS: [f32; 2] = [1.5, 5.0];

/// Largest saturation of teeth against the eye's white.
const TOOTH_SATURATION: f32 = 0.35;

/// Share of the inside of a mouth that shows teeth: what is bright against lips and skin, and hardly
/// coloured against the eye's white. `planes`: `[3, height, width]`; `distance`: to the lips' edge.
pub fn teeth_share(planes: &[f32], distance: &[f32], tones: &Tones, config: PainterConfig) -> f32 {
    let pixel = config.crop_width as f32 / 96.0;
    let plane = distance.len();
    let colour = |i: usize| [0, 1, 2].map(|c| planes[c * plane + i]);
    let is_lip = |d: f32| (-LIPS[1] * pixel..-LIPS[0] * pixel).contains(&d);
    let lips: Vec<f32> = (0..plane)
        .filter(|i| is_lip(distance[*i]))
        .map(|i| luma(colour(i)))
        .collect();
    let lip = lips.iter().sum::<f32>() / lips.len().max(1) as f32;
    let bright = (1.1 * lip).max(lip + 0.03).max(0.55 * luma(tones.skin));
    let is_tooth = |i: &usize| {
        let colour = colour(*i);
        let [r, g, b] = [0, 1, 2].map(|c| colour[c] / tones.white[c].max(0.05));
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        luma(colour) > bright && most - least < TOOTH_SATURATION * most
    };
    let inside: Vec<usize> = (0..plane)
        .filter(|i| distance[*i] > TEETH_INSIDE * pixel)
        .collect();
    let teeth = inside.iter().filter(|i| is_tooth(i)).count();
    teeth as f32 / inside.len().max(1) as f32
}
