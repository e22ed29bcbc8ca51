//! Faces that are looked for: where they lie, and what is kept of the search.

use std::fs;

use burn::tensor::Device;
use fersnet::data::{self, CropRegion, Cut, Options};
use fersnet::face::FaceDetector;

use crate::trees::*;

/// How far the eyes found in the kept part may lie from those stated, in pixels: the detector's own
/// spread at an eye distance of 35.
const EYE_TOLERANCE: f32 = 2.0;

#[test]
fn a_cut_face_in_which_no_eyes_are_found_stays_whole() {
    let tree = Tree::new();
    tree.file("happy/a.png", square(48, 90));
    let options = Options {
        cut: Cut::Eyes,
        ..tree.options()
    };
    for _ in 0..2 {
        let dataset = data::open(&tree.root(), &options).expect("readable");
        assert_eq!(dataset.faces[0].crop_region, CropRegion::Whole);
    }
    assert_eq!(
        tree.kept("json").len(),
        1,
        "the search is kept, though nothing was found"
    );
}

#[test]
fn a_found_face_lies_at_the_eyes_that_are_stated_and_is_read_from_the_cache() {
    let tree = Tree::new();
    tree.file("happy/0.jpg", portrait());
    let first = tree.read();
    let CropRegion::Eyes(left, right) = first.faces[0].crop_region else {
        panic!("a face is found");
    };
    let detector = FaceDetector::load(&Device::flex()).expect("loads");
    let seen = pollster::block_on(detector.detect(&first.faces[0].picture)).expect("runs");
    let seen = seen.first().expect("a face").landmarks;
    for (stated, seen) in [(left, seen.left_eye), (right, seen.right_eye)] {
        assert!(stated.distance(seen) < EYE_TOLERANCE, "{stated:?} {seen:?}");
    }
    let kept = tree.kept("png");
    assert_eq!(kept.len(), 1);
    assert!(kept[0].to_string_lossy().contains(&first.faces[0].digest));
    let again = tree.read();
    assert_eq!(again.faces[0].picture, first.faces[0].picture);
    // What is read again is the kept part, not the file.
    fs::write(&kept[0], square(160, 77)).expect("written");
    let altered = tree.read();
    assert_eq!(
        altered.faces[0].picture.as_image().get_pixel(0, 0).0,
        [77; 3]
    );
    // A damaged entry is made anew.
    for damaged in [&b"damaged"[..], &square(150, 77)] {
        fs::write(&kept[0], damaged).expect("written");
        assert_eq!(tree.read().faces[0].picture, first.faces[0].picture);
        assert_ne!(fs::read(&kept[0]).expect("kept"), damaged);
    }
    let eyes = &tree.kept("json")[0];
    fs::remove_file(&kept[0]).expect("removed");
    fs::write(eyes, "[{\"x\":1").expect("written");
    assert_eq!(tree.read().faces[0].picture, first.faces[0].picture);
}

#[test]
fn a_photograph_without_a_face_is_skipped() {
    let tree = Tree::new();
    tree.file("happy/0.jpg", portrait())
        .file("happy/1.jpg", sample("tests/photos/no-face.jpg"));
    let dataset = tree.read();
    assert_eq!(names(&dataset), ["happy/0.jpg"]);
    assert_eq!(skipped(&dataset, "no face"), 1);
}
