//! Draws batches from a seed and the step alone, so that a resumed run sees the same ones.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::augment::{Place, View};
use super::batch::{Batch, BatchShape};
use super::config::BatchTable;
use super::sets::{At, Person, Pool, TrainingData, expression, is_shown};
use crate::data::Face;

/// A face, the place by which it is cut, and its view: all that chance decides.
struct Cut<'a> {
    face: &'a Face,
    place: Place,
    view: View,
}

/// What is drawn before any pixel is touched.
#[derive(Default)]
struct Plan<'a> {
    faces: Vec<Cut<'a>>,
    targets: Vec<Cut<'a>>,
    labels: Vec<f32>,
    label_weights: Vec<f32>,
    wanted: Vec<f32>,
}

/// Draws batches from the training data.
pub struct Sampler<'a> {
    data: &'a TrainingData,
    table: BatchTable,
    class_weights: Vec<f32>,
}

impl<'a> Sampler<'a> {
    /// Batches of `data` as `table` asks for.
    pub fn new(data: &'a TrainingData, table: &BatchTable) -> Self {
        Self {
            data,
            table: *table,
            class_weights: data.class_weights(table.class_weights),
        }
    }

    /// The batch of one step.
    pub fn draw(&self, seed: u64, step: usize) -> Batch {
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ step as u64);
        let mut plan = Plan::default();
        for _ in 0..self.table.labelled {
            let at = pick(&self.data.labelled, &mut rng);
            self.plan_face(*at, &mut rng, &mut plan);
        }
        for _ in 0..self.table.pairs {
            self.plan_pair(&mut rng, &mut plan);
        }
        for _ in 0..self.table.unpaired {
            let at = pick(&self.data.unpaired, &mut rng);
            self.plan_face(*at, &mut rng, &mut plan);
            let wanted = rng.random_range(0..self.classes());
            plan.wanted.extend(self.one_hot(wanted));
        }
        self.cut(plan)
    }

    fn classes(&self) -> usize {
        self.class_weights.len()
    }

    fn plan_face(&self, at: At, rng: &mut StdRng, plan: &mut Plan<'a>) {
        let face = self.data.face(at);
        let weight = if self.data.is_judged(at) {
            1.0
        } else {
            self.table.pair_label_weight as f32
        };
        self.add_label(face, weight, plan);
        let whole = face.place == Place::Whole;
        plan.faces.push(Cut {
            face,
            place: face.place,
            view: View::draw(self.table.views, rng, whole),
        });
    }

    fn plan_pair(&self, rng: &mut StdRng, plan: &mut Plan<'a>) {
        let person = pick(&self.data.people, rng);
        let source = self.choose_source(person, rng);
        let target = self.choose_target(person, source, rng);
        // A weak expression is a fair source, but no fair label.
        let clear = is_shown(source, self.data.neutral);
        let weight = if clear {
            self.table.pair_label_weight as f32
        } else {
            0.0
        };
        self.add_label(source, weight, plan);
        plan.wanted.extend(self.one_hot(expression(target)));
        let view = View::draw(self.table.views, rng, source.place == Place::Whole);
        // Faces that lie pixel on pixel stay so when both are cut by the source's eyes.
        let place = if person.pixel_aligned {
            source.place
        } else {
            target.place
        };
        plan.targets.push(Cut {
            face: target,
            place,
            view: view.clone(),
        });
        plan.faces.push(Cut {
            face: source,
            place: source.place,
            view,
        });
    }

    /// Any face of the person; the calm one more often, as a visitor's photo mostly shows it.
    fn choose_source(&self, person: &'a Person, rng: &mut StdRng) -> &'a Face {
        let calm = person.faces.iter().filter(|at| {
            let shown = expression(self.data.face(**at));
            Some(shown) == self.data.neutral
        });
        let calm: Vec<&At> = calm.collect();
        let from_calm = !calm.is_empty() && rng.random_bool(self.table.calm_share);
        let at = if from_calm {
            **one_of(&calm, rng)
        } else {
            *one_of(&person.faces, rng)
        };
        self.data.face(at)
    }

    /// An expression that the person clearly shows, then one of its faces: expressions with more
    /// pictures do not come oftener.
    fn choose_target(&self, person: &'a Person, source: &Face, rng: &mut StdRng) -> &'a Face {
        let faces: Vec<&Face> = person.faces.iter().map(|at| self.data.face(*at)).collect();
        let other =
            |face: &&Face| !self.table.other_expression || expression(face) != expression(source);
        let shown = |face: &&Face| is_shown(face, self.data.neutral);
        let mut goals: Vec<&Face> = faces.iter().copied().filter(other).collect();
        if goals.iter().any(&shown) {
            goals.retain(&shown);
        }
        let mut expressions: Vec<usize> = goals.iter().map(|face| expression(face)).collect();
        expressions.sort_unstable();
        expressions.dedup();
        let wanted = *one_of(&expressions, rng);
        goals.retain(|face| expression(face) == wanted);
        one_of::<&Face>(&goals, rng)
    }

    fn add_label(&self, face: &Face, weight: f32, plan: &mut Plan<'a>) {
        let label: Vec<f32> = if self.table.soft_labels {
            face.label.clone()
        } else {
            self.one_hot(expression(face)).collect()
        };
        let class_weight: f32 = label
            .iter()
            .zip(&self.class_weights)
            .map(|(share, weight)| share * weight)
            .sum();
        plan.labels.extend(label);
        plan.label_weights.push(weight * class_weight);
    }

    fn one_hot(&self, index: usize) -> impl Iterator<Item = f32> + use<> {
        (0..self.classes()).map(move |i| if i == index { 1.0 } else { 0.0 })
    }

    /// Cuts every face, on all cores.
    fn cut(&self, plan: Plan<'_>) -> Batch {
        let size = self.table.size;
        let names = plan.faces.iter().chain(&plan.targets);
        let names = names.map(|cut| cut.face.name.clone()).collect();
        let pixels = |cuts: &[Cut<'_>]| -> Vec<f32> {
            let faces: Vec<Vec<f32>> = cuts
                .par_iter()
                .map(|cut| cut.view.cut(&cut.face.picture, cut.place, size))
                .collect();
            faces.concat()
        };
        Batch {
            shape: BatchShape::from(&self.table),
            names,
            faces: pixels(&plan.faces),
            labels: plan.labels,
            label_weights: plan.label_weights,
            targets: pixels(&plan.targets),
            wanted: plan.wanted,
        }
    }
}

/// One of the pool, by its weights. The pool is not empty: [`TrainingData::new`] sees to it.
fn pick<'a, T>(pool: &'a Pool<T>, rng: &mut StdRng) -> &'a T {
    let total = pool.sums.last().copied().unwrap_or_default();
    let at = rng.random_range(0.0..1.0) * total;
    let index = pool.sums.partition_point(|sum| *sum <= at);
    &pool.items[index.min(pool.items.len() - 1)]
}

/// One of a list that is not empty: a person has at least two expressions.
fn one_of<'a, T>(items: &'a [T], rng: &mut StdRng) -> &'a T {
    items.choose(rng).unwrap_or(&items[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Layout;
    use crate::face::Point;
    use crate::train::config::Views;
    use crate::train::sets::tests::{classes, face, set, table};

    fn small() -> BatchTable {
        BatchTable {
            labelled: 2,
            pairs: 2,
            unpaired: 1,
            size: 64,
            ..table()
        }
    }

    fn data(layout: Layout) -> TrainingData {
        let mut faces = vec![
            face("calm", Some("a"), 0),
            face("glad", Some("a"), 1),
            face("alone", None, 1),
        ];
        // The eyes of the target lie elsewhere.
        faces[1].place = Place::Eyes(Point::new(70.0, 50.0), Point::new(30.0, 50.0));
        TrainingData::new(vec![set(layout, faces)], &classes(), &small()).expect("faces")
    }

    #[test]
    fn a_batch_depends_on_the_seed_and_the_step_alone() {
        let data = data(Layout::Paired);
        let sampler = Sampler::new(&data, &small());
        let batch = sampler.draw(1, 7);
        assert!(batch.faces == sampler.draw(1, 7).faces);
        assert!(batch.faces != sampler.draw(1, 8).faces);
        assert!(batch.faces != sampler.draw(2, 7).faces);
        let plane = 3 * 64 * 64;
        assert_eq!(
            (batch.faces.len(), batch.targets.len()),
            (5 * plane, 2 * plane)
        );
        assert_eq!((batch.labels.len(), batch.wanted.len()), (10, 6));
        assert_eq!(batch.names.len(), 7);
    }

    #[test]
    fn aligned_pairs_are_cut_by_the_sources_eyes_and_others_by_their_own() {
        let table = BatchTable {
            views: Views::Plain,
            other_expression: true,
            labelled: 0,
            pairs: 1,
            unpaired: 0,
            ..small()
        };
        // Both pictures show the same, so that only the place tells them apart.
        for (layout, same) in [(Layout::Paired, true), (Layout::CkPlus, false)] {
            let data = data(layout);
            let batch = Sampler::new(&data, &table).draw(1, 0);
            assert_eq!(batch.faces == batch.targets, same, "{layout}");
            assert_ne!(batch.labels, batch.wanted);
        }
    }

    #[test]
    fn a_weak_expression_is_no_label() {
        let mut faces = vec![face("calm", Some("a"), 0), face("glad", Some("a"), 1)];
        faces[1].intensity = 0.5;
        let table = BatchTable {
            calm_share: 0.0,
            labelled: 0,
            pairs: 16,
            unpaired: 0,
            ..small()
        };
        let sets = vec![set(Layout::Paired, faces)];
        let data = TrainingData::new(sets, &classes(), &table).expect("faces");
        let batch = Sampler::new(&data, &table).draw(1, 0);
        for (name, weight) in batch.names.iter().zip(&batch.label_weights) {
            let expected = if name == "calm" { 0.3 } else { 0.0 };
            assert_eq!(*weight, expected, "{name}");
        }
        // And no target: the neutral face is the only one that is clearly shown.
        assert!(batch.names[16..].iter().all(|name| name == "calm"));
    }

    #[test]
    fn labels_are_shares_of_the_votes_or_the_most_voted_class() {
        let mut faces = vec![face("f", None, 0)];
        faces[0].label = vec![0.6, 0.4];
        let mut table = BatchTable {
            labelled: 1,
            pairs: 0,
            unpaired: 0,
            ..small()
        };
        let sets = vec![set(Layout::FerPlus, faces)];
        let data = TrainingData::new(sets, &classes(), &table).expect("faces");
        assert_eq!(Sampler::new(&data, &table).draw(1, 0).labels, [0.6, 0.4]);
        table.soft_labels = false;
        assert_eq!(Sampler::new(&data, &table).draw(1, 0).labels, [1.0, 0.0]);
    }

    #[test]
    fn a_face_that_is_drawn_without_a_target_is_asked_for_one_expression() {
        let data = data(Layout::Paired);
        let table = BatchTable {
            labelled: 0,
            pairs: 0,
            unpaired: 4,
            ..small()
        };
        let batch = Sampler::new(&data, &table).draw(1, 0);
        assert!(batch.targets.is_empty());
        assert!(batch.names.iter().all(|name| name == "alone"));
        let rows: Vec<f32> = batch
            .wanted
            .chunks_exact(2)
            .map(|row| row.iter().sum())
            .collect();
        assert_eq!(rows, [1.0; 4]);
    }
}
