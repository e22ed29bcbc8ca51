//! The command line over real pictures: answers, files that are written, errors and exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fersnet::data::controls::{CONTROLS, expression_presets};
use fersnet::network::weights::{self, Precision};
use fersnet::network::{Edition, Head, Network, NetworkConfig, Variant};
use safetensors::SafeTensors;

/// The shipped network's.
const EXPRESSIONS: [&str; 8] = [
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
];

/// How far probabilities of one picture may differ between two files of it.
///
/// A picture and its EXIF-turned twin differ by a JPEG's rounding.
const SAME_PICTURE: f64 = 0.05;

/// How far the same pass may differ between two processes: the order of sums in several threads.
const SAME_PASS: f32 = 1e-4;

fn fersnet(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fersnet"))
        .args(arguments)
        .output()
        .expect("the binary runs")
}

fn photo(name: &str) -> String {
    path(&format!("tests/photos/{name}"))
}

fn path(relative: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(relative)
        .display()
        .to_string()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).expect("the answer is JSON")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn scratch(dir: &tempfile::TempDir, name: &str) -> String {
    dir.path().join(name).display().to_string()
}

#[test]
fn every_face_of_a_group_is_read_with_probabilities_that_add_up_to_one() {
    let output = fersnet(&["predict", "--json", &photo("several.jpg")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let answer = json(&output);
    let faces = answer["pictures"][0]["faces"].as_array().expect("faces");
    assert_eq!(faces.len(), 6);
    for face in faces {
        let probabilities = face["probabilities"].as_object().expect("an object");
        let sum: f64 = probabilities.values().filter_map(|p| p.as_f64()).sum();
        assert_eq!(probabilities.len(), 8);
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        assert!(face["box"]["width"].as_f64().expect("a width") > 40.0);
    }
}

#[test]
fn a_smiling_portrait_reads_as_happiness_upright_and_turned_by_exif() {
    let output = fersnet(&[
        "predict",
        "--json",
        &photo("turned.jpg"),
        &path("www/samples/astronaut.jpg"),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let answer = json(&output);
    let happiness: Vec<f64> = (0..2)
        .map(|i| {
            let face = &answer["pictures"][i]["faces"][0];
            assert_eq!(face["expression"], "happiness");
            face["probabilities"]["happiness"]
                .as_f64()
                .expect("a number")
        })
        .collect();
    assert!(
        (happiness[0] - happiness[1]).abs() < SAME_PICTURE,
        "{happiness:?}"
    );
}

#[test]
fn a_picture_without_a_face_has_an_exit_code_of_its_own_and_a_way_out() {
    let output = fersnet(&["predict", &photo("no-face.jpg")]);
    assert_eq!(output.status.code(), Some(4));
    assert!(said(&output).contains("--whole"), "{}", said(&output));
    let output = fersnet(&["predict", "--whole", "--json", &photo("no-face.jpg")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(
        json(&output)["pictures"][0]["faces"][0]["box"],
        serde_json::Value::Null
    );
}

#[test]
fn one_bad_picture_does_not_lose_the_answers_of_the_others() {
    let dir = tempfile::tempdir().expect("a folder");
    let bad = scratch(&dir, "bad.jpg");
    std::fs::write(&bad, b"this is no picture").expect("written");
    let output = fersnet(&["predict", "--json", &bad, &photo("turned.jpg")]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let pictures = &json(&output)["pictures"];
    let error = pictures[0]["error"].as_str().expect("a reason");
    assert!(error.contains("bad.jpg") && pictures[0]["faces"] == serde_json::json!([]));
    assert_eq!(pictures[1]["faces"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_redrawn_picture_keeps_its_size_and_carries_its_mark() {
    let dir = tempfile::tempdir().expect("a folder");
    for (verb, name) in [("synthesize", "out.png"), ("synthesise", "out.jpg")] {
        let out = scratch(&dir, name);
        let output = fersnet(&[
            verb,
            "--target",
            "happiness=0.6,surprise=0.4",
            "--json",
            "-o",
            &out,
            &photo("turned.jpg"),
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let bytes = std::fs::read(&out).expect("a file");
        assert!(fersnet::mark::is_marked(&bytes));
        let picture = fersnet::picture::Picture::decode(&bytes).expect("a picture");
        assert_eq!((picture.width(), picture.height()), (512, 512));
        let told = json(&output);
        assert_eq!(
            (&told["width"], &told["height"]),
            (&512.into(), &512.into())
        );
        assert!(told["face"]["width"].as_f64().expect("a width") > 40.0);
    }
}

#[test]
fn check_finds_what_synthesize_saves_and_no_mark_in_its_photo() {
    let dir = tempfile::tempdir().expect("a folder");
    let photo = path("www/samples/composite-f-african.jpg");
    let mut saved = Vec::new();
    for (target, name) in [
        ("surprise", "out.jpg"),
        ("surprise", "out.png"),
        ("all", "sheet.png"),
    ] {
        let out = scratch(&dir, name);
        let output = fersnet(&["synthesize", "--target", target, "-o", &out, &photo]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        saved.push(out);
    }
    let output = fersnet(&["check", "--json", &saved[0], &saved[1], &saved[2], &photo]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let answers = json(&output)["pictures"]
        .as_array()
        .expect("pictures")
        .clone();
    for (i, found) in answers.iter().enumerate() {
        let is_saved = i < saved.len();
        for mark in ["metadata", "madeHere"] {
            assert_eq!(found[mark], is_saved, "{found}");
        }
        for mark in ["badge", "watermark"] {
            assert_eq!(found[mark]["found"], is_saved, "{found}");
        }
    }
    let told = fersnet(&["check", &saved[0], &photo]);
    let told = String::from_utf8(told.stdout).expect("text");
    assert!(told.contains("made synthetic with FERSNet") && told.contains("does not prove"));
    assert_eq!(fersnet(&["check", "missing.jpg"]).status.code(), Some(3));
}

#[test]
fn the_sheet_shows_the_face_and_every_expression() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = scratch(&dir, "sheet.png");
    let output = fersnet(&[
        "synthesize",
        "--target",
        "all",
        "-o",
        &out,
        &photo("turned.jpg"),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let bytes = std::fs::read(&out).expect("a file");
    assert!(fersnet::mark::is_marked(&bytes));
    let sheet = fersnet::picture::Picture::decode(&bytes).expect("a picture");
    let tile = |i: u32| {
        let (x, y) = (i % 3 * 256, i / 3 * (256 + 24));
        image::imageops::crop_imm(sheet.as_image(), x, y, 256, 256).to_image()
    };
    // Each expression's tile differs from the face as it is and from its neighbour.
    for i in 1..9 {
        assert_ne!(tile(0), tile(i), "tile {i} is unchanged");
        assert_ne!(tile(i - 1), tile(i), "tiles {} and {i} are the same", i - 1);
    }
}

#[test]
fn wrong_arguments_say_what_would_be_right() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = scratch(&dir, "out.png");
    let picture = photo("turned.jpg");
    for (target, hint) in [
        ("joy", "happiness"),
        ("happiness=x", "not a number"),
        ("happiness=2", "from 0 to 1"),
        ("happiness=0.8,fear=0.8", "add up"),
        ("happiness=nan", "from 0 to 1"),
    ] {
        let output = fersnet(&["synthesize", "--target", target, "-o", &out, &picture]);
        assert_eq!(output.status.code(), Some(2), "{target}");
        assert!(said(&output).contains(hint), "{target}: {}", said(&output));
    }
    let output = fersnet(&["synthesize", "--target", "fear", "-o", "out.tiff", &picture]);
    assert!(said(&output).contains(".png"), "{}", said(&output));
    let output = fersnet(&[
        "synthesize",
        "--face",
        "3",
        "--target",
        "fear",
        "-o",
        &out,
        &picture,
    ]);
    assert!(said(&output).contains("1 face"), "{}", said(&output));
    assert_eq!(fersnet(&["predict", "--nonsense"]).status.code(), Some(2));
}

/// A weight file of a tiny fresh network, with the known controls and presets or without.
fn made_weights(dir: &tempfile::TempDir, has_controls: bool) -> String {
    let mut config = NetworkConfig::new(Edition::Release2021, Variant::Fersnet, 1, 3, &EXPRESSIONS);
    config.head = Head::Blend;
    if has_controls {
        config = config.with_controls(&CONTROLS);
        config.presets = expression_presets(&config.controls);
    }
    let network = Network::new(config, &burn::tensor::Device::flex()).expect("a network");
    let bytes = weights::save(&network, Precision::Half).expect("a weight file");
    let file = scratch(dir, if has_controls { "controls" } else { "classes" });
    std::fs::write(&file, bytes).expect("written");
    file
}

#[test]
fn a_target_of_controls_is_drawn_and_a_wrong_one_says_what_there_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let (weights, out) = (made_weights(&dir, true), scratch(&dir, "out.png"));
    let picture = photo("turned.jpg");
    let synthesize = |target: &str| {
        let arguments = ["synthesize", "--weights", &weights, "--target", target];
        fersnet(&[&arguments[..], &["-o", &out, &picture]].concat())
    };
    let mut drawn = Vec::new();
    for target in [
        "happiness=1.2",
        "happiness=0.8,jawOpen=0.4",
        "jawOpen=0.4",
        "jawOpen=0",
        "all",
    ] {
        let output = synthesize(target);
        assert_eq!(output.status.code(), Some(0), "{target}: {}", said(&output));
        let bytes = std::fs::read(&out).expect("a file");
        assert!(fersnet::mark::is_marked(&bytes), "{target}");
        assert!(!drawn.contains(&bytes), "{target}: drawn as another target");
        drawn.push(bytes);
    }
    for (target, hints) in [
        (
            "joy",
            &["happiness", "jawOpen", "mouthSmileLeft", "`all`"][..],
        ),
        ("teethShown=0.5", &["jawOpen"]), // these weights have no painter
        ("jawOpen=1.3", &["from 0 to 1.2"]),
        ("jawOpen=-0.1", &["from 0 to 1.2"]),
        ("jawOpen=nan", &["from 0 to 1.2"]),
        ("jawOpen=wide", &["not a number"]),
        ("jawOpen=0.1,jawOpen=0.2", &["twice"]),
        ("happiness=0.8,fear=0.8", &["add up"]),
    ] {
        let output = synthesize(target);
        assert_eq!(output.status.code(), Some(2), "{target}");
        for hint in hints {
            assert!(said(&output).contains(hint), "{target}: {}", said(&output));
        }
        let all = said(&output).contains("`all`");
        assert_eq!(
            all,
            said(&output).contains("none of these"),
            "{}",
            said(&output)
        );
    }
}

#[test]
fn the_controls_that_a_face_shows_are_told_where_they_are_asked_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let (weights, without) = (made_weights(&dir, true), made_weights(&dir, false));
    let picture = photo("turned.jpg");
    let predict = |weights: &str, more: &[&str]| {
        let arguments = ["predict", "--whole", "--weights", weights, &picture];
        fersnet(&[&arguments[..], more].concat())
    };
    let output = predict(&weights, &["--controls", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let answer = json(&output);
    let face = &answer["pictures"][0]["faces"][0];
    let controls = face["controls"].as_object().expect("an object");
    let names: Vec<&str> = controls.keys().map(String::as_str).collect();
    assert_eq!(names, CONTROLS, "the controls' own order is the alphabet's");
    for value in controls.values() {
        assert!(value.as_f64().expect("a number") >= 0.0, "{value}");
    }
    let text = predict(&weights, &["--controls"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("jawOpen") && text.contains("happiness"),
        "{text}"
    );
    // Where nobody asks, the answer is as it was.
    for weights in [&weights, &without] {
        let output = predict(weights, &["--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(
            json(&output)["pictures"][0]["faces"][0]
                .get("controls")
                .is_none()
        );
    }
    let output = predict(&without, &["--controls"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("no controls"), "{}", said(&output));
}

#[test]
fn inspect_lists_controls_and_presets() {
    let dir = tempfile::tempdir().expect("a folder");
    let weights = made_weights(&dir, true);
    let output = fersnet(&["inspect", &weights]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("controls    45 (browDownLeft, "), "{text}");
    let is_preset = |line: &&str| line.starts_with("preset ");
    let presets: Vec<&str> = text.lines().filter(is_preset).collect();
    assert_eq!(presets.len(), EXPRESSIONS.len(), "{text}");
    assert!(text.contains("mouthSmileLeft"), "{text}");
    let card = json(&fersnet(&["inspect", "--json", &weights]));
    assert_eq!(
        card["controls"].as_array().map(Vec::len),
        Some(CONTROLS.len())
    );
    assert!(card["presets"]["happiness"]["mouthSmileLeft"].is_number());
    let without = fersnet(&["inspect", &made_weights(&dir, false)]);
    assert!(!String::from_utf8_lossy(&without.stdout).contains("controls"));
}

#[test]
fn forward_writes_the_controls_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let (face, out) = (scratch(&dir, "face.png"), scratch(&dir, "out.safetensors"));
    image::RgbImage::from_pixel(96, 96, image::Rgb([90; 3]))
        .save(&face)
        .expect("saved");
    let weights = made_weights(&dir, true);
    let target = ["--target", "happiness=0.5,jawOpen=0.7"];
    let arguments = ["forward", "--weights", &weights, "-o", &out, &face];
    let output = fersnet(&[&arguments[..], &target].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let bytes = std::fs::read(&out).expect("a file");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let shape = |name: &str| tensors.tensor(name).expect(name).shape().to_vec();
    assert_eq!(shape("units"), [1, 45]);
    assert_eq!(shape("delta"), [1, 3, 96, 96]);
    assert_eq!(
        (shape("mask"), shape("flow")),
        (vec![1, 1, 96, 96], vec![1, 2, 96, 96])
    );
}

#[test]
fn a_picture_that_is_not_there_is_a_picture_that_cannot_be_read() {
    let output = fersnet(&["predict", "nowhere.jpg"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("nowhere.jpg"), "{}", said(&output));
}

#[test]
fn damaged_weights_are_refused_with_a_code_of_their_own() {
    let dir = tempfile::tempdir().expect("a folder");
    let weights = scratch(&dir, "cut.safetensors");
    let whole = std::fs::read(path("weights/fersnet.safetensors")).expect("weights");
    std::fs::write(&weights, &whole[..whole.len() / 2]).expect("written");
    let picture = photo("turned.jpg");
    for arguments in [
        vec!["predict", "--weights", &weights, &picture],
        vec!["inspect", &weights],
    ] {
        let output = fersnet(&arguments);
        assert_eq!(output.status.code(), Some(5), "{}", said(&output));
        assert!(said(&output).contains("not a whole"), "{}", said(&output));
    }
}

#[test]
fn a_device_that_this_build_lacks_is_named() {
    if cfg!(feature = "cuda") {
        return;
    }
    let output = fersnet(&["predict", "--device", "cuda", &photo("turned.jpg")]);
    assert_eq!(output.status.code(), Some(6));
    assert!(
        said(&output).contains("--features cuda"),
        "{}",
        said(&output)
    );
}

#[test]
fn forward_writes_logits_gates_and_the_unclamped_face() {
    let dir = tempfile::tempdir().expect("a folder");
    let (face, out) = (scratch(&dir, "face.png"), scratch(&dir, "out.safetensors"));
    let picture =
        fersnet::picture::Picture::decode(&std::fs::read(photo("turned.jpg")).expect("a photo"))
            .expect("a picture");
    let small = image::imageops::thumbnail(picture.as_image(), 96, 96);
    small.save(&face).expect("saved");
    let output = fersnet(&["forward", "--target", "fear", "-o", &out, &face]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let bytes = std::fs::read(&out).expect("a file");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let shape = |name: &str| tensors.tensor(name).expect(name).shape().to_vec();
    assert_eq!(shape("logits"), [1, 8]);
    assert_eq!(shape("face"), [1, 3, 96, 96]);
    for level in 0..3 {
        for branch in ["fer", "fes"] {
            for gate in ["r", "z"] {
                let side = 24 >> level;
                let shape = shape(&format!("gates.{branch}.{level}.{gate}"));
                assert_eq!((shape[0], shape[2], shape[3]), (1, side, side));
            }
        }
    }
    // The same pass through the library: pixels divided by 255, nothing clamped, no branch swapped.
    let device = burn::tensor::Device::flex();
    let weights = fersnet::pipeline::shipped_weights().expect("weights");
    let network = fersnet::network::weights::load(&weights, &device).expect("a network");
    let plane = |channel: usize| small.pixels().map(move |p| f32::from(p.0[channel]) / 255.0);
    let planes: Vec<f32> = (0..3).flat_map(plane).collect();
    let x = fersnet::tensor::planar_tensor(planes, 3, 96, &device);
    let encoded = network.encode(x, true);
    let fear = network.config().preset("fear").expect("an expression");
    let width = fear.len();
    let fear = burn::tensor::TensorData::new(fear, [1, width]);
    let fear = burn::tensor::Tensor::from_data(fear, &device);
    let drawn = network.decode(&encoded, fear).expect("a redrawn face");
    let gates = &encoded.gates[0];
    for (name, expected) in [
        ("logits", encoded.logits.clone().into_data()),
        ("face", drawn.face.into_data()),
        ("gates.fer.0.r", gates.fer.r.clone().into_data()),
        ("gates.fes.0.z", gates.fes.z.clone().into_data()),
    ] {
        let written = tensors.tensor(name).expect(name);
        let written = written.data().chunks_exact(4);
        let largest = written
            .zip(expected.iter::<f32>())
            .map(|(bytes, e)| {
                (f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) - e).abs()
            })
            .fold(0.0, f32::max);
        assert!(largest < SAME_PASS, "{name} differs by {largest}");
    }
    // Without a target there is no face, and a photo is no ready face.
    let output = fersnet(&["forward", "-o", &out, &face]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let bytes = std::fs::read(&out).expect("a file");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    assert!(tensors.tensor("face").is_err() && tensors.tensor("logits").is_ok());
    let output = fersnet(&["forward", "-o", &out, &photo("turned.jpg")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("96 x 96"), "{}", said(&output));
}

#[test]
fn inspect_tells_what_the_shipped_weights_are_and_what_a_pass_costs() {
    let weights = path("weights/fersnet.safetensors");
    let output = fersnet(&["inspect", "--json", &weights]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let card = json(&output);
    assert_eq!(card["edition"], "2021");
    assert_eq!(card["classes"].as_array().map(Vec::len), Some(8));
    assert!(card["parameters"].as_u64().expect("a number") > 100_000);
    let text = fersnet(&["inspect", &weights]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("licence"));
}

#[test]
fn an_authors_checkpoint_becomes_a_weight_file_that_predicts() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = scratch(&dir, "W.safetensors");
    let checkpoint: PathBuf = path("tests/golden/authors-tiny.pth").into();
    let output = fersnet(&["convert", &checkpoint.display().to_string(), "-o", &out]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let output = fersnet(&["predict", "--json", "--weights", &out, &photo("turned.jpg")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let probabilities = &json(&output)["pictures"][0]["faces"][0]["probabilities"];
    assert_eq!(probabilities.as_object().map(serde_json::Map::len), Some(6));
}

#[test]
fn a_painter_and_presets_are_joined_with_a_network_and_parted_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name).display().to_string();
    let shipped = |name: &str| format!("{}/weights/{name}", env!("CARGO_MANIFEST_DIR"));
    let (network, painter) = (
        shipped("fersnet.safetensors"),
        shipped("fersnet-painter.safetensors"),
    );
    let (joined, presets) = (path("joined.safetensors"), path("presets.toml"));
    std::fs::write(
        &presets,
        "[happiness]\nmouthSmile = 0.5\nteethShown = 0.25\n",
    )
    .expect("saved");
    let output = fersnet(&[
        "join",
        &network,
        "--painter",
        &painter,
        "--presets",
        &presets,
        "-o",
        &joined,
    ]);
    assert!(output.status.success(), "{output:?}");
    let told = fersnet(&["inspect", "--json", &joined]);
    let card: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(card["painter"]["crop_width"], 128);
    let expected = serde_json::json!({
        "happiness": {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5, "teethShown": 0.25}
    });
    assert_eq!(card["presets"], expected);
    let (alone, again) = (path("alone.safetensors"), path("again.safetensors"));
    let output = fersnet(&["split", &joined, "-o", &alone, "--painter", &again]);
    assert!(output.status.success(), "{output:?}");
    let read = |path: &str| std::fs::read(path).expect("a file");
    assert!(read(&again) == read(&painter), "the painter has changed");
    // A file that has both gives its painter too.
    let output = fersnet(&[
        "join",
        &alone,
        "--painter",
        &joined,
        "-o",
        &path("both.safetensors"),
    ]);
    assert!(output.status.success(), "{output:?}");
    assert!(read(&path("both.safetensors")) == read(&joined));

    std::fs::write(&presets, "[happiness]\nmouthSmirk = 0.5\n").expect("saved");
    let refused = fersnet(&["join", &network, "--presets", &presets, "-o", &joined]);
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && error.contains("mouthSmirk") && error.contains("jawOpen"),
        "{error}"
    );
    let refused = fersnet(&["join", &network, "--painter", &network, "-o", &joined]);
    assert!(!refused.status.success(), "it has no painter");
}
