//! The data sets of a run: what is held out, and what the rest is good for. Faces that share their
//! subject make pairs; the others have no partner.

use std::collections::BTreeMap;

use super::TrainError;
use super::config::BatchTable;
use crate::answer::largest;
use crate::data::hold_out::held_out;
use crate::data::{Dataset, Face, Layout};

/// From this intensity on, an expression counts as shown: as a label and as a target.
pub const SHOWN: f32 = 0.8;

/// Name of the calm face's class, where a data set has one.
const NEUTRAL: &str = "neutral";

/// The part of the data sets that a run is watched by.
pub struct HeldOut {
    /// The data sets, each with its held-out faces alone.
    pub sets: Vec<Dataset>,
}

/// Cuts each set into what is trained on and what is held out by the rule of
/// [`crate::data::hold_out`].
pub fn hold_out(sets: Vec<Dataset>) -> (Vec<Dataset>, HeldOut) {
    let (mut train, mut apart) = (Vec::new(), Vec::new());
    for mut set in sets {
        let is_held_out = held_out(&set.faces);
        let (mut kept, mut out) = (Vec::new(), Vec::new());
        for (face, is_out) in std::mem::take(&mut set.faces).into_iter().zip(is_held_out) {
            let part = if is_out { &mut out } else { &mut kept };
            part.push(face);
        }
        apart.push(Dataset {
            faces: out,
            ..set.clone()
        });
        train.push(Dataset { faces: kept, ..set });
    }
    (train, HeldOut { sets: apart })
}

impl HeldOut {
    /// The faces whose labels persons judged, or all where there are none: a recipe's label says
    /// what was meant, not what is seen. Only clearly shown expressions count.
    pub fn judged(&self) -> Vec<&Face> {
        let of = |by_persons: bool| -> Vec<&Face> {
            self.sets
                .iter()
                .filter(|set| !by_persons || set.layout != Layout::Paired)
                .flat_map(|set| &set.faces)
                .filter(|face| face.class.is_some() && face.intensity >= SHOWN)
                .collect()
        };
        let judged = of(true);
        if judged.is_empty() { of(false) } else { judged }
    }
}

/// All expressions of the data sets: those of the first, then what others add.
pub fn all_classes(sets: &[Dataset]) -> Vec<String> {
    let mut classes: Vec<String> = Vec::new();
    for class in sets.iter().flat_map(|set| &set.classes) {
        if !classes.contains(class) {
            classes.push(class.clone());
        }
    }
    classes
}

/// A face by its place in the sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    set: usize,
    face: usize,
}

/// Faces or persons that are drawn with weights.
#[derive(Debug)]
pub struct Pool<T> {
    /// What is drawn.
    pub items: Vec<T>,
    /// Running sums of the weights.
    pub sums: Vec<f64>,
}

impl<T> Pool<T> {
    fn empty() -> Self {
        Self {
            items: Vec::new(),
            sums: Vec::new(),
        }
    }
}

/// One person's faces.
#[derive(Debug)]
pub struct Person {
    /// The faces.
    pub faces: Vec<At>,
    /// Whether they lie pixel on pixel.
    pub pixel_aligned: bool,
}

/// The training faces in memory, sorted by what they are good for.
pub struct TrainingData {
    sets: Vec<Dataset>,
    /// Faces for recognition: those whose labels persons judged, or all where there are none.
    pub labelled: Pool<At>,
    /// Persons with several expressions.
    pub people: Pool<Person>,
    /// Faces without a partner.
    pub unpaired: Pool<At>,
    /// Faces by class among those for recognition.
    counts: Vec<usize>,
    /// Index of the neutral class.
    pub neutral: Option<usize>,
}

impl TrainingData {
    /// Sorts the faces of sets whose labels are over the same `classes`.
    ///
    /// # Errors
    /// [`TrainError::Empty`] when a kind of face that `batch` asks for is not there.
    pub fn new(
        sets: Vec<Dataset>,
        classes: &[String],
        batch: &BatchTable,
    ) -> Result<Self, TrainError> {
        let (people, unpaired) = pair_up(&sets);
        let mut data = Self {
            sets,
            labelled: Pool::empty(),
            people: Pool::empty(),
            unpaired: Pool::empty(),
            counts: vec![0; classes.len()],
            neutral: classes.iter().position(|name| name == NEUTRAL),
        };
        let labelled = data.recognisable();
        for at in &labelled {
            let class = expression(data.face(*at));
            data.counts[class] += 1;
        }
        data.labelled = data.balanced(labelled, batch.balance);
        data.unpaired = data.balanced(unpaired, batch.balance);
        data.people = data.weighted_people(people);
        let (faces, people, alone) = (
            data.labelled.items.len(),
            data.people.items.len(),
            data.unpaired.items.len(),
        );
        for (count, found, what, key) in [
            (batch.labelled, faces, "labelled faces", "labelled"),
            (
                batch.pairs,
                people,
                "persons with several expressions",
                "pairs",
            ),
            (batch.unpaired, alone, "faces without a partner", "unpaired"),
        ] {
            if count > 0 && found == 0 {
                return Err(TrainError::NoFaces { what, key });
            }
        }
        Ok(data)
    }

    /// Number of training faces.
    pub fn len(&self) -> usize {
        self.sets.iter().map(|set| set.faces.len()).sum()
    }

    /// Whether there are no faces.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The face at a place.
    pub fn face(&self, at: At) -> &Face {
        &self.sets[at.set].faces[at.face]
    }

    /// Whether persons judged the labels of the face's set.
    pub fn is_judged(&self, at: At) -> bool {
        self.sets[at.set].layout != Layout::Paired
    }

    /// Weight of each class in the cross-entropy: (mean count / its count) ^ `exponent`.
    pub fn class_weights(&self, exponent: f64) -> Vec<f32> {
        let seen: Vec<f64> = self
            .counts
            .iter()
            .filter(|count| **count > 0)
            .map(|count| *count as f64)
            .collect();
        let mean = seen.iter().sum::<f64>() / seen.len().max(1) as f64;
        let weight = |count: usize| {
            if count == 0 {
                1.0
            } else {
                (mean / count as f64).powf(exponent)
            }
        };
        self.counts
            .iter()
            .map(|count| weight(*count) as f32)
            .collect()
    }

    fn recognisable(&self) -> Vec<At> {
        let clear: Vec<At> = places(&self.sets)
            .filter(|at| self.face(*at).intensity >= SHOWN)
            .collect();
        let judged: Vec<At> = clear
            .iter()
            .copied()
            .filter(|at| self.is_judged(*at))
            .collect();
        if judged.is_empty() { clear } else { judged }
    }

    /// A pool in which rarer classes are drawn more often a face.
    fn balanced(&self, items: Vec<At>, exponent: f64) -> Pool<At> {
        let mut counts = vec![0_usize; self.counts.len()];
        for at in &items {
            counts[expression(self.face(*at))] += 1;
        }
        let weight = |at: &At| (1.0 / counts[expression(self.face(*at))] as f64).powf(exponent);
        let sums = running_sums(items.iter().map(weight));
        Pool { items, sums }
    }

    /// Each source weighs as the square root of its persons, so that many one-picture persons do
    /// not drown the well-lit portraits.
    fn weighted_people(&self, items: Vec<Person>) -> Pool<Person> {
        let source = |person: &Person| {
            let at = person.faces[0];
            (at.set, self.face(at).source.as_str())
        };
        let mut counts = BTreeMap::<(usize, &str), usize>::new();
        for person in &items {
            *counts.entry(source(person)).or_default() += 1;
        }
        let weight = |person: &Person| (1.0 / counts[&source(person)] as f64).sqrt();
        let sums = running_sums(items.iter().map(weight));
        Pool { items, sums }
    }
}

/// The expression that a face is taken to show: its class, else the most voted.
pub fn expression(face: &Face) -> usize {
    face.class.unwrap_or_else(|| largest(&face.label))
}

fn places(sets: &[Dataset]) -> impl Iterator<Item = At> {
    sets.iter()
        .enumerate()
        .flat_map(|(set, dataset)| (0..dataset.faces.len()).map(move |face| At { set, face }))
}

/// Persons with at least two expressions, and the faces of all others.
fn pair_up(sets: &[Dataset]) -> (Vec<Person>, Vec<At>) {
    let mut by_subject = BTreeMap::<(usize, &str), Vec<At>>::new();
    let mut unpaired = Vec::new();
    for at in places(sets) {
        match &sets[at.set].faces[at.face].subject {
            Some(subject) => by_subject.entry((at.set, subject)).or_default().push(at),
            None => unpaired.push(at),
        }
    }
    let mut people = Vec::new();
    for ((set, _), faces) in by_subject {
        let shown = |at: &At| expression(&sets[set].faces[at.face]);
        let first = faces.first().map(shown);
        if faces.iter().all(|at| Some(shown(at)) == first) {
            unpaired.extend(faces);
        } else {
            people.push(Person {
                faces,
                pixel_aligned: sets[set].pixel_aligned,
            });
        }
    }
    (people, unpaired)
}

fn running_sums(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}
