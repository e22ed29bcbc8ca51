//! What is measured in redrawn photographs, at the photo's own resolution: mouths, tears, subjects, sliders.
//!
//! Neutral faces are redrawn with every expression and real smiles as neutral, each in its picture. Every
//! figure stands beside what the same rule says of the photographs themselves.

use burn::tensor::Device;
use serde::Serialize;

use super::kid::Kid;
use super::likeness::{self, EMBEDDED, Identity, Likeness, Pair, is_further_photo};
use super::look::{Look, Looker, Wish};
use super::mouth::Mouth;
use super::mouths::mouths;
use super::redrawn::{Portrait, SIDE, Studio, batch};
use super::rules::{Figures, Rule, Share, Sharpness, units};
use super::sliders::{Sliders, sliders};
use super::synthesis::{evenly, position_of};
use super::tears::Tears;
use super::{EvaluateError, Evaluators};
use crate::data::{CropRegion, Dataset, Face};
use crate::evaluator::MaskedEvaluator;
use crate::pipeline::Pipeline;

/// What is measured in redrawn photographs, on faces cut at 256 pixels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InPhoto {
    /// Neutral faces that were redrawn.
    pub n: usize,
    /// Real smiles that were redrawn as neutral.
    pub smiles_n: usize,
    /// Redrawn faces that the reader reads as the target, over the targets that it knows.
    pub recognised_as_target: Option<Share>,
    /// How sharp redrawn smiling mouths are against real smiles of the same subjects.
    pub sharpness: Option<Sharpness>,
    /// Smiles that show teeth.
    pub teeth_asked: Option<Rule>,
    /// Faces that show none, of those that are to show none or few.
    pub teeth_not_asked: Option<Rule>,
    /// Surprised faces with an open mouth.
    pub jaw_opens: Option<Rule>,
    /// Real smiles whose lips come together and are no longer wide when they are redrawn as neutral; of
    /// those that do not meet this as they are.
    pub smile_closes: Option<Rule>,
    /// How much is torn.
    pub tears: Option<Tears>,
    /// Whose faces they are.
    pub identity: Option<Identity>,
    /// Whose faces they are by the upper face alone, as another maker's embedding sees it.
    pub upper_face: Option<Identity>,
    /// Whether redrawn smiling mouths can be told from real ones.
    pub mouths: Option<Kid>,
    /// What each slider moves; none for networks without controls.
    pub sliders: Option<Sliders>,
}

/// Redraws faces in their photographs and measures them; none where no face's eyes are known.
pub(super) fn in_photo(
    pipeline: &Pipeline,
    evaluators: &Evaluators<'_>,
    data: &Dataset,
    sources: &[&Face],
    device: &Device,
) -> Result<Option<InPhoto>, EvaluateError> {
    let has_eyes = |face: &&Face| matches!(face.crop_region, CropRegion::Eyes(..));
    let sources: Vec<&Face> = sources.iter().copied().filter(has_eyes).collect();
    if sources.is_empty() {
        return Ok(None);
    }
    let studio = Studio::new(pipeline)?;
    let looker = Looker::new(&studio, evaluators, device);
    let smiles = looker.smiles(&evenly(real_smiles(data), evaluators.limit))?;
    let looks = sources.iter().map(|face| looker.look(face));
    let looks = looks.collect::<Result<Vec<Look>, _>>()?;
    let on_sliders = evenly(sources.clone(), evaluators.sliders);
    let (identity, upper_face) = subjects(&studio, evaluators, data, &looks, device)?;
    let figures = Figures {
        units: units(looks.iter().map(|look| &look.subject)),
        wishes: looker.wishes(),
        looks: &looks,
        smiles: &smiles,
        seed: evaluators.seed,
    };
    Ok(Some(InPhoto {
        n: looks.len(),
        smiles_n: smiles.len(),
        recognised_as_target: figures.recognised_as_target(),
        sharpness: figures.sharpness(),
        teeth_asked: figures.teeth_asked(),
        teeth_not_asked: figures.rule(Wish::NoTeeth, |m| !m.shows_teeth(), |m| m.teeth_share, None),
        jaw_opens: figures.rule(Wish::OpenJaw, Mouth::is_open, |m| m.opening, None),
        smile_closes: figures.smile_closes(),
        tears: figures.tears(),
        identity,
        upper_face,
        mouths: match evaluators.mouths {
            Some(real) => mouths(&looker, &sources, real, evaluators.seed)?,
            None => figures.mouths(),
        },
        sliders: sliders(&studio, &on_sliders)?,
    }))
}

/// Photographs of smiles that nobody drew, with known eyes.
pub(super) fn real_smiles(data: &Dataset) -> Vec<&Face> {
    let happy = position_of(&data.classes, "happiness");
    let smiles = data.faces.iter().filter(|face| {
        happy.is_some() && face.class == happy && matches!(face.crop_region, CropRegion::Eyes(..))
    });
    smiles.filter(|face| is_photo(face, data)).collect()
}

/// Whether a smile is a photograph: as its mouth is marked; where none is, a paired set's further ones are, and
/// all of a set whose pictures are no moved copies of one another.
fn is_photo(face: &Face, data: &Dataset) -> bool {
    !face.is_synthetic()
        && match &face.cavity {
            Some(cavity) => !cavity.is_drawn,
            None => is_further_photo(face) || !data.pixel_aligned,
        }
}

/// Both embeddings over all targets, beside those of real photographs.
fn subjects(
    studio: &Studio<'_>,
    evaluators: &Evaluators<'_>,
    data: &Dataset,
    looks: &[Look],
    device: &Device,
) -> Result<(Option<Identity>, Option<Identity>), EvaluateError> {
    let neutral = position_of(&data.classes, "neutral");
    let first = |face: &Face| face.class == neutral && !is_further_photo(face);
    let smiles = position_of(&data.classes, "happiness");
    let second = |face: &Face| smiles.is_some() && face.class == smiles && is_photo(face, data);
    let cut = |faces: &[&Face]| -> Result<Vec<Portrait>, EvaluateError> {
        faces.iter().map(|face| studio.as_it_is(face)).collect()
    };
    let identity = |photos: (Option<Likeness>, Option<Likeness>), of: fn(&Look) -> &Vec<Pair>| {
        let pairs: Vec<Pair> = looks.iter().flat_map(of).copied().collect();
        Likeness::of(&pairs).map(|redrawn| Identity {
            redrawn,
            same_subject: photos.0,
            different_subjects: photos.1,
        })
    };
    let whole = match evaluators.identity {
        Some(evaluator) => {
            let embed = |faces: &[&Face]| -> Result<Vec<Vec<f32>>, EvaluateError> {
                let x = batch(cut(faces)?.iter().map(|one| &one.face), SIDE, device);
                Ok(evaluator.embed(x, EMBEDDED)?)
            };
            let photos = likeness::of_photos(&data.faces, first, second, Pair::of, embed)?;
            identity(photos, |look| &look.pairs)
        }
        None => None,
    };
    let upper = match evaluators.masked {
        Some(evaluator) => {
            let embed = |faces: &[&Face]| -> Result<Vec<Vec<f32>>, EvaluateError> {
                let x = batch(
                    cut(faces)?.iter().map(|one| &one.upper),
                    MaskedEvaluator::INPUT,
                    device,
                );
                Ok(evaluator.embed(x)?)
            };
            let photos = likeness::of_photos(&data.faces, first, second, Pair::of_masked, embed)?;
            identity(photos, |look| &look.upper)
        }
        None => None,
    };
    Ok((whole, upper))
}

#[cfg(test)]
mod tests {

    use image::{Rgb, RgbImage};

    use super::*;
    use crate::data::controls::expression_presets;
    use crate::data::{Layout, made};
    use crate::evaluate::Reader;
    use crate::face::Point;
    use crate::network::{Edition, Head, Network, NetworkConfig, Variant, weights};

    /// A drawn face of 120 pixels.
    fn face(subject: usize, class: usize, is_real: bool) -> Face {
        let mouth = 80 + 2 * subject as u32;
        let picture = RgbImage::from_fn(120, 120, |x, y| {
            let is_mouth = (45..75).contains(&x) && (mouth..mouth + 6).contains(&y);
            let is_eye = y.abs_diff(48) < 4 && (x.abs_diff(40) < 6 || x.abs_diff(80) < 6);
            Rgb(if is_mouth || is_eye {
                [60, 30, 30]
            } else {
                [190, 140, 110]
            })
        });
        let sample = [("sample".to_owned(), "real".to_owned())];
        let (name, subject) = (format!("{subject}/{class}"), format!("{subject}"));
        Face {
            source: "made".to_owned(),
            groups: sample.into_iter().filter(|_| is_real).collect(),
            crop_region: CropRegion::Eyes(Point::new(80.0, 48.0), Point::new(40.0, 48.0)),
            picture: picture.into(),
            ..made::face(&name, Some(&subject), class)
        }
    }

    fn data() -> Dataset {
        let subjects = 0..4;
        Dataset {
            root: "made".into(),
            layout: Layout::Paired,
            classes: ["neutral", "happiness", "surprise"]
                .map(str::to_owned)
                .to_vec(),
            controls: vec![],
            pixel_aligned: true,
            faces: subjects
                .flat_map(|i| [face(i, 0, false), face(i, 1, true)])
                .collect(),
            skipped: vec![],
        }
    }

    #[test]
    fn a_network_with_controls_gets_every_figure() {
        let (device, data) = (Device::flex(), data());
        let classes = ["neutral", "happiness", "surprise"];
        let mut config = NetworkConfig::new(Edition::Release2021, Variant::Fersnet, 4, 3, &classes)
            .with_head(Head::Blend)
            .with_controls(&["jawOpen", "mouthSmileLeft"]);
        config.presets = expression_presets(&config.controls);
        config
            .presets
            .retain(|name, _| classes.contains(&name.as_str()));
        let network = Network::new(config, &device).expect("a network");
        let bytes = weights::save(&network, weights::Precision::Full).expect("bytes");
        let pipeline = Pipeline::new(&bytes, device.clone()).expect("a pipeline");
        let evaluators = Evaluators {
            reader: &Reader::embedded(&device).expect("the embedded evaluator"),
            identity: None,
            masked: None,
            limit: 4,
            sliders: 2,
            mouths: None,
            seed: 1,
        };
        let sources: Vec<&Face> = data.faces.iter().step_by(2).collect();
        let found = in_photo(&pipeline, &evaluators, &data, &sources, &device);
        let found = found.expect("runs").expect("figures");
        assert_eq!((found.n, found.smiles_n), (4, 4));
        assert_eq!(found.sharpness.expect("pairs").n, 4);
        // Three expressions on four faces.
        assert_eq!(found.tears.expect("a flow").n, 12);
        assert_eq!(
            found.mouths.as_ref().map(|k| (k.redrawn_n, k.real_n)),
            Some((4, 4))
        );
        let among = Evaluators {
            mouths: Some(&data),
            ..evaluators
        };
        let found_among = in_photo(&pipeline, &among, &data, &sources, &device);
        let kid = found_among.expect("runs").expect("figures").mouths;
        assert_eq!(kid.map(|k| (k.redrawn_n, k.real_n)), Some((36, 4)));
        let sliders = found.sliders.as_ref().expect("controls");
        assert_eq!((sliders.n, sliders.per_control.len()), (2, 2));
        assert!(
            found.rows().iter().all(|row| !row[1].contains("NaN")),
            "{:?}",
            found.rows()
        );
    }
}
