//! The paper's table and the synthetic faces, on tiny trees that the tests make.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fersnet::data::{self, Dataset, Folding, Layout, Options, folds};
use fersnet::mark::is_marked;
use image::{Rgb, RgbImage};

const EXPRESSIONS: [&str; 3] = ["neutral", "happiness", "fear"];

/// Rows of the table: the paper's and the control.
const NETWORKS: [&str; 5] = [
    "baseline",
    "baseline-star",
    "fersnet",
    "fersnet-star",
    "fersnet-longer",
];

/// Subjects of the tree: enough for two folds with a validation split in each.
const SUBJECTS: usize = 6;

/// The shortest runs that go all the way.
const TINY: [&str; 14] = [
    "--folds",
    "2",
    "--set",
    "run.steps=2",
    "--set",
    "network.width=1",
    "--set",
    "batch.labelled=4",
    "--set",
    "batch.pairs=2",
    "--count",
    "6",
    // A network that has learnt nothing reads nothing as intended: keep all.
    "--threshold",
    "0",
];

struct Tree(tempfile::TempDir);

impl Tree {
    /// The paired layout over made-up subjects.
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().expect("a folder"));
        let mut table = "file,subject,source,expression,intensity,left_eye_x,left_eye_y,right_eye_x,right_eye_y,sex,sample\n".to_owned();
        for subject in 0..SUBJECTS {
            for (i, expression) in EXPRESSIONS.iter().enumerate() {
                let file = format!("p{subject}/{expression}/0.png");
                let path = tree.data().join(&file);
                std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
                let (mouth, shade) = (60 + 5 * i as u32, 150 + 10 * subject as u8);
                let picture = RgbImage::from_fn(96, 96, |x, y| {
                    let dark = (30..66).contains(&x) && (mouth..mouth + 6).contains(&y);
                    Rgb([if dark { 30 } else { shade }, 120, 90])
                });
                picture.save(&path).expect("saved");
                table.push_str(&format!(
                    "{file},p{subject},made,{expression},1.0,62,38,34,38,female,x\n"
                ));
            }
        }
        std::fs::write(tree.data().join("manifest.csv"), table).expect("written");
        tree
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn table(&self, more: &[&str]) -> Output {
        self.table_in("table", more)
    }

    fn table_in(&self, folder: &str, more: &[&str]) -> Output {
        let (data, out) = (self.data(), self.path(folder));
        let mut arguments = vec![
            "table",
            "--quick",
            "--data",
            text(&data),
            "--out",
            text(&out),
        ];
        arguments.extend(TINY);
        arguments.extend(more);
        fersnet(&arguments)
    }

    /// Trains weights of one variant for two steps.
    fn weights(&self, variant: &str, seed: &str) -> PathBuf {
        let (data, run) = (self.data(), self.path(&format!("{variant}-{seed}")));
        let arguments = [
            "train",
            "--preset",
            "quick",
            "--data",
            text(&data),
            "--run",
            text(&run),
            "--variant",
            variant,
            "--seed",
            seed,
            "--width",
            "1",
            "--steps",
            "2",
            "--labelled-batch",
            "4",
            "--pairs-batch",
            "2",
        ];
        done(fersnet(&arguments));
        run.join("weights.safetensors")
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a name")
}

fn fersnet(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fersnet"))
        .args(arguments)
        .output()
        .expect("the binary runs")
}

fn done(output: Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(output: Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn open(root: &Path) -> Dataset {
    let options = Options {
        cache: Some(root.with_extension("cache")),
        ..Options::default()
    };
    data::open(root, &options).expect("a data set")
}

/// The names in a run's list of faces.
fn faces_of(run: &Path) -> String {
    std::fs::read_to_string(run.join("faces.csv")).expect("a list of faces")
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

#[test]
fn a_table_has_all_networks_and_the_same_command_finds_it_finished() {
    let tree = Tree::new();
    let printed = done(tree.table(&["--folding", "both"]));
    let out = tree.path("table");
    let table = json(&out.join("table.json"));
    for (folding, name) in ["strided", "contiguous"].iter().enumerate() {
        let of_folding = &table["foldings"][folding];
        assert_eq!(of_folding["folding"], *name);
        let rows = of_folding["rows"].as_array().expect("rows");
        let names: Vec<_> = rows.iter().map(|row| row["variant"].as_str()).collect();
        assert_eq!(names, NETWORKS.map(Some));
        for (i, row) in rows.iter().enumerate() {
            assert_eq!(row["n"], 3 * SUBJECTS);
            assert_eq!(row["subjects"], SUBJECTS);
            assert_eq!(row["accuracy_interval"].as_array().map(Vec::len), Some(2));
            let p = row["against_above"]["p"].as_f64();
            assert_eq!(p.is_some(), i > 0);
            assert!(p.is_none_or(|p| p > 0.0 && p <= 1.0));
        }
        assert_eq!(rows[3]["paper"]["oulu_casia"], 87.63);
    }
    let page = std::fs::read_to_string(out.join("table.md")).expect("a page");
    assert!(
        printed.ends_with(&page) && page.contains("| FERSNet\\* |"),
        "{page}"
    );

    // Finished runs are not looked at again: without their weights the table is the same.
    let weights = out.join("strided/fold-01/fersnet/weights.safetensors");
    std::fs::remove_file(&weights).expect("removed");
    let again = done(tree.table(&["--folding", "both"]));
    assert!(again.ends_with(&page) && !weights.exists());
    assert_eq!(json(&out.join("table.json")), table);
}

#[test]
fn no_tested_subject_is_in_what_a_fold_learns_from() {
    let tree = Tree::new();
    done(tree.table(&["--folding", "strided"]));
    let data = open(&tree.data());
    let tests = folds(&data, Folding::Strided, 2).expect("folds");
    for (number, test) in tests.iter().enumerate() {
        let fold = tree.path(&format!("table/strided/fold-{:02}", number + 1));
        let tested: BTreeSet<&str> = test.iter().map(|i| data.faces[*i].identity()).collect();
        for variant in NETWORKS {
            let faces = faces_of(&fold.join(variant));
            for subject in 0..SUBJECTS {
                let name = format!("p{subject}");
                let is_there = faces.contains(&format!("\"{name}/"));
                assert_eq!(
                    is_there,
                    !tested.contains(name.as_str()),
                    "{variant} {faces}"
                );
            }
            let predictions = json(&fold.join(variant).join("predictions.json"));
            let faces = predictions["faces"].as_array().expect("faces");
            let subjects: BTreeSet<_> =
                faces.iter().filter_map(|f| f["subject"].as_str()).collect();
            assert_eq!(subjects, tested);
        }
        let synthetic = open(&fold.join("synthetic"));
        assert!(
            synthetic
                .subjects()
                .iter()
                .all(|name| !tested.contains(name))
        );
        let learnt = faces_of(&fold.join("fersnet-star"));
        assert!(
            learnt.contains("1,training,"),
            "synthetic faces are learnt from: {learnt}"
        );
    }
}

#[test]
fn a_table_does_not_go_on_with_other_numbers() {
    let tree = Tree::new();
    done(tree.table(&["--folding", "strided"]));
    let error = refused(tree.table(&["--folding", "strided", "--set", "run.steps=3"]));
    assert!(
        error.contains("settings.run.run.steps (2, not 3)"),
        "{error}"
    );
}

#[test]
fn a_table_that_was_stopped_goes_on() {
    let tree = Tree::new();
    // What a killed call leaves: a run without predictions, synthetic faces without a list.
    done(tree.table(&["--folding", "strided"]));
    let fold = tree.path("table/strided/fold-02");
    let table = tree.path("table");
    let before = accuracies(&table);
    std::fs::remove_dir_all(fold.join("fersnet-star")).expect("removed");
    std::fs::remove_file(fold.join("synthetic/manifest.csv")).expect("removed");
    std::fs::remove_file(table.join("table.json")).expect("removed");
    done(tree.table(&["--folding", "strided"]));
    assert_eq!(accuracies(&table), before);
}

/// The accuracies of a table's first folding.
fn accuracies(table: &Path) -> Vec<serde_json::Value> {
    let table = json(&table.join("table.json"));
    let rows = table["foldings"][0]["rows"].as_array().expect("rows");
    rows.iter().map(|row| row["accuracy"].clone()).collect()
}

#[test]
fn shards_on_two_machines_make_the_table_of_one() {
    let tree = Tree::new();
    done(tree.table(&["--folding", "strided"]));
    let one = ["--folding", "strided", "--shard", "1/2"];
    let two = ["--folding", "strided", "--shard", "2/2"];
    let [first, second] = ["first", "second"].map(|name| tree.path(name));
    assert!(done(tree.table_in("first", &one)).contains("--collect"));
    assert!(!first.join("strided/fold-02").exists() && !first.join("table.json").exists());
    // What is missing is named, and so is a folder that is no shard's.
    let collect = ["--folding", "strided", "--collect", text(&second)];
    let error = refused(tree.table_in("first", &collect));
    assert!(error.contains("no table was begun there"), "{error}");
    let error = refused(tree.table_in("first", &["--folding", "strided", "--collect"]));
    assert!(error.contains("strided/fold-02 Baseline"), "{error}");
    done(tree.table_in("second", &two));
    done(tree.table_in("first", &collect));
    assert_eq!(accuracies(&first), accuracies(&tree.path("table")));
    let error = refused(tree.table_in("first", &["--shard", "3/2"]));
    assert!(error.contains("I/N"), "{error}");
}

#[test]
fn a_source_that_is_not_there_is_named_with_those_that_are() {
    let tree = Tree::new();
    let error = refused(tree.table(&["--source", "london"]));
    assert!(
        error.contains("london") && error.contains("made"),
        "{error}"
    );
}

#[test]
fn synthetic_faces_are_a_marked_balanced_data_set_of_the_same_identitys() {
    let tree = Tree::new();
    let (weights, reader) = (tree.weights("fersnet", "1"), tree.weights("single", "2"));
    let (data, out) = (tree.data(), tree.path("synthetic"));
    let enlarge = |more: &[&str]| {
        let mut arguments = vec![
            "enlarge",
            "--weights",
            text(&weights),
            "--ensemble",
            text(&weights),
            text(&reader),
            "--data",
            text(&data),
            "--output",
            text(&out),
            "--count",
            "9",
            "--size",
            "64",
        ];
        arguments.extend(more);
        fersnet(&arguments)
    };
    done(enlarge(&["--threshold", "0"]));
    let set = open(&out);
    assert_eq!((set.layout, set.skipped.len()), (Layout::Paired, 0));
    assert_eq!(set.count_by_class(), [3, 3, 3]);
    let photographs = open(&data);
    let subjects: BTreeSet<&str> = photographs.subjects().into_iter().collect();
    for face in &set.faces {
        assert!(face.is_synthetic() && subjects.contains(face.identity()));
        assert_eq!(face.groups.get("sex").map(String::as_str), Some("female"));
        assert!(!face.groups.contains_key("sample"));
        let bytes = std::fs::read(out.join(&face.name)).expect("a picture");
        assert!(is_marked(&bytes));
        // The strip with the visible mark lies below the photograph's own rows.
        assert!(face.picture.height() > 96 && face.picture.width() == 96);
    }
    let config = json(&out.join("enlarge.json"));
    assert_eq!(
        (&config["rule"], &config["kept"]),
        (&"every".into(), &9.into())
    );
    assert_eq!(config["ensemble"].as_array().map(Vec::len), Some(2));
    assert_eq!(config["drawer"]["sha256"].as_str().map(str::len), Some(64));
    let drawn: BTreeMap<String, serde_json::Value> =
        serde_json::from_value(config["classes"].clone()).expect("classes");
    assert!(
        drawn
            .values()
            .all(|tally| tally["kept"] == 3 && tally["proposed"].as_u64() >= Some(3))
    );

    let error = refused(enlarge(&["--threshold", "0"]));
    assert!(error.contains("not empty"), "{error}");
}

#[test]
fn the_same_seed_makes_the_same_faces() {
    let tree = Tree::new();
    let (weights, data) = (tree.weights("fersnet", "1"), tree.data());
    let make = |name: &str, seed: &str| {
        let out = tree.path(name);
        let arguments = [
            "enlarge",
            "--weights",
            text(&weights),
            "--data",
            text(&data),
            "-o",
            text(&out),
            "--count",
            "6",
            "--size",
            "64",
            "--threshold",
            "0",
            "--seed",
            seed,
        ];
        done(fersnet(&arguments));
        std::fs::read(out.join("origins.csv")).expect("origins")
    };
    assert_eq!(make("a", "1"), make("b", "1"));
    assert_ne!(make("c", "2"), make("d", "3"));
}

#[test]
fn what_cannot_be_enlarged_says_why() {
    let tree = Tree::new();
    let (fersnet_weights, single) = (tree.weights("fersnet", "1"), tree.weights("single", "2"));
    let data = tree.data();
    for (weights, more, words) in [
        (&single, ["--threshold", "0"], "redraw no face"),
        (
            &fersnet_weights,
            ["--threshold", "1"],
            "lower the threshold",
        ),
        (&fersnet_weights, ["--threshold", "1.5"], "0 to 1"),
        (&fersnet_weights, ["--count", "1"], "at least one face"),
    ] {
        let out = tree.path("refused");
        let mut arguments = vec![
            "enlarge",
            "--weights",
            text(weights),
            "--data",
            text(&data),
            "-o",
            text(&out),
            "--size",
            "64",
        ];
        arguments.extend(more);
        let error = refused(fersnet(&arguments));
        assert!(error.contains(words), "{error}");
        let _ = std::fs::remove_dir_all(out);
    }
}
