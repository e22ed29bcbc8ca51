//! MediaPipe's face mesh with attention, in plain Burn tensors: a cut face -> 468 points, of which the
//! lips are looked at a second time, larger. Its branches for the eyes and the irises are left out.
//!
//! Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time", 2020
//! (arXiv 2006.10962). The region around the mouth is cut from the trunk's early features by a spatial
//! transformer, of which the mesh's own lips say the place.

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::layers::{Weights, readback};
use super::trunk::{Branch, Trunk};
use super::{FaceError, Point};

/// The weights; where they come from stands beside the file.
const WEIGHTS: &[u8] = include_bytes!("../../weights/facemesh-lips.safetensors");

/// Points of a mesh, in MediaPipe's order.
pub const MESH_POINTS: usize = 468;

/// The mesh's points that the lips' branch answers with, in its order: the outer edge, the inner edge,
/// and two lines between them, each the lower half first (tensors_to_face_landmarks_with_attention.pbtxt
/// of google/mediapipe). The same points say where the lips are.
const LIPS: [usize; 80] = [
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270,
    409, //
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310,
    415, //
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304,
    408, //
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
];

/// The mouth's right and left corner, between which the region is level.
const CORNERS: [usize; 2] = [61, 291];

/// After how many blocks the lips' features are taken, ...
const EARLY: usize = 3;

/// ... how many of the input's pixels lie beside each other in one of them, ...
const STEP: f32 = 4.0;

/// ... and how wide the region is in the lips' own width and height.
const ROOM: f32 = 1.5;

/// Places across the region.
const REGION: usize = 16;

/// The branch answers in parts of a place in the region: it is four times as fine.
const FINER: f32 = 4.0;

/// The package keeps 2 / 47, by which it scales places, in 16 bits; 1 would be right.
const ROUNDED: f32 = 0.042_541_504 * 23.5;

/// The network's weights.
#[derive(Debug, Clone)]
pub(super) struct LipMesh {
    trunk: Trunk,
    points: Branch,
    lips: Branch,
    device: Device,
}

impl LipMesh {
    /// The network with the embedded weights.
    pub fn load(device: &Device) -> Result<Self, FaceError> {
        let weights = Weights::open(WEIGHTS, device)?;
        Ok(Self {
            trunk: Trunk::load(&weights)?,
            points: Branch::load(&weights, "points", 3, &[0])?,
            lips: Branch::load(&weights, "lips", 11, &[2, 5, 8])?,
            device: device.clone(),
        })
    }

    /// The [`MESH_POINTS`] points of each of `[n, 3, 192, 192]` in 0..1, in pixels of it.
    pub async fn forward(&self, faces: Tensor<4>) -> Result<Vec<Vec<Point>>, FaceError> {
        let early = self.trunk.forward(faces, EARLY); // [n, 32, 48, 48]
        let points = self.points.forward(self.trunk.go_on(early.clone(), EARLY)); // [n, 936, 1, 1]
        let mut meshes: Vec<Vec<Point>> = readback(points)
            .await?
            .chunks_exact(2 * MESH_POINTS)
            .map(places)
            .collect();
        let regions: Vec<Region> = meshes.iter().map(|mesh| Region::of(mesh)).collect();
        let lips = self.lips.forward(self.cut(early, &regions).await?); // [n, 160, 1, 1]
        let lips = readback(lips).await?;
        for ((mesh, region), lips) in meshes
            .iter_mut()
            .zip(&regions)
            .zip(lips.chunks_exact(2 * LIPS.len()))
        {
            for (index, at) in LIPS.into_iter().zip(places(lips)) {
                let place = region.place(at.x / FINER, at.y / FINER);
                mesh[index] = Point::new(place.x * STEP, place.y * STEP);
            }
        }
        Ok(meshes)
    }

    /// Each picture's region of the features `[n, c, h, w]` -> `[n, c, 16, 16]`.
    async fn cut(&self, features: Tensor<4>, regions: &[Region]) -> Result<Tensor<4>, FaceError> {
        let [count, channels, height, width] = features.dims();
        let planes = readback(features).await?;
        let mut cut = Vec::with_capacity(count * channels * REGION * REGION);
        for (region, planes) in regions
            .iter()
            .zip(planes.chunks_exact(channels * height * width))
        {
            let samples = region.samples(width, height);
            for plane in planes.chunks_exact(height * width) {
                let value = |sample: &Sample| sample.iter().map(|(i, part)| plane[*i] * part).sum();
                cut.extend(samples.iter().map(value).collect::<Vec<f32>>());
            }
        }
        let data = TensorData::new(cut, [count, channels, REGION, REGION]);
        Ok(Tensor::from_data(data, (&self.device, DType::F32)))
    }
}

/// x and y in turn -> points.
fn places(values: &[f32]) -> Vec<Point> {
    let place = |at: &[f32]| Point::new(at[0], at[1]);
    values.chunks_exact(2).map(place).collect()
}

/// Four of a plane's values, and the part of each.
type Sample = [(usize, f32); 4];

/// The rectangle around the lips, turned with them, in places of the early features.
#[derive(Debug, Clone, Copy)]
struct Region {
    /// Its first corner.
    corner: Point,
    /// One of its 16 places to the right and down.
    right: Point,
    down: Point,
}

impl Region {
    /// Around the lips of a mesh in pixels of the input.
    fn of(mesh: &[Point]) -> Self {
        let at = |index: usize| Point::new(mesh[index].x / STEP, mesh[index].y / STEP);
        let [from, to] = CORNERS.map(at);
        let (sin, cos) = (to.y - from.y).atan2(to.x - from.x).sin_cos();
        let along = |p: Point| (p.x * cos + p.y * sin, p.y * cos - p.x * sin);
        let (xs, ys): (Vec<f32>, Vec<f32>) = LIPS.into_iter().map(|i| along(at(i))).unzip();
        // Middle and length.
        let span = |values: &[f32]| {
            let least = values.iter().copied().fold(f32::INFINITY, f32::min);
            let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            ((least + most) / 2.0, most - least)
        };
        let ((x, width), (y, height)) = (span(&xs), span(&ys));
        let scale = ROOM / REGION as f32;
        let right = Point::new(width * scale * cos, width * scale * sin);
        let down = Point::new(-height * scale * sin, height * scale * cos);
        let half = REGION as f32 / 2.0;
        Self {
            corner: Point::new(
                x * cos - y * sin - half * (right.x + down.x),
                x * sin + y * cos - half * (right.y + down.y),
            ),
            right,
            down,
        }
    }

    /// A place in the region, 0..16 in both directions, -> its place in the features.
    fn place(&self, x: f32, y: f32) -> Point {
        Point::new(
            self.corner.x + x * self.right.x + y * self.down.x,
            self.corner.y + x * self.right.y + y * self.down.y,
        )
    }

    /// Where the values of the region's places come from, row by row. A place beyond the middle of the
    /// plane's outermost values has nothing.
    fn samples(&self, width: usize, height: usize) -> Vec<Sample> {
        let middle = |i: usize| i as f32 + 0.5;
        let rows = (0..REGION).flat_map(|y| (0..REGION).map(move |x| (x, y)));
        rows.map(|(x, y)| {
            let at = self.place(middle(x), middle(y));
            let (x, y) = ((at.x - 0.5) * ROUNDED, (at.y - 0.5) * ROUNDED);
            let inside = |at: f32, length: usize| (0.0..=(length - 1) as f32).contains(&at);
            if !inside(x, width) || !inside(y, height) {
                return [(0, 0.0); 4];
            }
            let (left, top) = (x as usize, y as usize);
            let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
            let (across, along) = (x - left as f32, y - top as f32);
            [
                (top * width + left, (1.0 - across) * (1.0 - along)),
                (top * width + right, across * (1.0 - along)),
                (bottom * width + left, (1.0 - across) * along),
                (bottom * width + right, across * along),
            ]
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lips 64 pixels wide and 32 high around (96, 128), turned clockwise by a quarter.
    fn turned_lips() -> Vec<Point> {
        let mut mesh = vec![Point::new(96.0, 128.0); MESH_POINTS];
        mesh[61] = Point::new(96.0, 96.0);
        mesh[291] = Point::new(96.0, 160.0);
        mesh[0] = Point::new(112.0, 128.0);
        mesh[17] = Point::new(80.0, 128.0);
        mesh
    }

    #[test]
    fn the_region_turns_with_the_lips_and_leaves_room_around_them() {
        let region = Region::of(&turned_lips());
        // In places of 4 pixels: the middle, and half of 1.5 times 16 and 8 around it.
        let close = |p: Point, x: f32, y: f32| (p.x - x).abs() < 1e-4 && (p.y - y).abs() < 1e-4;
        assert!(close(region.place(8.0, 8.0), 24.0, 32.0), "{region:?}");
        assert!(close(region.place(0.0, 0.0), 30.0, 20.0), "{region:?}");
        assert!(close(region.place(16.0, 0.0), 30.0, 44.0), "{region:?}");
        assert!(close(region.place(0.0, 16.0), 18.0, 20.0), "{region:?}");
    }

    #[test]
    fn a_sample_lies_between_its_four_values_and_nothing_lies_beyond_the_edge() {
        let region = Region {
            corner: Point::new(-2.0, 0.25),
            right: Point::new(1.0, 0.0),
            down: Point::new(0.0, 1.0),
        };
        let samples = region.samples(48, 48);
        assert_eq!((samples.len(), samples[0]), (256, [(0, 0.0); 4]));
        // A plane that rises by 1 to the right and by 10 down.
        let value = |sample: &Sample| -> f32 {
            let at = |i: usize| (i % 48) as f32 + 10.0 * (i / 48) as f32;
            sample.iter().map(|(i, part)| at(*i) * part).sum()
        };
        // Column 7 and row 4 of the region: 7 - 2 and 4 + 0.25 places from the first value's middle.
        let expected = (5.0 + 42.5) * ROUNDED;
        assert!((value(&samples[4 * REGION + 7]) - expected).abs() < 1e-3);
    }
}
