//! Folders that are not what they are taken for.

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
