//! The training faces, sorted by what they are good for. Faces that share their subject make pairs;
//! the others have no partner.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::TrainError;
use super::config::BatchTable;
use crate::data::controls::CONTROLS;
use crate::data::{Dataset, Face, Layout, neutral};

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

/// All controls that one of the data sets states, in the order of [`CONTROLS`].
pub fn all_controls(sets: &[Dataset]) -> Vec<String> {
    let is_stated = |name: &str| {
        let mut own = sets.iter().flat_map(|set| &set.controls);
        own.any(|own| own == name)
    };
    let all = CONTROLS.iter().map(|name| (*name).to_owned());
    all.filter(|name| is_stated(name)).collect()
}

/// A face by its place in the sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    set: usize,
    face: usize,
}

/// Faces or subjects that are drawn with weights.
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

/// One subject's faces.
#[derive(Debug)]
pub struct Subject {
    /// The faces.
    pub faces: Vec<At>,
    /// Whether they lie pixel on pixel.
    pub pixel_aligned: bool,
}

/// The training faces in memory, sorted by what they are good for.
pub struct TrainingData {
    sets: Vec<Arc<Dataset>>,
    /// Faces for recognition: those whose labels people gave, or all where there are none.
    pub labelled: Pool<At>,
    /// Subjects with several expressions.
    pub people: Pool<Subject>,
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
    /// [`TrainError::NoFaces`] when a kind of face that `batch` asks for is not there.
    pub fn new<S: Into<Arc<Dataset>>>(
        sets: impl IntoIterator<Item = S>,
        classes: &[String],
        batch: &BatchTable,
    ) -> Result<Self, TrainError> {
        let sets: Vec<Arc<Dataset>> = sets.into_iter().map(Into::into).collect();
        let (people, unpaired) = pair_up(&sets);
        let mut data = Self {
            sets,
            labelled: Pool::empty(),
            people: Pool::empty(),
            unpaired: Pool::empty(),
            counts: vec![0; classes.len()],
            neutral: neutral(classes),
        };
        let labelled = data.recognisable();
        for at in &labelled {
            let class = data.face(*at).expression();
            data.counts[class] += 1;
        }
        data.labelled = data.balanced(labelled, batch.balance);
        data.unpaired = data.balanced(unpaired, batch.balance);
        data.people = data.weighted_people(people, batch.source_balance);
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
                "subjects with several expressions",
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

    /// Whether people gave the face its label, or networks that read a synthetic face as what it
    /// was to show: not a recipe alone.
    pub fn is_verified(&self, at: At) -> bool {
        self.sets[at.set].layout != Layout::Paired || self.face(at).is_synthetic()
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
            .filter(|at| self.face(*at).is_shown(self.neutral) && !self.face(*at).is_free())
            .collect();
        // Synthetic faces enlarge what is there; alone they would displace the photographs.
        let by_people = |at: &At| self.is_verified(*at) && !self.face(*at).is_synthetic();
        if !clear.iter().any(by_people) {
            return clear;
        }
        clear
            .into_iter()
            .filter(|at| self.is_verified(*at))
            .collect()
    }

    /// A pool in which rarer classes are drawn more often a face.
    fn balanced(&self, items: Vec<At>, exponent: f64) -> Pool<At> {
        let mut counts = vec![0_usize; self.counts.len()];
        for at in &items {
            counts[self.face(*at).expression()] += 1;
        }
        let weight = |at: &At| (1.0 / counts[self.face(*at).expression()] as f64).powf(exponent);
        let sums = running_sums(items.iter().map(weight));
        Pool { items, sums }
    }

    /// With an exponent of 0.5 each source weighs as the square root of its subjects, so that many
    /// one-picture subjects do not drown the well-lit portraits.
    fn weighted_people(&self, items: Vec<Subject>, exponent: f64) -> Pool<Subject> {
        let source = |subject: &Subject| {
            let at = subject.faces[0];
            (at.set, self.face(at).source.as_str())
        };
        let mut counts = BTreeMap::<(usize, &str), usize>::new();
        for subject in &items {
            *counts.entry(source(subject)).or_default() += 1;
        }
        let weight = |subject: &Subject| (1.0 / counts[&source(subject)] as f64).powf(exponent);
        let sums = running_sums(items.iter().map(weight));
        Pool { items, sums }
    }
}

fn places(sets: &[impl Borrow<Dataset>]) -> impl Iterator<Item = At> {
    sets.iter().enumerate().flat_map(|(set, dataset)| {
        let count = dataset.borrow().faces.len();
        (0..count).map(move |face| At { set, face })
    })
}

/// Subjects with at least two expressions in one photograph, and the faces of all others. Synthetic faces
/// are neither: a network learns nothing about drawing from what one like it drew.
fn pair_up(sets: &[impl Borrow<Dataset>]) -> (Vec<Subject>, Vec<At>) {
    let sets: Vec<&Dataset> = sets.iter().map(Borrow::borrow).collect();
    let mut by_subject = BTreeMap::<(usize, &str, &str), Vec<At>>::new();
    let mut unpaired = Vec::new();
    let photographs = places(&sets).filter(|at| !sets[at.set].faces[at.face].is_synthetic());
    for at in photographs {
        let face = &sets[at.set].faces[at.face];
        match &face.subject {
            Some(subject) => {
                let key = (at.set, subject.as_str(), face.photo.as_str());
                by_subject.entry(key).or_default().push(at);
            }
            None => unpaired.push(at),
        }
    }
    let mut people = Vec::new();
    for ((set, ..), faces) in by_subject {
        let shown = |at: &At| sets[set].faces[at.face].stated_expression();
        let first = faces.first().map(shown);
        if faces.iter().all(|at| Some(shown(at)) == first) {
            let has_class = |at: &At| !sets[set].faces[at.face].is_free();
            unpaired.extend(faces.into_iter().filter(has_class));
        } else {
            people.push(Subject {
                faces,
                pixel_aligned: sets[set].pixel_aligned,
            });
        }
    }
    (people, unpaired)
}

/// Whether any subject shows several expressions.
pub fn has_pairs(sets: &[impl Borrow<Dataset>]) -> bool {
    !pair_up(sets).0.is_empty()
}

fn running_sums(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::data::made::{classes, face, set};
    use crate::train::presets;

    pub fn table() -> BatchTable {
        let ship = presets::named("ship").expect("a preset");
        presets::read(ship, &[]).expect("numbers").batch
    }

    #[test]
    fn subjects_with_one_expression_have_no_partner() {
        let faces = vec![
            face("a0", Some("a"), 0),
            face("a1", Some("a"), 1),
            face("b0", Some("b"), 1),
            face("b1", Some("b"), 1),
            face("c", None, 0),
        ];
        let sets = vec![set(Layout::CkPlus, faces)];
        let data = TrainingData::new(sets, &classes(), &table()).expect("faces");
        assert_eq!(data.people.items.len(), 1);
        let alone: Vec<&str> = data
            .unpaired
            .items
            .iter()
            .map(|at| data.face(*at).name.as_str())
            .collect();
        assert_eq!(alone, ["c", "b0", "b1"]);
        assert_eq!(data.labelled.items.len(), 5);
    }

    #[test]
    fn labels_that_people_gave_come_before_those_of_recipes() {
        let paired = set(
            Layout::Paired,
            vec![face("p", Some("p"), 0), face("q", Some("p"), 1)],
        );
        let votes = set(Layout::FerPlus, vec![face("f", None, 1)]);
        let data = TrainingData::new(vec![paired, votes], &classes(), &table()).expect("faces");
        let names: Vec<&str> = data
            .labelled
            .items
            .iter()
            .map(|at| data.face(*at).name.as_str())
            .collect();
        assert_eq!(names, ["f"]);
    }

    #[test]
    fn synthetic_faces_join_recognition_and_make_no_pairs() {
        let drawn = |class| Face {
            source: crate::data::SYNTHETIC.to_owned(),
            ..face("drawn", Some("a"), class)
        };
        let synthetic = || set(Layout::Paired, vec![drawn(0), drawn(1)]);
        let photographs = vec![face("a0", Some("a"), 0), face("a1", Some("a"), 1)];
        for layout in [Layout::Paired, Layout::CkPlus] {
            let sets = vec![set(layout, photographs.clone()), synthetic()];
            let data = TrainingData::new(sets, &classes(), &table()).expect("faces");
            assert_eq!(data.labelled.items.len(), 4, "{layout}");
            assert_eq!(data.people.items.len(), 1, "{layout}");
            assert_eq!(data.unpaired.items.len(), 0, "{layout}");
        }
    }

    #[test]
    fn a_rare_class_weighs_more_by_the_exponent() {
        let faces = [0, 0, 0, 1].map(|class| face("f", None, class)).to_vec();
        let mut table = table();
        table.pairs = 0;
        let data = TrainingData::new(vec![set(Layout::FerPlus, faces)], &classes(), &table);
        let data = data.expect("faces");
        assert_eq!(data.class_weights(0.0), [1.0, 1.0]);
        // Two faces a class on average: 2 / 3 and 2 / 1.
        let weights = data.class_weights(1.0);
        assert!((weights[0] - 2.0 / 3.0).abs() < 1e-6 && (weights[1] - 2.0).abs() < 1e-6);
    }

    #[test]
    fn a_kind_of_face_that_is_missing_is_named() {
        let sets = vec![set(Layout::FerPlus, vec![face("f", None, 0)])];
        let error = TrainingData::new(sets, &classes(), &table()).err();
        let text = error.expect("no pairs").to_string();
        assert!(
            text.contains("several expressions") && text.contains("batch.pairs=0"),
            "{text}"
        );
    }
}
