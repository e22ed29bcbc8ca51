//! Is a redrawn face still the same subject's? Distances of embeddings, beside those of real
//! photographs of one and of two subjects.

use std::collections::BTreeMap;

use serde::Serialize;

use super::EvaluateError;
use super::predict::subject_of;
use crate::data::Face;
use crate::evaluator::{SAME_IDENTITY_BELOW, SAME_MASKED_FROM, Square, cosine, distance};

/// The part of an aligned face that is embedded: dlib's own faces (padding 0.25) have the eyes
/// nearly where ours are.
pub(super) const EMBEDDED: Square = Square::WHOLE;

/// Real faces that are embedded together.
const BATCH: usize = 32;

/// How alike pairs of faces are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Likeness {
    /// Pairs of faces.
    pub n: usize,
    /// Mean cosine of their embeddings.
    pub cosine: f64,
    /// Mean euclidean distance of their embeddings.
    pub distance: f64,
    /// Share of pairs that the embedding's rule calls one subject: nearer than 0.6 for dlib's.
    #[serde(rename = "same_person")]
    pub same_identity: f64,
}

/// How alike faces are, redrawn and real.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Identity {
    /// A face and itself redrawn, over all targets.
    pub redrawn: Likeness,
    /// Two real photographs of one subject, where the data has them: the ceiling.
    #[serde(rename = "one_person")]
    pub same_subject: Option<Likeness>,
    /// Real photographs of two subjects: the floor.
    #[serde(rename = "two_persons")]
    pub different_subjects: Option<Likeness>,
}

/// Two faces' embeddings, compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    cosine: f32,
    distance: f32,
    is_same_identity: bool,
}

impl Pair {
    /// Embeddings of dlib's network, which goes by the distance.
    pub fn of(a: &[f32], b: &[f32]) -> Self {
        let distance = distance(a, b);
        Self {
            cosine: cosine(a, b),
            distance,
            is_same_identity: distance < SAME_IDENTITY_BELOW,
        }
    }

    /// Embeddings of the masked evaluator, which goes by the cosine.
    pub fn of_masked(a: &[f32], b: &[f32]) -> Self {
        let cosine = cosine(a, b);
        Self {
            cosine,
            distance: distance(a, b),
            is_same_identity: cosine >= SAME_MASKED_FROM,
        }
    }
}

impl Likeness {
    /// Means over pairs; none without pairs.
    pub(super) fn of(pairs: &[Pair]) -> Option<Self> {
        let n = pairs.len();
        let mean = |value: fn(&Pair) -> f64| pairs.iter().map(value).sum::<f64>() / n as f64;
        (n > 0).then(|| Self {
            n,
            cosine: mean(|pair| f64::from(pair.cosine)),
            distance: mean(|pair| f64::from(pair.distance)),
            same_identity: mean(|pair| f64::from(u8::from(pair.is_same_identity))),
        })
    }
}

/// Whether the face is a further photograph of its subject, not a moved copy of the first.
pub(super) fn is_further_photo(face: &Face) -> bool {
    face.groups
        .get("sample")
        .is_some_and(|sample| sample == "real")
}

/// How alike real photographs of one subject are, and those of a subject and the next one: of everyone of
/// whom the data has two. `first` and `second` pick a subject's photographs, `embed` embeds some faces.
pub(super) fn of_photos(
    faces: &[Face],
    first: impl Fn(&Face) -> bool,
    second: impl Fn(&Face) -> bool,
    pair: fn(&[f32], &[f32]) -> Pair,
    embed: impl Fn(&[&Face]) -> Result<Vec<Vec<f32>>, EvaluateError>,
) -> Result<(Option<Likeness>, Option<Likeness>), EvaluateError> {
    let mut subjects: BTreeMap<String, (Option<&Face>, Option<&Face>)> = BTreeMap::new();
    for face in faces {
        let Some(name) = subject_of(face) else {
            continue;
        };
        let photos = subjects.entry(name).or_default();
        if second(face) {
            photos.1.get_or_insert(face);
        } else if first(face) {
            photos.0.get_or_insert(face);
        }
    }
    let both = subjects.into_values().filter_map(|(a, b)| Some([a?, b?]));
    let photos: Vec<&Face> = both.flatten().collect();
    let mut embeddings = Vec::with_capacity(photos.len());
    for chunk in photos.chunks(BATCH) {
        embeddings.extend(embed(chunk)?);
    }
    let people: Vec<&[Vec<f32>]> = embeddings.chunks_exact(2).collect();
    let one: Vec<Pair> = people.iter().map(|p| pair(&p[0], &p[1])).collect();
    let next = people.iter().zip(people.iter().skip(1));
    let two: Vec<Pair> = next.map(|(a, b)| pair(&a[0], &b[1])).collect();
    Ok((Likeness::of(&one), Likeness::of(&two)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness_is_the_mean_over_pairs() {
        let pairs = [
            Pair::of(&[1.0, 0.0], &[1.0, 0.0]),
            Pair::of(&[1.0, 0.0], &[0.0, 1.0]),
        ];
        let likeness = Likeness::of(&pairs).expect("pairs");
        assert_eq!((likeness.n, likeness.cosine), (2, 0.5));
        assert!((likeness.distance - 0.5 * 2.0_f64.sqrt()).abs() < 1e-6);
        assert_eq!(likeness.same_identity, 0.5);
        assert_eq!(Likeness::of(&[]), None);
    }
}
