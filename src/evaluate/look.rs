//! One face, redrawn in its photograph with everything that is asked: what its mouths show, what is torn,
//! whose face it still is.

use burn::tensor::Device;

use super::kid::features;
use super::likeness::{EMBEDDED, Pair};
use super::mouth::{self, Mouth};
use super::predict::subject_of;
use super::redrawn::{Portrait, Redrawing, SIDE, Studio, batch};
use super::tears::Folds;
use super::{EvaluateError, Evaluators};
use crate::answer::argmax;
use crate::data::Face;
use crate::data::expressions::canonical;
use crate::evaluator::MaskedEvaluator;
use crate::network::{FACE_SIZE, NetworkConfig, TEETH};
use crate::target::Target;

/// A target that states no more than this share of teeth is to show none.
const FEW_TEETH: f32 = 0.05;

/// What a mouth is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// A smile.
    Teeth,
    /// An expression with the lips together, or a smile that states no teeth.
    NoTeeth,
    /// Surprise.
    OpenJaw,
    /// Nothing that is measured.
    Other,
}

/// What is asked of every face.
struct Asked {
    /// The network's class, for the reader.
    class: Option<usize>,
    wish: Wish,
}

/// Who looks, and what is asked.
pub(super) struct Looker<'a> {
    studio: &'a Studio<'a>,
    evaluators: &'a Evaluators<'a>,
    device: &'a Device,
    asked: Vec<Asked>,
    targets: Vec<Target>,
    /// The reader's class of each of the network's.
    columns: Vec<Option<usize>>,
}

/// What was seen of one neutral face.
pub(super) struct Look {
    pub subject: Option<String>,
    pub own: Mouth,
    pub own_features: Vec<f64>,
    /// Of each target.
    pub drawn: Vec<Mouth>,
    /// Of the target that smiles.
    pub smile_features: Option<Vec<f64>>,
    /// Of each target, where the network says its flow.
    pub folds: Vec<Folds>,
    /// Whether the reader reads each target that it knows.
    pub read: Vec<bool>,
    pub pairs: Vec<Pair>,
    pub upper: Vec<Pair>,
}

/// What was seen of one real smile.
pub(super) struct Smile {
    pub subject: Option<String>,
    pub own: Mouth,
    /// Redrawn as neutral, where the network has a neutral target.
    pub closed: Option<Mouth>,
    pub features: Vec<f64>,
}

impl<'a> Looker<'a> {
    pub fn new(studio: &'a Studio<'a>, evaluators: &'a Evaluators<'a>, device: &'a Device) -> Self {
        let (asked, targets) = asked(studio.config()).into_iter().unzip();
        Self {
            studio,
            evaluators,
            device,
            asked,
            targets,
            columns: evaluators.reader.columns(&studio.config().classes),
        }
    }

    /// What each target's mouth is to do.
    pub fn wishes(&self) -> Vec<Wish> {
        self.asked.iter().map(|asked| asked.wish).collect()
    }

    /// Redraws one face with every target.
    pub fn look(&self, face: &Face) -> Result<Look, EvaluateError> {
        let own = self.studio.as_it_is(face)?;
        let drawn = self.studio.redraw(face, &self.targets)?;
        let smile = self
            .asked
            .iter()
            .position(|asked| asked.wish == Wish::Teeth);
        let smile = smile.map(|index| self.features(&drawn[index].portrait));
        let folds = drawn
            .iter()
            .filter_map(|one| Some(Folds::of(one.flow.as_ref()?, &own)));
        let (pairs, upper) = self.pairs(&own, &drawn)?;
        Ok(Look {
            subject: subject_of(face),
            own: Mouth::of(&own),
            own_features: self.features(&own)?,
            drawn: drawn.iter().map(|one| Mouth::of(&one.portrait)).collect(),
            smile_features: smile.transpose()?,
            folds: folds.collect(),
            read: self.read(&drawn)?,
            pairs,
            upper,
        })
    }

    /// Redraws real smiles as neutral.
    pub fn smiles(&self, faces: &[&Face]) -> Result<Vec<Smile>, EvaluateError> {
        let classes = &self.studio.config().classes;
        let neutral = classes
            .iter()
            .find(|name| canonical(name) == Some("neutral"));
        let neutral =
            neutral.and_then(|name| Target::new([(name.as_str(), 1.0)], self.studio.config()).ok());
        let smile = |face: &&Face| -> Result<Smile, EvaluateError> {
            let own = self.studio.as_it_is(face)?;
            let closed = match &neutral {
                Some(target) => self
                    .studio
                    .redraw(face, std::slice::from_ref(target))?
                    .pop(),
                None => None,
            };
            Ok(Smile {
                subject: subject_of(face),
                own: Mouth::of(&own),
                closed: closed.map(|one| Mouth::of(&one.portrait)),
                features: self.features(&own)?,
            })
        };
        faces.iter().map(smile).collect()
    }

    /// What the network is like.
    pub fn config(&self) -> &NetworkConfig {
        self.studio.config()
    }

    /// What is seen of a face's mouth as it is, and redrawn with each target, all in grey.
    pub fn grey_mouths(
        &self,
        face: &Face,
        targets: &[Target],
    ) -> Result<Vec<Vec<f64>>, EvaluateError> {
        let own = self.studio.as_it_is(face)?;
        let drawn = if targets.is_empty() {
            Vec::new()
        } else {
            self.studio.redraw(face, targets)?
        };
        let all = std::iter::once(&own).chain(drawn.iter().map(|one| &one.portrait));
        let features = |portrait: &Portrait| {
            let grey = mouth::luma_of(&mouth::crop(&portrait.face, &portrait.points));
            features(self.studio.mesh(), grey.repeat(3))
        };
        all.map(features).collect()
    }

    fn features(&self, portrait: &Portrait) -> Result<Vec<f64>, EvaluateError> {
        features(
            self.studio.mesh(),
            mouth::crop(&portrait.face, &portrait.points),
        )
    }

    /// Whether the reader reads each target that it knows.
    fn read(&self, drawn: &[Redrawing]) -> Result<Vec<bool>, EvaluateError> {
        let faces = batch(
            drawn.iter().map(|one| &one.portrait.small),
            FACE_SIZE,
            self.device,
        );
        let answers = self.evaluators.reader.read(faces, true)?;
        let wanted = self
            .asked
            .iter()
            .map(|asked| self.columns.get(asked.class?).copied().flatten());
        let known = answers
            .iter()
            .zip(wanted)
            .filter_map(|(p, column)| Some((p, column?)));
        Ok(known.map(|(p, column)| argmax(p) == column).collect())
    }

    /// The face and each of its redrawings, by both embeddings.
    fn pairs(
        &self,
        own: &Portrait,
        drawn: &[Redrawing],
    ) -> Result<(Vec<Pair>, Vec<Pair>), EvaluateError> {
        let all = || std::iter::once(own).chain(drawn.iter().map(|one| &one.portrait));
        let compare = |found: Vec<Vec<f32>>, pair: fn(&[f32], &[f32]) -> Pair| -> Vec<Pair> {
            found
                .iter()
                .skip(1)
                .map(|other| pair(&found[0], other))
                .collect()
        };
        let whole = match self.evaluators.identity {
            Some(evaluator) => {
                let faces = batch(all().map(|one| &one.face), SIDE, self.device);
                compare(evaluator.embed(faces, EMBEDDED)?, Pair::of)
            }
            None => Vec::new(),
        };
        let upper = match self.evaluators.masked {
            Some(evaluator) => {
                let faces = batch(
                    all().map(|one| &one.upper),
                    MaskedEvaluator::INPUT,
                    self.device,
                );
                compare(evaluator.embed(faces)?, Pair::of_masked)
            }
            None => Vec::new(),
        };
        Ok((whole, upper))
    }
}

/// Every expression of the network, and a smile without teeth where that can be asked.
fn asked(config: &NetworkConfig) -> Vec<(Asked, Target)> {
    let mut all = Vec::new();
    for (name, target) in Target::expressions(config) {
        let expression = canonical(&name);
        let wish = match (expression, target.teeth) {
            (Some("happiness"), _) => Wish::Teeth,
            (Some("surprise"), _) => Wish::OpenJaw,
            (_, Some(teeth)) if teeth <= FEW_TEETH => Wish::NoTeeth,
            (Some("neutral" | "sadness" | "contempt"), None) => Wish::NoTeeth,
            _ => Wish::Other,
        };
        let class = config.classes.iter().position(|class| *class == name);
        all.push((Asked { class, wish }, target));
        let shut = [(name.as_str(), 1.0), (TEETH, 0.0)];
        // Refused where teeth cannot be asked for.
        if let (Wish::Teeth, Ok(target)) = (wish, Target::new(shut, config)) {
            let asked = Asked {
                class: None,
                wish: Wish::NoTeeth,
            };
            all.push((asked, target));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::controls::expression_presets;
    use crate::network::{Edition, PainterConfig, Variant};

    #[test]
    fn a_smile_asks_for_teeth_and_a_shut_expression_for_none() {
        let classes = ["neutral", "happiness", "surprise", "fear", "contempt"];
        let plain = NetworkConfig::new(Edition::Release2021, Variant::Fersnet, 4, 3, &classes);
        let wishes = |config: &NetworkConfig| -> Vec<Wish> {
            asked(config).iter().map(|(asked, _)| asked.wish).collect()
        };
        use Wish::{NoTeeth, OpenJaw, Other, Teeth};
        assert_eq!(wishes(&plain), [NoTeeth, Teeth, OpenJaw, Other, NoTeeth]);
        let mut painted = plain.with_controls(&["jawOpen", "mouthSmileLeft"]);
        painted.presets = expression_presets(&painted.controls);
        assert_eq!(wishes(&painted), [NoTeeth, Teeth, OpenJaw, Other, NoTeeth]);
        painted.painter = Some(PainterConfig {
            width: 4,
            crop_width: 64,
        });
        // Only a painter can be asked for a smile without teeth.
        assert_eq!(
            wishes(&painted),
            [NoTeeth, Teeth, NoTeeth, OpenJaw, Other, NoTeeth]
        );
        assert_eq!(asked(&painted)[2].1.teeth, Some(0.0));
    }
}
