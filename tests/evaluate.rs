//! `fersnet evaluate` on a tiny tree that the test makes: every promised figure is there, and what
//! cannot be answered says what to do.

mod made;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/weights/fersnet.safetensors");

fn evaluate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fersnet"))
        .arg("evaluate")
        .args(arguments)
        // No identity evaluator, wherever this runs.
        .env("FERSNET_HOME", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .expect("the binary runs")
}

fn json(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn refusal(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Two subjects with three expressions each, drawn.
fn tree(root: &Path) -> String {
    made::paired_tree(root);
    root.display().to_string()
}

#[test]
fn recognition_and_synthesis_have_every_figure_that_is_promised() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = tree(dir.path());
    let page = dir.path().join("card.html").display().to_string();
    let figures = json(&evaluate(&[
        "--json",
        "--weights",
        SHIPPED,
        "--data",
        &data,
        "--synthesis",
        "--html",
        &page,
    ]));
    assert_eq!(figures["n"], 6);
    assert_eq!(figures["subjects"], 2);
    for figure in ["accuracy", "macro_f1", "macro_recall", "ece"] {
        assert!(figures[figure].is_number(), "{figure}");
        let ends = figures["intervals"][figure]
            .as_array()
            .expect("an interval");
        assert_eq!(ends.len(), 2);
    }
    assert!(figures["per_class"]["fear"]["recall"].is_number());
    assert_eq!(figures["groups"]["sex"]["male"]["note"], "too few to say");
    let drawn = &figures["synthesis"];
    assert_eq!(drawn["n"], 2);
    assert!(drawn["recognised_as_target"].is_number() && drawn["ceiling"].is_number());
    let fear = &drawn["per_class"]["fear"];
    assert!(fear["recognised_as_target"].is_number() && fear["nearness"]["ssim"].is_number());
    // The evaluator does not know contempt, and there is no photograph of it.
    assert!(drawn["per_class"]["contempt"]["recognised_as_target"].is_null());
    assert!(drawn["per_class"]["contempt"]["nearness"].is_null());
    let photo = &drawn["in_photo"];
    assert_eq!((&photo["n"], &photo["smiles_n"]), (&2.into(), &0.into()));
    for figure in [
        "recognised_as_target",
        "teeth_asked",
        "teeth_not_asked",
        "jaw_opens",
        "tears",
    ] {
        assert!(photo[figure]["share"].is_number(), "{figure}: {photo}");
    }
    assert_eq!(photo["tears"]["n"], 16, "two faces, eight targets");
    let sliders = photo["sliders"]["per_control"].as_object();
    assert_eq!(sliders.map(serde_json::Map::len), Some(45), "{photo}");
    // Nobody really smiles here, and there is no evaluator of whose face it is.
    for figure in [
        "sharpness",
        "smile_closes",
        "mouths",
        "identity",
        "upper_face",
    ] {
        assert!(photo[figure].is_null(), "{figure}: {photo}");
    }
    let html = std::fs::read_to_string(&page).expect("the page");
    assert!(html.contains("<title>Model card figures</title>") && html.contains("Synthesis"));
    assert!(html.contains("In the photo") && html.contains("jaw opens"));
}

#[test]
fn a_run_gives_its_last_and_its_best_weights() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = tree(dir.path());
    let run = dir.path().join("run");
    std::fs::create_dir(&run).expect("a folder");
    let whole = fersnet::pipeline::shipped_weights().expect("the shipped weights");
    for file in ["weights.safetensors", "best.safetensors"] {
        std::fs::write(run.join(file), &whole).expect("written");
    }
    let run = run.display().to_string();
    let figures = json(&evaluate(&[
        "--json",
        "--run",
        &run,
        "--data",
        &data,
        "--held-out",
        "1/2",
    ]));
    for weights in ["last", "best"] {
        assert_eq!(figures[weights]["n"], 3, "one of the two subjects");
        assert_eq!(figures[weights]["weights"], weights);
    }
}

#[test]
fn what_cannot_be_evaluated_says_what_to_do() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = tree(dir.path());
    let of = |more: &[&str]| {
        let mut arguments = vec!["--weights", SHIPPED, "--data", &data];
        arguments.extend(more);
        refusal(&evaluate(&arguments))
    };
    assert!(of(&["--subjects", "nobody"]).contains("--subjects"));
    assert!(of(&["--split", "test"]).contains("no official parts"));
    assert!(of(&["--held-out", "10/10"]).contains("N below K"));
    assert!(of(&["--limit", "5"]).contains("--synthesis"));
    let another = of(&["--synthesis", "--identity-masked", SHIPPED]);
    assert!(another.contains("tools/evaluators.py"), "{another}");
    let another = of(&["--synthesis", "--identity", SHIPPED]);
    assert!(another.contains("tools/evaluators.py"), "{another}");
}
