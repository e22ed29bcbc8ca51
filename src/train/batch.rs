//! Batches: labelled faces for recognition and pairs of one person for synthesis, drawn at random
//! from a seed and the step alone, so that a resumed run sees the same ones.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::TrainError;
use super::augment::{Place, View};
use super::ferplus::LabelledFace;
use super::pairs::{Person, PersonFace};
use crate::answer::largest;

/// The training data in memory.
pub struct TrainingData {
    /// Pictures with votes.
    pub labelled: Vec<LabelledFace>,
    /// Persons with several expressions.
    pub people: Vec<Person>,
    /// Running sums of the sampling weights of `labelled`.
    labelled_sums: Vec<f64>,
    /// Running sums of the sampling weights of `people`.
    people_sums: Vec<f64>,
    /// Number of expressions E.
    classes: usize,
}

/// Batch sizes and the picture's side.
#[derive(Debug, Clone, Copy)]
pub struct BatchShape {
    /// Labelled faces a batch.
    pub labelled: usize,
    /// Pairs a batch.
    pub pairs: usize,
    /// Side of the faces in pixels.
    pub size: usize,
}

/// One batch, flat and row-major: the labelled faces first, then the sources of the pairs.
pub struct Batch {
    /// `[labelled + pairs, 3, size, size]`.
    pub faces: Vec<f32>,
    /// `[labelled + pairs, E]`.
    pub labels: Vec<f32>,
    /// Weight of each label, `[labelled + pairs]`.
    pub label_weights: Vec<f32>,
    /// Targets of the pairs, `[pairs, 3, size, size]`.
    pub targets: Vec<f32>,
    /// Expressions of the targets, one-hot, `[pairs, E]`.
    pub target_labels: Vec<f32>,
}

/// How much rarer classes are drawn more often: weight = (1 / pictures of the class) ^ this.
const CLASS_BALANCE: f64 = 0.35;

/// Weight of a pair's own label, which a recipe made and no person judged.
const PAIR_LABEL_WEIGHT: f32 = 0.3;

/// From this intensity on, an expression counts as shown: as a label and as a target.
const SHOWN: f32 = 0.8;

impl TrainingData {
    /// Prepares sampling.
    ///
    /// # Errors
    /// [`TrainError::Empty`] when one of the sets is needed by `shape` but empty.
    pub fn new(
        labelled: Vec<LabelledFace>,
        people: Vec<Person>,
        classes: usize,
        shape: BatchShape,
    ) -> Result<Self, TrainError> {
        if labelled.is_empty() && shape.labelled > 0 {
            return Err(TrainError::Empty("the labelled set".into()));
        }
        if people.is_empty() && shape.pairs > 0 {
            return Err(TrainError::Empty("the paired set".into()));
        }
        let class_of = |face: &LabelledFace| largest(&face.votes);
        let mut counts = vec![0_usize; classes];
        for face in &labelled {
            counts[class_of(face)] += 1;
        }
        let labelled_sums = running_sums(
            labelled
                .iter()
                .map(|face| (1.0 / counts[class_of(face)] as f64).powf(CLASS_BALANCE)),
        );
        // Each source has the same weight as the square root of its persons, so that many
        // one-picture persons do not drown the well-lit portraits.
        let mut source_counts = std::collections::BTreeMap::<&str, usize>::new();
        for person in &people {
            *source_counts.entry(&person.source).or_default() += 1;
        }
        let people_sums = running_sums(
            people
                .iter()
                .map(|person| (1.0 / source_counts[person.source.as_str()] as f64).sqrt()),
        );
        Ok(Self {
            labelled,
            people,
            labelled_sums,
            people_sums,
            classes,
        })
    }

    /// The batch of one step.
    pub fn draw(&self, seed: u64, step: usize, shape: BatchShape) -> Batch {
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ step as u64);
        let total = shape.labelled + shape.pairs;
        let plane = 3 * shape.size * shape.size;
        let mut batch = Batch {
            faces: Vec::with_capacity(total * plane),
            labels: Vec::with_capacity(total * self.classes),
            label_weights: Vec::with_capacity(total),
            targets: Vec::with_capacity(shape.pairs * plane),
            target_labels: Vec::with_capacity(shape.pairs * self.classes),
        };
        for _ in 0..shape.labelled {
            let face = &self.labelled[pick(&self.labelled_sums, &mut rng)];
            let view = View::random(&mut rng, true);
            batch
                .faces
                .extend(view.cut(&face.picture, Place::Whole, shape.size));
            batch.labels.extend(face.votes);
            batch.label_weights.push(1.0);
        }
        for _ in 0..shape.pairs {
            self.draw_pair(&mut rng, shape.size, &mut batch);
        }
        batch
    }

    fn draw_pair(&self, rng: &mut StdRng, size: usize, batch: &mut Batch) {
        let person = &self.people[pick(&self.people_sums, rng)];
        let shown: Vec<&PersonFace> = person
            .faces
            .iter()
            .flatten()
            .filter(|face| face.intensity >= SHOWN || face.expression == 0)
            .collect();
        let all: Vec<&PersonFace> = person.faces.iter().flatten().collect();
        // A visitor's photo mostly shows a calm or a smiling face.
        let calm: Vec<&PersonFace> = all
            .iter()
            .copied()
            .filter(|face| face.expression == 0)
            .collect();
        let from: &[&PersonFace] = if !calm.is_empty() && rng.random_bool(0.4) {
            &calm
        } else {
            &all
        };
        let goals: &[&PersonFace] = if shown.is_empty() { &all } else { &shown };
        let (Some(source), Some(target)) = (from.choose(rng), choose_target(goals, rng)) else {
            return;
        };
        let view = View::random(rng, false);
        let cut = |face: &PersonFace| {
            view.cut(
                &face.picture,
                // One place for both: the source's eyes.
                Place::Eyes(source.left_eye, source.right_eye),
                size,
            )
        };
        batch.faces.extend(cut(source));
        batch
            .labels
            .extend(one_hot(source.expression, self.classes));
        let clear = source.expression == 0 || source.intensity >= SHOWN;
        batch
            .label_weights
            .push(if clear { PAIR_LABEL_WEIGHT } else { 0.0 });
        batch.targets.extend(cut(target));
        batch
            .target_labels
            .extend(one_hot(target.expression, self.classes));
    }
}

/// An expression at random, then one of its faces: classes with more pictures do not come oftener.
fn choose_target<'a>(goals: &[&'a PersonFace], rng: &mut StdRng) -> Option<&'a PersonFace> {
    let mut expressions: Vec<usize> = goals.iter().map(|face| face.expression).collect();
    expressions.sort_unstable();
    expressions.dedup();
    let expression = *expressions.choose(rng)?;
    let faces: Vec<&PersonFace> = goals
        .iter()
        .copied()
        .filter(|face| face.expression == expression)
        .collect();
    faces.choose(rng).copied()
}

fn one_hot(index: usize, classes: usize) -> impl Iterator<Item = f32> {
    (0..classes).map(move |i| if i == index { 1.0 } else { 0.0 })
}

fn running_sums(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

fn pick(sums: &[f64], rng: &mut StdRng) -> usize {
    let total = sums.last().copied().unwrap_or_default();
    let at = rng.random_range(0.0..1.0) * total;
    sums.partition_point(|sum| *sum <= at)
        .min(sums.len().saturating_sub(1))
}
