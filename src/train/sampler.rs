//! Draws batches from a seed and the step alone, so that a resumed run sees the same ones.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::augment::Transform;
use super::batch::{Batch, BatchShape, Shown};
use super::config::BatchTable;
use super::known_flow;
use super::sets::{At, Pool, Subject, TrainingData};
use crate::data::controls::mirror_indices;
use crate::data::{CropRegion, Face};
use crate::network::NetworkConfig;

/// A face, the crop region by which it is cut, and its augmentation: all that chance decides.
struct Cut<'a> {
    face: &'a Face,
    crop_region: CropRegion,
    transform: Transform,
}

/// What is drawn before any pixel is touched.
#[derive(Default)]
struct Plan<'a> {
    faces: Vec<Cut<'a>>,
    targets: Vec<Cut<'a>>,
    labels: Vec<f32>,
    label_weights: Vec<f32>,
    wanted: Vec<f32>,
    units: Vec<f32>,
    units_known: Vec<f32>,
    /// Whether source and target of each pair lie pixel on pixel.
    aligned: Vec<bool>,
}

/// Draws batches from the training data.
pub struct Sampler<'a> {
    data: &'a TrainingData,
    table: BatchTable,
    class_weights: Vec<f32>,
    /// The target of each class, where it has one.
    presets: Vec<Option<Vec<f32>>>,
    /// Number of controls; 0: targets are classes.
    controls: usize,
    /// The control that a mirrored face shows in place of each.
    mirror: Vec<usize>,
}

impl<'a> Sampler<'a> {
    /// Batches of `data` as `table` asks for, with the targets of `network`.
    pub fn new(data: &'a TrainingData, table: &BatchTable, network: &NetworkConfig) -> Self {
        let classes = network.classes.iter();
        Self {
            data,
            table: *table,
            class_weights: data.class_weights(table.class_weights),
            presets: classes.map(|class| network.preset(class)).collect(),
            controls: network.controls.len(),
            mirror: mirror_indices(&network.controls),
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
            plan.wanted.extend(self.target_of(wanted, 1.0));
        }
        self.cut(plan)
    }

    fn classes(&self) -> usize {
        self.class_weights.len()
    }

    fn plan_face(&self, at: At, rng: &mut StdRng, plan: &mut Plan<'a>) {
        let face = self.data.face(at);
        let weight = if self.data.is_verified(at) {
            1.0
        } else {
            self.table.pair_label_weight as f32
        };
        self.add_label(face, weight, plan);
        let transform = Transform::draw(self.table.augmentation, rng, face.crop_region);
        self.add_units(face, &transform, plan);
        plan.faces.push(Cut {
            face,
            crop_region: face.crop_region,
            transform,
        });
    }

    fn plan_pair(&self, rng: &mut StdRng, plan: &mut Plan<'a>) {
        let subject = pick(&self.data.people, rng);
        let source = self.choose_source(subject, rng);
        let target = self.choose_target(subject, source, rng);
        // A weak expression is a fair source, but no fair label.
        let clear = source.is_shown(self.data.neutral) && !source.is_free();
        let weight = if clear {
            self.table.pair_label_weight as f32
        } else {
            0.0
        };
        self.add_label(source, weight, plan);
        let transform = Transform::draw(self.table.augmentation, rng, source.crop_region);
        self.add_units(source, &transform, plan);
        let wanted = self.shown_units(target, &transform);
        plan.wanted.extend(
            wanted.unwrap_or_else(|| self.target_of(target.expression(), target.intensity)),
        );
        // Faces that lie pixel on pixel stay so when both are cut by the source's eyes.
        plan.aligned.push(subject.pixel_aligned);
        let crop_region = if subject.pixel_aligned {
            source.crop_region
        } else {
            target.crop_region
        };
        plan.targets.push(Cut {
            face: target,
            crop_region,
            transform: transform.clone(),
        });
        plan.faces.push(Cut {
            face: source,
            crop_region: source.crop_region,
            transform,
        });
    }

    /// Any face of the subject; the calm one more often, as a visitor's photo mostly shows it.
    fn choose_source(&self, subject: &'a Subject, rng: &mut StdRng) -> &'a Face {
        let calm = subject.faces.iter().filter(|at| {
            let shown = self.data.face(**at).stated_expression();
            shown.is_some() && shown == self.data.neutral
        });
        let calm: Vec<&At> = calm.collect();
        let from_calm = !calm.is_empty() && rng.random_bool(self.table.calm_share);
        let at = if from_calm {
            **one_of(&calm, rng)
        } else {
            *one_of(&subject.faces, rng)
        };
        self.data.face(at)
    }

    /// An expression that the subject clearly shows, then one of its faces: expressions with more
    /// pictures do not come oftener.
    fn choose_target(&self, subject: &'a Subject, source: &'a Face, rng: &mut StdRng) -> &'a Face {
        if self.table.self_share > 0.0 && rng.random_bool(self.table.self_share) {
            return source;
        }
        let faces: Vec<&Face> = subject.faces.iter().map(|at| self.data.face(*at)).collect();
        let own = source.stated_expression();
        let other = |face: &&Face| !self.table.other_expression || face.stated_expression() != own;
        // With controls a weak expression is told as what it is.
        let told = |face: &&Face| self.controls > 0 && face.controls.is_some();
        let shown = |face: &&Face| told(face) || face.is_shown(self.data.neutral);
        let mut goals: Vec<&Face> = faces.iter().copied().filter(other).collect();
        if goals.iter().any(&shown) {
            goals.retain(&shown);
        }
        let mut groups: Vec<Option<usize>> =
            goals.iter().map(|face| face.stated_expression()).collect();
        groups.sort_unstable();
        groups.dedup();
        let wanted = *one_of(&groups, rng);
        goals.retain(|face| face.stated_expression() == wanted);
        one_of::<&Face>(&goals, rng)
    }

    fn add_label(&self, face: &Face, weight: f32, plan: &mut Plan<'a>) {
        let label: Vec<f32> = if self.table.soft_labels {
            face.label.clone()
        } else {
            self.one_hot(face.expression()).collect()
        };
        let class_weight: f32 = label
            .iter()
            .zip(&self.class_weights)
            .map(|(share, weight)| share * weight)
            .sum();
        plan.labels.extend(label);
        plan.label_weights.push(weight * class_weight);
    }

    /// An expression as the network's target; an expression without a preset asks for nothing.
    fn target_of(&self, class: usize, intensity: f32) -> Vec<f32> {
        if self.controls == 0 {
            return self.one_hot(class).collect();
        }
        let preset = self.presets[class].clone();
        let preset = preset.unwrap_or_else(|| vec![0.0; self.controls]);
        preset.into_iter().map(|value| value * intensity).collect()
    }

    /// The controls that a face shows in a transform; none where they are not known.
    fn shown_units(&self, face: &Face, transform: &Transform) -> Option<Vec<f32>> {
        let units = face.controls.as_ref().filter(|_| self.controls > 0)?;
        Some(if transform.is_mirrored() {
            self.mirror.iter().map(|index| units[*index]).collect()
        } else {
            units.clone()
        })
    }

    fn add_units(&self, face: &Face, transform: &Transform, plan: &mut Plan<'a>) {
        let units = self.shown_units(face, transform);
        plan.units_known.push(f32::from(u8::from(units.is_some())));
        let nothing = || vec![0.0; self.controls];
        plan.units.extend(units.unwrap_or_else(nothing));
    }

    fn one_hot(&self, index: usize) -> impl Iterator<Item = f32> + use<> {
        (0..self.classes()).map(move |i| if i == index { 1.0 } else { 0.0 })
    }

    /// Cuts every face, on all cores.
    fn cut(&self, plan: Plan<'_>) -> Batch {
        let size = self.table.size;
        let names = plan.faces.iter().chain(&plan.targets);
        let names = names.map(|cut| cut.face.name.clone()).collect();
        let cavities: Vec<Vec<f32>> = plan
            .targets
            .par_iter()
            .map(|cut| cut.cavity(size).unwrap_or_else(|| vec![0.0; size * size]))
            .collect();
        let sources = &plan.faces[self.table.labelled..];
        let pairs = sources.iter().zip(&plan.targets).zip(&plan.aligned);
        let pairs: Vec<_> = pairs.collect();
        let flows: Vec<[Vec<f32>; 2]> = pairs
            .into_par_iter()
            .map(|((source, target), aligned)| {
                let way = known_flow::between(source.face, target.face).filter(|_| *aligned);
                way.map_or_else(
                    || [vec![0.0; 2 * size * size], vec![0.0; size * size]],
                    |way| way.cut(&target.transform, target.face, target.crop_region, size),
                )
            })
            .collect();
        let (flows, flows_known): (Vec<_>, Vec<_>) =
            flows.into_iter().map(|[flow, known]| (flow, known)).unzip();
        let flag = |holds: fn(&Face) -> bool| -> Vec<f32> {
            let flag = |cut: &Cut<'_>| f32::from(u8::from(holds(cut.face)));
            plan.targets.iter().map(flag).collect()
        };
        let shown = Shown {
            cavities: cavities.concat(),
            cavities_known: flag(|face| face.cavity.is_some()),
            cavities_drawn: flag(|face| face.cavity.as_ref().is_some_and(|c| c.is_drawn)),
            flows: flows.concat(),
            flows_known: flows_known.concat(),
            units: plan.units,
            units_known: plan.units_known,
        };
        let pixels = |cuts: &[Cut<'_>]| -> Vec<f32> {
            let faces: Vec<Vec<f32>> = cuts
                .par_iter()
                .map(|cut| cut.transform.cut(&cut.face.picture, cut.crop_region, size))
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
            shown,
        }
    }
}

impl Cut<'_> {
    /// The inside of the mouth in this transform; none where it is shut or not known.
    fn cavity(&self, size: usize) -> Option<Vec<f32>> {
        let map = self.face.cavity.as_ref()?.map.as_ref()?;
        Some(
            self.transform
                .cut_map(map, &self.face.picture, self.crop_region, size),
        )
    }
}

/// One of the pool, by its weights. The pool is not empty: [`TrainingData::new`] sees to it.
fn pick<'a, T>(pool: &'a Pool<T>, rng: &mut StdRng) -> &'a T {
    let total = pool.sums.last().copied().unwrap_or_default();
    let at = rng.random_range(0.0..1.0) * total;
    let index = pool.sums.partition_point(|sum| *sum <= at);
    &pool.items[index.min(pool.items.len() - 1)]
}

/// One of a list that is not empty: a subject has at least two expressions.
fn one_of<'a, T>(items: &'a [T], rng: &mut StdRng) -> &'a T {
    items.choose(rng).unwrap_or(&items[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::made::{classes, face, set};
    use crate::data::{Augmentation, Layout};
    use crate::face::Point;
    use crate::network::{Edition, Variant};
    use crate::train::sets::tests::table;

    fn small() -> BatchTable {
        BatchTable {
            labelled: 2,
            pairs: 2,
            unpaired: 1,
            size: 64,
            ..table()
        }
    }

    fn network() -> NetworkConfig {
        let classes = ["neutral", "happiness"];
        NetworkConfig::new(Edition::Release2021, Variant::Fersnet, 2, 3, &classes)
    }

    fn data(layout: Layout) -> TrainingData {
        let mut faces = vec![
            face("calm", Some("a"), 0),
            face("glad", Some("a"), 1),
            face("alone", None, 1),
        ];
        // The eyes of the target lie elsewhere.
        faces[1].crop_region = CropRegion::Eyes(Point::new(70.0, 50.0), Point::new(30.0, 50.0));
        TrainingData::new(vec![set(layout, faces)], &classes(), &small()).expect("faces")
    }

    #[test]
    fn a_batch_depends_on_the_seed_and_the_step_alone() {
        let data = data(Layout::Paired);
        let sampler = Sampler::new(&data, &small(), &network());
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
            augmentation: Augmentation::Plain,
            other_expression: true,
            labelled: 0,
            pairs: 1,
            unpaired: 0,
            ..small()
        };
        // Both pictures show the same, so that only the place tells them apart.
        for (layout, same) in [(Layout::Paired, true), (Layout::CkPlus, false)] {
            let data = data(layout);
            let batch = Sampler::new(&data, &table, &network()).draw(1, 0);
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
        let batch = Sampler::new(&data, &table, &network()).draw(1, 0);
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
        assert_eq!(
            Sampler::new(&data, &table, &network()).draw(1, 0).labels,
            [0.6, 0.4]
        );
        table.soft_labels = false;
        assert_eq!(
            Sampler::new(&data, &table, &network()).draw(1, 0).labels,
            [1.0, 0.0]
        );
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
        let batch = Sampler::new(&data, &table, &network()).draw(1, 0);
        assert!(batch.targets.is_empty());
        assert!(batch.names.iter().all(|name| name == "alone"));
        let rows: Vec<f32> = batch
            .wanted
            .chunks_exact(2)
            .map(|row| row.iter().sum())
            .collect();
        assert_eq!(rows, [1.0; 4]);
    }

    #[test]
    fn with_controls_a_target_is_what_the_face_shows_and_a_mirror_swaps_the_sides() {
        let controls = ["mouthSmileLeft", "mouthSmileRight"];
        let mut network = network().with_controls(&controls);
        network.presets = [(
            "happiness".to_owned(),
            [("mouthSmileLeft".to_owned(), 0.5)].into(),
        )]
        .into();
        let mut faces = vec![face("calm", Some("a"), 0), face("glad", Some("a"), 1)];
        faces[0].controls = Some(vec![0.0, 0.0]);
        faces[1].controls = Some(vec![1.0, 0.25]);
        let table = BatchTable {
            calm_share: 1.0,
            other_expression: true,
            labelled: 0,
            pairs: 32,
            unpaired: 1,
            ..small()
        };
        faces.push(face("alone", None, 1));
        let sets = vec![set(Layout::Paired, faces)];
        let data = TrainingData::new(sets, &classes(), &table).expect("faces");
        let batch = Sampler::new(&data, &table, &network).draw(1, 0);
        let (pairs, unpaired) = batch.wanted.split_at(64);
        assert!(pairs.chunks_exact(2).any(|row| row == [1.0, 0.25]));
        assert!(pairs.chunks_exact(2).any(|row| row == [0.25, 1.0]));
        assert!(unpaired == [0.5, 0.0] || unpaired == [0.0, 0.0]);
        assert_eq!(batch.shown.units_known[..32], [1.0; 32]);
        assert_eq!(batch.shown.units_known[32], 0.0);
        assert!(batch.shown.units[..64].iter().all(|unit| *unit == 0.0));
    }

    #[test]
    fn pairs_are_made_within_one_photograph() {
        let mut faces = vec![face("a0", Some("a"), 0), face("a1", Some("a"), 1)];
        faces[1].photo = "other".to_owned();
        let sets = || vec![set(Layout::Paired, faces.clone())];
        let table = BatchTable {
            labelled: 0,
            pairs: 1,
            unpaired: 0,
            ..small()
        };
        assert!(TrainingData::new(sets(), &classes(), &table).is_err());
    }
}
