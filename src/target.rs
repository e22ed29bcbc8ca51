//! What a face is to show: names and weights (a preset, a mixture, the face's own expression, single controls)
//! -> the vector p that the decoder takes, and how much teeth the painter shows.

use thiserror::Error;

use crate::network::{MAX_INTENSITY, NetworkConfig, TEETH};

/// Name under which a target weighs what the face itself shows: `own=0.6,surprise=0.4` is a little surprise,
/// from where the face is.
pub const OWN: &str = "own";

/// Largest weight of a class for a network without controls, and of `teethShown`.
const MAX_SHARE: f32 = 1.0;

/// Tolerance of a sum of weights that are written with a few digits.
const SUM_TOLERANCE: f32 = 1e-3;

/// A target of synthesis.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// p: a value for each control of the network, or for each class where it has no controls.
    pub values: Vec<f32>,
    /// What is added to each value of what the face itself shows: one weight, but 0 for a control that was
    /// set to a value of its own. Empty where the face's own expression plays no part.
    pub own: Vec<f32>,
    /// Share of the mouth's inside that shows teeth, 0 to 1; none: the painter decides.
    pub teeth: Option<f32>,
    /// How much of that share is rather the share that the face itself shows, 0 to 1.
    pub own_teeth: f32,
}

/// Why a target is refused.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TargetError {
    /// A name that these weights do not know.
    #[error("`{name}` is none of these weights' {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are, in words.
        known: String,
    },
    /// A weight that is no number.
    #[error("the weight `{text}` of {name} is not a number")]
    NoNumber {
        /// The name.
        name: String,
        /// What was given.
        text: String,
    },
    /// A weight out of its range.
    #[error("the weight of {name} is {value}; it has to be from 0 to {most}")]
    Range {
        /// The name.
        name: String,
        /// The weight.
        value: f32,
        /// The largest one that is taken.
        most: f32,
    },
    /// A name that is given twice.
    #[error("{0} is given twice; give each name once")]
    Twice(String),
    /// The expressions' weights add up to nothing, or to too much.
    #[error(
        "the weights of the target add up to {sum}; they have to be above 0 and at most {most}"
    )]
    Sum {
        /// Their sum.
        sum: f32,
        /// The largest one that is taken.
        most: f32,
    },
}

impl Target {
    /// Reads `happiness`, `happiness=0.6,surprise=0.4` or `happiness=0.8,jawOpen=0.4`.
    ///
    /// # Errors
    /// [`TargetError`], which lists what there is where a name is unknown.
    pub fn parse(text: &str, config: &NetworkConfig) -> Result<Self, TargetError> {
        let parts = text.split(',').map(|part| {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let (name, weight) = (name.trim(), weight.trim());
            let value = weight.parse::<f32>().map_err(|_| TargetError::NoNumber {
                name: name.to_owned(),
                text: weight.to_owned(),
            })?;
            Ok((name, value))
        });
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        Self::new(parts, config)
    }

    /// A target from names and weights: presets are added by their weights, then single controls set
    /// to theirs. Without controls the names are the network's classes.
    ///
    /// # Errors
    /// [`TargetError`] for an unknown name or a weight out of range.
    pub fn new<'a>(
        parts: impl IntoIterator<Item = (&'a str, f32)>,
        config: &NetworkConfig,
    ) -> Result<Self, TargetError> {
        let has_controls = !config.controls.is_empty();
        let most = if has_controls {
            MAX_INTENSITY
        } else {
            MAX_SHARE
        };
        let mut target = Self {
            values: vec![0.0; config.target_width()],
            own: Vec::new(),
            teeth: None,
            own_teeth: 0.0,
        };
        let (mut sum, mut expressions, mut own_weight) = (0.0, 0, 0.0);
        let mut set: Vec<(&str, f32)> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for (name, weight) in parts {
            if names.contains(&name) {
                return Err(TargetError::Twice(name.to_owned()));
            }
            names.push(name);
            if let Some(preset) = config.preset(name) {
                check(name, weight, most)?;
                sum += weight;
                expressions += 1;
                for (value, part) in target.values.iter_mut().zip(preset) {
                    *value += weight * part;
                }
                let teeth = config
                    .presets
                    .get(name)
                    .and_then(|preset| preset.get(TEETH));
                if let Some(teeth) = teeth {
                    *target.teeth.get_or_insert(0.0) += weight * teeth;
                }
            } else if name == OWN && has_controls {
                check(name, weight, most)?;
                sum += weight;
                expressions += 1;
                own_weight = weight;
            } else if (name == TEETH && config.painter.is_some())
                || config.controls.iter().any(|c| c == name)
            {
                check(name, weight, if name == TEETH { MAX_SHARE } else { most })?;
                set.push((name, weight));
            } else {
                return Err(TargetError::Unknown {
                    name: name.to_owned(),
                    known: known(config),
                });
            }
        }
        let is_empty = set.is_empty() && (expressions == 0 || sum == 0.0);
        // A control alone is a target too; all of them at 0 are the neutral face.
        if is_empty || sum > most + SUM_TOLERANCE {
            return Err(TargetError::Sum { sum, most });
        }
        if own_weight > 0.0 {
            target.own = vec![own_weight; target.values.len()];
            // A part of an expression shows its share of teeth, not a part of the share.
            let presets = sum - own_weight;
            target.teeth = target.teeth.filter(|_| presets > 0.0).map(|t| t / presets);
            target.own_teeth = own_weight / sum;
        }
        for (name, value) in set {
            match config.controls.iter().position(|control| control == name) {
                Some(index) => {
                    target.values[index] = value;
                    if let Some(own) = target.own.get_mut(index) {
                        *own = 0.0;
                    }
                }
                None => (target.teeth, target.own_teeth) = (Some(value), 0.0),
            }
        }
        target.teeth = target.teeth.map(|teeth| teeth.clamp(0.0, 1.0));
        Ok(target)
    }

    /// p for a face that itself shows `own` of each control.
    pub fn values_for(&self, own: &[f32]) -> Vec<f32> {
        let mut values = self.values.clone();
        let weighted = self.own.iter().zip(own);
        for (value, (weight, own)) in values.iter_mut().zip(weighted) {
            *value += weight * own;
        }
        values
    }

    /// The share of teeth for a face that itself shows `own` of them; none where its mouth is shut.
    pub fn teeth_for(&self, own: Option<f32>) -> Option<f32> {
        match (self.teeth, own) {
            (Some(teeth), Some(own)) => Some(teeth + self.own_teeth * (own - teeth)),
            (None, own) => own.filter(|_| self.own_teeth > 0.0),
            (teeth, None) => teeth,
        }
    }

    /// The target of each of the network's classes that has one, in their order.
    pub fn expressions(config: &NetworkConfig) -> Vec<(String, Self)> {
        let target = |class: &String| {
            Some((
                class.clone(),
                Self::new([(class.as_str(), 1.0)], config).ok()?,
            ))
        };
        config.classes.iter().filter_map(target).collect()
    }
}

/// Written so that NaN is refused too.
fn check(name: &str, value: f32, most: f32) -> Result<(), TargetError> {
    if (0.0..=most).contains(&value) {
        return Ok(());
    }
    Err(TargetError::Range {
        name: name.to_owned(),
        value,
        most,
    })
}

/// The names that a target may use, in words.
fn known(config: &NetworkConfig) -> String {
    if config.controls.is_empty() {
        return format!("expressions: {}", config.classes.join(", "));
    }
    let presets: Vec<&str> = config.presets.keys().map(String::as_str).collect();
    let teeth = if config.painter.is_some() {
        format!(", {TEETH}")
    } else {
        String::new()
    };
    format!(
        "expressions: {}, {OWN}; nor of their controls: {}{teeth}",
        presets.join(", "),
        config.controls.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Edition, PainterConfig, Variant};
    use std::collections::BTreeMap;

    fn plain() -> NetworkConfig {
        let classes = ["neutral", "happiness"];
        NetworkConfig::new(Edition::Release2021, Variant::Fersnet, 4, 3, &classes)
    }

    fn with_controls() -> NetworkConfig {
        let mut config = plain().with_controls(&["jawOpen", "mouthSmileLeft", "mouthSmileRight"]);
        let preset = |parts: &[(&str, f32)]| -> BTreeMap<String, f32> {
            parts
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect()
        };
        config.presets = BTreeMap::from([
            ("neutral".to_owned(), preset(&[(TEETH, 0.0)])),
            (
                "happiness".to_owned(),
                preset(&[
                    ("mouthSmileLeft", 1.0),
                    ("mouthSmileRight", 0.5),
                    (TEETH, 0.8),
                ]),
            ),
        ]);
        config.painter = Some(PainterConfig {
            width: 4,
            crop_width: 64,
        });
        config
    }

    #[test]
    fn presets_add_up_and_a_control_sets_its_own_value() {
        let target = Target::parse(
            "happiness=0.5, jawOpen=0.4,mouthSmileLeft=0.1",
            &with_controls(),
        );
        let target = target.expect("a target");
        assert_eq!(target.values, [0.4, 0.1, 0.25]);
        assert_eq!(target.teeth, Some(0.4));
        let target =
            Target::parse("happiness=1.2,teethShown=0", &with_controls()).expect("a target");
        assert_eq!((target.values[1], target.teeth), (1.2, Some(0.0)));
        let closed = Target::parse("jawOpen=0", &with_controls()).expect("the neutral face");
        assert_eq!((closed.values, closed.teeth), (vec![0.0; 3], None));
    }

    #[test]
    fn a_part_of_an_expression_starts_from_what_the_face_shows() {
        let config = with_controls();
        let shown = [0.2, 0.4, 0.8];
        let parse = |text| Target::parse(text, &config).expect("a target");
        let half = parse("own=0.5,happiness=0.5");
        let off = half
            .values_for(&shown)
            .into_iter()
            .zip([0.1, 0.7, 0.65_f32]);
        assert!(off.map(|(a, b)| (a - b).abs()).all(|off| off < 1e-6));
        assert_eq!(
            half.teeth_for(None),
            Some(0.8),
            "the share of happiness itself"
        );
        let mixed = half.teeth_for(Some(0.6)).expect("half of the face's own");
        assert!((mixed - 0.7).abs() < 1e-6, "{mixed}");
        let set = parse("own=1,mouthSmileLeft=0.1");
        assert_eq!(set.values_for(&shown), [0.2, 0.1, 0.8]);
        assert_eq!(
            (set.teeth_for(None), set.teeth_for(Some(0.6))),
            (None, Some(0.6))
        );
        let told = parse("own=0.5,happiness=0.5,teethShown=0.2");
        assert_eq!(told.teeth_for(Some(0.6)), Some(0.2), "what is told is told");
        let plainly = parse("happiness=0.5");
        assert_eq!(plainly.values_for(&shown), [0.0, 0.5, 0.25]);
        let refused = |text| Target::parse(text, &config).expect_err("refused");
        assert!(matches!(refused("own=0"), TargetError::Sum { .. }));
        assert!(matches!(
            refused("own=0.7,happiness=0.7"),
            TargetError::Sum { .. }
        ));
        assert!(Target::parse("own=1", &plain()).is_err());
    }

    #[test]
    fn without_controls_a_target_is_a_mixture_of_classes() {
        let target = Target::parse("neutral=0.25,happiness=0.75", &plain()).expect("a target");
        assert_eq!((target.values, target.teeth), (vec![0.25, 0.75], None));
        let refused = |text| Target::parse(text, &plain()).expect_err("refused");
        assert_eq!(
            refused("happiness=0"),
            TargetError::Sum {
                sum: 0.0,
                most: 1.0
            }
        );
        assert!(matches!(
            refused("happiness=1.1"),
            TargetError::Range { .. }
        ));
        assert!(matches!(
            refused("happiness,neutral"),
            TargetError::Sum { .. }
        ));
    }

    #[test]
    fn what_is_refused_names_what_there_is() {
        let config = with_controls();
        let refused = |text| {
            Target::parse(text, &config)
                .expect_err("refused")
                .to_string()
        };
        let unknown = refused("joy");
        assert!(
            unknown.contains("happiness, neutral") && unknown.contains("jawOpen"),
            "{unknown}"
        );
        assert!(unknown.contains(TEETH), "{unknown}");
        for text in [
            "jawOpen=1.3",
            "jawOpen=-0.1",
            "jawOpen=nan",
            "teethShown=1.1",
            "happiness=inf",
        ] {
            assert!(refused(text).contains("from 0 to"), "{text}");
        }
        assert!(refused("jawOpen=wide").contains("not a number"));
        assert!(refused("jawOpen=0.1,jawOpen=0.2").contains("twice"));
        assert!(refused("happiness=0.7,neutral=0.7").contains("add up to"));
    }
}
