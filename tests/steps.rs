//! The kernels of the network's steps against their plain-tensor twins.
//!
//! The kernels run on the default wgpu adapter: a GPU, or Mesa's lavapipe.
#![cfg(feature = "native")]

mod gpu;
mod step_cases;

use burn::tensor::{Device, Tensor};
use fersnet::kernels::{
    Activation, Norm, conv_step, conv_step_beside_style, conv_step_plain, join, join_plain,
    launches, linear, linear_plain, style, style_plain,
};
use fersnet::network::{Drawn, Head, draw, draw_plain, resample};
use gpu::gpu;
use step_cases::{
    ACTIVATIONS, Case, KINDS, Layers, NormKind, TOLERANCE, difference, linear_layer, wave,
};

impl Case {
    /// The step on both devices; the kernels have to have run.
    fn check(self, gpu: &Device) -> f32 {
        let before = launches();
        let kernel = self.run(gpu, false);
        let expected = if matches!(self.norm, NormKind::Instance) {
            2
        } else {
            1
        };
        let launched = launches() - before;
        assert_eq!(launched, expected, "{self:?}: the kernels did not run");
        let apart = difference(kernel, self.run(&Device::flex(), true));
        assert!(apart <= TOLERANCE, "{self:?}: {apart:e} apart");
        apart
    }
}

#[test]
fn every_convolution_norm_and_activation_equals_its_twin() {
    let turn = gpu();
    let mut worst = 0f32;
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
                    worst = worst.max(case.check(&turn.device));
                }
            }
        }
    }
    println!("all kinds: largest difference {worst:e}");
}

#[test]
fn every_width_and_map_of_both_editions_equals_its_twin() {
    // A convolution of the largest case has as many products as the CPU does in a moment.
    const MOST: usize = 24 * 48 * 24 * 24 * 8;
    let turn = gpu();
    let mut worst = 0f32;
    for kind in [KINDS[0], KINDS[3], KINDS[4], KINDS[5]] {
        for channels in [[1, 12], [3, 12], [12, 6], [12, 24], [48, 16], [96, 96]] {
            for size in [48, 24, 12, 6, 3] {
                for batch in [1, 8] {
                    if channels[0] * channels[1] * size * size * batch > MOST {
                        continue;
                    }
                    let case = Case {
                        kind,
                        channels,
                        shape: [batch, size, size],
                        norm: NormKind::Batch,
                        activation: Activation::Relu,
                        shortcut: false,
                        pooled: false,
                    };
                    worst = worst.max(case.check(&turn.device));
                }
            }
        }
    }
    println!("the editions' maps: largest difference {worst:e}");
}

#[test]
fn odd_channels_and_maps_equal_their_twins() {
    let turn = gpu();
    let mut worst = 0f32;
    for kind in [KINDS[0], KINDS[3], KINDS[4], KINDS[5], KINDS[6]] {
        for channels in [[1, 1], [5, 3], [13, 33]] {
            for [height, width] in [[1, 1], [7, 3], [35, 9], [1, 70]] {
                let case = Case {
                    kind,
                    channels,
                    shape: [3, height, width],
                    norm: NormKind::Batch,
                    activation: Activation::Leaky,
                    shortcut: true,
                    pooled: false,
                };
                worst = worst.max(case.check(&turn.device));
            }
        }
    }
    println!("odd shapes: largest difference {worst:e}");
}

#[test]
fn the_max_pool_is_part_of_the_step() {
    let turn = gpu();
    for norm in [NormKind::None, NormKind::Batch, NormKind::Instance] {
        for [height, width] in [[2, 2], [7, 5], [5, 8], [12, 12], [33, 40]] {
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
                case.check(&turn.device);
            }
        }
    }
}

/// A linear layer with a bias.

#[test]
fn the_style_and_the_up_step_beside_it_equal_their_twins() {
    const CLASSES: usize = 7;
    let turn = gpu();
    let gpu = &turn.device;
    let shapes = [(12, [12, 12]), (5, [3, 3]), (3, [14, 10]), (2, [96, 96])];
    for (channels, [height, width]) in shapes {
        for (faces, targets) in [(1, 1), (1, 3), (3, 3)] {
            // Of a map with more channels, the style reads the last.
            for more in [0, 4] {
                let both = |device: &Device, plain: bool| {
                    let skip = wave([faces, channels + more, height, width], 1.0, 0.1, device);
                    let p = wave([targets, CLASSES], 1.0, 0.8, device);
                    let layer = linear_layer(CLASSES, 2 * channels, device);
                    let x = wave([targets, 4, height / 2, width / 2], 1.0, 0.5, device);
                    if height % 2 == 1 {
                        return if plain {
                            style_plain(skip, p, &layer)
                        } else {
                            style(skip, p, &layer)
                        };
                    }
                    let layers = Layers::new(KINDS[4], 4, 7, device);
                    let convolution = layers.convolution();
                    let relu = Activation::Relu;
                    if plain {
                        let map = conv_step_plain(x, convolution, Norm::Instance, None, relu);
                        Tensor::cat(vec![map, style_plain(skip, p, &layer)], 1)
                    } else {
                        conv_step_beside_style(x, convolution, relu, skip, p, &layer)
                    }
                };
                let before = launches();
                let kernel = both(gpu, false);
                assert_eq!(launches() - before, if height % 2 == 1 { 1 } else { 3 });
                let apart = difference(kernel, both(&Device::flex(), true));
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
    let turn = gpu();
    for kind in KINDS {
        let run = |device: &Device, plain: bool| {
            let layers = Layers::new(kind, 5, 7, device);
            let x = wave([2, 9, 7, 5], 1.0, 0.5, device);
            let (convolution, norm) = (layers.convolution(), layers.norm(NormKind::Batch));
            if plain {
                let first = x.narrow(1, 0, 5);
                conv_step_plain(first, convolution, norm, None, Activation::Relu)
            } else {
                conv_step(x, convolution, norm, None, Activation::Relu)
            }
        };
        let before = launches();
        let kernel = run(&turn.device, false);
        assert_eq!(launches() - before, 1, "{kind:?}");
        let apart = difference(kernel, run(&Device::flex(), true));
        assert!(apart <= TOLERANCE, "{kind:?}: {apart:e} apart");
    }
}

#[test]
fn a_linear_layer_over_means_equals_its_twin() {
    let turn = gpu();
    for [batch, inputs, outputs] in [[1, 8, 512], [3, 96, 8], [2, 5, 1], [1, 768, 8]] {
        for [height, width] in [[1, 1], [3, 3], [6, 5]] {
            for activation in ACTIVATIONS {
                let x = |device: &Device| wave([batch, inputs, height, width], 1.0, 0.4, device);
                let layer = |device: &Device| linear_layer(inputs, outputs, device);
                let before = launches();
                let kernel = linear(x(&turn.device), &layer(&turn.device), activation);
                assert_eq!(launches() - before, 1);
                let cpu = Device::flex();
                let twin = linear_plain(x(&cpu), &layer(&cpu), activation);
                let apart =
                    difference(kernel.unsqueeze_dims(&[2, 3]), twin.unsqueeze_dims(&[2, 3]));
                assert!(
                    apart <= TOLERANCE,
                    "{batch} {inputs} {outputs} {height} {activation:?}: {apart:e} apart"
                );
            }
        }
    }
}

#[test]
fn two_maps_are_joined_number_by_number() {
    let turn = gpu();
    for [a_batch, b_batch] in [[1, 1], [3, 3], [1, 3], [3, 1]] {
        for [height, width] in [[3, 3], [6, 7]] {
            let maps = |device: &Device| {
                let a = wave([a_batch, 5, height, width], 1.0, 0.3, device);
                (a, wave([b_batch, 12, height, width], 1.0, 2.0, device))
            };
            let (a, b) = maps(&turn.device);
            let before = launches();
            let kernel = join(a, b);
            assert_eq!(launches() - before, 1);
            let (a, b) = maps(&Device::flex());
            let apart = difference(kernel, join_plain(a, b));
            assert_eq!(apart, 0.0, "{a_batch} {b_batch} {height}");
        }
    }
}

/// Every part of a drawn face beside its twin's, the worst of them.
fn apart(kernel: Drawn, twin: Drawn) -> f32 {
    let mut worst = difference(kernel.face, twin.face);
    let (Some(a), Some(b)) = (kernel.change, twin.change) else {
        panic!("the head changes the face");
    };
    assert_eq!(a.flow.is_some(), b.flow.is_some());
    assert_eq!(a.covers, b.covers);
    let flows = a.flow.zip(b.flow);
    for (kernel, twin) in [(a.delta, b.delta), (a.mask, b.mask)]
        .into_iter()
        .chain(flows)
    {
        let part = difference(kernel, twin);
        worst = if part.is_nan() { part } else { worst.max(part) };
    }
    worst
}

#[test]
fn a_redrawn_face_equals_its_twin_far_over_the_border_too() {
    let turn = gpu();
    for head in [Head::Residual, Head::Warp, Head::Blend] {
        for k in [1, 3] {
            // The last two: less and more than the square that a blend head's shading is averaged over.
            for [height, width] in [[96, 96], [7, 5], [13, 31]] {
                for (faces, targets) in [(1, 1), (1, 3), (3, 3)] {
                    // Flows of up to half of the face, or of all of it.
                    for scale in [10.0, 20.0] {
                        let parts = |device: &Device| {
                            let x = wave([faces, k, height, width], 1.0, 0.6, device);
                            let shape = [targets, head.channels(k), height, width];
                            (x, wave(shape, scale, 0.2, device))
                        };
                        let (x, last) = parts(&turn.device);
                        let before = launches();
                        let kernel = draw(head, &x, last);
                        assert_eq!(launches() - before, 1);
                        let (x, last) = parts(&Device::flex());
                        let apart = apart(kernel, draw_plain(head, &x, last));
                        assert!(
                            apart <= TOLERANCE,
                            "{head:?} {k} {height} {faces} {targets} {scale}: {apart:e} apart"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_parts_of_a_blended_face_make_up_the_face() {
    let turn = gpu();
    for device in [turn.device.clone(), Device::flex()] {
        let x = wave([1, 3, 11, 14], 1.0, 0.6, &device);
        let last = wave([2, Head::Blend.channels(3), 11, 14], 2.0, 0.2, &device);
        let Drawn { face, change } = draw(Head::Blend, &x, last);
        let change = change.expect("a change");
        assert!(change.covers);
        let moved = resample(x.repeat_dim(0, 2), change.flow.expect("a flow"));
        let again = moved * (-change.mask + 1.0) + change.delta;
        let apart = difference(face, again);
        assert!(apart <= TOLERANCE, "{apart:e} apart");
    }
}

#[test]
fn several_faces_are_re_sampled_alike_on_every_device() {
    let turn = gpu();
    let moved = |device: &Device| {
        let x = wave([3, 2, 9, 7], 1.0, 0.4, device);
        resample(x, wave([3, 2, 9, 7], 0.1, 0.9, device))
    };
    let apart = difference(moved(&turn.device), moved(&Device::flex()));
    assert!(apart <= TOLERANCE, "{apart:e} apart");
}
