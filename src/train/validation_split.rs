//! The validation split of a run: faces that it does not learn from, but is measured by.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::validation_split::{is_validation, shows_any};
use crate::data::{Dataset, Face, Layout, neutral};

/// The validation split of a run.
pub struct ValidationSplit {
    /// The data sets, each with its validation faces alone.
    pub sets: Vec<Dataset>,
    /// Who is shown in them.
    identities: BTreeSet<String>,
}

/// Cuts each set into what is trained on and the validation split by the rule of
/// [`crate::data::validation_split`].
pub fn split_off(sets: Vec<Dataset>) -> (Vec<Dataset>, ValidationSplit) {
    let (mut train, mut apart) = (Vec::new(), Vec::new());
    let chosen: Vec<Vec<bool>> = sets.iter().map(|set| is_validation(&set.faces)).collect();
    let identities: BTreeSet<String> = sets
        .iter()
        .zip(&chosen)
        .flat_map(|(set, chosen)| set.faces.iter().zip(chosen))
        .filter(|(_, is_chosen)| **is_chosen)
        .map(|(face, _)| face.identity().to_owned())
        .collect();
    for (mut set, chosen) in sets.into_iter().zip(chosen) {
        let (mut kept, mut out) = (Vec::new(), Vec::new());
        for (face, is_chosen) in std::mem::take(&mut set.faces).into_iter().zip(chosen) {
            let is_out = is_chosen || shows_any(&identities, &face);
            let part = if is_out { &mut out } else { &mut kept };
            part.push(face);
        }
        apart.push(Dataset {
            faces: out,
            ..set.clone()
        });
        train.push(Dataset { faces: kept, ..set });
    }
    let sets = apart;
    (train, ValidationSplit { sets, identities })
}

impl ValidationSplit {
    /// Takes the faces of validation subjects out of a further set.
    pub fn keep_out(&self, set: &mut Dataset) {
        set.faces
            .retain(|face| !self.identities.contains(face.identity()));
    }

    /// The faces whose labels people gave, or all where there are none: a recipe's label says
    /// what was meant, not what is seen. Only clearly shown expressions count.
    pub fn measured(&self) -> Vec<&Face> {
        let of = |by_people: bool| -> Vec<&Face> {
            self.sets
                .iter()
                .filter(|set| !by_people || set.layout != Layout::Paired)
                .flat_map(|set| {
                    let neutral = neutral(&set.classes);
                    let faces = set.faces.iter();
                    faces.filter(move |face| face.class.is_some() && face.is_shown(neutral))
                })
                .filter(|face| !face.is_synthetic())
                .collect()
        };
        let labelled = of(true);
        if labelled.is_empty() {
            of(false)
        } else {
            labelled
        }
    }

    /// Up to `count` faces to be redrawn: the calmest of each validation subject, else any.
    pub fn portraits(&self, count: usize) -> Vec<&Face> {
        let calm = |set: &Dataset, face: &Face| {
            face.class.is_some() && face.class == neutral(&set.classes)
        };
        let mut by_subject = BTreeMap::<(usize, &str), &Face>::new();
        for (index, set) in self.sets.iter().enumerate() {
            for face in &set.faces {
                if let Some(subject) = &face.subject {
                    let chosen = by_subject.entry((index, subject)).or_insert(face);
                    if calm(set, face) && !calm(set, chosen) {
                        *chosen = face;
                    }
                }
            }
        }
        if by_subject.is_empty() {
            let faces = self.sets.iter().flat_map(|set| &set.faces);
            return faces.take(count).collect();
        }
        // Spread over all subjects, since the first ones are all of one set.
        let subjects: Vec<&Face> = by_subject.into_values().collect();
        let step = subjects.len().div_ceil(count.max(1)).max(1);
        subjects.into_iter().step_by(step).take(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::made::{face, set};

    #[test]
    fn a_run_is_measured_by_what_people_labelled_and_else_by_all_clear_faces() {
        let mut faces = vec![face("calm", Some("a"), 0), face("weak", Some("a"), 1)];
        faces[0].intensity = 0.0;
        faces[1].intensity = 0.5;
        let paired = set(Layout::Paired, faces);
        let labelled = set(Layout::FerPlus, vec![face("f", None, 1)]);
        let names = |sets: &[&Dataset]| -> Vec<String> {
            let sets = sets.iter().map(|set| (*set).clone()).collect();
            let identities = BTreeSet::new();
            let faces = ValidationSplit { sets, identities };
            faces
                .measured()
                .iter()
                .map(|face| face.name.clone())
                .collect()
        };
        assert_eq!(names(&[&paired]), ["calm"]);
        assert_eq!(names(&[&paired, &labelled]), ["f"]);
    }

    #[test]
    fn a_sheet_shows_the_calm_face_of_each_subject() {
        let faces = vec![
            face("a1", Some("a"), 1),
            face("a0", Some("a"), 0),
            face("b1", Some("b"), 1),
        ];
        let validation = ValidationSplit {
            sets: vec![set(Layout::Paired, faces)],
            identities: BTreeSet::new(),
        };
        let names = |count| -> Vec<String> {
            let portraits = validation.portraits(count).into_iter();
            portraits.map(|face| face.name.clone()).collect()
        };
        assert_eq!(names(6), ["a0", "b1"]);
        assert_eq!(names(1), ["a0"]);
    }

    #[test]
    fn subjects_of_the_validation_split_are_kept_out_of_further_sets() {
        let subject = |i: usize| face(&format!("{i}"), Some(&format!("{i:02}")), i % 2);
        let (train, validation) =
            split_off(vec![set(Layout::Paired, (0..20).map(subject).collect())]);
        assert_eq!(
            (train[0].faces.len(), validation.sets[0].faces.len()),
            (18, 2)
        );
        let mut further = set(Layout::Paired, (0..20).rev().map(subject).collect());
        validation.keep_out(&mut further);
        assert_eq!(further.faces.len(), 18);
    }
}
