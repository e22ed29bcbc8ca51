//! What became of the steps since the last report: the mean of their losses, the speed, and how long they waited
//! for their faces.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// Sums of `N` losses since a moment.
pub(super) struct Since<const N: usize> {
    sums: [f32; N],
    steps: usize,
    waited: Duration,
    started: Instant,
}

/// The steps between two reports.
pub(super) struct Past<const N: usize> {
    /// Their mean losses; 0 where there was no step.
    pub losses: [f32; N],
    /// Their speed.
    pub steps_per_second: f64,
    /// Share of the time in which there was no batch to learn from.
    pub waited_share: f64,
}

impl<const N: usize> Since<N> {
    /// Nothing yet.
    pub fn now() -> Self {
        Self {
            sums: [0.0; N],
            steps: 0,
            waited: Duration::ZERO,
            started: Instant::now(),
        }
    }

    /// The next batch; none when the last one was taken.
    pub fn next<T>(&mut self, batches: &Receiver<T>) -> Option<T> {
        let asked = Instant::now();
        let batch = batches.recv().ok();
        self.waited += asked.elapsed();
        batch
    }

    /// One step more.
    pub fn add(&mut self, losses: [f32; N]) {
        for (sum, value) in self.sums.iter_mut().zip(losses) {
            *sum += value;
        }
        self.steps += 1;
    }

    /// The mean losses of the steps, and their speed until now.
    pub fn end(&self) -> Past<N> {
        let seconds = self.started.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
        Past {
            losses: self.sums.map(|sum| sum / self.steps.max(1) as f32),
            steps_per_second: self.steps as f64 / seconds,
            waited_share: self.waited.as_secs_f64() / seconds,
        }
    }
}
