//! A portrait -> the same face with other units: the photo's own pixels moved with the surface, the
//! light changed as far as the surface turned, and what the photo does not show painted.

use super::canvas::{Canvas, Surface, centre};
use super::eyelids::Openings;
use super::field::{Cells, distance};
use super::model::Part;
use super::mouth::{Opened, Patch, paint};
use super::outside::{Seen, follow};
use super::portrait::{CHIN, Portrait, Posed};
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

/// How light the dark between shut lips is, of the lips' own tone.
const BETWEEN_LIPS: f32 = 0.55;

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
    /// Whether its colour is the photo's from there, the light aside: skin that the photo hides has it from its
    /// neighbours, what is painted from nowhere.
    pub is_moved: Vec<bool>,
    /// The part of the face; none outside of it.
    pub part: Vec<Option<Part>>,
    /// How much of each pixel lies within the mouth, 0 to 1.
    pub cavity: Vec<f32>,
    /// How near the face is, in pixels; negative infinity outside of it.
    pub(super) depth: Vec<f32>,
}

/// A view in which faces of a portrait are drawn.
#[derive(Debug, Clone)]
pub struct Drawer<'a> {
    pub(super) portrait: &'a Portrait,
    pub(super) canvas: Canvas,
    pub(super) tones: Tones,
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
        if is_shut {
            self.lips_meet(posed, &surface, &mut picture);
        }
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
                    let opened = Opened {
                        portrait: self.portrait,
                        canvas: &self.canvas,
                        posed,
                        surface: &surface,
                        tones: &self.tones,
                        donor: self.donor,
                    };
                    paint(&opened, patch, &mut picture);
                }
                soften_edge(&surface, &is_inside, patch, &mut picture, &mut cavity);
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
            surface.is_moved[pixel] = false;
        }
        for (pixel, is_out) in is_outside.iter().enumerate() {
            surface.is_visible[pixel] |= is_out;
        }
        Drawn {
            size,
            picture,
            flow: surface.flow,
            is_visible: surface.is_visible,
            is_moved: surface.is_moved,
            part: surface.part,
            cavity,
            depth: surface.raster.depth,
        }
    }

    /// An eyeball is the photo's: stretched where the lids open further, from beside its lids where it looks
    /// elsewhere. What a turn shows of the iris is mirrored from its other half; the pixels that have to be white
    /// are returned.
    fn bare_eyes(&self, surface: &mut Surface) -> Vec<usize> {
        let view = &self.canvas.view;
        let photo = &self.canvas.eyelids;
        let radius = self.tones.iris_radius / view.step;
        let irises = self.tones.irises.map(|at| view.view_from_photo(at));
        let drawn = Openings::of(view.size, self.canvas.eyes, |pixel| surface.part[pixel]);
        let mut white = Vec::new();
        for (pixel, part) in surface.part.iter().enumerate() {
            if *part != Some(Part::Eyes) {
                continue;
            }
            let [x, y] = centre(pixel, view.size[0]);
            let flow = &mut surface.flow[pixel];
            let turned = |height: f32| [x + flow[0], height + flow[1]];
            let place = turned(drawn.height_in(photo, [x, y]).unwrap_or(y));
            if let Some(inside) = photo.inside(place) {
                *flow = [inside[0] - x, inside[1] - y];
                surface.is_visible[pixel] = true;
                continue;
            }
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
}

/// The edge of the mouth's inside goes over one pixel, in the picture and in the map; and so do those of
/// teeth, gums and tongue in the picture.
fn soften_edge(
    surface: &Surface,
    is_inside: &[bool],
    patch: Patch,
    picture: &mut [Colour],
    cavity: &mut [f32],
) {
    const WEIGHTS: [f32; 3] = [0.25, 0.5, 0.25];
    let (width, height) = (surface.raster.width, surface.raster.height);
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
        let own = surface.part[pixel];
        let is_edge = share < 1.0 || around(pixel).any(|(near, _)| surface.part[near] != own);
        if share > 0.0 && is_edge {
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
