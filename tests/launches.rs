//! Inference on wgpu launches the kernels of `shaders/` and nothing else, and few of them.
//!
//! cubecl tells an observer of every kernel that it is asked to launch, whoever asks. The kernels
//! run on the default wgpu adapter: a GPU, or Mesa's lavapipe.
//!
//! `cargo test --release --test launches -- --nocapture` prints how many kernels and pipelines a
//! recognition and a redraw take.
#![cfg(all(feature = "native", feature = "gpu"))]

mod gpu;
mod launched;

use burn::cubecl::launched::LaunchedKernels;
use burn::tensor::{Device, Tensor, TensorData};
use fersnet::kernels::launches;
use fersnet::network::{
    Edition, Encoded, FACE_SIZE, Head, InferenceNetwork, Network, NetworkConfig, Variant,
};
use fersnet::tensor::{readback_rows, synthesised_faces};
use gpu::gpu;
use launched::launched_by;

const CLASSES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const CONTROLS: [&str; 5] = ["p", "q", "r", "s", "t"];

/// What one piece of work launched.
struct Count {
    /// Every kernel, ours and Burn's.
    all: Vec<&'static str>,
    /// As our own counter has it.
    ours: usize,
    /// Distinct kernels: each is compiled once.
    pipelines: usize,
}

impl Count {
    fn of<T>(work: impl FnOnce() -> T) -> (T, Self) {
        let (before, kernels) = (launches(), LaunchedKernels::new());
        let (result, all) = launched_by(work);
        let count = Self {
            all,
            ours: launches() - before,
            pipelines: kernels.finish().len(),
        };
        (result, count)
    }

    fn foreign(&self) -> Vec<&'static str> {
        let is_ours = |name: &&&str| name.contains("fersnet::kernels::");
        self.all
            .iter()
            .filter(|name| !is_ours(name))
            .copied()
            .collect()
    }

    fn check(&self, what: &str) {
        println!(
            "{what}: {} launches, {} pipelines",
            self.all.len(),
            self.pipelines
        );
        assert_eq!(self.foreign(), Vec::<&str>::new(), "{what}");
        assert_eq!(self.all.len(), self.ours, "{what}");
    }
}

fn config(edition: Edition, width: usize, head: Head, controls: &[&str]) -> NetworkConfig {
    let config = NetworkConfig::new(edition, Variant::Fersnet, width, 3, &CLASSES);
    config.with_head(head).with_controls(controls)
}

/// A face of one brightness: what is counted does not depend on it.
fn face(device: &Device) -> Tensor<4> {
    let pixels = vec![0.5f32; 3 * FACE_SIZE * FACE_SIZE];
    Tensor::from_data(
        TensorData::new(pixels, [1, 3, FACE_SIZE, FACE_SIZE]),
        device,
    )
}

/// So many targets of the network, each another one.
fn targets(network: &InferenceNetwork, count: usize, device: &Device) -> Tensor<2> {
    let width = network.config().target_width();
    let shares = (0..count * width).map(|i| f32::from(u8::from(i % width == i / width)));
    Tensor::from_data(TensorData::new(shares.collect(), [count, width]), device)
}

fn recognise(network: &InferenceNetwork, x: Tensor<4>) -> Encoded {
    let encoded = network.encode(x, false);
    let mut tables = vec![encoded.logits.clone()];
    tables.extend(encoded.units.clone());
    let read = pollster::block_on(readback_rows(tables)).expect("scores");
    let lengths: Vec<usize> = read.iter().map(Vec::len).collect();
    let controls = network.config().controls.len();
    let expected = if controls == 0 {
        vec![8]
    } else {
        vec![8, controls]
    };
    assert_eq!(lengths, expected);
    encoded
}

fn redraw(network: &InferenceNetwork, encoded: &Encoded, targets: Tensor<2>) {
    let count = targets.dims()[0];
    let drawn = network.decode(encoded, targets).expect("faces");
    let faces = pollster::block_on(synthesised_faces(drawn, count)).expect("faces");
    assert_eq!(faces.len(), count);
}

#[test]
fn no_kernel_but_ours_runs_at_inference() {
    let gpu = gpu();
    let device = gpu.device.clone();
    // 2021: at width 12 the last pair takes two passes; at width 8 all pairs take one.
    for (edition, width) in [
        (Edition::Release2021, 12),
        (Edition::Release2021, 8),
        (Edition::Paper2020, 8),
    ] {
        for (head, controls) in [
            (Head::Blend, &CONTROLS[..]),
            (Head::Warp, &[]),
            (Head::Residual, &[]),
            (Head::Raw, &[]),
        ] {
            let network = Network::new(config(edition, width, head, controls), &device);
            let network = network.expect("a network").into_inference();
            let encoded = recognise(&network, face(&device));
            redraw(&network, &encoded, targets(&network, 1, &device)); // the weights are prepared by now
            let name = format!(
                "{edition:?} {head:?} width {width}, {} controls",
                controls.len()
            );
            let (encoded, count) = Count::of(|| recognise(&network, face(&device)));
            count.check(&format!("{name}: recognition"));
            for faces in [1, 8] {
                let targets = targets(&network, faces, &device);
                let ((), count) = Count::of(|| redraw(&network, &encoded, targets));
                count.check(&format!("{name}: redraw of {faces}"));
            }
        }
    }
}

#[test]
fn a_page_compiles_few_pipelines_for_a_face_and_its_eight_redrawn_ones() {
    // Each costs a software adapter seconds. The shipped networks' width and heads; the blend head's
    // picture has a convolution of its own, and is joined to the features.
    let gpu = gpu();
    let device = gpu.device.clone();
    for (head, controls, most) in [(Head::Warp, &[][..], 37), (Head::Blend, &CONTROLS, 39)] {
        let network = Network::new(config(Edition::Release2021, 12, head, controls), &device);
        let network = network.expect("a network").into_inference();
        let work = || {
            let encoded = recognise(&network, face(&device));
            redraw(&network, &encoded, targets(&network, 8, &device));
        };
        work(); // the weights are prepared by now
        let ((), count) = Count::of(work);
        count.check(&format!("{head:?}: a face and its eight redrawn ones"));
        assert!(
            count.pipelines <= most,
            "{head:?}: {} pipelines",
            count.pipelines
        );
    }
}
