//! The inside of an opened mouth: gums, tongue, lining and teeth of the model, in the scene's light.

use super::canvas::{Canvas, Surface};
use super::crowns::{Row, Tooth};
use super::field::distance;
use super::model::{Part, Vector};
use super::portrait::{Portrait, Posed};
use super::raster::mixed;
use super::teeth::Donor;
use super::tones::Tones;
use super::view::Colour;

/// Colours under white light, against the eye's white as [`Tones`] measures it. That is in the lids' shadow:
/// teeth in full light are lighter (medians of 46 London and 143 congress smiles: 1.18, 1.21, 1.18 and 1.06,
/// 1.16, 1.16).
const TEETH: Colour = [1.10, 1.14, 1.12];
const GUMS: Colour = [0.86, 0.55, 0.53];
const LINING: Colour = [0.46, 0.19, 0.17];
const TONGUE: Colour = [0.96, 0.58, 0.56];

/// From where on the light is red, and where it wholly is, in the model's unit behind the lips; what it lacks there.
const WARM: [f32; 2] = [1.0, 5.0];
const WARM_LIGHT: Colour = [0.0, 0.10, 0.20];

/// How light a donor's tooth in full light is against that.
const LENT: f32 = 1.05;

/// Landmarks of the mouth.
const MOUTH: std::ops::Range<usize> = 48..68;

/// A rectangle of pixels around an opened mouth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    /// Its first column and row.
    pub corner: [usize; 2],
    /// Its columns and rows.
    pub size: [usize; 2],
}

impl Patch {
    /// Around the pixels of a mask `[height, width]`, with so much room; none where it is empty.
    pub fn around(mask: &[bool], [width, height]: [usize; 2], room: usize) -> Option<Self> {
        let mut least = [usize::MAX; 2];
        let mut most = [0; 2];
        for (i, _) in mask.iter().enumerate().filter(|(_, is_in)| **is_in) {
            for (axis, at) in [i % width, i / width].into_iter().enumerate() {
                least[axis] = least[axis].min(at);
                most[axis] = most[axis].max(at);
            }
        }
        if least[0] == usize::MAX {
            return None;
        }
        let corner = least.map(|at| at.saturating_sub(room));
        let end = [0, 1].map(|axis| (most[axis] + room + 1).min([width, height][axis]));
        Some(Self {
            corner,
            size: [0, 1].map(|axis| end[axis] - corner[axis]),
        })
    }

    /// The picture's pixels, row by row.
    pub fn pixels(&self, width: usize) -> impl Iterator<Item = usize> + use<> {
        let Self { corner, size } = *self;
        (0..size[1]).flat_map(move |y| {
            let first = (corner[1] + y) * width + corner[0];
            first..first + size[0]
        })
    }
}

/// A posed face whose mouth is painted.
pub(super) struct Opened<'a> {
    pub portrait: &'a Portrait,
    pub canvas: &'a Canvas,
    pub posed: &'a Posed,
    pub surface: &'a Surface,
    pub tones: &'a Tones,
    /// Whose teeth it gets.
    pub donor: Option<&'a Donor>,
}

/// Paints what lies within the mouth into the picture; `patch` holds it.
pub(super) fn paint(opened: &Opened<'_>, patch: Patch, picture: &mut [Colour]) {
    let inside = Inside::of(opened, patch);
    let Opened {
        portrait,
        surface,
        tones,
        donor,
        ..
    } = *opened;
    let eyes = opened.canvas.eyes;
    let is_gum: Vec<bool> = inside.is_part(Part::Gums);
    let row = Row {
        tooth: &inside.tooth,
        is_gum: &is_gum,
        known: &inside.known,
        size: patch.size,
        eyes,
    };
    let teeth = row.light();
    // Under the lips' edge it is darker.
    let to_lips = distance(&inside.is_part(Part::Face), patch.size);
    let rim = |i: usize| (to_lips[i] / (0.075 * eyes)).clamp(0.0, 1.0);
    for (i, pixel) in inside.pixels.iter().enumerate() {
        let Some(part) = inside.part[i].filter(|part| part.is_in_mouth()) else {
            continue;
        };
        let [deep, lit, facing] = inside.known[i];
        // Behind the lips real teeth have their own shade; deeper ones still get less light.
        let lent = donor.and_then(|donor| {
            let (corners, shares) = surface.corners(&portrait.model.triangles, *pixel)?;
            donor.at(corners, shares)
        });
        let (tint, light) = if let Some(colour) = lent {
            let light = falling(0.20, deep - 1.5) * (0.80 + 0.20 * rim(i));
            ([0, 1, 2].map(|c| TEETH[c] * LENT * colour[c]), light)
        } else if let Some(light) = teeth[i] {
            (TEETH, light * (0.70 + 0.30 * rim(i)))
        } else {
            match part {
                _ if inside.is_tongue[i] => {
                    let light = (0.30 + 0.70 * lit) * falling(0.18, deep - 1.5).max(0.25);
                    (TONGUE, light * (0.60 + 0.40 * rim(i)))
                }
                Part::Gums => {
                    let light = (0.50 + 0.50 * facing) * falling(0.20, deep - 1.1).max(0.3);
                    (GUMS, light * (0.66 + 0.34 * rim(i)))
                }
                _ => {
                    let light = (0.6 + 0.4 * facing) * falling(0.30, deep - 1.1).max(0.34);
                    (LINING, light * (0.55 + 0.45 * rim(i)))
                }
            }
        };
        // What light comes so deep has been on red walls before.
        let warm = ((deep - WARM[0]) / (WARM[1] - WARM[0])).clamp(0.0, 1.0);
        let hue = WARM_LIGHT.map(|lost| 1.0 - lost * warm);
        picture[*pixel] = [0, 1, 2].map(|c| (tones.white[c] * tint[c] * light * hue[c]).min(255.0));
    }
}

/// How much light comes so deep, in the model's unit, beyond where it begins to fall.
fn falling(steep: f32, deep: f32) -> f32 {
    (-steep * deep.max(0.0)).exp()
}

/// What a mouth's pixels show.
struct Inside {
    /// The picture's pixels in the patch.
    pixels: Vec<usize>,
    part: Vec<Option<Part>>,
    tooth: Vec<Option<Tooth>>,
    is_tongue: Vec<bool>,
    /// How deep behind the lips, in the model's unit; how it is lit; how far it faces the camera.
    known: Vec<Vector>,
}

impl Inside {
    fn of(opened: &Opened<'_>, patch: Patch) -> Self {
        let Opened {
            portrait,
            canvas,
            posed,
            surface,
            ..
        } = *opened;
        let model = &portrait.model;
        let lips_depth = MOUTH
            .map(|i| portrait.landmark(posed, i)[2] / canvas.view.step)
            .fold(f32::NEG_INFINITY, f32::max);
        let pixels: Vec<usize> = patch.pixels(canvas.view.size[0]).collect();
        let part: Vec<Option<Part>> = pixels.iter().map(|i| surface.part[*i]).collect();
        let mut inside = Self {
            tooth: vec![None; pixels.len()],
            is_tongue: vec![false; pixels.len()],
            known: vec![[0.0; 3]; pixels.len()],
            pixels,
            part,
        };
        for (i, pixel) in inside.pixels.iter().enumerate() {
            let is_inside = inside.part[i].is_some_and(Part::is_in_mouth);
            let Some((corners, shares)) = is_inside
                .then(|| surface.corners(&model.triangles, *pixel))
                .flatten()
            else {
                continue;
            };
            let [lit, facing] = mixed(corners, shares, |v| [posed.light[v], posed.facing[v]]);
            let at = mixed(corners, shares, |v| model.neutral[v]);
            let deep = (lips_depth - surface.raster.depth[*pixel]) / canvas.scale;
            inside.known[i] = [deep.clamp(0.0, 9.0), lit.min(1.0), facing.min(1.0)];
            inside.tooth[i] = model.tooth[surface.raster.triangle[*pixel] as usize];
            inside.is_tongue[i] = inside.part[i] == Some(Part::Gums) && is_tongue(at);
        }
        inside
    }

    fn is_part(&self, part: Part) -> Vec<bool> {
        self.part.iter().map(|of| *of == Some(part)).collect()
    }
}

/// Whether a place of the model's gums is the tongue: between the lower teeth.
fn is_tongue([x, y, z]: Vector) -> bool {
    z < 9.0 - 0.5 * x * x && y < -2.5
}
