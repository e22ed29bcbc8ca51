//! Training on tiny trees that the test makes: it learns, it resumes, it says what is wrong.

mod made;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use image::{Rgb, RgbImage};
use made::paired_tree;

/// Steps of the short runs.
const STEPS: usize = 4;

fn command(arguments: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fersnet"));
    command
        .args(arguments)
        // One thread: the order of sums, and with it the last bit, must not change between runs.
        .env("RAYON_NUM_THREADS", "1")
        // No GPU answers: a run on the CPU must not ask for one.
        .env("VK_DRIVER_FILES", "/none")
        .env("VK_ICD_FILENAMES", "/none")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn fersnet(arguments: &[String]) -> Output {
    command(arguments).output().expect("the binary runs")
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
        // Two pictures divide the votes, two show no face: neither kind is measured.
        let row = match i {
            0 | 1 => "5,5,0,0,0,0,0,0,0,0".to_owned(),
            2 | 3 => "0,0,0,0,0,0,0,0,2,8".to_owned(),
            _ => format!("{votes},0,0,0,0,0,0,0,0"),
        };
        table.push_str(&format!("Training,{name},{row}\n"));
    }
    std::fs::write(root.join("fer2013new.csv"), table).expect("written");
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

fn run(arguments: &[String]) {
    let output = fersnet(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
}

fn with(mut arguments: Vec<String>, more: &[&str]) -> Vec<String> {
    arguments.extend(more.iter().map(|text| (*text).to_owned()));
    arguments
}

/// Terms with a discriminator and without targets, so that all of a run's state matters.
const ALL_TERMS: [&str; 8] = [
    "--set",
    "objective.adversarial=0.1",
    "--set",
    "objective.cycle=0.1",
    "--set",
    "batch.unpaired=1",
    "--set",
    "objective.features=0.05",
];

/// Whether two runs ended with the same weights.
fn assert_same_weights(one: &Path, other: &Path, files: &[&str]) {
    for file in files {
        let read = |run: &Path| std::fs::read(run.join(file)).expect("weights");
        assert!(read(one) == read(other), "{file} differs");
    }
}

/// The rows of metrics.jsonl.
fn metrics(run: &Path) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).expect("figures");
    let rows = text.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>().expect("JSON")
}

/// The rows without the speed and the share of waiting, which no two runs share.
fn rows(run: &Path) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let mut rows = metrics(run);
    for row in &mut rows {
        for name in ["samples_per_second", "waited_share"] {
            assert!(row.remove(name).is_some_and(|value| value.is_number()));
        }
    }
    rows
}

#[test]
fn a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not() {
    let data = data();
    let (whole, halved) = (data.path().join("whole"), data.path().join("halved"));
    run(&arguments(&whole, data.path(), STEPS));
    let halves = arguments(&halved, data.path(), STEPS);
    run(&with(halves.clone(), &["--stop-after", "2"]));
    run(&halves);
    let files = [
        "checkpoint/network.safetensors",
        "checkpoint/average.safetensors",
        "weights.safetensors",
        "best.safetensors",
    ];
    assert_same_weights(&whole, &halved, &files);
    assert_eq!(rows(&whole), rows(&halved));
}

#[test]
fn a_run_that_was_killed_ends_with_the_weights_of_one_that_was_not() {
    let data = data();
    let (whole, killed) = (data.path().join("whole"), data.path().join("killed"));
    run(&with(arguments(&whole, data.path(), 8), &ALL_TERMS));
    let arguments = with(arguments(&killed, data.path(), 8), &ALL_TERMS);
    // Wherever it is: while it starts, then in its steps or while it writes.
    for (milliseconds, checkpoint) in [(30, None), (400, None), (0, Some(2)), (120, Some(4))] {
        let mut child = command(&arguments).spawn().expect("the binary runs");
        if let Some(step) = checkpoint {
            wait_for_checkpoint(&killed, step, &mut child);
        }
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        child.kill().expect("SIGKILL");
        child.wait().expect("ended");
    }
    run(&arguments);
    let files = [
        "checkpoint/network.safetensors",
        "checkpoint/average.safetensors",
        "checkpoint/discriminator.safetensors",
        "weights.safetensors",
        "best.safetensors",
    ];
    assert_same_weights(&whole, &killed, &files);
    assert_eq!(rows(&whole), rows(&killed));
}

/// Waits until a run has a checkpoint of at least this step, or has ended.
fn wait_for_checkpoint(run: &Path, step: u64, child: &mut std::process::Child) {
    let path = run.join("checkpoint/progress.json");
    let is_there = || {
        let progress = std::fs::read(&path).ok()?;
        let progress: serde_json::Value = serde_json::from_slice(&progress).ok()?;
        Some(progress["step"].as_u64()? >= step)
    };
    while is_there() != Some(true) && child.try_wait().expect("a child").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_with_a_checkpoint_and_weights() {
    let data = data();
    let run = data.path().join("run");
    let arguments = arguments(&run, data.path(), 100_000);
    let mut child = command(&arguments).spawn().expect("the binary runs");
    wait_for_checkpoint(&run, 2, &mut child);
    let id = child.id().to_string();
    let status = Command::new("kill").args(["-INT", &id]).status();
    assert!(status.expect("kill runs").success());
    let output = child.wait_with_output().expect("ended");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("goes on from there"), "{text}");
    assert!(run.join("weights.safetensors").is_file());
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_the_batch() {
    let data = data();
    let run = data.path().join("run");
    let output = fersnet(&with(arguments(&run, data.path(), 20), &["--rate", "1e30"]));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("no number") && error.contains("fer0000"),
        "{error}"
    );
    let folder = std::fs::read_dir(&run).expect("the run's folder");
    let mut names = folder.map(|entry| entry.expect("an entry").path());
    let kept = names.find(|path| path.display().to_string().contains("bad-batch-"));
    let kept = kept.expect("the batch");
    let bytes = std::fs::read(kept.join("batch.safetensors")).expect("tensors");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("tensors");
    let faces = tensors.tensor("faces").expect("faces");
    assert_eq!(faces.shape(), [6, 3, 64, 64]);
    let names = std::fs::read(kept.join("names.json")).expect("names");
    let names: Vec<String> = serde_json::from_slice(&names).expect("names");
    // Four labelled faces, two sources, two targets.
    assert_eq!(names.len(), 8);
}

#[test]
fn a_run_leaves_its_numbers_faces_figures_and_plots() {
    let data = data();
    let folder = data.path().join("run");
    run(&arguments(&folder, data.path(), STEPS));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect(name);
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");

    let rows = metrics(&folder);
    let steps: Vec<u64> = rows.iter().filter_map(|row| row["step"].as_u64()).collect();
    assert_eq!(steps, [2, 4]);
    for row in &rows {
        assert!(row["l1"].is_f64() && row["validation_accuracy"].is_f64());
    }

    let program = json(&read("run.json"));
    assert!(program["commit"].is_string() && program["config"]["run"]["steps"] == STEPS);
    let manifest = json(&read("data.json"));
    assert_eq!(manifest["sets"][0]["validation"], 2);
    // 40 usable pictures and two subjects with three faces each, all with their hash.
    let faces = read("faces.csv");
    assert_eq!(faces.lines().count(), 1 + 40 + 6);
    let digest = |line: &str| line.rsplit(',').next().map(str::len) == Some(64);
    assert!(faces.lines().skip(1).all(digest));
    let subject = faces.lines().filter(|line| line.contains("\"a/"));
    assert!(subject.clone().all(|line| line.contains("held out")));
    assert_eq!(subject.count(), 3);

    let sheet = std::fs::read(folder.join("sheet-0000004.png")).expect("a sheet");
    assert!(fersnet::mark::is_marked(&sheet));
    for plot in ["losses", "accuracy", "confusion", "reliability"] {
        let svg = read(&format!("{plot}.svg"));
        assert!(
            svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"),
            "{plot}"
        );
    }
    // The numbers can be given again as they are.
    let again = data.path().join("again");
    let preset = folder.join("config.toml").display().to_string();
    let mut arguments = arguments(&again, data.path(), STEPS);
    arguments.truncate(7);
    run(&with(arguments, &["--preset", &preset]));
    assert_same_weights(&folder, &again, &["weights.safetensors"]);
}

#[test]
fn a_run_goes_on_only_with_its_own_numbers_and_faces() {
    let data = data();
    let folder = data.path().join("run");
    run(&arguments(&folder, data.path(), 2));
    let refusal = |arguments: &[String]| {
        let output = fersnet(arguments);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let other = with(arguments(&folder, data.path(), 2), &["--seed", "9"]);
    let error = refusal(&other);
    assert!(error.contains("run.seed = 1, not 9"), "{error}");
    let picture = data.path().join("paired/b/fear/0.png");
    RgbImage::new(96, 96).save(picture).expect("saved");
    let error = refusal(&arguments(&folder, data.path(), 4));
    assert!(error.contains("other faces"), "{error}");
}

#[test]
fn an_unknown_number_is_refused_before_any_face_is_read() {
    let data = data();
    let arguments = arguments(&data.path().join("run"), data.path(), 2);
    let output = fersnet(&with(arguments, &["--set", "objective.cicle=1"]));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("objective.cicle"), "{error}");
}

#[test]
fn a_run_can_start_from_weights_of_the_same_network() {
    let data = data();
    let (first, second) = (data.path().join("first"), data.path().join("second"));
    run(&arguments(&first, data.path(), 2));
    let weights = first.join("weights.safetensors").display().to_string();
    let finetune = ["--finetune", weights.as_str()];
    run(&with(arguments(&second, data.path(), 2), &finetune));
    let other = with(
        arguments(&data.path().join("third"), data.path(), 2),
        &finetune,
    );
    let output = fersnet(&with(other, &["--variant", "hard"]));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && error.contains("another network"),
        "{error}"
    );
}

#[test]
fn labels_alone_make_a_run_of_recognition() {
    let data = data();
    let folder = data.path().join("run");
    let mut arguments = arguments(&folder, data.path(), 2);
    // Without the second --data.
    arguments.drain(5..7);
    run(&arguments);
    let config = std::fs::read_to_string(folder.join("config.toml")).expect("numbers");
    assert!(config.contains("pairs = 0"), "{config}");
}

#[test]
fn two_devices_train_in_one_process() {
    let data = data();
    let folder = |name: &str| data.path().join(name);
    run(&arguments(&folder("one"), data.path(), 2));
    let two = arguments(&folder("two"), data.path(), 2);
    run(&with(two, &["--devices", "2"]));
    // Each device normalises its own half of the batch: the loss is another one than that of one device with
    // all of it, but near it.
    let [one, two] =
        ["one", "two"].map(|name| metrics(&folder(name))[0]["total"].as_f64().expect("a loss"));
    assert!(one != two && (one - two).abs() < 0.2 * one, "{one} {two}");
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
    let classes = figures["per_class"].as_object().expect("classes");
    let counted: u64 = classes
        .values()
        .filter_map(|class| class["n"].as_u64())
        .sum();
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

/// The paired tree with facial units and the inside of its mouths.
fn controls_tree(root: &Path) {
    paired_tree(root);
    let manifest = root.join("manifest.csv");
    let table = std::fs::read_to_string(&manifest).expect("a manifest");
    let mut lines = table.lines();
    let mut out = format!(
        "{},jawOpen,mouthSmileLeft,mouthSmileRight,photo,cavity,mouth,flow,back,flow_from\n",
        lines.next().expect("a heading")
    );
    let inside = image::GrayImage::from_fn(96, 96, |x, y| {
        let is_inside = (36..60).contains(&x) && (66..74).contains(&y);
        image::Luma([if is_inside { 255 } else { 0 }])
    });
    inside.save(root.join("inside.png")).expect("saved");
    // A hundredth of the width to the right.
    let way = image::Rgb([32768 + 655, 32768, u16::MAX]);
    let flow = image::ImageBuffer::from_pixel(48, 48, way);
    flow.save(root.join("flow.png")).expect("saved");
    let calm = |line: &str| {
        let file = line.split(',').next().unwrap_or_default();
        let (before, _) = file.split_once("happiness")?;
        Some(format!("flow.png,,{before}neutral/0.png"))
    };
    for line in lines {
        let (units, cavity) = match line {
            _ if line.contains("happiness") => ("0.2,1.0,0.5", "inside.png"),
            _ if line.contains("fear") => ("0.8,0,0", "inside.png"),
            _ => ("0,0,0", ""),
        };
        let flow = calm(line).unwrap_or_else(|| ",,".to_owned());
        out.push_str(&format!("{line},{units},p,{cavity},drawn,{flow}\n"));
    }
    std::fs::write(&manifest, out).expect("written");
}

#[test]
fn a_run_with_controls_begins_from_weights_of_classes_and_ends_with_presets() {
    let dir = tempfile::tempdir().expect("a folder");
    let (classes, controls) = (dir.path().join("classes"), dir.path().join("controls"));
    labelled_tree(&dir.path().join("labelled"));
    controls_tree(&dir.path().join("paired"));
    run(&arguments(&classes, dir.path(), 2));
    let start = classes.join("weights.safetensors").display().to_string();
    let settings = [
        "network.head=blend",
        "network.controls=[\"*\"]",
        "objective.cavity=4",
    ];
    let more = [
        "objective.units=2",
        "objective.mouth_l1=3",
        "objective.folds=1",
        "objective.flow=1",
    ];
    let call = |run: &Path| {
        let mut call = arguments(run, dir.path(), STEPS);
        for setting in settings.iter().chain(&more) {
            call = with(call, &["--set", setting]);
        }
        with(call, &["--finetune", &start])
    };
    let refused = fersnet(&call(&dir.path().join("refused")));
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && error.contains("another network"),
        "{error}"
    );
    let output = fersnet(&with(call(&controls), &["--set", "run.transfer=true"]));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(told.contains("the others begin anew"), "{told}");
    let bytes = std::fs::read(controls.join("weights.safetensors")).expect("weights");
    let config = fersnet::network::weights::load_config(&bytes).expect("a configuration");
    assert_eq!(
        config.controls,
        ["jawOpen", "mouthSmileLeft", "mouthSmileRight"]
    );
    assert_eq!(config.presets["contempt"]["mouthSmileLeft"], 0.85);
    let rows = metrics(&controls);
    let last = rows.last().expect("a row");
    for term in ["units", "mouth_l1", "cavity", "flow"] {
        assert!(last[term].as_f64().expect("a number") > 0.0, "{term}");
    }
}
