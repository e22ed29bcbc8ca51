//! One step of training: the discriminator's steps, then the network's.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use super::TrainError;
use super::average::update_average;
use super::batch::Batch;
use super::checkpoint::{self, Adversary, Best, State};
use super::config::RunConfig;
use super::features::Features;
use super::files;
use super::objective::{self, Inputs, Judges, Terms};
use super::optimise::{learning_rate, optimiser};
use crate::kernels;
use crate::network::weights;
use crate::network::{Discriminator, Network};

/// A network in training.
pub struct Trainer {
    config: RunConfig,
    device: Device,
    state: State,
    features: Option<Features>,
}

/// The values of a step's terms, unweighted; 0 where a term is not computed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Losses {
    /// The network's weighted sum.
    pub total: f32,
    /// Cross-entropy of recognition.
    pub classification: f32,
    /// L1 towards the target.
    pub l1: f32,
    /// L1 of the differences of neighbours.
    pub gradient_l1: f32,
    /// Squared difference of the feature net's features.
    pub features: f32,
    /// Least squares of the discriminator's scores towards real.
    pub adversarial: f32,
    /// Squared difference of the face drawn back.
    pub cycle: f32,
    /// Cross-entropy of the wanted expression on the redrawn face.
    pub synthetic_classification: f32,
    /// Roughness of the flow.
    pub roughness: f32,
    /// The discriminator's loss, mean of its steps.
    pub discriminator: f32,
}

impl Losses {
    /// Names of the values, in their order.
    pub const NAMES: [&'static str; 10] = [
        "total",
        "classification",
        "l1",
        "gradient_l1",
        "features",
        "adversarial",
        "cycle",
        "synthetic_classification",
        "roughness",
        "discriminator",
    ];

    /// The values, in the order of [`Losses::NAMES`].
    pub fn values(&self) -> [f32; 10] {
        [
            self.total,
            self.classification,
            self.l1,
            self.gradient_l1,
            self.features,
            self.adversarial,
            self.cycle,
            self.synthetic_classification,
            self.roughness,
            self.discriminator,
        ]
    }

    /// From values in the order of [`Losses::NAMES`].
    pub fn from_values(values: [f32; 10]) -> Self {
        let [
            total,
            classification,
            l1,
            gradient_l1,
            features,
            adversarial,
            cycle,
            synthetic_classification,
            roughness,
            discriminator,
        ] = values;
        Self {
            total,
            classification,
            l1,
            gradient_l1,
            features,
            adversarial,
            cycle,
            synthetic_classification,
            roughness,
            discriminator,
        }
    }

    /// The terms that are there, with their values.
    pub fn in_words(&self) -> String {
        let terms = Self::NAMES.iter().zip(self.values());
        let terms = terms.filter(|(_, value)| *value != 0.0);
        let terms: Vec<String> = terms
            .map(|(name, value)| format!("{name} {value:.4}"))
            .collect();
        terms.join(", ")
    }

    /// Whether all values are numbers.
    pub fn is_finite(&self) -> bool {
        self.values().iter().all(|value| value.is_finite())
    }
}

impl Trainer {
    /// A new network, or that of `run.finetune`, at step 0.
    ///
    /// # Errors
    /// [`TrainError`] when no such network exists, or the weights to start from are another's.
    pub fn new(config: &RunConfig, device: &Device) -> Result<Self, TrainError> {
        device.seed(config.run.seed);
        let network_config = config.network.config();
        let network = match config.run.start() {
            Some(path) => {
                let network = weights::load(&files::read_file(path)?, device)?;
                if !network_config.same_layers(network.config()) {
                    return Err(TrainError::OtherNetwork {
                        path: path.to_owned(),
                    });
                }
                network
            }
            None => Network::new(network_config, device)?,
        };
        let adversary = config.is_adversarial().then(|| Adversary {
            discriminator: new_discriminator(config, device),
            optimiser: optimiser(&config.optimiser),
        });
        let state = State {
            average: network.clone(),
            network: network.train(),
            optimiser: optimiser(&config.optimiser),
            adversary,
            step: 0,
            best: None,
        };
        Self::with_state(config, device, state)
    }

    /// Goes on from the checkpoint in a run's folder; none when it has not written one yet.
    ///
    /// # Errors
    /// [`TrainError`] when the checkpoint is damaged.
    pub fn resume(
        config: &RunConfig,
        folder: &std::path::Path,
        device: &Device,
    ) -> Result<Option<Self>, TrainError> {
        let adversary = config.is_adversarial().then(|| Adversary {
            discriminator: new_discriminator(config, device),
            optimiser: optimiser(&config.optimiser),
        });
        checkpoint::load(folder, optimiser(&config.optimiser), adversary, device)?
            .map(|state| Self::with_state(config, device, state))
            .transpose()
    }

    fn with_state(config: &RunConfig, device: &Device, state: State) -> Result<Self, TrainError> {
        let precision = config.run.precision;
        if !precision.is_available(device) {
            return Err(TrainError::Setting {
                key: "run.precision".into(),
                rule: "this device has no bf16 convolutions; take \"full\", or --device torch"
                    .into(),
            });
        }
        kernels::set_training_precision(precision);
        let features = (config.objective.features > 0.0)
            .then(|| Features::load(config.objective.feature_net, device))
            .transpose()?;
        Ok(Self {
            config: config.clone(),
            device: device.clone(),
            state,
            features,
        })
    }

    /// What a checkpoint holds.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Remembers the checkpoint whose weights read the held-out faces best.
    pub fn note_best(&mut self, best: Best) {
        self.state.best = Some(best);
    }

    /// Steps done.
    pub fn steps_done(&self) -> usize {
        self.state.step
    }

    /// The running average of the weights; the weights themselves when there is no average.
    pub fn average(&self) -> &Network {
        &self.state.average
    }

    /// The learning rate of the next step.
    pub fn rate(&self) -> f64 {
        let (table, run) = (&self.config.optimiser, &self.config.run);
        learning_rate(table, self.state.step, run.steps)
    }

    /// Moves all weights once by one batch.
    ///
    /// # Errors
    /// [`TrainError::NotANumber`] when a term is none; the network is then as before the step.
    pub fn step(&mut self, batch: &Batch) -> Result<Losses, TrainError> {
        let network = &self.config.network;
        let device = self.device.clone().autodiff();
        let inputs = Inputs::new(batch, network.channels, network.classes.len(), &device);
        let pass = objective::pass(&self.state.network, &inputs);
        let rate = self.rate();
        let mut judgements = Vec::new();
        if let (Some(adversary), Some(drawn)) = (&mut self.state.adversary, &pass.drawn) {
            for _ in 0..self.config.objective.discriminator_steps {
                let face = drawn.face.clone().detach();
                let loss = objective::discriminator_loss(&adversary.discriminator, &inputs, face);
                judgements.push(loss.clone().inner());
                adversary.learn(&loss, rate);
            }
        }
        let discriminator = self
            .state
            .adversary
            .as_ref()
            .map(|adversary| adversary.discriminator.valid());
        let judges = Judges {
            discriminator: discriminator.as_ref(),
            features: self.features.as_ref(),
        };
        let weights = &self.config.objective;
        let terms = objective::network_terms(&self.state.network, &judges, &inputs, &pass, weights);
        let Some(total) = terms.total(weights) else {
            return Err(TrainError::NoTerm);
        };
        let losses = read_losses(&total, &terms, weights, judgements);
        if !losses.is_finite() {
            return Err(TrainError::NotANumber {
                step: self.state.step,
                losses: losses.in_words(),
            });
        }
        self.learn(&total, rate);
        Ok(losses)
    }

    fn learn(&mut self, total: &Tensor<1>, rate: f64) {
        let state = &mut self.state;
        let gradients = GradientsParams::from_grads(total.backward(), &state.network);
        state.network = state.optimiser.step(rate, state.network.clone(), gradients);
        // A young average follows the network faster, else it keeps the initial weights for long.
        let young = (state.step + 1) as f64 / (state.step + 10) as f64;
        let keep = self.config.run.average_rate.min(young);
        state.average = update_average(state.average.clone(), &state.network, keep);
        state.step += 1;
    }
}

impl Adversary {
    fn learn(&mut self, loss: &Tensor<1>, rate: f64) {
        let gradients = GradientsParams::from_grads(loss.backward(), &self.discriminator);
        self.discriminator = self
            .optimiser
            .step(rate, self.discriminator.clone(), gradients);
    }
}

fn new_discriminator(config: &RunConfig, device: &Device) -> Discriminator {
    let (channels, classes) = (config.network.channels, config.network.classes.len());
    Discriminator::new(channels, classes, device).train()
}

/// Reads all values back at once: each reading waits for the device.
fn read_losses(
    total: &Tensor<1>,
    terms: &Terms,
    weights: &super::config::Objective,
    judgements: Vec<Tensor<1>>,
) -> Losses {
    let zero = || Tensor::<1>::zeros([1], &total.device().inner());
    let steps = judgements.len().max(1) as f64;
    let judgement = judgements.into_iter().reduce(|sum, loss| sum + loss);
    let mut scalars = vec![total.clone().inner()];
    for (term, _) in terms.weighted(weights) {
        scalars.push(term.map_or_else(zero, |term| term.clone().inner()));
    }
    scalars.push(judgement.map_or_else(zero, |sum| sum / steps));
    let values: Vec<f32> = Tensor::cat(scalars, 0).into_data().iter::<f32>().collect();
    Losses::from_values(std::array::from_fn(|i| {
        values.get(i).copied().unwrap_or(f32::NAN)
    }))
}
