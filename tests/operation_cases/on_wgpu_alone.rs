//! What only wgpu has kernels for, beside its reference.

use burn::tensor::Device;
use fersnet::kernels::{concat, concat_reference, launches, linear, linear_reference};
use fersnet::network::{Head, Synthesised, resample, synthesise, synthesise_reference};

use crate::gpu::gpu;
use crate::operation_cases::{ACTIVATIONS, TOLERANCE, difference, linear_layer, wave};

#[test]
fn a_linear_layer_over_means_equals_its_reference() {
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
                let reference = linear_reference(x(&cpu), &layer(&cpu), activation);
                let apart = difference(
                    kernel.unsqueeze_dims(&[2, 3]),
                    reference.unsqueeze_dims(&[2, 3]),
                );
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
            let kernel = concat(a, b);
            assert_eq!(launches() - before, 1);
            let (a, b) = maps(&Device::flex());
            let apart = difference(kernel, concat_reference(a, b));
            assert_eq!(apart, 0.0, "{a_batch} {b_batch} {height}");
        }
    }
}

/// Every part of a drawn face beside its reference's, the worst of them.
fn apart(kernel: Synthesised, reference: Synthesised) -> f32 {
    let mut worst = difference(kernel.face, reference.face);
    let (Some(a), Some(b)) = (kernel.change, reference.change) else {
        panic!("the head changes the face");
    };
    assert_eq!(a.flow.is_some(), b.flow.is_some());
    assert_eq!(a.covers, b.covers);
    let flows = a.flow.zip(b.flow);
    for (kernel, reference) in [(a.delta, b.delta), (a.mask, b.mask)]
        .into_iter()
        .chain(flows)
    {
        let part = difference(kernel, reference);
        worst = if part.is_nan() { part } else { worst.max(part) };
    }
    worst
}

#[test]
fn a_redrawn_face_equals_its_reference_far_over_the_border_too() {
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
                        let kernel = synthesise(head, &x, last);
                        assert_eq!(launches() - before, 1);
                        let (x, last) = parts(&Device::flex());
                        let apart = apart(kernel, synthesise_reference(head, &x, last));
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
        let Synthesised { face, change } = synthesise(Head::Blend, &x, last);
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
