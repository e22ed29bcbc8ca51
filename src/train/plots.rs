//! Charts of a run in its folder: losses and accuracy over the steps, confusion table, reliability.

use std::path::Path;

use super::TrainError;
use super::losses::Losses;
use super::metrics::{Metrics, series};
use super::reading::Reading;
use crate::evaluate::charts::{self, Line};
use crate::evaluate::confidence::{bins, confidences};
use crate::store;

/// Draws all charts of a run into its folder.
///
/// # Errors
/// [`TrainError::Store`].
pub fn draw(folder: &Path, metrics: &Metrics, reading: Option<&Reading>) -> Result<(), TrainError> {
    let rows = metrics.rows()?;
    let series = |names: &[&'static str]| -> Vec<Line> {
        let lines = names.iter().map(|name| (*name, series(&rows, name)));
        lines.collect()
    };
    let keep = |name: &str, svg: String| store::write(&folder.join(name), svg.as_bytes());
    let title = "mean of the terms, and their weighted total";
    let losses = charts::sizes_over_steps(title, series(&Losses::NAMES));
    keep("losses.svg", losses)?;
    let Some(reading) = reading else {
        return Ok(());
    };
    let accuracy = series(&["validation_accuracy", "validation_macro_recall"]);
    let accuracy = charts::shares_over_steps("validation faces", &accuracy);
    keep("accuracy.svg", accuracy)?;
    let found = &reading.predictions;
    let confusion = charts::confusion(&found.classes, &found.confusion());
    keep("confusion.svg", confusion)?;
    let confident = confidences(&found.probabilities, &found.labels, 1.0);
    let reliability = charts::reliability(&bins(&confident), reading.figures.ece);
    Ok(keep("reliability.svg", reliability)?)
}
