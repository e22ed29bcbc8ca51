//! Checkpoints of a run: weights, averaged weights, optimiser state and the step, written whole or
//! not at all.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::ModuleOptimizer;
use burn::tensor::{Bytes, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::files::{read_file, write, write_error};
use crate::network::Network;
use crate::network::weights::{self, Precision};

/// Everything that a run goes on from.
pub struct State {
    /// The network in training.
    pub network: Network,
    /// Its running average, which is what gets shipped.
    pub average: Network,
    /// The optimiser.
    pub optimiser: ModuleOptimizer,
    /// Steps done.
    pub step: usize,
}

#[derive(Serialize, Deserialize)]
struct Progress {
    step: usize,
    /// Ids under which the optimiser keeps its moments, in the order of the parameters.
    parameters: Vec<u64>,
}

const NETWORK: &str = "network.safetensors";
const AVERAGE: &str = "average.safetensors";
const OPTIMISER: &str = "optimiser.bin";
const PROGRESS: &str = "progress.json";

/// The checkpoint's folder inside a run.
pub fn folder(run: &Path) -> PathBuf {
    run.join("checkpoint")
}

/// Writes a checkpoint beside the old one, then swaps them.
///
/// # Errors
/// [`TrainError::Write`] when the disk refuses, [`TrainError::NotFinite`] when the weights diverged;
/// the old checkpoint is then still whole.
pub fn save(run: &Path, state: &State) -> Result<(), TrainError> {
    let (old, new) = (folder(run), run.join("checkpoint.new"));
    let retired = run.join("checkpoint.old");
    remove_dir(&new)?;
    fs::create_dir_all(&new).map_err(|source| write_error(&new, source))?;
    let network = state.network.valid();
    let finite = |network: &Network| {
        let tensors = weights::to_tensors(network);
        tensors
            .iter()
            .all(|(_, tensor)| tensor.values.iter().all(|v| v.is_finite()))
    };
    if !finite(&network) || !finite(&state.average) {
        return Err(TrainError::NotFinite(state.step));
    }
    write(
        &new.join(NETWORK),
        &weights::save(&network, Precision::Full)?,
    )?;
    write(
        &new.join(AVERAGE),
        &weights::save(&state.average, Precision::Full)?,
    )?;
    let optimiser = state
        .optimiser
        .into_bytes()
        .map_err(|error| checkpoint_error(&new, error.to_string()))?;
    write(&new.join(OPTIMISER), &optimiser)?;
    let mut ids = Ids(Vec::new());
    network.visit(&mut ids);
    let progress = serde_json::to_vec(&Progress {
        step: state.step,
        parameters: ids.0,
    })
    .map_err(|error| checkpoint_error(&new, error.to_string()))?;
    write(&new.join(PROGRESS), &progress)?;
    remove_dir(&retired)?;
    if old.exists() {
        fs::rename(&old, &retired).map_err(|source| write_error(&retired, source))?;
    }
    fs::rename(&new, &old).map_err(|source| write_error(&old, source))?;
    remove_dir(&retired)
}

/// Reads the checkpoint of a run; none when the run has not written one yet.
///
/// # Errors
/// [`TrainError::Checkpoint`] when it is damaged.
pub fn load(
    run: &Path,
    optimiser: ModuleOptimizer,
    device: &Device,
) -> Result<Option<State>, TrainError> {
    let mut dir = folder(run);
    if !dir.exists() {
        // Killed between the two renames: the retired one is whole.
        dir = run.join("checkpoint.old");
    }
    if !dir.exists() {
        return Ok(None);
    }
    let progress: Progress = serde_json::from_slice(&read_file(&dir.join(PROGRESS))?)
        .map_err(|error| checkpoint_error(&dir, error.to_string()))?;
    let network = weights::load(&read_file(&dir.join(NETWORK))?, device)?;
    let average = weights::load(&read_file(&dir.join(AVERAGE))?, device)?;
    let mut with_ids = WithIds(progress.parameters.into_iter());
    let network = network.map(&mut with_ids).train();
    let bytes = Bytes::from_bytes_vec(read_file(&dir.join(OPTIMISER))?);
    let optimiser = optimiser
        .from_bytes(bytes)
        .map_err(|error| checkpoint_error(&dir, error.to_string()))?;
    Ok(Some(State {
        network,
        average,
        optimiser,
        step: progress.step,
    }))
}

fn remove_dir(path: &Path) -> Result<(), TrainError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(write_error(path, error)),
        _ => Ok(()),
    }
}

fn checkpoint_error(path: &Path, what: String) -> TrainError {
    TrainError::Checkpoint {
        path: path.to_owned(),
        what,
    }
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

/// Moves an average towards a network: average = rate . average + (1 - rate) . network.
pub fn update_average(average: Network, network: &Network, rate: f64) -> Network {
    let mut values = Values(Vec::new());
    network.valid().visit(&mut values);
    let mut blend = Blend {
        values: values.0.into_iter(),
        rate,
    };
    average.map(&mut blend)
}

struct Values(Vec<Tensor<1>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().reshape([-1]));
    }
}

struct Blend {
    values: std::vec::IntoIter<Tensor<1>>,
    rate: f64,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(value) = self.values.next() else {
            return param;
        };
        let rate = self.rate;
        param.map(|old| {
            let shape = old.dims();
            old * rate + value.reshape(shape) * (1.0 - rate)
        })
    }
}
