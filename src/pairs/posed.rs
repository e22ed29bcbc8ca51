//! A face that shows something: its vertices in the photo, their light, what can be seen of it.

use super::model::{FaceModel, Vector};

/// Triangles that look away from the camera by more than this (a cosine) are never seen.
const BACK: f32 = -0.5;

/// Smiles above this have no deeper folds.
const MOST_FOLDED: f32 = 1.2;

/// Where a lit face has its light from: above, and from the camera; x right, y down, z to the camera.
const LIGHT: Vector = [0.0, -0.75, 0.66];

/// A face that shows something.
#[derive(Debug, Clone)]
pub struct Posed {
    /// Where each vertex stands in the photo, and how near to the camera, in the photo's pixels.
    pub places: Vec<Vector>,
    /// The light on each vertex: 0 in shadow, 1 in full light.
    pub light: Vec<f32>,
    /// How far each vertex looks at the camera, 0 to 1.
    pub facing: Vec<f32>,
    /// How the folds of a smile change the light on each vertex, as a logarithm.
    pub folds: Vec<f32>,
}

impl Posed {
    /// Keeps the folds that another pose has: those of the photo stay as they are.
    pub fn with_folds_of(mut self, other: &Self) -> Self {
        self.folds.clone_from(&other.folds);
        self
    }
}

/// The light on each vertex and how far it looks at the camera, from its place in the photo's
/// directions.
pub(super) fn lit(model: &FaceModel, places: &[Vector]) -> (Vec<f32>, Vec<f32>) {
    let mut normals = vec![[0.0f32; 3]; places.len()];
    for corners in &model.triangles {
        let [a, b, c] = corners.map(|vertex| places[vertex as usize]);
        let (e, f) = (difference(b, a), difference(c, a));
        let normal = normal(e, f);
        for vertex in corners {
            let sum = &mut normals[*vertex as usize];
            for axis in 0..3 {
                sum[axis] += normal[axis];
            }
        }
    }
    normals
        .iter()
        .map(|n| {
            let length = (n[0] * n[0] + n[1] * n[1] + n[2] * n[2]).sqrt() + 1e-9;
            let lit = n[0] * LIGHT[0] + n[1] * LIGHT[1] + n[2] * LIGHT[2];
            ((lit / length).max(0.0), (n[2] / length).abs())
        })
        .unzip()
}

/// The folds of the smile among these units, each side by itself.
pub(super) fn folds(model: &FaceModel, units: &[f32]) -> Vec<f32> {
    let unit = |name| model.shape(name).map_or(0.0, |i| units[i].min(MOST_FOLDED));
    let [left, right] = ["mouthSmileLeft", "mouthSmileRight"].map(unit);
    let folds = model.folds.iter().zip(&model.neutral);
    folds
        .map(|(fold, [x, ..])| {
            // The person's left has x above 0.
            let side = (0.5 + 0.5 * x).clamp(0.0, 1.0);
            fold * (right + (left - right) * side)
        })
        .collect()
}

/// Triangles outside of the mouth that no expression turns to the camera are left out.
pub(super) fn front_triangles(model: &FaceModel, places: &[Vector]) -> Vec<u32> {
    let is_front = |triangle: &u32| {
        let corners = model.triangles[*triangle as usize];
        let [a, b, c] = corners.map(|vertex| places[vertex as usize]);
        let n = normal(difference(b, a), difference(c, a));
        n[2] > BACK * (n[0] * n[0] + n[1] * n[1] + n[2] * n[2]).sqrt()
    };
    model.outer.iter().copied().filter(is_front).collect()
}

/// The direction that a surface of two edges looks to. The picture's y runs down: the turn is the other
/// way round.
fn normal(e: Vector, f: Vector) -> Vector {
    [
        e[2] * f[1] - e[1] * f[2],
        e[0] * f[2] - e[2] * f[0],
        e[1] * f[0] - e[0] * f[1],
    ]
}

fn difference(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}
