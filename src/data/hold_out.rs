//! Which faces of the training data are held out, to watch a run and to choose its weights.

use std::collections::{BTreeMap, BTreeSet};

use super::Face;

/// One subject in this many is held out.
const SUBJECTS_EVERY: usize = 10;

/// One face without a subject in this many is held out.
const FACES_EVERY: usize = 20;

/// The held-out subjects: of each source, in the order of their names, the first of every ten.
pub fn held_out_subjects(faces: &[Face]) -> BTreeSet<String> {
    let mut subjects: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for face in faces {
        if let Some(subject) = &face.subject {
            subjects.entry(&face.source).or_default().insert(subject);
        }
    }
    subjects
        .into_values()
        .flat_map(|names| names.into_iter().step_by(SUBJECTS_EVERY))
        .map(str::to_owned)
        .collect()
}

/// Whether each face is held out: those of the held-out subjects, and every twentieth of the faces
/// whose person is not known.
pub fn held_out(faces: &[Face]) -> Vec<bool> {
    let subjects = held_out_subjects(faces);
    let mut without_subject = 0;
    faces
        .iter()
        .map(|face| match &face.subject {
            Some(subject) => subjects.contains(subject),
            None => {
                without_subject += 1;
                (without_subject - 1) % FACES_EVERY == 0
            }
        })
        .collect()
}
