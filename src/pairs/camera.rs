//! The camera: the model's places -> the photo's, by weak perspective (a turn, one scale, a shift).

use super::model::Vector;
use super::solve::Square;

/// Where the model's places stand in the photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Pixels of the photo for one of the model's units.
    pub scale: f64,
    /// Directions of the picture, x to the right and y down, and towards the camera, in the model.
    pub rotation: [[f64; 3]; 3],
    /// Where the model's origin stands in the photo, in pixels.
    pub shift: [f64; 2],
}

impl Camera {
    /// The camera under which the model's places come nearest to the photo's, each with its weight.
    /// Nothing where they say too little, as places on a line do.
    pub fn nearest(places: &[[f64; 3]], photo: &[[f64; 2]], weights: &[f64]) -> Option<Self> {
        // First any linear map, by least squares, ...
        let mut square = Square::zeros(4);
        let mut sides = vec![[0.0; 2]; 4];
        for ((place, seen), weight) in places.iter().zip(photo).zip(weights) {
            let row = [place[0], place[1], place[2], 1.0];
            square.add_observation(&row, *weight);
            for (side, value) in sides.iter_mut().zip(row) {
                side[0] += weight * value * seen[0];
                side[1] += weight * value * seen[1];
            }
        }
        let linear = square.solve_positive(sides)?;
        // ... then the nearest turn and scale: (M M^T)^(-1/2) M, with the root of a 2 x 2 matrix.
        let [across, down] = [0, 1].map(|axis| [linear[0], linear[1], linear[2]].map(|v| v[axis]));
        let scale = (dot(across, across).sqrt() + dot(down, down).sqrt()) / 2.0;
        let (xx, xy, yy) = (dot(across, across), dot(across, down), dot(down, down));
        let determinant = (xx * yy - xy * xy).sqrt();
        let trace = (xx + yy + 2.0 * determinant).sqrt();
        // A NaN is not above the limit either.
        let is_sound = determinant > 1e-9 && scale.is_finite();
        if !is_sound {
            return None;
        }
        let root = [xx + determinant, xy, yy + determinant].map(|value| value / trace);
        let size = root[0] * root[2] - root[1] * root[1];
        let mix = |a: f64, b: f64| [0, 1, 2].map(|i| (a * across[i] + b * down[i]) / size);
        let (across, down) = (mix(root[2], -root[1]), mix(-root[1], root[0]));
        let mut near = cross(across, down);
        // The model's z comes towards the camera; y is turned over, so that this is a mirror too.
        if near[2] < 0.0 {
            near = near.map(|value| -value);
        }
        let mut camera = Self {
            scale,
            rotation: [across, down, near],
            shift: [0.0; 2],
        };
        let total: f64 = weights.iter().sum();
        let mut shift = [0.0; 2];
        for ((place, seen), weight) in places.iter().zip(photo).zip(weights) {
            let drawn = camera.place(*place);
            for axis in 0..2 {
                shift[axis] += weight * (seen[axis] - drawn[axis]) / total;
            }
        }
        camera.shift = shift;
        Some(camera)
    }

    /// A place of the model in the photo.
    pub fn place(&self, model: [f64; 3]) -> [f64; 2] {
        [0, 1].map(|axis| self.scale * dot(self.rotation[axis], model) + self.shift[axis])
    }

    /// Places of the model in the photo, with how near to the camera they are, in the same pixels.
    pub fn project(&self, model: &[Vector]) -> Vec<Vector> {
        let rows = self
            .rotation
            .map(|row| row.map(|value| (value * self.scale) as f32));
        let shift = [self.shift[0] as f32, self.shift[1] as f32, 0.0];
        let along = |row: [f32; 3], at: &Vector| row[0] * at[0] + row[1] * at[1] + row[2] * at[2];
        model
            .iter()
            .map(|at| [0, 1, 2].map(|axis| along(rows[axis], at) + shift[axis]))
            .collect()
    }

    /// How far the face looks aside and up, as the sine of the angles: 0 looks into the camera.
    pub fn turned(&self) -> [f64; 2] {
        [self.rotation[2][0], self.rotation[2][1]]
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}
