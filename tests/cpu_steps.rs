//! The CPU's steps of the network against their plain-tensor twins.
#![cfg(feature = "native")]

mod step_cases;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use burn::tensor::activation::{prelu, relu};
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{Device, Tensor};
use fersnet::kernels::{
    Activation, GateSense, Norm, PackedPair, PairOutput, Separable, UnitWeights, box_mean,
    box_mean_plain, conv_step, conv_step_beside_style, conv_step_plain, convflu_pair_packed,
    convflu_pair_plain, launches, max_pool, style, style_plain,
};
use fersnet::network::{Edition, Head, Network, NetworkConfig, SHADE_SIDE, Variant};
use step_cases::{
    ACTIVATIONS, Case, KINDS, Layers, NormKind, TOLERANCE, difference, linear_layer, wave,
};

/// Expressions of the style's targets.
const CLASSES: usize = 7;

/// One test at a time in a process, so that launches can be counted.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Case {
    /// The step by the CPU's kernels and plainly.
    fn check(self) {
        let device = Device::flex();
        let before = launches();
        let kernel = self.run(&device, false);
        assert!(launches() > before, "{self:?}: the kernels did not run");
        let apart = difference(kernel, self.run(&device, true));
        assert!(apart <= TOLERANCE, "{self:?}: {apart:e} apart");
    }
}

#[test]
fn every_convolution_norm_and_activation_equals_its_twin() {
    let _turn = turn();
    for kind in KINDS {
        for norm in [NormKind::None, NormKind::Instance, NormKind::Batch] {
            for activation in ACTIVATIONS {
                for shortcut in [false, true] {
                    let case = Case {
                        kind,
                        channels: [5, 7],
                        shape: [2, 7, 5],
                        norm,
                        activation,
                        shortcut,
                        pooled: false,
                    };
                    case.check();
                }
            }
        }
    }
}

#[test]
fn every_size_of_tile_and_rest_of_it_equals_its_twin() {
    let _turn = turn();
    for kind in KINDS {
        for channels in [[1, 1], [3, 12], [12, 6], [13, 33]] {
            for [height, width] in [[3, 3], [7, 3], [3, 12], [9, 35], [4, 24], [5, 17], [3, 70]] {
                let case = Case {
                    kind,
                    channels,
                    shape: [3, height, width],
                    norm: NormKind::Batch,
                    activation: Activation::Leaky,
                    shortcut: true,
                    pooled: false,
                };
                case.check();
            }
        }
    }
}

#[test]
fn the_max_pool_after_any_norm_equals_its_twin() {
    let _turn = turn();
    for norm in [NormKind::None, NormKind::Batch, NormKind::Instance] {
        for [height, width] in [[2, 2], [7, 5], [12, 12], [33, 40]] {
            for shortcut in [false, true] {
                let case = Case {
                    kind: KINDS[0],
                    channels: [3, 10],
                    shape: [2, height, width],
                    norm,
                    activation: Activation::Relu,
                    shortcut,
                    pooled: true,
                };
                case.check();
            }
        }
    }
}

#[test]
fn the_style_and_the_up_step_beside_it_equal_their_twins() {
    let _turn = turn();
    let device = &Device::flex();
    for (channels, [height, width]) in [(12, [12, 12]), (5, [4, 6]), (2, [96, 96])] {
        // Of a map with more channels, the style reads the last.
        for (faces, targets, more) in [(1, 1, 0), (1, 3, 4), (3, 3, 0), (3, 3, 2)] {
            let skip = wave([faces, channels + more, height, width], 1.0, 0.1, device);
            let p = wave([targets, CLASSES], 1.0, 0.8, device);
            let layer = linear_layer(CLASSES, 2 * channels, device);
            let x = wave([targets, 4, height / 2, width / 2], 1.0, 0.5, device);
            let layers = Layers::new(KINDS[4], 4, 7, device);
            let convolution = layers.convolution();
            let relu = Activation::Relu;
            let styled = style_plain(skip.clone(), p.clone(), &layer);
            let map = conv_step_plain(x.clone(), convolution, Norm::Instance, None, relu);
            let twin = Tensor::cat(vec![map, styled.clone()], 1);
            let before = launches();
            let alone = style(skip.clone(), p.clone(), &layer);
            let beside = conv_step_beside_style(x, convolution, relu, skip, p, &layer);
            assert_eq!(launches() - before, 2);
            for apart in [difference(alone, styled), difference(beside, twin)] {
                assert!(
                    apart <= TOLERANCE,
                    "{channels} + {more} {height} {faces} {targets}: {apart:e} apart"
                );
            }
        }
    }
}

#[test]
fn a_step_reads_the_first_channels_of_a_map_with_more() {
    let _turn = turn();
    let device = &Device::flex();
    let layers = Layers::new(KINDS[0], 5, 9, device);
    let x = wave([2, 8, 6, 6], 1.0, 0.5, device);
    let convolution = layers.convolution();
    let first = x.clone().narrow(1, 0, 5);
    let twin = conv_step_plain(first, convolution, Norm::None, None, Activation::Relu);
    let kernel = conv_step(x, convolution, Norm::None, None, Activation::Relu);
    assert!(difference(kernel, twin) <= TOLERANCE);
}

#[test]
fn a_map_that_is_a_view_is_read_in_its_own_order() {
    let _turn = turn();
    let device = &Device::flex();
    let layers = Layers::new(KINDS[0], 5, 4, device);
    let turned = wave([2, 6, 9, 5], 1.0, 0.5, device).permute([0, 3, 1, 2]);
    let view = turned.narrow(2, 1, 4); // [2, 5, 4, 9], neither contiguous nor from the start
    let plain = |x| conv_step_plain(x, layers.convolution(), Norm::None, None, Activation::Relu);
    let kernel = conv_step(
        view.clone(),
        layers.convolution(),
        Norm::None,
        None,
        Activation::Relu,
    );
    assert!(difference(kernel, plain(view)) <= TOLERANCE);
}

#[test]
fn where_gradients_are_tracked_the_plain_step_runs() {
    let _turn = turn();
    let device = Device::flex().autodiff();
    let layers = Layers::new(KINDS[0], 3, 4, &device);
    let x = wave([1, 3, 8, 8], 1.0, 0.5, &device).require_grad();
    let before = launches();
    let out = conv_step(
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

#[test]
fn a_separable_block_equals_its_twin() {
    let _turn = turn();
    let device = &Device::flex();
    for ([inputs, outputs], [height, width]) in [
        ([5, 7], [6, 10]),
        ([24, 24], [4, 130]),
        ([16, 32], [12, 12]),
        ([3, 4], [2, 2]),
        ([128, 128], [6, 6]),
    ] {
        for halve in [false, true] {
            for sloped in [false, true] {
                let x = wave([2, inputs, height, width], 1.0, 0.5, device);
                let depthwise = wave([inputs, 1, 3, 3], 0.5, 1.0, device);
                let pointwise = wave([outputs, inputs, 1, 1], 0.3, 2.0, device);
                let bias = wave([outputs], 0.2, 3.0, device);
                let slope = sloped.then(|| wave([outputs], 0.2, 4.0, device));
                let slopes = slope.as_ref();
                let packed = Separable::pack(&depthwise, &pointwise, &bias, slopes, halve)
                    .expect("flex takes the block");
                let (stride, padding) = if halve { (2, (0, 1)) } else { (1, (1, 1)) };
                let options =
                    ConvOptions::new_with_padding([stride; 2], [padding; 2], [1, 1], inputs);
                let middle = conv2d(x.clone(), depthwise, None, options);
                let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
                let alone = conv2d(middle, pointwise, Some(bias), options);
                let added = if halve {
                    max_pool(x.clone())
                } else {
                    x.clone()
                };
                let empty = [(0, outputs - inputs), (0, 0), (0, 0)];
                let sum = alone.clone() + added.pad(empty, PadMode::Constant(0.0));
                let whole = match slope {
                    Some(slope) => prelu(sum, slope),
                    None => relu(sum),
                };
                for (is_alone, twin) in [(true, alone), (false, whole)] {
                    let kernel = packed.forward(&x, is_alone).expect("the block runs");
                    let apart = difference(kernel, twin);
                    let case = (inputs, outputs, height, width, halve, is_alone);
                    assert!(apart <= TOLERANCE, "{case:?}: {apart:e} apart");
                }
            }
        }
    }
}

#[test]
fn a_convflu_pair_equals_its_twin() {
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
        let pair = PackedPair::new(&to_x, &to_y);
        let (x, y) = (wave(shape, 1.7, 2.0, device), wave(shape, 1.2, 8.0, device));
        for sense in [GateSense::ZKeepsInput, GateSense::ZTakesCandidate] {
            let before = launches();
            let kernel = convflu_pair_packed(x.clone(), y.clone(), &pair, sense, true);
            assert_eq!(launches() - before, 1, "the kernel did not run");
            let twin = convflu_pair_plain(x.clone(), y.clone(), &to_x, &to_y, sense, true);
            for (kernel, twin) in maps(kernel).into_iter().zip(maps(twin)) {
                let apart = difference(kernel, twin);
                assert!(
                    apart <= TOLERANCE,
                    "{side} {shape:?} {sense:?}: {apart:e} apart"
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
fn the_mean_over_a_square_equals_its_twin_at_the_border_too() {
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
            let apart = difference(kernel, box_mean_plain(x, side));
            assert!(apart <= TOLERANCE, "{side} {shape:?}: {apart:e} apart");
        }
    }
    // Some channels of a larger map.
    let x: Tensor<4> = wave([2, 5, 9, 12], 2.0, 0.7, &device);
    let view = || x.clone().narrow(1, 2, 3);
    let apart = difference(box_mean(view(), 9), box_mean_plain(view(), 9));
    assert!(apart <= TOLERANCE, "a view: {apart:e} apart");
}

#[test]
#[ignore = "a measurement, not a check: cargo test --release --test cpu_steps -- --ignored --nocapture"]
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
    let network = network.for_inference();
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
    let plain = median_ms(&|| box_mean_plain(shading.clone(), SHADE_SIDE));
    println!(
        "decode of 8 faces {decode:.2} ms, their shading {kernel:.2} ms, plainly {plain:.2} ms"
    );
}
