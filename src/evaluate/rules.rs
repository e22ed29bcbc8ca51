//! What was seen of all faces -> shares and ratios with their intervals: which mouths do what was asked, and
//! how sharp they are.

use serde::Serialize;

use super::bootstrap::{Interval, Units, intervals};
use super::kid::{self, Kid, kid};
use super::look::{Look, Smile, Wish};
use super::mouth::Mouth;
use super::tears::{Tears, tears};

/// A share with its interval over subjects.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// Faces.
    pub n: usize,
    /// Share of them.
    pub share: f64,
    /// Its 95 % interval.
    pub interval: Option<Interval>,
}

/// How often a mouth does what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rule {
    /// Share of the redrawn faces that do it.
    #[serde(flatten)]
    pub share: Share,
    /// Share of the faces that do it before they are redrawn.
    pub unchanged: f64,
    /// Share of photographs that really show it which do it by this rule: what the rule can see.
    pub real: Option<f64>,
    /// Mean of what is measured over the redrawn faces: share of teeth, or opening through width.
    pub mean: f64,
}

/// Variance of the Laplacian of redrawn smiling mouths against the same subjects' real smiles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sharpness {
    /// Redrawn faces whose subject has a real smile.
    pub n: usize,
    /// Mean of the redrawn through mean of the real.
    pub ratio_of_means: f64,
    /// Its 95 % interval, over subjects.
    pub interval: Option<Interval>,
    /// Median of the faces' own ratios.
    pub median_ratio: f64,
    /// The ratio of means for the faces that were not redrawn.
    pub unchanged: f64,
    /// Of these, those whose real smile shows teeth.
    pub with_teeth_n: usize,
    /// The ratio of means over them.
    pub with_teeth: Option<f64>,
}

/// All that was seen, and who is drawn together for the intervals.
pub(super) struct Figures<'a> {
    pub looks: &'a [Look],
    pub smiles: &'a [Smile],
    pub wishes: Vec<Wish>,
    pub units: Units,
    pub seed: u64,
}

impl Figures<'_> {
    /// Share of the redrawn faces with a wish that meet a rule, over all targets with that wish.
    pub fn rule(
        &self,
        wish: Wish,
        meets: impl Fn(&Mouth) -> bool,
        measured: impl Fn(&Mouth) -> f64,
        real: Option<f64>,
    ) -> Option<Rule> {
        let is_asked = |(wanted, mouth): (&Wish, &Mouth)| (*wanted == wish).then_some(*mouth);
        let asked = |look: &Look| -> Vec<Mouth> {
            self.wishes
                .iter()
                .zip(&look.drawn)
                .filter_map(is_asked)
                .collect()
        };
        let mouths: Vec<Vec<Mouth>> = self.looks.iter().map(asked).collect();
        let hits: Vec<Vec<bool>> = mouths
            .iter()
            .map(|m| m.iter().map(&meets).collect())
            .collect();
        let n = mouths.iter().flatten().count();
        let own = self.looks.iter().filter(|look| meets(&look.own)).count();
        Some(Rule {
            share: Share::of(&hits, &self.units, self.seed)?,
            unchanged: own as f64 / self.looks.len() as f64,
            real,
            mean: mouths.iter().flatten().map(measured).sum::<f64>() / n as f64,
        })
    }

    pub fn teeth_asked(&self) -> Option<Rule> {
        let real = share_of(self.smiles.iter().map(|smile| smile.own.shows_teeth()));
        self.rule(Wish::Teeth, Mouth::shows_teeth, |m| m.teeth_share, real)
    }

    pub fn smile_closes(&self) -> Option<Rule> {
        let open: Vec<(&Smile, Mouth)> = self
            .smiles
            .iter()
            .filter(|smile| !smile.own.is_closed())
            .filter_map(|smile| Some((smile, smile.closed?)))
            .collect();
        let hits: Vec<Vec<bool>> = open.iter().map(|(_, m)| vec![m.is_closed()]).collect();
        let units = units(open.iter().map(|(smile, _)| &smile.subject));
        let openings = open.iter().map(|(_, mouth)| mouth.opening);
        Some(Rule {
            share: Share::of(&hits, &units, self.seed)?,
            unchanged: 0.0,
            real: share_of(self.looks.iter().map(|look| look.own.is_closed())),
            mean: openings.sum::<f64>() / open.len() as f64,
        })
    }

    pub fn recognised_as_target(&self) -> Option<Share> {
        let hits: Vec<Vec<bool>> = self.looks.iter().map(|look| look.read.clone()).collect();
        Share::of(&hits, &self.units, self.seed)
    }

    pub fn tears(&self) -> Option<Tears> {
        let folds: Vec<_> = self.looks.iter().map(|look| look.folds.clone()).collect();
        tears(&folds, &self.units, self.seed)
    }

    /// Redrawn smiles of the subjects who really smile too, against those smiles.
    pub fn mouths(&self) -> Option<Kid> {
        let seen = |subject: &Option<String>, features: &[f64]| kid::Seen {
            subject: subject.clone(),
            features: features.to_vec(),
        };
        // Of one subject each: grey faces against smiles in colour would measure the collections.
        let smiles = |look: &&Look| {
            look.subject.is_some()
                && self
                    .smiles
                    .iter()
                    .any(|smile| smile.subject == look.subject)
        };
        let looks = || self.looks.iter().filter(smiles);
        let redrawn: Vec<kid::Seen> = looks()
            .filter_map(|look| Some(seen(&look.subject, look.smile_features.as_ref()?)))
            .collect();
        let unchanged: Vec<kid::Seen> = looks()
            .map(|look| seen(&look.subject, &look.own_features))
            .collect();
        let real = self
            .smiles
            .iter()
            .map(|smile| seen(&smile.subject, &smile.features));
        kid(&redrawn, &unchanged, &real.collect::<Vec<_>>(), self.seed)
    }

    /// Each redrawn smile beside the first real smile of its subject.
    pub fn sharpness(&self) -> Option<Sharpness> {
        let smile = self.wishes.iter().position(|wish| *wish == Wish::Teeth)?;
        let real = |look: &Look| {
            let own = |other: &&Smile| look.subject.is_some() && other.subject == look.subject;
            self.smiles.iter().find(own).map(|smile| smile.own)
        };
        let pairs: Vec<(&Look, Mouth)> = self
            .looks
            .iter()
            .filter_map(|look| Some((look, real(look)?)))
            .collect();
        sharpness(
            &pairs
                .iter()
                .map(|(look, real)| Sharp {
                    subject: look.subject.clone(),
                    redrawn: look.drawn[smile].sharpness,
                    unchanged: look.own.sharpness,
                    real: real.sharpness,
                    has_teeth: real.shows_teeth(),
                })
                .collect::<Vec<_>>(),
            self.seed,
        )
    }
}

/// One face's mouth, redrawn, as it was, and really smiling.
#[derive(Debug, Clone)]
struct Sharp {
    subject: Option<String>,
    redrawn: f64,
    unchanged: f64,
    real: f64,
    has_teeth: bool,
}

fn sharpness(faces: &[Sharp], seed: u64) -> Option<Sharpness> {
    let ratio = |of: fn(&Sharp) -> f64, chosen: &[usize]| {
        let sum = |of: fn(&Sharp) -> f64| chosen.iter().map(|i| of(&faces[*i])).sum::<f64>();
        sum(of) / sum(|face| face.real)
    };
    let all: Vec<usize> = (0..faces.len()).collect();
    let toothy: Vec<usize> = all
        .iter()
        .copied()
        .filter(|i| faces[*i].has_teeth)
        .collect();
    let mut ratios: Vec<f64> = faces.iter().map(|face| face.redrawn / face.real).collect();
    ratios.sort_by(f64::total_cmp);
    let units = units(faces.iter().map(|face| &face.subject));
    let ends = intervals(&units, seed, |drawn| {
        vec![ratio(|face| face.redrawn, drawn)]
    });
    Some(Sharpness {
        n: faces.len(),
        ratio_of_means: ratio(|face| face.redrawn, &all),
        interval: ends.into_iter().next().flatten(),
        median_ratio: *ratios.get(ratios.len() / 2)?,
        unchanged: ratio(|face| face.unchanged, &all),
        with_teeth_n: toothy.len(),
        with_teeth: (!toothy.is_empty()).then(|| ratio(|face| face.redrawn, &toothy)),
    })
}

impl Share {
    /// `hits[i]` are those of face i; none without any.
    fn of(hits: &[Vec<bool>], units: &Units, seed: u64) -> Option<Self> {
        let share = |faces: &[usize]| share_of(faces.iter().flat_map(|i| &hits[*i]).copied());
        let all: Vec<usize> = (0..hits.len()).collect();
        let found = share(&all)?;
        let ends = intervals(units, seed, |drawn| vec![share(drawn).unwrap_or(f64::NAN)]);
        Some(Self {
            n: hits.iter().flatten().count(),
            share: found,
            interval: ends.into_iter().next().flatten(),
        })
    }
}

fn share_of(hits: impl Iterator<Item = bool> + Clone) -> Option<f64> {
    let n = hits.clone().count();
    (n > 0).then(|| hits.filter(|hit| *hit).count() as f64 / n as f64)
}

pub(super) fn units<'a>(subjects: impl Iterator<Item = &'a Option<String>>) -> Units {
    Units::of(&subjects.cloned().collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sharpness_is_the_ratio_of_means_and_the_median_of_ratios() {
        let face = |redrawn, real, has_teeth| Sharp {
            subject: None,
            redrawn,
            unchanged: 1.0,
            real,
            has_teeth,
        };
        let faces = [
            face(1.0, 2.0, true),
            face(1.0, 4.0, true),
            face(2.0, 2.0, false),
        ];
        let found = sharpness(&faces, 1).expect("figures");
        assert_eq!(
            (found.n, found.ratio_of_means, found.median_ratio),
            (3, 0.5, 0.5)
        );
        assert_eq!(
            (found.unchanged, found.with_teeth_n, found.with_teeth),
            (0.375, 2, Some(1.0 / 3.0))
        );
        assert_eq!(sharpness(&[], 1), None);
    }

    #[test]
    fn a_share_is_over_faces_and_their_targets() {
        let hits = [vec![true, false], vec![true], vec![]];
        let found = Share::of(&hits, &Units::of(&[None, None, None]), 1).expect("a share");
        assert_eq!((found.n, found.share), (3, 2.0 / 3.0));
        assert_eq!(Share::of(&[vec![]], &Units::of(&[None]), 1), None);
    }
}
