//! FER+'s table: ten votes for each of FER2013's pictures, in the order of FER2013's table
//! (Barsoum et al., ICMI 2016, arXiv 1608.01041).

use std::path::Path;

use super::expressions::EXPRESSIONS;
use super::{DataError, Split, files};

/// Name of the table.
pub(super) const TABLE: &str = "fer2013new.csv";

/// Columns of votes: the eight expressions, `unknown`, `NF` (no face).
const COLUMNS: usize = EXPRESSIONS.len() + 2;

/// Why a picture with these votes is no example of an expression.
pub(super) const NO_EXPRESSION: &str = "most voters named no expression or saw no face";

/// Why a picture is skipped that the table does not name.
pub(super) const WITHDRAWN: &str = "FER+ has withdrawn it (the table leaves its name out)";

/// One row: a picture of FER2013 and what the voters said.
pub(super) struct Row {
    pub(super) split: Split,
    /// None where the picture was withdrawn.
    pub(super) name: Option<String>,
    pub(super) votes: [u32; COLUMNS],
}

/// The official part by the name that FER2013's tables give it.
pub(super) fn split_of_usage(usage: &str) -> Option<Split> {
    match usage {
        "Training" => Some(Split::Train),
        "PublicTest" => Some(Split::Validation),
        "PrivateTest" => Some(Split::Test),
        _ => None,
    }
}

/// What is wrong with another name.
pub(super) fn unknown_usage(usage: &str) -> String {
    format!("`{usage}` is not Training, PublicTest or PrivateTest")
}

/// What the votes say: their shares over the eight expressions, and the majority.
///
/// Single votes are dropped as slips. None when nothing is left, or when most say that the
/// expression is unknown or that there is no face.
pub(super) fn tally(votes: [u32; COLUMNS]) -> Option<(Vec<f32>, Option<usize>)> {
    let kept = votes.map(|count| if count > 1 { count } else { 0 });
    let total: u32 = kept.iter().sum();
    let of_expressions = &kept[..EXPRESSIONS.len()];
    let expressions: u32 = of_expressions.iter().sum();
    let more_than_half = |count: u32| 2 * count > total;
    if expressions == 0 || more_than_half(total - expressions) {
        return None;
    }
    let shares = of_expressions
        .iter()
        .map(|count| *count as f32 / expressions as f32)
        .collect();
    let majority = of_expressions
        .iter()
        .position(|count| more_than_half(*count));
    Some((shares, majority))
}

/// The rows of the table, in its order.
pub(super) fn read(path: &Path) -> Result<Vec<Row>, DataError> {
    let mut rows = Vec::new();
    for record in files::table(path)?.records() {
        let record = record.map_err(files::table_error(path))?;
        let line = record.position().map_or(1, csv::Position::line);
        let wrong = |what: String| DataError::table(path, line, what);
        let usage = record.get(0).unwrap_or_default();
        let split = split_of_usage(usage).ok_or_else(|| wrong(unknown_usage(usage)))?;
        let name = record.get(1).unwrap_or_default();
        let mut votes = [0; COLUMNS];
        for (column, vote) in votes.iter_mut().enumerate() {
            let cell = record.get(column + 2).unwrap_or_default();
            // More than a byte's worth of voters is a slip, and could overflow the sum.
            *vote = cell
                .parse::<u8>()
                .map_err(|_| wrong(format!("`{cell}` is not a number of votes")))?
                .into();
        }
        rows.push(Row {
            split,
            name: (!name.is_empty()).then(|| name.to_owned()),
            votes,
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_vote_is_dropped_as_a_slip() {
        let (votes, majority) = tally([8, 1, 0, 0, 0, 0, 0, 0, 1, 0]).expect("a face");
        assert_eq!(votes[0], 1.0);
        assert_eq!(majority, Some(0));
    }

    #[test]
    fn half_of_the_votes_are_no_majority() {
        let (votes, majority) = tally([5, 5, 0, 0, 0, 0, 0, 0, 0, 0]).expect("a face");
        assert_eq!((votes[0], votes[1]), (0.5, 0.5));
        assert_eq!(majority, None);
    }

    #[test]
    fn a_picture_that_most_call_unknown_is_skipped() {
        assert!(tally([2, 0, 0, 0, 0, 0, 0, 0, 6, 2]).is_none());
        assert!(tally([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]).is_none());
    }
}
