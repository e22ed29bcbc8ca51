//! MediaPipe's face mesh in plain Burn tensors: a cut face -> whether it is one, and its points.
//!
//! Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019
//! (arXiv 1907.06724). Of the 468 points only those that are used are computed.

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::layers::{Weights, readback};
use super::trunk::{self, BLOCKS, Branch, Trunk};
use super::{FaceError, Landmarks, Point};

/// The weights; where they come from stands beside the file. A page fetches the file.
#[cfg(feature = "native")]
const WEIGHTS: &[u8] = include_bytes!("../../weights/facemesh.safetensors");

/// Side of the input.
pub const INPUT: usize = trunk::INPUT;

/// Points around an eye; the eye's place is their mean.
const EYE_POINTS: usize = 8;

/// Points in the file: two eyes, the nose's tip, two corners of the mouth, two ears.
pub const POINTS: usize = 2 * EYE_POINTS + 5;

/// The network's weights.
#[derive(Debug, Clone)]
pub struct FaceMesh {
    trunk: Trunk,
    points: Branch,
    presence: Branch,
}

/// The answer for one face.
#[derive(Debug, Clone)]
pub struct Mesh {
    /// How sure it is that there is a face, 0..1.
    pub presence: f32,
    /// The points, in pixels of the input.
    pub points: [Point; POINTS],
}

impl FaceMesh {
    /// The network with the embedded weights.
    ///
    /// # Errors
    /// [`FaceError::Weights`] when they are not what it needs.
    #[cfg(feature = "native")]
    pub fn load(device: &Device) -> Result<Self, FaceError> {
        Self::from_bytes(WEIGHTS, device)
    }

    /// The network with the weights of `facemesh.safetensors`.
    ///
    /// # Errors
    /// [`FaceError::Weights`] when they are not what it needs.
    pub fn from_bytes(weights: &[u8], device: &Device) -> Result<Self, FaceError> {
        let weights = Weights::open(weights, device)?;
        Ok(Self {
            trunk: Trunk::load(&weights)?,
            points: Branch::load(&weights, "points", 3, &[0])?,
            presence: Branch::load(&weights, "presence", 1, &[0])?,
        })
    }

    /// The answers for `[n, 3, 192, 192]` in 0..1.
    pub async fn forward(&self, faces: Tensor<4>) -> Result<Vec<Mesh>, FaceError> {
        let x = self.trunk.forward(faces, BLOCKS); // [n, 128, 6, 6]
        let presence = readback(sigmoid(self.presence.forward(x.clone()))).await?; // [n]
        let points = readback(self.points.forward(x)).await?; // [n, 2 * POINTS]
        let answers = presence.into_iter().zip(points.chunks_exact(2 * POINTS));
        let place = |p: &[f32], i: usize| Point::new(p[2 * i], p[2 * i + 1]);
        Ok(answers
            .map(|(presence, points)| Mesh {
                presence,
                points: std::array::from_fn(|i| place(points, i)),
            })
            .collect())
    }
}

impl FaceMesh {
    /// What the first `blocks` of the shared blocks see in `[n, 3, 192, 192]` in 0..1: after 2, 5, 8
    /// and 11 of them 96, 48, 24 and 12 places across. Gradients pass to the faces.
    pub fn features(&self, faces: Tensor<4>, blocks: usize) -> Tensor<4> {
        self.trunk.forward(faces, blocks)
    }
}

impl Mesh {
    /// The landmarks in the input's pixels.
    pub fn landmarks(&self) -> Landmarks {
        let mean = |points: &[Point]| {
            let count = points.len() as f32;
            Point::new(
                points.iter().map(|p| p.x).sum::<f32>() / count,
                points.iter().map(|p| p.y).sum::<f32>() / count,
            )
        };
        let rest = &self.points[2 * EYE_POINTS..];
        Landmarks {
            right_eye: mean(&self.points[..EYE_POINTS]),
            left_eye: mean(&self.points[EYE_POINTS..2 * EYE_POINTS]),
            nose: rest[0],
            mouth: mean(&rest[1..3]),
            right_ear: rest[3],
            left_ear: rest[4],
        }
    }
}
