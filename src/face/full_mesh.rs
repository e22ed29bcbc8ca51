//! All 468 points of MediaPipe's face mesh with refined lips, to measure faces with. Native only: the
//! page needs 21 points of the plain mesh, and does not carry the rest.

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::facemesh::{self, FaceMesh};
use super::lips::{LipMesh, MESH_POINTS};
use super::{Alignment, FaceError, Point};
use crate::picture::Picture;

/// The lips' inner edge among the points, once around the mouth from the subject's right corner.
pub const INNER_LIPS: [usize; 20] = [
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
];

/// Cuts, as zooms from the aligned face, over which the points are averaged: from 1.12 to 1.39 they
/// differ about equally little from MediaPipe's later model, and their mean scatters less than any of
/// them. A mean with the mirrored pictures, at twice the time, brings next to nothing.
const ZOOMS: [f32; 3] = [1.12, 1.25, 1.39];

/// How far the cuts lie below the aligned face, in face widths: an open mouth stays inside.
const DOWN: f32 = 0.05;

/// The face mesh with all of its points.
#[derive(Debug, Clone)]
pub struct FullMesh {
    mesh: LipMesh,
    plain: FaceMesh,
    device: Device,
}

impl FullMesh {
    /// The networks with the embedded weights. Meant for Burn's CPU backend, `Device::flex()`.
    ///
    /// # Errors
    /// [`FaceError::Weights`] when they are damaged.
    pub fn load(device: &Device) -> Result<Self, FaceError> {
        Ok(Self {
            mesh: LipMesh::load(device)?,
            plain: FaceMesh::load(device)?,
            device: device.clone(),
        })
    }

    /// The [`MESH_POINTS`] points of the face at `view` in each picture, in face coordinates: 0 to 1 over
    /// the view's square.
    ///
    /// # Errors
    /// [`FaceError::Run`].
    pub async fn points(
        &self,
        pictures: &[&Picture],
        view: &Alignment,
    ) -> Result<Vec<Vec<Point>>, FaceError> {
        let mut means = vec![vec![Point::new(0.0, 0.0); MESH_POINTS]; pictures.len()];
        for zoom in ZOOMS {
            let cut = view.moved(Point::new(0.0, DOWN), zoom, 0.0);
            let pixels = |picture: &&Picture| cut.crop_planar(picture, facemesh::INPUT as u32);
            let found = self
                .points_raw(pictures.iter().flat_map(pixels).collect())
                .await?;
            for (mean, found) in means.iter_mut().zip(found) {
                for (mean, at) in mean.iter_mut().zip(found) {
                    let scale = 1.0 / facemesh::INPUT as f32;
                    let place = cut.picture_from_face(Point::new(at.x * scale, at.y * scale));
                    let place = view.face_from_picture(place);
                    mean.x += place.x / ZOOMS.len() as f32;
                    mean.y += place.y / ZOOMS.len() as f32;
                }
            }
        }
        Ok(means)
    }

    /// The points of each of the cuts `[n, 3, 192, 192]` in 0..1, in pixels of them.
    ///
    /// # Errors
    /// [`FaceError::Run`].
    pub async fn points_raw(&self, values: Vec<f32>) -> Result<Vec<Vec<Point>>, FaceError> {
        let side = facemesh::INPUT;
        let count = values.len() / (3 * side * side);
        let data = TensorData::new(values, [count, 3, side, side]);
        let faces = Tensor::<4>::from_data(data, (&self.device, DType::F32));
        self.mesh.forward(faces).await
    }

    /// What the first `blocks` blocks of the plain mesh see in pictures `[n, 3, height, width]` in 0..1
    /// whose sides are multiples of 16: `[n, c, h, w]`, on the mesh's device.
    pub fn features(&self, values: Vec<f32>, shape: [usize; 4], blocks: usize) -> Tensor<4> {
        let data = TensorData::new(values, shape);
        let pictures = Tensor::<4>::from_data(data, (&self.device, DType::F32));
        self.plain.features(pictures, blocks)
    }
}
