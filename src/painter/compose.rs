//! From the painter's answer to colours: filled . (1 - alpha) + colour . alpha.

use burn::tensor::{Tensor, activation};

use super::crop::MouthCrop;
use super::network::OUTPUTS;
use super::prepare::Prepared;
use crate::face::PaintedMouth;
use crate::network::PainterConfig;

/// Scale of the painter's first three channels to a change of colour.
pub const COLOUR_SCALE: f64 = 0.5;

/// The painted crops `[batch, 3, height, width]` of the painter's answer `out` `[batch, OUTPUTS, height,
/// width]` over `filled` `[batch, 3, height, width]` within `reach` `[batch, 1, height, width]`.
pub fn painted(out: Tensor<4>, filled: Tensor<4>, reach: Tensor<4>) -> Tensor<4> {
    let change = out.clone().narrow(1, 0, 3) * COLOUR_SCALE;
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
            let colour = prepared.filled[at] + COLOUR_SCALE as f32 * out[at];
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
