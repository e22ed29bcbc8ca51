//! A training step on LibTorch, where groups of operations are one, against the same step in plain
//! operations on Burn's own CPU backend. Run with `--features tch` (docs/training.md).
#![cfg(feature = "tch")]
#![expect(deprecated, reason = "no other CPU backend of Burn trains as fast")]

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::conv::{Conv2dConfig, ConvTranspose2dConfig};
use burn::nn::{BatchNormConfig, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use fersnet::kernels::{
    Activation, GateConvention, Norm, RunOptions, TrainingPrecision, UnitWeights, convflu,
    fused_conv, resample, style,
};
use fersnet::network::weights::{self, Precision};
use fersnet::network::{Discriminator, Edition, Head, Network, NetworkConfig, Variant};

/// One step in f32, sums in another order, relative to the largest value.
const STEP_TOLERANCE: f32 = 1e-4;
/// The same where products carry bf16's 8 bits.
const HALF_TOLERANCE: f32 = 3e-2;
/// All gradients of a network, root mean square relative to their own: where a ReLU or a maximum
/// lies within rounding of its edge, the devices take different sides.
const NETWORK_TOLERANCE: f32 = 1e-2;
const CLASSES: [&str; 3] = ["neutral", "happiness", "fear"];
const SIDE: usize = 96;
const BATCH: usize = 4;

/// Values and gradients of one pass: loss, then each parameter's gradient, then the statistics.
struct Pass {
    loss: f32,
    gradients: Vec<Vec<f32>>,
    statistics: Vec<f32>,
}

struct Collect<'a> {
    gradients: &'a Gradients,
    found: Vec<Vec<f32>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            self.found.push(values(gradient));
        }
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn picture(seed: f32, device: &Device) -> Tensor<4> {
    let values = (0..BATCH * 3 * SIDE * SIDE)
        .map(|i| 0.5 + 0.5 * (i as f32 * 0.37 + seed + (i / SIDE) as f32 * 0.11).sin());
    Tensor::from_data(
        TensorData::new(values.collect::<Vec<f32>>(), [BATCH, 3, SIDE, SIDE]),
        device,
    )
}

fn pass(file: &[u8], device: &Device) -> Pass {
    let network = weights::load(file, device).expect("weights").train();
    let device = device.clone().autodiff();
    let encoded = network.encode(picture(0.0, &device), false);
    let wanted = [
        [1.0_f32, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.2, 0.3, 0.5],
    ];
    let wanted = Tensor::from_data(wanted, &device);
    let mut loss = (encoded.logits.clone() * wanted.clone()).sum();
    if let Some(drawn) = network.decode(&encoded, wanted) {
        loss = loss + (drawn.face - picture(1.0, &device)).square().mean() * 10.0;
    }
    let gradients = loss.backward();
    let mut collect = Collect {
        gradients: &gradients,
        found: Vec::new(),
    };
    network.visit(&mut collect);
    let tensors = weights::to_tensors(&network.valid());
    Pass {
        loss: values(loss)[0],
        gradients: collect.found,
        statistics: tensors
            .iter()
            .filter(|(name, _)| name.contains("running"))
            .flat_map(|(_, tensor)| tensor.values.clone())
            .collect(),
    }
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

fn largest_gap(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

/// Root mean square of the difference, relative to that of `a`.
fn relative_gap(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let power = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    let difference = power(&mut a.iter().zip(b).map(|(a, b)| a - b));
    (difference / power(&mut a.iter().copied())).sqrt()
}

fn weight_file(edition: Edition, variant: Variant, head: Head) -> Vec<u8> {
    let device = Device::flex();
    device.seed(7);
    let mut config = NetworkConfig::new(edition, variant, 4, 3, &CLASSES);
    config.head = head;
    let network = Network::new(config, &device).expect("a network");
    weights::save(&network, Precision::Full).expect("saved")
}

const CASES: [(Edition, Variant, Head); 4] = [
    (Edition::Release2021, Variant::Fersnet, Head::Warp),
    (Edition::Release2021, Variant::Single, Head::Raw),
    (Edition::Paper2020, Variant::Fersnet, Head::Raw),
    (Edition::Paper2020, Variant::Hard, Head::Residual),
];

#[test]
fn grouped_steps_have_the_gradients_of_plain_ones() {
    for (edition, variant, head) in CASES {
        let file = weight_file(edition, variant, head);
        let plain = pass(&file, &Device::flex());
        let grouped = pass(&file, &Device::libtorch());
        let gap = (plain.loss - grouped.loss).abs() / plain.loss.abs();
        assert!(
            gap < 1e-4,
            "{edition:?} {variant:?}: losses differ by {gap}"
        );
        assert!(largest_gap(&plain.statistics, &grouped.statistics) < 1e-4);
        assert_eq!(plain.gradients.len(), grouped.gradients.len());
        let gap = relative_gap(&plain.gradients.concat(), &grouped.gradients.concat());
        assert!(gap < NETWORK_TOLERANCE, "{edition:?} {variant:?}: {gap}");
    }
}

/// Smooth values between -1 and 1.
fn wave<const D: usize>(shape: [usize; D], seed: f32, device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values = (0..count).map(|i| (seed + i as f32 * (1.3 + seed)).sin());
    Tensor::from_data(TensorData::new(values.collect::<Vec<f32>>(), shape), device)
}

/// Output and gradients of the inputs, flat, of a function of them; its output is weighed by a wave.
fn differentiate(
    shapes: &[[usize; 4]],
    device: &Device,
    function: impl Fn(&[Tensor<4>], &Device) -> Tensor<4>,
) -> Vec<f32> {
    let device = device.clone().autodiff();
    let inputs: Vec<Tensor<4>> = shapes
        .iter()
        .enumerate()
        .map(|(i, shape)| wave(*shape, 0.1 + i as f32, &device).require_grad())
        .collect();
    let out = function(&inputs, &device);
    let weights = wave(out.dims(), 0.7, &device);
    let gradients = (out.clone() * weights).sum().backward();
    let mut all = values(out);
    for input in inputs {
        all.extend(values(input.grad(&gradients).expect("a gradient")));
    }
    all
}

/// LibTorch against plain operations; where `half`, also in bf16.
fn assert_alike(
    what: &str,
    half: bool,
    shapes: &[[usize; 4]],
    function: impl Fn(&[Tensor<4>], &Device) -> Tensor<4>,
) {
    let plain = differentiate(shapes, &Device::flex(), &function);
    let grouped = differentiate(shapes, &Device::libtorch(), &function);
    let gap = largest_gap(&plain, &grouped) / largest(&plain);
    assert!(gap < STEP_TOLERANCE, "{what}: {gap}");
    if half {
        let options = RunOptions {
            precision: TrainingPrecision::Half,
            ..RunOptions::new()
        };
        let narrow = options.run(|| differentiate(shapes, &Device::libtorch(), &function));
        let gap = relative_gap(&plain, &narrow);
        assert!(gap > 1e-5, "{what}: bf16 changes nothing");
        assert!(gap < HALF_TOLERANCE, "{what} in bf16: {gap}");
    }
}

const ACTIVATIONS: [Activation; 3] = [Activation::None, Activation::Relu, Activation::Leaky];

#[test]
fn each_group_is_differentiated_alike() {
    for (i, activation) in ACTIVATIONS.into_iter().enumerate() {
        for norm in ["none", "instance", "batch"] {
            let what = format!("{norm} norm, {activation:?}");
            let bias = i != 1;
            let shapes = [[2, 3, 6, 6], [2, 4, 6, 6]];
            assert_alike(&what, i == 0, &shapes, |inputs, device| {
                let conv = Conv2dConfig::new([3, 4], [3, 3])
                    .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                    .with_bias(bias);
                let mut conv = conv.init(device);
                conv.weight = Param::from_tensor(wave([4, 3, 3, 3], 0.4, device));
                conv.bias = bias.then(|| Param::from_tensor(wave([4], 0.2, device)));
                let batch_norm = BatchNormConfig::new(4).init(device);
                let norm = match norm {
                    "none" => Norm::None,
                    "instance" => Norm::Instance,
                    _ => Norm::Batch(&batch_norm),
                };
                let shortcut = Some(inputs[1].clone());
                fused_conv(inputs[0].clone(), &conv, norm, shortcut, activation)
            });
        }
    }
    assert_alike("transposed", true, &[[2, 3, 6, 6]], |inputs, device| {
        let conv = ConvTranspose2dConfig::new([3, 2], [4, 4])
            .with_stride([2, 2])
            .with_padding([1, 1])
            .with_bias(false);
        let mut conv = conv.init(device);
        conv.weight = Param::from_tensor(wave([3, 2, 4, 4], 0.4, device));
        let norm = Norm::Instance;
        fused_conv(inputs[0].clone(), &conv, norm, None, Activation::None)
    });
    let shapes = [[1, 3, 5, 5], [2, 6, 1, 1]];
    assert_alike("style", false, &shapes, |inputs, device| {
        let mut linear = LinearConfig::new(6, 6).init(device);
        let weight = wave([6, 6], 0.4, device);
        linear.weight = Param::from_tensor(weight);
        linear.bias = None;
        style(
            inputs[0].clone(),
            inputs[1].clone().reshape([2, 6]),
            &linear,
        )
    });
    let shapes = [[1, 3, 7, 7], [1, 7, 7, 2]];
    assert_alike("resample", false, &shapes, |inputs, _| {
        resample(inputs[0].clone(), inputs[1].clone())
    });
    for side in [1, 3] {
        for convention in [GateConvention::ZTakesCandidate, GateConvention::ZKeepsInput] {
            let (wide, square) = ([4, 8, side, side], [4, 4, side, side]);
            let map = [2, 4, 5, 5];
            let shapes = [
                map, map, wide, wide, square, square, wide, wide, square, square,
            ];
            let what = format!("pair {side} {convention:?}");
            assert_alike(&what, true, &shapes, |inputs, _| {
                let unit = |i: usize| UnitWeights {
                    w_r: inputs[i].clone(),
                    w_z: inputs[i + 1].clone(),
                    u: inputs[i + 2].clone(),
                    w: inputs[i + 3].clone(),
                };
                let (x, y) = (inputs[0].clone(), inputs[1].clone());
                let pair = convflu(x, y, &unit(2), &unit(6), convention, false);
                Tensor::cat(vec![pair.x, pair.y], 0)
            });
        }
    }
}

#[test]
fn the_discriminator_scores_alike() {
    let device = Device::flex();
    device.seed(3);
    let plain = Discriminator::new(3, CLASSES.len(), &device);
    let grouped = plain.clone().to_device(&Device::libtorch()).train();
    let score = |discriminator: &Discriminator, device: &Device| {
        let label = Tensor::<2>::from_data([[1.0_f32, 0.0, 0.0]; BATCH], device);
        values(discriminator.forward(picture(0.5, device), label))
    };
    let a = score(&plain.train(), &device.autodiff());
    let b = score(&grouped, &Device::libtorch().autodiff());
    assert!(largest_gap(&a, &b) < 1e-4);
}
