//! Does each slider move its own part, and that alone? A control is drawn at five values on neutral faces;
//! the face mesh says what moved.

use std::collections::BTreeMap;

use serde::Serialize;

use super::EvaluateError;
use super::mouth::OUTER_LIPS;
use super::redrawn::{EYES_APART, Studio};
use crate::data::Face;
use crate::face::{INNER_LIPS, Point};
use crate::target::Target;

/// The values at which a control is drawn.
const VALUES: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// A mean movement below this, in eye distances, is the mesh's own unrest: no leak is divided by less.
const STILL: f64 = 1e-3;

/// A part of the face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// The brows.
    Brows,
    /// The eyes and their lids.
    Eyes,
    /// The nose and the cheeks.
    Cheeks,
    /// The lips.
    Mouth,
    /// The chin and the jaw's line.
    Jaw,
}

/// Points of the mesh that lie in each part; every other point belongs to the part of the nearest of them.
const ANCHORS: [(Region, &[usize]); 5] = [
    (
        Region::Brows,
        &[
            70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 300, 293, 334, 296, 336, 285, 295, 282, 283,
            276,
        ],
    ),
    (
        Region::Eyes,
        &[
            33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 263, 249,
            390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466,
        ],
    ),
    (
        Region::Cheeks,
        &[
            1, 2, 4, 5, 195, 197, 98, 327, 129, 358, 50, 280, 205, 425, 117, 346, 187, 411, 36,
            266, 101, 330, 123, 352, 147, 376,
        ],
    ),
    (
        Region::Mouth,
        &[
            61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91,
            146,
        ],
    ),
    (
        Region::Jaw,
        &[
            152, 148, 176, 149, 150, 136, 172, 58, 377, 400, 378, 379, 365, 397, 288, 199, 175, 200,
        ],
    ),
];

/// What the sliders of a network do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sliders {
    /// Faces on which each was drawn.
    pub n: usize,
    /// Mean over the controls of the rank correlation of slider and movement.
    pub spearman: f64,
    /// Mean over the controls of the movement outside of the own part, through that inside.
    pub leak: f64,
    /// The figures of each control, by its name.
    pub per_control: BTreeMap<String, Slider>,
}

/// What one slider does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Slider {
    /// The part that it is to move.
    pub region: Region,
    /// Mean over the faces of Spearman's rank correlation between the slider and how far its part moves in
    /// the direction in which the full slider moves it on the other faces.
    pub spearman: f64,
    /// Mean movement of a point outside of its part through that of a point inside, at the full slider.
    /// Skin hangs together, so that it is never 0.
    pub leak: f64,
    /// Mean movement of a point of its part at the full slider, in eye distances.
    pub movement: f64,
}

/// The part that a control of this name moves; a jaw takes the lower lip along.
fn regions(control: &str) -> &'static [Region] {
    let starts = |prefix: &str| control.starts_with(prefix);
    if starts("brow") {
        &[Region::Brows]
    } else if starts("eye") {
        &[Region::Eyes]
    } else if starts("cheek") || starts("nose") {
        &[Region::Cheeks]
    } else if starts("jaw") {
        &[Region::Jaw, Region::Mouth]
    } else {
        &[Region::Mouth]
    }
}

/// How the points of one face move with one control: `[values][points]`, from the slider at 0.
type Movement = Vec<Vec<Point>>;

/// The figures of every control; none for a network without controls, or without faces.
pub(super) fn sliders(
    studio: &Studio<'_>,
    faces: &[&Face],
) -> Result<Option<Sliders>, EvaluateError> {
    let controls = studio.config().controls.clone();
    if controls.is_empty() || faces.is_empty() {
        return Ok(None);
    }
    let mut moved: Vec<Vec<Movement>> = vec![Vec::new(); controls.len()];
    let mut parts = Vec::new();
    for face in faces {
        let rest = target(controls.len(), 0, VALUES[0]);
        let still = studio.points(face, &[rest])?.pop().unwrap_or_default();
        parts.push(parts_of(&still));
        for (control, moved) in moved.iter_mut().enumerate() {
            let targets: Vec<Target> = VALUES[1..]
                .iter()
                .map(|value| target(controls.len(), control, *value))
                .collect();
            let mut movement = vec![vec![Point::new(0.0, 0.0); still.len()]];
            for drawn in studio.points(face, &targets)? {
                let steps = drawn.iter().zip(&still);
                movement.push(
                    steps
                        .map(|(a, b)| Point::new(a.x - b.x, a.y - b.y))
                        .collect(),
                );
            }
            moved.push(movement);
        }
    }
    let figures = controls.iter().zip(&moved);
    let per_control: BTreeMap<String, Slider> = figures
        .map(|(name, moved)| (name.clone(), slider(name, moved, &parts)))
        .collect();
    let mean = |of: fn(&Slider) -> f64| {
        per_control.values().map(of).sum::<f64>() / per_control.len() as f64
    };
    Ok(Some(Sliders {
        n: faces.len(),
        spearman: mean(|slider| slider.spearman),
        leak: mean(|slider| slider.leak),
        per_control,
    }))
}

/// One control at a value, all others at 0.
fn target(controls: usize, control: usize, value: f32) -> Target {
    let mut values = vec![0.0; controls];
    values[control] = value;
    Target {
        values,
        own: Vec::new(),
        teeth: None,
        own_teeth: 0.0,
    }
}

/// The part of each point of a mesh.
fn parts_of(points: &[Point]) -> Vec<Region> {
    let nearest = |i: usize| {
        if INNER_LIPS.contains(&i) || OUTER_LIPS.contains(&i) {
            return Region::Mouth;
        }
        let far = |anchors: &[usize]| {
            let distances = anchors.iter().map(|a| points[*a].distance(points[i]));
            distances.fold(f32::INFINITY, f32::min)
        };
        let parts = ANCHORS
            .iter()
            .map(|(region, anchors)| (*region, far(anchors)));
        let least = parts.min_by(|a, b| a.1.total_cmp(&b.1));
        least.map_or(Region::Cheeks, |(region, _)| region)
    };
    (0..points.len()).map(nearest).collect()
}

/// The figures of one control from its movements on all faces; `parts[i]` are those of face i.
fn slider(name: &str, moved: &[Movement], parts: &[Vec<Region>]) -> Slider {
    let own = regions(name);
    let inside = |face: usize, point: usize| own.contains(&parts[face][point]);
    let full = VALUES.len() - 1;
    let mean_size = |face: usize, wanted: bool| {
        let points = moved[face][full].iter().enumerate();
        let sizes: Vec<f64> = points
            .filter(|(i, _)| inside(face, *i) == wanted)
            .map(|(_, p)| f64::from(p.x.hypot(p.y)))
            .collect();
        sizes.iter().sum::<f64>() / sizes.len().max(1) as f64
    };
    let n = moved.len();
    let mean = |of: &dyn Fn(usize) -> f64| (0..n).map(of).sum::<f64>() / n.max(1) as f64;
    let (within, without) = (
        mean(&|i| mean_size(i, true)),
        mean(&|i| mean_size(i, false)),
    );
    let correlation = |face: usize| {
        let direction = direction(moved, face);
        let along = |movement: &Vec<Point>| -> f64 {
            let pairs = movement.iter().zip(&direction).enumerate();
            let own = pairs.filter(|(i, _)| inside(face, *i));
            own.map(|(_, (p, d))| f64::from(p.x * d.x + p.y * d.y))
                .sum()
        };
        let far: Vec<f64> = moved[face].iter().map(along).collect();
        spearman(&VALUES.map(f64::from), &far)
    };
    Slider {
        region: own[0],
        spearman: mean(&correlation),
        leak: without / within.max(STILL * EYES_APART),
        movement: within / EYES_APART,
    }
}

/// Where the full slider moves each point on the other faces (on this one where it is the only one): a
/// slider that does nothing has no direction of its own that it could follow.
fn direction(moved: &[Movement], face: usize) -> Vec<Point> {
    let others = moved
        .iter()
        .enumerate()
        .filter(|(i, _)| moved.len() == 1 || *i != face);
    let mut sum = vec![Point::new(0.0, 0.0); moved[face][0].len()];
    for (_, movement) in others {
        for (sum, p) in sum.iter_mut().zip(&movement[VALUES.len() - 1]) {
            *sum = Point::new(sum.x + p.x, sum.y + p.y);
        }
    }
    sum
}

/// Spearman's rank correlation; equal values share their ranks. 0 where one of the two never changes.
pub(super) fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let sum = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    let size = (sum(&a, &a) * sum(&b, &b)).sqrt();
    if size > 0.0 { sum(&a, &b) / size } else { 0.0 }
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count() as f64;
        let equal = values.iter().filter(|other| *other == value).count() as f64;
        below + (equal - 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::mouth::tests::made_points;

    #[test]
    fn a_monotone_curve_has_correlation_one_and_a_turning_one_less() {
        let x = [0.0, 0.25, 0.5, 0.75, 1.0];
        assert!((spearman(&x, &x.map(|v: f64| v.powi(3))) - 1.0).abs() < 1e-12);
        assert!((spearman(&x, &x.map(|v| -v)) + 1.0).abs() < 1e-12);
        assert_eq!(spearman(&x, &[1.0; 5]), 0.0);
        // Ranks 0 1 2 4 3: 1 - 6 * 2 / (5 * 24).
        assert!((spearman(&x, &[0.0, 1.0, 2.0, 4.0, 3.0]) - 0.9).abs() < 1e-12);
        // Equal values share their ranks: 0, 1.5, 1.5, 3.
        assert_eq!(ranks(&[1.0, 5.0, 5.0, 7.0]), [0.0, 1.5, 1.5, 3.0]);
    }

    /// Every point of a part moves by (v, 0), the others by (leak v, 0).
    fn movement(parts: &[Region], own: Region, leak: f32, curve: fn(f32) -> f32) -> Movement {
        let step =
            |region: &Region, v: f32| Point::new(if *region == own { v } else { leak * v }, 0.0);
        let at = |v: &f32| parts.iter().map(|region| step(region, curve(*v))).collect();
        VALUES.iter().map(at).collect()
    }

    #[test]
    fn a_slider_that_moves_its_part_alone_has_no_leak_and_one_that_turns_back_is_found() {
        let parts = parts_of(&made_points(80.0, 10.0));
        assert_eq!((parts[13], parts[61]), (Region::Mouth, Region::Mouth));
        let two = |leak, curve| vec![movement(&parts, Region::Mouth, leak, curve); 2];
        let all = [parts.clone(), parts.clone()];
        let good = slider("mouthSmileLeft", &two(0.0, |v| 8.448 * v), &all);
        assert!(
            (good.spearman - 1.0).abs() < 1e-9 && good.leak < 1e-9,
            "{good:?}"
        );
        assert!((good.movement - 0.1).abs() < 1e-6, "{good:?}");
        let leaking = slider("mouthSmileLeft", &two(0.5, |v| v), &all);
        assert!((leaking.leak - 0.5).abs() < 1e-6, "{leaking:?}");
        let turning = slider("mouthSmileLeft", &two(0.0, |v| v * (1.2 - v)), &all);
        assert!(turning.spearman < 0.9, "{turning:?}");
        // The movement of a mouth is all leak for a brow.
        assert!(slider("browInnerUpLeft", &two(0.0, |v| v), &all).leak > 1.0);
    }

    #[test]
    fn every_known_control_has_a_part() {
        for control in crate::data::controls::CONTROLS {
            assert!(!regions(control).is_empty(), "{control}");
        }
        assert_eq!(regions("jawOpen"), [Region::Jaw, Region::Mouth]);
        assert_eq!(regions("noseSneerLeft"), [Region::Cheeks]);
    }
}
