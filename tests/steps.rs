//! The kernels of the network's steps against their plain-tensor twins.
//!
//! The kernels run on the default wgpu adapter: a GPU, or Mesa's lavapipe.
#![cfg(feature = "native")]

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};
use fersnet::kernels::{
    Activation, Convolution, Norm, conv_step, conv_step_beside_style, conv_step_plain,
    conv_step_pooled, join, join_plain, launches, linear, linear_plain, max_pool, style,
    style_plain,
};
use fersnet::network::{Drawn, Head, draw, draw_plain, resample};

/// Kernel against twin, both f32, relative to the largest value (or to 1): sums of up to 864
/// products in another order, a BatchNorm folded into its weights, and an instance norm whose
/// division enlarges what the sums differ by.
const TOLERANCE: f32 = 5e-5;

const ACTIVATIONS: [Activation; 3] = [Activation::None, Activation::Relu, Activation::Leaky];

/// What is tried of a convolution: kernel, stride, padding.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Plain(usize, usize),
    Transposed(usize, usize, usize),
}

const KINDS: [Kind; 7] = [
    Kind::Plain(3, 1),
    Kind::Plain(3, 0),
    Kind::Plain(3, 2),
    Kind::Plain(1, 0),
    Kind::Transposed(4, 2, 1),
    Kind::Transposed(2, 2, 0),
    Kind::Transposed(3, 1, 0),
];

#[derive(Debug, Clone, Copy)]
enum NormKind {
    None,
    Instance,
    Batch,
}

/// One step: a convolution with a bias, a BatchNorm.
struct Layers {
    plain: Option<Conv2d>,
    transposed: Option<ConvTranspose2d>,
    batch_norm: BatchNorm,
}

impl Layers {
    fn new(kind: Kind, inputs: usize, outputs: usize, device: &Device) -> Self {
        let bias = Param::from_tensor(wave([outputs], 0.3, 5.0, device));
        let batch_norm = BatchNormConfig::new(outputs).init(device);
        let mean = wave([outputs], 0.4, 9.0, device);
        batch_norm.running_mean.update(mean);
        let variance = wave([outputs], 0.4, 7.0, device) + 0.6;
        batch_norm.running_var.update(variance);
        let mut layers = Self {
            plain: None,
            transposed: None,
            batch_norm: BatchNorm {
                gamma: Param::from_tensor(wave([outputs], 1.0, 3.0, device) + 1.2),
                beta: Param::from_tensor(wave([outputs], 1.0, 4.0, device)),
                ..batch_norm
            },
        };
        match kind {
            Kind::Plain(side, padding) => {
                let padding = PaddingConfig2d::Explicit(padding, padding, padding, padding);
                let mut conv = Conv2dConfig::new([inputs, outputs], [side, side])
                    .with_padding(padding)
                    .init(device);
                let scale = 2.0 / ((inputs * side * side) as f32).sqrt();
                let weight = wave([outputs, inputs, side, side], scale, 1.0, device);
                conv.weight = Param::from_tensor(weight);
                conv.bias = Some(bias);
                layers.plain = Some(conv);
            }
            Kind::Transposed(side, stride, padding) => {
                let mut conv = ConvTranspose2dConfig::new([inputs, outputs], [side, side])
                    .with_stride([stride, stride])
                    .with_padding([padding, padding])
                    .init(device);
                let scale = 2.0 / ((inputs * side * side) as f32 / 4.0).sqrt();
                let weight = wave([inputs, outputs, side, side], scale, 1.0, device);
                conv.weight = Param::from_tensor(weight);
                conv.bias = Some(bias);
                layers.transposed = Some(conv);
            }
        }
        layers
    }

    fn convolution(&self) -> Convolution<'_> {
        match (&self.plain, &self.transposed) {
            (Some(conv), _) => conv.into(),
            (_, Some(conv)) => conv.into(),
            _ => unreachable!("a step has a convolution"),
        }
    }

    fn norm(&self, norm: NormKind) -> Norm<'_> {
        match norm {
            NormKind::None => Norm::None,
            NormKind::Instance => Norm::Instance,
            NormKind::Batch => Norm::Batch(&self.batch_norm),
        }
    }
}

/// Numbers in (-scale, scale) without a pattern that a kernel could share.
fn wave<const D: usize>(shape: [usize; D], scale: f32, seed: f32, device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|i| scale * (i as f32 * 1.7 + seed + ((i * i) % 97) as f32 * 0.31).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// One user of the device at a time, so that launches can be counted.
struct Gpu {
    device: Device,
    _turn: MutexGuard<'static, ()>,
}

fn gpu() -> Gpu {
    static TURN: Mutex<()> = Mutex::new(());
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Gpu {
        device: DEVICE.get_or_init(wgpu).clone(),
        _turn: turn,
    }
}

fn wgpu() -> Device {
    Device::wgpu_options().init().unwrap_or_else(|error| {
        panic!("no wgpu adapter ({error}): apt-get install mesa-vulkan-drivers (lavapipe)")
    })
}

/// Largest difference, relative to the largest value or 1; a NaN is a difference of one.
fn difference(kernel: Tensor<4>, twin: Tensor<4>) -> f32 {
    assert_eq!(kernel.dims(), twin.dims());
    let values = |tensor: Tensor<4>| -> Vec<f32> { tensor.into_data().iter::<f32>().collect() };
    let (kernel, twin) = (values(kernel), values(twin));
    let scale = twin.iter().fold(1.0f32, |largest, v| largest.max(v.abs()));
    kernel.iter().zip(&twin).fold(0.0, |worst, (a, b)| {
        let apart = (a - b).abs() / scale;
        if apart.is_nan() || apart > worst {
            apart
        } else {
            worst
        }
    })
}

/// One step.
#[derive(Debug, Clone, Copy)]
struct Case {
    kind: Kind,
    /// Inputs, outputs.
    channels: [usize; 2],
    /// Batch, height, width of the input.
    shape: [usize; 3],
    norm: NormKind,
    activation: Activation,
    shortcut: bool,
    pooled: bool,
}

impl Case {
    fn run(self, device: &Device, plain: bool) -> Tensor<4> {
        let [inputs, outputs] = self.channels;
        let [batch, height, width] = self.shape;
        let layers = Layers::new(self.kind, inputs, outputs, device);
        let x = wave([batch, inputs, height, width], 1.0, 0.5, device);
        let convolution = layers.convolution();
        let activation = self.activation;
        let bare = conv_step_plain(x.clone(), convolution, Norm::None, None, Activation::None);
        let shortcut = self.shortcut.then(|| wave(bare.dims(), 0.7, 2.5, device));
        let norm = layers.norm(self.norm);
        match (plain, self.pooled) {
            (true, true) => max_pool(conv_step_plain(x, convolution, norm, shortcut, activation)),
            (true, false) => conv_step_plain(x, convolution, norm, shortcut, activation),
            (false, true) => conv_step_pooled(x, convolution, norm, shortcut, activation),
            (false, false) => conv_step(x, convolution, norm, shortcut, activation),
        }
    }

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
fn linear_layer(inputs: usize, outputs: usize, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs).init(device);
    layer.weight = Param::from_tensor(wave([inputs, outputs], 0.9, 1.5, device));
    layer.bias = Some(Param::from_tensor(wave([outputs], 0.7, 0.2, device)));
    layer
}

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
    for (head, beside_d) in [(Head::Residual, 1), (Head::Warp, 3)] {
        for k in [1, 3] {
            for [height, width] in [[96, 96], [7, 5]] {
                for (faces, targets) in [(1, 1), (1, 3), (3, 3)] {
                    // Flows of up to half of the face, or of all of it.
                    for scale in [10.0, 20.0] {
                        let parts = |device: &Device| {
                            let x = wave([faces, k, height, width], 1.0, 0.6, device);
                            let shape = [targets, k + beside_d, height, width];
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
fn several_faces_are_re_sampled_alike_on_every_device() {
    let turn = gpu();
    let moved = |device: &Device| {
        let x = wave([3, 2, 9, 7], 1.0, 0.4, device);
        resample(x, wave([3, 2, 9, 7], 0.1, 0.9, device))
    };
    let apart = difference(moved(&turn.device), moved(&Device::flex()));
    assert!(apart <= TOLERANCE, "{apart:e} apart");
}
