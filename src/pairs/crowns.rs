//! The model's single teeth: which triangle belongs to which, and the light on those that are painted.

use super::field::{distance, mean_within};
use super::model::{Part, Shape, Vector};

/// A vertex that a wholly opened jaw moves by less than this, in the model's unit, is the skull's.
const STILL: f32 = 0.05;

/// How much light is lost between two teeth, and over how far, in distances of the eyes.
const GROOVE: f32 = 0.17;
const GROOVE_WIDE: f32 = 0.010;

/// The same at the gums.
const NECK: f32 = 0.12;
const NECK_WIDE: f32 = 0.022;

/// The same in the shadow of the upper teeth, which stand before the lower ones.
const UNDER: f32 = 0.35;
const UNDER_WIDE: f32 = 0.030;

/// How wide a gap between two teeth is closed, in distances of the eyes, and how light it is against them.
const GAP: f32 = 0.03;
const IN_GAP: f32 = 0.80;

/// From how deep behind the lips on teeth lie in the cheeks' shadow, in the model's unit, and from where on they are
/// no longer told apart.
const BESIDE: [f32; 2] = [2.8, 4.8];

/// How much single teeth differ in their light.
const DIFFER: f32 = 0.07;

/// A tooth of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tooth {
    /// Which one it is.
    pub number: u32,
    /// Whether it moves with the jaw.
    pub is_lower: bool,
}

/// The tooth that each triangle belongs to: teeth share no vertex with each other.
pub(super) fn teeth(
    triangles: &[[u32; 3]],
    parts: &[Part],
    jaw: Option<&Shape>,
    vertices: usize,
) -> Vec<Option<Tooth>> {
    let mut is_moved = vec![false; vertices];
    for (vertex, offset) in jaw.iter().flat_map(|jaw| &jaw.moved) {
        is_moved[*vertex as usize] = offset.iter().any(|value| value.abs() > STILL);
    }
    // Each vertex hangs on another one of its tooth; the last of a chain names the tooth.
    let mut hangs: Vec<u32> = (0..vertices as u32).collect();
    fn last(hangs: &mut [u32], mut vertex: u32) -> u32 {
        while hangs[vertex as usize] != vertex {
            hangs[vertex as usize] = hangs[hangs[vertex as usize] as usize];
            vertex = hangs[vertex as usize];
        }
        vertex
    }
    let is_tooth = |part: &Part| *part == Part::Teeth;
    for (corners, _) in triangles.iter().zip(parts).filter(|(_, p)| is_tooth(p)) {
        let first = last(&mut hangs, corners[0]);
        for corner in &corners[1..] {
            let other = last(&mut hangs, *corner);
            hangs[other as usize] = first;
        }
    }
    triangles
        .iter()
        .zip(parts)
        .map(|(corners, part)| {
            is_tooth(part).then(|| Tooth {
                number: last(&mut hangs, corners[0]),
                is_lower: is_moved[corners[0] as usize],
            })
        })
        .collect()
}

/// What is known of the pixels around a mouth.
pub(super) struct Row<'a> {
    /// The tooth that a pixel shows.
    pub tooth: &'a [Option<Tooth>],
    /// Whether it shows gums.
    pub is_gum: &'a [bool],
    /// How deep it lies behind the lips, in the model's unit; how it is lit; how far it faces the camera.
    pub known: &'a [Vector],
    /// Columns and rows.
    pub size: [usize; 2],
    /// The distance of the eyes in pixels.
    pub eyes: f32,
}

impl Row<'_> {
    /// The light on the teeth of both jaws and in the gaps between them, 1 in full light; none elsewhere.
    pub fn light(&self) -> Vec<Option<f32>> {
        let of_jaw = |is_lower: bool| -> Vec<bool> {
            let is_of = |tooth: &Option<Tooth>| tooth.is_some_and(|t| t.is_lower == is_lower);
            self.tooth.iter().map(is_of).collect()
        };
        let (upper, lower) = (of_jaw(false), of_jaw(true));
        let to_gum = distance(self.is_gum, self.size);
        let mut light = self.row(&upper, &to_gum);
        let from_upper = distance(&upper, self.size);
        for (i, lit) in self.row(&lower, &to_gum).into_iter().enumerate() {
            let Some(lit) = lit else { continue };
            let shadow = UNDER * (-from_upper[i] / (UNDER_WIDE * self.eyes)).exp();
            light[i] = light[i].or(Some(lit * (1.0 - shadow)));
        }
        light
    }

    /// The same of one jaw, by the distances to the gums.
    fn row(&self, is_row: &[bool], to_gum: &[f32]) -> Vec<Option<f32>> {
        if !is_row.contains(&true) {
            return vec![None; is_row.len()];
        }
        let (size, eyes) = (self.size, self.eyes);
        // Closed over narrow gaps: grown, then shrunk again.
        let gap = (GAP * eyes).round().max(1.0);
        let is_far: Vec<bool> = distance(is_row, size).iter().map(|d| *d > gap).collect();
        let to_outside = distance(&is_far, size);
        let is_between: Vec<bool> = (0..is_row.len())
            .map(|i| !is_row[i] && to_outside[i] > gap && self.tooth[i].is_none())
            .collect();
        let is_groove: Vec<bool> = (0..is_row.len())
            .map(|i| is_between[i] || (is_row[i] && self.is_border(i)))
            .collect();
        let to_groove = distance(&is_groove, size);
        let lost = |much: f32, wide: f32, far: f32| {
            1.0 - much * (-(far / (wide * eyes).max(0.7)).powi(2)).exp()
        };
        let lit: Vec<f32> = (0..is_row.len()).map(|i| self.surface(i)).collect();
        let even = mean_within(&lit, is_row, size, 0.02 * eyes);
        (0..is_row.len())
            .map(|i| {
                if is_between[i] {
                    return Some(IN_GAP * even[i]);
                }
                is_row[i].then(|| {
                    let [deep, ..] = self.known[i];
                    let told_apart = ((BESIDE[1] - deep) / (BESIDE[1] - BESIDE[0])).clamp(0.0, 1.0);
                    (0.5 * even[i] + 0.5 * lit[i])
                        * lost(GROOVE * told_apart, GROOVE_WIDE, to_groove[i])
                        * lost(NECK, NECK_WIDE, to_gum[i])
                })
            })
            .collect()
    }

    /// The light on the surface of a tooth that nothing else shades.
    fn surface(&self, i: usize) -> f32 {
        let [deep, lit, facing] = self.known[i];
        let own = self.tooth[i].map_or(0.0, |tooth| {
            // Any spread of the teeth's numbers will do.
            (tooth.number.wrapping_mul(0x9e37_79b9) >> 8) as f32 / (1 << 24) as f32
        });
        // The cheeks keep the light from the teeth at the sides.
        let falling = (-0.12 * (deep - 1.5).max(0.0) - 0.30 * (deep - BESIDE[0]).max(0.0)).exp();
        falling * (0.74 + 0.16 * facing + 0.10 * lit) * (1.0 - DIFFER * own)
    }

    /// Whether a neighbour to the right or below is another tooth of the same jaw.
    fn is_border(&self, i: usize) -> bool {
        let Some(own) = self.tooth[i] else {
            return false;
        };
        let is_other = |at: usize| {
            let other = self.tooth.get(at).copied().flatten();
            other.is_some_and(|other| other.is_lower == own.is_lower && other != own)
        };
        (!(i + 1).is_multiple_of(self.size[0]) && is_other(i + 1)) || is_other(i + self.size[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triangles_that_share_a_vertex_are_one_tooth_and_the_jaw_tells_the_row() {
        let triangles = [[0, 1, 2], [2, 3, 4], [5, 6, 7], [8, 9, 10]];
        let parts = [Part::Teeth, Part::Teeth, Part::Teeth, Part::Gums];
        let jaw = Shape {
            name: "jawOpen".into(),
            moved: (5..8).map(|vertex| (vertex, [0.0, -1.0, 0.0])).collect(),
        };
        let of = teeth(&triangles, &parts, Some(&jaw), 11);
        assert_eq!(of[0], of[1]);
        assert!(of[0].is_some_and(|tooth| !tooth.is_lower));
        assert!(of[2].is_some_and(|tooth| tooth.is_lower));
        assert_ne!(of[0].map(|t| t.number), of[2].map(|t| t.number));
        assert_eq!(of[3], None);
    }

    #[test]
    fn two_teeth_are_told_apart_by_a_groove() {
        let size = [44, 8];
        let of = |number| Tooth {
            number,
            is_lower: true,
        };
        let tooth: Vec<Option<Tooth>> = (0..size[0] * size[1])
            .map(|i| match i % size[0] {
                12..22 => Some(of(1)),
                22..32 => Some(of(1 << 20)),
                _ => None,
            })
            .collect();
        let row = Row {
            is_gum: &vec![false; tooth.len()],
            known: &vec![[1.0, 0.8, 1.0]; tooth.len()],
            tooth: &tooth,
            size,
            eyes: 100.0,
        };
        let light = row.light();
        let at = |x: usize| light[4 * size[0] + x].unwrap_or(0.0);
        assert!(at(21) < 0.9 * at(16), "{} beside {}", at(21), at(16));
        assert!(at(21) < 0.9 * at(27), "{} beside {}", at(21), at(27));
        assert_eq!(light[4 * size[0]], None);
    }
}
