//! The command line over real pictures: answers, files that are written, errors and exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use safetensors::SafeTensors;

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
    assert_eq!(json(&output)["pictures"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_redrawn_picture_keeps_its_size_and_carries_its_mark() {
    let dir = tempfile::tempdir().expect("a folder");
    for name in ["out.png", "out.jpg"] {
        let out = scratch(&dir, name);
        let output = fersnet(&[
            "synthesize",
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
    let weights = std::fs::read(path("weights/fersnet.safetensors")).expect("weights");
    let network = fersnet::network::weights::load(&weights, &device).expect("a network");
    let plane = |channel: usize| small.pixels().map(move |p| f32::from(p.0[channel]) / 255.0);
    let planes: Vec<f32> = (0..3).flat_map(plane).collect();
    let x = fersnet::tensor::planar_tensor(planes, 3, 96, &device);
    let encoded = network.encode(x, true);
    let fear = burn::tensor::Tensor::from_data([[0.0_f32, 0., 0., 0., 0., 0., 1., 0.]], &device);
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
