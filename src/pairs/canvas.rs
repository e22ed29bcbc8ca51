//! A view of a portrait that pictures are drawn in: the photo's pixels there, and where the face stood.

use super::eyelids::Openings;
use super::model::{Part, Vector};
use super::portrait::{Portrait, Posed};
use super::raster::{Raster, mixed, shares};
use super::view::{Colour, Pixel, View, colour, cubic, pixel};
use crate::face::planes::bilinear;

/// A point of the surface is seen in the photo if nothing lies nearer than this before it, in the
/// model's unit.
const DEPTH_TOLERANCE: f32 = 0.25;

/// How much of the mean folds of a smile is taken out of a photo that is closed: a face with fewer folds
/// would get bright bands in their place.
const TAKEN_OUT: f32 = 0.5;

/// Landmarks of the inner lips, from corner to corner and back.
const INNER_LIPS: [usize; 8] = [60, 61, 62, 63, 64, 65, 66, 67];

/// Flows below this, in pixels, leave a pixel as it is: nobody sees it, and most of the background stands
/// still.
const STILL: f32 = 0.05;

/// A view with what does not depend on what is drawn.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    /// What is drawn.
    pub view: View,
    /// Room around it from which pixels may come, in its pixels.
    pub margin: usize,
    /// The view's pixels in one of the model's units.
    pub scale: f32,
    /// The distance of the eyes in the view's pixels.
    pub eyes: f32,
    /// The photo, with the margin.
    photo: Vec<Pixel>,
    /// Where each vertex stood, in the view, how near, its light and its folds.
    stood: Vec<[f32; 5]>,
    /// What face was at each pixel, and how near, with the margin.
    raster: Raster,
    /// How much of each pixel of the photo lies between the lips or on their edge, with the margin; none
    /// where they are shut.
    mouth: Option<Vec<f32>>,
    /// Between which lids the photo shows the eyeballs.
    pub eyelids: Openings,
}

/// What each pixel of a drawn picture shows.
pub(super) struct Surface {
    /// Vertices in the view, and how near they are, in its pixels.
    pub places: Vec<Vector>,
    /// The nearest triangle.
    pub raster: Raster,
    /// Its part; none outside of the face.
    pub part: Vec<Option<Part>>,
    /// From each pixel to where its point of the surface stood in the photo.
    pub flow: Vec<[f32; 2]>,
    /// Whether it was seen there.
    pub is_visible: Vec<bool>,
    /// Whether its colour is the photo's from there: what is hidden may be, what is painted is not.
    pub is_moved: Vec<bool>,
    /// Light now through light then.
    pub light: Vec<f32>,
    /// The same of the folds of a smile, as a logarithm.
    pub folds: Vec<f32>,
}

impl Canvas {
    pub fn new(portrait: &Portrait, in_photo: &Posed, view: View, margin: usize) -> Self {
        let wide = view.with_margin(margin);
        let places = places_in(&wide, in_photo);
        let raster = drawn(portrait, &places, wide.size);
        let stood = places_in(&view, in_photo)
            .iter()
            .zip(in_photo.light.iter().zip(&in_photo.folds))
            .map(|(at, (light, folds))| [at[0], at[1], at[2], *light, *folds])
            .collect();
        let eyes = portrait.eyes / view.step;
        let eyelids = Openings::of(view.size, eyes, |pixel| {
            let (x, y) = (pixel % view.size[0], pixel / view.size[0]);
            let pixel = (y + margin) * wide.size[0] + x + margin;
            let triangle = raster.triangle[pixel] as usize;
            portrait.model.parts.get(triangle).copied()
        });
        Self {
            photo: wide.cut(&portrait.photo).into_iter().map(pixel).collect(),
            scale: portrait.fit.camera.scale as f32 / view.step,
            eyes,
            eyelids,
            mouth: (!portrait.is_shut()).then(|| wide.inside(&portrait.lips_with_edge())),
            view,
            margin,
            stood,
            raster,
        }
    }

    fn without_margin<'a, T: Copy>(&self, wide: &'a [T]) -> impl Iterator<Item = T> + use<'a, T> {
        let ([width, height], margin) = (self.view.size, self.margin);
        let rows = wide.chunks_exact(width + 2 * margin);
        rows.skip(margin)
            .take(height)
            .flat_map(move |row| &row[margin..margin + width])
            .copied()
    }

    /// How much of the photo's pixel at a place of the view lies between the lips.
    pub fn mouth_at(&self, place: [f32; 2]) -> f32 {
        let wide = self.view.with_margin(self.margin).size;
        let [x, y] = place.map(|at| at + self.margin as f32);
        let mouth = self.mouth.as_ref();
        mouth.map_or(0.0, |mouth| bilinear(mouth, wide, x, y))
    }

    /// The photo in the view.
    pub fn photo(&self) -> Vec<Colour> {
        self.without_margin(&self.photo).map(colour).collect()
    }

    /// The photo's colour at a place of the view.
    pub fn colour(&self, place: [f32; 2]) -> Colour {
        let wide = self.view.with_margin(self.margin).size;
        cubic(&self.photo, wide, place.map(|at| at + self.margin as f32))
    }

    /// The photo's colour of a pixel that comes from elsewhere.
    pub fn moved(&self, pixel: usize, flow: [f32; 2]) -> Colour {
        let width = self.view.size[0];
        let (x, y) = (pixel % width, pixel / width);
        if flow[0].abs() < STILL && flow[1].abs() < STILL {
            return colour(
                self.photo[(y + self.margin) * (width + 2 * self.margin) + x + self.margin],
            );
        }
        self.colour([x as f32 + 0.5 + flow[0], y as f32 + 0.5 + flow[1]])
    }

    /// Where a vertex stood in the photo, in the view.
    pub fn stood(&self, vertex: u32) -> [f32; 2] {
        let [x, y, ..] = self.stood[vertex as usize];
        [x, y]
    }

    /// What each pixel of a posed face shows.
    pub fn surface(&self, portrait: &Portrait, posed: &Posed) -> Surface {
        let places = places_in(&self.view, posed);
        let triangles = &portrait.model.triangles;
        let raster = drawn(portrait, &places, self.view.size);
        let count = raster.triangle.len();
        let mut surface = Surface {
            part: vec![None; count],
            flow: vec![[0.0; 2]; count],
            is_visible: vec![false; count],
            is_moved: vec![true; count],
            light: vec![1.0; count],
            folds: vec![0.0; count],
            places,
            raster,
        };
        let tolerance = DEPTH_TOLERANCE * self.scale;
        for pixel in 0..count {
            let Some((corners, shares)) = surface.corners(triangles, pixel) else {
                continue;
            };
            let part = portrait.model.parts[surface.raster.triangle[pixel] as usize];
            surface.part[pixel] = Some(part);
            let [x, y] = centre(pixel, self.view.size[0]);
            let then = mixed(corners, shares, |v| self.stood[v]);
            let [now, folds] = mixed(corners, shares, |v| [posed.light[v], posed.folds[v]]);
            surface.flow[pixel] = [then[0] - x, then[1] - y];
            surface.light[pixel] = (0.5 + 0.5 * now.max(0.0)) / (0.5 + 0.5 * then[3].max(0.0));
            let change = folds - then[4];
            let is_taken_out = folds.abs() < then[4].abs();
            surface.folds[pixel] = change * if is_taken_out { TAKEN_OUT } else { 1.0 };
            let is_visible = then[2] >= self.depth_at(then[0], then[1]) - tolerance;
            surface.is_visible[pixel] = is_visible;
            surface.is_moved[pixel] = match part {
                Part::Face | Part::Eyes => true,
                Part::EyeSocket => is_visible,
                Part::Socket | Part::Gums | Part::Teeth => false,
            };
        }
        surface
    }

    /// Where the face that a pixel of the photo shows went in a drawn picture, in the view, and whether it is
    /// seen there; with its part. None where the photo shows no face.
    pub fn went(&self, portrait: &Portrait, to: &Target<'_>, pixel: usize) -> Option<Went> {
        let [x, y] = centre(pixel, self.view.size[0]);
        let margin = self.margin as f32;
        let wide = (y + margin) as usize * self.raster.width + (x + margin) as usize;
        let triangle = self.raster.triangle[wide];
        let corners = *portrait.model.triangles.get(triangle as usize)?;
        let shares = shares(corners.map(|vertex| self.stood(vertex)), x, y);
        let there = mixed(corners, shares, |v| to.places[v]);
        let depth = far_at(to.depth, self.view.size, [there[0], there[1]]);
        Some(Went {
            place: [there[0], there[1]],
            part: portrait.model.parts[triangle as usize],
            is_visible: there[2] >= depth - DEPTH_TOLERANCE * self.scale,
        })
    }

    /// How near the face was around a place.
    fn depth_at(&self, x: f32, y: f32) -> f32 {
        let size = [self.raster.width, self.raster.height];
        let margin = self.margin as f32;
        far_at(&self.raster.depth, size, [x + margin, y + margin])
    }
}

/// How near a face is around a place: the farthest of four pixels, for the edges' sake.
fn far_at(depth: &[f32], [width, height]: [usize; 2], place: [f32; 2]) -> f32 {
    let first = |at: f32, length: usize| (at - 0.5).clamp(0.0, length as f32 - 1.0) as usize;
    let (column, row) = (first(place[0], width), first(place[1], height));
    let mut least = f32::INFINITY;
    for row in [row, (row + 1).min(height - 1)] {
        for column in [column, (column + 1).min(width - 1)] {
            least = least.min(depth[row * width + column]);
        }
    }
    least
}

/// The centre of a pixel.
pub(super) fn centre(pixel: usize, width: usize) -> [f32; 2] {
    [(pixel % width) as f32 + 0.5, (pixel / width) as f32 + 0.5]
}

/// A drawn picture that the photo's pixels are looked up in.
pub(super) struct Target<'a> {
    /// Vertices in the view, and how near they are.
    pub places: &'a [Vector],
    /// How near the face is at each pixel.
    pub depth: &'a [f32],
}

/// Where a point of the surface went.
pub(super) struct Went {
    /// In the view.
    pub place: [f32; 2],
    /// What it is.
    pub part: Part,
    /// Whether it is seen there.
    pub is_visible: bool,
}

impl Surface {
    /// The shares of a pixel's triangle's corners, with its vertices. Nothing outside of the face.
    pub fn corners(&self, triangles: &[[u32; 3]], pixel: usize) -> Option<([u32; 3], [f32; 3])> {
        let corners = *triangles.get(self.raster.triangle[pixel] as usize)?;
        let [x, y] = centre(pixel, self.raster.width);
        let places = corners.map(|v| flat(self.places[v as usize]));
        Some((corners, shares(places, x, y)))
    }
}

fn flat(place: Vector) -> [f32; 2] {
    [place[0], place[1]]
}

/// The face, and within its mouth only what the lips let be seen.
fn drawn(portrait: &Portrait, places: &[Vector], size: [usize; 2]) -> Raster {
    let model = &portrait.model;
    let mut raster = Raster::new(size);
    let whole = size.map(|length| 0..length);
    raster.draw(places, &model.triangles, &portrait.front, whole);
    let lips = INNER_LIPS.map(|landmark| flat(places[model.landmarks[landmark] as usize]));
    let opening = [0, 1].map(|axis| {
        let along = lips.iter().map(|at| at[axis]);
        let least = along.clone().fold(f32::INFINITY, f32::min);
        let most = along.fold(f32::NEG_INFINITY, f32::max);
        let room = 0.05 * (lips[4][0] - lips[0][0]).abs() + 2.0;
        let length = size[axis] as f32;
        let first = (least - room).clamp(0.0, length) as usize;
        first..(most + room).clamp(0.0, length) as usize
    });
    raster.draw(places, &model.triangles, &model.inner, opening);
    raster
}

/// Vertices in a view.
pub(super) fn places_in(view: &View, posed: &Posed) -> Vec<Vector> {
    let scale = 1.0 / view.step;
    let place = |at: &Vector| {
        [
            (at[0] - view.origin[0]) * scale,
            (at[1] - view.origin[1]) * scale,
            at[2] * scale,
        ]
    };
    posed.places.iter().map(place).collect()
}
