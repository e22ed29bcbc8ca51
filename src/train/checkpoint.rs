//! Checkpoints of a run: weights, averaged weights, optimiser states, the discriminator and the
//! step, written whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::ModuleOptimizer;
use burn::tensor::{Bytes, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::stored::{read_parameters, stored_parameters};
use crate::network::weights::{self, Precision};
use crate::network::{Discriminator, Network};
use crate::store::{self, StoreError};

/// Everything that a run goes on from.
pub struct State {
    /// The network in training.
    pub network: Network,
    /// Its running average, which is what gets shipped.
    pub average: Network,
    /// The network's optimiser.
    pub optimiser: ModuleOptimizer,
    /// The discriminator, where the objective has one.
    pub adversary: Option<Adversary>,
    /// Steps done.
    pub step: usize,
    /// The best validation figure so far.
    pub best: Option<Best>,
}

/// The discriminator in training.
pub struct Adversary {
    /// Its weights.
    pub discriminator: Discriminator,
    /// Its optimiser.
    pub optimiser: ModuleOptimizer,
}

/// The checkpoint whose weights read the validation faces best.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Its step.
    pub step: usize,
    /// Share of the validation faces that it reads correctly.
    pub accuracy: f64,
}

#[derive(Serialize, Deserialize)]
struct Progress {
    step: usize,
    best: Option<Best>,
    /// Ids under which the optimiser keeps its moments, in the order of the parameters.
    parameters: Vec<u64>,
    /// The same of the discriminator.
    discriminator: Vec<u64>,
}

const NETWORK: &str = "network.safetensors";
const AVERAGE: &str = "average.safetensors";
const OPTIMISER: &str = "optimiser.bin";
const DISCRIMINATOR: &str = "discriminator.safetensors";
const DISCRIMINATOR_OPTIMISER: &str = "discriminator-optimiser.bin";
const PROGRESS: &str = "progress.json";

/// The checkpoint's folder inside a run.
pub fn folder(run: &Path) -> PathBuf {
    run.join("checkpoint")
}

/// Writes a checkpoint beside the old one, then swaps them.
///
/// # Errors
/// [`StoreError::Write`] when the disk refuses, [`TrainError::NotFinite`] when the weights diverged;
/// the old checkpoint is then still whole.
pub fn save(run: &Path, state: &State) -> Result<(), TrainError> {
    replace(run, |new| write_state(new, state))
}

/// Writes a checkpoint's files into a new folder, which then takes the old one's place.
pub(super) fn replace(
    run: &Path,
    write_files: impl FnOnce(&Path) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let (old, new) = (folder(run), run.join("checkpoint.new"));
    let retired = run.join("checkpoint.old");
    store::remove_folder(&new)?;
    store::make_folder(&new)?;
    write_files(&new)?;
    // Only beside a whole checkpoint may the retired one go: a run killed in the last renames has none
    // but it.
    if old.exists() {
        store::remove_folder(&retired)?;
        fs::rename(&old, &retired).map_err(StoreError::write(&retired))?;
    }
    fs::rename(&new, &old).map_err(StoreError::write(&old))?;
    Ok(store::remove_folder(&retired)?)
}

/// The folder of the last whole checkpoint; none when the run has not written one yet.
pub(super) fn last(run: &Path) -> Option<PathBuf> {
    // Killed between the two renames, the retired one is whole.
    let folders = [folder(run), run.join("checkpoint.old")];
    folders.into_iter().find(|dir| dir.exists())
}

fn write_state(new: &Path, state: &State) -> Result<(), TrainError> {
    let network = state.network.valid();
    if !is_finite(&network) || !is_finite(&state.average) {
        return Err(TrainError::NotFinite(state.step));
    }
    let weights = weights::save(&network, Precision::Full)?;
    store::write(&new.join(NETWORK), &weights)?;
    let average = weights::save(&state.average, Precision::Full)?;
    store::write(&new.join(AVERAGE), &average)?;
    write_optimiser(&new.join(OPTIMISER), &state.optimiser)?;
    if let Some(adversary) = &state.adversary {
        let weights = stored_parameters(&adversary.discriminator.valid())?;
        store::write(&new.join(DISCRIMINATOR), &weights)?;
        write_optimiser(&new.join(DISCRIMINATOR_OPTIMISER), &adversary.optimiser)?;
    }
    let progress = Progress {
        step: state.step,
        best: state.best,
        parameters: ids(&network),
        discriminator: state
            .adversary
            .as_ref()
            .map(|adversary| ids(&adversary.discriminator))
            .unwrap_or_default(),
    };
    let progress =
        serde_json::to_vec(&progress).map_err(|error| checkpoint_error(new, error.to_string()))?;
    Ok(store::write(&new.join(PROGRESS), &progress)?)
}

/// Reads the checkpoint of a run; none when the run has not written one yet.
///
/// `optimiser` and `adversary` are new ones of the run's kind, which take over what was stored.
///
/// # Errors
/// [`TrainError::Checkpoint`] when it is damaged.
pub fn load(
    run: &Path,
    optimiser: ModuleOptimizer,
    adversary: Option<Adversary>,
    device: &Device,
) -> Result<Option<State>, TrainError> {
    let Some(dir) = last(run) else {
        return Ok(None);
    };
    let progress: Progress = serde_json::from_slice(&store::read(&dir.join(PROGRESS))?)
        .map_err(|error| checkpoint_error(&dir, error.to_string()))?;
    let network = weights::load(&store::read(&dir.join(NETWORK))?, device)?;
    let average = weights::load(&store::read(&dir.join(AVERAGE))?, device)?;
    let adversary = adversary
        .map(|adversary| load_adversary(&dir, adversary, progress.discriminator))
        .transpose()?;
    Ok(Some(State {
        network: with_ids(network, progress.parameters).train(),
        average,
        optimiser: read_optimiser(&dir.join(OPTIMISER), optimiser)?,
        adversary,
        step: progress.step,
        best: progress.best,
    }))
}

fn load_adversary(
    dir: &Path,
    adversary: Adversary,
    ids: Vec<u64>,
) -> Result<Adversary, TrainError> {
    let path = dir.join(DISCRIMINATOR);
    let discriminator = read_parameters(adversary.discriminator.valid(), &store::read(&path)?)
        .map_err(|what| checkpoint_error(&path, what))?;
    let optimiser = read_optimiser(&dir.join(DISCRIMINATOR_OPTIMISER), adversary.optimiser)?;
    Ok(Adversary {
        discriminator: with_ids(discriminator, ids).train(),
        optimiser,
    })
}

pub(super) fn write_optimiser(path: &Path, optimiser: &ModuleOptimizer) -> Result<(), TrainError> {
    let bytes = optimiser
        .into_bytes()
        .map_err(|error| checkpoint_error(path, error.to_string()))?;
    Ok(store::write(path, &bytes)?)
}

pub(super) fn read_optimiser(
    path: &Path,
    optimiser: ModuleOptimizer,
) -> Result<ModuleOptimizer, TrainError> {
    optimiser
        .from_bytes(Bytes::from_bytes_vec(store::read(path)?))
        .map_err(|error| checkpoint_error(path, error.to_string()))
}

fn is_finite(network: &Network) -> bool {
    weights::to_tensors(network)
        .iter()
        .all(|(_, tensor)| tensor.values.iter().all(|value| value.is_finite()))
}

pub(super) fn checkpoint_error(path: &Path, what: String) -> TrainError {
    TrainError::Checkpoint {
        path: path.to_owned(),
        what,
    }
}

/// Ids of a module's parameters, in their order.
pub(super) fn ids(module: &impl Module) -> Vec<u64> {
    let mut ids = Ids(Vec::new());
    module.visit(&mut ids);
    ids.0
}

/// The module with the ids under which the optimiser knows its parameters.
pub(super) fn with_ids<M: Module>(module: M, ids: Vec<u64>) -> M {
    module.map(&mut WithIds(ids.into_iter()))
}

struct Ids(Vec<u64>);

impl ModuleVisitor for Ids {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.id.val());
    }
}

struct WithIds(std::vec::IntoIter<u64>);

impl ModuleMapper for WithIds {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = param.consume();
        let id = self.0.next().map_or(id, ParamId::from);
        Param::from_mapped_value(id, value, mapper)
    }
}
