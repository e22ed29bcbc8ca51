//! The ConvFLU kernels against their reference implementation, and that against the paper's equations
//! written as loops in f64.
//!
//! The kernels run on the default wgpu adapter: a GPU, or Mesa's lavapipe.
#![cfg(all(feature = "native", feature = "gpu"))]

mod gpu;

use burn::tensor::{Device, Tensor, TensorData};
use fersnet::kernels::{
    GateConvention, PairOutput, PreparedPair, UnitWeights, convflu, convflu_prepared,
    convflu_reference, kernels_available, launches,
};
use gpu::gpu;

/// Kernel against reference, both f32: values within (-2, 2), sums of up to 1,152 products in another
/// order, and the adapter's own exp and tanh.
const KERNEL_TOLERANCE: f32 = 2e-5;
/// The reference in f32 against f64.
const TWIN_TOLERANCE: f64 = 1e-5;
/// Gradients in f32 against differences of the f64 loops, relative to the largest gradient.
const GRADIENT_TOLERANCE: f64 = 1e-4;
/// Step of those differences: their own error is about its square.
const STEP: f64 = 1e-4;

const CONVENTIONS: [GateConvention; 2] =
    [GateConvention::ZTakesCandidate, GateConvention::ZKeepsInput];

/// A square kernel's side and `[batch, channels, height, width]`.
type Case = (usize, [usize; 4]);

/// Seeded numbers in (-1, 1), by a linear congruential generator.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn take(&mut self, count: usize, scale: f32) -> Vec<f32> {
        (0..count).map(|_| self.next() * scale).collect()
    }
}

/// The data of a case: x, y, and W_r, W_z, U, W of both directions.
#[derive(Clone)]
struct Data {
    side: usize,
    shape: [usize; 4],
    values: [Vec<f32>; 10],
}

impl Data {
    fn new((side, shape): Case, seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        let [_, c, _, _] = shape;
        // Sums then have a deviation near 1: gates neither shut nor all alike.
        let scale = 2.0 / ((2 * c * side * side) as f32).sqrt();
        let values = std::array::from_fn(|i| match i {
            0 | 1 => numbers.take(shape.iter().product(), 1.7),
            _ => numbers.take(Self::weight_shape(side, c, i).iter().product(), scale),
        });
        Self {
            side,
            shape,
            values,
        }
    }

    fn weight_shape(side: usize, c: usize, i: usize) -> [usize; 4] {
        let inputs = if (i - 2) % 4 < 2 { 2 * c } else { c };
        [c, inputs, side, side]
    }

    fn tensor(&self, i: usize, device: &Device) -> Tensor<4> {
        let shape = match i {
            0 | 1 => self.shape,
            _ => Self::weight_shape(self.side, self.shape[1], i),
        };
        Tensor::from_data(TensorData::new(self.values[i].clone(), shape), device)
    }

    fn tensors(&self, device: &Device) -> [Tensor<4>; 10] {
        std::array::from_fn(|i| self.tensor(i, device))
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

fn values(tensor: Tensor<4>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("f32 values")
}

/// x, y and, if they were kept, the gates r and z into x and into y.
fn all_values(output: PairOutput) -> Vec<Vec<f32>> {
    let mut all = vec![values(output.x), values(output.y)];
    if let Some((to_x, to_y)) = output.gates {
        all.extend([to_x.r, to_x.z, to_y.r, to_y.z].map(values));
    }
    all
}

fn largest_difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    assert_eq!(a.len(), b.len(), "as many tensors");
    let mut worst = 0.0f32;
    for (a, b) in a.iter().zip(b) {
        assert_eq!(a.len(), b.len(), "as many values");
        for (a, b) in a.iter().zip(b) {
            assert!(a.is_finite(), "a value is not finite");
            worst = worst.max((a - b).abs());
        }
    }
    worst
}

/// Kernels that a case takes: none where a map is no whole number of the quads of one pass.
fn passes((side, [_, channels, height, width]): Case) -> usize {
    if side != 1 || channels > 64 {
        2
    } else {
        usize::from((height * width).is_multiple_of(4))
    }
}

/// Runs the kernels and the reference on the same data; gives the largest difference.
fn kernel_against_reference(case: Case, convention: GateConvention, keep_gates: bool) -> f32 {
    let data = Data::new(case, 7 + case.1.iter().sum::<usize>() as u64);
    let gpu = gpu();
    let on_gpu = data.tensors(&gpu.device);
    let (to_x, to_y) = units(&on_gpu);
    let before = launches();
    let kernel = convflu(
        on_gpu[0].clone(),
        on_gpu[1].clone(),
        &to_x,
        &to_y,
        convention,
        keep_gates,
    );
    let expected = passes(case);
    assert_eq!(launches() - before, expected, "{case:?}: passes");
    let kernel = all_values(kernel);
    drop(gpu);

    let on_cpu = data.tensors(&Device::flex());
    let (to_x, to_y) = units(&on_cpu);
    let [x, y, ..] = on_cpu;
    let reference = all_values(convflu_reference(
        x, y, &to_x, &to_y, convention, keep_gates,
    ));
    assert_eq!(reference.len(), if keep_gates { 6 } else { 2 });
    let difference = largest_difference(&kernel, &reference);
    assert!(
        difference <= KERNEL_TOLERANCE,
        "{case:?} {convention:?} gates {keep_gates}: {difference:e} apart"
    );
    difference
}

fn kernels_against_reference(
    name: &str,
    cases: &[Case],
    conventions: &[GateConvention],
    gates: &[bool],
) {
    let mut worst = 0.0f32;
    for &case in cases {
        for &convention in conventions {
            for &keep_gates in gates {
                worst = worst.max(kernel_against_reference(case, convention, keep_gates));
            }
        }
    }
    println!("{name}: largest difference {worst:e}");
}

#[test]
fn the_wgpu_device_takes_the_kernels_and_the_cpu_does_not() {
    let gpu = gpu();
    assert!(kernels_available(&gpu.device));
    assert!(!kernels_available(&gpu.device.clone().autodiff()));
    assert!(!kernels_available(&Device::flex()));

    let before = launches();
    let tensors = Data::new((1, [1, 4, 4, 4]), 1).tensors(&Device::flex());
    let (to_x, to_y) = units(&tensors);
    let [x, y, ..] = tensors;
    let output = convflu(x, y, &to_x, &to_y, GateConvention::ZKeepsInput, false);
    assert_eq!(output.x.dims(), [1, 4, 4, 4]);
    assert_eq!(launches(), before);
}

#[test]
fn kernels_equal_the_reference_over_the_2021_edition() {
    let mut cases = vec![];
    for n in [4, 8, 12, 16, 24] {
        for (factor, size) in [(2, 24), (4, 12), (8, 6)] {
            cases.push((1, [1, factor * n, size, size]));
        }
    }
    kernels_against_reference(
        "2021 edition",
        &cases,
        &[GateConvention::ZKeepsInput],
        &[false, true],
    );
}

#[test]
fn kernels_equal_the_reference_over_the_2020_edition() {
    let mut cases = vec![];
    for c in [8, 16, 32] {
        for size in [24, 12, 6, 3] {
            cases.push((3, [1, c, size, size]));
        }
    }
    kernels_against_reference(
        "2020 edition",
        &cases,
        &[GateConvention::ZTakesCandidate],
        &[false, true],
    );
}

#[test]
fn kernels_equal_the_reference_for_batches_and_both_gate_conventions() {
    let mut cases = vec![];
    for batch in [2, 5] {
        for side in [1, 3] {
            cases.extend([
                (side, [batch, 16, 24, 24]),
                (side, [batch, 32, 12, 12]),
                (side, [batch, 12, 6, 6]),
                (side, [batch, 24, 3, 3]),
            ]);
        }
        cases.push((1, [batch, 96, 6, 6]));
    }
    kernels_against_reference("batches", &cases, &CONVENTIONS, &[true]);
}

#[test]
fn kernels_equal_the_reference_on_odd_channels_and_maps() {
    let mut cases = vec![];
    for c in [1, 3, 5, 7, 33, 67] {
        for [height, width] in [[1, 1], [2, 5], [7, 3], [5, 13], [1, 40]] {
            for side in [1, 3] {
                cases.push((side, [2, c, height, width]));
            }
        }
    }
    kernels_against_reference(
        "odd shapes",
        &cases,
        &[GateConvention::ZTakesCandidate],
        &[true],
    );
    kernels_against_reference(
        "48 x 48",
        &[(1, [1, 8, 48, 48]), (3, [1, 8, 48, 48])],
        &CONVENTIONS,
        &[false],
    );
}

#[test]
fn views_of_larger_tensors_are_read_as_they_look() {
    let case = (3, [1, 8, 6, 6]);
    let data = Data::new(case, 3);
    let gpu = gpu();
    let run = |device: &Device, transposed: bool| {
        let tensors = data.tensors(device);
        let (to_x, to_y) = units(&tensors);
        let view = |t: &Tensor<4>| {
            if transposed {
                t.clone().permute([0, 1, 3, 2])
            } else {
                Tensor::cat(vec![t.clone(), t.clone() * 2.0], 1).narrow(1, 4, 8)
            }
        };
        let (x, y) = (view(&tensors[0]), view(&tensors[1]));
        all_values(convflu(
            x,
            y,
            &to_x,
            &to_y,
            GateConvention::ZKeepsInput,
            true,
        ))
    };
    for transposed in [true, false] {
        let difference = largest_difference(
            &run(&gpu.device, transposed),
            &run(&Device::flex(), transposed),
        );
        assert!(difference <= KERNEL_TOLERANCE, "{difference:e} apart");
    }
}

#[test]
fn prepared_weights_serve_many_calls() {
    let data = Data::new((1, [2, 16, 6, 6]), 5);
    let gpu = gpu();
    let tensors = data.tensors(&gpu.device);
    let (to_x, to_y) = units(&tensors);
    let pair = PreparedPair::new(&to_x, &to_y);
    let run = || {
        let (x, y) = (tensors[0].clone(), tensors[1].clone());
        all_values(convflu_prepared(
            x,
            y,
            &pair,
            GateConvention::ZKeepsInput,
            false,
        ))
    };
    let before = launches();
    let first = run();
    assert_eq!(first, run());
    assert_eq!(launches() - before, 2);
    let once = convflu(
        tensors[0].clone(),
        tensors[1].clone(),
        &to_x,
        &to_y,
        GateConvention::ZKeepsInput,
        false,
    );
    assert_eq!(first, all_values(once));
}

#[test]
fn large_values_give_finite_features() {
    for side in [1, 3] {
        let mut data = Data::new((side, [1, 8, 6, 6]), 9);
        for values in &mut data.values[..2] {
            values.iter_mut().for_each(|v| *v *= 1e4);
        }
        let gpu = gpu();
        let tensors = data.tensors(&gpu.device);
        let (to_x, to_y) = units(&tensors);
        let [x, y, ..] = tensors;
        let output = convflu(x, y, &to_x, &to_y, GateConvention::ZTakesCandidate, true);
        for value in all_values(output).concat() {
            assert!(value.is_finite());
        }
    }
}

/// The equations as loops in f64: x, y, and the gates r and z into x and into y.
fn by_the_equations(
    side: usize,
    [batch, c, height, width]: [usize; 4],
    values: &[Vec<f64>],
    convention: GateConvention,
) -> Vec<Vec<f64>> {
    let index =
        |b: usize, channel: usize, i: usize, j: usize| ((b * c + channel) * height + i) * width + j;
    // One output of a convolution over the inputs, one after the other on the channels.
    let conv = |weight: &[f64], inputs: &[&[f64]], b: usize, o: usize, i: usize, j: usize| {
        let mut sum = 0.0;
        for (channel, input) in (0..inputs.len() * c).map(|channel| (channel, inputs[channel / c]))
        {
            for di in 0..side {
                for dj in 0..side {
                    let (y, x) = (i + di, j + dj);
                    let pad = side / 2;
                    if y < pad || x < pad || y - pad >= height || x - pad >= width {
                        continue;
                    }
                    let w = ((o * inputs.len() * c + channel) * side + di) * side + dj;
                    sum += weight[w] * input[index(b, channel % c, y - pad, x - pad)];
                }
            }
        }
        sum
    };
    let map = |value: &dyn Fn(usize, usize, usize, usize) -> f64| -> Vec<f64> {
        let mut out = vec![];
        for b in 0..batch {
            for o in 0..c {
                for i in 0..height {
                    for j in 0..width {
                        out.push(value(b, o, i, j));
                    }
                }
            }
        }
        out
    };
    let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
    let receive = |x: &[f64], y: &[f64], weights: &[Vec<f64>]| {
        let [w_r, w_z, u, w] = [0, 1, 2, 3].map(|k| &weights[k]);
        let r = map(&|b, o, i, j| sigmoid(conv(w_r, &[x, y], b, o, i, j)));
        let z = map(&|b, o, i, j| sigmoid(conv(w_z, &[x, y], b, o, i, j)));
        let leaked: Vec<f64> = r.iter().zip(y).map(|(r, y)| r * y).collect();
        let out = map(&|b, o, i, j| {
            let h = (conv(u, &[x], b, o, i, j) + conv(w, &[&leaked], b, o, i, j)).tanh();
            let (x, z) = (x[index(b, o, i, j)], z[index(b, o, i, j)]);
            match convention {
                GateConvention::ZTakesCandidate => (1.0 - z) * x + z * h,
                GateConvention::ZKeepsInput => z * x + (1.0 - z) * h,
            }
        });
        (out, r, z)
    };
    let (x, r_x, z_x) = receive(&values[0], &values[1], &values[2..6]);
    let (y, r_y, z_y) = receive(&values[1], &values[0], &values[6..10]);
    vec![x, y, r_x, z_x, r_y, z_y]
}

fn in_f64(data: &Data) -> Vec<Vec<f64>> {
    let wide = |values: &Vec<f32>| values.iter().map(|&v| f64::from(v)).collect();
    data.values.iter().map(wide).collect()
}

#[test]
fn the_reference_computes_the_papers_equations() {
    let mut worst = 0.0f64;
    for case in [
        (1, [2, 5, 3, 4]),
        (3, [2, 5, 3, 4]),
        (3, [1, 1, 1, 1]),
        (1, [1, 8, 6, 6]),
        (3, [1, 8, 6, 6]),
    ] {
        let data = Data::new(case, 11);
        for convention in CONVENTIONS {
            let tensors = data.tensors(&Device::flex());
            let (to_x, to_y) = units(&tensors);
            let [x, y, ..] = tensors;
            let reference = all_values(convflu_reference(x, y, &to_x, &to_y, convention, true));
            let exact = by_the_equations(case.0, case.1, &in_f64(&data), convention);
            for (reference, exact) in reference.concat().iter().zip(exact.concat()) {
                worst = worst.max((f64::from(*reference) - exact).abs());
            }
        }
    }
    println!("reference against f64 loops: largest difference {worst:e}");
    assert!(worst <= TWIN_TOLERANCE, "{worst:e} apart");
}

#[test]
fn the_references_gradients_equal_finite_differences() {
    let mut worst = 0.0f64;
    for (side, convention) in [
        (1, CONVENTIONS[0]),
        (1, CONVENTIONS[1]),
        (3, CONVENTIONS[0]),
        (3, CONVENTIONS[1]),
    ] {
        let shape = [2, 2, 3, 3];
        let data = Data::new((side, shape), 13);
        let count: usize = shape.iter().product();
        let mut numbers = Numbers(17);
        let weigh: [Vec<f32>; 2] = std::array::from_fn(|_| numbers.take(count, 1.0));

        let device = Device::flex().autodiff();
        let tensors = data.tensors(&device).map(Tensor::require_grad);
        let (to_x, to_y) = units(&tensors);
        let (x, y) = (tensors[0].clone(), tensors[1].clone());
        let output = convflu(x, y, &to_x, &to_y, convention, false);
        let weigh_x = Tensor::from_data(TensorData::new(weigh[0].clone(), shape), &device);
        let weigh_y = Tensor::from_data(TensorData::new(weigh[1].clone(), shape), &device);
        let loss = (output.x * weigh_x).sum() + (output.y * weigh_y).sum();
        let gradients = loss.backward();

        let base = in_f64(&data);
        let loss_at = |i: usize, j: usize, change: f64| -> f64 {
            let mut values = base.clone();
            values[i][j] += change;
            let output = by_the_equations(side, shape, &values, convention);
            let sum = |out: &[f64], weigh: &[f32]| -> f64 {
                out.iter().zip(weigh).map(|(o, w)| o * f64::from(*w)).sum()
            };
            sum(&output[0], &weigh[0]) + sum(&output[1], &weigh[1])
        };
        for (i, tensor) in tensors.iter().enumerate() {
            let gradient = values(tensor.grad(&gradients).expect("a gradient"));
            let differences: Vec<f64> = (0..gradient.len())
                .map(|j| (loss_at(i, j, STEP) - loss_at(i, j, -STEP)) / (2.0 * STEP))
                .collect();
            let largest = differences.iter().fold(0.0f64, |m, d| m.max(d.abs()));
            for (gradient, difference) in gradient.iter().zip(differences) {
                worst = worst.max((f64::from(*gradient) - difference).abs() / largest);
            }
        }
    }
    println!("gradients: largest relative difference {worst:e}");
    assert!(worst <= GRADIENT_TOLERANCE, "{worst:e} apart");
}
