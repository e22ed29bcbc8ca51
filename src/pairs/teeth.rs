//! Real teeth for mouths that are opened: those of a donor, a portrait that smiles.
//!
//! The upper teeth are fixed in the skull. So where they stand in the donor's photo is known for every
//! point of the model's teeth, and what the photo shows there is laid on them. What the donor's lips cover
//! goes on as the visible part of the tooth ends; the light is that of the scene.

use std::sync::Arc;

use image::RgbImage;

use super::model::FaceModel;
use super::portrait::Portrait;
use super::tones::{average, mean};
use super::view::{Colour, Pixels, View};

/// How far the donor's mouth is open: teeth are seen, and not the throat.
const OPENING: std::ops::RangeInclusive<f32> = 0.10..=0.32;

/// The least distance of a donor's eyes in pixels: softer teeth are no gain.
const LEAST_EYES: f32 = 70.0;

/// How far a donor may be turned: the sine of the angle.
const MOST_TURNED: f64 = 0.2;

/// The edge of the lips that is not taken for teeth, the least of a tooth that has to be seen, and of the
/// row of teeth, in distances of the eyes.
const EDGE: f32 = 0.015;
const LEAST_SEEN: f32 = 0.04;
const LEAST_ROW: f32 = 0.35;

/// The least pixels between the lips, and the columns over which a gap between teeth is bridged.
const LEAST_PIXELS: usize = 200;
const BRIDGED: usize = 5;

/// The share of the pixels between the lips that are darker than a tooth in full light, and the darkest
/// that one may be, of white.
const FULL: f32 = 0.8;
const LEAST_LIGHT: f32 = 0.45;

/// How light a tooth is at least against one in full light, and how much redder at most.
const TOOTH: f32 = 0.62;
const REDDER: f32 = 0.14;

/// How far beyond what is seen of a tooth it becomes as even as its neighbours, and over how much of the row, in
/// distances of the eyes: else gaps between teeth go on as bars.
const EVEN_FROM: f32 = 0.05;
const EVEN_OVER: f32 = 0.07;
const EVEN_STEPS: i32 = 4;

/// Teeth of a portrait.
#[derive(Debug, Clone)]
pub struct Donor {
    /// Name of the portrait.
    pub name: String,
    photo: Arc<RgbImage>,
    /// Where each vertex stands in the photo; none where it is not of the upper teeth.
    places: Vec<Option<[f32; 2]>>,
    /// From the first column on: the rows between the lips.
    first: usize,
    rows: Vec<[f32; 2]>,
    /// A tooth in full light.
    light: Colour,
    /// The distance of the eyes in pixels.
    eyes: f32,
}

impl Donor {
    /// The teeth of a portrait whose expression was fitted; none where it shows too few of them.
    pub fn of(name: &str, portrait: &Portrait) -> Option<Self> {
        let is_turned = portrait
            .fit
            .camera
            .turned()
            .iter()
            .any(|sine| sine.abs() > MOST_TURNED);
        if !OPENING.contains(&portrait.opening()) || portrait.eyes < LEAST_EYES || is_turned {
            return None;
        }
        let photo = &portrait.photo;
        let size = [photo.width() as usize, photo.height() as usize];
        let whole = View {
            origin: [0.0; 2],
            step: 1.0,
            size,
        };
        let inside = whole.inside(&portrait.inner_lips);
        let edge = EDGE * portrait.eyes;
        let between = |x: usize| {
            let mut seen = (0..size[1]).filter(|y| inside[y * size[0] + x] >= 0.5);
            let first = seen.next()? as f32 + edge;
            let last = seen.next_back()? as f32 + 1.0 - edge;
            (last > first).then_some(first as usize..last as usize)
        };
        let pixel = |x: usize, y: usize| photo.get_pixel(x as u32, y as u32).0.map(f32::from);
        let columns = (0..size[0]).filter_map(|x| Some((x, between(x)?)));
        let mut colours: Vec<Colour> = columns
            .flat_map(|(x, rows)| rows.map(move |y| pixel(x, y)))
            .collect();
        if colours.len() < LEAST_PIXELS {
            return None;
        }
        colours.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
        let light = colours[(colours.len() as f32 * FULL) as usize];
        // A dark hole, or bad light.
        if mean(&light) < 255.0 * LEAST_LIGHT {
            return None;
        }
        // Of each column the longest run of what is as light as teeth, and no redder.
        let is_tooth = |x: usize, y: usize| {
            let [r, g, _] = [0, 1, 2].map(|c| pixel(x, y)[c] / light[c].max(1.0));
            mean(&pixel(x, y)) > TOOTH * mean(&light) && r - g < REDDER
        };
        let teeth = |x: usize| {
            let mut best = 0..0;
            let mut run = 0..0;
            for y in between(x)? {
                run = match is_tooth(x, y) {
                    true if run.end == y => run.start..y + 1,
                    true => y..y + 1,
                    false => run,
                };
                if run.len() > best.len() {
                    best = run.clone();
                }
            }
            let rows = [best.start as f32 + 1.0, best.end as f32 - 1.0];
            (rows[1] - rows[0] > LEAST_SEEN * portrait.eyes).then_some(rows)
        };
        let rows: Vec<Option<[f32; 2]>> = (0..size[0]).map(teeth).collect();
        let (first, rows) = longest(&rows);
        if (rows.len() as f32) < LEAST_ROW * portrait.eyes {
            return None;
        }
        let rows = smooth(&rows, 0.01 * portrait.eyes);
        // Now that the teeth are known, the light is that of the brighter half of them.
        let mut teeth: Vec<Colour> = (first..)
            .zip(&rows)
            .flat_map(|(x, [top, bottom])| {
                (*top as usize..*bottom as usize).map(move |y| pixel(x, y))
            })
            .collect();
        teeth.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
        let light = average(&teeth[teeth.len() / 2..]);
        let posed = portrait.posed(&portrait.fit.units);
        let is_upper = upper(&portrait.model);
        let place =
            |(place, is_upper): (&[f32; 3], &bool)| is_upper.then_some([place[0], place[1]]);
        Some(Self {
            name: name.to_owned(),
            photo: Arc::clone(photo),
            places: posed.places.iter().zip(&is_upper).map(place).collect(),
            first,
            rows,
            light,
            eyes: portrait.eyes,
        })
    }

    /// What the donor shows at a point of the upper teeth, 1 a tooth in full light; none for
    /// other points.
    pub(super) fn at(&self, corners: [u32; 3], shares: [f32; 3]) -> Option<Colour> {
        let mut place = [0.0; 2];
        for (vertex, share) in corners.into_iter().zip(shares) {
            let at = self.places[vertex as usize]?;
            place[0] += share * at[0];
            place[1] += share * at[1];
        }
        let last = (self.rows.len() - 1) as f32;
        let column = (place[0] - self.first as f32 - 0.5).clamp(0.0, last);
        // Beside the donor's mouth nothing is known.
        if (place[0] - self.first as f32 - 0.5 - column).abs() > 0.5 * last {
            return None;
        }
        let [top, bottom] = self.rows[column as usize];
        let row = place[1].clamp(top, bottom);
        let mut colour = self.colour(column, row);
        let beyond = ((place[1] - row).abs() / (EVEN_FROM * self.eyes)).min(1.0);
        if beyond > 0.0 {
            let even = self.even(column);
            for c in 0..3 {
                colour[c] += beyond * (even[c] - colour[c]);
            }
        }
        Some([0, 1, 2].map(|c| (colour[c] / self.light[c].max(1.0)).min(1.15)))
    }

    /// The photo in a column of the row of teeth.
    fn colour(&self, column: f32, row: f32) -> Colour {
        let at = [column + self.first as f32 + 0.5, row];
        Pixels::of(&self.photo).bilinear(at)
    }

    /// The mean of the teeth around a column.
    fn even(&self, column: f32) -> Colour {
        let last = (self.rows.len() - 1) as f32;
        let step = EVEN_OVER * self.eyes / EVEN_STEPS as f32;
        let around = (-EVEN_STEPS..=EVEN_STEPS).map(|i| {
            let column = (column + i as f32 * step).clamp(0.0, last);
            let [top, bottom] = self.rows[column as usize];
            self.colour(column, (top + bottom) / 2.0)
        });
        average(&around.collect::<Vec<_>>())
    }
}

/// The longest run of columns in which teeth are seen, single gaps between two teeth bridged, and its
/// first column.
fn longest(rows: &[Option<[f32; 2]>]) -> (usize, Vec<[f32; 2]>) {
    let bridged: Vec<Option<[f32; 2]>> = (0..rows.len())
        .map(|i| {
            let before = || {
                rows[i.saturating_sub(BRIDGED)..i]
                    .iter()
                    .rev()
                    .flatten()
                    .next()
            };
            let after = || rows[i..rows.len().min(i + BRIDGED)].iter().flatten().next();
            rows[i].or_else(|| after().and(before()).copied())
        })
        .collect();
    let mut best = (0, Vec::new());
    for run in bridged.split(Option::is_none) {
        if run.len() > best.1.len() {
            // The run is a part of `bridged`: its place is the distance of both starts.
            let first = (run.as_ptr() as usize - bridged.as_ptr() as usize) / size_of_val(&run[0]);
            best = (first, run.iter().copied().flatten().collect());
        }
    }
    best
}

/// The rows with their edges smoothed along the row of teeth.
fn smooth(rows: &[[f32; 2]], deviation: f32) -> Vec<[f32; 2]> {
    let of = |side: usize| {
        let edge: Vec<f32> = rows.iter().map(|rows| rows[side]).collect();
        let height = 1;
        crate::face::planes::blur(&edge, [edge.len(), height], deviation.max(0.5))
    };
    of(0)
        .into_iter()
        .zip(of(1))
        .map(|(top, bottom)| [top, bottom.max(top)])
        .collect()
}

/// The vertices of teeth that an opened jaw leaves where they are.
fn upper(model: &FaceModel) -> Vec<bool> {
    let mut is_upper = vec![false; model.neutral.len()];
    for (corners, tooth) in model.triangles.iter().zip(&model.tooth) {
        if tooth.is_some_and(|tooth| !tooth.is_lower) {
            for vertex in corners {
                is_upper[*vertex as usize] = true;
            }
        }
    }
    is_upper
}
