//! Training the mouth painter on a tiny tree that the test makes: it learns, it resumes, and its network
//! stays as it is.
#![cfg(feature = "native")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use burn::tensor::Device;
use fersnet::mark::is_marked;
use fersnet::network::weights::{self, Precision};
use fersnet::network::{Edition, Head, Network, NetworkConfig, PainterConfig, Variant};
use image::{GrayImage, Luma, Rgb, RgbImage};

/// Steps of the first kind, and with a discriminator, of the short runs.
const STEPS: [usize; 2] = [3, 3];

/// Subjects: the first of every ten is in the validation split.
const SUBJECTS: usize = 12;

/// How far a pixel lies inside of an ellipse around the mouth's centre: below 1 inside.
fn ellipse(x: u32, y: u32, [width, height]: [f32; 2]) -> f32 {
    ((x as f32 - 60.0) / width).hypot((y as f32 - 88.0) / height)
}

/// Photos of opened mouths with teeth, each with a map and the same face shut.
fn mouths_tree(root: &Path) {
    let mut table = "file,subject,source,expression,left_eye_x,left_eye_y,right_eye_x,right_eye_y,\
                     photo,cavity,mouth,jawOpen\n"
        .to_owned();
    for folder in ["photo", "shut", "cavity", "drawn"] {
        std::fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    for i in 0..SUBJECTS {
        let [open, lips] = [[14.0, 5.0 + i as f32 * 0.3], [19.0, 10.0 + i as f32 * 0.3]];
        let skin = [180 + 4 * i as u8, 140, 110];
        let face = |is_open: bool| {
            RgbImage::from_fn(120, 120, |x, y| {
                let is_eye =
                    (y as i32 - 45).abs() < 3 && [40, 80].iter().any(|eye| x.abs_diff(*eye) < 8);
                Rgb(match () {
                    () if is_open && ellipse(x, y, open) < 1.0 && y < 88 => [225, 220, 205],
                    () if is_open && ellipse(x, y, open) < 1.0 => [50, 20, 20],
                    () if ellipse(x, y, lips) < 1.0 => [170, 80, 80],
                    () if is_eye => [235, 232, 228],
                    () => skin,
                })
            })
        };
        let map = GrayImage::from_fn(120, 120, |x, y| {
            Luma([if ellipse(x, y, open) < 1.0 { 255 } else { 0 }])
        });
        face(true)
            .save(root.join(format!("photo/{i}.png")))
            .expect("saved");
        face(false)
            .save(root.join(format!("shut/{i}.png")))
            .expect("saved");
        map.save(root.join(format!("cavity/{i}.png")))
            .expect("saved");
        let eyes = "80,45,40,45";
        table +=
            &format!("photo/{i}.png,s{i:02},made,happiness,{eyes},{i},cavity/{i}.png,photo,0.6\n");
        table += &format!("shut/{i}.png,s{i:02},made,neutral,{eyes},{i},,drawn,0\n");
        // The same again as a drawn mouth; it has colours of its own.
        let mut drawn = face(true);
        image::imageops::invert(&mut drawn);
        drawn
            .save(root.join(format!("drawn/{i}.png")))
            .expect("saved");
        table +=
            &format!("drawn/{i}.png,s{i:02},made,surprise,{eyes},{i},cavity/{i}.png,drawn,0.6\n");
    }
    std::fs::write(root.join("manifest.csv"), table).expect("written");
}

/// A network whose cavity map is open everywhere.
fn network_file(path: &Path) {
    let classes = ["neutral", "happiness"];
    let config = NetworkConfig::new(Edition::Release2021, Variant::Fersnet, 2, 3, &classes)
        .with_head(Head::Blend)
        .with_controls(&["jawOpen"]);
    let network = Network::new(config.clone(), &Device::flex()).expect("a network");
    let mut tensors: std::collections::HashMap<_, _> =
        weights::to_tensors(&network).into_iter().collect();
    let bias = tensors
        .get_mut("decoder.out_layer.bias")
        .expect("the last bias");
    bias.values[3] = 10.0;
    let network = weights::from_tensors(config, tensors, &Device::flex()).expect("a network");
    let bytes = weights::save(&network, Precision::Half).expect("bytes");
    std::fs::write(path, bytes).expect("written");
}

struct Fixture {
    dir: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        mouths_tree(&dir.path().join("mouths"));
        network_file(&dir.path().join("network.safetensors"));
        Self { dir }
    }

    fn train(&self, run: &str, steps: [usize; 2], more: &[&str]) {
        let output = self.try_to_train(run, steps, more);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
    }

    fn try_to_train(&self, run: &str, [first, later]: [usize; 2], more: &[&str]) -> Output {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        Command::new(env!("CARGO_BIN_EXE_fersnet"))
            .args(["train", "--part", "painter", "--device", "cpu", "--plain"])
            .args(["--run", &path(run), "--data", &path("mouths")])
            .args(if more.contains(&"--finetune") {
                vec![]
            } else {
                vec!["--finetune".to_owned(), path("network.safetensors")]
            })
            .args(["--set", &format!("painter.l1_steps={first}")])
            .args(["--set", &format!("painter.adversarial_steps={later}")])
            .args(["--set", "painter.width=2", "--set", "painter.crop_width=32"])
            .args(["--set", "painter.batch=4", "--set", "painter.least_area=4"])
            .args(more)
            // One thread: the order of sums, and with it the last bit, must not change between runs.
            .env("RAYON_NUM_THREADS", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .expect("the binary runs")
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.dir.path().join(name)).unwrap_or_else(|_| panic!("{name}"))
    }

    /// A value of each report.
    fn metrics(&self, run: &str, name: &str) -> Vec<f64> {
        let text = String::from_utf8(self.read(&format!("{run}/metrics.jsonl"))).expect("text");
        let value = |line: &str| {
            let row: serde_json::Value = serde_json::from_str(line).expect("a row");
            row[name].as_f64()
        };
        text.lines().filter_map(value).collect()
    }
}

#[test]
fn the_painter_learns_and_its_network_stays_as_it_was() {
    let fixture = Fixture::new();
    let wider = ["--set", "painter.width=8", "--checkpoint-every", "15"];
    fixture.train("run", [60, 0], &wider);
    let losses = fixture.metrics("run", "difference");
    assert!(losses[losses.len() - 1] < 0.8 * losses[0], "{losses:?}");
    let validation = fixture.metrics("run", "validation_free");
    assert!(
        validation.len() == 4 && validation[3] < validation[0],
        "{validation:?}"
    );
    assert!(is_marked(&fixture.read("run/mouths-0000060.png")));
    let read = |name: &str| weights::load(&fixture.read(name), &Device::flex()).expect("weights");
    let (before, after) = (read("network.safetensors"), read("run/weights.safetensors"));
    let painter = PainterConfig {
        width: 8,
        crop_width: 32,
    };
    assert_eq!(after.config().painter, Some(painter));
    let after: std::collections::HashMap<_, _> = weights::to_tensors(&after).into_iter().collect();
    for (name, tensor) in weights::to_tensors(&before) {
        assert!(after[&name].values == tensor.values, "{name} has changed");
    }
}

#[test]
fn a_painters_run_refuses_half_precision_where_there_is_none() {
    let fixture = Fixture::new();
    let half = ["--set", "run.precision=half"];
    let output = fixture.try_to_train("run", [2, 0], &half);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && error.contains("run.precision"),
        "{error}"
    );
}

#[test]
fn a_painters_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not() {
    let fixture = Fixture::new();
    let [first, later] = STEPS;
    fixture.train("whole", STEPS, &[]);
    // Stopped where the discriminator comes in, and again in the middle of its steps.
    for stop in [first, first + 1, first + later] {
        fixture.train("halved", STEPS, &["--stop-after", &stop.to_string()]);
    }
    for file in [
        "weights.safetensors",
        "checkpoint/painter.safetensors",
        "checkpoint/adversary.safetensors",
    ] {
        let [whole, halved] = ["whole", "halved"].map(|run| fixture.read(&format!("{run}/{file}")));
        assert!(whole == halved, "{file} differs");
    }
    assert!(fixture.metrics("whole", "discriminator")[0] > 0.0);
}

#[test]
fn inputs_can_be_made_by_the_network_from_the_shut_mouth() {
    let fixture = Fixture::new();
    fixture.train("run", [2, 0], &["--on-network"]);
    fixture.train("itself", [2, 0], &[]);
    assert!(fixture.read("run/weights.safetensors") != fixture.read("itself/weights.safetensors"));
}

#[test]
fn drawn_mouths_are_learnt_from_only_where_they_are_asked_for() {
    let fixture = Fixture::new();
    let validation = |run: &str, share: &str| {
        let share = format!("painter.drawn_share={share}");
        fixture.train(run, [40, 0], &["--set", &share, "--set", "painter.width=8"]);
        fixture
            .metrics(run, "validation_free")
            .pop()
            .expect("a report")
    };
    // The validation mouths are photos, whose colours the drawn ones have not.
    let (photos, drawn) = (validation("photos", "0"), validation("drawn", "1"));
    assert!(drawn > 1.2 * photos, "{drawn} {photos}");
}

#[test]
fn a_network_that_is_trained_on_carries_its_painter_along() {
    let fixture = Fixture::new();
    let path = |name: &str| fixture.dir.path().join(name).display().to_string();
    let train = |run: &str, more: &[&str]| {
        let status = Command::new(env!("CARGO_BIN_EXE_fersnet"))
            .args(["train", "--run", &path(run), "--data", &path("mouths")])
            .args([
                "--width",
                "2",
                "--size",
                "64",
                "--steps",
                "2",
                "--checkpoint-every",
                "1",
            ])
            .args(["--labelled-batch", "0", "--pairs-batch", "2"])
            .args(more)
            .status();
        assert!(status.expect("the binary runs").success());
    };
    train("first", &[]);
    let first = path("first/weights.safetensors");
    fixture.train("painter", [2, 0], &["--finetune", &first]);
    let painter = path("painter/weights.safetensors");
    train("second", &["--finetune", &painter]);
    let painters = |run: &str| {
        let file = fixture.read(&format!("{run}/weights.safetensors"));
        let network = weights::load(&file, &Device::flex()).expect("weights");
        let tensors = weights::to_tensors(&network).into_iter();
        let own = tensors.filter(|(name, _)| name.starts_with("painter."));
        own.map(|(name, tensor)| (name, tensor.values))
            .collect::<Vec<_>>()
    };
    assert!(!painters("painter").is_empty());
    assert!(
        painters("painter") == painters("second"),
        "the painter has changed"
    );
}
