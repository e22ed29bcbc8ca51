//! The inside of an opened mouth: gums, tongue, lining and teeth of the model, in the scene's light.

use super::canvas::{Canvas, Surface};
use super::field::{distance, mean_within};
use super::model::Part;
use super::portrait::{Portrait, Posed};
use super::raster::mixed;
use super::teeth::Donor;
use super::tones::Tones;
use super::view::Colour;

/// Colours under white light, against the eye's white as [`Tones`] measures it. That is in the lids' shadow:
/// teeth in full light are lighter (medians of 46 London and 143 congress smiles: 1.18, 1.21, 1.18 and 1.06,
/// 1.16, 1.16).
const TEETH: Colour = [1.10, 1.14, 1.12];
const GUMS: Colour = [0.72, 0.43, 0.41];
const LINING: Colour = [0.46, 0.19, 0.17];
const TONGUE: Colour = [0.74, 0.40, 0.38];

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
    let Opened {
        portrait,
        canvas,
        posed,
        surface,
        tones,
        donor,
    } = *opened;
    let (eyes, size) = (canvas.eyes, patch.size);
    let width = canvas.view.size[0];
    let pixels: Vec<usize> = patch.pixels(width).collect();
    let part: Vec<Option<Part>> = pixels.iter().map(|i| surface.part[*i]).collect();
    let is_inside = |i: usize| part[i].is_some_and(Part::is_in_mouth);
    let is_teeth: Vec<bool> = part.iter().map(|part| *part == Some(Part::Teeth)).collect();
    let lips_depth = MOUTH
        .map(|i| portrait.landmark(posed, i)[2] / canvas.view.step)
        .fold(f32::NEG_INFINITY, f32::max);
    // How deep behind the lips, in the model's unit, how far it faces the camera, whether it is tongue.
    let of_pixel = |i: usize| {
        let (corners, shares) = surface.corners(&portrait.model.triangles, pixels[i])?;
        let [facing] = mixed(corners, shares, |v| [posed.facing[v]]);
        let at = mixed(corners, shares, |v| portrait.model.neutral[v]);
        let deep = (lips_depth - surface.raster.depth[pixels[i]]) / canvas.scale;
        let is_tongue =
            part[i] == Some(Part::Gums) && at[2] < 9.0 - 0.5 * at[0] * at[0] && at[1] < -2.5;
        Some((deep.clamp(0.0, 9.0), facing.abs().min(1.0), is_tongue))
    };
    let known: Vec<(f32, f32, bool)> = (0..pixels.len())
        .map(|i| if is_inside(i) { of_pixel(i) } else { None })
        .map(|known| known.unwrap_or((0.0, 0.0, false)))
        .collect();
    // Under the lips' edge it is darker.
    let is_lip: Vec<bool> = part.iter().map(|part| *part == Some(Part::Face)).collect();
    let to_lips = distance(&is_lip, size);
    let rim = |i: usize| (to_lips[i] / (0.075 * eyes)).clamp(0.0, 1.0);
    let teeth = even_teeth(&is_teeth, &known, size, eyes);
    let rows: Vec<usize> = (0..pixels.len())
        .filter(|i| is_inside(*i))
        .map(|i| i / size[0])
        .collect();
    let (top, bottom) = match (rows.first(), rows.last()) {
        (Some(top), Some(bottom)) => (*top as f32, *bottom as f32),
        _ => return,
    };
    let high = bottom - top;
    for (i, pixel) in pixels.iter().enumerate().filter(|(i, _)| is_inside(*i)) {
        let (deep, facing, is_tongue) = known[i];
        // Behind the lips real teeth have their own shade; deeper ones still get less light.
        let lent = donor.and_then(|donor| {
            let (corners, shares) = surface.corners(&portrait.model.triangles, *pixel)?;
            donor.at(corners, shares)
        });
        if let Some(colour) = lent {
            let light = (-0.20 * (deep - 1.5).max(0.0)).exp() * (0.80 + 0.20 * rim(i));
            picture[*pixel] = [0, 1, 2]
                .map(|c| (tones.white[c] * TEETH[c] * LENT * colour[c] * light).min(255.0));
            continue;
        }
        let (tint, light) = if let Some(light) = teeth[i] {
            (TEETH, light * (0.70 + 0.30 * rim(i)))
        } else {
            let falling = (-0.30 * (deep - 1.1).max(0.0)).exp();
            let light = falling.max(if is_tongue { 0.42 } else { 0.36 });
            let light = light * (0.6 + 0.4 * facing) * (0.55 + 0.45 * rim(i));
            let tint = match part[i] {
                _ if is_tongue => TONGUE,
                Some(Part::Gums) => GUMS,
                _ => {
                    // A hint of the tongue at the bottom of a wide mouth.
                    let low = (((i / size[0]) as f32 - top) / high.max(1.0) - 0.40) / 0.6;
                    let hint = 0.62 * low.clamp(0.0, 1.0) * (high / (0.22 * eyes)).min(1.0);
                    [0, 1, 2].map(|c| LINING[c] + hint * (TONGUE[c] - LINING[c]))
                }
            };
            (tint, light)
        };
        picture[*pixel] = [0, 1, 2].map(|c| (tones.white[c] * tint[c] * light).min(255.0));
    }
}

/// The light on the teeth, even enough that the gaps between them are no dark slits; none elsewhere.
fn even_teeth(
    is_teeth: &[bool],
    known: &[(f32, f32, bool)],
    size: [usize; 2],
    eyes: f32,
) -> Vec<Option<f32>> {
    if !is_teeth.contains(&true) {
        return vec![None; is_teeth.len()];
    }
    // Closed over narrow gaps: grown, then shrunk again.
    let gap = (0.03 * eyes).round().max(1.0);
    let is_near: Vec<bool> = distance(is_teeth, size).iter().map(|d| *d > gap).collect();
    let to_outside = distance(&is_near, size);
    let falling = |deep: f32| (-0.26 * (deep - 1.5).max(0.0)).exp();
    let own: Vec<f32> = known.iter().map(|(deep, ..)| falling(*deep)).collect();
    let lit: Vec<f32> = own
        .iter()
        .zip(known)
        .map(|(own, (_, facing, _))| own * (0.86 + 0.14 * facing))
        .collect();
    let even = mean_within(&lit, is_teeth, size, 0.02 * eyes);
    let mixed: Vec<f32> = even
        .iter()
        .zip(&own)
        .map(|(a, b)| 0.75 * a + 0.25 * b)
        .collect();
    let around = mean_within(&mixed, is_teeth, size, 0.03 * eyes);
    (0..is_teeth.len())
        .map(|i| {
            if is_teeth[i] {
                Some(mixed[i])
            } else {
                (to_outside[i] > gap).then(|| around[i] * 0.95)
            }
        })
        .collect()
}
