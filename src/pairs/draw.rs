//! A portrait -> the same face with other units: the photo's own pixels moved with the surface, the
//! light changed as far as the surface turned, and what the photo does not show painted.

use std::ops::Range;

use super::canvas::{Canvas, Surface};
use super::field::{Cells, distance};
use super::model::Part;
use super::mouth::{Patch, paint};
use super::outside::{Seen, follow};
use super::portrait::{CHIN, INNER_LOWER, INNER_UPPER, Portrait, Posed};
use super::teeth::Donor;
use super::tones::Tones;
use super::view::{Colour, View};
use crate::face::planes::blur;

/// Room around the mouth's inside that is shaded and coloured with it, in distances of the eyes.
const MOUTH_ROOM: f32 = 0.35;

/// Room around it in which it is painted: as far as the lips shade it.
const PAINT_ROOM: f32 = 0.08;

/// How far the light may change.
const LIGHT: [f32; 2] = [0.80, 1.10];

/// Landmarks of the lips.
const MOUTH: std::ops::Range<usize> = 48..68;

/// How dark the line is between lips that meet, how wide in distances of the eyes, and from which opening
/// of the photo's mouth on it is drawn in full.
const DARK: f32 = 0.35;
const MEET: f32 = 0.02;
const OPEN: f32 = 0.12;

/// How light the dark between shut lips is, of the lips' own tone.
const BETWEEN_LIPS: f32 = 0.55;

/// The line between the lips, once around the mouth.
const LINE: [usize; 9] = [60, 61, 62, 63, 64, 65, 66, 67, 60];

/// A face of another expression.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// Pixels in a row, and rows.
    pub size: [usize; 2],
    /// The picture, `[height, width]`.
    pub picture: Vec<Colour>,
    /// From each pixel to where it was in the photo, in pixels.
    pub flow: Vec<[f32; 2]>,
    /// Whether the photo shows what is there.
    pub is_visible: Vec<bool>,
    /// The part of the face; none outside of it.
    pub part: Vec<Option<Part>>,
    /// How much of each pixel lies within the mouth, 0 to 1.
    pub cavity: Vec<f32>,
}

/// A view in which faces of a portrait are drawn.
#[derive(Debug, Clone)]
pub struct Drawer<'a> {
    portrait: &'a Portrait,
    canvas: Canvas,
    tones: Tones,
    donor: Option<&'a Donor>,
}

impl<'a> Drawer<'a> {
    /// A drawer of the whole face; its view has to hold the eyes and the mouth, from which colours are
    /// read.
    pub fn new(portrait: &'a Portrait, view: View) -> Self {
        let in_photo = portrait.posed(&portrait.fit.units);
        let canvas = Canvas::new(portrait, &in_photo, view, 0);
        let surface = canvas.surface(portrait, &in_photo);
        let tones = Tones::of(portrait, &canvas, &in_photo, &surface);
        Self {
            portrait,
            canvas,
            tones,
            donor: None,
        }
    }

    /// With the teeth of a donor in opened mouths.
    pub fn with_teeth(mut self, donor: Option<&'a Donor>) -> Self {
        self.donor = donor;
        self
    }

    /// A drawer of another view of the same face, with room for pixels that come from outside of it.
    pub fn also(&self, view: View) -> Self {
        let in_photo = self.portrait.posed(&self.portrait.fit.units);
        let margin = (0.35 * self.portrait.eyes / view.step).ceil() as usize;
        Self {
            portrait: self.portrait,
            canvas: Canvas::new(self.portrait, &in_photo, view, margin),
            tones: self.tones.clone(),
            donor: self.donor,
        }
    }

    /// The view.
    pub fn view(&self) -> View {
        self.canvas.view
    }

    /// The photo in the view.
    pub fn photo(&self) -> Vec<Colour> {
        self.canvas.photo()
    }

    /// How much of each of the photo's pixels lies within the mouth.
    pub fn photo_cavity(&self) -> Vec<f32> {
        if self.portrait.is_shut() {
            vec![0.0; self.canvas.view.size[0] * self.canvas.view.size[1]]
        } else {
            self.canvas.view.inside(&self.portrait.inner_lips)
        }
    }

    /// The face as it is posed.
    pub fn draw(&self, posed: &Posed) -> Drawn {
        self.draw_mouth(posed, false)
    }

    /// The face as it is posed, with a mouth that is to be shut: a slit that the fit leaves open is the
    /// dark between the lips.
    pub fn draw_shut(&self, posed: &Posed) -> Drawn {
        self.draw_mouth(posed, true)
    }

    fn draw_mouth(&self, posed: &Posed, is_shut: bool) -> Drawn {
        let mut surface = self.canvas.surface(self.portrait, posed);
        let size = self.canvas.view.size;
        let is_seen: Vec<bool> = surface
            .part
            .iter()
            .zip(&surface.is_visible)
            .map(|(part, is_visible)| *part == Some(Part::Face) && *is_visible)
            .collect();
        let is_outside: Vec<bool> = surface.part.iter().map(Option::is_none).collect();
        let chin = self.portrait.landmark(posed, CHIN);
        let seen = Seen {
            size,
            eyes: self.canvas.eyes,
            chin: self.canvas.view.view_from_photo([chin[0], chin[1]])[1],
            is_seen: &is_seen,
            is_outside: &is_outside,
        };
        follow(&seen, &mut surface.flow);
        let bare = self.bare_eyes(&mut surface);
        let moved = |(pixel, flow): (usize, &[f32; 2])| self.canvas.moved(pixel, *flow);
        let mut picture: Vec<Colour> = surface.flow.iter().enumerate().map(moved).collect();
        let is_inside: Vec<bool> = surface
            .part
            .iter()
            .map(|part| part.is_some_and(Part::is_in_mouth))
            .collect();
        let room = (MOUTH_ROOM * self.canvas.eyes) as usize + 2;
        let patch = Patch::around(&is_inside, size, room);
        let to_mouth = patch.map(|patch| {
            let inside: Vec<bool> = patch.pixels(size[0]).map(|i| is_inside[i]).collect();
            (patch, distance(&inside, patch.size))
        });
        self.shade(&surface, &is_seen, to_mouth.as_ref(), &mut picture);
        self.hidden_lips(posed, &mut surface, &mut picture);
        self.lips_meet(posed, &surface, &mut picture);
        let mut cavity = vec![0.0; picture.len()];
        if let Some((patch, to_mouth)) = &to_mouth {
            if !is_shut {
                self.bare_lips(posed, &surface, *patch, to_mouth, &mut picture);
            }
            let room = (PAINT_ROOM * self.canvas.eyes) as usize + 2;
            if let Some(patch) = Patch::around(&is_inside, size, room) {
                if is_shut {
                    for pixel in patch.pixels(size[0]).filter(|pixel| is_inside[*pixel]) {
                        picture[pixel] = self.tones.lips.map(|value| value * BETWEEN_LIPS);
                    }
                } else {
                    let (portrait, canvas, tones) = (self.portrait, &self.canvas, &self.tones);
                    paint(
                        portrait,
                        canvas,
                        posed,
                        &surface,
                        tones,
                        self.donor,
                        patch,
                        &mut picture,
                    );
                }
                soften_edge(&is_inside, size, patch, &mut picture, &mut cavity);
            }
        }
        if is_shut {
            cavity.fill(0.0);
        }
        for (pixel, part) in surface.part.iter().enumerate() {
            if *part == Some(Part::EyeSocket) && !surface.is_visible[pixel] {
                picture[pixel] = self.tones.skin.map(|value| value * 0.45);
            }
        }
        for pixel in bare {
            picture[pixel] = self.tones.sclera.map(|value| value * 0.78);
        }
        for (pixel, is_out) in is_outside.iter().enumerate() {
            surface.is_visible[pixel] |= is_out;
        }
        Drawn {
            size,
            picture,
            flow: surface.flow,
            is_visible: surface.is_visible,
            part: surface.part,
            cavity,
        }
    }

    /// Of an eyeball that lids had covered the iris is mirrored from below; the pixels that have to be
    /// white are returned.
    fn bare_eyes(&self, surface: &mut Surface) -> Vec<usize> {
        let view = &self.canvas.view;
        let width = view.size[0];
        let radius = self.tones.iris_radius / view.step;
        let irises = self.tones.irises.map(|at| view.view_from_photo(at));
        let mut white = Vec::new();
        for (pixel, part) in surface.part.iter().enumerate() {
            if *part != Some(Part::Eyes) || surface.is_visible[pixel] {
                continue;
            }
            let (x, y) = ((pixel % width) as f32 + 0.5, (pixel / width) as f32 + 0.5);
            let flow = &mut surface.flow[pixel];
            let place = [x + flow[0], y + flow[1]];
            let near = irises
                .iter()
                .find(|iris| (place[0] - iris[0]).hypot(place[1] - iris[1]) < 1.02 * radius);
            match near {
                Some(iris) => {
                    let (across, down) = (place[0] - iris[0], (place[1] - iris[1]).abs());
                    *flow = [iris[0] + 0.92 * across - x, iris[1] + 0.92 * down - y];
                }
                None => white.push(pixel),
            }
        }
        white
    }

    /// Light now through light then: smooth, gentle, and weaker beside the lips.
    fn shade(
        &self,
        surface: &Surface,
        is_seen: &[bool],
        to_mouth: Option<&(Patch, Vec<f32>)>,
        picture: &mut [Colour],
    ) {
        let eyes = self.canvas.eyes;
        let size = self.canvas.view.size;
        let cells = Cells::new(size, (eyes / 16.0).round().max(1.0) as usize);
        let (means, shares) =
            cells.means(|i| is_seen[i].then(|| [surface.light[i].clamp(0.6, 1.3)]));
        let deviation = 0.06 * eyes / cells.side as f32;
        let parts: Vec<f32> = means.iter().zip(&shares).map(|([m], s)| m * s).collect();
        let parts = blur(&parts, cells.size, deviation);
        let weights = blur(&shares, cells.size, deviation);
        let light: Vec<[f32; 1]> = parts
            .iter()
            .zip(&weights)
            .map(|(part, weight)| {
                let light = ((part + 1e-3) / (weight + 1e-3)).clamp(LIGHT[0], LIGHT[1]);
                // None at the face's outline: what lies beside it keeps its light.
                [1.0 + (light - 1.0) * (2.0 * weight - 1.0).clamp(0.0, 1.0)]
            })
            .collect();
        let beside_mouth = |pixel: usize| {
            let Some((patch, to_mouth)) = to_mouth else {
                return 1.0;
            };
            let (x, y) = (pixel % size[0], pixel / size[0]);
            let at = [
                x.wrapping_sub(patch.corner[0]),
                y.wrapping_sub(patch.corner[1]),
            ];
            if at[0] >= patch.size[0] || at[1] >= patch.size[1] {
                return 1.0;
            }
            (to_mouth[at[1] * patch.size[0] + at[0]] / (0.16 * eyes)).clamp(0.25, 1.0)
        };
        let is_face = |i: usize| surface.part[i] == Some(Part::Face);
        cells.spread(&light, is_face, |pixel, [light]| {
            let light = 1.0 + (light - 1.0) * beside_mouth(pixel);
            // Shadows are a little warmer: light from other skin.
            let dark = 1.0 - light.min(1.0);
            let colour = &mut picture[pixel];
            // Folds are fine, and as they were measured.
            let folds = surface.folds[pixel];
            let folds = if folds == 0.0 { 1.0 } else { folds.exp() };
            for (c, warm) in [0.2, -0.05, -0.15].into_iter().enumerate() {
                colour[c] = (colour[c] * light * folds * (1.0 + warm * dark)).min(255.0);
            }
        });
    }

    /// Lips that teeth or the other lip had covered have the lips' own colour.
    fn hidden_lips(&self, posed: &Posed, surface: &mut Surface, picture: &mut [Colour]) {
        let size = self.canvas.view.size;
        let [columns, rows] = self.around_lips(posed);
        for y in rows {
            for x in columns.clone() {
                let pixel = y * size[0] + x;
                if surface.part[pixel] != Some(Part::Face) {
                    continue;
                }
                let flow = surface.flow[pixel];
                let place = [x as f32 + 0.5 + flow[0], y as f32 + 0.5 + flow[1]];
                let covered = self.canvas.mouth_at(place);
                if surface.is_visible[pixel] && covered == 0.0 {
                    continue;
                }
                let (colour, part) = match self.lip_beside(place) {
                    Some(colour) if surface.is_visible[pixel] => (colour, covered),
                    Some(colour) => (colour, 1.0),
                    None => (self.tones.lips.map(|value| value * 0.9), 1.0),
                };
                surface.is_visible[pixel] &= covered < 0.5;
                for c in 0..3 {
                    picture[pixel][c] += (colour[c] - picture[pixel][c]) * part;
                }
            }
        }
    }

    /// The pixels around the lips: columns and rows.
    fn around_lips(&self, posed: &Posed) -> [Range<usize>; 2] {
        [0, 1].map(|axis| {
            let along = MOUTH.map(|i| {
                let at = self.portrait.landmark(posed, i);
                self.canvas.view.view_from_photo([at[0], at[1]])[axis]
            });
            let length = self.canvas.view.size[axis] as f32;
            let least = along
                .clone()
                .fold(f32::INFINITY, f32::min)
                .clamp(0.0, length);
            let most = along.fold(f32::NEG_INFINITY, f32::max).clamp(0.0, length);
            least as usize..most.ceil() as usize
        })
    }

    /// Where the lips of an open mouth now meet there is a dark line, as there is in every shut mouth.
    fn lips_meet(&self, posed: &Posed, surface: &Surface, picture: &mut [Colour]) {
        let opened = (self.portrait.opening() / OPEN).min(1.0);
        if self.portrait.is_shut() {
            return;
        }
        let at = |i: usize| {
            let at = self.portrait.landmark(posed, i);
            self.canvas.view.view_from_photo([at[0], at[1]])
        };
        let middle = |a: usize, b: usize| {
            let (a, b) = (at(a), at(b));
            [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0]
        };
        let line = [
            at(60),
            middle(61, 67),
            middle(62, 66),
            middle(63, 65),
            at(64),
        ];
        let eyes = self.canvas.eyes;
        let [columns, rows] = self.around_lips(posed);
        for y in rows {
            for x in columns.clone() {
                let pixel = y * self.canvas.view.size[0] + x;
                if surface.part[pixel] == Some(Part::Face) {
                    let far = distance_to(&line, [x as f32 + 0.5, y as f32 + 0.5]);
                    let near = (-(far / (MEET * eyes)).powi(2)).exp();
                    let light = 1.0 - DARK * opened * near;
                    picture[pixel] = picture[pixel].map(|value| value * light);
                }
            }
        }
    }

    /// The photo's lip above or below a place between the lips, whichever is nearer.
    fn lip_beside(&self, place: [f32; 2]) -> Option<Colour> {
        let most = (0.12 * self.canvas.eyes) as i32;
        (1..most)
            .flat_map(|step| [-step, step])
            .map(|step| [place[0], place[1] + step as f32])
            .find(|place| self.canvas.mouth_at(*place) < 0.05)
            .map(|place| self.canvas.colour(place))
    }

    /// What was pressed together shows the lips' own colour once it is open, not the dark line.
    fn bare_lips(
        &self,
        posed: &Posed,
        surface: &Surface,
        patch: Patch,
        to_mouth: &[f32],
        picture: &mut [Colour],
    ) {
        let (eyes, width) = (self.canvas.eyes, self.canvas.view.size[0]);
        let model = &self.portrait.model;
        let gap = |upper: usize, lower: usize| {
            let now = |i: usize| self.portrait.landmark(posed, i)[1] / self.canvas.view.step;
            let then = |i: usize| self.canvas.stood(model.landmarks[i])[1];
            (now(lower) - now(upper)) - (then(lower) - then(upper))
        };
        let gaps = INNER_UPPER.into_iter().zip(INNER_LOWER);
        let most = gaps
            .map(|(a, b)| gap(a, b))
            .fold(f32::NEG_INFINITY, f32::max);
        let opening = (most / (0.06 * eyes)).clamp(0.0, 1.0);
        if opening <= 0.05 {
            return;
        }
        let line = LINE.map(|i| self.canvas.stood(model.landmarks[i]));
        let reach = 0.055 * eyes;
        for (pixel, to_mouth) in patch.pixels(width).zip(to_mouth) {
            if surface.part[pixel] != Some(Part::Face) || *to_mouth >= 0.3 * eyes {
                continue;
            }
            let (x, y) = ((pixel % width) as f32 + 0.5, (pixel / width) as f32 + 0.5);
            let flow = surface.flow[pixel];
            let to_line = distance_to(&line, [x + flow[0], y + flow[1]]);
            let part = (1.15 - to_line / reach).clamp(0.0, 1.0) * opening * 0.85;
            if part > 0.0 {
                let light = 0.78 + 0.22 * (to_mouth / (0.05 * eyes)).clamp(0.0, 1.0);
                let colour = &mut picture[pixel];
                for c in 0..3 {
                    colour[c] += (self.tones.lips[c] * light - colour[c]) * part;
                }
            }
        }
    }
}

/// The distance of a place to a line of points.
fn distance_to(line: &[[f32; 2]], place: [f32; 2]) -> f32 {
    let to_piece = |piece: &[[f32; 2]]| {
        let (a, b) = (piece[0], piece[1]);
        let along = [b[0] - a[0], b[1] - a[1]];
        let from = [place[0] - a[0], place[1] - a[1]];
        let square = along[0] * along[0] + along[1] * along[1] + 1e-9;
        let t = ((from[0] * along[0] + from[1] * along[1]) / square).clamp(0.0, 1.0);
        let left = [from[0] - t * along[0], from[1] - t * along[1]];
        left[0] * left[0] + left[1] * left[1]
    };
    line.windows(2)
        .map(to_piece)
        .fold(f32::INFINITY, f32::min)
        .sqrt()
}

/// The edge of the mouth's inside goes over one pixel, in the picture and in the map.
fn soften_edge(
    is_inside: &[bool],
    [width, height]: [usize; 2],
    patch: Patch,
    picture: &mut [Colour],
    cavity: &mut [f32],
) {
    const WEIGHTS: [f32; 3] = [0.25, 0.5, 0.25];
    let around = |pixel: usize| {
        let (x, y) = (pixel % width, pixel / width);
        let index =
            |at: usize, step: usize, length: usize| (at + step).saturating_sub(1).min(length - 1);
        WEIGHTS.iter().enumerate().flat_map(move |(j, down)| {
            WEIGHTS.iter().enumerate().map(move |(i, across)| {
                let near = index(y, j, height) * width + index(x, i, width);
                (near, down * across)
            })
        })
    };
    let mut edge = Vec::new();
    for pixel in patch.pixels(width) {
        let share: f32 = around(pixel)
            .filter(|(near, _)| is_inside[*near])
            .map(|(_, weight)| weight)
            .sum();
        cavity[pixel] = share;
        if share > 0.0 && share < 1.0 {
            let mut colour = [0.0; 3];
            for (near, weight) in around(pixel) {
                for c in 0..3 {
                    colour[c] += weight * picture[near][c];
                }
            }
            edge.push((pixel, colour));
        }
    }
    for (pixel, colour) in edge {
        picture[pixel] = colour;
    }
}
