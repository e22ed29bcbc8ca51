//! Checkpoints of a painter's run, written whole or not at all.

use std::path::Path;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Serialize};

use super::trainer::State;
use crate::store;
use crate::train::TrainError;
use crate::train::checkpoint::{
    checkpoint_error, ids, last, read_optimiser, replace, with_ids, write_optimiser,
};
use crate::train::stored::{read_parameters, stored_parameters};

const PAINTER: &str = "painter.safetensors";
const AVERAGE: &str = "average.safetensors";
const OPTIMISER: &str = "optimiser.bin";
const ADVERSARY: &str = "adversary.safetensors";
const ADVERSARY_OPTIMISER: &str = "adversary-optimiser.bin";
const PROGRESS: &str = "progress.json";

#[derive(Serialize, Deserialize)]
struct Progress {
    step: usize,
    adaptive: Option<f32>,
    /// Ids under which the optimisers keep their moments, in the order of the parameters.
    painter: Vec<u64>,
    adversary: Vec<u64>,
}

/// Writes a checkpoint beside the old one, then swaps them.
///
/// # Errors
/// [`TrainError::Store`] when the disk refuses; the old checkpoint is then still whole.
pub fn save(run: &Path, state: &State) -> Result<(), TrainError> {
    replace(run, |new| {
        let (painter, adversary) = (state.painter.valid(), state.adversary.valid());
        store::write(&new.join(PAINTER), &stored_parameters(&painter)?)?;
        store::write(&new.join(AVERAGE), &stored_parameters(&state.average)?)?;
        store::write(&new.join(ADVERSARY), &stored_parameters(&adversary)?)?;
        write_optimiser(&new.join(OPTIMISER), &state.optimiser)?;
        write_optimiser(&new.join(ADVERSARY_OPTIMISER), &state.adversary_optimiser)?;
        let progress = Progress {
            step: state.step,
            adaptive: state.adaptive,
            painter: ids(&painter),
            adversary: ids(&adversary),
        };
        let progress = serde_json::to_vec(&progress)
            .map_err(|error| checkpoint_error(new, error.to_string()))?;
        Ok(store::write(&new.join(PROGRESS), &progress)?)
    })
}

/// Reads the checkpoint of a run into a state of its kind; none when the run has not written one yet.
/// `optimiser` makes a new one for the steps from a given one on.
///
/// # Errors
/// [`TrainError::Checkpoint`] when it is damaged.
pub fn load(
    run: &Path,
    state: State,
    optimiser: impl FnOnce(usize) -> ModuleOptimizer,
) -> Result<Option<State>, TrainError> {
    let Some(dir) = last(run) else {
        return Ok(None);
    };
    let progress: Progress = serde_json::from_slice(&store::read(&dir.join(PROGRESS))?)
        .map_err(|error| checkpoint_error(&dir, error.to_string()))?;
    let painter = read(&dir.join(PAINTER), state.painter.valid())?;
    let adversary = read(&dir.join(ADVERSARY), state.adversary.valid())?;
    // The last of the first steps has kept the optimiser of the first steps.
    let optimiser = optimiser(progress.step.saturating_sub(1));
    Ok(Some(State {
        painter: with_ids(painter, progress.painter).train(),
        average: read(&dir.join(AVERAGE), state.average)?,
        optimiser: read_optimiser(&dir.join(OPTIMISER), optimiser)?,
        adversary: with_ids(adversary, progress.adversary).train(),
        adversary_optimiser: read_optimiser(
            &dir.join(ADVERSARY_OPTIMISER),
            state.adversary_optimiser,
        )?,
        adaptive: progress.adaptive,
        step: progress.step,
    }))
}

fn read<M: Module>(path: &Path, module: M) -> Result<M, TrainError> {
    read_parameters(module, &store::read(path)?).map_err(|what| checkpoint_error(path, what))
}
