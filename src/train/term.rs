//! The terms of the network's loss.

use std::ops::{Index, IndexMut};

use super::config::Objective;

/// A term of the network's loss; its weight is the number of its name in a preset's `[objective]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// Cross-entropy of recognition.
    Classification,
    /// L1 towards the target, heavier where the target differs from the source.
    L1,
    /// L1 of the differences of neighbours.
    GradientL1,
    /// Squared difference of the feature net's features.
    Features,
    /// Least squares of the discriminator's scores towards real.
    Adversarial,
    /// Squared difference of the face drawn back and the source.
    Cycle,
    /// Cross-entropy of the wanted expression on the redrawn face.
    SyntheticClassification,
    /// Smoothness of the flow.
    FlowSmoothness,
    /// Squared difference of the controls.
    Units,
    /// L1 around the mouth.
    MouthL1,
    /// Cross-entropy of the cavity map.
    Cavity,
    /// Folds of the flow.
    Folds,
    /// How far the flow is from the known one.
    Flow,
}

impl Term {
    /// All of them, in the order of a run's tables.
    pub const ALL: [Self; 13] = [
        Self::Classification,
        Self::L1,
        Self::GradientL1,
        Self::Features,
        Self::Adversarial,
        Self::Cycle,
        Self::SyntheticClassification,
        Self::FlowSmoothness,
        Self::Units,
        Self::MouthL1,
        Self::Cavity,
        Self::Folds,
        Self::Flow,
    ];

    /// Its name in presets and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::L1 => "l1",
            Self::GradientL1 => "gradient_l1",
            Self::Features => "features",
            Self::Adversarial => "adversarial",
            Self::Cycle => "cycle",
            Self::SyntheticClassification => "synthetic_classification",
            Self::FlowSmoothness => "flow_smoothness",
            Self::Units => "units",
            Self::MouthL1 => "mouth_l1",
            Self::Cavity => "cavity",
            Self::Folds => "folds",
            Self::Flow => "flow",
        }
    }
}

impl Objective {
    /// The weight of a term; 0 leaves it out.
    pub fn weight(&self, term: Term) -> f64 {
        match term {
            Term::Classification => self.classification,
            Term::L1 => self.l1,
            Term::GradientL1 => self.gradient_l1,
            Term::Features => self.features,
            Term::Adversarial => self.adversarial,
            Term::Cycle => self.cycle,
            Term::SyntheticClassification => self.synthetic_classification,
            Term::FlowSmoothness => self.flow_smoothness,
            Term::Units => self.units,
            Term::MouthL1 => self.mouth_l1,
            Term::Cavity => self.cavity,
            Term::Folds => self.folds,
            Term::Flow => self.flow,
        }
    }
}

/// One value a term.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PerTerm<T>(pub [T; Term::ALL.len()]);

impl<T> PerTerm<T> {
    /// The terms with their values.
    pub fn iter(&self) -> impl Iterator<Item = (Term, &T)> {
        Term::ALL.into_iter().zip(&self.0)
    }
}

impl<T> Index<Term> for PerTerm<T> {
    type Output = T;

    fn index(&self, term: Term) -> &T {
        &self.0[term as usize]
    }
}

impl<T> IndexMut<Term> for PerTerm<T> {
    fn index_mut(&mut self, term: Term) -> &mut T {
        &mut self.0[term as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::presets;

    #[test]
    fn a_term_stands_at_its_place_and_its_weight_is_the_presets_number_of_its_name() {
        let ship = presets::named("ship").expect("a preset");
        for (place, term) in Term::ALL.into_iter().enumerate() {
            assert_eq!(term as usize, place);
            let settings = [(
                format!("objective.{}", term.name()),
                toml::Value::Float(0.125),
            )];
            let config = presets::read(ship, &settings).expect("numbers");
            assert_eq!(config.objective.weight(term), 0.125, "{}", term.name());
        }
    }
}
