//! Where each pixel of a drawn face is in the photo, and each pixel of the photo in the drawn face.

use super::canvas::{Target, centre, places_in};
use super::draw::{Drawer, Drawn};
use super::eyelids::Openings;
use super::model::Part;
use super::portrait::Posed;

/// Steps towards the drawn pixel that shows a place beside the face. The flow is smooth there, and below a
/// pixel's width after a few.
const STEPS: usize = 4;

/// How far the place that was found may be off, in pixels.
const OFF: f32 = 0.5;

/// From a pixel of one picture into the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Way {
    /// Where the pixel is there, less where it is here.
    pub flow: [f32; 2],
    /// The part of the face here; none outside of it.
    pub part: Option<Part>,
    /// Whether the colour here can be had from there.
    pub is_known: bool,
    /// Whether the other picture shows what is here.
    pub is_visible: bool,
}

/// The ways from a picture, at every second column and row.
#[derive(Debug, Clone)]
pub struct Ways {
    /// Pixels in a row of the picture, which are the unit of the flows.
    pub width: usize,
    /// Ways in a row, and rows.
    pub size: [usize; 2],
    /// `[height, width]`.
    pub ways: Vec<Way>,
}

impl Ways {
    fn of([width, height]: [usize; 2], way: impl Fn(usize) -> Way) -> Self {
        let size = [width.div_ceil(2), height.div_ceil(2)];
        let pixels = (0..size[1]).flat_map(|y| (0..size[0]).map(move |x| 2 * (y * width + x)));
        Self {
            width,
            size,
            ways: pixels.map(way).collect(),
        }
    }
}

impl Drawn {
    /// From the drawn face to the photo.
    pub fn ways(&self) -> Ways {
        Ways::of(self.size, |pixel| Way {
            flow: self.flow[pixel],
            part: self.part[pixel],
            is_known: self.is_moved[pixel],
            is_visible: self.is_visible[pixel],
        })
    }

    /// The pixel at a place; none outside of the picture.
    fn pixel(&self, place: [f32; 2]) -> Option<usize> {
        let is_inside = |axis: usize| place[axis] >= 0.0 && place[axis] < self.size[axis] as f32;
        (is_inside(0) && is_inside(1)).then(|| place[1] as usize * self.size[0] + place[0] as usize)
    }

    /// Where a place of the photo that shows no face is here: the pixel whose flow leads to it.
    fn beside(&self, [x, y]: [f32; 2]) -> Option<[f32; 2]> {
        let mut place = [x, y];
        for _ in 0..STEPS {
            let flow = self.flow[self.pixel(place)?];
            place = [x - flow[0], y - flow[1]];
        }
        let pixel = self.pixel(place)?;
        let flow = self.flow[pixel];
        let off = [x - place[0] - flow[0], y - place[1] - flow[1]];
        (self.part[pixel].is_none() && off[0].hypot(off[1]) <= OFF).then_some(place)
    }
}

impl Drawer<'_> {
    /// From the photo to the face that was drawn of this pose, in the same view.
    pub fn back(&self, posed: &Posed, drawn: &Drawn) -> Ways {
        let places = places_in(&self.canvas.view, posed);
        let target = Target {
            places: &places,
            depth: &drawn.depth,
        };
        let photo = &self.canvas.eyelids;
        let eyelids = Openings::of(drawn.size, self.canvas.eyes, |pixel| drawn.part[pixel]);
        Ways::of(drawn.size, |pixel| {
            let here = centre(pixel, drawn.size[0]);
            let flow = |there: [f32; 2]| [there[0] - here[0], there[1] - here[1]];
            let Some(went) = self.canvas.went(self.portrait, &target, pixel) else {
                let there = drawn.beside(here);
                return Way {
                    flow: there.map_or([0.0; 2], flow),
                    part: None,
                    is_known: there.is_some(),
                    is_visible: there.is_some(),
                };
            };
            let mut place = went.place;
            if went.part == Part::Eyes
                && let Some(height) = photo.height_back(&eyelids, here)
            {
                place[1] += height - here[1];
            }
            let there = drawn.pixel(place).and_then(|pixel| drawn.part[pixel]);
            let is_visible = match went.part {
                Part::Eyes => there == Some(Part::Eyes),
                _ => went.is_visible && there.is_some(),
            };
            // Skin that the drawn face hides lies behind skin of nearly its colour.
            let is_skin = went.part == Part::Face && there == Some(Part::Face);
            Way {
                flow: flow(place),
                part: Some(went.part),
                is_known: !went.part.is_in_mouth() && (is_visible || is_skin),
                is_visible,
            }
        })
    }
}
