//! How fast the CPU's kernels are against Burn's plain tensors on its CPU backend, in one process.
//!
//! `cargo bench --profile release --bench cpu -- [recognition] [redraw] [faces]` writes JSON lines: median milliseconds
//! of 20 rounds after 5. A round runs both in turn, so that other work on the machine falls on both
//! alike: trust the ratio more than the times. `RAYON_NUM_THREADS=1` is one thread, as in the page.
//! Natively the face detector's blocks are Burn's in both, and only its time is of interest.

use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use fersnet::face::FaceDetector;
use fersnet::kernels::{RunOptions, launches};
use fersnet::network::{InferenceNetwork, weights};
use fersnet::picture::Picture;
use fersnet::pipeline::SHIPPED_WEIGHTS;
use serde_json::json;

const ROUNDS: usize = 20;
const WARM_UP: usize = 5;

/// A photograph of one turned face, 512 x 512.
const PHOTO: &[u8] = include_bytes!("../tests/photos/turned.jpg");

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args()
        .filter(|a| !a.starts_with('-'))
        .skip(1)
        .collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    let device = Device::flex();
    let network = weights::load(SHIPPED_WEIGHTS, &device)?.into_inference();
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
        let detector = FaceDetector::load(&device)?;
        let picture = Picture::decode(PHOTO)?;
        compare("face finding", || {
            let faces = pollster::block_on(detector.detect(&picture));
            assert!(faces.is_ok_and(|faces| faces.len() == 1));
        });
    }
    Ok(())
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
