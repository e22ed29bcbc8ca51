//! A captured graph answers as the network does operation by operation, for every face anew.
//!
//! On the default wgpu adapter: a GPU, or Mesa's lavapipe.
#![cfg(all(feature = "native", feature = "gpu"))]

mod gpu;
mod launched;

use burn::tensor::{Device, Tensor, TensorData};
use fersnet::kernels::{CapturedGraph, GraphError, launches};
use fersnet::network::{
    Edition, FACE_SIZE, Head, Inference, InferenceNetwork, Network, NetworkConfig, Synthesised,
    Variant, weights,
};
use fersnet::pipeline::shipped_weights;
use gpu::gpu;
use launched::launched_by;

/// The same kernels on the same numbers; a batch that is filled up may take another variant, which
/// adds in another order, and an instance norm enlarges what the sums differ by.
const TOLERANCE: f32 = 5e-5;

const EDITIONS: [Edition; 2] = [Edition::Paper2020, Edition::Release2021];

const SEED: u64 = 1;

const CLASSES: [&str; 3] = ["neutral", "happiness", "surprise"];
const CONTROLS: [&str; 4] = ["p", "q", "r", "s"];

/// Every head, and some of them with targets over controls.
const KINDS: [(Head, &[&str]); 6] = [
    (Head::Raw, &[]),
    (Head::Residual, &[]),
    (Head::Warp, &[]),
    (Head::Warp, &CONTROLS),
    (Head::Blend, &[]),
    (Head::Blend, &CONTROLS),
];

fn network(edition: Edition, head: Head, controls: &[&str], device: &Device) -> Network {
    let config = NetworkConfig::new(edition, Variant::Fersnet, 4, 3, &CLASSES);
    let config = config.with_head(head).with_controls(controls);
    // The same weights each time.
    device.seed(SEED);
    Network::new(config, device).expect("the configuration is valid")
}

/// The values of a made-up face.
fn face(seed: f32) -> Vec<f32> {
    let numbers = 3 * FACE_SIZE * FACE_SIZE;
    (0..numbers)
        .map(|i| 0.5 + 0.5 * (seed + i as f32 * 0.013).sin())
        .collect()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The faces, and what they change.
fn parts_of(drawn: Option<Synthesised>, count: usize) -> Vec<Vec<f32>> {
    let drawn = drawn.expect("this variant redraws");
    let mut parts = vec![drawn.face];
    if let Some(change) = drawn.change {
        parts.extend([change.delta, change.mask]);
        parts.extend(change.flow);
    }
    let parts = parts.into_iter();
    parts.map(|part| values(part.narrow(0, 0, count))).collect()
}

/// The logits, and the units where there are any.
fn scores_of(logits: Tensor<2>, units: Option<Tensor<2>>) -> Vec<Vec<f32>> {
    std::iter::once(logits).chain(units).map(values).collect()
}

/// Every part alike in both, and the first (a face, or logits) no constant: with random weights a mask may be one.
#[track_caller]
fn assert_same(launched: &[Vec<f32>], eager: &[Vec<f32>]) {
    assert_eq!(launched.len(), eager.len());
    for (launched, eager) in launched.iter().zip(eager) {
        assert_same_values(launched, eager);
    }
    let first = &launched[0];
    assert!(first.iter().any(|value| *value != first[0]), "all alike");
}

#[track_caller]
fn assert_same_values(launched: &[f32], eager: &[f32]) {
    assert_eq!(launched.len(), eager.len());
    let worst = launched
        .iter()
        .zip(eager)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(worst <= TOLERANCE, "they differ by {worst}");
}

#[test]
fn a_captured_graph_reads_and_redraws_as_the_network_does() {
    let gpu = gpu();
    let device = gpu.device.clone();
    for (edition, (head, controls)) in EDITIONS
        .into_iter()
        .flat_map(|edition| KINDS.map(|kind| (edition, kind)))
    {
        let network = network(edition, head, controls, &device);
        let inference = Inference::new(network.clone(), device.clone());
        let network = network.into_inference();
        let width = network.config().target_width();
        // Two targets of three: the graph for all classes is filled up.
        let all = [
            [1.0, 0.0, 0.0, 0.4],
            [0.0, 0.3, 0.7, 0.0],
            [0.0, 0.0, 1.0, 1.2],
        ];
        let all = all.map(|target| target[..width].to_vec());
        let mut kept = Vec::new();
        for seed in [1.0, 2.0] {
            let x = TensorData::new(face(seed), [1, 3, FACE_SIZE, FACE_SIZE]);
            let encoded = network.encode(Tensor::from_data(x, &device), false);
            let (scores, own) = inference.encode(face(seed)).expect("a graph is captured");
            assert_eq!(scores.units.is_some(), !controls.is_empty());
            assert_same(
                &scores_of(scores.logits, scores.units),
                &scores_of(encoded.logits.clone(), encoded.units.clone()),
            );
            kept.push((own, encoded));
        }
        // The first face's features were overwritten by the second one's: it is encoded again.
        for (own, encoded) in &kept {
            for count in [1, 2, 3] {
                let targets = &all[..count];
                let drawn = inference.decode(own, targets).expect("a graph is captured");
                let table = TensorData::new(targets.concat(), [count, width]);
                let eager = network.decode(encoded, Tensor::from_data(table, &device));
                assert_same(&parts_of(drawn, count), &parts_of(eager, count));
            }
        }
    }
}

#[test]
fn weights_that_the_cpu_prepared_answer_as_those_that_the_gpu_prepared() {
    let gpu = gpu();
    let device = gpu.device.clone();
    let file = shipped_weights().expect("the shipped weights");
    let network = weights::load(&file, &device).expect("the shipped weights");
    let network = network.into_inference();
    let width = network.config().target_width();
    let inference = Inference::load(&file, device.clone()).expect("the shipped weights");
    let x = TensorData::new(face(1.0), [1, 3, FACE_SIZE, FACE_SIZE]);
    let encoded = network.encode(Tensor::from_data(x, &device), false);
    let (scores, own) = inference.encode(face(1.0)).expect("a graph is captured");
    assert_same(
        &scores_of(scores.logits, scores.units),
        &scores_of(encoded.logits.clone(), encoded.units.clone()),
    );
    let target = vec![1.0 / width as f32; width];
    let drawn = inference.decode(&own, std::slice::from_ref(&target));
    let table = TensorData::new(target, [1, width]);
    let eager = network.decode(&encoded, Tensor::from_data(table, &device));
    assert_same(
        &parts_of(drawn.expect("a graph is captured"), 1),
        &parts_of(eager, 1),
    );
}

#[test]
fn a_launched_graph_counts_the_kernels_of_one_run_and_launches_none_by_itself() {
    let gpu = gpu();
    let device = gpu.device.clone();
    let network = network(Edition::Release2021, Head::Blend, &CONTROLS, &device).into_inference();
    let x = TensorData::new(face(1.0), [1, 3, FACE_SIZE, FACE_SIZE]);
    let inputs = (network, Tensor::from_data(x, &device));
    let run = |(network, x): &(InferenceNetwork, Tensor<4>)| network.encode(x.clone(), false);
    run(&inputs); // the weights are prepared by now
    let (_, of_one_run) = launched_by(|| run(&inputs));
    assert!(!of_one_run.is_empty(), "no kernel ran");

    // Two runs before the capture, and the captured one.
    let (graph, launched) = launched_by(|| CapturedGraph::capture(&device, inputs, run));
    let graph = graph.expect("a graph is captured");
    assert_eq!(launched, of_one_run.repeat(3));

    for _ in 0..2 {
        let before = launches();
        let (relaunched, launched) = launched_by(|| graph.launch().map(|_| ()));
        relaunched.expect("the graph is launched");
        assert_eq!(launched, [""; 0]);
        assert_eq!(launches() - before, of_one_run.len());
    }
}

#[test]
fn a_device_without_kernels_captures_no_graph() {
    let device = Device::flex();
    let x = Tensor::<1>::from_data([1.0f32], &device);
    let graph = CapturedGraph::capture(&device, x, |x: &Tensor<1>| x.clone() + 1.0);
    assert!(matches!(graph.err(), Some(GraphError::NoKernels)));
}

#[test]
fn a_run_that_uploads_numbers_is_refused_and_the_device_goes_on() {
    let gpu = gpu();
    let device = gpu.device.clone();
    let x = Tensor::<1>::from_data([1.0f32, 2.0], &device);
    let graph = CapturedGraph::capture(&device, x.clone(), |x: &Tensor<1>| {
        x.clone() + Tensor::from_data([3.0f32, 4.0], &x.device())
    });
    assert!(matches!(graph.err(), Some(GraphError::Device(_))));
    assert_eq!(values(x.clone() + x), [2.0, 4.0]);
}
