//! One step of the painter's training: towards the real mouths, later against a discriminator too.

use std::path::Path;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};

use super::adversary::Adversary;
use super::batch::{Batch, Inputs};
use super::checkpoint;
use super::losses::difference;
use crate::kernels::RunOptions;
use crate::painter::Painter;
use crate::painter::compose::painted;
use crate::train::TrainError;
use crate::train::config::{Method, OptimiserTable, PainterTable, RunConfig, Schedule};
use crate::train::ema::blend;
use crate::train::optimise::{learning_rate, optimiser};

/// Steps between two measurements of the adaptive weight.
const MEASURE_EVERY: usize = 20;

/// Steps over which the discriminator's loss comes in, and rates rise.
const COME_IN: usize = 200;
const WARM_UP: usize = 50;
const ADVERSARIAL_WARM_UP: usize = 100;

/// Part of the steps with a discriminator in which the rates fall.
const FALL: f64 = 0.3;

/// Rates of the EMAs, of both kinds of steps.
const AVERAGE_RATES: [f64; 2] = [0.99, 0.995];

/// Largest norm of a weight tensor's gradient.
const CLIP: f64 = 2.0;

/// Everything that a run goes on from.
pub struct State {
    /// The painter in training.
    pub painter: Painter,
    /// Its EMA, which is what is kept.
    pub average: Painter,
    /// Its optimiser.
    pub optimiser: ModuleOptimizer,
    /// The discriminator; it learns in the later steps alone.
    pub adversary: Adversary,
    /// Its optimiser.
    pub adversary_optimiser: ModuleOptimizer,
    /// The adaptive weight of its loss, once it was measured.
    pub adaptive: Option<f32>,
    /// Steps done.
    pub step: usize,
}

/// What a step's losses were; 0 where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Losses {
    /// Distance to the real mouths.
    pub difference: f32,
    /// How painted the painted mouths look to the discriminator.
    pub adversarial: f32,
    /// Distance of its features.
    pub features: f32,
    /// Its own loss: 2 where it cannot tell.
    pub discriminator: f32,
    /// Its mean score of painted mouths.
    pub painted_score: f32,
    /// And of real ones.
    pub real_score: f32,
    /// The weight of its loss.
    pub adaptive: f32,
}

impl Losses {
    /// Names of the values.
    pub const NAMES: [&'static str; 7] = [
        "difference",
        "adversarial",
        "features",
        "discriminator",
        "painted_score",
        "real_score",
        "adaptive",
    ];

    /// In the order of the names.
    pub fn values(&self) -> [f32; 7] {
        [
            self.difference,
            self.adversarial,
            self.features,
            self.discriminator,
            self.painted_score,
            self.real_score,
            self.adaptive,
        ]
    }
}

/// A painter in training.
pub struct Trainer {
    table: PainterTable,
    options: RunOptions,
    device: Device,
    state: State,
}

impl Trainer {
    /// A new painter, or one to go on from, at step 0.
    pub fn new(config: &RunConfig, start: Option<Painter>, device: &Device) -> Self {
        device.seed(config.run.seed);
        let table = config.painter;
        let painter = start.unwrap_or_else(|| Painter::new(table.config(), device));
        let first = table.l1_steps > 0;
        let state = State {
            average: painter.clone(),
            painter: painter.train(),
            optimiser: new_optimiser(first),
            adversary: Adversary::new(device).train(),
            adversary_optimiser: new_optimiser(false),
            adaptive: None,
            step: 0,
        };
        Self {
            table,
            options: config.run.options(),
            device: device.clone(),
            state,
        }
    }

    /// Goes on from the checkpoint in a run's folder; none when it has not written one yet.
    ///
    /// # Errors
    /// [`TrainError`] when the checkpoint is damaged.
    pub fn resume(
        config: &RunConfig,
        folder: &Path,
        device: &Device,
    ) -> Result<Option<Self>, TrainError> {
        let Self {
            table,
            options,
            device,
            state,
        } = Self::new(config, None, device);
        let state = checkpoint::load(folder, state, |step| new_optimiser(step < table.l1_steps))?;
        Ok(state.map(|state| Self {
            table,
            options,
            device,
            state,
        }))
    }

    /// What a checkpoint holds.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The EMA of the weights.
    pub fn average(&self) -> &Painter {
        &self.state.average
    }

    /// Steps done.
    pub fn steps_done(&self) -> usize {
        self.state.step
    }

    /// Moves all weights once by one batch.
    ///
    /// # Errors
    /// [`TrainError::NotANumber`] when a loss is no number; the painter's weights are then as before.
    pub fn step(&mut self, batch: &Batch) -> Result<Losses, TrainError> {
        self.options.run(|| self.step_with_options(batch))
    }

    fn step_with_options(&mut self, batch: &Batch) -> Result<Losses, TrainError> {
        let inputs = Inputs::new(
            &batch.items,
            self.table.config(),
            &self.device.clone().autodiff(),
        );
        let later = self.state.step.checked_sub(self.table.l1_steps);
        if later == Some(0) {
            self.begin_adversarial();
        }
        let (loss, losses) = match later {
            None => self.first_loss(&inputs),
            Some(done) => self.later_loss(&inputs, batch.seed, done),
        };
        if losses.values().iter().any(|value| !value.is_finite()) {
            return Err(TrainError::NotANumber {
                step: self.state.step,
                losses: format!("{losses:?}"),
            });
        }
        self.learn(loss);
        Ok(losses)
    }

    /// The discriminator's steps start from the averaged weights.
    fn begin_adversarial(&mut self) {
        if self.table.l1_steps > 0 {
            let painter = self.state.painter.valid();
            self.state.painter = blend(painter, &self.state.average, 0.0).train();
            self.state.optimiser = new_optimiser(false);
        }
    }

    fn paint(&self, inputs: &Inputs) -> Tensor<4> {
        let out = self.state.painter.forward(inputs.x.clone());
        painted(
            out,
            inputs.filled.clone(),
            inputs.reach.clone(),
            inputs.tones.clone(),
        )
    }

    fn distance(&self, painted: Tensor<4>, inputs: &Inputs) -> Tensor<1> {
        difference(painted, inputs.target.clone(), inputs.reach.clone())
    }

    fn first_loss(&self, inputs: &Inputs) -> (Tensor<1>, Losses) {
        let loss = self.distance(self.paint(inputs), inputs);
        let losses = Losses {
            difference: scalar(&loss),
            ..Losses::default()
        };
        (loss, losses)
    }

    /// The discriminator learns; then the painter's loss. `done`: steps with a discriminator so far.
    fn later_loss(&mut self, inputs: &Inputs, seed: u64, done: usize) -> (Tensor<1>, Losses) {
        let painted = self.paint(inputs);
        let (loss, scores) = self
            .state
            .adversary
            .own_loss(painted.clone().detach(), inputs, seed);
        let [own, painted_score, real_score] = scalars(&Tensor::cat(vec![loss.clone(), scores], 0));
        if own.is_finite() {
            let state = &mut self.state;
            let gradients = GradientsParams::from_grads(loss.backward(), &state.adversary);
            let rate = later_rate(self.table.discriminator_rate, &self.table, done);
            let adversary = state.adversary.clone();
            state.adversary = state.adversary_optimiser.step(rate, adversary, gradients);
        }
        // Constant from here on.
        let adversary = self.state.adversary.valid();
        if done.is_multiple_of(MEASURE_EVERY) || self.state.adaptive.is_none() {
            self.measure_adaptive(&adversary, inputs, seed);
        }
        let adaptive = self.state.adaptive.unwrap_or_default();
        let adaptive = adaptive.min(self.table.most_adaptive as f32);
        let come_in = ((done + 1) as f64 / COME_IN as f64).min(1.0);
        let distance = self.distance(painted.clone(), inputs);
        let [adversarial, features] = adversary.score(painted, inputs, seed);
        let all = [&distance, &adversarial, &features]
            .map(Clone::clone)
            .into();
        let [difference, adversarial_value, features_value] = scalars(&Tensor::cat(all, 0));
        let weight = self.table.adversarial * f64::from(adaptive) * come_in;
        let loss = distance + adversarial * weight + features * self.table.features;
        let losses = Losses {
            difference,
            adversarial: adversarial_value,
            features: features_value,
            discriminator: own,
            painted_score,
            real_score,
            adaptive,
        };
        (loss, losses)
    }

    /// The ratio of both gradients at the last layer but one (Esser et al., 2021). A backward pass uses up
    /// its graph, so both mouths are painted anew.
    fn measure_adaptive(&mut self, adversary: &Adversary, inputs: &Inputs, seed: u64) {
        let norm = |loss: Tensor<1>| {
            let gradients = loss.backward();
            let weight = self.state.painter.last_but_one().val();
            let gradient = weight.grad(&gradients);
            gradient.map_or(0.0, |gradient| scalar(&gradient.square().sum().sqrt()))
        };
        let towards = norm(self.distance(self.paint(inputs), inputs));
        let [adversarial, _] = adversary.score(self.paint(inputs), inputs, seed);
        let ratio = towards / norm(adversarial).max(1e-6);
        self.state.adaptive = Some(match self.state.adaptive {
            None => ratio,
            Some(old) => 0.9 * old + 0.1 * ratio.min(10.0 * old),
        });
    }

    fn learn(&mut self, loss: Tensor<1>) {
        let rate = self.rate();
        let state = &mut self.state;
        let gradients = GradientsParams::from_grads(loss.backward(), &state.painter);
        state.painter = state.optimiser.step(rate, state.painter.clone(), gradients);
        let later = state.step >= self.table.l1_steps;
        // A young average follows faster, else it keeps the initial weights for long.
        let young = (state.step + 1) as f64 / (state.step + 10) as f64;
        let keep = AVERAGE_RATES[usize::from(later)].min(young);
        state.average = blend(state.average.clone(), &state.painter.valid(), keep);
        state.step += 1;
    }

    /// The painter's learning rate of the next step.
    pub fn rate(&self) -> f64 {
        let (table, step) = (&self.table, self.state.step);
        match step.checked_sub(table.l1_steps) {
            None => {
                let cosine = OptimiserTable {
                    rate: table.rate,
                    schedule: Schedule::Cosine,
                    warm_up: WARM_UP,
                    last_rate: 0.05,
                    ..plain_table()
                };
                learning_rate(&cosine, step, table.l1_steps)
            }
            Some(done) => later_rate(table.adversarial_rate, table, done),
        }
    }
}

/// A rate of the steps with a discriminator: it rises, stays, and falls at the end.
fn later_rate(rate: f64, table: &PainterTable, done: usize) -> f64 {
    let rising = (done + 1) as f64 / ADVERSARIAL_WARM_UP as f64;
    let left = table.adversarial_steps.saturating_sub(done) as f64;
    let falling = left / (table.adversarial_steps as f64 * FALL) + 0.05;
    rate * rising.min(falling).min(1.0)
}

/// Adam, whose first moment forgets faster beside a discriminator.
fn new_optimiser(is_first: bool) -> ModuleOptimizer {
    optimiser(&OptimiserTable {
        beta_1: if is_first { 0.9 } else { 0.5 },
        ..plain_table()
    })
}

fn plain_table() -> OptimiserTable {
    OptimiserTable {
        method: Method::Adam,
        rate: 0.0,
        beta_1: 0.9,
        beta_2: 0.99,
        epsilon: 1e-8,
        weight_decay: 0.0,
        clip_norm: CLIP,
        schedule: Schedule::Constant,
        warm_up: 1,
        last_rate: 1.0,
        drops: Vec::new(),
        drop_factor: 1.0,
    }
}

fn scalar(value: &Tensor<1>) -> f32 {
    let [value] = scalars(value);
    value
}

fn scalars<const N: usize>(values: &Tensor<1>) -> [f32; N] {
    let values: Vec<f32> = values.clone().into_data().iter::<f32>().collect();
    std::array::from_fn(|i| values.get(i).copied().unwrap_or(f32::NAN))
}
