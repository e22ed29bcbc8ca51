//! From the painter's answer to colours: filled . (1 - alpha) + colour . alpha.
//!
//! A colour is the filled picture's with some of the eyes' white, of the skin and of the lips' tone added or
//! taken off. Teeth are then as white as the scene's light allows, and gums and tongue of the person's own
//! blood, in any light; a grey photo stays grey.

use burn::tensor::{Tensor, activation};

use super::crop::MouthCrop;
use super::network::OUTPUTS;
use super::prepare::Prepared;
use crate::face::PaintedMouth;
use crate::network::PainterConfig;

/// Scale of the painter's first three channels to shares of white, skin and the lips' tone.
const TONE_SCALE: f64 = 0.5;

/// The painted crops `[batch, 3, height, width]` of the painter's answer `out` `[batch, OUTPUTS, height,
/// width]` over `filled` `[batch, 3, height, width]` within `reach` `[batch, 1, height, width]`, with the
/// `white` and the `skin` of each scene, `[batch, 3, 1, 1]`, and what the cavity is filled with, `[batch, 3,
/// height, width]`.
pub fn painted(
    out: Tensor<4>,
    filled: Tensor<4>,
    reach: Tensor<4>,
    [white, skin, fill]: [Tensor<4>; 3],
) -> Tensor<4> {
    let share = |channel: usize| out.clone().narrow(1, channel, 1) * TONE_SCALE;
    // [batch, 3, height, width]
    let change = share(0) * white + share(1) * skin + share(2) * fill;
    let alpha = activation::sigmoid(out.narrow(1, OUTPUTS - 1, 1)) * reach; // [batch, 1, height, width]
    filled + change * alpha
}

/// The layer that shows the same over the photo itself, of one answer `[OUTPUTS, height, width]`.
pub fn painted_mouth(
    out: &[f32],
    crop: &MouthCrop,
    prepared: &Prepared,
    config: PainterConfig,
) -> PaintedMouth {
    let (width, height) = (config.crop_width, config.crop_height());
    let plane = width * height;
    let pixel = |i: usize| {
        let inside = prepared.inside[i];
        let alpha = prepared.reach[i] / (1.0 + (-out[(OUTPUTS - 1) * plane + i]).exp());
        let colour = |c: usize| {
            let at = c * plane + i;
            let change = out[i] * crop.tones.white[c]
                + out[plane + i] * crop.tones.skin[c]
                + out[2 * plane + i] * prepared.fill[at];
            let colour = prepared.filled[at] + TONE_SCALE as f32 * change;
            prepared.fill[at] * inside * (1.0 - alpha) + colour * alpha
        };
        [
            colour(0),
            colour(1),
            colour(2),
            1.0 - (1.0 - inside) * (1.0 - alpha),
        ]
    };
    PaintedMouth {
        frame: crop.frame,
        width,
        height,
        pixels: (0..plane).map(pixel).collect(),
        strength: crop.strength,
    }
}
