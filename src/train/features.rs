//! The frozen network whose features the perceptual term compares.
//!
//! The 2021 release takes LightCNN-9, whose weights may not be shipped; here MediaPipe's face mesh
//! stands in, which looks at the shape of brows, eyes and mouth.

use burn::tensor::{Device, Tensor};

use super::config::FeatureNet;
use super::terms::feature_error;
use crate::face::FaceError;
use crate::face::facemesh::FaceMesh;

/// Blocks of the face mesh that are run: the last at 24 x 24 places of a 96-pixel face, where a
/// place is four pixels and still knows where the mouth's corners are.
const BLOCKS: usize = 8;

/// How much larger the face mesh sees the face: it was trained on 192 pixels.
const ENLARGED: usize = 2;

/// A feature net, its weights fixed.
#[derive(Debug, Clone)]
pub struct Features {
    mesh: FaceMesh,
}

impl Features {
    /// The net with the weights that the crate carries.
    ///
    /// # Errors
    /// [`FaceError`] when they are damaged.
    pub fn load(net: FeatureNet, device: &Device) -> Result<Self, FaceError> {
        match net {
            FeatureNet::FaceMesh => Ok(Self {
                mesh: FaceMesh::load(device)?,
            }),
        }
    }

    /// Mean squared difference of the features of two faces `[batch, k, size, size]`.
    pub fn difference(&self, face: Tensor<4>, target: Tensor<4>) -> Tensor<1> {
        feature_error(|face| self.of(face), face, target)
    }

    /// `[batch, 64, size / 4, size / 4]`.
    fn of(&self, face: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = face.dims();
        let face = if channels == 1 {
            face.expand([batch, 3, height, width])
        } else {
            face
        };
        self.mesh.features(enlarged(face), BLOCKS)
    }
}

/// Each pixel repeated [`ENLARGED`] times across and down: Burn's GPU backends have no gradient of
/// smoother enlargements.
fn enlarged(face: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = face.dims();
    face.reshape([batch, channels, height, 1, width, 1])
        .expand([batch, channels, height, ENLARGED, width, ENLARGED])
        .reshape([batch, channels, height * ENLARGED, width * ENLARGED])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

    #[test]
    fn enlarging_repeats_each_pixel() {
        let device = Device::flex();
        let face =
            Tensor::<4>::from_data(TensorData::new(vec![1.0_f32, 2.0], [1, 1, 1, 2]), &device);
        let values: Vec<f32> = enlarged(face).into_data().iter::<f32>().collect();
        assert_eq!(values, [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
    }
}
