//! What the caller of a run may choose about how it is computed.

use std::cell::Cell;

/// Numbers that the convolutions of a training run are computed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrainingPrecision {
    /// f32.
    #[default]
    Full,
    /// bf16 products with f32 sums; weights, norms and losses stay f32. LibTorch only.
    Half,
}

/// Options of a run: a forward pass, or a step of training.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Leaves all kernels out: every operation runs its reference implementation.
    pub reference_only: bool,
    /// Of what is trained.
    pub precision: TrainingPrecision,
}

thread_local! {
    static CURRENT: Cell<RunOptions> = const { Cell::new(RunOptions::new()) };
}

impl RunOptions {
    /// Kernels where they can run, full precision.
    pub const fn new() -> Self {
        Self {
            reference_only: false,
            precision: TrainingPrecision::Full,
        }
    }

    /// What `work` gives, whose operations run with these options. They hold for this thread, and
    /// until `work` ends; within it another `run` may choose others.
    pub fn run<T>(self, work: impl FnOnce() -> T) -> T {
        struct Restore(RunOptions);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        let _restore = Restore(CURRENT.replace(self));
        work()
    }

    /// The options of the run that this is part of.
    pub(super) fn current() -> Self {
        CURRENT.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_hold_within_their_run_and_no_longer() {
        let reference = RunOptions {
            reference_only: true,
            ..RunOptions::new()
        };
        let half = RunOptions {
            precision: TrainingPrecision::Half,
            ..RunOptions::new()
        };
        reference.run(|| {
            assert_eq!(RunOptions::current(), reference);
            half.run(|| assert_eq!(RunOptions::current(), half));
            assert_eq!(RunOptions::current(), reference);
        });
        let panicked = std::panic::catch_unwind(|| half.run(|| panic!("of the work")));
        assert!(panicked.is_err());
        assert_eq!(RunOptions::current(), RunOptions::new());
    }
}
