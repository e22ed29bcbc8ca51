//! The open paired set.

use fersnet::data::{self, Layout, Options, Place};

use crate::trees::*;

#[test]
fn the_paired_set_keeps_eyes_intensity_source_and_groups() {
    let tree = paired(0);
    let dataset = tree.read();
    assert_eq!(
        (dataset.layout, dataset.pixel_aligned),
        (Layout::Paired, true)
    );
    assert_eq!(
        names(&dataset),
        [
            "a/fear/0.png",
            "a/neutral/0.png",
            "b/fear/0.png",
            "b/neutral/0.png"
        ]
    );
    let face = &dataset.faces[0];
    assert_eq!((face.intensity, face.source.as_str()), (0.7, "made"));
    assert_eq!(face.subject.as_deref(), Some("a"));
    let Place::Eyes(left, right) = face.place else {
        panic!("the manifest states the eyes");
    };
    assert_eq!((left.x, left.y, right.x), (62.0, 38.0, 34.0));
    let groups: Vec<_> = face
        .groups
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        groups,
        [("age", "31.5"), ("sex", "female"), ("split", "train")]
    );
    assert_eq!(left_out(&dataset, "no pixel-wise pair"), 1);
}

#[test]
fn further_photographs_are_read_where_they_are_asked_for_and_carry_a_mark() {
    let tree = paired(0);
    let options = Options {
        real: true,
        ..tree.options()
    };
    let dataset = data::open(&tree.root(), &options).expect("readable");
    let real: Vec<_> = dataset
        .faces
        .iter()
        .filter(|face| face.groups.get("sample").is_some_and(|s| s == "real"))
        .collect();
    assert_eq!(real.len(), 1);
    assert_eq!(real[0].subject.as_deref(), Some("a"));
    assert!(dataset.pixel_aligned, "the others still lie pixel on pixel");
}

#[test]
fn persons_whose_eyes_move_are_not_pixel_aligned() {
    assert!(!paired(2).read().pixel_aligned);
}

#[test]
fn a_manifest_without_eyes_or_subject_is_refused() {
    let header = "file,subject,expression,left_eye_x,left_eye_y,right_eye_x,right_eye_y\n";
    let tree = Tree::new();
    for (row, words) in [
        (
            "0.png,,fear,62,38,34,38\n",
            "line 2: the subject is missing",
        ),
        ("0.png,a,fear,34,38,34,38\n", "line 2: the eyes"),
        ("0.png,a,fear,NaN,38,34,38\n", "line 2: the eyes"),
        ("0.png,a,fear,left,38,34,38\n", "line 2"),
    ] {
        tree.file("manifest.csv", format!("{header}{row}"));
        let error = tree.refusal(tree.options());
        assert!(
            error.contains("manifest.csv") && error.contains(words),
            "{error}"
        );
    }
}
