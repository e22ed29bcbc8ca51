//! Training on tiny trees that the test makes: it learns, it resumes, it says what is wrong.

use std::path::Path;
use std::process::{Command, Output};

use image::{Rgb, RgbImage};

/// Steps of the short runs.
const STEPS: usize = 4;

fn fersnet(arguments: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fersnet"))
        .args(arguments)
        // One thread: the order of sums, and with it the last bit, must not change between runs.
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .expect("the binary runs")
}

/// FER+'s official names over made-up pictures: two shades for two expressions.
fn labelled_tree(root: &Path) {
    let pictures = root.join("FER2013Train");
    std::fs::create_dir_all(&pictures).expect("a folder");
    let mut table = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n".to_owned();
    for i in 0..42_u8 {
        let happy = i % 2 == 1;
        let shade = if happy { 200 } else { 40 };
        let picture = RgbImage::from_fn(48, 48, |x, y| Rgb([shade, x as u8 * 5, y as u8 * 5]));
        let name = format!("fer{i:07}.png");
        picture.save(pictures.join(&name)).expect("saved");
        let votes = if happy { "0,10" } else { "10,0" };
        // Two pictures divide the votes, two show no face: neither kind is judged.
        let row = match i {
            0 | 1 => "5,5,0,0,0,0,0,0,0,0".to_owned(),
            2 | 3 => "0,0,0,0,0,0,0,0,2,8".to_owned(),
            _ => format!("{votes},0,0,0,0,0,0,0,0"),
        };
        table.push_str(&format!("Training,{name},{row}\n"));
    }
    std::fs::write(root.join("fer2013new.csv"), table).expect("written");
}

/// The paired set's layout over made-up persons.
fn paired_tree(root: &Path) {
    let mut table = "file,subject,source,expression,intensity,sample,left_eye_x,left_eye_y,right_eye_x,right_eye_y\n".to_owned();
    for subject in ["a", "b"] {
        for (i, expression) in ["neutral", "happiness", "fear"].iter().enumerate() {
            let file = format!("{subject}/{expression}/0.png");
            let path = root.join(&file);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            let mouth = 60 + 5 * i as u32;
            let picture = RgbImage::from_fn(96, 96, |x, y| {
                let dark = (30..66).contains(&x) && (mouth..mouth + 6).contains(&y);
                Rgb([if dark { 30 } else { 180 }, 120, 90])
            });
            picture.save(&path).expect("saved");
            table.push_str(&format!(
                "{file},{subject},made,{expression},1.0,0,62,38,34,38\n"
            ));
        }
    }
    std::fs::create_dir_all(root).expect("a folder");
    std::fs::write(root.join("manifest.csv"), table).expect("written");
}

fn arguments(run: &Path, data: &Path, steps: usize) -> Vec<String> {
    let text = |path: &Path| path.display().to_string();
    [
        "train",
        "--run",
        &text(run),
        "--data",
        &text(&data.join("labelled")),
        "--data",
        &text(&data.join("paired")),
        "--device",
        "cpu",
        "--width",
        "2",
        "--size",
        "64",
        "--labelled-batch",
        "4",
        "--pairs-batch",
        "2",
        "--steps",
        &steps.to_string(),
        "--checkpoint-every",
        "2",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn data() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    labelled_tree(&dir.path().join("labelled"));
    paired_tree(&dir.path().join("paired"));
    dir
}

#[test]
fn a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not() {
    let data = data();
    let (whole, halved) = (data.path().join("whole"), data.path().join("halved"));
    let output = fersnet(&arguments(&whole, data.path(), STEPS));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut stopping = arguments(&halved, data.path(), STEPS);
    stopping.extend(["--stop-after".to_owned(), "2".to_owned()]);
    for arguments in [stopping, arguments(&halved, data.path(), STEPS)] {
        let output = fersnet(&arguments);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    for file in ["network.safetensors", "average.safetensors"] {
        let read = |run: &Path| std::fs::read(run.join("checkpoint").join(file)).expect("weights");
        assert!(read(&whole) == read(&halved), "{file} differs");
    }
    assert!(whole.join("weights.safetensors").is_file());
}

#[test]
fn a_run_is_not_resumed_with_another_network() {
    let data = data();
    let run = data.path().join("run");
    assert!(fersnet(&arguments(&run, data.path(), 2)).status.success());
    let mut other = arguments(&run, data.path(), 2);
    other.extend(["--seed".to_owned(), "9".to_owned()]);
    let output = fersnet(&other);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && error.contains("seed"),
        "{error}"
    );
}

#[test]
fn evaluation_counts_only_faces_with_a_majority() {
    let data = data();
    let output = fersnet(
        &[
            "evaluate",
            "--json",
            "--split",
            "train",
            "--data",
            &data.path().join("labelled").display().to_string(),
            "--weights",
            concat!(env!("CARGO_MANIFEST_DIR"), "/weights/fersnet.safetensors"),
        ]
        .map(str::to_owned),
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(figures["n"], 38);
    let classes = figures["per_class"].as_array().expect("classes");
    let counted: u64 = classes.iter().filter_map(|class| class["n"].as_u64()).sum();
    assert_eq!(counted, 38);
}

#[test]
fn a_missing_split_names_the_folder_and_the_archive_that_were_looked_for() {
    let data = data();
    let output = fersnet(
        &[
            "evaluate",
            "--split",
            "validation",
            "--data",
            &data.path().join("labelled").display().to_string(),
            "--weights",
            concat!(env!("CARGO_MANIFEST_DIR"), "/weights/fersnet.safetensors"),
        ]
        .map(str::to_owned),
    );
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        error.contains("FER2013Valid") && error.contains(".tar"),
        "{error}"
    );
}
