//! Colours for grey mouths, so that the many wide ones among them teach what a coloured photo needs: lips
//! redder than the skin, the inside redder still where it is dark and as white as the eyes where it is bright.

use rand::RngExt;
use rand::rngs::StdRng;

use crate::face::planes::signed_distance;
use crate::network::PainterConfig;
use crate::painter::MouthCrop;
use crate::tensor::luma;

/// How far from the inside's edge lips reach, in pixels of a crop of 96.
const LIPS: f32 = 9.0;

/// Brightness of flesh and of teeth inside, as parts of the lips'.
const FLESH: f32 = 0.75;
const TEETH: f32 = 1.25;

/// Gains of red, green and blue that leave the brightness as it is.
#[derive(Debug, Clone, Copy)]
struct Hue([f32; 3]);

impl Hue {
    fn new(gains: [f32; 3]) -> Self {
        let brightness = luma(gains).max(1e-3);
        Self(gains.map(|gain| gain / brightness))
    }

    /// `gains`, each off by chance.
    fn near(gains: [f32; 3], spread: f32, rng: &mut StdRng) -> Self {
        Self::new(gains.map(|gain| gain * (spread * rng.random_range(-1.0f32..1.0)).exp()))
    }

    fn towards(self, other: Self, share: f32) -> Self {
        Self([0, 1, 2].map(|c| self.0[c] + share * (other.0[c] - self.0[c])))
    }

    fn on(self, colour: [f32; 3]) -> [f32; 3] {
        let light = luma(colour);
        self.0.map(|gain| (light * gain).clamp(0.0, 1.0))
    }
}

/// The hues of one mouth.
pub(super) struct Tint {
    skin: Hue,
    lips: Hue,
    flesh: Hue,
    white: Hue,
}

impl Tint {
    /// Skin from pale to brown, as photographs show it, and the rest by chance beside it.
    pub(super) fn draw(rng: &mut StdRng) -> Self {
        let warmth = rng.random_range(0.0..1.0f32);
        let skin = [1.16 + 0.14 * warmth, 0.96, 0.86 - 0.18 * warmth];
        let lips = [1.3 + 0.2 * warmth, 0.86, 0.84 - 0.08 * warmth];
        Self {
            skin: Hue::near(skin, 0.05, rng),
            lips: Hue::near(lips, 0.07, rng),
            flesh: Hue::near([1.6, 0.75, 0.7], 0.12, rng),
            white: Hue::near([1.03, 1.0, 0.93], 0.04, rng),
        }
    }

    /// Colours a grey mouth and what is known of its scene; `target` is the real mouth where the crop does
    /// not show it.
    pub(super) fn colour(
        &self,
        crop: &mut MouthCrop,
        target: Option<&mut Vec<f32>>,
        config: PainterConfig,
    ) {
        let size = [config.crop_width, config.crop_height()];
        let reach = LIPS * config.crop_width as f32 / 96.0;
        let distance = signed_distance(&crop.cavity, size);
        let lip = lip_brightness(&crop.picture, &distance, reach);
        for planes in std::iter::once(&mut crop.picture).chain(target) {
            let plane = distance.len();
            for i in 0..plane {
                let colour = [0, 1, 2].map(|c| planes[c * plane + i]);
                let hue = self.at(distance[i] / reach, luma(colour) / lip);
                let coloured = hue.on(colour);
                (0..3).for_each(|c| planes[c * plane + i] = coloured[c]);
            }
        }
        crop.tones.skin = self.skin.on(crop.tones.skin);
        crop.tones.white = self.white.on(crop.tones.white);
    }

    /// `depth`: above 0 inside, -1 where the lips end; `light`: against the lips'.
    fn at(&self, depth: f32, light: f32) -> Hue {
        if depth > 0.0 {
            let tooth = ((light - FLESH) / (TEETH - FLESH)).clamp(0.0, 1.0);
            return self.flesh.towards(self.white, tooth);
        }
        // Lips are an oval of their own: sharp at the inside, soft at the skin.
        let skin = (2.0 * -depth - 1.0).clamp(0.0, 1.0);
        self.lips
            .towards(self.skin, skin * skin * (3.0 - 2.0 * skin))
    }
}

fn lip_brightness(planes: &[f32], distance: &[f32], reach: f32) -> f32 {
    let plane = distance.len();
    let lips = (0..plane).filter(|i| (-0.5 * reach..-0.1 * reach).contains(&distance[*i]));
    let (sum, count) = lips.fold((0.0, 0.0f32), |(sum, count), i| {
        let light = luma([0, 1, 2].map(|c| planes[c * plane + i]));
        (sum + light, count + 1.0)
    });
    (sum / count.max(1.0)).max(0.05)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::face::{MouthFrame, Point};
    use crate::painter::Tones;

    #[test]
    fn a_tinted_mouth_has_red_lips_white_teeth_and_its_own_brightness() {
        let config = PainterConfig {
            width: 4,
            crop_width: 96,
        };
        let (width, height) = (config.crop_width, config.crop_height());
        let inside = |i: usize| (30..42).contains(&(i / width)) && (20..76).contains(&(i % width));
        let cavity: Vec<f32> = (0..width * height)
            .map(|i| f32::from(u8::from(inside(i))))
            .collect();
        // Teeth above, dark below, all else of one grey.
        let light = |i: usize| match i / width {
            30..36 if inside(i) => 0.7,
            36..42 if inside(i) => 0.1,
            _ => 0.4,
        };
        let plane: Vec<f32> = (0..width * height).map(light).collect();
        let mut crop = MouthCrop {
            frame: MouthFrame {
                centre: Point::new(0.5, 0.75),
                width: 0.4,
            },
            picture: plane.repeat(3),
            kept: None,
            cavity,
            tones: Tones {
                skin: [0.4; 3],
                white: [0.8; 3],
            },
            teeth: None,
            strength: 1.0,
        };
        let mut rng = StdRng::seed_from_u64(3);
        Tint::draw(&mut rng).colour(&mut crop, None, config);
        let count = width * height;
        let colour = |row: usize| [0, 1, 2].map(|c| crop.picture[c * count + row * width + 48]);
        let red = |colour: [f32; 3]| colour[0] / colour[1];
        let (skin, lips, teeth, dark) = (colour(2), colour(28), colour(32), colour(39));
        assert!(red(lips) > 1.1 * red(skin), "{lips:?} {skin:?}");
        assert!(red(teeth) < 1.3, "{teeth:?}");
        assert!(red(dark) > 1.1 * red(lips), "{dark:?} {lips:?}");
        assert!((luma(lips) - 0.4).abs() < 0.02 && (luma(teeth) - 0.7).abs() < 0.03);
        assert!((red(crop.tones.skin) - red(skin)).abs() < 1e-3);
    }
}
