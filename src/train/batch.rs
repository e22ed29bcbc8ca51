//! A batch: faces for recognition, pairs of one subject and faces without a partner.

use std::borrow::Cow;
use std::ops::Range;

use super::config::BatchTable;

/// Numbers of faces in a batch, and their side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchShape {
    /// Faces for recognition alone.
    pub labelled: usize,
    /// Pairs.
    pub pairs: usize,
    /// Faces that are redrawn without a target.
    pub unpaired: usize,
    /// Side of the faces in pixels.
    pub size: usize,
}

impl From<&BatchTable> for BatchShape {
    fn from(table: &BatchTable) -> Self {
        Self {
            labelled: table.labelled,
            pairs: table.pairs,
            unpaired: table.unpaired,
            size: table.size,
        }
    }
}

impl BatchShape {
    /// Faces that are read.
    pub fn rows(&self) -> usize {
        self.labelled + self.pairs + self.unpaired
    }
}

/// One batch, flat and row-major. Rows: labelled faces, sources of the pairs, unpaired faces.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Numbers of faces.
    pub shape: BatchShape,
    /// Names of the faces, `[rows]`, then of the targets, `[pairs]`.
    pub names: Vec<String>,
    /// `[rows, 3, size, size]` in `[0, 1]`.
    pub faces: Vec<f32>,
    /// `[rows, E]`, each row's sum 1.
    pub labels: Vec<f32>,
    /// Weight of each label, `[rows]`.
    pub label_weights: Vec<f32>,
    /// Targets of the pairs, `[pairs, 3, size, size]`.
    pub targets: Vec<f32>,
    /// What is to be drawn, `[pairs + unpaired, E]`, one-hot; with controls `[pairs + unpaired, K]`.
    pub wanted: Vec<f32>,
    /// What is known of mouths and controls, for the pairs.
    pub shown: Shown,
}

/// What the data state of faces beside their expression. `K` is 0 without controls.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Controls of the faces, `[rows, K]`.
    pub units: Vec<f32>,
    /// 1 where they are known, else 0, `[rows]`.
    pub units_known: Vec<f32>,
    /// Inside of the targets' mouths, `[pairs, 1, size, size]` in `[0, 1]`.
    pub cavities: Vec<f32>,
    /// 1 where it is known, else 0, `[pairs]`.
    pub cavities_known: Vec<f32>,
    /// 1 where a program drew what is inside, so that its colours teach nothing, `[pairs]`.
    pub cavities_drawn: Vec<f32>,
    /// Where the targets' pixels are in the sources, relative to themselves, `[pairs, 2, size, size]` (x
    /// then y) in widths of the face.
    pub flows: Vec<f32>,
    /// 1 where that is known, else 0, `[pairs, 1, size, size]`.
    pub flows_known: Vec<f32>,
}

impl Shown {
    /// Nothing is known of a batch of this shape, for a network of `controls` controls.
    pub fn nothing(shape: BatchShape, controls: usize) -> Self {
        Self {
            units: vec![0.0; shape.rows() * controls],
            units_known: vec![0.0; shape.rows()],
            cavities: vec![0.0; shape.pairs * shape.size * shape.size],
            cavities_known: vec![0.0; shape.pairs],
            flows: vec![0.0; 2 * shape.pairs * shape.size * shape.size],
            flows_known: vec![0.0; shape.pairs * shape.size * shape.size],
            cavities_drawn: vec![0.0; shape.pairs],
        }
    }
}

impl Batch {
    /// The batch in `count` equal parts, each with its share of the faces of each kind.
    pub fn parts(&self, count: usize) -> Vec<Cow<'_, Batch>> {
        if count == 1 {
            return vec![Cow::Borrowed(self)];
        }
        let part = |index| Cow::Owned(self.part(index, count));
        (0..count).map(part).collect()
    }

    fn part(&self, index: usize, count: usize) -> Batch {
        let all = self.shape;
        let shape = BatchShape {
            labelled: all.labelled / count,
            pairs: all.pairs / count,
            unpaired: all.unpaired / count,
            size: all.size,
        };
        // The part's rows of each kind, the kinds one after another.
        let range = |before: usize, own: usize| before + index * own..before + (index + 1) * own;
        let pairs = range(0, shape.pairs);
        let drawn = [pairs.clone(), range(all.pairs, shape.unpaired)];
        let rows = [
            range(0, shape.labelled),
            range(all.labelled, shape.pairs),
            range(all.labelled + all.pairs, shape.unpaired),
        ];
        let width = |values: &[f32], rows: usize| values.len() / rows.max(1);
        let classes = width(&self.labels, all.rows());
        let targets_width = width(&self.wanted, all.pairs + all.unpaired);
        let controls = width(&self.shown.units, all.rows());
        let map = all.size * all.size;
        let plane = 3 * map;
        let mut names = take(&self.names, 1, &rows);
        let targets = range(all.rows(), shape.pairs);
        names.extend_from_slice(&self.names[targets]);
        Batch {
            shape,
            names,
            faces: take(&self.faces, plane, &rows),
            labels: take(&self.labels, classes, &rows),
            label_weights: take(&self.label_weights, 1, &rows),
            targets: take(&self.targets, plane, std::slice::from_ref(&pairs)),
            wanted: take(&self.wanted, targets_width, &drawn),
            shown: Shown {
                units: take(&self.shown.units, controls, &rows),
                units_known: take(&self.shown.units_known, 1, &rows),
                cavities: take(&self.shown.cavities, map, std::slice::from_ref(&pairs)),
                cavities_known: take(&self.shown.cavities_known, 1, std::slice::from_ref(&pairs)),
                flows: take(&self.shown.flows, 2 * map, std::slice::from_ref(&pairs)),
                flows_known: take(&self.shown.flows_known, map, std::slice::from_ref(&pairs)),
                cavities_drawn: take(&self.shown.cavities_drawn, 1, &[pairs]),
            },
        }
    }
}

/// The rows of these ranges, each of `width` values.
fn take<T: Clone>(values: &[T], width: usize, rows: &[Range<usize>]) -> Vec<T> {
    rows.iter()
        .flat_map(|rows| &values[rows.start * width..rows.end * width])
        .cloned()
        .collect()
}
