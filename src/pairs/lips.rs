//! Lips that open and shut: what was hidden of them, and the line where they meet.

use std::ops::Range;

use super::canvas::Surface;
use super::draw::Drawer;
use super::model::Part;
use super::mouth::Patch;
use super::portrait::{INNER_LOWER, INNER_UPPER, Posed};
use super::view::Colour;

/// Landmarks of the lips.
const MOUTH: std::ops::Range<usize> = 48..68;

/// How dark the line is between lips that meet, how wide in distances of the eyes, and from which opening
/// of the photo's mouth on it is drawn in full.
const DARK: f32 = 0.35;
const MEET: f32 = 0.02;
const OPEN: f32 = 0.12;

/// The line between the lips, once around the mouth.
const LINE: [usize; 9] = [60, 61, 62, 63, 64, 65, 66, 67, 60];

impl Drawer<'_> {
    /// Lips that teeth or the other lip had covered have the lips' own colour.
    pub(super) fn hidden_lips(&self, posed: &Posed, surface: &mut Surface, picture: &mut [Colour]) {
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
                surface.is_moved[pixel] = part < 0.5;
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
    pub(super) fn lips_meet(&self, posed: &Posed, surface: &Surface, picture: &mut [Colour]) {
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
    pub(super) fn bare_lips(
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
                for (value, tone) in colour.iter_mut().zip(self.tones.lips) {
                    *value += (tone * light - *value) * part;
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
