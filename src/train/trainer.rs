//! One step of training: the discriminator's steps, then the network's.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::TrainError;
use super::batch::Batch;
use super::checkpoint::{self, Adversary, Best, State};
use super::config::RunConfig;
use super::ema::update_ema;
use super::features::Features;
use super::losses::Losses;
use super::objective::{self, Critics, Inputs, Pass, Terms};
use super::optimise::{learning_rate, optimiser};
use super::replicas::{mean_gradients, replica};
use super::transfer::transfer;
use crate::network::parts::completed;
use crate::network::weights;
use crate::network::{Discriminator, Network, NetworkConfig};
use crate::store;

/// A network in training.
pub struct Trainer {
    config: RunConfig,
    /// Where the weights are kept and moved; then the further devices that compute.
    devices: Vec<Device>,
    state: State,
    /// The feature net of each device.
    features: Vec<Option<Features>>,
}

/// One device's part of a step.
struct Worker {
    network: Network,
    inputs: Inputs,
    pass: Pass,
}

impl Trainer {
    /// A new network, or that of `run.finetune`, at step 0. Its weights are on the first device; a
    /// step is divided among all.
    ///
    /// # Errors
    /// [`TrainError`] when no such network exists, when the weights to start from are another's, or
    /// when a batch cannot be divided among the devices.
    pub fn new(config: &RunConfig, devices: &[Device]) -> Result<Self, TrainError> {
        let device = first(devices)?;
        device.seed(config.run.seed);
        let network_config = config.network_config();
        let network = match config.run.start() {
            Some(path) => start_from(path, network_config, config.run.transfer, device)?,
            None => Network::new(network_config, device)?,
        };
        let state = State {
            average: network.clone(),
            network: network.train(),
            optimiser: optimiser(&config.optimiser),
            adversary: new_adversary(config, device),
            step: 0,
            best: None,
        };
        Self::with_state(config, devices, state)
    }

    /// Goes on from the checkpoint in a run's folder; none when it has not written one yet.
    ///
    /// # Errors
    /// [`TrainError`] when the checkpoint is damaged.
    pub fn resume(
        config: &RunConfig,
        folder: &Path,
        devices: &[Device],
    ) -> Result<Option<Self>, TrainError> {
        let device = first(devices)?;
        let adversary = new_adversary(config, device);
        checkpoint::load(folder, optimiser(&config.optimiser), adversary, device)?
            .map(|state| Self::with_state(config, devices, state))
            .transpose()
    }

    fn with_state(
        config: &RunConfig,
        devices: &[Device],
        state: State,
    ) -> Result<Self, TrainError> {
        config.check_devices(devices.len())?;
        config.run.check_precision(devices)?;
        let has_features = config.objective.features > 0.0;
        let features = devices.iter().map(|device| {
            has_features
                .then(|| Features::load(config.objective.feature_net, device))
                .transpose()
        });
        Ok(Self {
            config: config.clone(),
            features: features.collect::<Result<_, _>>()?,
            devices: devices.to_vec(),
            state,
        })
    }

    /// What a checkpoint holds.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The device on which the weights are.
    pub fn device(&self) -> &Device {
        &self.devices[0]
    }

    /// Remembers the checkpoint whose weights read the validation faces best.
    pub fn note_best(&mut self, best: Best) {
        self.state.best = Some(best);
    }

    /// Steps done.
    pub fn steps_done(&self) -> usize {
        self.state.step
    }

    /// The EMA of the weights; the weights themselves when there is no average.
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
    /// [`TrainError::NotANumber`] when a term is no number; the network's weights are then as before.
    pub fn step(&mut self, batch: &Batch) -> Result<Losses, TrainError> {
        let options = self.config.run.options();
        options.run(|| self.step_with_options(batch))
    }

    fn step_with_options(&mut self, batch: &Batch) -> Result<Losses, TrainError> {
        let rate = self.rate();
        let workers = self.passes(batch);
        let critic_loss = self.teach_discriminator(&workers, rate);
        let weights = &self.config.objective;
        let adversary = self.state.adversary.as_ref();
        // Constant here: only the network learns from its own loss.
        let discriminator = adversary.map(|adversary| adversary.discriminator.valid());
        let mut values = Vec::with_capacity(workers.len());
        let mut totals = Vec::with_capacity(workers.len());
        for (index, worker) in workers.iter().enumerate() {
            let device = &self.devices[index];
            let discriminator = discriminator.as_ref();
            let critics = Critics {
                discriminator: discriminator.map(|critic| replica(critic, index, device)),
                features: self.features[index].as_ref(),
            };
            let Worker {
                network,
                inputs,
                pass,
            } = worker;
            let terms = objective::network_terms(network, &critics, inputs, pass, weights);
            let Some(total) = terms.total() else {
                return Err(TrainError::NoTerm);
            };
            values.push(term_values(&total, &terms));
            totals.push((total, network));
        }
        let losses = read_losses(values, critic_loss, self.device());
        if !losses.is_finite() {
            return Err(TrainError::NotANumber {
                step: self.state.step,
                losses: losses.in_words(),
            });
        }
        self.learn(totals, rate);
        Ok(losses)
    }

    /// Each device's forward pass over its part of the batch.
    fn passes(&self, batch: &Batch) -> Vec<Worker> {
        let parts = batch.parts(self.devices.len());
        let parts = parts.iter().zip(&self.devices).enumerate();
        parts
            .map(|(index, (part, device))| {
                let device = device.clone().autodiff();
                let inputs = Inputs::new(part, self.state.network.config(), &device);
                let network = replica(&self.state.network, index, &device);
                let pass = objective::pass(&network, &inputs, self.config.run.frozen_encoder);
                Worker {
                    network,
                    inputs,
                    pass,
                }
            })
            .collect()
    }

    /// The discriminator's steps on the faces that the network has drawn; the mean of its losses `[1]`,
    /// where it has any.
    fn teach_discriminator(&mut self, workers: &[Worker], rate: f64) -> Option<Tensor<1>> {
        let main = &self.devices[0];
        let adversary = self.state.adversary.as_mut()?;
        let mut critic_losses = Vec::new();
        for _ in 0..self.config.objective.discriminator_steps {
            let critics: Vec<Discriminator> = self
                .devices
                .iter()
                .enumerate()
                .map(|(index, device)| {
                    let device = device.clone().autodiff();
                    replica(&adversary.discriminator, index, &device)
                })
                .collect();
            let mut losses = Vec::new();
            for (critic, Worker { inputs, pass, .. }) in critics.iter().zip(workers) {
                if let Some(redrawn) = &pass.redrawn {
                    let loss = objective::discriminator_loss(critic, inputs, redrawn);
                    losses.push((loss, critic));
                }
            }
            if losses.is_empty() {
                return None;
            }
            let values = losses.iter().map(|(loss, _)| loss.clone().inner());
            critic_losses.extend(values.map(|value| value.to_device(main)));
            let gradients = mean_gradients(&adversary.discriminator, losses, main);
            let discriminator = adversary.discriminator.clone();
            adversary.discriminator = adversary.optimiser.step(rate, discriminator, gradients);
        }
        Some(Tensor::cat(critic_losses, 0).mean())
    }

    fn learn(&mut self, totals: Vec<(Tensor<1>, &Network)>, rate: f64) {
        let state = &mut self.state;
        let gradients = mean_gradients(&state.network, totals, &self.devices[0]);
        state.network = state.optimiser.step(rate, state.network.clone(), gradients);
        // A young average follows the network faster, else it keeps the initial weights for long.
        let young = (state.step + 1) as f64 / (state.step + 10) as f64;
        let keep = self.config.run.ema_decay.min(young);
        state.average = update_ema(state.average.clone(), &state.network, keep);
        state.step += 1;
    }
}

fn first(devices: &[Device]) -> Result<&Device, TrainError> {
    devices.first().ok_or_else(|| TrainError::Setting {
        key: "--devices".into(),
        rule: "at least one device is needed".into(),
    })
}

/// The network of a weight file; with `may_differ` another one is built from what fits of it.
fn start_from(
    path: &Path,
    config: NetworkConfig,
    may_differ: bool,
    device: &Device,
) -> Result<Network, TrainError> {
    let stored = weights::load(&completed(store::read(path)?, path)?, device)?;
    if config.same_layers(stored.config()) {
        return Ok(stored);
    }
    if !may_differ {
        return Err(TrainError::OtherNetwork {
            path: path.to_owned(),
        });
    }
    let (network, taken) = transfer(&stored, config, device)?;
    println!(
        "of {} tensors {} are those of {}, {} were turned into this network's kind; the others begin anew",
        taken.all,
        taken.same,
        path.display(),
        taken.turned
    );
    Ok(network)
}

fn new_adversary(config: &RunConfig, device: &Device) -> Option<Adversary> {
    let network = config.network_config();
    let (channels, width) = (network.channels, network.target_width());
    config.is_adversarial().then(|| Adversary {
        discriminator: Discriminator::new(channels, width, device).train(),
        optimiser: optimiser(&config.optimiser),
    })
}

/// The network's weighted sum and its terms, 0 where a term is absent, `[1 + terms]`.
fn term_values(total: &Tensor<1>, terms: &Terms) -> Tensor<1> {
    let total = total.clone().inner();
    let zero = Tensor::<1>::zeros([1], &total.device());
    let mut values = vec![total];
    for (_, term) in terms.values.iter() {
        let value = term.as_ref().map(|term| term.clone().inner());
        values.push(value.unwrap_or_else(|| zero.clone()));
    }
    Tensor::cat(values, 0)
}

/// The mean over the devices, and the discriminator's loss, read back at once: each reading waits for
/// the device.
fn read_losses(parts: Vec<Tensor<1>>, critic_loss: Option<Tensor<1>>, device: &Device) -> Losses {
    let share = 1.0 / parts.len() as f64;
    let parts = parts.into_iter().map(|part| part.to_device(device) * share);
    let Some(mean) = parts.reduce(|sum, part| sum + part) else {
        return Losses::default();
    };
    let critic_loss = critic_loss.unwrap_or_else(|| Tensor::zeros([1], device));
    let values = Tensor::cat(vec![mean, critic_loss], 0).into_data();
    let values: Vec<f32> = values.iter::<f32>().collect();
    Losses::from_values(std::array::from_fn(|i| {
        values.get(i).copied().unwrap_or(f32::NAN)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Layout;
    use crate::data::made::{classes, face, set};
    use crate::train::presets;
    use crate::train::sampler::Sampler;
    use crate::train::sets::TrainingData;

    #[test]
    fn each_of_two_devices_has_half_of_a_steps_faces_and_their_gradients_make_the_step() {
        let quick = presets::named("quick").expect("a preset");
        let mut config = presets::read(quick, &[]).expect("numbers");
        config.network.classes = classes();
        config.network.width = 2;
        (config.batch.labelled, config.batch.pairs) = (4, 2);
        let faces = vec![face("calm", Some("a"), 0), face("glad", Some("a"), 1)];
        let data = TrainingData::new([set(Layout::Paired, faces)], &classes(), &config.batch);
        let data = data.expect("faces");
        let batch = Sampler::new(&data, &config.batch, &config.network_config()).draw(1, 0);
        let two = [Device::flex(), Device::flex()];
        let mut trainer = Trainer::new(&config, &two).expect("a trainer");
        let workers = trainer.passes(&batch);
        let counts: Vec<[usize; 3]> = workers
            .iter()
            .map(|worker| {
                let inputs = &worker.inputs;
                [inputs.faces.dims()[0], inputs.labelled, inputs.pairs]
            })
            .collect();
        assert_eq!(counts, [[3, 2, 1]; 2]);
        let whole: Vec<f32> = workers
            .iter()
            .flat_map(|worker| {
                worker
                    .inputs
                    .faces
                    .to_data()
                    .iter::<f32>()
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(whole.len(), batch.faces.len());
        drop(workers);
        // Both halves move the weights: with one half twice they go elsewhere.
        trainer.step(&batch).expect("a step");
        let values = |trainer: &Trainer| -> Vec<Vec<f32>> {
            let tensors = weights::to_tensors(&trainer.state.network).into_iter();
            tensors.map(|(_, tensor)| tensor.values).collect()
        };
        let half = batch.parts(2)[0].clone().into_owned();
        let mut alone = Trainer::new(&config, &two[..1]).expect("a trainer");
        alone.step(&half).expect("a step");
        assert!(values(&trainer) != values(&alone));
    }
}
