//! How fast the kernels are against Burn's plain tensors, on one device in one process.
//!
//! `cargo bench --profile release --bench kernels -- [convs] [pairs] [backward] [network] [growth]`
//! writes JSON lines: median milliseconds of 20 rounds after 5, each with its read-back. A round runs
//! both in turn, so that other work on the machine falls on both alike: trust the ratio more than the
//! times. `cold` is the first call, with the compilation of its pipelines. `rounds` are fewer than 20
//! where a line took more than [`PATIENCE`].

use std::time::{Duration, Instant};

use burn::module::Param;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2dConfig, ConvTranspose2dConfig};
use burn::tensor::{Device, Tensor, TensorData};
use fersnet::kernels::{
    Activation, Convolution, GateConvention, Layer, Norm, Prepared, PreparedPair, RunOptions,
    UnitWeights, convflu, convflu_prepared, fused_conv, launches,
};
use fersnet::network::{
    Cost, Edition, FACE_SIZE, Head, InferenceNetwork, Network, NetworkConfig, Variant, weights,
};
use fersnet::pipeline::shipped_weights;
use serde_json::json;

const ROUNDS: usize = 20;
const WARM_UP: usize = 5;
/// After this long no further round of a line begins: wide networks on a software adapter.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rounds that count however long they take: fewer are no median.
const FEWEST_ROUNDS: usize = 3;
/// Expressions of the shipped network, and so of those that are compared with it.
const CLASSES: [&str; 8] = [
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .filter(|a| !a.starts_with('-'))
        .skip(1)
        .collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    let device = match Device::wgpu_options().init() {
        Ok(device) => device,
        Err(error) => {
            eprintln!("no wgpu adapter ({error}): apt-get install mesa-vulkan-drivers");
            std::process::exit(1);
        }
    };
    if is_wanted("convs") {
        convs(&device);
    }
    if is_wanted("pairs") {
        pairs(&device);
    }
    if is_wanted("backward") {
        backward(&device);
    }
    if is_wanted("network") {
        shipped_network(&device);
    }
    if is_wanted("growth") {
        growth(&device);
    }
}

/// Waits for a tensor by reading it back: `into_data` alone is lazy.
fn wait<const D: usize>(tensor: Tensor<D>) {
    let values: Vec<f32> = tensor.into_data().iter::<f32>().collect();
    assert!(values.iter().all(|value| value.is_finite()));
}

fn wave<const D: usize>(shape: [usize; D], scale: f32, device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|i| scale * (i as f32 * 1.7 + ((i * i) % 97) as f32 * 0.31).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// By the kernels, or on plain tensors.
fn way(plain: bool) -> RunOptions {
    RunOptions {
        reference_only: plain,
        ..RunOptions::new()
    }
}

/// Runs `work` by the kernels and plainly in turn, and writes one line.
fn compare(name: &str, detail: serde_json::Value, work: impl Fn()) {
    let timed = |plain: bool| {
        let start = Instant::now();
        way(plain).run(&work);
        start.elapsed().as_secs_f64() * 1e3
    };
    let before = launches();
    let cold = [timed(false), timed(true)];
    let launched = launches() - before;
    let mut times = [vec![], vec![]];
    let begun = Instant::now();
    for round in 0..WARM_UP + ROUNDS {
        if round >= WARM_UP + FEWEST_ROUNDS && begun.elapsed() > PATIENCE {
            break;
        }
        for (plain, times) in times.iter_mut().enumerate() {
            let ms = timed(plain == 1);
            if round >= WARM_UP {
                times.push(ms);
            }
        }
    }
    let rounds = times[0].len();
    let [kernels, plain] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    let rounded = |ms: f64| (ms * 100.0).round() / 100.0;
    println!(
        "{}",
        json!({
            "bench": name, "of": detail, "launches": launched, "rounds": rounds,
            "kernels_ms": rounded(kernels), "plain_ms": rounded(plain),
            "ratio": rounded(plain / kernels),
            "cold_kernels_ms": rounded(cold[0]), "cold_plain_ms": rounded(cold[1]),
        })
    );
}

/// The decoder's convolutions of the shipped network, eight faces at a time, and the encoder's.
fn convs(device: &Device) {
    let three = |batch, inputs, outputs, size, norm| (3, batch, inputs, outputs, size, norm);
    let up = |batch, inputs, outputs, size| (4, batch, inputs, outputs, size, Norm::Instance);
    for (side, batch, inputs, outputs, size, norm) in [
        three(1, 3, 12, 96, Norm::None),
        three(1, 12, 24, 48, Norm::None),
        three(1, 24, 24, 48, Norm::Instance),
        three(1, 48, 48, 24, Norm::None),
        three(1, 96, 96, 12, Norm::None),
        three(1, 192, 192, 6, Norm::None),
        three(1, 96, 96, 3, Norm::None),
        up(8, 96, 96, 3),
        three(8, 192, 96, 6, Norm::Instance),
        three(8, 96, 96, 6, Norm::Instance),
        up(8, 96, 48, 6),
        three(8, 96, 96, 12, Norm::Instance),
        three(8, 96, 48, 12, Norm::Instance),
        up(8, 48, 24, 12),
        three(8, 48, 48, 24, Norm::Instance),
        three(8, 48, 24, 24, Norm::Instance),
        up(8, 24, 12, 24),
        three(8, 24, 24, 48, Norm::Instance),
        up(8, 24, 12, 48),
        three(8, 12, 12, 96, Norm::Instance),
        three(8, 12, 6, 96, Norm::None),
    ] {
        let x = wave([batch, inputs, size, size], 1.0, device);
        let prepared = Prepared::default();
        let padding = PaddingConfig2d::Explicit(1, 1, 1, 1);
        let mut conv = Conv2dConfig::new([inputs, outputs], [3, 3])
            .with_padding(padding)
            .init(device);
        conv.weight = Param::from_tensor(wave([outputs, inputs, 3, 3], 0.1, device));
        let mut deconv = ConvTranspose2dConfig::new([inputs, outputs], [4, 4])
            .with_stride([2, 2])
            .with_padding([1, 1])
            .init(device);
        deconv.weight = Param::from_tensor(wave([inputs, outputs, 4, 4], 0.1, device));
        let convolution: Convolution<'_> = if side == 3 {
            (&conv).into()
        } else {
            (&deconv).into()
        };
        let instance = matches!(norm, Norm::Instance);
        let detail = json!({
            "kernel": side, "batch": batch, "inputs": inputs, "outputs": outputs, "map": size,
            "instance_norm": instance,
        });
        compare("fused convolution", detail, || {
            let layer = Layer::prepared(convolution, &prepared);
            // One number is enough to wait for.
            let map = fused_conv(x.clone(), layer, norm, None, Activation::Leaky);
            wait(map.narrow(0, 0, 1).narrow(1, 0, 1).narrow(2, 0, 1));
        });
    }
}

/// One ConvFLU pair at each of its sizes, at the shipped width and at four times it.
fn pairs(device: &Device) {
    for (side, channels, size, convention) in pair_sizes() {
        pair(device, side, channels, size, convention);
    }
}

/// The forward and the backward pass of a pair in training, eight faces at a time.
fn backward(device: &Device) {
    for (side, channels, size, convention) in pair_sizes() {
        trained_pair(&device.clone().autodiff(), side, channels, size, convention);
    }
}

/// Kernel side, channels, size of the map and gate convention.
fn pair_sizes() -> Vec<(usize, usize, usize, GateConvention)> {
    let mut sizes = vec![];
    for width in [12, 48] {
        for (factor, size) in [(2, 24), (4, 12), (8, 6)] {
            sizes.push((1, factor * width, size, GateConvention::ZKeepsInput));
        }
        for size in [24, 12, 6] {
            sizes.push((3, 2 * width, size, GateConvention::ZTakesCandidate));
        }
    }
    sizes
}

fn unit(side: usize, channels: usize, device: &Device) -> UnitWeights {
    let scale = 2.0 / ((2 * channels * side * side) as f32).sqrt();
    let weight = |inputs| wave([channels, inputs, side, side], scale, device);
    UnitWeights {
        w_r: weight(2 * channels),
        w_z: weight(2 * channels),
        u: weight(channels),
        w: weight(channels),
    }
}

fn pair(device: &Device, side: usize, channels: usize, size: usize, convention: GateConvention) {
    let unit = || unit(side, channels, device);
    let prepared = PreparedPair::new(&unit(), &unit());
    let x = wave([1, channels, size, size], 1.7, device);
    let y = x.clone() * 0.7;
    let detail = json!({"kernel": side, "channels": channels, "map": size});
    compare("pair", detail, || {
        let output = convflu_prepared(x.clone(), y.clone(), &prepared, convention, false);
        wait(output.x);
        wait(output.y);
    });
}

fn trained_pair(
    device: &Device,
    side: usize,
    channels: usize,
    size: usize,
    convention: GateConvention,
) {
    const BATCH: usize = 8;
    let tracked = || {
        let unit = unit(side, channels, device);
        UnitWeights {
            w_r: unit.w_r.require_grad(),
            w_z: unit.w_z.require_grad(),
            u: unit.u.require_grad(),
            w: unit.w.require_grad(),
        }
    };
    let (to_x, to_y) = (tracked(), tracked());
    let map = || wave([BATCH, channels, size, size], 1.7, device);
    let (x, y) = (map().require_grad(), (map() * 0.7).require_grad());
    let detail = json!({"kernel": side, "batch": BATCH, "channels": channels, "map": size});
    compare("pair, forward and backward", detail, || {
        let output = convflu(x.clone(), y.clone(), &to_x, &to_y, convention, false);
        let mut gradients = (output.x * output.y).sum().backward();
        let weights = [to_x.w_r.clone(), to_y.w.clone()];
        for input in [x.clone(), y.clone()].into_iter().chain(weights) {
            // One number of each is enough to wait for.
            let gradient = input.grad_remove(&mut gradients).expect("a gradient");
            wait(gradient.slice([0..1, 0..1, 0..1, 0..1]));
        }
    });
}

/// The shipped network.
fn shipped_network(device: &Device) {
    let network = match shipped_weights().and_then(|bytes| weights::load(&bytes, device)) {
        Ok(network) => network.into_inference(),
        Err(error) => {
            eprintln!("the shipped weights: {error}");
            std::process::exit(1);
        }
    };
    both_tasks(&network, device);
}

/// Networks of random weights that only differ in width: their time against their multiply-adds.
fn growth(device: &Device) {
    for width in [8, 16, 32, 64] {
        let edition = Edition::Release2021;
        let config = NetworkConfig::new(edition, Variant::Fersnet, width, 3, &CLASSES);
        match Network::new(config.with_head(Head::Warp), device) {
            Ok(network) => both_tasks(&network.into_inference(), device),
            Err(error) => eprintln!("no network of width {width}: {error}"),
        }
    }
}

/// Recognition, and recognition with every expression redrawn.
fn both_tasks(network: &InferenceNetwork, device: &Device) {
    let config = network.config();
    let classes = config.classes.len();
    let cost = Cost::of(config);
    let x = wave([1, config.channels, FACE_SIZE, FACE_SIZE], 0.5, device) + 0.5;
    let Some(targets) = config.each_expression() else {
        eprintln!("not every class of this network has a preset");
        return;
    };
    let table = TensorData::new(targets.concat(), [classes, config.target_width()]);
    let targets = Tensor::<2>::from_data(table, device);
    let detail = |macs: u64| json!({"width": config.width, "multiply_adds": macs});
    compare("recognition", detail(cost.encoder_macs), || {
        wait(network.encode(x.clone(), false).logits);
    });
    let macs = cost.encoder_macs + classes as u64 * cost.decoder_macs;
    compare("recognition and all faces", detail(macs), || {
        let encoded = network.encode(x.clone(), false);
        wait(encoded.logits.clone());
        if let Some(drawn) = network.decode(&encoded, targets.clone()) {
            wait(drawn.face);
        }
    });
}
