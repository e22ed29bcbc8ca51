//! Colours of a portrait: skin, the eyes' white, lips; and where its irises are.

use super::canvas::{Canvas, Surface};
use super::model::Part;
use super::portrait::{Portrait, Posed};
use super::view::Colour;

/// Radius of an iris in distances of the eyes: 5.9 of 63 millimetres.
const IRIS: f32 = 0.093;

/// How far from the middle of the eye an iris is looked for, in distances of the eyes.
const GAZE: [f32; 2] = [0.12, 0.06];

/// Pixels of an eye that are needed to read anything off it.
const LEAST_EYE: usize = 20;

/// What is drawn anew has these colours.
#[derive(Debug, Clone)]
pub(super) struct Tones {
    /// Of the skin: the median over the face.
    pub skin: Colour,
    /// Of the eyes' white as the photo shows it.
    pub sclera: Colour,
    /// Of something white in the mouth: as light as the eyes' white would be without lids, and of its
    /// hue, for that is the scene's light.
    pub white: Colour,
    /// Of the lips.
    pub lips: Colour,
    /// Centres of the irises in the photo's pixels.
    pub irises: [[f32; 2]; 2],
    /// Their radius in the photo's pixels.
    pub iris_radius: f32,
}

impl Tones {
    /// Reads them off the photo, in a view of the whole face; `surface` is the photo's own.
    pub fn of(portrait: &Portrait, canvas: &Canvas, in_photo: &Posed, surface: &Surface) -> Self {
        let photo = canvas.photo();
        let of_part = |part: Part| {
            let parts = surface.part.iter().enumerate();
            parts
                .filter(move |(_, p)| **p == Some(part))
                .map(|(i, _)| i)
        };
        let skin = median(of_part(Part::Face).map(|i| photo[i]).collect());
        let mut eyes: Vec<Colour> = of_part(Part::Eyes).map(|i| photo[i]).collect();
        eyes.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
        // The brightest fifth.
        let bright = &eyes[eyes.len() * 4 / 5..];
        let sclera = if eyes.len() > LEAST_EYE {
            average(bright)
        } else {
            skin
        };
        let sclera = sclera.map(|value| value.clamp(70.0, 235.0));
        let level = (mean(&sclera) * 1.2)
            .max(mean(&skin) * 1.05)
            .clamp(150.0, 238.0);
        let hue = sclera.map(|value| 0.3 + 0.7 * value / mean(&sclera));
        let lips: Vec<Colour> = lips(portrait, canvas).map(|at| canvas.colour(at)).to_vec();
        let white = hue.map(|value| value * level);
        Self {
            skin,
            sclera,
            white,
            lips: average(&lips),
            irises: irises(portrait, canvas, in_photo, surface, &photo),
            iris_radius: IRIS * portrait.eyes,
        }
    }
}

/// Places between the outer and the inner edge of both lips, in the view.
fn lips(portrait: &Portrait, canvas: &Canvas) -> [[f32; 2]; 6] {
    [(50, 61), (51, 62), (52, 63), (58, 67), (57, 66), (56, 65)].map(|(outer, inner)| {
        let [a, b] = [outer, inner].map(|i: usize| portrait.landmarks[i]);
        let middle = [0, 1].map(|axis| ((a[axis] + b[axis]) / 2.0) as f32);
        canvas.view.view_from_photo(middle)
    })
}

/// The darkest disc near the middle of each eyeball, in the photo's pixels.
fn irises(
    portrait: &Portrait,
    canvas: &Canvas,
    in_photo: &Posed,
    surface: &Surface,
    photo: &[Colour],
) -> [[f32; 2]; 2] {
    let model = &portrait.model;
    let [width, height] = canvas.view.size;
    let radius = IRIS * canvas.eyes;
    [false, true].map(|is_left| {
        // The person's left eye has x above 0. The eyeball's foremost point looks straight ahead.
        let triangles = model.triangles.iter().zip(&model.parts);
        let vertices = triangles
            .filter(|(_, part)| **part == Part::Eyes)
            .flat_map(|(corners, _)| corners)
            .filter(|vertex| (model.neutral[**vertex as usize][0] > 0.0) == is_left);
        let front = vertices.max_by(|a, b| {
            let near = |vertex: u32| model.neutral[vertex as usize][2];
            near(**a).total_cmp(&near(**b))
        });
        let Some(front) = front else {
            return portrait.eye_places[usize::from(is_left)];
        };
        let middle = in_photo.places[*front as usize];
        let middle = canvas.view.view_from_photo([middle[0], middle[1]]);
        let mut best = (f32::INFINITY, middle);
        let steps = |most: f32| {
            let count = (most / 0.01).round() as i32;
            (-count..=count).map(move |i| i as f32 * 0.01 * canvas.eyes)
        };
        for dy in steps(GAZE[1]) {
            for dx in steps(GAZE[0]) {
                let centre = [middle[0] + dx, middle[1] + dy];
                let (mut sum, mut count) = (0.0, 0);
                let rows = range(centre[1], radius, height);
                for y in rows {
                    for x in range(centre[0], radius, width) {
                        let pixel = y * width + x;
                        let (px, py) = (x as f32 + 0.5 - centre[0], y as f32 + 0.5 - centre[1]);
                        if px.hypot(py) <= radius && surface.part[pixel] == Some(Part::Eyes) {
                            sum += mean(&photo[pixel]);
                            count += 1;
                        }
                    }
                }
                // A step away from the middle costs a little: irises are rarely in the corner.
                let darkness = sum / count as f32 + 40.0 * dx.hypot(dy) / canvas.eyes;
                if count > LEAST_EYE && darkness < best.0 {
                    best = (darkness, centre);
                }
            }
        }
        let view = &canvas.view;
        [0, 1].map(|axis| view.origin[axis] + best.1[axis] * view.step)
    })
}

fn range(centre: f32, radius: f32, length: usize) -> std::ops::Range<usize> {
    let first = (centre - radius).floor().clamp(0.0, length as f32) as usize;
    let last = (centre + radius).ceil().clamp(0.0, length as f32) as usize;
    first..last
}

pub(super) fn mean(colour: &Colour) -> f32 {
    (colour[0] + colour[1] + colour[2]) / 3.0
}

pub(super) fn average(colours: &[Colour]) -> Colour {
    let count = colours.len().max(1) as f32;
    [0, 1, 2].map(|c| colours.iter().map(|colour| colour[c]).sum::<f32>() / count)
}

fn median(colours: Vec<Colour>) -> Colour {
    [0, 1, 2].map(|c| {
        let mut values: Vec<f32> = colours.iter().map(|colour| colour[c]).collect();
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(128.0)
    })
}
