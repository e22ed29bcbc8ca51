//! The backward kernels of a ConvFLU pair against the gradients of its reference implementation, and a
//! training step of a whole network on wgpu against the same step on the CPU.
//!
//! The kernels run on the default wgpu adapter: a GPU, or Mesa's lavapipe.
#![cfg(all(feature = "native", feature = "gpu"))]

mod gpu;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Gradients, Tensor, TensorData};
use fersnet::kernels::{
    GateConvention, PairOutput, UnitWeights, convflu, convflu_reference, launches,
};
use fersnet::network::weights::{self, Precision};
use fersnet::network::{Edition, Head, Network, NetworkConfig, Variant};
use gpu::gpu;

/// Kernels against the reference's graph, both f32, relative to the largest gradient of the tensor: sums of
/// some thousand products in another order, and h got back from the output.
const TWIN_TOLERANCE: f64 = 1e-4;
/// Kernels in f32 against differences of the reference in f64, relative to the largest gradient.
const DIFFERENCE_TOLERANCE: f64 = 1e-4;
/// Step of those differences: their own error is about its square.
const STEP: f64 = 1e-4;
/// The same where pre-activations of some thousands leave f32 an absolute error near 1e-4, which a
/// sigmoid's tail makes a relative one.
const SHUT_TOLERANCE: f64 = 1e-3;
/// Losses of a network on two devices, relative.
const LOSS_TOLERANCE: f32 = 1e-4;
/// Each parameter's gradient in a network, root mean square relative to its own: where a ReLU or a
/// maximum lies within rounding of its edge, the devices take different sides (on plain tensors too).
const NETWORK_TOLERANCE: f64 = 3e-2;
/// A gradient this much smaller than the largest is measured against that instead: what goes into a
/// norm has a bias whose gradient is 0 but for rounding.
const SMALL_GRADIENT: f64 = 1e-4;

const CONVENTIONS: [GateConvention; 2] =
    [GateConvention::ZTakesCandidate, GateConvention::ZKeepsInput];
/// Kernels of one direction's backward pass: through the outputs, the leak and the inputs, and two for
/// the weights.
const BACKWARD_LAUNCHES: usize = 5;
/// x, y, and W_r, W_z, U, W into x, then into y.
const NAMES: [&str; 10] = [
    "x", "y", "W_r,x", "W_z,x", "U_x", "W_x", "W_r,y", "W_z,y", "U_y", "W_y",
];

/// A square kernel's side and `[batch, channels, height, width]`.
type Case = (usize, [usize; 4]);

/// Seeded numbers in (-scale, scale), by a linear congruential generator.
fn numbers(seed: u64, count: usize, scale: f64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1u32 << 23) - 1.0
    };
    (0..count).map(|_| scale * next()).collect()
}

/// The inputs of a case in the order of [`NAMES`], and what weighs the outputs' values in the loss.
struct Data {
    shapes: [[usize; 4]; 10],
    values: [Vec<f64>; 10],
    weigh: [Vec<f64>; 2],
}

impl Data {
    fn new((side, map): Case) -> Self {
        let [_, c, _, _] = map;
        let (wide, square) = ([c, 2 * c, side, side], [c, c, side, side]);
        let shapes = [
            map, map, wide, wide, square, square, wide, wide, square, square,
        ];
        // Sums then have a deviation near 1: gates neither shut nor all alike.
        let weight = 2.0 / ((2 * c * side * side) as f64).sqrt();
        let count = |shape: [usize; 4]| shape.iter().product();
        Self {
            shapes,
            values: std::array::from_fn(|i| {
                let scale = if i < 2 { 1.7 } else { weight };
                numbers(3 + i as u64, count(shapes[i]), scale)
            }),
            weigh: [31, 32].map(|seed| numbers(seed, count(map), 1.0)),
        }
    }

    fn tensors(&self, device: &Device, dtype: DType) -> [Tensor<4>; 10] {
        std::array::from_fn(|i| {
            let data = TensorData::new(self.values[i].clone(), self.shapes[i]);
            Tensor::from_data(data, (device, dtype))
        })
    }

    /// The weighed sum of both outputs.
    fn loss(&self, output: PairOutput) -> Tensor<1> {
        let dtype = output.x.dtype();
        let weighed = |output: Tensor<4>, i: usize| {
            let data = TensorData::new(self.weigh[i].clone(), self.shapes[0]);
            let weigh = Tensor::from_data(data, (&output.device(), dtype));
            (output * weigh).sum()
        };
        weighed(output.x, 0) + weighed(output.y, 1)
    }
}

fn units(tensors: &[Tensor<4>; 10]) -> (UnitWeights, UnitWeights) {
    let unit = |i: usize| UnitWeights {
        w_r: tensors[i].clone(),
        w_z: tensors[i + 1].clone(),
        u: tensors[i + 2].clone(),
        w: tensors[i + 3].clone(),
    };
    (unit(2), unit(6))
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// A pair by its kernels, or by its reference.
fn pair(tensors: &[Tensor<4>; 10], convention: GateConvention, plain: bool) -> PairOutput {
    let (to_x, to_y) = units(tensors);
    let (x, y) = (tensors[0].clone(), tensors[1].clone());
    if plain {
        convflu_reference(x, y, &to_x, &to_y, convention, false)
    } else {
        convflu(x, y, &to_x, &to_y, convention, false)
    }
}

/// Gradients of the inputs that `tracked` marks.
fn gradients(
    data: &Data,
    device: &Device,
    convention: GateConvention,
    tracked: impl Fn(usize) -> bool,
) -> Vec<Option<Vec<f64>>> {
    let mut i = 0;
    let tensors = data.tensors(&device.clone().autodiff(), DType::F32);
    let tensors = tensors.map(|tensor| {
        i += 1;
        if tracked(i - 1) {
            tensor.require_grad()
        } else {
            tensor
        }
    });
    let found = data.loss(pair(&tensors, convention, false)).backward();
    tensors.map(|tensor| tensor.grad(&found).map(values)).into()
}

/// The largest difference, relative to the largest value of `b`.
fn relative_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "as many values");
    let largest = b.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    let pairs = a.iter().zip(b);
    let worst = pairs.fold(0.0f64, |most, (a, b)| {
        assert!(a.is_finite(), "a gradient is not finite");
        most.max((a - b).abs())
    });
    worst / largest
}

fn kernels_against_reference(name: &str, cases: &[Case], conventions: &[GateConvention]) {
    let mut worst = 0.0f64;
    for &case in cases {
        let data = Data::new(case);
        for &convention in conventions {
            let gpu = gpu();
            let before = launches();
            let ours = gradients(&data, &gpu.device, convention, |_| true);
            let forward = if case.0 == 1 && case.1[1] <= 64 { 1 } else { 2 };
            assert_eq!(
                launches() - before,
                forward + 2 * BACKWARD_LAUNCHES,
                "{case:?}: the kernels did not run"
            );
            drop(gpu);
            let plain = gradients(&data, &Device::flex(), convention, |_| true);
            for (name, (ours, plain)) in NAMES.iter().zip(ours.iter().zip(&plain)) {
                let (ours, plain) = ours.as_ref().zip(plain.as_ref()).expect("gradients");
                let difference = relative_difference(ours, plain);
                assert!(
                    difference <= TWIN_TOLERANCE,
                    "{case:?} {convention:?} {name}: {difference:e} apart"
                );
                worst = worst.max(difference);
            }
        }
    }
    println!("{name}: largest relative difference {worst:e}");
}

#[test]
fn gradients_equal_those_of_the_reference_at_the_networks_sizes() {
    let mut cases = vec![];
    for (channels, size) in [(24, 24), (48, 12), (96, 6)] {
        cases.push((1, [2, channels, size, size]));
    }
    for size in [24, 12, 6, 3] {
        cases.push((3, [3, 24, size, size]));
    }
    kernels_against_reference("network sizes", &cases, &CONVENTIONS);
}

#[test]
fn gradients_equal_those_of_the_reference_on_odd_channels_and_maps() {
    let mut cases = vec![];
    for channels in [1, 6, 33, 67] {
        for [height, width] in [[1, 1], [2, 5], [5, 13], [9, 19]] {
            cases.push((3, [2, channels, height, width]));
            // One pass takes maps of a multiple of four pixels alone.
            let width = if channels <= 64 { 4 * width } else { width };
            cases.push((1, [2, channels, height, width]));
        }
    }
    kernels_against_reference("odd shapes", &cases, &CONVENTIONS[1..]);
}

#[test]
fn gradients_equal_those_of_the_reference_where_the_pixels_are_in_many_splits() {
    let cases = [
        (1, [16, 4, 12, 12]),
        (3, [16, 4, 12, 12]),
        (3, [8, 8, 24, 24]),
    ];
    kernels_against_reference("splits", &cases, &CONVENTIONS[..1]);
}

#[test]
fn gradients_equal_finite_differences() {
    let mut worst = 0.0f64;
    for side in [1, 3] {
        let data = Data::new((side, [2, 2, 3, 4]));
        for convention in CONVENTIONS {
            let ours = {
                let gpu = gpu();
                gradients(&data, &gpu.device, convention, |_| true)
            };
            let tensors = data.tensors(&Device::flex(), DType::F64);
            let loss_at = |i: usize, j: usize, change: f64| -> f64 {
                let mut changed = data.values[i].clone();
                changed[j] += change;
                let changed = TensorData::new(changed, data.shapes[i]);
                let mut tensors = tensors.clone();
                tensors[i] = Tensor::from_data(changed, (&Device::flex(), DType::F64));
                values(data.loss(pair(&tensors, convention, true)))[0]
            };
            for (i, ours) in ours.into_iter().enumerate() {
                let ours = ours.expect("a gradient");
                let differences: Vec<f64> = (0..ours.len())
                    .map(|j| (loss_at(i, j, STEP) - loss_at(i, j, -STEP)) / (2.0 * STEP))
                    .collect();
                worst = worst.max(relative_difference(&ours, &differences));
            }
        }
    }
    println!("finite differences: largest relative difference {worst:e}");
    assert!(worst <= DIFFERENCE_TOLERANCE, "{worst:e} apart");
}

#[test]
fn only_what_is_tracked_is_computed() {
    let data = Data::new((3, [2, 6, 5, 5]));
    let convention = GateConvention::ZTakesCandidate;
    let all = gradients(&data, &Device::flex(), convention, |_| true);
    let gpu = gpu();
    let features = |i: usize| i < 2;
    let weights = |i: usize| i >= 2;
    let forward = 2;
    for (tracked, expected) in [
        (&features as &dyn Fn(usize) -> bool, forward + 2 * 3),
        (&weights, forward + 2 * 4),
        (&|i| i == 5, forward + 4),
        (&|_| true, forward + 2 * 5),
    ] {
        let before = launches();
        let ours = gradients(&data, &gpu.device, convention, tracked);
        assert_eq!(launches() - before, expected);
        for (i, (ours, all)) in ours.iter().zip(&all).enumerate() {
            assert_eq!(ours.is_some(), tracked(i), "{}", NAMES[i]);
            if let (Some(ours), Some(all)) = (ours, all) {
                assert!(relative_difference(ours, all) <= TWIN_TOLERANCE);
            }
        }
    }
}

#[test]
fn one_output_alone_has_gradients() {
    let data = Data::new((1, [2, 6, 5, 4]));
    let of_x = |device: &Device, plain: bool| {
        let tensors = data.tensors(&device.clone().autodiff(), DType::F32);
        let tensors = tensors.map(Tensor::require_grad);
        // A sum's gradient is a view of one number.
        let found = pair(&tensors, CONVENTIONS[1], plain).x.sum().backward();
        tensors.map(|tensor| tensor.grad(&found).map(values))
    };
    let gpu = gpu();
    let before = launches();
    let ours = of_x(&gpu.device, false);
    assert_eq!(launches() - before, 1 + BACKWARD_LAUNCHES);
    let plain = of_x(&Device::flex(), true);
    for (i, (ours, plain)) in ours.iter().zip(&plain).enumerate() {
        if i >= 6 {
            assert!(ours.is_none(), "{} has no part in x", NAMES[i]);
            continue;
        }
        let (ours, plain) = ours.as_ref().zip(plain.as_ref()).expect("gradients");
        assert!(relative_difference(ours, plain) <= TWIN_TOLERANCE);
    }
}

#[test]
fn shut_and_open_gates_have_finite_gradients() {
    let mut data = Data::new((1, [1, 4, 4, 4]));
    for i in [3, 7] {
        data.values[i].iter_mut().for_each(|v| *v *= 1e3);
    }
    for convention in CONVENTIONS {
        let plain = gradients(&data, &Device::flex(), convention, |_| true);
        let gpu = gpu();
        let ours = gradients(&data, &gpu.device, convention, |_| true);
        for ((name, ours), plain) in NAMES.iter().zip(ours).zip(plain) {
            let (ours, plain) = ours.zip(plain).expect("gradients");
            let difference = relative_difference(&ours, &plain);
            assert!(difference <= SHUT_TOLERANCE, "{name}: {difference:e}");
        }
    }
}

struct Collect<'a> {
    gradients: &'a Gradients,
    found: Vec<Vec<f64>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            self.found.push(values(gradient));
        }
    }
}

/// Loss and each parameter's gradient of one training step over two faces.
fn training_step(file: &[u8], device: &Device) -> (f32, Vec<Vec<f64>>) {
    const SHAPE: [usize; 4] = [2, 3, 96, 96];
    let network = weights::load(file, device).expect("weights").train();
    let device = device.clone().autodiff();
    let picture = |seed: u64| {
        let values = numbers(seed, SHAPE.iter().product(), 0.5);
        Tensor::<4>::from_data(TensorData::new(values, SHAPE), (&device, DType::F32)) + 0.5
    };
    let encoded = network.encode(picture(1), false);
    let wanted = Tensor::from_data([[1.0_f32, 0.0, 0.0], [0.2, 0.3, 0.5]], &device);
    let mut loss = (encoded.logits.clone() - wanted.clone()).square().sum();
    if let Some(drawn) = network.decode(&encoded, wanted) {
        loss = loss + (drawn.face - picture(2)).square().mean() * 10.0;
    }
    let gradients = loss.backward();
    let mut collect = Collect {
        gradients: &gradients,
        found: vec![],
    };
    network.visit(&mut collect);
    (values(loss)[0] as f32, collect.found)
}

/// Root of the summed squares.
fn power(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

#[test]
fn a_training_step_on_wgpu_equals_the_one_on_the_cpu() {
    let cpu = Device::flex();
    for edition in [Edition::Release2021, Edition::Paper2020] {
        cpu.seed(7);
        let classes = ["neutral", "happiness", "fear"];
        let mut config = NetworkConfig::new(edition, Variant::Fersnet, 4, 3, &classes);
        config.head = Head::Raw;
        let network = Network::new(config, &cpu).expect("a network");
        let file = weights::save(&network, Precision::Full).expect("saved");

        let (cpu_loss, cpu_gradients) = training_step(&file, &cpu);
        let gpu = gpu();
        let before = launches();
        let (loss, gradients) = training_step(&file, &gpu.device);
        assert!(launches() - before > 2 * BACKWARD_LAUNCHES);

        let loss_gap = (loss - cpu_loss).abs() / cpu_loss.abs();
        assert_eq!(gradients.len(), cpu_gradients.len());
        let largest = cpu_gradients.iter().map(|g| power(g)).fold(0.0, f64::max);
        let mut gap = 0.0f64;
        for (ours, cpu) in gradients.iter().zip(&cpu_gradients) {
            let difference: Vec<f64> = ours.iter().zip(cpu).map(|(a, b)| a - b).collect();
            gap = gap.max(power(&difference) / power(cpu).max(SMALL_GRADIENT * largest));
        }
        println!("{edition:?}: losses {loss_gap:e}, gradients {gap:e} apart");
        assert!(loss_gap <= LOSS_TOLERANCE, "losses {loss_gap:e} apart");
        assert!(gap <= NETWORK_TOLERANCE, "gradients {gap:e} apart");
    }
}
