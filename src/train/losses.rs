//! The values of the losses, read back from the device.

use super::term::{PerTerm, Term};

/// The losses of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Losses {
    /// The network's weighted sum.
    pub total: f32,
    /// Its terms, unweighted; 0 where a term is not computed.
    pub terms: PerTerm<f32>,
    /// The discriminator's loss, mean of its steps.
    pub discriminator: f32,
}

/// The sum, the terms, the discriminator's.
const VALUES: usize = 1 + Term::ALL.len() + 1;

impl Losses {
    /// Names of the values, in their order.
    pub const NAMES: [&'static str; VALUES] = {
        let mut names = ["total"; VALUES];
        let mut place = 0;
        while place < Term::ALL.len() {
            names[1 + place] = Term::ALL[place].name();
            place += 1;
        }
        names[VALUES - 1] = "discriminator";
        names
    };

    /// The values, in the order of [`Losses::NAMES`].
    pub fn values(&self) -> [f32; VALUES] {
        let mut values = [self.total; VALUES];
        values[1..VALUES - 1].copy_from_slice(&self.terms.0);
        values[VALUES - 1] = self.discriminator;
        values
    }

    /// From values in the order of [`Losses::NAMES`].
    pub fn from_values(values: [f32; VALUES]) -> Self {
        Self {
            total: values[0],
            terms: PerTerm(std::array::from_fn(|place| values[1 + place])),
            discriminator: values[VALUES - 1],
        }
    }

    /// The terms that are there, with their values.
    pub fn in_words(&self) -> String {
        let terms = Self::NAMES.iter().zip(self.values());
        let terms = terms.filter(|(_, value)| *value != 0.0);
        let terms: Vec<String> = terms
            .map(|(name, value)| format!("{name} {value:.4}"))
            .collect();
        terms.join(", ")
    }

    /// Whether all values are numbers.
    pub fn is_finite(&self) -> bool {
        self.values().iter().all(|value| value.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_back_where_their_names_say() {
        let values = std::array::from_fn(|place| place as f32);
        let losses = Losses::from_values(values);
        assert_eq!(losses.values(), values);
        let of = |name: &str| {
            let place = Losses::NAMES.iter().position(|own| *own == name);
            values[place.expect("a name")]
        };
        assert_eq!(losses.total, of("total"));
        assert_eq!(losses.terms[Term::MouthL1], of("mouth_l1"));
        assert_eq!(losses.discriminator, of("discriminator"));
    }
}
