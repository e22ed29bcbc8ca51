//! Faces redrawn in their pictures, by the same way as the command line takes, and cut out again at a
//! size at which a mouth can be measured. The only place here that uses the pipeline.

use burn::tensor::{Device, Tensor, TensorData};

use super::EvaluateError;
use crate::data::Face;
use crate::evaluator::MaskedEvaluator;
use crate::face::alignment::EYE_DISTANCE;
use crate::face::{self, Alignment, FullMesh, Point, SynthesisedFace, paste};
use crate::network::{FACE_SIZE, NetworkConfig};
use crate::picture::Picture;
use crate::pipeline::Pipeline;
use crate::target::Target;

/// Side of the cut faces in pixels; the eyes are 84 apart.
pub(super) const SIDE: usize = 256;

/// Distance between the eyes in a cut face, in pixels.
pub(super) const EYES_APART: f64 = EYE_DISTANCE as f64 * SIDE as f64;

/// Redraws faces in their pictures, and measures where their parts lie.
pub(super) struct Studio<'a> {
    pipeline: &'a Pipeline,
    mesh: FullMesh,
}

/// A face cut from its picture, as it is or redrawn.
pub(super) struct Portrait {
    /// `[3, 256, 256]` in 0..1.
    pub face: Vec<f32>,
    /// The mesh, in pixels of `face`.
    pub points: Vec<Point>,
    /// `[3, 96, 96]`, as networks see it.
    pub small: Vec<f32>,
    /// `[3, 112, 112]`, as the evaluator of the upper face sees it.
    pub upper: Vec<f32>,
}

/// A flow on the network's grid.
pub(super) struct Flow {
    /// `[2, size, size]` in face widths.
    pub values: Vec<f32>,
    /// Where it is covered by what is painted, `[size, size]`, 0 to 1; none for heads that cover nothing.
    pub cover: Option<Vec<f32>>,
    /// Side of the grid.
    pub size: usize,
}

/// A redrawn face.
pub(super) struct Redrawing {
    pub portrait: Portrait,
    /// Where its pixels come from, for networks that say so.
    pub flow: Option<Flow>,
}

impl<'a> Studio<'a> {
    pub fn new(pipeline: &'a Pipeline) -> Result<Self, EvaluateError> {
        Ok(Self {
            pipeline,
            mesh: FullMesh::load(&Device::flex())?,
        })
    }

    /// What kind of network redraws.
    pub fn config(&self) -> &NetworkConfig {
        self.pipeline.config()
    }

    /// The mesh, for what it sees in mouths.
    pub fn mesh(&self) -> &FullMesh {
        &self.mesh
    }

    /// The face as it is.
    pub fn as_it_is(&self, face: &Face) -> Result<Portrait, EvaluateError> {
        let alignment = face.alignment();
        let points = pollster::block_on(self.mesh.points(&[&face.picture], &alignment))?;
        let points = points.into_iter().next().unwrap_or_default();
        Ok(Portrait::cut(&face.picture, &alignment, points))
    }

    /// The face redrawn with each target.
    pub fn redraw(&self, face: &Face, targets: &[Target]) -> Result<Vec<Redrawing>, EvaluateError> {
        let alignment = face.alignment();
        let (redrawn, pictures) = self.pictures(face, targets)?;
        let points = self.mesh_of(&pictures, &alignment)?;
        let parts = redrawn.into_iter().zip(&pictures).zip(points);
        let flow = |one: SynthesisedFace| {
            let change = one.change?;
            Some(Flow {
                values: change.flow?,
                cover: change.cover,
                size: one.size,
            })
        };
        Ok(parts
            .map(|((one, picture), points)| Redrawing {
                portrait: Portrait::cut(picture, &alignment, points),
                flow: flow(one),
            })
            .collect())
    }

    /// The mesh of the face redrawn with each target, in pixels of a cut face.
    pub fn points(
        &self,
        face: &Face,
        targets: &[Target],
    ) -> Result<Vec<Vec<Point>>, EvaluateError> {
        let (_, pictures) = self.pictures(face, targets)?;
        let points = self.mesh_of(&pictures, &face.alignment())?;
        Ok(points.into_iter().map(in_pixels).collect())
    }

    /// The way of the command line: what was redrawn, and the pictures with it in its place.
    fn pictures(
        &self,
        face: &Face,
        targets: &[Target],
    ) -> Result<(Vec<SynthesisedFace>, Vec<Picture>), EvaluateError> {
        let alignment = face.alignment();
        let redrawn = pollster::block_on(async {
            let placed = face::Face::Placed(alignment);
            let recognised = self.pipeline.recognise(&face.picture, placed).await?;
            self.pipeline
                .synthesise(&face.picture, &recognised, targets)
                .await
        })?;
        let pasted = redrawn
            .iter()
            .map(|one| paste(&face.picture, &alignment, one));
        let pictures = pasted.collect();
        Ok((redrawn, pictures))
    }

    fn mesh_of(
        &self,
        pictures: &[Picture],
        alignment: &Alignment,
    ) -> Result<Vec<Vec<Point>>, EvaluateError> {
        let borrowed: Vec<&Picture> = pictures.iter().collect();
        Ok(pollster::block_on(self.mesh.points(&borrowed, alignment))?)
    }
}

/// Points in face coordinates -> in pixels of a cut face.
fn in_pixels(points: Vec<Point>) -> Vec<Point> {
    let scale = SIDE as f32;
    let place = |p: Point| Point::new(p.x * scale, p.y * scale);
    points.into_iter().map(place).collect()
}

impl Portrait {
    /// `points` are in face coordinates.
    fn cut(picture: &Picture, alignment: &Alignment, points: Vec<Point>) -> Self {
        let upper = MaskedEvaluator::view(alignment);
        Self {
            face: alignment.crop_planar(picture, SIDE as u32),
            points: in_pixels(points),
            small: alignment.crop_planar(picture, FACE_SIZE as u32),
            upper: upper.crop_planar(picture, MaskedEvaluator::INPUT as u32),
        }
    }
}

/// Square RGB pictures as a batch `[n, 3, side, side]`.
pub(super) fn batch<'a>(
    planes: impl Iterator<Item = &'a Vec<f32>>,
    side: usize,
    device: &Device,
) -> Tensor<4> {
    let values: Vec<f32> = planes.flatten().copied().collect();
    let n = values.len() / (3 * side * side);
    Tensor::from_data(TensorData::new(values, [n, 3, side, side]), device)
}
