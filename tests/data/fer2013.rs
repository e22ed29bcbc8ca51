//! FER2013 and FER+.

use fersnet::data::{self, CropRegion, Layout, Options, Split, recognise};

use crate::trees::*;

#[test]
fn ferplus_is_read_from_folders_and_archives_with_its_votes() {
    let tree = ferplus();
    assert_eq!(recognise(&tree.root()).expect("known"), Layout::FerPlus);
    let dataset = tree.read();
    assert_eq!(
        names(&dataset),
        [
            "FER2013Train/fer0000000.png",
            "FER2013Train/fer0000001.png",
            "FER2013Valid/fer0000004.png",
            "FER2013Valid/fer0000005.png"
        ]
    );
    assert_eq!(
        class_names(&dataset),
        ["neutral", "none", "contempt", "anger"]
    );
    assert_eq!(dataset.faces[0].label[0], 1.0);
    assert_eq!(dataset.faces[1].label[1..3], [0.5, 0.5]);
    assert_eq!(dataset.faces[0].crop_region, CropRegion::Whole);
    for (words, count) in [
        ("no expression", 1),
        ("withdrawn", 1),
        ("not there", 1),
        ("does not name", 1),
    ] {
        assert_eq!(
            skipped(&dataset, words),
            count,
            "{words}: {:?}",
            dataset.skipped
        );
    }
}

#[test]
fn one_part_of_ferplus_can_be_asked_for_and_a_missing_one_is_named() {
    let tree = ferplus();
    let part = |split| Options {
        split: Some(split),
        ..tree.options()
    };
    let dataset = data::open(&tree.root(), &part(Split::Validation)).expect("there");
    assert_eq!(class_names(&dataset), ["contempt", "anger"]);
    let error = tree.refusal(part(Split::Test));
    assert!(
        error.contains("FER2013Test") && error.contains("FER2013Test.tar"),
        "{error}"
    );
}

/// FER2013's table with three rows, with the columns' names as given.
fn fer2013(header: &str) -> String {
    let pixels = |shade: usize| vec![shade.to_string(); 48 * 48].join(" ");
    let mut table = format!("{header}\n");
    for (label, usage, shade) in [
        (3, "Training", 7),
        (0, "PublicTest", 8),
        (6, "PrivateTest", 9),
    ] {
        let cells = [
            ("emotion", label.to_string()),
            ("pixels", pixels(shade)),
            ("Usage", usage.to_owned()),
        ];
        let row: Vec<_> = header
            .split(',')
            .map(|column| {
                cells
                    .iter()
                    .find(|(name, _)| *name == column.trim())
                    .map_or("", |(_, cell)| cell)
            })
            .collect();
        table.push_str(&row.join(","));
        table.push('\n');
    }
    table
}

#[test]
fn fer2013_is_read_from_either_table() {
    for (file, header) in [
        ("fer2013.csv", "emotion,pixels,Usage"),
        ("icml_face_data.csv", "emotion, Usage, pixels"),
    ] {
        let tree = Tree::new();
        tree.file(file, fer2013(header));
        let dataset = tree.read();
        assert_eq!(dataset.layout, Layout::Fer2013);
        assert_eq!(class_names(&dataset), ["happiness", "anger", "neutral"]);
        assert_eq!(dataset.classes.len(), 7);
        assert_eq!(
            dataset.faces[1].picture.as_image().get_pixel(47, 47).0,
            [8; 3]
        );
        let test = Options {
            split: Some(Split::Test),
            ..tree.options()
        };
        let dataset = data::open(&tree.root(), &test).expect("there");
        assert_eq!(class_names(&dataset), ["neutral"]);
    }
}

#[test]
fn ferplus_votes_beside_fer2013_take_the_place_of_its_labels() {
    let tree = Tree::new();
    let rows = "Training,fer0000000.png,0,0,10,0,0,0,0,0,0,0\nPublicTest,,0,0,0,0,0,0,0,0,0,0\n\
                PrivateTest,fer0000002.png,0,0,0,10,0,0,0,0,0,0\n";
    tree.file("fer2013.csv", fer2013("emotion,pixels,Usage"))
        .file("fer2013new.csv", format!("{VOTES_HEADER}{rows}"));
    let dataset = tree.read();
    assert_eq!(class_names(&dataset), ["surprise", "sadness"]);
    assert_eq!(dataset.classes.len(), 8);
    assert_eq!(skipped(&dataset, "withdrawn"), 1);
    tree.file(
        "fer2013new.csv",
        format!("{VOTES_HEADER}{}", rows.replace("PublicTest", "Training")),
    );
    let error = tree.refusal(tree.options());
    assert!(error.contains("fer2013new.csv, line 3"), "{error}");
}

#[test]
fn a_damaged_table_is_refused_with_its_line() {
    let tree = Tree::new();
    let table = fer2013("emotion,pixels,Usage");
    for (damaged, words) in [
        (
            table.replace("\n0,8", "\n7,8"),
            "line 3: `7` is not a label",
        ),
        (
            table.replace("8 8,PublicTest", "8 256,PublicTest"),
            "line 3: the pixels",
        ),
        (table.replace("PublicTest", "Public"), "line 3: `Public`"),
        (table.replace("Usage", "usage"), "line 1: the column Usage"),
    ] {
        tree.file("fer2013.csv", damaged);
        let error = tree.refusal(tree.options());
        assert!(
            error.contains("fer2013.csv") && error.contains(words),
            "{error}"
        );
    }
}

#[test]
fn fer2013_is_read_from_folders() {
    let tree = Tree::new();
    tree.file("train/angry/Training_1.jpg", square(48, 1))
        .file("test/happy/PrivateTest_1.jpg", square(48, 2));
    let dataset = tree.read();
    assert_eq!(dataset.layout, Layout::Fer2013);
    assert_eq!(class_names(&dataset), ["happiness", "anger"]);
    let validation = Options {
        split: Some(Split::Validation),
        ..tree.options()
    };
    assert!(tree.refusal(validation).contains("validation"));
}
