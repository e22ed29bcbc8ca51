//! The validation split: which faces of the training data a run does not learn from, but is measured by.
//!
//! No synthetic face is in it, but one whose subject is in it may not be
//! learnt from either; see [`shows_any`].

use std::collections::{BTreeMap, BTreeSet};

use super::Face;

/// One subject in this many is in it.
pub const SUBJECTS_EVERY: usize = 10;

/// One face without a subject in this many is in it.
const FACES_EVERY: usize = 20;

/// The validation subjects: of each source, in the order of their names, the first of every ten.
pub fn validation_subjects(faces: &[Face]) -> BTreeSet<String> {
    subjects_at(faces, 0, SUBJECTS_EVERY)
}

/// The subjects at `position`, `position + every`, ... of each source, in the order of their
/// names; none when `every` is 0. The validation subjects are at position 0 of every ten.
pub fn subjects_at(faces: &[Face], position: usize, every: usize) -> BTreeSet<String> {
    let mut subjects: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for face in faces.iter().filter(|face| !face.is_synthetic()) {
        if let Some(subject) = &face.subject {
            subjects.entry(&face.source).or_default().insert(subject);
        }
    }
    subjects
        .into_values()
        .flat_map(|names| names.into_iter().skip(position).step_by(every.max(1)))
        .filter(|_| every > position)
        .map(str::to_owned)
        .collect()
}

/// Whether each face is in the split: those of the validation subjects, and every twentieth of the faces
/// whose subject is not known.
pub fn is_validation(faces: &[Face]) -> Vec<bool> {
    let subjects = validation_subjects(faces);
    let mut without_subject = 0;
    faces
        .iter()
        .map(|face| match &face.subject {
            _ if face.is_synthetic() => false,
            Some(subject) => subjects.contains(subject),
            None => {
                without_subject += 1;
                (without_subject - 1) % FACES_EVERY == 0
            }
        })
        .collect()
}

/// Whether a synthetic face shows one of these subjects (or was drawn from one of these pictures).
pub fn shows_any(identities: &BTreeSet<String>, face: &Face) -> bool {
    face.is_synthetic() && identities.contains(face.identity())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::made;

    fn face(source: &str, subject: Option<String>) -> Face {
        Face {
            source: source.to_owned(),
            ..made::face("", subject.as_deref(), 0)
        }
    }

    /// Two faces each of twelve subjects of one source, and one subject of another, last names first.
    fn faces() -> Vec<Face> {
        let subject = |i: usize| face("a", Some(format!("a{:02}", i % 12)));
        let mut faces: Vec<Face> = (0..24).rev().map(subject).collect();
        faces.push(face("b", Some("b".to_owned())));
        faces
    }

    fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
        names.map(str::to_owned).into()
    }

    #[test]
    fn the_first_of_every_ten_subjects_of_each_source_is_in_the_split_with_all_faces() {
        assert_eq!(validation_subjects(&faces()), names(["a00", "a10", "b"]));
        let out = is_validation(&faces());
        assert_eq!(out.into_iter().filter(|out| *out).count(), 5);
    }

    #[test]
    fn other_positions_give_other_subjects() {
        assert_eq!(subjects_at(&faces(), 1, 5), names(["a01", "a06", "a11"]));
        assert!(subjects_at(&faces(), 0, 0).is_empty());
        assert!(subjects_at(&faces(), 5, 5).is_empty());
    }

    #[test]
    fn synthetic_faces_follow_their_subjects() {
        let of = |source| face(source, Some("a".to_owned()));
        let faces = [of(""), of(crate::data::SYNTHETIC)];
        assert_eq!(is_validation(&faces), [true, false]);
        let identities = names(["a"]);
        assert!(!shows_any(&identities, &faces[0]) && shows_any(&identities, &faces[1]));
    }
}
