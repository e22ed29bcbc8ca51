//! What only the CPU's kernels do, or are measured at.

use std::time::Instant;

use burn::tensor::{Device, Tensor};
use fersnet::kernels::{
    Activation, Chain, ChainLayer, GateConvention, Norm, PairOutput, PreparedPair, Slope,
    UnitWeights, box_mean, box_mean_reference, chain, chain_reference, convflu_prepared,
    convflu_reference, fused_conv, launches,
};
use fersnet::network::{Edition, Head, Network, NetworkConfig, SHADE_SIDE, Variant};

use crate::gpu::turn;
use crate::operation_cases::{KINDS, Layers, TOLERANCE, difference, wave};

#[test]
fn where_gradients_are_tracked_the_reference_runs() {
    let _turn = turn();
    let device = Device::flex().autodiff();
    let layers = Layers::new(KINDS[0], 3, 4, &device);
    let x = wave([1, 3, 8, 8], 1.0, 0.5, &device).require_grad();
    let before = launches();
    let out = fused_conv(
        x.clone(),
        layers.convolution(),
        Norm::None,
        None,
        Activation::Relu,
    );
    let gradients = out.sum().backward();
    assert_eq!(launches(), before, "a kernel without a backward ran");
    assert!(x.grad(&gradients).is_some());
}

/// A layer of a chain with numbers of its own: outputs, inputs, side, stride, padding.
fn dense([outputs, inputs, side, stride]: [usize; 4], padding: (usize, usize)) -> ChainLayer {
    let device = &Device::flex();
    ChainLayer::Dense {
        weight: wave([outputs, inputs, side, side], 0.3, 1.0, device),
        bias: wave([outputs], 0.2, 2.0, device),
        slope: Slope::Relu,
        stride,
        padding,
    }
}

fn separable([outputs, inputs]: [usize; 2], halve: bool, shortcut: bool) -> ChainLayer {
    let device = &Device::flex();
    ChainLayer::Separable {
        depthwise: wave([inputs, 1, 3, 3], 0.5, 1.0, device),
        pointwise: wave([outputs, inputs, 1, 1], 0.3, 2.0, device),
        bias: wave([outputs], 0.2, 3.0, device),
        slope: if halve {
            Slope::Each(wave([outputs], 0.2, 4.0, device))
        } else {
            Slope::Linear
        },
        halve,
        shortcut,
    }
}

fn assert_chain_equals_its_reference(layers: Vec<ChainLayer>, shape: [usize; 4]) {
    let x = wave(shape, 1.0, 0.5, &Device::flex());
    let layers = Chain::new(layers);
    let before = launches();
    let kernel = chain(x.clone(), &layers, 0..layers.len());
    assert_eq!(launches() - before, 1, "the kernel did not run");
    let reference = chain_reference(x, &layers, 0..layers.len());
    let apart = difference(kernel, reference);
    assert!(apart <= TOLERANCE, "{shape:?}: {apart:e} apart");
}

#[test]
fn each_layer_of_a_chain_equals_its_reference() {
    let _turn = turn();
    for ([inputs, outputs], [height, width]) in [
        ([5, 7], [6, 10]),
        ([24, 24], [4, 130]),
        ([16, 32], [12, 12]),
        ([3, 4], [2, 2]),
        ([128, 128], [6, 6]),
    ] {
        let shape = [2, inputs, height, width];
        for halve in [false, true] {
            for shortcut in [false, true] {
                let layer = separable([outputs, inputs], halve, shortcut);
                assert_chain_equals_its_reference(vec![layer], shape);
            }
        }
        for (side, stride, padding) in [
            (1, 1, (0, 0)),
            (3, 2, (0, 1)),
            (5, 2, (1, 2)),
            (2, 1, (0, 0)),
        ] {
            if side <= height {
                let layer = dense([outputs, inputs, side, stride], padding);
                assert_chain_equals_its_reference(vec![layer], shape);
            }
        }
    }
}

#[test]
fn a_chain_equals_its_layers_one_after_the_other() {
    let _turn = turn();
    let layers = vec![
        dense([10, 3, 5, 2], (1, 2)),
        separable([10, 10], false, true),
        separable([20, 10], true, true),
        separable([20, 20], false, false),
        dense([33, 20, 1, 1], (0, 0)),
        separable([40, 33], true, true),
        dense([6, 40, 3, 1], (0, 0)),
    ];
    assert_chain_equals_its_reference(layers.clone(), [3, 3, 32, 40]);
    // A part of it begins where the one before it ended.
    let layers = Chain::new(layers);
    let x = wave([1, 3, 32, 32], 1.0, 0.5, &Device::flex());
    let halves = chain(chain(x.clone(), &layers, 0..3), &layers, 3..7);
    let apart = difference(halves, chain(x, &layers, 0..7));
    assert!(apart <= TOLERANCE, "{apart:e} apart");
}

#[test]
fn a_convflu_pair_equals_its_reference() {
    let _turn = turn();
    let device = &Device::flex();
    for (side, [batch, channels, height, width]) in [
        (1, [1, 24, 12, 12]),
        (1, [2, 5, 3, 7]),
        (3, [1, 12, 6, 6]),
        (3, [2, 3, 5, 9]),
    ] {
        let shape = [batch, channels, height, width];
        let unit = |seed: f32| {
            let scale = 2.0 / ((2 * channels * side * side) as f32).sqrt();
            let weight = |inputs, more: f32| {
                wave([channels, inputs, side, side], scale, seed + more, device)
            };
            UnitWeights {
                w_r: weight(2 * channels, 0.1),
                w_z: weight(2 * channels, 0.2),
                u: weight(channels, 0.3),
                w: weight(channels, 0.4),
            }
        };
        let (to_x, to_y) = (unit(1.0), unit(5.0));
        let pair = PreparedPair::new(&to_x, &to_y);
        let (x, y) = (wave(shape, 1.7, 2.0, device), wave(shape, 1.2, 8.0, device));
        for convention in [GateConvention::ZKeepsInput, GateConvention::ZTakesCandidate] {
            let before = launches();
            let kernel = convflu_prepared(x.clone(), y.clone(), &pair, convention, true);
            assert_eq!(launches() - before, 1, "the kernel did not run");
            let reference = convflu_reference(x.clone(), y.clone(), &to_x, &to_y, convention, true);
            for (kernel, reference) in maps(kernel).into_iter().zip(maps(reference)) {
                let apart = difference(kernel, reference);
                assert!(
                    apart <= TOLERANCE,
                    "{side} {shape:?} {convention:?}: {apart:e} apart"
                );
            }
        }
    }
}

/// Everything that a pair gives.
fn maps(output: PairOutput) -> Vec<Tensor<4>> {
    let mut maps = vec![output.x, output.y];
    let (fer, fes) = output.gates.expect("the gates were asked for");
    maps.extend([fer.r, fer.z, fes.r, fes.z]);
    maps
}

#[test]
fn the_mean_over_a_square_equals_its_reference_at_the_border_too() {
    let _turn = turn();
    let device = Device::flex();
    for side in [1, 3, 9] {
        for shape in [[1, 1, 1, 1], [2, 3, 7, 5], [1, 2, 4, 96], [8, 3, 96, 96]] {
            let x: Tensor<4> = wave(shape, 2.0, 0.7, &device);
            let before = launches();
            let kernel = box_mean(x.clone(), side);
            assert_eq!(
                launches() - before,
                1,
                "{side} {shape:?}: the kernel did not run"
            );
            let apart = difference(kernel, box_mean_reference(x, side));
            assert!(apart <= TOLERANCE, "{side} {shape:?}: {apart:e} apart");
        }
    }
    // Some channels of a larger map.
    let x: Tensor<4> = wave([2, 5, 9, 12], 2.0, 0.7, &device);
    let view = || x.clone().narrow(1, 2, 3);
    let apart = difference(box_mean(view(), 9), box_mean_reference(view(), 9));
    assert!(apart <= TOLERANCE, "a view: {apart:e} apart");
}

#[test]
#[ignore = "a measurement, not a check: cargo test --release --test operations -- --ignored --nocapture"]
fn how_long_eight_blended_faces_and_their_shading_take() {
    const SHIPPED_WIDTH: usize = 12;
    let _turn = turn();
    let device = Device::flex();
    let classes = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let config = NetworkConfig::new(
        Edition::Release2021,
        Variant::Fersnet,
        SHIPPED_WIDTH,
        3,
        &classes,
    );
    let network = Network::new(config.with_head(Head::Blend), &device).expect("a network");
    let network = network.into_inference();
    let encoded = network.encode(wave([1, 3, 96, 96], 0.5, 0.3, &device) + 0.5, false);
    let targets = Tensor::<2>::eye(8, &device);
    let shading: Tensor<4> = wave([8, 3, 96, 96], 1.0, 0.1, &device);
    let median_ms = |work: &dyn Fn() -> Tensor<4>| {
        let mut times: Vec<f64> = (0..25)
            .map(|_| {
                let start = Instant::now();
                assert!(work().into_data().iter::<f32>().all(f32::is_finite));
                start.elapsed().as_secs_f64() * 1e3
            })
            .skip(5)
            .collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let decode = median_ms(&|| {
        network
            .decode(&encoded, targets.clone())
            .expect("faces")
            .face
    });
    let kernel = median_ms(&|| box_mean(shading.clone(), SHADE_SIDE));
    let plain = median_ms(&|| box_mean_reference(shading.clone(), SHADE_SIDE));
    println!(
        "decode of 8 faces {decode:.2} ms, their shading {kernel:.2} ms, plainly {plain:.2} ms"
    );
}
