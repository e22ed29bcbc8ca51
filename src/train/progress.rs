//! How far a run is: a bar in a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A run's progress, as it is shown.
pub struct Progress {
    bar: Option<ProgressBar>,
    steps: usize,
    first: usize,
    started: Instant,
}

impl Progress {
    /// Of `steps` steps, `done` are done already. `plain`: lines, also in a terminal.
    pub fn new(steps: usize, done: usize, plain: bool) -> Self {
        let has_bar = !plain && std::io::stderr().is_terminal();
        let bar = has_bar.then(|| {
            let bar = ProgressBar::new(steps as u64).with_position(done as u64);
            match ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Self {
            bar,
            steps,
            first: done,
            started: Instant::now(),
        }
    }

    /// One more step is done; `faces` is the number of faces a step.
    pub fn advance(&self, step: usize, faces: usize) {
        if let Some(bar) = &self.bar {
            let speed = self.steps_per_second(step) * faces as f64;
            bar.set_message(format!("{speed:.1} samples/s, {} left", self.left(step)));
            bar.set_position(step as u64);
        }
    }

    /// Shows a line, above the bar where there is one.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => println!("{text}"),
        }
    }

    /// The time that the remaining steps take, as `h:mm:ss`.
    pub fn left(&self, step: usize) -> String {
        let speed = self.steps_per_second(step);
        if speed <= 0.0 {
            return "-:--:--".into();
        }
        let seconds = self.steps.saturating_sub(step) as f64 / speed;
        clock(Duration::from_secs_f64(seconds.min(1e9)))
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn steps_per_second(&self, step: usize) -> f64 {
        let seconds = self.started.elapsed().as_secs_f64();
        step.saturating_sub(self.first) as f64 / seconds.max(f64::MIN_POSITIVE)
    }
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours}:{minutes:02}:{:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_in_hours_minutes_and_seconds() {
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
    }
}
