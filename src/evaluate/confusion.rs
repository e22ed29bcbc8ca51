//! How often each expression is read as each: the table behind accuracy, recall, precision and F1.

use serde::Serialize;

/// Numbers of faces, `[true expression][expression read]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Confusion {
    /// The table.
    pub counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// An empty table for this many expressions.
    pub fn new(classes: usize) -> Self {
        Self {
            counts: vec![vec![0; classes]; classes],
        }
    }

    /// Counts a face.
    pub fn add(&mut self, label: usize, answer: usize) {
        self.counts[label][answer] += 1;
    }

    /// Faces that show the expression.
    pub fn shown(&self, class: usize) -> usize {
        self.counts[class].iter().sum()
    }

    /// Faces that are read as the expression.
    pub fn read(&self, class: usize) -> usize {
        self.counts.iter().map(|row| row[class]).sum()
    }

    /// All faces.
    pub fn n(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    /// Share of all faces that are read correctly; none without faces.
    pub fn accuracy(&self) -> Option<f64> {
        let right = (0..self.counts.len()).map(|i| self.counts[i][i]).sum();
        share(right, self.n())
    }

    /// Share of the faces of an expression that are read as it; none where no face shows it.
    pub fn recall(&self, class: usize) -> Option<f64> {
        share(self.counts[class][class], self.shown(class))
    }

    /// Share of the faces read as an expression that show it; none where none is read as it.
    pub fn precision(&self, class: usize) -> Option<f64> {
        share(self.counts[class][class], self.read(class))
    }

    /// Harmonic mean of recall and precision; none where no face shows the expression.
    pub fn f1(&self, class: usize) -> Option<f64> {
        let shown = self.shown(class);
        (shown > 0)
            .then(|| 2.0 * self.counts[class][class] as f64 / (shown + self.read(class)) as f64)
    }

    /// Mean recall of the expressions that are shown.
    pub fn macro_recall(&self) -> Option<f64> {
        self.mean(Self::recall)
    }

    /// Mean F1 of the expressions that are shown.
    pub fn macro_f1(&self) -> Option<f64> {
        self.mean(Self::f1)
    }

    fn mean(&self, figure: impl Fn(&Self, usize) -> Option<f64>) -> Option<f64> {
        let values = (0..self.counts.len()).filter_map(|class| figure(self, class));
        let values: Vec<f64> = values.collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_a_hand_computed_table() {
        // Four faces show a (three read so), two show b (one read so), none shows c.
        let table = Confusion {
            counts: vec![vec![3, 1, 0], vec![0, 1, 1], vec![0, 0, 0]],
        };
        let close = |found: Option<f64>, expected: f64| {
            assert!(
                (found.expect("a figure") - expected).abs() < 1e-12,
                "{found:?}"
            );
        };
        assert_eq!(table.n(), 6);
        close(table.accuracy(), 4.0 / 6.0);
        close(table.recall(0), 0.75);
        close(table.recall(1), 0.5);
        close(table.precision(0), 1.0);
        close(table.precision(1), 0.5);
        close(table.f1(0), 2.0 * 0.75 / 1.75);
        close(table.f1(1), 0.5);
        close(table.macro_recall(), 0.625);
        close(table.macro_f1(), (6.0 / 7.0 + 0.5) / 2.0);
        // c is never shown, but is read once.
        assert_eq!((table.recall(2), table.f1(2)), (None, None));
        close(table.precision(2), 0.0);
    }

    #[test]
    fn an_empty_table_has_no_figures() {
        let table = Confusion::new(2);
        assert_eq!((table.accuracy(), table.macro_f1()), (None, None));
        assert_eq!(table.precision(0), None);
    }
}
