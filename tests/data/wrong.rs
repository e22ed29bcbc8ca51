//! Folders that are not what they are taken for, and what the command says of one that is.

use fersnet::data::{self, Layout, Options, Split};

use crate::trees::*;

#[test]
fn a_folder_of_no_known_layout_is_refused_with_what_was_looked_for() {
    let tree = Tree::new();
    tree.file("holiday/1.jpg", portrait());
    let error = tree.refusal(tree.options());
    for words in [
        "fer2013new.csv",
        "fer2013.csv",
        "cohn-kanade-images",
        "OriginalImg/VL/Strong",
        "Sessions",
        "manifest.csv",
        "F001/Angry",
        "SUBJECT/EXPRESSION",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    let missing = data::open(&tree.root().join("nowhere"), &tree.options()).expect_err("refused");
    assert!(missing.to_string().contains("nowhere"), "{missing}");
}

#[test]
fn a_layout_that_is_asked_for_names_the_path_that_it_misses() {
    let tree = Tree::new();
    tree.file("holiday/1.jpg", portrait());
    for (layout, path) in [
        (Layout::FerPlus, "fer2013new.csv"),
        (Layout::Fer2013, "fer2013.csv"),
        (Layout::CkPlus, "cohn-kanade-images"),
        (Layout::OuluCasia, "OriginalImg/VL/Strong"),
        (Layout::Mmi, "Sessions"),
        (Layout::Paired, "manifest.csv"),
        (Layout::Bu4dFe, "F001"),
        (Layout::Folders, "`holiday`"),
        (Layout::Authors, "data"),
    ] {
        let error = tree.refusal(Options {
            layout: Some(layout),
            ..tree.options()
        });
        assert!(error.contains(path), "{layout}: {error}");
    }
}

#[test]
fn a_part_of_a_set_without_parts_is_refused() {
    let tree = paired(0);
    let error = tree.refusal(Options {
        split: Some(Split::Test),
        ..tree.options()
    });
    assert!(error.contains("no official parts"), "{error}");
}

#[test]
fn the_command_says_what_a_folder_holds() {
    let tree = paired(0);
    let fersnet = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_fersnet"))
            .arg("data")
            .arg(tree.root())
            .args(arguments)
            .output()
            .expect("the binary runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    };
    let text = fersnet(&[]);
    for words in [
        "a paired set",
        "subjects    2",
        "2 fear",
        "made 4",
        "skipped     1: another photograph",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let contents: serde_json::Value =
        serde_json::from_str(&fersnet(&["--json", "--real"])).expect("JSON");
    assert_eq!(contents["layout"], "paired");
    assert_eq!(contents["pictures"], 5);
    assert_eq!(contents["splits"]["train"], 5);
    assert_eq!(contents["left_out"].as_array().map(Vec::len), Some(0));
}
