//! Answers of all folds -> the figures of the table.

use std::path::Path;

use serde::Serialize;

use super::predictions::{OfFold, pooled};
use super::variant::Paper;
use super::{JSON, Settings, TEXT, TableError, Variant, page};
use crate::data::{Dataset, Folding};
use crate::evaluate::bootstrap::Interval;
use crate::evaluate::{Predictions, compare, recognition};
use crate::store::{self, COMMIT};

/// The table.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Version of the program.
    pub version: &'static str,
    /// Commit that it was built from.
    pub commit: &'static str,
    /// What the data is.
    pub data: Data,
    /// What the networks were trained with.
    pub settings: Settings,
    /// The rows for each way of folding.
    pub foldings: Vec<OfFolding>,
}

/// The data in short.
#[derive(Debug, Clone, Serialize)]
pub struct Data {
    /// Its layout.
    pub layout: String,
    /// Faces, those that are too weak for the test included.
    pub faces: usize,
    /// Subjects.
    pub subjects: usize,
    /// Expressions.
    pub classes: Vec<String>,
}

/// The rows for one way of folding.
#[derive(Debug, Clone, Serialize)]
pub struct OfFolding {
    /// The way.
    pub folding: Folding,
    /// The networks, in the paper's order.
    pub rows: Vec<Row>,
}

/// One network over all folds.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The network.
    pub variant: Variant,
    /// Test faces, each in one fold.
    pub n: usize,
    /// Their subjects.
    pub subjects: usize,
    /// Share of all test faces that is read correctly.
    pub accuracy: f64,
    /// 95 % interval of it, subjects drawn anew.
    pub accuracy_interval: Option<Interval>,
    /// Mean recall of the expressions.
    pub macro_recall: f64,
    /// 95 % interval of it.
    pub macro_recall_interval: Option<Interval>,
    /// Against the row above; none for the first.
    pub against_above: Option<Against>,
    /// Accuracy of each fold.
    pub fold_accuracies: Vec<f64>,
    /// Wall-clock seconds of all folds' training.
    pub seconds: f64,
    /// What the paper reports, on other data at another size; none for the control.
    pub paper: Option<Paper>,
}

/// A paired permutation test against the row above.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Against {
    /// Accuracy less that of the row above.
    pub difference: f64,
    /// Two-sided p: how often so large a difference comes about when a subject's answers of the two
    /// networks are swapped at random.
    pub p: f64,
}

impl Figures {
    /// Of the answers of all folds, `[folding][fold][variant]`.
    pub(super) fn new(
        settings: &Settings,
        data: &Dataset,
        folds: Vec<(Folding, Vec<Vec<OfFold>>)>,
    ) -> Result<Self, TableError> {
        let seed = settings.run.run.seed;
        let foldings = folds
            .into_iter()
            .map(|(folding, folds)| {
                Ok(OfFolding {
                    folding,
                    rows: rows(&folds, seed)?,
                })
            })
            .collect::<Result<Vec<_>, TableError>>()?;
        Ok(Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: COMMIT,
            data: Data {
                layout: data.layout.to_string(),
                faces: data.faces.len(),
                subjects: data.subjects().len(),
                classes: data.classes.clone(),
            },
            settings: settings.clone(),
            foldings,
        })
    }

    /// Writes `table.json` and `table.md` into the table's folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), TableError> {
        store::write_json(&folder.join(JSON), self)?;
        Ok(store::write(
            &folder.join(TEXT),
            page::text(self).as_bytes(),
        )?)
    }
}

/// The networks over all folds, `[fold][variant]`.
fn rows(folds: &[Vec<OfFold>], seed: u64) -> Result<Vec<Row>, TableError> {
    let mut rows = Vec::new();
    let mut above: Option<Predictions> = None;
    for (index, variant) in Variant::ALL.into_iter().enumerate() {
        let answers: Vec<&OfFold> = folds.iter().filter_map(|fold| fold.get(index)).collect();
        let predictions = pooled(&answers);
        let figures = recognition(&predictions, 1.0, seed)?;
        let against_above = match &above {
            Some(above) => {
                let comparison = compare(&predictions, above, seed)?;
                Some(Against {
                    difference: comparison.difference,
                    p: comparison.p,
                })
            }
            None => None,
        };
        rows.push(Row {
            variant,
            n: figures.n,
            subjects: figures.subjects.unwrap_or_default(),
            accuracy: figures.accuracy,
            accuracy_interval: figures.intervals.accuracy,
            macro_recall: figures.macro_recall,
            macro_recall_interval: figures.intervals.macro_recall,
            against_above,
            fold_accuracies: answers.iter().map(|fold| fold.accuracy()).collect(),
            seconds: answers.iter().map(|fold| fold.seconds).sum(),
            paper: variant.paper(),
        });
        above = Some(predictions);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::super::predictions::Answer;
    use super::*;

    fn fold(variant: Variant, right: &[bool], first: usize) -> OfFold {
        let answer = |(i, right): (usize, &bool)| Answer {
            name: format!("{}", first + i),
            subject: format!("s{}", first + i),
            class: 0,
            probabilities: if *right {
                vec![0.9, 0.1]
            } else {
                vec![0.1, 0.9]
            },
        };
        OfFold {
            variant,
            classes: ["calm", "glad"].map(str::to_owned).to_vec(),
            seconds: 1.5,
            faces: right.iter().enumerate().map(answer).collect(),
        }
    }

    #[test]
    fn accuracy_is_pooled_over_folds_of_different_size() {
        let of = |first: &[bool], second: &[bool]| -> Vec<Vec<OfFold>> {
            [(first, 0), (second, 10)]
                .map(|(right, start)| Variant::ALL.map(|v| fold(v, right, start)).to_vec())
                .to_vec()
        };
        let rows = rows(&of(&[true], &[true, false, false]), 1).expect("rows");
        assert_eq!((rows[0].n, rows[0].accuracy), (4, 0.5));
        assert_eq!(rows[0].fold_accuracies, [1.0, 1.0 / 3.0]);
        assert_eq!((rows[0].subjects, rows[0].seconds), (4, 3.0));
        assert_eq!(rows[0].against_above, None);
        let same = Against {
            difference: 0.0,
            p: 1.0,
        };
        assert_eq!(rows[1].against_above, Some(same));
    }
}
