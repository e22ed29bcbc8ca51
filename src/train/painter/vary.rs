//! A mouth as a step sees it: moved, turned, mirrored, lit and blurred by chance, with a map as a network
//! would draw it.

use rand::RngExt;
use rand::rngs::StdRng;

use super::batch::Item;
use super::complexion::Complexion;
use super::mouths::Mouth;
use super::on_network::OnNetwork;
use super::own::mouth_before;
use super::tint::Tint;
use crate::face::planes::{blur, signed_distance};
use crate::face::source::Source;
use crate::face::{Alignment, MouthFrame, Point};
use crate::network::{FACE_SIZE, PainterConfig};
use crate::painter::{MouthCrop, Tones, kept, prepare};
use crate::tensor::luma;
use crate::train::config::PainterTable;

/// Tries until a mouth that was turned and moved is still open.
const TRIES: usize = 4;

/// How a validation mouth's map is drawn: dilation and softness in pixels of the face.
const PLAIN_MAP: [f32; 2] = [0.5, 0.6];

/// A mouth in its frame, with the real one beside it.
pub(super) struct Placed {
    /// What the painter is told.
    pub crop: MouthCrop,
    /// The real mouth in the same frame, `[3, height, width]`; none where the crop shows it.
    pub target: Option<Vec<f32>>,
}

impl Placed {
    /// A real mouth that repaints itself, with a map `[96, 96]` of its inside.
    fn itself(
        mouth: &Mouth<'_>,
        alignment: &Alignment,
        map: &[f32],
        frame: MouthFrame,
        config: PainterConfig,
    ) -> Self {
        let source = Source::photo(&mouth.face.picture, alignment);
        let map = (map, FACE_SIZE);
        Self {
            crop: MouthCrop::in_frame(&source, map, frame, mouth.tones, config),
            target: None,
        }
    }

    fn into_item(mut self, mouth: &Mouth<'_>, config: PainterConfig, is_told: bool) -> Item {
        self.crop.teeth = is_told.then_some(mouth.teeth);
        Item {
            prepared: prepare(&self.crop, config),
            target: self.target.unwrap_or_else(|| self.crop.picture.clone()),
            crop: self.crop,
            teeth: mouth.teeth,
        }
    }

    /// The pictures in the frame.
    fn pictures(&mut self) -> impl Iterator<Item = &mut Vec<f32>> {
        std::iter::once(&mut self.crop.picture).chain(&mut self.target)
    }

    fn mirror(&mut self, width: usize) {
        for planes in self.pictures() {
            planes.chunks_exact_mut(width).for_each(<[f32]>::reverse);
        }
        let cavity = self.crop.cavity.chunks_exact_mut(width);
        cavity.for_each(<[f32]>::reverse);
        self.crop.frame.centre.x = 1.0 - self.crop.frame.centre.x;
    }

    fn blur(&mut self, size: [usize; 2], deviation: f32) {
        for planes in self.pictures() {
            *planes = blurred(planes, size, deviation);
        }
    }

    /// Adds `amount` of what a blur takes away.
    fn sharpen(&mut self, size: [usize; 2], deviation: f32, amount: f32) {
        for planes in self.pictures() {
            let soft = blurred(planes, size, deviation);
            for (value, soft) in planes.iter_mut().zip(soft) {
                *value = (*value + amount * (*value - soft)).clamp(0.0, 1.0);
            }
        }
    }

    /// Keeps a part of the real mouth, as if it had been open before.
    fn keep(&mut self, config: PainterConfig, rng: &mut StdRng) {
        let own = mouth_before(&self.crop.cavity, config, rng);
        let kept = kept(&own, &self.crop.cavity, config);
        let real = self.target.get_or_insert_with(|| self.crop.picture.clone());
        self.crop.keep(kept, real);
    }

    fn darken(&mut self, config: PainterConfig, rng: &mut StdRng) {
        Complexion::draw(rng).darken(&mut self.crop, self.target.as_mut(), config);
    }

    fn tint(&mut self, config: PainterConfig, rng: &mut StdRng) {
        Tint::draw(rng).colour(&mut self.crop, self.target.as_mut(), config);
    }
}

/// Planes of `size`, each blurred.
fn blurred(planes: &[f32], size: [usize; 2], deviation: f32) -> Vec<f32> {
    let each = planes.chunks_exact(size[0] * size[1]);
    each.flat_map(|plane| blur(plane, size, deviation))
        .collect()
}

/// A mouth as it is, told of its teeth or not: for the validation metrics.
pub(super) fn plain(mouth: &Mouth<'_>, config: PainterConfig, is_told: bool) -> Option<Item> {
    let [dilation, softness] = PLAIN_MAP;
    let map = soften(
        &mouth.alignment.crop_map(mouth.map, FACE_SIZE),
        dilation,
        softness,
    );
    let frame = MouthFrame::around(&map, FACE_SIZE)?;
    let placed = Placed::itself(mouth, &mouth.alignment, &map, frame, config);
    Some(placed.into_item(mouth, config, is_told))
}

/// A mouth as chance has it.
pub(super) fn varied(
    mouth: &Mouth<'_>,
    on_network: Option<&OnNetwork>,
    table: &PainterTable,
    rng: &mut StdRng,
) -> Item {
    let config = table.config();
    let is_on_network = rng.random_bool(table.on_network);
    let mut placed = (0..TRIES)
        .find_map(|_| {
            let alignment = moved(&mouth.alignment, rng);
            let network = on_network.filter(|_| is_on_network);
            let drawn = network.and_then(|network| network.draw(mouth, &alignment, config, rng));
            drawn.or_else(|| framed(mouth, &alignment, config, rng))
        })
        .unwrap_or_else(|| unchanged(mouth, config));
    if rng.random_bool(0.5) {
        placed.mirror(config.crop_width);
    }
    let size = [config.crop_width, config.crop_height()];
    let unit = config.crop_width as f32 / 96.0;
    // Wide mouths come from soft photos alone: some of them are sharpened, so that a sharp photo's is not
    // painted soft.
    let is_soft = !mouth.is_drawn && f64::from(mouth.sharpness) < table.sharp_from;
    if is_soft && rng.random_bool(table.sharpened_share) {
        let deviation = rng.random_range(1.0..1.8) * unit;
        placed.sharpen(size, deviation, rng.random_range(0.7..2.2));
    }
    let is_tinted = mouth.is_grey && rng.random_bool(table.tinted_share);
    if is_tinted {
        placed.tint(config, rng);
    }
    if (!mouth.is_grey || is_tinted) && rng.random_bool(table.darkened_share) {
        placed.darken(config, rng);
    }
    Light::draw(mouth.is_grey && !is_tinted, rng).shine(&mut placed);
    if rng.random_bool(0.15) {
        placed.blur(size, rng.random_range(0.4..0.9) * unit);
    }
    if rng.random_bool(table.own_share) {
        placed.keep(config, rng);
    }
    placed.into_item(mouth, config, rng.random_bool(table.told_share))
}

fn moved(alignment: &Alignment, rng: &mut StdRng) -> Alignment {
    let mut around = |most: f32| rng.random_range(-most..most);
    let (turn, zoom) = (around(0.1), around(0.1).exp());
    alignment.moved(Point::new(around(0.03), around(0.03)), zoom, turn)
}

fn framed(
    mouth: &Mouth<'_>,
    alignment: &Alignment,
    config: PainterConfig,
    rng: &mut StdRng,
) -> Option<Placed> {
    let map = alignment.crop_map(mouth.map, FACE_SIZE);
    let map = soften(
        &map,
        rng.random_range(0.0..1.6),
        rng.random_range(0.35..1.0),
    );
    let mut frame = MouthFrame::around(&map, FACE_SIZE)?;
    let mut around = |most: f32| rng.random_range(-most..most);
    frame.centre.x += around(0.04) * frame.width;
    frame.centre.y += around(0.04) * frame.height();
    frame.width *= around(0.1).exp();
    Some(Placed::itself(mouth, alignment, &map, frame, config))
}

/// The mouth without any change, which the list of mouths has seen to be open.
fn unchanged(mouth: &Mouth<'_>, config: PainterConfig) -> Placed {
    let map = mouth.alignment.crop_map(mouth.map, FACE_SIZE);
    let frame = MouthFrame::around(&map, FACE_SIZE).unwrap_or(MouthFrame {
        centre: Point::new(0.5, 0.75),
        width: 0.4,
    });
    Placed::itself(mouth, &mouth.alignment, &map, frame, config)
}

/// A marked map as a network would draw it: `dilation` pixels larger, `softness` pixels soft.
fn soften(map: &[f32], dilation: f32, softness: f32) -> Vec<f32> {
    let distance = signed_distance(map, [FACE_SIZE; 2]);
    let value = |distance: &f32| 1.0 / (1.0 + (-(distance + dilation) / softness).exp());
    distance.iter().map(value).collect()
}

/// A change of light, the same for the mouth and for what is known of the scene.
struct Light {
    gamma: f32,
    gain: [f32; 3],
    offset: f32,
    is_grey: bool,
}

impl Light {
    fn draw(is_grey: bool, rng: &mut StdRng) -> Self {
        // A tinted grey picture teaches what holds in colour too: teeth are of the eye's white's hue.
        let cast = match rng.random_range(0..10) {
            0..3 => 0.0,
            3..8 => 0.12,
            _ => 0.35,
        };
        let brightness = rng.random_range(0.75..1.25);
        let mut channel = |_| brightness * (cast * rng.random_range(-1.0f32..1.0)).exp();
        let gain = std::array::from_fn(&mut channel);
        Self {
            gamma: rng.random_range(-0.25f32..0.25).exp(),
            gain,
            offset: rng.random_range(-0.08..0.08),
            is_grey: !is_grey && rng.random_bool(0.08),
        }
    }

    fn on(&self, colour: [f32; 3]) -> [f32; 3] {
        let colour = if self.is_grey {
            [luma(colour); 3]
        } else {
            colour
        };
        [0, 1, 2].map(|c| {
            let bent = colour[c].clamp(1e-4, 1.0).powf(self.gamma);
            (bent * self.gain[c] + self.offset).clamp(0.0, 1.0)
        })
    }

    fn shine(&self, placed: &mut Placed) {
        for planes in placed.pictures() {
            let plane = planes.len() / 3;
            for i in 0..plane {
                let lit = self.on([0, 1, 2].map(|c| planes[c * plane + i]));
                (0..3).for_each(|c| planes[c * plane + i] = lit[c]);
            }
        }
        placed.crop.tones = Tones::map(placed.crop.tones, |colour| self.on(colour));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_softened_map_is_as_much_larger_as_it_is_asked_to_be() {
        let open = |i: usize| {
            let (x, y) = (i % FACE_SIZE, i / FACE_SIZE);
            f32::from(u8::from((30..60).contains(&x) && (60..70).contains(&y)))
        };
        let map: Vec<f32> = (0..FACE_SIZE * FACE_SIZE).map(open).collect();
        let rows = |map: &[f32]| {
            let column = (0..FACE_SIZE).map(|y| map[y * FACE_SIZE + 45]);
            column.filter(|value| *value > 0.5).count()
        };
        assert_eq!(rows(&soften(&map, 0.0, 0.5)), 10);
        assert_eq!(rows(&soften(&map, 2.1, 0.5)), 14);
    }

    #[test]
    fn one_light_changes_picture_target_and_scene_alike() {
        let light = Light {
            gamma: 1.2,
            gain: [1.1, 0.9, 0.8],
            offset: 0.05,
            is_grey: false,
        };
        let colour = [0.5, 0.4, 0.3];
        let mut placed = Placed {
            crop: MouthCrop {
                frame: MouthFrame {
                    centre: Point::new(0.5, 0.7),
                    width: 0.4,
                },
                picture: colour.to_vec(),
                kept: None,
                cavity: vec![0.0],
                tones: Tones {
                    skin: colour,
                    white: [0.9; 3],
                },
                teeth: None,
                strength: 1.0,
            },
            target: Some(colour.to_vec()),
        };
        light.shine(&mut placed);
        assert_eq!(placed.crop.picture, placed.crop.tones.skin);
        let target = placed.target.expect("a target");
        assert_eq!(placed.crop.picture, target);
        assert!(target[0] > colour[0] && target[2] < colour[2]);
    }
}
