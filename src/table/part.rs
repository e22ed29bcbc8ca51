//! Which part of a table a call makes, so that several machines make one.

use std::path::PathBuf;
use std::str::FromStr;

/// What a call does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Trains what is not trained yet, and writes the table.
    Whole,
    /// Trains the folds of a shard.
    Shard(Shard),
    /// Trains nothing: writes the table of what was trained in the table's folder and in these.
    Collected(Vec<PathBuf>),
}

/// One of several equal parts of all folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0 on.
    index: usize,
    count: usize,
}

impl Shard {
    /// Whether it has a fold, counted over all foldings from 0 on.
    pub fn has(self, fold: usize) -> bool {
        fold % self.count == self.index
    }
}

impl FromStr for Shard {
    type Err = &'static str;

    /// As `I/N`, the first is 1.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(number, count)| {
            let number: usize = number.trim().parse().ok()?;
            let count: usize = count.trim().parse().ok()?;
            (1..=count).contains(&number).then_some((number - 1, count))
        });
        let (index, count) = numbers.ok_or("a shard is I/N, with I from 1 to N: 2/8")?;
        Ok(Self { index, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fold_is_in_one_shard() {
        let shards: Vec<Shard> = (1..=3)
            .map(|i| format!("{i}/3").parse().expect("a shard"))
            .collect();
        for fold in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.has(fold)).count(), 1);
        }
        for wrong in ["0/3", "4/3", "1/0", "1", "a/b", "1/", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
