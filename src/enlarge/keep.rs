//! Which synthetic faces are kept.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How an ensemble decides whether a face shows what it was to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[value(rename_all = "lower")]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// Every network gives the expression at least the threshold.
    #[default]
    Every,
    /// The mean of the networks does.
    Mean,
}

impl Rule {
    /// Whether a face is kept to whose expression the networks give these probabilities; never
    /// without a network.
    pub fn keeps(self, read: &[f32], threshold: f32) -> bool {
        let value = match self {
            Rule::Every => read.iter().copied().fold(f32::INFINITY, f32::min),
            Rule::Mean => read.iter().sum::<f32>() / read.len() as f32,
        };
        !read.is_empty() && value >= threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_doubter_is_outvoted_by_the_mean_alone() {
        let read = [0.9, 0.8, 0.3];
        assert!(!Rule::Every.keeps(&read, 0.5) && Rule::Mean.keeps(&read, 0.5));
        assert!(Rule::Every.keeps(&read, 0.3));
    }

    #[test]
    fn what_is_no_number_or_was_read_by_nobody_is_not_kept() {
        for rule in [Rule::Every, Rule::Mean] {
            assert!(!rule.keeps(&[], 0.0));
        }
        assert!(!Rule::Mean.keeps(&[f32::NAN], 0.0));
    }
}
