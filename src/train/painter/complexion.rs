//! Darker skin around the same teeth: of the photos with wide mouths few show any.

use rand::RngExt;
use rand::rngs::StdRng;

use crate::face::mouth::rise;
use crate::face::planes::signed_distance;
use crate::network::PainterConfig;
use crate::painter::MouthCrop;

/// From where to where around the inside skin turns as dark as it gets, in pixels of a crop of 96: from the inside's
/// edge over the lips.
const LIPS: [f32; 2] = [0.0, 9.0];

/// How dark lips become, as a power of the skin's gain.
const OF_LIPS: f32 = 0.55;

/// How much darker the eyes' white is in such photos, as a power of the skin's gain.
const OF_WHITE: f32 = 0.12;

/// Powers for red, green and blue: dark skin is redder.
const HUE: [f32; 3] = [0.92, 1.05, 1.15];

/// Gains of the skin.
pub(super) struct Complexion([f32; 3]);

impl Complexion {
    pub(super) fn draw(rng: &mut StdRng) -> Self {
        let darker = rng.random_range(0.25..1.15f32);
        Self(HUE.map(|power| (-darker * power).exp()))
    }

    /// Darkens the skin of a mouth's crop, of the real mouth `target` where the crop does not show it, and of the
    /// scene.
    pub(super) fn darken(
        &self,
        crop: &mut MouthCrop,
        target: Option<&mut Vec<f32>>,
        config: PainterConfig,
    ) {
        let size = [config.crop_width, config.crop_height()];
        let pixel = config.crop_width as f32 / 96.0;
        let distance = signed_distance(&crop.cavity, size);
        let plane = distance.len();
        for planes in std::iter::once(&mut crop.picture).chain(target) {
            for (i, distance) in distance.iter().enumerate() {
                let outside = -distance / pixel;
                // Nothing inside, the lips' part at their edge, the skin's beyond them.
                let lips = OF_LIPS * rise([-0.5, 0.5], outside);
                let beyond = rise(LIPS, outside);
                let power = lips + (1.0 - OF_LIPS) * beyond;
                (0..3).for_each(|c| planes[c * plane + i] *= self.0[c].powf(power));
            }
        }
        let gain = |c: usize, power: f32| self.0[c].powf(power);
        crop.tones.skin = [0, 1, 2].map(|c| crop.tones.skin[c] * gain(c, 1.0));
        crop.tones.white = [0, 1, 2].map(|c| crop.tones.white[c] * gain(c, OF_WHITE));
    }
}
