//! Figures of a run over its steps, as `metrics.jsonl`: one report a line, a JSON object of its cells.
//!
//! A line names its own cells, so rows of an older version are kept, under today's names.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::TrainError;
use super::losses::Losses;
use super::term::Term;
use crate::evaluate::ValidationMetrics;
use crate::store::{self, StoreError};

/// The file in a run's folder.
const FILE: &str = "metrics.jsonl";

/// The cells of a report by their names.
pub type Cells = Map<String, Value>;

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
    /// How the validation faces are read, at checkpoints.
    pub validation: Option<ValidationMetrics>,
}

impl Row {
    /// As cells; those of the validation faces are missing where these were not read.
    pub fn cells(&self) -> Cells {
        let mut cells = Cells::new();
        let mut add = |name: &str, value: Value| cells.insert(name.to_owned(), value);
        add("step", self.step.into());
        add("epoch", self.epoch.into());
        add("rate", self.rate.into());
        add("samples_per_second", self.samples_per_second.into());
        add("waited_share", self.waited_share.into());
        for (name, value) in Losses::NAMES.into_iter().zip(self.losses.values()) {
            add(name, f64::from(value).into());
        }
        if let Some(figures) = &self.validation {
            add("validation_faces", figures.n.into());
            add("validation_accuracy", figures.accuracy.into());
            add("validation_macro_recall", figures.macro_recall.into());
            add("validation_ece", figures.ece.into());
        }
        cells
    }
}

/// The file of a run's figures.
pub struct Metrics(PathBuf);

impl Metrics {
    /// Opens or begins the file. Keeps the rows up to `step`, from which the run goes on; drops later rows,
    /// which are computed again, and truncated lines.
    ///
    /// # Errors
    /// [`TrainError::Store`].
    pub fn open(run: &Path, step: usize) -> Result<Self, TrainError> {
        let path = run.join(FILE);
        let text = match path.is_file() {
            true => String::from_utf8_lossy(&store::read(&path)?).into_owned(),
            false => String::new(),
        };
        let rows = text.lines().filter_map(|line| {
            let row: Cells = serde_json::from_str(line).ok()?;
            (row.get("step")?.as_u64()? <= step as u64).then_some(row)
        });
        let kept: String = rows.map(|row| line(renamed(row))).collect();
        store::write(&path, kept.as_bytes())?;
        Ok(Self(path))
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`TrainError::Store`].
    pub fn add(&self, cells: Cells) -> Result<(), TrainError> {
        let line = line(cells);
        let file = fs::OpenOptions::new().append(true).open(&self.0);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        Ok(written.map_err(StoreError::write(&self.0))?)
    }

    /// All rows.
    ///
    /// # Errors
    /// [`TrainError::Store`] when the file is gone.
    pub fn rows(&self) -> Result<Vec<Cells>, TrainError> {
        let text = String::from_utf8_lossy(&store::read(&self.0)?).into_owned();
        let rows = text.lines().map(serde_json::from_str);
        Ok(rows.filter_map(Result::ok).collect())
    }
}

fn line(cells: Cells) -> String {
    format!("{}\n", Value::Object(cells))
}

/// A row of an older version with today's names.
fn renamed(row: Cells) -> Cells {
    let cells = row.into_iter().map(|(name, value)| {
        let name = match name.strip_prefix("held_out_") {
            Some(figure) => format!("validation_{figure}"),
            None if name == "roughness" => Term::FlowSmoothness.name().to_owned(),
            None => name,
        };
        (name, value)
    });
    cells.collect()
}

/// A cell over the steps, `(step, value)`, of the rows that have it.
pub fn series(rows: &[Cells], name: &str) -> Vec<(f64, f64)> {
    let number = |row: &Cells, name: &str| row.get(name)?.as_f64();
    rows.iter()
        .filter_map(|row| Some((number(row, "step")?, number(row, name)?)))
        .collect()
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
            validation: None,
        }
    }

    #[test]
    fn what_lies_behind_the_checkpoint_is_dropped_and_so_is_a_line_cut_short() {
        let folder = tempfile::tempdir().expect("a folder");
        let metrics = Metrics::open(folder.path(), 0).expect("a file");
        for step in [50, 100, 150] {
            metrics.add(row(step).cells()).expect("added");
        }
        let path = folder.path().join(FILE);
        let text = fs::read_to_string(&path).expect("a file");
        fs::write(&path, &text[..text.len() - 20]).expect("cut");
        let metrics = Metrics::open(folder.path(), 100).expect("a file");
        metrics.add(row(150).cells()).expect("added");
        let rows = metrics.rows().expect("rows");
        let expected = [(50.0, 2.0), (100.0, 2.0), (150.0, 2.0)];
        assert_eq!(series(&rows, "total"), expected);
        let metrics = Metrics::open(folder.path(), 50).expect("a file");
        assert_eq!(metrics.rows().expect("rows").len(), 1);
    }

    #[test]
    fn rows_of_a_version_with_fewer_terms_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = "{\"held_out_accuracy\":0.25,\"l1\":0.5,\"roughness\":0.125,\"step\":50}\n";
        fs::write(folder.path().join(FILE), old).expect("written");
        let metrics = Metrics::open(folder.path(), 50).expect("a file");
        metrics.add(row(100).cells()).expect("added");
        let rows = metrics.rows().expect("rows");
        assert_eq!(series(&rows, "l1"), [(50.0, 0.5), (100.0, 0.0)]);
        assert_eq!(series(&rows, "total"), [(100.0, 2.0)]);
        assert_eq!(series(&rows, "flow_smoothness")[0], (50.0, 0.125));
        assert_eq!(series(&rows, "validation_accuracy"), [(50.0, 0.25)]);
    }
}
