//! The evaluators of redrawn faces answer as they do in face-api.js itself.

use burn::tensor::{Device, Tensor, TensorData};
use fersnet::evaluator::{ExpressionEvaluator, IdentityEvaluator, MaskedEvaluator, Square};
use fersnet::picture::Picture;
use serde::Deserialize;

/// TensorFlow.js and Burn add the same numbers in another order; scores reach 16.
const TOLERANCE: f32 = 1e-3;

/// What face-api.js answers, see tools/evaluators_golden.mjs.
#[derive(Deserialize)]
struct Golden {
    expression: Vec<f32>,
    identity: Vec<f32>,
}

fn path(name: &str) -> String {
    format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn golden() -> Golden {
    let text = std::fs::read_to_string(path("evaluators.json")).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

/// The middle of the picture, twice: a batch gives what each alone gives. `[2, 3, size, size]`.
fn middle(size: u32) -> Tensor<4> {
    let bytes = std::fs::read(path("evaluators.png")).expect("a file");
    let picture = Picture::decode(&bytes).expect("a picture");
    let offset = (picture.width() - size) / 2;
    let mut values = Vec::new();
    for c in 0..3 {
        for y in 0..size {
            for x in 0..size {
                let pixel = picture.as_image().get_pixel(offset + x, offset + y);
                values.push(f32::from(pixel.0[c]) / 255.0);
            }
        }
    }
    let side = size as usize;
    Tensor::from_data(
        TensorData::new([values.clone(), values].concat(), [2, 3, side, side]),
        &Device::flex(),
    )
}

fn assert_close(found: &[Vec<f32>], expected: &[f32]) {
    assert_eq!(found.len(), 2);
    for row in found {
        assert_eq!(row.len(), expected.len());
        for (found, expected) in row.iter().zip(expected) {
            assert!(
                (found - expected).abs() < TOLERANCE,
                "{found}, not {expected}"
            );
        }
    }
}

#[test]
fn the_expression_evaluator_answers_as_face_api_does() {
    let evaluator = ExpressionEvaluator::load(&Device::flex()).expect("the embedded weights");
    let found = evaluator.logits(middle(112), Square::WHOLE).expect("runs");
    assert_close(&found, &golden().expression);
}

#[test]
#[ignore = "its weights are not in the repository: run tools/evaluators.py, then this with --ignored"]
fn the_identity_evaluator_answers_as_face_api_does() {
    let file = fersnet::evaluator::identity_file().expect("a folder for downloads");
    let bytes = std::fs::read(&file).expect("tools/evaluators.py writes it");
    let evaluator = IdentityEvaluator::load(&bytes, &Device::flex()).expect("weights");
    let found = evaluator.embed(middle(150), Square::WHOLE).expect("runs");
    assert_close(&found, &golden().identity);
}

#[test]
#[ignore = "its weights are not in the repository: run tools/evaluators.py, then this with --ignored"]
fn the_evaluator_of_the_upper_face_answers_as_its_package_does_and_does_not_see_the_mouth() {
    let file = fersnet::evaluator::masked_identity_file().expect("a folder for downloads");
    let bytes = std::fs::read(&file).expect("tools/evaluators.py writes it");
    let evaluator = MaskedEvaluator::load(&bytes, &Device::flex()).expect("weights");
    let text = std::fs::read_to_string(path("masked.json")).expect("a file");
    let expected: Vec<f32> = serde_json::from_str(&text).expect("JSON");
    let faces = middle(112);
    assert_close(&evaluator.embed(faces.clone()).expect("runs"), &expected);
    let below = Tensor::ones([2, 3, 37, 112], &Device::flex());
    let covered = Tensor::cat(vec![faces.narrow(2, 0, 75), below], 2);
    assert_close(&evaluator.embed(covered).expect("runs"), &expected);
}

#[test]
fn a_file_that_is_no_evaluator_is_refused_with_what_to_do() {
    let shipped = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/weights/fersnet.safetensors"
    ))
    .expect("a file");
    for bytes in [&b"not a weight file"[..], &shipped] {
        let error = IdentityEvaluator::load(bytes, &Device::flex()).expect_err("refused");
        assert!(error.to_string().contains("tools/evaluators.py"), "{error}");
        let error = MaskedEvaluator::load(bytes, &Device::flex()).expect_err("refused");
        assert!(error.to_string().contains("tools/evaluators.py"), "{error}");
    }
}
