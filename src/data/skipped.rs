//! Counts the pictures that are not taken, by reason.

use super::Skipped;

/// The pictures skipped so far, in the order in which their reasons came up.
#[derive(Debug, Default)]
pub(super) struct Tally(Vec<Skipped>);

impl Tally {
    /// One more picture.
    pub(super) fn add(&mut self, reason: &str, example: &str) {
        self.add_many(reason, example, 1);
    }

    /// Several pictures at once; none is no entry.
    pub(super) fn add_many(&mut self, reason: &str, example: &str, count: usize) {
        if count == 0 {
            return;
        }
        match self.0.iter_mut().find(|entry| entry.reason == reason) {
            Some(entry) => entry.count += count,
            None => self.0.push(Skipped {
                reason: reason.to_owned(),
                count,
                example: example.to_owned(),
            }),
        }
    }

    /// The reasons in words, for an error.
    pub(super) fn in_words(&self, otherwise: &str) -> String {
        if self.0.is_empty() {
            return otherwise.to_owned();
        }
        let reasons: Vec<_> = self
            .0
            .iter()
            .map(|entry| format!("{} x {} ({})", entry.count, entry.reason, entry.example))
            .collect();
        format!("skipped {}", reasons.join(", "))
    }

    /// The list.
    pub(super) fn into_vec(self) -> Vec<Skipped> {
        self.0
    }
}

impl From<Vec<Skipped>> for Tally {
    fn from(list: Vec<Skipped>) -> Self {
        Self(list)
    }
}
