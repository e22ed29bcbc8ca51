//! A picture -> its faces: BlazeFace finds them at two or three sizes of the picture (`search.rs`), the face
//! mesh says of each whether it is one and where exactly its eyes are (`close_look.rs`).

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::blazeface::{BlazeFace, Map};
use super::candidate::{Candidate, candidates};
use super::facemesh::{self, FaceMesh, Mesh};
use super::search::FaceSearch;
use super::{Alignment, DetectedFace, FaceError, Point};
use crate::picture::Picture;

/// The network's own input: it is never given less.
const INPUT: usize = 256;

/// Sizes have to be multiples of this.
const MULTIPLE: usize = 32;

/// Empty pixels around the picture, so that a face at its border is seen whole.
const BORDER: usize = 16;

/// Finds the faces in a picture.
#[derive(Debug, Clone)]
pub struct FaceDetector {
    boxes: BlazeFace,
    mesh: FaceMesh,
    device: Device,
}

impl FaceDetector {
    /// The detector with its embedded weights. Meant for Burn's CPU backend, `Device::flex()`.
    ///
    /// # Errors
    /// [`FaceError::Weights`] when they are damaged.
    #[cfg(feature = "native")]
    pub fn load(device: &Device) -> Result<Self, FaceError> {
        Ok(Self {
            boxes: BlazeFace::load(device)?,
            mesh: FaceMesh::load(device)?,
            device: device.clone(),
        })
    }

    /// The detector with the bytes of `blazeface.safetensors` and `facemesh.safetensors`.
    ///
    /// # Errors
    /// [`FaceError::Weights`] when they are damaged.
    pub fn from_bytes(boxes: &[u8], mesh: &[u8], device: &Device) -> Result<Self, FaceError> {
        Ok(Self {
            boxes: BlazeFace::from_bytes(boxes, device)?,
            mesh: FaceMesh::from_bytes(mesh, device)?,
            device: device.clone(),
        })
    }

    /// All faces, the largest first.
    ///
    /// # Errors
    /// [`FaceError::Run`].
    pub async fn detect(&self, picture: &Picture) -> Result<Vec<DetectedFace>, FaceError> {
        let mut search = FaceSearch::default();
        let mut faces = Vec::new();
        while let Some(added) = search.next(self, picture).await? {
            faces.extend(added);
        }
        faces.sort_by(|a, b| b.bounds.area().total_cmp(&a.bounds.area()));
        Ok(faces)
    }

    /// The mesh's raw answers to `[n, 3, 192, 192]` in 0..1.
    pub async fn mesh_raw(&self, values: Vec<f32>) -> Result<Vec<Mesh>, FaceError> {
        let side = facemesh::INPUT;
        let count = values.len() / (3 * side * side);
        let data = TensorData::new(values, [count, 3, side, side]);
        let input = Tensor::<4>::from_data(data, (&self.device, DType::F32));
        self.mesh.forward(input).await
    }

    /// BlazeFace's raw answers to `[1, 3, height, width]` in -1..1.
    pub async fn boxes_raw(
        &self,
        values: Vec<f32>,
        size: [usize; 2],
    ) -> Result<[Map; 2], FaceError> {
        let [height, width] = size;
        let data = TensorData::new(values, [1, 3, height, width]);
        let input = Tensor::<4>::from_data(data, (&self.device, DType::F32));
        self.boxes.forward(input).await
    }

    /// One pass over the whole picture, whose longer side becomes `longer` pixels.
    pub(super) async fn look(
        &self,
        picture: &Picture,
        longer: f32,
    ) -> Result<Vec<Candidate>, FaceError> {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let scale = longer / width.max(height);
        let fit = |length: f32| {
            let with_border = (length * scale).ceil() as usize + 2 * BORDER;
            with_border.next_multiple_of(MULTIPLE).max(INPUT)
        };
        let (columns, rows) = (fit(width), fit(height));
        // The picture in the middle; what is cut beyond it is made black.
        let side = columns as f32 / scale;
        let origin = Point::new((width - side) / 2.0, (height - rows as f32 / scale) / 2.0);
        let view = Alignment::upright(origin, side);
        let inside = |i: usize, from: f32, length: f32| {
            let at = from + (i as f32 + 0.5) / scale;
            at >= 0.0 && at <= length
        };
        let seen = |count: usize, from: f32, length: f32| {
            let first = (0..count).find(|i| inside(*i, from, length));
            let first = first.unwrap_or(count);
            let last = (first..count).take_while(|i| inside(*i, from, length));
            first..first + last.count()
        };
        let part = [seen(columns, origin.x, width), seen(rows, origin.y, height)];
        let mut values = view.cut_part(picture, [columns, rows], part); // [3, rows, columns]
        for value in &mut values {
            *value = *value * 2.0 - 1.0;
        }
        let maps = self.boxes_raw(values, [rows, columns]).await?;
        Ok(candidates(&maps, columns, &view))
    }
}
