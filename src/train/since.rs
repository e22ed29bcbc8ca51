//! What became of the steps since the last report: the mean of their losses, and the speed.

use std::time::Instant;

/// Sums of `N` losses since a moment.
pub(super) struct Since<const N: usize> {
    sums: [f32; N],
    steps: usize,
    started: Instant,
}

/// The steps between two reports.
pub(super) struct Past<const N: usize> {
    /// Their mean losses; 0 where there was no step.
    pub losses: [f32; N],
    /// Their speed.
    pub steps_per_second: f64,
}

impl<const N: usize> Since<N> {
    /// Nothing yet.
    pub fn now() -> Self {
        Self {
            sums: [0.0; N],
            steps: 0,
            started: Instant::now(),
        }
    }

    /// One step more.
    pub fn add(&mut self, losses: [f32; N]) {
        for (sum, value) in self.sums.iter_mut().zip(losses) {
            *sum += value;
        }
        self.steps += 1;
    }

    /// The mean losses of the steps, and steps a second until now.
    pub fn end(&self) -> Past<N> {
        let seconds = self.started.elapsed().as_secs_f64();
        Past {
            losses: self.sums.map(|sum| sum / self.steps.max(1) as f32),
            steps_per_second: self.steps as f64 / seconds.max(f64::MIN_POSITIVE),
        }
    }
}
