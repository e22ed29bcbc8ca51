//! What others see in the faces that a network redraws.
//!
//! Neutral faces are redrawn with every expression. A reader that took no part in training says what
//! each shows; an embedding says whether it is still the same subject; and where the data has the
//! subject's photograph with that expression, the two are compared pixel by pixel. Each figure stands
//! beside what the same evaluator says of the data's own pictures and of the unchanged input.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;

use super::bootstrap::{Interval, Units, intervals};
use super::likeness::{self, EMBEDDED, Identity, Likeness, Pair};
use super::paired::{Nearness, Targets};
use super::predict::subject_of;
use super::reader::with_channels;
use super::{EvaluateError, InPhoto, Reader, in_photo, values};
use crate::answer::argmax;
use crate::data::expressions::canonical;
use crate::data::{CropRegion, Dataset, Face};
use crate::evaluator::{IdentityEvaluator, MaskedEvaluator};
use crate::network::{FACE_SIZE, InferenceNetwork};
use crate::pipeline::Pipeline;
use crate::tensor::planar_tensor;

/// Real faces that the evaluators look at together.
const BATCH: usize = 32;

/// Who looks at the redrawn faces, and at how many.
pub struct Evaluators<'a> {
    /// Who says what they show; not used in training.
    pub reader: &'a Reader,
    /// Who says whose faces they are, if anyone.
    pub identity: Option<&'a IdentityEvaluator>,
    /// Who says so by the upper face alone, if anyone.
    pub masked: Option<&'a MaskedEvaluator>,
    /// Neutral faces that are redrawn at most, picked evenly.
    pub limit: usize,
    /// Of these, faces on which each slider is drawn at most; 0 skips the sliders.
    pub sliders: usize,
    /// Real smiles of many subjects, against which redrawn ones are held; none: those of the data.
    pub mouths: Option<&'a Dataset>,
    /// Seed of the intervals.
    pub seed: u64,
}

/// What others see in the redrawn faces.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Synthesis {
    /// Who read them.
    pub reader: String,
    /// Faces that were redrawn, each with every expression.
    pub n: usize,
    /// Expression of the faces that were redrawn; none where the network has no neutral one and
    /// faces of all expressions were taken.
    pub from: Option<String>,
    /// Share of the redrawn faces that are read as the target, over the targets that the reader
    /// knows.
    pub recognised_as_target: f64,
    /// Its 95 % interval, over subjects or pictures.
    pub interval: Option<Interval>,
    /// The same share when the input is not redrawn at all.
    pub unchanged: f64,
    /// Share of the data's own pictures that the reader reads correctly: the ceiling. They are
    /// photographs in FER+, and mostly moved photographs in the open paired set.
    pub ceiling: f64,
    /// Number of those pictures.
    pub ceiling_n: usize,
    /// Whose faces they are.
    pub identity: Option<Identity>,
    /// How near they are to the subject's photographs.
    pub nearness: Option<Nearness>,
    /// The figures of each target, by its name.
    pub per_class: BTreeMap<String, Target>,
    /// What is measured in the redrawn photographs; none where the faces fill their pictures.
    pub in_photo: Option<InPhoto>,
}

/// What others see in the faces redrawn with one expression.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// Share that is read as the target; none where the reader does not know it.
    pub recognised_as_target: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<Interval>,
    /// Share of the unchanged inputs that are read as the target.
    pub unchanged: Option<f64>,
    /// The reader's recall on the data's own pictures that show it: the ceiling.
    pub ceiling: Option<f64>,
    /// Whose faces they are.
    pub identity: Option<Likeness>,
    /// How near they are to the subject's photographs.
    pub nearness: Option<Nearness>,
}

/// What was seen of one target, one entry a face.
#[derive(Default)]
struct Seen {
    read: Vec<bool>,
    unchanged: Vec<bool>,
    pairs: Vec<Pair>,
    nearness: Vec<Nearness>,
}

/// Redraws neutral faces of the data with every expression and has them looked at.
///
/// The data's classes have to be the network's, see [`Dataset::for_classes`]; `pipeline` has the same
/// weights.
///
/// # Errors
/// [`EvaluateError`] when the network cannot redraw, the reader knows none of its expressions, no
/// face can be redrawn or the device is lost.
pub fn synthesis(
    network: &InferenceNetwork,
    pipeline: &Pipeline,
    evaluators: &Evaluators<'_>,
    data: &Dataset,
    device: &Device,
) -> Result<Synthesis, EvaluateError> {
    let classes = &network.config().classes;
    if !network.config().synthesises() {
        return Err(EvaluateError::NoSynthesis);
    }
    if data.classes != *classes {
        return Err(EvaluateError::Classes);
    }
    let columns = evaluators.reader.columns(classes);
    let real = evaluators
        .reader
        .predict(&data.faces, classes, BATCH, device)?;
    let ceiling = super::recognition(&real, 1.0, evaluators.seed)?;
    let neutral = position_of(classes, "neutral");
    let is_source = |face: &Face| neutral.is_none() || face.class == neutral;
    let fit = data.faces.iter().filter(|face| is_source(face));
    let fit = fit.filter(|face| !likeness::is_further_photo(face));
    let sources = evenly(fit.collect(), evaluators.limit);
    if sources.is_empty() {
        return Err(EvaluateError::Empty("faces to redraw"));
    }
    let photos = Targets::of(data);
    let mut seen: Vec<Seen> = classes.iter().map(|_| Seen::default()).collect();
    for source in &sources {
        look(
            network, evaluators, &columns, source, &photos, &mut seen, device,
        )?;
    }
    let identity = match evaluators.identity {
        Some(evaluator) => identity(evaluator, &seen, data, is_source, device)?,
        None => None,
    };
    let subjects: Vec<_> = sources.iter().map(|face| subject_of(face)).collect();
    let units = Units::of(&subjects);
    let known = (0..classes.len()).filter(|target| columns[*target].is_some());
    let all =
        shares(&seen, known.collect(), &units, evaluators.seed).ok_or(EvaluateError::Reader)?;
    let per_class = classes.iter().enumerate().map(|(target, name)| {
        let shares = shares(&seen, vec![target], &units, evaluators.seed);
        let recall = columns[target].and_then(|column| ceiling.confusion.recall(column));
        (name.clone(), seen[target].figures(shares, recall))
    });
    let nearness: Vec<Nearness> = seen.iter().flat_map(|t| t.nearness.clone()).collect();
    Ok(Synthesis {
        reader: evaluators.reader.name(),
        n: sources.len(),
        from: neutral.map(|index| classes[index].clone()),
        recognised_as_target: all.read,
        interval: all.interval,
        unchanged: all.unchanged,
        ceiling: ceiling.accuracy,
        ceiling_n: ceiling.n,
        identity,
        nearness: Nearness::mean(&nearness),
        per_class: per_class.collect(),
        in_photo: in_photo(pipeline, evaluators, data, &sources, device)?,
    })
}

/// The class of an expression, by its name or a synonym.
pub(super) fn position_of(classes: &[String], expression: &str) -> Option<usize> {
    classes
        .iter()
        .position(|name| canonical(name) == Some(expression))
}

/// Likeness over all targets, beside that of real photographs.
fn identity(
    evaluator: &IdentityEvaluator,
    seen: &[Seen],
    data: &Dataset,
    first: impl Fn(&Face) -> bool,
    device: &Device,
) -> Result<Option<Identity>, EvaluateError> {
    let embed = |faces: &[&Face]| -> Result<Vec<Vec<f32>>, EvaluateError> {
        let cut = |face: &&Face| face.planes(FACE_SIZE);
        let pixels: Vec<f32> = faces.iter().flat_map(cut).collect();
        let x = planar_tensor(pixels, 3, FACE_SIZE, device); // [n, 3, 96, 96]
        Ok(evaluator.embed(x, EMBEDDED)?)
    };
    let second = likeness::is_further_photo;
    let (same_subject, different_subjects) =
        likeness::of_photos(&data.faces, first, second, Pair::of, embed)?;
    let pairs: Vec<Pair> = seen.iter().flat_map(|t| t.pairs.clone()).collect();
    Ok(Likeness::of(&pairs).map(|redrawn| Identity {
        redrawn,
        same_subject,
        different_subjects,
    }))
}

impl Seen {
    /// The target's figures; `shares` is none where the reader does not know it.
    fn figures(&self, shares: Option<Shares>, ceiling: Option<f64>) -> Target {
        Target {
            recognised_as_target: shares.map(|shares| shares.read),
            interval: shares.and_then(|shares| shares.interval),
            unchanged: shares.map(|shares| shares.unchanged),
            ceiling,
            identity: Likeness::of(&self.pairs),
            nearness: Nearness::mean(&self.nearness),
        }
    }
}

/// At most `limit` of the faces, at equal steps.
pub(super) fn evenly(faces: Vec<&Face>, limit: usize) -> Vec<&Face> {
    let (n, count) = (faces.len(), limit.min(faces.len()));
    (0..count).map(|i| faces[i * n / count]).collect()
}

/// Redraws one face with every expression and notes what the evaluators say.
fn look(
    network: &InferenceNetwork,
    evaluators: &Evaluators<'_>,
    columns: &[Option<usize>],
    source: &Face,
    photos: &Targets<'_>,
    seen: &mut [Seen],
    device: &Device,
) -> Result<(), EvaluateError> {
    let count = seen.len();
    let planes = source.planes(FACE_SIZE);
    let input = planar_tensor(planes.clone(), 3, FACE_SIZE, device); // [1, 3, 96, 96]
    let x = planar_tensor(planes, network.config().channels, FACE_SIZE, device); // [1, k, 96, 96]
    let targets = network.config().each_expression();
    let targets = targets.ok_or(EvaluateError::NoSynthesis)?.concat();
    let shape = [count, network.config().target_width()];
    let targets = Tensor::from_data(TensorData::new(targets, shape), device); // [E, E or K]
    let drawn = network
        .decode(&network.encode(x, false), targets)
        .ok_or(EvaluateError::NoSynthesis)?;
    let faces = with_channels(drawn.face.clamp(0.0, 1.0), 3); // [E, 3, 96, 96]
    let all = Tensor::cat(vec![input, faces.clone()], 0); // [1 + E, 3, 96, 96]
    let by_eyes = matches!(source.crop_region, CropRegion::Eyes(..));
    let read = evaluators.reader.read(all.clone(), by_eyes)?;
    let answers: Vec<usize> = read.iter().map(|p| argmax(p)).collect();
    let embedded = match evaluators.identity {
        Some(evaluator) => evaluator.embed(all, EMBEDDED)?,
        None => Vec::new(),
    };
    let pixels = values(faces)?;
    let redrawn = pixels.chunks_exact(3 * FACE_SIZE * FACE_SIZE);
    for (target, redrawn) in redrawn.enumerate() {
        let seen = &mut seen[target];
        if let Some(column) = columns[target] {
            seen.read.push(answers[1 + target] == column);
            seen.unchanged.push(answers[0] == column);
        }
        if let Some(embedding) = embedded.get(1 + target) {
            seen.pairs.push(Pair::of(&embedded[0], embedding));
        }
        seen.nearness
            .extend(photos.compare(source, target, redrawn));
    }
    Ok(())
}

/// Shares over some targets.
#[derive(Clone, Copy)]
struct Shares {
    read: f64,
    unchanged: f64,
    interval: Option<Interval>,
}

/// None where the reader knows none of the targets.
fn shares(seen: &[Seen], targets: Vec<usize>, units: &Units, seed: u64) -> Option<Shares> {
    let share = |faces: &[usize], of: fn(&Seen) -> &[bool]| {
        let hits = targets
            .iter()
            .flat_map(|t| faces.iter().map(|f| of(&seen[*t])[*f]));
        hits.filter(|hit| *hit).count() as f64 / (targets.len() * faces.len()).max(1) as f64
    };
    let read = |faces: &[usize]| share(faces, |seen| &seen.read);
    let all: Vec<usize> = (0..seen.get(*targets.first()?)?.read.len()).collect();
    if all.is_empty() {
        return None;
    }
    Some(Shares {
        read: read(&all),
        unchanged: share(&all, |seen| &seen.unchanged),
        interval: intervals(units, seed, |drawn| vec![read(drawn)])
            .into_iter()
            .next()
            .flatten(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_means_over_faces_and_known_targets() {
        let seen = [(vec![true, true, false, true]), (vec![false; 4])].map(|read| Seen {
            unchanged: vec![true, false, false, false],
            read,
            ..Default::default()
        });
        let units = Units::of(&[None, None, None, None]);
        let of = |targets| shares(&seen, targets, &units, 1);
        assert_eq!(
            of(vec![0]).map(|s| (s.read, s.unchanged)),
            Some((0.75, 0.25))
        );
        assert_eq!(of(vec![0, 1]).map(|s| s.read), Some(0.375));
        assert!(of(vec![]).is_none());
    }
}
