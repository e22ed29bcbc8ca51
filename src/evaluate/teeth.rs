//! The teeth in a mouth: which pixels between the lips are teeth, by their brightness and colour.

use crate::face::{INNER_LIPS, Point};
use crate::tensor::luma;

use super::mouth::OUTER_LIPS;
use super::redrawn::SIDE;

/// Places on the cheeks where skin is seen, and how far around each, in pixels.
pub(super) const CHEEKS: [usize; 4] = [50, 280, 205, 425];
const CHEEK_RADIUS: f32 = 6.0;

/// Teeth are seen from this area on, in parts of the mouth's width squared.
///
/// By eye, 45 of London's 82 real smiles show teeth; three more show a rim that may be one. The rule finds 44 of the 45
/// and none in the other smiles. It finds them in 140 of 143 photographs of the US Congress, which all show some;
/// in 75 % of LFW's open mouths (119; of 59 that were looked at it finds 45, of which some four show a tongue or a lip
/// instead, and misses one to three); and in none of London's 82 neutral faces and one of 226 of LFW's, which may
/// bare its teeth. Half of the pictures of Congress, LFW's open mouths and two thirds of its neutral ones were not used
/// to choose the numbers here, and give the same shares to 2 %.
///
/// Mouths that are drawn badly are a harder test: the 2021 network's first weights smile with smudges without any
/// tooth. Of 82 such smiles in London's faces 4 have teeth by this rule (49 had with the plain mesh and brightness and
/// colour alone), of 30 in LFW's grey pictures 9: there no colour tells skin from teeth.
pub const TEETH_FROM: f64 = 0.004;

/// A tooth is this much brighter than the lips, and at least so bright as this part of the skin of the cheeks ...
const ABOVE_LIP: f32 = 1.1;
const ABOVE_LIP_BY: f32 = 0.03;
const OF_SKIN: f32 = 0.8;

/// ... and has at most this part of the saturation of lips or skin, whichever has more.
const OF_SATURATION: f32 = 0.75;
const SATURATION_ROOM: f32 = 0.02;

/// Where teeth are, there is shadow too: the luma of the brightest and of the darkest twentieth between the lips
/// differ by at least this part of the skin's, and by at least so much, lest the sheen of a dark lip is a tooth.
const CONTRAST: f32 = 0.5;
const CONTRAST_LEAST: f32 = 0.25;

/// The teeth of a mouth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Teeth {
    /// Pixels that are teeth.
    pub pixels: usize,
    /// Pixels between the lips.
    pub inside: usize,
}

impl Teeth {
    /// Of a face `[3, 256, 256]` with its mesh.
    pub fn of(face: &[f32], points: &[Point]) -> Self {
        let plane = SIDE * SIDE;
        let colour = |i: usize| [face[i], face[plane + i], face[2 * plane + i]];
        let edge =
            |indices: &[usize]| -> Vec<Point> { indices.iter().map(|i| points[*i]).collect() };
        let (inner, outer) = (edge(&INNER_LIPS), edge(&OUTER_LIPS));
        let inside = pixels_within(&inner);
        let is_lip = |i: &usize| inside.binary_search(i).is_err();
        let lips: Vec<usize> = pixels_within(&outer).into_iter().filter(is_lip).collect();
        let skin: Vec<usize> = CHEEKS
            .iter()
            .flat_map(|i| pixels_around(points[*i]))
            .collect();
        let of = |pixels: &[usize], value: fn([f32; 3]) -> f32, part: f32| {
            quantile(pixels.iter().map(|i| value(colour(*i))).collect(), part)
        };
        let (lip, cheek) = (of(&lips, luma, 0.5), of(&skin, luma, 0.5));
        let bright = (ABOVE_LIP * lip)
            .max(lip + ABOVE_LIP_BY)
            .max(OF_SKIN * cheek);
        let most = of(&lips, saturation, 0.5).max(of(&skin, saturation, 0.5));
        let dull = OF_SATURATION * most + SATURATION_ROOM;
        let is_tooth = |i: &&usize| luma(colour(**i)) > bright && saturation(colour(**i)) <= dull;
        let contrast = of(&inside, luma, 0.95) - of(&inside, luma, 0.05);
        Self {
            pixels: if contrast >= CONTRAST_LEAST.max(CONTRAST * cheek) {
                inside.iter().filter(is_tooth).count()
            } else {
                0
            },
            inside: inside.len(),
        }
    }
}

fn saturation([red, green, blue]: [f32; 3]) -> f32 {
    let most = red.max(green).max(blue);
    (most - red.min(green).min(blue)) / most.max(0.05)
}

/// The value below which this part of them lies; 0 of none.
fn quantile(mut values: Vec<f32>, part: f32) -> f32 {
    values.sort_by(f32::total_cmp);
    let index = (part * values.len() as f32) as usize;
    values.get(index).copied().unwrap_or_default()
}

/// Indices of the pixels whose centres lie within a polygon, in rising order.
fn pixels_within(polygon: &[Point]) -> Vec<usize> {
    let range = |of: fn(&Point) -> f32| {
        let least = polygon.iter().map(of).fold(f32::INFINITY, f32::min);
        let most = polygon.iter().map(of).fold(f32::NEG_INFINITY, f32::max);
        (least.max(0.0) as usize)..((most.max(0.0) as usize + 1).min(SIDE))
    };
    let columns = range(|p| p.x);
    let all = range(|p| p.y).flat_map(|y| columns.clone().map(move |x| (x, y)));
    all.filter(|(x, y)| is_within(Point::new(*x as f32 + 0.5, *y as f32 + 0.5), polygon))
        .map(|(x, y)| y * SIDE + x)
        .collect()
}

fn pixels_around(middle: Point) -> impl Iterator<Item = usize> {
    let range = |at: f32| {
        let from = (at - CHEEK_RADIUS).clamp(0.0, (SIDE - 1) as f32) as usize;
        from..((at + CHEEK_RADIUS).clamp(0.0, (SIDE - 1) as f32) as usize + 1)
    };
    let columns = range(middle.x);
    range(middle.y).flat_map(move |y| columns.clone().map(move |x| y * SIDE + x))
}

/// Whether a place lies within a polygon (even-odd rule).
pub(super) fn is_within(at: Point, polygon: &[Point]) -> bool {
    let next = polygon.iter().cycle().skip(1);
    let crossings = polygon.iter().zip(next).filter(|(a, b)| {
        (a.y > at.y) != (b.y > at.y) && at.x < a.x + (b.x - a.x) * (at.y - a.y) / (b.y - a.y)
    });
    crossings.count() % 2 == 1
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::evaluate::mouth::tests::{made_points, mouth};

    /// Skin, lips, and between the lips a colour; the upper `filled` of it bright teeth.
    pub fn made_face(points: &[Point], filled: f32) -> Vec<f32> {
        let edge =
            |indices: &[usize]| -> Vec<Point> { indices.iter().map(|i| points[*i]).collect() };
        let (inner, outer) = (
            pixels_within(&edge(&INNER_LIPS)),
            pixels_within(&edge(&OUTER_LIPS)),
        );
        let mut face = vec![0.0; 3 * SIDE * SIDE];
        let mut paint = |i: usize, colour: [f32; 3]| {
            for (c, value) in colour.into_iter().enumerate() {
                face[c * SIDE * SIDE + i] = value;
            }
        };
        (0..SIDE * SIDE).for_each(|i| paint(i, [0.8, 0.6, 0.5]));
        outer.into_iter().for_each(|i| paint(i, [0.7, 0.4, 0.4]));
        let teeth = (inner.len() as f32 * filled) as usize;
        for (k, i) in inner.into_iter().enumerate() {
            paint(
                i,
                if k < teeth {
                    [0.85, 0.82, 0.75]
                } else {
                    [0.2, 0.05, 0.05]
                },
            );
        }
        face
    }

    #[test]
    fn teeth_are_the_share_of_the_mouth_that_was_painted() {
        for filled in [0.0, 0.25, 0.6] {
            let mouth = mouth(90.0, 24.0, filled);
            assert!(
                (mouth.teeth_share - f64::from(filled)).abs() < 0.01,
                "{mouth:?}"
            );
            assert_eq!(mouth.shows_teeth(), filled > 0.0);
        }
        // Skin between torn lips is as bright as teeth, but as colourful as skin.
        let points = made_points(90.0, 24.0);
        let mut face = made_face(&points, 0.0);
        let inner: Vec<Point> = INNER_LIPS.iter().map(|i| points[*i]).collect();
        for i in pixels_within(&inner) {
            for (c, value) in [0.9, 0.68, 0.57].into_iter().enumerate() {
                face[c * SIDE * SIDE + i] = value;
            }
        }
        assert_eq!(Teeth::of(&face, &points).pixels, 0);
    }

    #[test]
    fn a_pale_smudge_without_shadow_has_no_teeth() {
        let points = made_points(90.0, 24.0);
        let mut face = made_face(&points, 0.0);
        let inner: Vec<Point> = INNER_LIPS.iter().map(|i| points[*i]).collect();
        let inside = pixels_within(&inner);
        for (k, i) in inside.iter().enumerate() {
            // As dull as teeth, and from nearly as dark as lips to as bright as skin.
            let value = 0.45 + 0.25 * k as f32 / inside.len() as f32;
            (0..3).for_each(|c| face[c * SIDE * SIDE + i] = value);
        }
        assert_eq!(Teeth::of(&face, &points).pixels, 0);
        // With shadow below it is a tooth.
        for i in &inside[..inside.len() / 4] {
            (0..3).for_each(|c| face[c * SIDE * SIDE + i] = 0.1);
        }
        assert!(Teeth::of(&face, &points).pixels > 0);
    }
}
