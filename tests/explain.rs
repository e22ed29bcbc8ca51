//! Where an answer comes from: gates and covered faces of a photo, by the shipped weights.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use fersnet::explain::{CELLS, PLACES, Receiver, fall};
use fersnet::picture::Picture;
use fersnet::pipeline::{Pipeline, RecognisedFace};

/// The astronaut's face, which smiles.
fn smile(pipeline: &Pipeline) -> (Picture, RecognisedFace) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/samples/astronaut.jpg");
    let picture = Picture::decode(&fs::read(path).expect("a sample")).expect("a picture");
    let faces = pollster::block_on(pipeline.find_faces(&picture)).expect("faces");
    let face = pollster::block_on(pipeline.recognise(&picture, faces[0])).expect("a face");
    (picture, face)
}

#[test]
fn the_gates_of_a_face_are_shares_for_each_level_and_direction() {
    let pipeline = Pipeline::shipped(Device::flex()).expect("the shipped weights");
    let (picture, face) = smile(&pipeline);
    let gates = pollster::block_on(pipeline.gates(&picture, &face.face)).expect("gates");
    let places: Vec<_> = gates
        .iter()
        .map(|map| (map.level, map.receiver, map.side))
        .collect();
    let [fer, fes] = [Receiver::Recognition, Receiver::Synthesis];
    assert_eq!(
        places,
        [
            (1, fer, 24),
            (1, fes, 24),
            (2, fer, 12),
            (2, fes, 12),
            (3, fer, 6),
            (3, fes, 6)
        ]
    );
    for map in &gates {
        assert_eq!(
            (map.let_in.len(), map.taken.len()),
            (map.side * map.side, map.side * map.side)
        );
        let shares = map.let_in.iter().chain(&map.taken);
        assert!(shares.clone().all(|share| (0.0..=1.0).contains(share)));
        assert!(
            shares
                .clone()
                .any(|share| (share - map.let_in[0]).abs() > 0.01),
            "a map is not flat"
        );
    }
}

#[test]
fn a_covered_mouth_takes_most_of_a_smile_away() {
    let pipeline = Pipeline::shipped(Device::flex()).expect("the shipped weights");
    let (picture, face) = smile(&pipeline);
    let mut probabilities = Vec::new();
    for row in 0..PLACES {
        let covered = pipeline.covered(&picture, &face, row);
        probabilities.extend(pollster::block_on(covered).expect("a row"));
    }
    let whole = face.answer.probabilities[face.answer.expression];
    let map = fall(whole, &probabilities);
    let mean = |rows: std::ops::Range<usize>| {
        let count = rows.len() * CELLS;
        map[rows.start * CELLS..rows.end * CELLS]
            .iter()
            .sum::<f32>()
            / count as f32
    };
    // The mouth lies at about three quarters of the face's square.
    assert!(mean(7..11) > 2.0 * mean(1..5).max(0.0), "{map:?}");
}
