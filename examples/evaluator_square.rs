//! Which part of a face cut by its eyes the expression evaluator should look at: its accuracy on every
//! twentieth FER+ *training* picture, for several squares.
//!
//!     cargo run --release --example evaluator_square -- FERPLUS
//!
//! The best one stands in `src/evaluator/expression.rs`. Nothing at run time needs this.

use anyhow::{Context, Result};
use burn::tensor::Device;
use fersnet::answer::argmax;
use fersnet::data::{self, Face, Options, Split};
use fersnet::evaluator::{ExpressionEvaluator, Square};
use fersnet::face::FaceDetector;
use fersnet::network::FACE_SIZE;
use fersnet::tensor::planar_tensor;

/// One picture in this many is read.
const EVERY: usize = 20;

/// Side and upper edge, in parts of the face's side; centred from left to right.
const SQUARES: [(f32, f32); 9] = [
    (1.0, 0.0),
    (0.95, 0.05),
    (0.9, 0.05),
    (0.9, 0.1),
    (0.85, 0.1),
    (0.85, 0.15),
    (0.8, 0.15),
    (0.8, 0.2),
    (0.7, 0.2),
];

/// Faces that are read at a time.
const BATCH: usize = 64;

fn main() -> Result<()> {
    let root = std::env::args().nth(1).context("give the folder of FER+")?;
    let options = Options {
        split: Some(Split::Train),
        ..Options::default()
    };
    let data = data::open(root.as_ref(), &options)?;
    let known = ExpressionEvaluator::classes();
    let class_of = |face: &Face| {
        let name = &data.classes[face.class?];
        known.iter().position(|class| class == name)
    };
    let detector = FaceDetector::load(&Device::flex())?;
    let (mut faces, mut labels) = (Vec::new(), Vec::new());
    for face in data.faces.iter().step_by(EVERY) {
        let Some(class) = class_of(face) else {
            continue;
        };
        let found = pollster::block_on(detector.detect(&face.picture))?;
        if let Some(first) = found.first() {
            faces.push(
                first
                    .alignment()
                    .crop_planar(&face.picture, FACE_SIZE as u32),
            );
            labels.push(class);
        }
    }
    println!("{} faces", faces.len());
    let evaluator = ExpressionEvaluator::load(&Device::flex())?;
    for (side, top) in SQUARES {
        let left = (1.0 - side) / 2.0;
        let square = Square { left, top, side };
        let accuracy = accuracy(&evaluator, &faces, &labels, square)?;
        println!("side {side}, top {top}: {accuracy:.4}");
    }
    Ok(())
}

fn accuracy(
    evaluator: &ExpressionEvaluator,
    faces: &[Vec<f32>],
    labels: &[usize],
    square: Square,
) -> Result<f64> {
    let mut right = 0;
    for (faces, labels) in faces.chunks(BATCH).zip(labels.chunks(BATCH)) {
        let x = planar_tensor(faces.concat(), 3, FACE_SIZE, &Device::flex());
        let logits = evaluator.logits(x, square)?;
        let hits = logits.iter().zip(labels);
        right += hits.filter(|(row, label)| argmax(row) == **label).count();
    }
    Ok(right as f64 / labels.len().max(1) as f64)
}
