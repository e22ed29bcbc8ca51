//! Divides a data set into folds, no subject in two.

use std::collections::BTreeMap;

use super::{DataError, Dataset};

/// How subjects, sorted by name, are dealt to folds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Folding {
    /// In equal steps, as in the paper: fold k of n has the subjects k, k + n, k + 2n, ...
    Strided,
    /// Equal runs, with the rest in the last, as in the release of 2021.
    Contiguous,
}

impl Folding {
    /// `strided` or `contiguous`.
    pub fn name(self) -> &'static str {
        match self {
            Folding::Strided => "strided",
            Folding::Contiguous => "contiguous",
        }
    }
}

/// The indices of each fold's test faces, ascending. A face without a subject counts as a subject
/// of its own.
///
/// # Errors
/// [`DataError::Folds`] when a fold would be empty or everything.
pub fn folds(
    dataset: &Dataset,
    folding: Folding,
    count: usize,
) -> Result<Vec<Vec<usize>>, DataError> {
    let mut by_subject: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
    for (index, face) in dataset.faces.iter().enumerate() {
        // The first half keeps a subject apart from a picture that has its name.
        let identity = match &face.subject {
            Some(subject) => (true, subject.as_str()),
            None => (false, face.name.as_str()),
        };
        by_subject.entry(identity).or_default().push(index);
    }
    let subjects = by_subject.len();
    if count < 2 || count > subjects {
        return Err(DataError::Folds {
            root: dataset.root.clone(),
            count,
            subjects,
        });
    }
    let mut folds = vec![Vec::new(); count];
    for (position, indices) in by_subject.into_values().enumerate() {
        let fold = match folding {
            Folding::Strided => position % count,
            Folding::Contiguous => (position / (subjects / count)).min(count - 1),
        };
        folds[fold].extend(indices);
    }
    for fold in &mut folds {
        fold.sort_unstable();
    }
    Ok(folds)
}
