//! The face model: a mean face, who it may be (identity modes), what it may show (shapes, a control
//! each), and its surface.
//!
//! ICT-FaceKit, MIT (<https://github.com/ICT-VGL/ICT-FaceKit>); what the file holds is said in
//! `weights/facemodel.md`. Lengths are those of the model, about a centimetre; x to the right of who
//! looks at the face, y up, z towards the camera.

use std::collections::HashMap;

use safetensors::Dtype;

use super::PairsError;
use super::crowns::{self, Tooth};
use crate::tensor_file::{self, TensorFile};

/// Landmarks by which a face is fitted: the 68 points in common use (iBUG), in their order.
pub const LANDMARKS: usize = 68;

/// The most bytes a model file may have; the shipped one has 15 MB.
pub const MAX_BYTES: usize = 128 << 20;

/// How a smile changes the light, see weights/smile-light.md.
const FOLDS: &[u8] = include_bytes!("../../weights/smile-light.safetensors");

/// How much of the brightening in it is taken.
const SHINE: f32 = 0.6;

/// The most vertices, triangles and layers that are read.
const MAX_COUNT: usize = 200_000;

/// Vertices that a shape moves by less than this, in the model's unit, are left where they are: a
/// thousandth of a pixel.
const LEAST_MOVE: f32 = 2e-4;

/// A vector of the model.
pub type Vector = [f32; 3];

/// A part of the model's surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Part {
    /// Skin and lips.
    Face = 1,
    /// The lining of the mouth.
    Socket = 2,
    /// The lining of the eyes.
    EyeSocket = 3,
    /// Gums and tongue.
    Gums = 4,
    /// Teeth.
    Teeth = 5,
    /// Eyeballs.
    Eyes = 6,
}

impl Part {
    /// The part by its number in the file.
    fn from_file(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Face,
            2 => Self::Socket,
            3 => Self::EyeSocket,
            4 => Self::Gums,
            5 => Self::Teeth,
            6 => Self::Eyes,
            _ => return None,
        })
    }

    /// The part by its number in maps; none for 0, where there is no face.
    pub fn from_map(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Face),
            number => Self::from_file(number),
        }
    }

    /// Whether it lies within an open mouth.
    pub fn is_in_mouth(self) -> bool {
        matches!(self, Self::Socket | Self::Gums | Self::Teeth)
    }
}

/// What one control does to the face at full strength.
#[derive(Debug, Clone)]
pub struct Shape {
    /// ARKit's name in full, `mouthSmileLeft`; left is the person's left.
    pub name: String,
    /// The vertices that it moves, and by how much.
    pub moved: Vec<(u32, Vector)>,
}

/// The face model.
#[derive(Debug, Clone)]
pub struct FaceModel {
    /// The mean face, `[vertices]`.
    pub neutral: Vec<Vector>,
    /// Deviations from it that make persons differ, each `[vertices]`, in standard deviations.
    pub identity: Vec<Vec<Vector>>,
    /// What the face may show.
    pub shapes: Vec<Shape>,
    /// Vertices of each triangle.
    pub triangles: Vec<[u32; 3]>,
    /// The part that each triangle belongs to.
    pub parts: Vec<Part>,
    /// The vertices at the 68 landmarks.
    pub landmarks: [u32; LANDMARKS],
    /// The points of MediaPipe's face mesh at the same places.
    pub mesh_points: [u32; LANDMARKS],
    /// How a whole smile changes the light at each vertex beyond what the surface says, as a logarithm:
    /// folds and wrinkles.
    pub(super) folds: Vec<f32>,
    /// Triangles of what can be seen of a shut mouth, and of what lies within the mouth.
    pub(super) outer: Vec<u32>,
    pub(super) inner: Vec<u32>,
    /// The tooth that each triangle belongs to.
    pub(super) tooth: Vec<Option<Tooth>>,
    index: HashMap<String, usize>,
}

impl FaceModel {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`PairsError::Model`] that says what is missing or contradicts itself.
    pub fn load(bytes: &[u8]) -> Result<Self, PairsError> {
        if bytes.len() > MAX_BYTES {
            return Err(damaged("larger than any model"));
        }
        let file = TensorFile::open(bytes).map_err(damaged)?;
        let names = tensor_file::metadata(bytes, "shapes")
            .map_err(damaged)?
            .ok_or_else(|| damaged("the names of its shapes are missing"))?;
        let names: Vec<String> = serde_json::from_str(&names).map_err(damaged)?;
        let neutral = layers(&file, "neutral", None)?.swap_remove(0);
        let count = neutral.len();
        let identity = layers(&file, "identity", Some(count))?;
        let shapes = layers(&file, "shapes", Some(count))?;
        if shapes.len() != names.len() {
            return Err(damaged("as many names as shapes are needed"));
        }
        let shapes: Vec<Shape> = names
            .iter()
            .zip(shapes)
            .map(|(name, offsets)| shape(name, &offsets))
            .collect();
        let triangles: Vec<[u32; 3]> = indices(&file, "triangles", count)?
            .chunks_exact(3)
            .map(|corners| [corners[0], corners[1], corners[2]])
            .collect();
        let parts = file
            .bytes_of("region", Dtype::U8)
            .map_err(damaged)?
            .iter()
            .map(|number| Part::from_file(*number))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| damaged("an unknown region"))?;
        if triangles.is_empty() || parts.len() != triangles.len() {
            return Err(damaged("as many regions as triangles are needed"));
        }
        let (inner, outer) =
            (0..parts.len() as u32).partition(|i| parts[*i as usize].is_in_mouth());
        let index = |(i, shape): (usize, &Shape)| (shape.name.clone(), i);
        let jaw = shapes.iter().find(|shape| shape.name == "jawOpen");
        Ok(Self {
            tooth: crowns::teeth(&triangles, &parts, jaw, count),
            index: shapes.iter().enumerate().map(index).collect(),
            neutral,
            identity,
            folds: folds(count)?,
            inner,
            outer,
            shapes,
            triangles,
            parts,
            landmarks: landmarks(&file, "landmarks_68", count)?,
            mesh_points: landmarks(&file, "facemesh_68", crate::face::MESH_POINTS)?,
        })
    }

    /// The shape of this name.
    pub fn shape(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Adds shapes, each by its weight, to a face.
    pub fn add(&self, face: &mut [Vector], weights: &[f32]) {
        for (shape, weight) in self.shapes.iter().zip(weights) {
            if *weight != 0.0 {
                for (vertex, offset) in &shape.moved {
                    let at = &mut face[*vertex as usize];
                    for axis in 0..3 {
                        at[axis] += weight * offset[axis];
                    }
                }
            }
        }
    }

    /// The neutral face of who is told by weights of the modes.
    pub fn person(&self, weights: &[f64]) -> Vec<Vector> {
        let mut face = self.neutral.clone();
        for (mode, weight) in self.identity.iter().zip(weights) {
            let weight = *weight as f32;
            for (at, offset) in face.iter_mut().zip(mode) {
                for axis in 0..3 {
                    at[axis] += weight * offset[axis];
                }
            }
        }
        face
    }
}

/// The folds of a smile for a model with so many vertices; none for another model than the shipped one.
fn folds(count: usize) -> Result<Vec<f32>, PairsError> {
    let file = TensorFile::open(FOLDS).map_err(damaged)?;
    let values = file.floats("light").map_err(damaged)?;
    let values: Vec<f32> = values
        .into_iter()
        // A cheek that shone in most photos does not in each light: shadows are surer.
        .map(|fold| if fold > 0.0 { SHINE * fold } else { fold })
        .collect();
    Ok(if values.len() == count {
        values
    } else {
        vec![0.0; count]
    })
}

fn damaged(what: impl ToString) -> PairsError {
    PairsError::Model(what.to_string())
}

/// `mouthSmile_L` of the file -> ARKit's `mouthSmileLeft`.
fn arkit(name: &str) -> String {
    match (name.strip_suffix("_L"), name.strip_suffix("_R")) {
        (Some(stem), _) => format!("{stem}Left"),
        (_, Some(stem)) => format!("{stem}Right"),
        _ => name.to_owned(),
    }
}

fn shape(name: &str, offsets: &[Vector]) -> Shape {
    let is_moved = |offset: &Vector| offset.iter().any(|value| value.abs() > LEAST_MOVE);
    Shape {
        name: arkit(name),
        moved: (0..)
            .zip(offsets)
            .filter(|(_, offset)| is_moved(offset))
            .map(|(vertex, offset)| (vertex, *offset))
            .collect(),
    }
}

/// `[vertices, 3]` or `[layers, vertices, 3]` of finite floats.
fn layers(
    file: &TensorFile<'_>,
    name: &str,
    vertices: Option<usize>,
) -> Result<Vec<Vec<Vector>>, PairsError> {
    let tensor = file.view(name).map_err(damaged)?;
    let (count, length) = match (tensor.shape(), vertices) {
        ([length, 3], None) => (1, *length),
        ([count, length, 3], Some(vertices)) if *length == vertices => (*count, vertices),
        _ => return Err(damaged(format!("{name} has another shape"))),
    };
    if count == 0 || length == 0 || count > 1000 || length > MAX_COUNT {
        return Err(damaged(format!("{name} has another shape")));
    }
    let values = tensor_file::floats(name, &tensor).map_err(damaged)?;
    // Faces are some ten units wide; beyond this, sums would lose themselves.
    if values
        .iter()
        .any(|value| value.is_nan() || value.abs() > 1e3)
    {
        return Err(damaged(format!("{name} has a value that is no place")));
    }
    let vectors: Vec<Vector> = values
        .chunks_exact(3)
        .map(|three| [three[0], three[1], three[2]])
        .collect();
    Ok(vectors.chunks_exact(length).map(<[_]>::to_vec).collect())
}

/// Whole numbers, each below `limit`.
fn indices(file: &TensorFile<'_>, name: &str, limit: usize) -> Result<Vec<u32>, PairsError> {
    let bytes = file.bytes_of(name, Dtype::I32).map_err(damaged)?;
    let indices = bytes.chunks_exact(4).map(|four| {
        u32::try_from(i32::from_le_bytes([four[0], four[1], four[2], four[3]]))
            .ok()
            .filter(|index| (*index as usize) < limit)
    });
    let indices: Option<Vec<u32>> = indices.collect();
    indices
        .filter(|indices| indices.len() <= 3 * MAX_COUNT)
        .ok_or_else(|| damaged(format!("{name} names a vertex that is not there")))
}

fn landmarks(
    file: &TensorFile<'_>,
    name: &str,
    limit: usize,
) -> Result<[u32; LANDMARKS], PairsError> {
    indices(file, name, limit)?
        .try_into()
        .map_err(|_| damaged(format!("{name} has to be {LANDMARKS} numbers")))
}
