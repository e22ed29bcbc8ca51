//! How fast the CPU's kernels are against Burn's plain tensors on its CPU backend, in one process.
//!
//! `cargo bench --profile release --bench cpu -- [recognition] [redraw] [faces]` writes JSON lines: median milliseconds
//! of 20 rounds after 5. A round runs both in turn, so that other work on the machine falls on both
//! alike: trust the ratio more than the times. `RAYON_NUM_THREADS=1` is one thread, as in the page.

use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use fersnet::face::{Alignment, FaceDetector};
use fersnet::kernels::{RunOptions, launches};
use fersnet::network::{InferenceNetwork, weights};
use fersnet::picture::Picture;
use fersnet::pipeline::shipped_weights;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use serde_json::json;

const ROUNDS: usize = 20;
const WARM_UP: usize = 5;

/// A photograph of one turned face, 512 x 512.
const PHOTO: &[u8] = include_bytes!("../tests/photos/turned.jpg");

/// A photograph of six people.
const GROUP: &[u8] = include_bytes!("../tests/photos/several.jpg");

/// Side of what the mesh sees.
const MESH_SIDE: u32 = 192;

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args()
        .filter(|a| !a.starts_with('-'))
        .skip(1)
        .collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    let device = Device::flex();
    let network = weights::load(&shipped_weights()?, &device)?.into_inference();
    if is_wanted("recognition") {
        let x = face(&network, &device);
        compare("recognition", || {
            wait(network.encode(x.clone(), false).logits)
        });
    }
    if is_wanted("redraw") {
        let config = network.config();
        let targets = config
            .each_expression()
            .ok_or_else(|| anyhow::anyhow!("a class without a preset"))?;
        let table = TensorData::new(targets.concat(), [targets.len(), config.target_width()]);
        let targets = Tensor::<2>::from_data(table, &device);
        let encoded = network.encode(face(&network, &device), false);
        compare("redraw of every expression", || {
            if let Some(drawn) = network.decode(&encoded, targets.clone()) {
                wait(drawn.face);
            }
        });
    }
    if is_wanted("faces") {
        faces(&device)?;
    }
    Ok(())
}

/// Face finding, and what it is made of.
fn faces(device: &Device) -> anyhow::Result<()> {
    let detector = FaceDetector::load(device)?;
    let photo = Picture::decode(PHOTO)?;
    let found = pollster::block_on(detector.detect(&photo))?;
    let [face] = found[..] else {
        anyhow::bail!("{} faces in the photo, not one", found.len());
    };
    for side in [256, 384, 1056] {
        let values = vec![0.25; 3 * side * side];
        compare(&format!("the detector's pass over {side} x {side}"), || {
            let maps = pollster::block_on(detector.boxes_raw(values.clone(), [side; 2]));
            assert!(maps.is_ok());
        });
    }
    let cut = face.alignment().crop_planar(&photo, MESH_SIDE);
    compare("the mesh's pass over a face", || {
        let meshes = pollster::block_on(detector.mesh_raw(cut.clone()));
        assert!(meshes.is_ok_and(|meshes| meshes.len() == 1));
    });
    compare("a face cut for the mesh", || {
        let cut = face.alignment().crop_planar(&photo, MESH_SIDE);
        assert!(!cut.is_empty());
    });
    let large = resized(&photo, 1536, 1536);
    for (picture, sides) in [(&photo, [170, 352]), (&large, [352, 1024])] {
        for side in sides {
            let whole = Alignment::whole_picture(picture.width(), picture.height());
            compare(&format!("{picture:?} resampled to {side}"), || {
                assert!(!whole.crop_planar(picture, side).is_empty());
            });
        }
    }
    let mut canvas = RgbImage::from_pixel(1536, 1536, Rgb([110, 120, 130]));
    let group = resized(&Picture::decode(GROUP)?, 600, 400);
    imageops::overlay(&mut canvas, group.as_image(), 800, 300);
    for (name, picture) in [
        ("face finding, 512 x 512", &photo),
        (
            "face finding, small faces in 1536 x 1536",
            &Picture::from(canvas),
        ),
    ] {
        compare(name, || {
            let faces = pollster::block_on(detector.detect(picture));
            assert!(faces.is_ok_and(|faces| !faces.is_empty()));
        });
    }
    compare("a face followed", || {
        let faces = pollster::block_on(detector.track(&photo, &[face]));
        assert!(faces.is_ok_and(|faces| faces[0].is_some()));
    });
    Ok(())
}

fn resized(picture: &Picture, width: u32, height: u32) -> Picture {
    let filter = FilterType::Triangle;
    Picture::from(imageops::resize(picture.as_image(), width, height, filter))
}

/// `[1, k, 96, 96]` in 0..1.
fn face(network: &InferenceNetwork, device: &Device) -> Tensor<4> {
    let shape = [1, network.config().channels, 96, 96];
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|i| 0.5 + 0.5 * (i as f32 * 1.7).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn wait<const D: usize>(tensor: Tensor<D>) {
    assert!(tensor.into_data().iter::<f32>().all(f32::is_finite));
}

/// By the kernels, or on plain tensors.
fn way(plain: bool) -> RunOptions {
    RunOptions {
        reference_only: plain,
        ..RunOptions::new()
    }
}

/// Runs `work` by the kernels and plainly in turn, and writes one line.
fn compare(name: &str, work: impl Fn()) {
    let mut times = [vec![], vec![]];
    let mut launched = 0;
    for round in 0..WARM_UP + ROUNDS {
        for (plain, times) in times.iter_mut().enumerate() {
            let before = launches();
            let start = Instant::now();
            way(plain == 1).run(&work);
            let ms = start.elapsed().as_secs_f64() * 1e3;
            if round >= WARM_UP {
                times.push(ms);
            }
            if plain == 0 {
                launched = launches() - before;
            }
        }
    }
    let [kernels, plain] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    let rounded = |ms: f64| (ms * 100.0).round() / 100.0;
    println!(
        "{}",
        json!({
            "bench": name, "threads": rayon::current_num_threads(), "launches": launched,
            "kernels_ms": rounded(kernels), "plain_ms": rounded(plain),
            "ratio": rounded(plain / kernels),
        })
    );
}
