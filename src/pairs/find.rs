//! A picture -> its largest face, cut out with room around, and the face's mesh.

use burn::tensor::Device;

use super::part::{Found, part};
use crate::face::{FaceDetector, FaceError, FullMesh};
use crate::picture::Picture;

/// The detector and the mesh.
pub struct Finder {
    detector: FaceDetector,
    mesh: FullMesh,
}

impl Finder {
    /// Loads both, on the CPU.
    ///
    /// # Errors
    /// [`FaceError::Weights`] when the embedded weights are damaged.
    pub fn load() -> Result<Self, FaceError> {
        let device = Device::flex();
        Ok(Self {
            detector: FaceDetector::load(&device)?,
            mesh: FullMesh::load(&device)?,
        })
    }

    /// The largest face; none where none is seen.
    ///
    /// # Errors
    /// [`FaceError::Run`].
    pub fn find(&self, picture: &Picture) -> Result<Option<Found>, FaceError> {
        let faces = pollster::block_on(self.detector.detect(picture))?;
        let Some(face) = faces.first() else {
            return Ok(None);
        };
        let view = face.alignment();
        let meshes = pollster::block_on(self.mesh.points(&[picture], &view))?;
        let Some(mesh) = meshes.into_iter().next() else {
            return Ok(None);
        };
        let places = mesh.into_iter().map(|at| view.picture_from_face(at));
        Ok(Some(part(picture.as_image(), places.collect())))
    }
}
