//! Figures of a run over its steps, as `metrics.csv` and `metrics.jsonl`: a row a report.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::TrainError;
use super::losses::Losses;
use crate::evaluate::Watched;
use crate::store::{self, StoreError};

/// Columns before the losses.
const BEFORE: [&str; 5] = [
    "step",
    "epoch",
    "rate",
    "samples_per_second",
    "waited_share",
];

/// Columns after the losses; empty where the held-out faces were not read.
const AFTER: [&str; 4] = [
    "held_out_faces",
    "held_out_accuracy",
    "held_out_macro_recall",
    "held_out_ece",
];

/// What is known after a number of steps.
#[derive(Debug, Clone)]
pub struct Row {
    /// Steps done.
    pub step: usize,
    /// Times that as many faces were seen as there are.
    pub epoch: f64,
    /// Learning rate.
    pub rate: f64,
    /// Faces read a second since the last row.
    pub samples_per_second: f64,
    /// Share of the time in which the device waited for them.
    pub waited_share: f64,
    /// Mean of the losses since the last row.
    pub losses: Losses,
    /// How the held-out faces are read, at checkpoints.
    pub held_out: Option<Watched>,
}

impl Row {
    fn cells(&self) -> Vec<(&'static str, Option<f64>)> {
        let figures = self.held_out.as_ref();
        let values = [
            Some(self.step as f64),
            Some(self.epoch),
            Some(self.rate),
            Some(self.samples_per_second),
            Some(self.waited_share),
        ]
        .into_iter()
        .chain(self.losses.values().map(|value| Some(f64::from(value))))
        .chain([
            figures.map(|figures| figures.n as f64),
            figures.map(|figures| figures.accuracy),
            figures.map(|figures| figures.macro_recall),
            figures.map(|figures| figures.ece),
        ]);
        columns().into_iter().zip(values).collect()
    }
}

/// Names of the columns.
pub fn columns() -> Vec<&'static str> {
    BEFORE
        .into_iter()
        .chain(Losses::NAMES)
        .chain(AFTER)
        .collect()
}

/// The two files of a run's figures.
pub struct Metrics {
    csv: PathBuf,
    lines: PathBuf,
}

impl Metrics {
    /// The files in a run's folder, without what lies behind the step that the run goes on from: it
    /// is going to be computed again.
    ///
    /// # Errors
    /// [`TrainError::Store`].
    pub fn open(run: &Path, step: usize) -> Result<Self, TrainError> {
        let metrics = Self {
            csv: run.join("metrics.csv"),
            lines: run.join("metrics.jsonl"),
        };
        let rows = keep(&metrics.csv, step, |line| {
            let cells: Vec<&str> = line.split(',').collect();
            let is_whole = cells.len() == columns().len();
            is_whole.then(|| cells[0].parse().ok()).flatten()
        })?;
        let head = store::csv([columns()]).map_err(StoreError::write(&metrics.csv))?;
        store::write(&metrics.csv, &[&head, rows.as_bytes()].concat())?;
        let lines = keep(&metrics.lines, step, |line| {
            let object: Value = serde_json::from_str(line).ok()?;
            object["step"].as_u64().map(|step| step as usize)
        })?;
        store::write(&metrics.lines, lines.as_bytes())?;
        Ok(metrics)
    }

    /// Adds a row to both.
    ///
    /// # Errors
    /// [`TrainError::Store`].
    pub fn add(&self, row: &Row) -> Result<(), TrainError> {
        let cells = row.cells();
        let row = cells
            .iter()
            .map(|(_, value)| value.map(|value| value.to_string()));
        let row = store::csv([row.map(Option::unwrap_or_default)]);
        let row = row.map_err(StoreError::write(&self.csv))?;
        append(&self.csv, &row)?;
        let object: Map<String, Value> = cells
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), number(name, value?))))
            .collect();
        Ok(append_line(&self.lines, &Value::Object(object))?)
    }

    /// A column over the steps, `(step, value)`, where it is not empty.
    ///
    /// # Errors
    /// [`TrainError::Store`] when the file is gone.
    pub fn series(&self, column: &str) -> Result<Vec<(f64, f64)>, TrainError> {
        let text = String::from_utf8_lossy(&store::read(&self.csv)?).into_owned();
        let index = columns().iter().position(|name| *name == column);
        let points = text.lines().skip(1).filter_map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let value = cells.get(index?)?.parse().ok()?;
            Some((cells[0].parse().ok()?, value))
        });
        Ok(points.collect())
    }
}

/// Counts stay whole numbers.
fn number(name: &str, value: f64) -> Value {
    if name == "step" || name == "held_out_faces" {
        (value as u64).into()
    } else {
        value.into()
    }
}

/// The lines of a file whose step is not behind `step`; a line cut short by a kill has none.
pub(super) fn keep(
    path: &Path,
    step: usize,
    step_of: impl Fn(&str) -> Option<usize>,
) -> Result<String, TrainError> {
    if !path.is_file() {
        return Ok(String::new());
    }
    let text = String::from_utf8_lossy(&store::read(path)?).into_owned();
    let kept = text
        .lines()
        .filter(|line| step_of(line).is_some_and(|found| found <= step));
    Ok(kept.map(|line| format!("{line}\n")).collect())
}

/// Adds a value as a line.
pub(super) fn append_line(path: &Path, line: &Value) -> Result<(), StoreError> {
    append(path, format!("{line}\n").as_bytes())
}

fn append(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let file = fs::OpenOptions::new().append(true).open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .map_err(StoreError::write(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: usize) -> Row {
        Row {
            step,
            epoch: 0.5,
            rate: 1e-3,
            samples_per_second: 10.0,
            waited_share: 0.0,
            losses: Losses {
                total: 2.0,
                ..Losses::default()
            },
            held_out: None,
        }
    }

    #[test]
    fn what_lies_behind_the_checkpoint_is_dropped_and_so_is_a_line_cut_short() {
        let folder = tempfile::tempdir().expect("a folder");
        let metrics = Metrics::open(folder.path(), 0).expect("files");
        for step in [50, 100, 150] {
            metrics.add(&row(step)).expect("added");
        }
        for name in ["metrics.csv", "metrics.jsonl"] {
            let path = folder.path().join(name);
            let text = fs::read_to_string(&path).expect("a file");
            fs::write(&path, &text[..text.len() - 20]).expect("cut");
        }
        let metrics = Metrics::open(folder.path(), 100).expect("files");
        metrics.add(&row(150)).expect("added");
        let expected = [(50.0, 2.0), (100.0, 2.0), (150.0, 2.0)];
        assert_eq!(metrics.series("total").expect("a column"), expected);
        let lines = fs::read_to_string(folder.path().join("metrics.jsonl")).expect("lines");
        assert_eq!(lines.lines().count(), 3);
    }
}
