//! The faces that a run does not learn from, but is watched by.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::hold_out::{held_out, shows_any};
use crate::data::{Dataset, Face, Layout, neutral};

/// The part of the data sets that a run is watched by.
pub struct HeldOut {
    /// The data sets, each with its held-out faces alone.
    pub sets: Vec<Dataset>,
    /// Who is shown in them.
    owners: BTreeSet<String>,
}

/// Cuts each set into what is trained on and what is held out by the rule of
/// [`crate::data::hold_out`].
pub fn hold_out(sets: Vec<Dataset>) -> (Vec<Dataset>, HeldOut) {
    let (mut train, mut apart) = (Vec::new(), Vec::new());
    let chosen: Vec<Vec<bool>> = sets.iter().map(|set| held_out(&set.faces)).collect();
    let owners: BTreeSet<String> = sets
        .iter()
        .zip(&chosen)
        .flat_map(|(set, chosen)| set.faces.iter().zip(chosen))
        .filter(|(_, is_chosen)| **is_chosen)
        .map(|(face, _)| face.owner().to_owned())
        .collect();
    for (mut set, chosen) in sets.into_iter().zip(chosen) {
        let (mut kept, mut out) = (Vec::new(), Vec::new());
        for (face, is_chosen) in std::mem::take(&mut set.faces).into_iter().zip(chosen) {
            let is_out = is_chosen || shows_any(&owners, &face);
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
    (train, HeldOut { sets, owners })
}

impl HeldOut {
    /// Takes the faces of held-out persons out of a further set.
    pub fn keep_out(&self, set: &mut Dataset) {
        set.faces.retain(|face| !self.owners.contains(face.owner()));
    }

    /// The faces whose labels persons judged, or all where there are none: a recipe's label says
    /// what was meant, not what is seen. Only clearly shown expressions count.
    pub fn judged(&self) -> Vec<&Face> {
        let of = |by_persons: bool| -> Vec<&Face> {
            self.sets
                .iter()
                .filter(|set| !by_persons || set.layout != Layout::Paired)
                .flat_map(|set| {
                    let neutral = neutral(&set.classes);
                    let faces = set.faces.iter();
                    faces.filter(move |face| face.class.is_some() && face.is_shown(neutral))
                })
                .filter(|face| !face.is_synthetic())
                .collect()
        };
        let judged = of(true);
        if judged.is_empty() { of(false) } else { judged }
    }

    /// Up to `count` faces to be redrawn: the calmest of each held-out person, else any.
    pub fn portraits(&self, count: usize) -> Vec<&Face> {
        let calm = |set: &Dataset, face: &Face| {
            face.class.is_some() && face.class == neutral(&set.classes)
        };
        let mut by_person = BTreeMap::<(usize, &str), &Face>::new();
        for (index, set) in self.sets.iter().enumerate() {
            for face in &set.faces {
                if let Some(subject) = &face.subject {
                    let chosen = by_person.entry((index, subject)).or_insert(face);
                    if calm(set, face) && !calm(set, chosen) {
                        *chosen = face;
                    }
                }
            }
        }
        if by_person.is_empty() {
            let faces = self.sets.iter().flat_map(|set| &set.faces);
            return faces.take(count).collect();
        }
        // Spread over all persons, since the first ones are all of one set.
        let persons: Vec<&Face> = by_person.into_values().collect();
        let step = persons.len().div_ceil(count.max(1)).max(1);
        persons.into_iter().step_by(step).take(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::made::{face, set};

    #[test]
    fn a_run_is_judged_by_what_persons_labelled_and_else_by_all_clear_faces() {
        let mut faces = vec![face("calm", Some("a"), 0), face("weak", Some("a"), 1)];
        faces[0].intensity = 0.0;
        faces[1].intensity = 0.5;
        let paired = set(Layout::Paired, faces);
        let judged = set(Layout::FerPlus, vec![face("f", None, 1)]);
        let names = |sets: &[&Dataset]| -> Vec<String> {
            let sets = sets.iter().map(|set| (*set).clone()).collect();
            let owners = BTreeSet::new();
            let faces = HeldOut { sets, owners };
            faces
                .judged()
                .iter()
                .map(|face| face.name.clone())
                .collect()
        };
        assert_eq!(names(&[&paired]), ["calm"]);
        assert_eq!(names(&[&paired, &judged]), ["f"]);
    }

    #[test]
    fn a_sheet_shows_the_calm_face_of_each_person() {
        let faces = vec![
            face("a1", Some("a"), 1),
            face("a0", Some("a"), 0),
            face("b1", Some("b"), 1),
        ];
        let held_out = HeldOut {
            sets: vec![set(Layout::Paired, faces)],
            owners: BTreeSet::new(),
        };
        let names = |count| -> Vec<String> {
            let portraits = held_out.portraits(count).into_iter();
            portraits.map(|face| face.name.clone()).collect()
        };
        assert_eq!(names(6), ["a0", "b1"]);
        assert_eq!(names(1), ["a0"]);
    }

    #[test]
    fn who_is_held_out_is_kept_out_of_further_sets() {
        let person = |i: usize| face(&format!("{i}"), Some(&format!("{i:02}")), i % 2);
        let (train, held_out) = hold_out(vec![set(Layout::Paired, (0..20).map(person).collect())]);
        assert_eq!(
            (train[0].faces.len(), held_out.sets[0].faces.len()),
            (18, 2)
        );
        let mut further = set(Layout::Paired, (0..20).rev().map(person).collect());
        held_out.keep_out(&mut further);
        assert_eq!(further.faces.len(), 18);
    }
}
