//! A data set as a network's classes see it, and divided into folds.

use fersnet::data::{DataError, Dataset, Folding, folds};

use crate::trees::*;

#[test]
fn labels_follow_the_networks_classes_by_name_and_synonym() {
    let dataset = ferplus().read();
    let wanted = strings(&["Anger", "Happy", "neutral"]);
    let dataset = dataset.for_classes(&wanted).expect("shared classes");
    assert_eq!(dataset.classes, wanted);
    assert_eq!(class_names(&dataset), ["neutral", "none", "Anger"]);
    assert_eq!(dataset.faces[0].label, [0.0, 0.0, 1.0]);
    // Half of the votes were for surprise, which the network lacks.
    assert_eq!(dataset.faces[1].label, [0.0, 1.0, 0.0]);
    assert_eq!(skipped(&dataset, "no class contempt"), 1);
    let error = dataset
        .for_classes(&strings(&["bored"]))
        .expect_err("nothing shared");
    assert!(matches!(error, DataError::Classes { .. }), "{error}");
}

#[test]
fn votes_that_are_all_for_missing_classes_are_skipped() {
    let dataset = ferplus().read();
    let dataset = dataset
        .for_classes(&strings(&["neutral", "anger"]))
        .expect("shared classes");
    assert_eq!(class_names(&dataset), ["neutral", "anger"]);
    assert_eq!(skipped(&dataset, "all votes"), 1);
}

/// 23 subjects with two pictures each.
fn many_subjects() -> Dataset {
    let tree = Tree::new();
    for subject in 0..23 {
        for expression in ["happy", "sad"] {
            tree.file(
                &format!("S{subject:02}/{expression}/0.png"),
                square(48, subject),
            );
        }
    }
    tree.read()
}

#[test]
fn a_subject_is_never_in_two_folds() {
    let dataset = many_subjects();
    for (folding, sizes) in [
        (Folding::Strided, [6, 6, 6, 4, 4, 4, 4, 4, 4, 4]),
        (Folding::Contiguous, [4, 4, 4, 4, 4, 4, 4, 4, 4, 10]),
    ] {
        let folds = folds(&dataset, folding, 10).expect("enough subjects");
        assert_eq!(folds.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
        let mut all: Vec<_> = folds.concat();
        all.sort_unstable();
        assert_eq!(all, (0..46).collect::<Vec<_>>(), "each face is tested once");
        let parts: Vec<_> = folds.iter().map(|fold| dataset.subset(fold)).collect();
        let subjects: Vec<_> = parts.iter().flat_map(Dataset::subjects).collect();
        assert_eq!(subjects.len(), 23, "{folding:?}");
    }
}

#[test]
fn subjects_are_dealt_in_steps_or_in_runs() {
    let dataset = many_subjects();
    let first = |folding| {
        let folds = folds(&dataset, folding, 10).expect("enough subjects");
        let subjects = dataset.subset(&folds[0]);
        subjects.subjects().join(" ")
    };
    assert_eq!(first(Folding::Strided), "S00 S10 S20");
    assert_eq!(first(Folding::Contiguous), "S00 S01");
}

#[test]
fn pictures_without_subjects_are_divided_singly_and_too_many_folds_are_refused() {
    let dataset = ferplus().read();
    let two = folds(&dataset, Folding::Strided, 2).expect("four pictures");
    assert_eq!(two, [[0, 2], [1, 3]]);
    for count in [0, 1, 5] {
        let error = folds(&dataset, Folding::Strided, count).expect_err("refused");
        assert!(error.to_string().contains("2 to 4"), "{error}");
    }
}
