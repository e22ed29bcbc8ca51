//! The objective and the trainer's step on made-up batches: what each term is, what each network
//! learns from, and that several devices do what one does.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use fersnet::network::{Discriminator, Network};
use fersnet::train::TrainError;
use fersnet::train::batch::{Batch, BatchShape, Shown};
use fersnet::train::checkpoint;
use fersnet::train::config::RunConfig;
use fersnet::train::losses::Losses;
use fersnet::train::objective::{self, Critics, Inputs};
use fersnet::train::presets;
use fersnet::train::replicas::{mean_gradients, replica};
use fersnet::train::term::Term;
use fersnet::train::trainer::Trainer;
use toml::Value;

const CLASSES: [&str; 3] = ["neutral", "happiness", "fear"];

/// Sums of floats in another order differ in the last bits.
const CLOSE: f32 = 1e-5;

/// Rounding, as a part of the largest step: norms over the few pixels of deep layers enlarge it. A
/// sum in place of a mean, or a lost half, would be apart by half of the step.
const ROUNDING: f32 = 1e-2;

fn shape(labelled: usize, pairs: usize, unpaired: usize, size: usize) -> BatchShape {
    BatchShape {
        labelled,
        pairs,
        unpaired,
        size,
    }
}

/// Numbers in [0, 1) that look random and are always the same.
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    (0..count).map(|_| next()).collect()
}

fn one_hot_rows(rows: usize, offset: usize) -> Vec<f32> {
    let classes = CLASSES.len();
    let hot = |row: usize, class: usize| (row + offset) % classes == class;
    (0..rows * classes)
        .map(|i| {
            if hot(i / classes, i % classes) {
                1.0
            } else {
                0.0
            }
        })
        .collect()
}

fn batch(shape: BatchShape) -> Batch {
    let (rows, plane) = (shape.rows(), 3 * shape.size * shape.size);
    Batch {
        shape,
        names: (0..rows + shape.pairs)
            .map(|i| format!("{i}.png"))
            .collect(),
        faces: noise(rows * plane, 1),
        labels: one_hot_rows(rows, 0),
        label_weights: vec![1.0; rows],
        targets: noise(shape.pairs * plane, 2),
        wanted: one_hot_rows(shape.pairs + shape.unpaired, 1),
        shown: Shown::nothing(shape, 0),
    }
}

fn config(preset: &str, settings: &[(&str, &str)]) -> RunConfig {
    let text = presets::named(preset).expect("a preset");
    let small = [("run.steps", "10"), ("network.width", "2")];
    let settings: Vec<(String, Value)> = small
        .iter()
        .chain(settings)
        .map(|(key, value)| ((*key).to_owned(), presets::parse_value(value)))
        .collect();
    let mut config = presets::read(text, &settings).expect("numbers");
    config.network.classes = CLASSES.map(str::to_owned).to_vec();
    config.validate().expect("valid numbers");
    config
}

fn one_step(config: &RunConfig, batch: &Batch) -> Losses {
    let mut trainer = Trainer::new(config, &[Device::flex()]).expect("a trainer");
    trainer.step(batch).expect("a step")
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn mean(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let count = values.len() as f32;
    values.sum::<f32>() / count
}

#[test]
fn every_preset_states_a_whole_run() {
    for (name, text) in presets::PRESETS {
        let config = presets::read(text, &[]).expect(name);
        config.validate().expect(name);
        let written = toml::to_string(&config).expect("TOML");
        assert_eq!(presets::read(&written, &[]).expect("read again"), config);
        let json = serde_json::to_string(&config).expect("JSON");
        assert_eq!(
            serde_json::from_str::<RunConfig>(&json).expect("JSON"),
            config
        );
    }
}

#[test]
fn the_release_is_trained_as_it_was_published() {
    let text = presets::named("release-2021").expect("a preset");
    let config = presets::read(text, &[]).expect("numbers");
    let terms = config.objective;
    assert_eq!((terms.l1, terms.features), (1.0, 0.05));
    assert_eq!((terms.adversarial, terms.cycle), (0.3, 0.5));
    assert_eq!(terms.discriminator_steps, 3);
    let table = config.optimiser;
    assert_eq!((table.beta_1, table.beta_2), (0.5, 0.999));
    assert_eq!((table.rate, table.weight_decay), (1e-4, 5e-4));
    // Epochs 150 and 400 of 500.
    let rate = |epoch| fersnet::train::optimise::learning_rate(&table, epoch, 500);
    for (epoch, expected) in [(149, 1e-4), (150, 1e-5), (399, 1e-5), (400, 1e-6)] {
        assert!((rate(epoch) - expected).abs() < 1e-12, "epoch {epoch}");
    }
}

#[test]
fn an_unknown_key_is_refused_by_its_name() {
    let ship = presets::named("ship").expect("a preset");
    for (key, value) in [
        ("objective.cicle", "1"),
        ("network.head", "wrap"),
        ("run.seed", "x"),
    ] {
        let settings = [(key.to_owned(), presets::parse_value(value))];
        let error = presets::read(ship, &settings).expect_err(key).to_string();
        let named = if key == "network.head" { value } else { key };
        assert!(error.contains(named), "{error}");
    }
    let error = presets::read("[objective]\nadversary = 1.0\n", &[]).expect_err("unknown");
    let error = error.to_string();
    assert!(
        error.contains("objective.adversary") && error.contains("adversarial"),
        "{error}"
    );
}

#[test]
fn a_value_that_does_not_do_is_refused_by_its_key() {
    for (key, value) in [
        ("batch.size", "100"),
        ("optimiser.rate", "-1.0"),
        ("run.ema_decay", "1.0"),
        ("batch.unpaired", "4"),
        ("objective.l1", "-2"),
    ] {
        let settings = [(key.to_owned(), presets::parse_value(value))];
        let ship = presets::named("ship").expect("a preset");
        let config = presets::read(ship, &settings).expect(key);
        let error = config.validate().expect_err(key).to_string();
        assert!(error.starts_with(key), "{error}");
    }
}

#[test]
fn a_device_without_bf16_convolutions_refuses_half_precision() {
    let config = config("ship", &[("run.precision", "half")]);
    let error = Trainer::new(&config, &[Device::flex()]).err();
    let text = error.expect("an error").to_string();
    assert!(text.starts_with("run.precision"), "{text}");
}

#[test]
fn each_variant_of_both_editions_takes_a_step() {
    for (edition, width, size) in [("2020", "4", 96), ("2021", "2", 64)] {
        for variant in ["single", "hard", "fersnet"] {
            let config = config(
                "ship",
                &[
                    ("network.edition", edition),
                    ("network.width", width),
                    ("network.variant", variant),
                    ("network.head", "raw"),
                    ("batch.size", &size.to_string()),
                ],
            );
            let losses = one_step(&config, &batch(shape(2, 2, 0, size)));
            assert!(
                losses.terms[Term::Classification] > 0.0,
                "{edition} {variant}"
            );
            let draws = variant != "single";
            assert_eq!(losses.terms[Term::L1] > 0.0, draws, "{edition} {variant}");
        }
    }
}

#[test]
fn each_head_and_grey_faces_take_a_step() {
    for (head, channels) in [
        ("raw", "1"),
        ("residual", "3"),
        ("warp", "3"),
        ("warp", "1"),
    ] {
        let config = config(
            "ship",
            &[
                ("network.head", head),
                ("network.channels", channels),
                ("batch.size", "64"),
            ],
        );
        let losses = one_step(&config, &batch(shape(1, 1, 0, 64)));
        assert!(
            losses.terms[Term::L1] > 0.0 && losses.is_finite(),
            "{head} {channels}"
        );
    }
}

#[test]
fn the_release_computes_all_of_its_terms() {
    let config = config("release-2021", &[("batch.size", "64")]);
    let losses = one_step(&config, &batch(shape(0, 2, 0, 64)));
    let present = [
        losses.terms[Term::Classification],
        losses.terms[Term::L1],
        losses.terms[Term::Features],
        losses.terms[Term::Adversarial],
        losses.terms[Term::Cycle],
        losses.discriminator,
    ];
    assert!(present.iter().all(|loss| *loss > 0.0), "{losses:?}");
    assert_eq!(
        (
            losses.terms[Term::GradientL1],
            losses.terms[Term::FlowSmoothness]
        ),
        (0.0, 0.0)
    );
    let total = losses.terms[Term::Classification]
        + losses.terms[Term::L1]
        + 0.05 * losses.terms[Term::Features]
        + 0.3 * losses.terms[Term::Adversarial]
        + 0.5 * losses.terms[Term::Cycle];
    assert!((losses.total - total).abs() < CLOSE, "{losses:?}");
}

#[test]
fn faces_without_a_target_teach_by_the_other_terms() {
    let config = config(
        "ship",
        &[
            ("batch.size", "64"),
            ("batch.labelled", "0"),
            ("batch.pairs", "0"),
            ("batch.unpaired", "2"),
            ("objective.adversarial", "0.3"),
            ("objective.cycle", "0.5"),
            ("objective.synthetic_classification", "0.1"),
        ],
    );
    let losses = one_step(&config, &batch(shape(0, 0, 2, 64)));
    assert_eq!(
        (losses.terms[Term::L1], losses.terms[Term::GradientL1]),
        (0.0, 0.0)
    );
    let others = [
        losses.terms[Term::Classification],
        losses.terms[Term::Adversarial],
        losses.terms[Term::Cycle],
        losses.terms[Term::SyntheticClassification],
        losses.discriminator,
    ];
    assert!(others.iter().all(|loss| *loss > 0.0), "{losses:?}");
}

/// A network, a discriminator and a batch of one pair and one unpaired face.
fn stage() -> (RunConfig, Network, Discriminator, Inputs) {
    let config = config(
        "ship",
        &[
            ("batch.size", "64"),
            ("batch.unpaired", "1"),
            ("objective.adversarial", "0.3"),
            ("objective.cycle", "0.5"),
            ("objective.synthetic_classification", "0.1"),
        ],
    );
    let device = Device::flex();
    device.seed(3);
    let network = Network::new(config.network_config(), &device).expect("a network");
    let discriminator = Discriminator::new(3, CLASSES.len(), &device);
    let inputs = Inputs::new(&batch(shape(1, 1, 1, 64)), network.config(), &device);
    (config, network, discriminator, inputs)
}

#[test]
fn the_discriminator_is_to_score_real_faces_one_and_redrawn_ones_zero() {
    let (_, network, discriminator, inputs) = stage();
    let redrawn = objective::pass(&network, &inputs, false)
        .redrawn
        .expect("faces");
    // Real: the pair's target with the wanted label, the unpaired face with its own.
    let (real, labels) = inputs.real();
    let targets = inputs.targets.clone().expect("targets");
    let faces = inputs.faces.clone().narrow(0, 2, 1);
    assert_eq!(
        values(real.clone()),
        values(Tensor::cat(vec![targets, faces], 0))
    );
    let scores = values(discriminator.forward(real, labels));
    let fakes = values(discriminator.forward(redrawn.drawn.face.clone(), redrawn.wanted.clone()));
    let expected = (mean(scores.iter().map(|score| (score - 1.0).powi(2)))
        + mean(fakes.iter().map(|score| score.powi(2))))
        / 2.0;
    let loss = objective::discriminator_loss(&discriminator, &inputs, &redrawn);
    assert!((values(loss)[0] - expected).abs() < CLOSE);
}

#[test]
fn the_free_terms_are_what_their_names_say() {
    let (config, network, discriminator, inputs) = stage();
    let pass = objective::pass(&network, &inputs, false);
    let critics = Critics {
        discriminator: Some(discriminator.clone()),
        features: None,
    };
    let terms = objective::network_terms(&network, &critics, &inputs, &pass, &config.objective);
    let redrawn = pass.redrawn.expect("faces");
    let (face, wanted) = (redrawn.drawn.face, redrawn.wanted);
    let value = |term: Option<Tensor<1>>| values(term.expect("a term"))[0];

    let scores = values(discriminator.forward(face.clone(), wanted.clone()));
    let adversarial = mean(scores.iter().map(|score| (score - 1.0).powi(2)));
    assert!((value(terms.values[Term::Adversarial].clone()) - adversarial).abs() < CLOSE);

    let again = network.encode(face, false);
    let labels = inputs.labels.clone().narrow(0, 1, 2);
    let back = network.decode(&again, labels).expect("faces").face;
    let sources = values(inputs.faces.clone().narrow(0, 1, 2));
    let back = values(back);
    let cycle = mean(back.iter().zip(&sources).map(|(a, b)| (a - b).powi(2)));
    assert!((value(terms.values[Term::Cycle].clone()) - cycle).abs() < CLOSE);

    let (logits, wanted) = (values(again.logits), values(wanted));
    let rows = logits.chunks_exact(3).zip(wanted.chunks_exact(3));
    let entropy = mean(rows.map(|(logits, wanted)| {
        let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
        let hot = wanted.iter().position(|share| *share == 1.0).expect("one");
        sum.ln() - logits[hot]
    }));
    assert!((value(terms.values[Term::SyntheticClassification].clone()) - entropy).abs() < CLOSE);
}

/// The parameters that gradients move: not batch norm's running statistics, which are estimated from
/// each device's own faces.
fn trained(network: &Network) -> Vec<f32> {
    struct Trained(Vec<f32>);
    impl ModuleVisitor for Trained {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.val().is_require_grad() {
                self.0.extend(values(param.val().inner()));
            }
        }
    }
    let mut trained = Trained(Vec::new());
    network.visit(&mut trained);
    assert!(!trained.0.is_empty());
    trained.0
}

struct Flat(Vec<f32>);

impl ModuleVisitor for Flat {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.extend(values(param.val()));
    }
}

fn flat(module: &impl Module) -> Vec<f32> {
    let mut flat = Flat(Vec::new());
    module.visit(&mut flat);
    flat.0
}

fn all_close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < CLOSE)
}

#[test]
fn a_discriminator_goes_on_from_its_checkpoint_as_if_nothing_had_been() {
    let config = config(
        "release-2021",
        &[("batch.size", "64"), ("batch.pairs", "2")],
    );
    let devices = [Device::flex()];
    let batch = batch(shape(0, 2, 0, 64));
    let mut trainer = Trainer::new(&config, &devices).expect("a trainer");
    trainer.step(&batch).expect("a step");
    let folder = tempfile::tempdir().expect("a folder");
    checkpoint::save(folder.path(), trainer.state()).expect("saved");
    let mut resumed = Trainer::resume(&config, folder.path(), &devices)
        .expect("read")
        .expect("a checkpoint");
    assert_eq!(resumed.steps_done(), 1);
    let (losses, again) = (trainer.step(&batch), resumed.step(&batch));
    assert_eq!(losses.expect("a step"), again.expect("a step"));
    let weights = |trainer: &Trainer| {
        let adversary = trainer.state().adversary.as_ref().expect("a discriminator");
        flat(&adversary.discriminator.valid())
    };
    assert!(weights(&trainer) == weights(&resumed));
    assert!(flat(&trainer.state().network.valid()) == flat(&resumed.state().network.valid()));
}

#[test]
fn two_devices_compute_the_gradient_of_one_with_the_double_batch() {
    let device = Device::flex().autodiff();
    device.seed(5);
    let critic = Discriminator::new(3, 3, &device);
    let face = |seed, count: usize| {
        let data = TensorData::new(noise(count * 3 * 64 * 64, seed), [count, 3, 64, 64]);
        Tensor::<4>::from_data(data, &device)
    };
    let faces = face(1, 4);
    let label = Tensor::<2>::from_data(TensorData::new(one_hot_rows(4, 0), [4, 3]), &device);
    let loss = |critic: &Discriminator, start, count| {
        let (faces, label) = (faces.clone(), label.clone());
        let scores = critic.forward(faces.narrow(0, start, count), label.narrow(0, start, count));
        (scores - 1.0).square().mean()
    };
    let inner = Device::flex();
    let whole = mean_gradients(&critic, vec![(loss(&critic, 0, 4), &critic)], &inner);
    let (first, second) = (replica(&critic, 0, &device), replica(&critic, 1, &device));
    let halves = vec![(loss(&first, 0, 2), &first), (loss(&second, 2, 2), &second)];
    let halves = mean_gradients(&critic, halves, &inner);
    assert_eq!(whole.len(), halves.len());
    struct Compare<'a>(
        &'a burn::optim::GradientsParams,
        &'a burn::optim::GradientsParams,
        usize,
    );
    impl ModuleVisitor for Compare<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let [a, b] = [self.0, self.1].map(|all| all.get::<D>(param.id).expect("a gradient"));
            assert!(all_close(&values(a), &values(b)));
            self.2 += 1;
        }
    }
    let mut compare = Compare(&whole, &halves, 0);
    critic.visit(&mut compare);
    assert_eq!(compare.2, 10, "five layers with weight and bias");
}

#[test]
fn two_devices_take_the_step_of_one() {
    // With this much epsilon the step is about the gradient, not its sign.
    let config = config(
        "release-2021",
        &[
            ("batch.size", "64"),
            ("batch.pairs", "2"),
            ("objective.discriminator_steps", "1"),
            ("optimiser.epsilon", "1.0"),
            ("optimiser.rate", "0.01"),
        ],
    );
    // Both halves alike: batch norm, whose statistics are each device's own, then sees the same.
    let half = batch(shape(0, 1, 0, 64));
    let double = Batch {
        shape: shape(0, 2, 0, 64),
        names: [half.names.clone(), half.names.clone()].concat(),
        faces: half.faces.repeat(2),
        labels: half.labels.repeat(2),
        label_weights: half.label_weights.repeat(2),
        targets: half.targets.repeat(2),
        wanted: half.wanted.repeat(2),
        shown: Shown::nothing(shape(0, 2, 0, 64), 0),
    };
    let step = |devices: &[Device]| {
        let mut trainer = Trainer::new(&config, devices).expect("a trainer");
        let before = trained(&trainer.state().network);
        let losses = trainer.step(&double).expect("a step");
        let after = trained(&trainer.state().network);
        let moved: Vec<f32> = after.iter().zip(before).map(|(a, b)| a - b).collect();
        (losses, moved)
    };
    let (one, two) = (
        step(&[Device::flex()]),
        step(&[Device::flex(), Device::flex()]),
    );
    assert!(
        all_close(&one.0.values(), &two.0.values()),
        "{:?} {:?}",
        one.0,
        two.0
    );
    let largest = |moved: &[f32]| moved.iter().fold(0.0_f32, |most, m| most.max(m.abs()));
    let apart: Vec<f32> = one.1.iter().zip(&two.1).map(|(a, b)| a - b).collect();
    let (moved, apart) = (largest(&one.1), largest(&apart));
    assert!(apart < ROUNDING * moved, "moved {moved}, apart {apart}");
}

#[test]
fn a_batch_that_cannot_be_divided_is_refused() {
    let config = config("ship", &[("batch.pairs", "3"), ("batch.labelled", "2")]);
    let error = Trainer::new(&config, &[Device::flex(), Device::flex()]).err();
    assert!(matches!(error, Some(TrainError::Setting { key, .. }) if key == "batch.pairs"));
}

#[test]
fn the_parts_of_a_batch_hold_their_share_of_each_kind() {
    let whole = batch(shape(2, 4, 2, 64));
    let parts = whole.parts(2);
    assert_eq!(parts[1].shape, shape(1, 2, 1, 64));
    // Labelled 1; sources 4 and 5 of 2..6; unpaired 7; targets 2 and 3 of 8..12.
    let names = ["1.png", "4.png", "5.png", "7.png", "10.png", "11.png"];
    assert_eq!(parts[1].names, names);
    let plane = 3 * 64 * 64;
    assert!(parts[1].faces[plane..2 * plane] == whole.faces[4 * plane..5 * plane]);
    assert_eq!(parts[1].wanted[6..], whole.wanted[5 * 3..]);
}
