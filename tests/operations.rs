//! The kernels of the operations against their reference implementations, on each route that has some:
//! wgpu's default adapter (a GPU, or Mesa's lavapipe) and the CPU.
#![cfg(feature = "native")]

mod gpu;
mod operation_cases;

use burn::tensor::{Device, Tensor};
use fersnet::kernels::{
    Activation, Norm, fused_conv, fused_conv_beside_style, fused_conv_reference, style,
    style_reference,
};
use operation_cases::route::{Path, Route};
use operation_cases::{KINDS, Layers, NormKind, TOLERANCE, difference, linear_layer, lists, wave};

/// A test of every named function for either route: `on_wgpu::NAME` and `on_cpu::NAME`.
macro_rules! on_both_routes {
    ($($name:ident),* $(,)?) => {
        #[cfg(feature = "gpu")]
        mod on_wgpu {
            $(#[test]
            fn $name() {
                super::$name(&super::Route::wgpu());
            })*
        }
        mod on_cpu {
            $(#[test]
            fn $name() {
                super::$name(&super::Route::cpu());
            })*
        }
    };
}

on_both_routes!(
    every_convolution_norm_and_activation_equals_its_reference,
    every_width_and_map_of_both_editions_equals_its_reference,
    odd_channels_and_maps_equal_their_references,
    the_max_pool_is_part_of_the_fused_convolution,
    the_style_and_the_convolution_beside_it_equal_their_references,
    a_fused_convolution_reads_the_first_channels_of_a_map_with_more,
    a_map_that_is_a_view_is_read_in_its_own_order,
);

fn every_convolution_norm_and_activation_equals_its_reference(route: &Route) {
    route.check(lists::all_kinds());
}

fn every_width_and_map_of_both_editions_equals_its_reference(route: &Route) {
    route.check(lists::editions());
}

fn odd_channels_and_maps_equal_their_references(route: &Route) {
    route.check(lists::odd_shapes());
}

fn the_max_pool_is_part_of_the_fused_convolution(route: &Route) {
    route.check(lists::pooled());
}

/// Expressions of the style's targets.
const CLASSES: usize = 7;

/// A map that is styled, and the convolution beside it.
#[derive(Debug, Clone, Copy)]
struct Styled {
    channels: usize,
    /// Of a map with more channels, the style reads the last.
    more: usize,
    size: [usize; 2],
    faces: usize,
    targets: usize,
}

impl Styled {
    /// The style alone and, where the map is twice another one, with the transposed convolution beside it.
    fn run(self, device: &Device, plain: bool) -> (Tensor<4>, Option<Tensor<4>>) {
        let Self {
            channels,
            targets,
            size: [height, width],
            ..
        } = self;
        let skip = wave(
            [self.faces, channels + self.more, height, width],
            1.0,
            0.1,
            device,
        );
        let p = wave([targets, CLASSES], 1.0, 0.8, device);
        let layer = linear_layer(CLASSES, 2 * channels, device);
        let alone = if plain {
            style_reference(skip.clone(), p.clone(), &layer)
        } else {
            style(skip.clone(), p.clone(), &layer)
        };
        if !self.is_twice_another() {
            return (alone, None);
        }
        let x = wave([targets, 4, height / 2, width / 2], 1.0, 0.5, device);
        let layers = Layers::new(KINDS[4], 4, 7, device);
        let convolution = layers.convolution();
        let relu = Activation::Relu;
        let beside = if plain {
            let map = fused_conv_reference(x, convolution, Norm::Instance, None, relu);
            Tensor::cat(vec![map, alone.clone()], 1)
        } else {
            fused_conv_beside_style(x, convolution, relu, skip, p, &layer)
        };
        (alone, Some(beside))
    }

    fn is_twice_another(self) -> bool {
        self.size.iter().all(|side| side.is_multiple_of(2))
    }

    /// One launch for the style alone; beside the convolution it takes none more on the CPU.
    fn launches(self, route: &Route) -> usize {
        match (self.is_twice_another(), route.path) {
            (false, _) => 1,
            #[cfg(feature = "gpu")]
            (true, Path::Wgpu) => 1 + 3,
            (true, Path::Cpu) => 1 + 1,
        }
    }
}

fn the_style_and_the_convolution_beside_it_equal_their_references(route: &Route) {
    let shapes = [
        (12, [12, 12]),
        (5, [3, 3]),
        (5, [4, 6]),
        (3, [14, 10]),
        (2, [96, 96]),
    ];
    for (channels, size) in shapes {
        for (faces, targets) in [(1, 1), (1, 3), (3, 3)] {
            for more in [0, 2, 4] {
                let case = Styled {
                    channels,
                    more,
                    size,
                    faces,
                    targets,
                };
                let what = format!("{case:?}");
                let expected = case.launches(route);
                let run = || case.run(&route.device, false);
                let (alone, beside) = route.launching(expected, &what, run);
                let (alone_reference, beside_reference) = case.run(&Device::flex(), true);
                let both = [Some((alone, alone_reference)), beside.zip(beside_reference)];
                for (kernel, reference) in both.into_iter().flatten() {
                    let apart = difference(kernel, reference);
                    assert!(apart <= TOLERANCE, "{what}: {apart:e} apart");
                }
            }
        }
    }
}

fn a_fused_convolution_reads_the_first_channels_of_a_map_with_more(route: &Route) {
    let cases = [
        (NormKind::Batch, [5, 7], [2, 9, 7, 5]),
        (NormKind::None, [5, 9], [2, 8, 6, 6]),
    ];
    for kind in KINDS {
        for (norm, [inputs, outputs], shape) in cases {
            let run = |device: &Device, plain: bool| {
                let layers = Layers::new(kind, inputs, outputs, device);
                let x = wave(shape, 1.0, 0.5, device);
                let (convolution, norm) = (layers.convolution(), layers.norm(norm));
                if plain {
                    let first = x.narrow(1, 0, inputs);
                    fused_conv_reference(first, convolution, norm, None, Activation::Relu)
                } else {
                    fused_conv(x, convolution, norm, None, Activation::Relu)
                }
            };
            let what = format!("{kind:?} {shape:?}");
            let kernel = route.launching(1, &what, || run(&route.device, false));
            let apart = difference(kernel, run(&Device::flex(), true));
            assert!(apart <= TOLERANCE, "{what}: {apart:e} apart");
        }
    }
}

fn a_map_that_is_a_view_is_read_in_its_own_order(route: &Route) {
    let run = |device: &Device, plain: bool| {
        let layers = Layers::new(KINDS[0], 5, 4, device);
        let turned = wave([2, 6, 9, 5], 1.0, 0.5, device).permute([0, 3, 1, 2]);
        let view = turned.narrow(2, 1, 4); // [2, 5, 4, 9], neither contiguous nor from the start
        let (convolution, norm) = (layers.convolution(), Norm::None);
        if plain {
            fused_conv_reference(view, convolution, norm, None, Activation::Relu)
        } else {
            fused_conv(view, convolution, norm, None, Activation::Relu)
        }
    };
    let kernel = route.launching(1, "a view", || run(&route.device, false));
    let apart = difference(kernel, run(&Device::flex(), true));
    assert!(apart <= TOLERANCE, "{apart:e} apart");
}
