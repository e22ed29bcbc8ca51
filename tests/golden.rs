//! The network gives what PyTorch gives: every golden case of tools/golden.py, on the CPU and on
//! wgpu.
//!
//! `cargo test --release --test golden -- --nocapture` prints the largest differences.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use fersnet::network::weights::{self, Precision, StoredTensor};
use fersnet::network::{Cost, Discriminator, FaceNetwork, Head, Network, NetworkConfig, convert};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde::Deserialize;

/// What is promised on the CPU: float32 sums in another order.
const CPU_TOLERANCE: f32 = 1e-4;
/// What is promised on wgpu, where exp and tanh are the driver's.
#[cfg(feature = "gpu")]
const WGPU_TOLERANCE: f32 = 1e-3;
/// Half a step of the 16 bits that gates are stored with.
const GATE_STEP: f32 = 0.5 / 65535.0;
/// As many as tools/golden.py writes: a file that is lost must not go unnoticed.
const CASES: usize = 36;

#[derive(Deserialize)]
struct Meta {
    case: String,
    config: NetworkConfig,
    cost: GoldenCost,
    weights: Option<String>,
    #[serde(default)]
    pattern: HashMap<String, Rule>,
    #[serde(default)]
    salt: u32,
    row_step: usize,
}

#[derive(Deserialize)]
struct GoldenCost {
    parameters: u64,
    encoder_macs: u64,
    decoder_macs: u64,
}

/// A tensor made by rule: offset + scale * pattern.
#[derive(Deserialize)]
struct Rule {
    shape: Vec<usize>,
    offset: f32,
    scale: f32,
}

/// A golden file: its metadata and its tensors as floats.
struct Golden<M> {
    meta: M,
    tensors: HashMap<String, StoredTensor>,
}

impl<M: for<'de> Deserialize<'de>> Golden<M> {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("a golden file");
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("safetensors");
        let json = &header.metadata().as_ref().expect("metadata")["golden"];
        let file = SafeTensors::deserialize(&bytes).expect("safetensors");
        let tensors = file.iter().map(|(name, view)| {
            let data = view.data();
            let values = match view.dtype() {
                Dtype::F32 => data
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                    .collect(),
                Dtype::U16 => data
                    .chunks_exact(2)
                    .map(|b| f32::from(u16::from_le_bytes([b[0], b[1]])) / 65535.0)
                    .collect(),
                Dtype::U8 => data.iter().map(|b| f32::from(*b) / 255.0).collect(),
                other => panic!("{name} in {} is {other:?}", path.display()),
            };
            let shape = view.shape().to_vec();
            (name.to_owned(), StoredTensor { values, shape })
        });
        Self {
            meta: serde_json::from_str(json).expect("the golden metadata"),
            tensors: tensors.collect(),
        }
    }
}

impl<M> Golden<M> {
    fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        let stored = &self.tensors[name];
        let data = TensorData::new(stored.values.clone(), stored.shape.clone());
        Tensor::from_data(data, device)
    }

    /// Largest difference of `found` from the golden tensor `name`.
    fn difference<const D: usize>(&self, name: &str, found: Tensor<D>) -> f32 {
        let golden = &self.tensors[name];
        let found = found.into_data();
        assert_eq!(found.shape().to_vec(), golden.shape, "shape of {name}");
        largest_difference(&golden.values, &floats(found))
    }
}

impl Golden<Meta> {
    fn network(&self, device: &Device) -> Network {
        match &self.meta.weights {
            Some(name) => {
                let bytes = std::fs::read(folder().join(name)).expect("the case's weights");
                weights::load(&bytes, device)
            }
            None => {
                let tensors = self.meta.pattern.iter().map(|(name, rule)| {
                    let values = pattern(name, self.meta.salt, rule);
                    let shape = rule.shape.clone();
                    (name.clone(), StoredTensor { values, shape })
                });
                weights::from_tensors(self.meta.config.clone(), tensors.collect(), device)
            }
        }
        .unwrap_or_else(|error| panic!("{}: {error}", self.meta.case))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn cases() -> Vec<Golden<Meta>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("tests/golden")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(".expected.safetensors"))
        .collect();
    paths.sort();
    assert_eq!(paths.len(), CASES, "tools/golden.py writes {CASES} cases");
    paths.iter().map(|path| Golden::read(path)).collect()
}

fn floats(data: TensorData) -> Vec<f32> {
    data.iter::<f32>().collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .fold(0.0, |largest, (a, b)| larger(largest, (a - b).abs()))
}

/// The same values as `pattern` in tools/golden.py: a mixed hash of the name and the index.
fn pattern(name: &str, salt: u32, rule: &Rule) -> Vec<f32> {
    let start = crc32(name.as_bytes()) ^ salt;
    let count: usize = rule.shape.iter().product();
    (0..count as u32)
        .map(|i| {
            let mut h = i.wrapping_mul(0x9E37_79B1).wrapping_add(start);
            h = (h ^ (h >> 16)).wrapping_mul(0x7FEB_352D);
            h = (h ^ (h >> 15)).wrapping_mul(0x846C_A68B);
            h ^= h >> 16;
            let value = (h >> 8) as f32 * (-23f32).exp2() - 1.0;
            rule.offset + rule.scale * value
        })
        .collect()
}

/// zlib's CRC-32.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// Software adapters count: what is tested is the kernels' arithmetic.
#[cfg(feature = "gpu")]
fn wgpu() -> Device {
    let adapters = Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec();
    assert!(
        !adapters.is_empty(),
        "no wgpu adapter on this machine: apt-get install mesa-vulkan-drivers (lavapipe)"
    );
    Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)
}

/// Keeps every `step`th row, as the golden pictures do.
fn rows(picture: Tensor<4>, step: usize) -> Tensor<4> {
    let height = picture.dims()[2];
    let kept: Vec<Tensor<4>> = (0..height)
        .step_by(step)
        .map(|row| picture.clone().narrow(2, row, 1))
        .collect();
    Tensor::cat(kept, 2)
}

/// The larger differences of the network as it is trained and as it is frozen for inference.
fn compare(golden: &Golden<Meta>, device: &Device) -> [f32; 3] {
    let network = golden.network(device);
    let trained = compare_network(golden, &network, device);
    let frozen = compare_network(golden, &network.into_inference(), device);
    std::array::from_fn(|i| larger(trained[i], frozen[i]))
}

/// Not `max`, which would swallow a NaN.
fn larger(a: f32, b: f32) -> f32 {
    if a.is_nan() || a > b { a } else { b }
}

/// Differences of one case by output: logits (units with them), face (mask, flow and, where the
/// mask covers, delta with it), gates.
fn compare_network(golden: &Golden<Meta>, network: &impl FaceNetwork, device: &Device) -> [f32; 3] {
    let encoded = network.encode(golden.tensor("x", device), true);
    let mut logits = golden.difference("logits", encoded.logits.clone());
    let mut compared = BTreeSet::from(["x", "target", "logits"].map(str::to_owned));
    let controls = &golden.meta.config.controls;
    assert_eq!(encoded.units.is_some(), !controls.is_empty());
    if let Some(units) = encoded.units.clone() {
        logits = larger(logits, golden.difference("units", units));
        compared.insert("units".to_owned());
    }

    let mut face = 0f32;
    let mut picture = |name: &str, found: Tensor<4>| {
        let difference = golden.difference(name, rows(found, golden.meta.row_step));
        face = larger(face, difference);
        compared.insert(name.to_owned());
    };
    let drawn = network.decode(&encoded, golden.tensor("target", device));
    assert_eq!(drawn.is_some(), golden.meta.config.synthesises());
    if let Some(drawn) = drawn {
        picture("face", drawn.face);
        if let Some(change) = drawn.change {
            picture("mask", change.mask);
            if let Some(flow) = change.flow {
                picture("flow", flow);
            }
            assert_eq!(change.covers, golden.meta.config.head == Head::Blend);
            if change.covers {
                picture("delta", change.delta);
            }
        }
    }

    let mut gates = 0f32;
    assert_eq!(encoded.gates.len(), golden.meta.config.pairs());
    let stored = golden.tensors.contains_key("gates.fer.0.r");
    for (level, pair) in encoded.gates.into_iter().enumerate() {
        for (branch, side) in [("fer", pair.fer), ("fes", pair.fes)] {
            for (gate, values) in [("r", side.r), ("z", side.z)] {
                if stored {
                    let name = format!("gates.{branch}.{level}.{gate}");
                    let difference = golden.difference(&name, values) - GATE_STEP;
                    gates = larger(gates, difference);
                    compared.insert(name);
                }
            }
        }
    }
    let all: BTreeSet<String> = golden.tensors.keys().cloned().collect();
    assert_eq!(compared, all, "{}: outputs skipped", golden.meta.case);
    [logits, face, gates]
}

fn compare_all(name: &str, device: &Device, tolerance: f32) {
    let mut worst = [0f32; 3];
    let mut failed = Vec::new();
    for golden in cases() {
        let differences = compare(&golden, device);
        let [logits, face, gates] = differences;
        println!(
            "{name:4} {:32} logits {logits:.1e}  face {face:.1e}  gates {gates:.1e}",
            golden.meta.case
        );
        for (worst, difference) in worst.iter_mut().zip(differences) {
            *worst = larger(*worst, difference);
        }
        // Written so that a NaN fails.
        if !differences.iter().all(|d| *d <= tolerance) {
            failed.push(golden.meta.case.clone());
        }
    }
    let [logits, face, gates] = worst;
    println!("{name:4} largest: logits {logits:.1e}  face {face:.1e}  gates {gates:.1e}");
    assert!(
        failed.is_empty(),
        "further than {tolerance} apart: {failed:?}"
    );
}

#[test]
fn every_golden_case_agrees_with_pytorch_on_the_cpu() {
    compare_all("cpu", &Device::flex(), CPU_TOLERANCE);
}

#[cfg(feature = "gpu")]
#[test]
fn every_golden_case_agrees_with_pytorch_on_wgpu() {
    let before = fersnet::kernels::launches();
    compare_all("wgpu", &wgpu(), WGPU_TOLERANCE);
    // Every case has a stem and a classifier at the least, trainable and frozen.
    assert!(
        fersnet::kernels::launches() - before >= 4 * CASES,
        "the kernels did not run"
    );
}

#[test]
fn the_cost_of_every_golden_case_is_what_pytorch_counts() {
    for golden in cases() {
        let expected = Cost {
            parameters: golden.meta.cost.parameters,
            encoder_macs: golden.meta.cost.encoder_macs,
            decoder_macs: golden.meta.cost.decoder_macs,
            painter_macs: 0,
        };
        assert_eq!(
            Cost::of(&golden.meta.config),
            expected,
            "{}",
            golden.meta.case
        );
        let held: usize = weights::to_tensors(&golden.network(&Device::flex()))
            .iter()
            .filter(|(name, _)| !name.contains(".running_"))
            .map(|(_, tensor)| tensor.values.len())
            .sum();
        assert_eq!(held as u64, expected.parameters, "{}", golden.meta.case);
    }
}

#[test]
fn one_face_redrawn_for_many_targets_is_the_same_as_one_at_a_time() {
    let device = Device::flex();
    for golden in cases().iter().filter(|case| case.meta.config.synthesises()) {
        let network = golden.network(&device);
        let x: Tensor<4> = golden.tensor("x", &device);
        let encoded = network.encode(x.narrow(0, 0, 1), false);
        let width = golden.meta.config.target_width();
        let targets = Tensor::<2>::eye(width, &device);
        let together = network.decode(&encoded, targets.clone()).expect("faces");
        for i in 0..width {
            let alone = network
                .decode(&encoded, targets.clone().narrow(0, i, 1))
                .expect("a face");
            let difference = largest_difference(
                &floats(together.face.clone().narrow(0, i, 1).into_data()),
                &floats(alone.face.into_data()),
            );
            assert!(
                difference < 1e-5,
                "{} target {i}: {difference}",
                golden.meta.case
            );
        }
    }
}

#[test]
fn saved_weights_come_back_exactly_in_full_precision_and_rounded_in_half() {
    let device = Device::flex();
    for golden in cases() {
        let network = golden.network(&device);
        let before: HashMap<String, StoredTensor> =
            weights::to_tensors(&network).into_iter().collect();
        for precision in [Precision::Full, Precision::Half] {
            let bytes = weights::save(&network, precision).expect("weights");
            let read = weights::load(&bytes, &device).expect("what was saved");
            assert_eq!(read.config(), network.config());
            let after = weights::to_tensors(&read);
            assert_eq!(after.len(), before.len());
            for (name, tensor) in after {
                let whole = precision == Precision::Full || tensor.shape.len() == 1;
                assert_eq!(tensor.shape, before[&name].shape);
                for (new, old) in tensor.values.iter().zip(&before[&name].values) {
                    let expected = if whole {
                        *old
                    } else {
                        half::f16::from_f32(*old).to_f32()
                    };
                    assert_eq!(*new, expected, "{name} of {}", golden.meta.case);
                }
            }
        }
    }
}

#[test]
fn the_names_in_a_saved_file_are_those_that_pytorch_wrote() {
    let device = Device::flex();
    for golden in cases() {
        let Some(file) = &golden.meta.weights else {
            continue;
        };
        let bytes = std::fs::read(folder().join(file)).expect("weights");
        let saved = weights::save(&golden.network(&device), Precision::Full).expect("weights");
        let names = |bytes: &[u8]| -> BTreeSet<String> {
            let file = SafeTensors::deserialize(bytes).expect("safetensors");
            file.names().into_iter().map(str::to_owned).collect()
        };
        assert_eq!(names(&saved), names(&bytes), "{}", golden.meta.case);
    }
}

#[derive(Deserialize)]
struct DiscriminatorMeta {
    pattern: HashMap<String, Rule>,
}

/// Fills a module's parameters by rule.
struct Fill<'a> {
    rules: &'a HashMap<String, Rule>,
    path: Vec<String>,
    filled: usize,
}

impl ModuleMapper for Fill<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let rule = &self.rules[&name];
        self.filled += 1;
        param.map(|old| {
            assert_eq!(old.shape().to_vec(), rule.shape, "{name}");
            let data = TensorData::new(pattern(&name, 0, rule), rule.shape.clone());
            Tensor::from_data(data, &old.device())
        })
    }
}

#[test]
fn the_discriminator_agrees_with_pytorch_on_both_devices() {
    let golden: Golden<DiscriminatorMeta> =
        Golden::read(&folder().join("discriminator.safetensors"));
    let devices = [
        ("cpu", Device::flex(), CPU_TOLERANCE),
        #[cfg(feature = "gpu")]
        ("wgpu", wgpu(), WGPU_TOLERANCE),
    ];
    for (name, device, tolerance) in devices {
        let mut fill = Fill {
            rules: &golden.meta.pattern,
            path: Vec::new(),
            filled: 0,
        };
        let discriminator = Discriminator::new(3, 7, &device).map(&mut fill);
        assert_eq!(fill.filled, golden.meta.pattern.len());
        let scores = discriminator.forward(
            golden.tensor("x", &device),
            golden.tensor("target", &device),
        );
        let difference = golden.difference("scores", scores);
        println!("{name:4} discriminator: scores {difference:.1e}");
        assert!(difference <= tolerance, "{name}: {difference}");
    }
}

#[derive(Deserialize)]
struct CheckpointMeta {
    checkpoint: String,
}

/// A checkpoint in the authors' names reads BGR; the converted network gives the same for RGB.
fn compare_checkpoint(golden_file: &Path) {
    let golden: Golden<CheckpointMeta> = Golden::read(golden_file);
    let device = Device::flex();
    let path = golden_file.with_file_name(&golden.meta.checkpoint);
    let network = convert::from_authors_checkpoint(&path).expect("a checkpoint");
    assert_eq!(network.config().classes, convert::AUTHORS_CLASSES);
    let encoded = network.encode(golden.tensor("x", &device), false);
    let logits = golden.difference("logits", encoded.logits.clone());
    let drawn = network.decode(&encoded, golden.tensor("target", &device));
    let face = golden.difference("face", drawn.expect("a face").face);
    println!(
        "cpu  {}: logits {logits:.1e}  face {face:.1e}",
        golden.meta.checkpoint
    );
    println!("     {:?}", Cost::of(network.config()));
    assert!(logits <= CPU_TOLERANCE && face <= CPU_TOLERANCE);
}

#[test]
fn an_authors_checkpoint_of_bgr_pictures_answers_the_same_for_rgb_ones() {
    compare_checkpoint(&folder().join("authors-tiny.converted.safetensors"));
}

#[test]
fn a_nested_legacy_checkpoint_of_grey_pictures_is_converted_too() {
    compare_checkpoint(&folder().join("authors-legacy.converted.safetensors"));
}

#[test]
#[ignore = "needs a 216 MB checkpoint of the authors' own code; FERSNET_GOLDEN names its golden file"]
fn the_authors_own_code_at_full_width_agrees() {
    let file = std::env::var("FERSNET_GOLDEN").expect("FERSNET_GOLDEN");
    compare_checkpoint(Path::new(&file));
}
