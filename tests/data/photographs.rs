//! The sets of photographs and frames, and folders by expression.

use std::fs;

use fersnet::data::{CropRegion, Layout};

use crate::trees::*;

#[test]
fn ck_plus_takes_the_peak_of_labelled_sequences_and_their_neutral_start() {
    let tree = Tree::new();
    for frame in 1..=6 {
        tree.file(
            &format!("cohn-kanade-images/S005/001/S005_001_0000000{frame}.png"),
            portrait(),
        );
    }
    tree.file(
        "cohn-kanade-images/S010/002/S010_002_00000001.png",
        portrait(),
    )
    .file(
        "Emotion/S005/001/S005_001_00000006_emotion.txt",
        "   3.0000000e+00\n",
    );
    let dataset = tree.read();
    assert_eq!(dataset.layout, Layout::CkPlus);
    assert_eq!(
        names(&dataset),
        [1, 4, 5, 6]
            .map(|frame| format!("cohn-kanade-images/S005/001/S005_001_0000000{frame}.png"))
    );
    assert_eq!(
        class_names(&dataset),
        ["neutral", "disgust", "disgust", "disgust"]
    );
    assert_eq!(dataset.subjects(), ["S005"]);
    assert_eq!(skipped(&dataset, "without a label"), 1);
    assert_eq!(skipped(&dataset, "another moment"), 2);
    let seven = [
        "anger",
        "contempt",
        "disgust",
        "fear",
        "happiness",
        "sadness",
        "surprise",
    ];
    let dataset = dataset
        .for_classes(&strings(&seven))
        .expect("shared classes");
    assert_eq!(class_names(&dataset), ["disgust"; 3]);
    assert_eq!(skipped(&dataset, "no class neutral"), 1);
}

#[test]
fn a_wrong_label_of_ck_plus_is_named() {
    let tree = Tree::new();
    tree.file(
        "cohn-kanade-images/S005/001/S005_001_00000001.png",
        portrait(),
    );
    let error = tree.refusal(tree.options());
    assert!(error.contains("Emotion is missing"), "{error}");
    tree.file("Emotion/S005/001/S005_001_00000006_emotion.txt", "8.0");
    let error = tree.refusal(tree.options());
    assert!(
        error.contains("S005_001_00000006_emotion.txt") && error.contains("8.0"),
        "{error}"
    );
}

#[test]
fn oulu_casia_takes_the_last_three_frames_in_strong_light() {
    let tree = Tree::new();
    let frame = |kind: &str, frame: usize| format!("OriginalImg/{kind}/P001/Anger/00{frame}.jpeg");
    for i in 0..5 {
        tree.file(&frame("VL/Strong", i), portrait());
        tree.file(&frame("NI/Strong", i), portrait());
    }
    tree.file("OriginalImg/VL/Strong/P002/Happiness/000.jpeg", portrait());
    let dataset = tree.read();
    assert_eq!(dataset.layout, Layout::OuluCasia);
    assert_eq!(names(&dataset), [2, 3, 4].map(|i| frame("VL/Strong", i)));
    assert_eq!(class_names(&dataset), ["anger"; 3]);
    assert_eq!(skipped(&dataset, "fewer than 3 frames"), 1);
    fs::rename(tree.root().join("OriginalImg/VL"), tree.root().join("VL")).expect("moved");
    let error = tree.refusal(tree.options());
    assert!(
        error.contains("OriginalImg/VL/Strong is missing"),
        "{error}"
    );
}

#[test]
fn mmi_takes_the_middle_of_frontal_recordings_of_the_six_expressions() {
    let tree = Tree::new();
    let recording = |number: usize, view: usize, video: &str, label: usize, frames: usize| {
        let dir = format!("Sessions/{number}");
        tree.file(
            &format!("{dir}/session.xml"),
            format!("<session><track filename=\"{video}.avi\" view=\"{view}\"/></session>"),
        )
        .file(
            &format!("{dir}/{video}.xml"),
            format!("<Annotation><Metatag Name=\"Emotion\" Value=\"{label}\"/></Annotation>"),
        )
        .file(&format!("{dir}/{video}-oao_aucs.xml"), "<ActionUnits/>")
        .file(&format!("{dir}/{video}.avi"), "");
        for frame in 1..=frames {
            tree.file(
                &format!("{dir}/{video}/{video}_0000{frame}.png"),
                portrait(),
            );
        }
    };
    recording(171, 0, "S002-106", 4, 7);
    recording(172, 1, "S002-107", 4, 3);
    recording(173, 0, "S003-001", 9, 3);
    recording(174, 0, "S003-002", 1, 0);
    let dataset = tree.read();
    assert_eq!(dataset.layout, Layout::Mmi);
    assert_eq!(
        names(&dataset),
        [3, 4, 5].map(|frame| format!("Sessions/171/S002-106/S002-106_0000{frame}.png"))
    );
    assert_eq!(class_names(&dataset), ["happiness"; 3]);
    assert_eq!(dataset.subjects(), ["S002"]);
    for words in ["in profile", "one of the six expressions", "ffmpeg"] {
        assert_eq!(
            skipped(&dataset, words),
            1,
            "{words}: {:?}",
            dataset.skipped
        );
    }
}

#[test]
fn bu_4dfe_takes_the_middle_of_each_sequence() {
    let tree = Tree::new();
    for frame in 0..5 {
        tree.file(&format!("F001/Angry/00{frame}.jpg"), portrait());
        tree.file(&format!("M001/Sad/00{frame}.jpg"), portrait());
    }
    let dataset = tree.read();
    assert_eq!(dataset.layout, Layout::Bu4dFe);
    assert_eq!(
        names(&dataset)[..3],
        [
            "F001/Angry/001.jpg",
            "F001/Angry/002.jpg",
            "F001/Angry/003.jpg"
        ]
    );
    assert_eq!(class_names(&dataset)[2..4], ["anger", "sadness"]);
    assert_eq!(dataset.faces[3].groups["sex"], "male");
}

#[test]
fn the_authors_layout_has_subjects_and_a_folder_for_each_expression_has_none() {
    let tree = Tree::new();
    tree.files(
        &["7/Happy/0.png", "7/Sad/0.png", "8/Happy/0.png"],
        &square(110, 9),
    )
    .file("8/Bored/0.png", square(110, 9));
    let dataset = tree.read();
    assert_eq!(dataset.layout, Layout::Authors);
    assert_eq!(dataset.classes, ["happiness", "sadness"]);
    assert_eq!(dataset.subjects(), ["7", "8"]);
    assert_eq!(dataset.faces[0].crop_region, CropRegion::Whole);
    assert_eq!(skipped(&dataset, "`Bored`"), 1);

    let tree = Tree::new();
    tree.file("AN/0.png", square(100, 1))
        .file("surprised/0.jpg", portrait())
        .file("surprised/1.png", "no picture");
    let dataset = tree.read();
    assert_eq!(dataset.layout, Layout::Folders);
    assert_eq!(class_names(&dataset), ["anger", "surprise"]);
    assert!(dataset.subjects().is_empty());
    assert_eq!(dataset.faces[0].crop_region, CropRegion::Whole);
    assert!(
        matches!(dataset.faces[1].crop_region, CropRegion::Eyes(..)),
        "a photograph's face is looked for"
    );
    assert_eq!(skipped(&dataset, "cannot be read"), 1);
}
