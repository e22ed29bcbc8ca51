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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Place;
    use crate::picture::Picture;

    fn face(subject: Option<&str>, source: &str) -> Face {
        Face {
            name: String::new(),
            subject: subject.map(str::to_owned),
            source: source.to_owned(),
            label: vec![1.0],
            class: Some(0),
            intensity: 1.0,
            groups: BTreeMap::new(),
            place: Place::Whole,
            picture: Picture::from(image::RgbImage::new(1, 1)),
            digest: String::new(),
        }
    }

    #[test]
    fn of_each_source_the_first_of_every_ten_subjects_is_held_out() {
        let mut faces = Vec::new();
        for i in (0..12).rev() {
            faces.push(face(Some(&format!("s{i:02}")), "london"));
            faces.push(face(Some(&format!("t{i:02}")), "canada"));
        }
        let names: Vec<String> = held_out_subjects(&faces).into_iter().collect();
        assert_eq!(names, ["s00", "s10", "t00", "t10"]);
    }

    #[test]
    fn all_faces_of_a_held_out_subject_are_held_out() {
        let faces = ["a", "b", "a"].map(|name| face(Some(name), ""));
        assert_eq!(held_out(&faces), [true, false, true]);
    }

    #[test]
    fn every_twentieth_face_without_a_subject_is_held_out() {
        let faces = vec![face(None, ""); 41];
        let held_out = held_out(&faces);
        let places: Vec<usize> = (0..41).filter(|i| held_out[*i]).collect();
        assert_eq!(places, [0, 20, 40]);
    }
}
