//! Recipes: what a face is made to show, and how one sample differs from the next.
//!
//! `presets/pairs.toml` is the shipped file and explains every key.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::index;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::PairsError;
use super::model::FaceModel;
use crate::data::controls::{CONTROLS, mirrored};
use crate::data::expressions::EXPRESSIONS;

/// The shipped recipes.
pub const SHIPPED: &str = include_str!("../../presets/pairs.toml");

/// The most of a unit that a recipe may ask for.
const MOST: f32 = 4.0;

/// Units of the lids: small, and hard to learn.
const LIDS: [&str; 4] = ["eyeBlink", "eyeBlink", "eyeWide", "eyeSquint"];

/// The units of a face, one for each of the model's shapes, and what they are meant to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The expression; none where units were chosen at random.
    pub expression: Option<String>,
    /// How strong it is; 1 is full.
    pub intensity: f32,
    /// Weight of each of the model's shapes.
    pub units: Vec<f32>,
}

impl Sample {
    /// The same on a face that still shows a part of something else, chosen at random.
    pub fn with_part_of(mut self, shown: &[f32], rng: &mut StdRng) -> Self {
        let part = rng.random::<f32>();
        for (unit, shown) in self.units.iter_mut().zip(shown) {
            *unit = unit.max(part * shown);
        }
        self
    }
}

/// Everything that a recipe file states, checked against a model.
#[derive(Debug, Clone)]
pub struct Recipes {
    /// Whether opened mouths have the teeth of photographed smiles; else those of the face model.
    pub donors: bool,
    /// Whether smiles have the folds that real ones have on average.
    pub folds: bool,
    intensity: [f32; 2],
    vary: Vary,
    random: Random,
    /// Of each expression but the neutral one: shares and units.
    expressions: Vec<(String, Vec<Recipe>)>,
    closed: Vec<(String, Recipe)>,
    reopened: Vec<String>,
    /// Indices of the shapes that random pictures show.
    free: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Recipe {
    share: f32,
    is_sided: bool,
    /// Pairs of left and right, or single units: shape, the mirrored shape, weight.
    units: Vec<Unit>,
}

#[derive(Debug, Clone, Copy)]
enum Unit {
    Both {
        left: usize,
        right: usize,
        weight: f32,
    },
    One {
        shape: usize,
        mirrored: usize,
        weight: f32,
    },
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vary {
    unit: f32,
    side: f32,
    blink: f32,
    aside: f32,
    up: f32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Random {
    times: usize,
    units: Vec<usize>,
    most: f32,
    #[serde(default)]
    lids: f32,
}

#[derive(Deserialize)]
struct File {
    #[serde(default = "yes")]
    donors: bool,
    #[serde(default = "yes")]
    folds: bool,
    intensity: [f32; 2],
    vary: Vary,
    random: Random,
    #[serde(default)]
    closed: Vec<Entry>,
    #[serde(default)]
    reopened: Vec<String>,
    #[serde(flatten)]
    expressions: BTreeMap<String, Vec<Entry>>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    share: Option<f32>,
    expression: Option<String>,
    #[serde(default)]
    sided: bool,
    units: BTreeMap<String, f32>,
}

impl Recipes {
    /// Reads a recipe file for a model.
    ///
    /// # Errors
    /// [`PairsError::Recipes`] that names the key.
    pub fn read(text: &str, model: &FaceModel) -> Result<Self, PairsError> {
        let file: File = toml::from_str(text).map_err(|error| refused(error.to_string()))?;
        let is_share = |value: f32| (0.0..=MOST).contains(&value);
        let [least, most] = file.intensity;
        if !(is_share(least) && is_share(most) && least <= most) {
            return Err(refused(
                "intensity has to be two numbers from 0 on, the smaller first",
            ));
        }
        let Vary {
            unit,
            side,
            blink,
            aside,
            up,
        } = file.vary;
        if [unit, side, blink, aside, up]
            .iter()
            .any(|value| !(0.0..=1.0).contains(value))
        {
            return Err(refused("each number of vary has to lie between 0 and 1"));
        }
        let units = &file.random.units;
        if file.random.times > 1000
            || units.is_empty()
            || units
                .iter()
                .any(|count| *count == 0 || *count > CONTROLS.len())
            || !is_share(file.random.most)
            || !(0.0..=1.0).contains(&file.random.lids)
        {
            return Err(refused(
                "random asks for times up to 1000, units from 1 on, most from 0 on, lids from 0 to 1",
            ));
        }
        let known = |name: &str| EXPRESSIONS.contains(&name) && name != "neutral";
        let mut expressions = Vec::new();
        for name in EXPRESSIONS {
            if let Some(entries) = file.expressions.get(name).filter(|_| known(name)) {
                let recipes = entries.iter().map(|entry| Recipe::of(name, entry, model));
                let recipes = recipes.collect::<Result<Vec<_>, _>>()?;
                let total: f32 = recipes.iter().map(|recipe| recipe.share).sum();
                if total <= 0.0 {
                    return Err(refused(format!("{name}: all shares are 0")));
                }
                expressions.push((name.to_owned(), recipes));
            }
        }
        if let Some(name) = file.expressions.keys().find(|name| !known(name)) {
            return Err(refused(format!(
                "{name} is none of the expressions, and no key"
            )));
        }
        let has_recipe = |name: &&String| file.expressions.contains_key(*name);
        if let Some(name) = file.reopened.iter().find(|name| !has_recipe(name)) {
            return Err(refused(format!(
                "reopened: there is no recipe for {name:?}"
            )));
        }
        let closed = file.closed.iter().map(|entry| {
            let name = entry.expression.as_deref().unwrap_or_default();
            if !known(name) {
                return Err(refused("each entry of closed has to name its expression"));
            }
            Ok((name.to_owned(), Recipe::of(name, entry, model)?))
        });
        Ok(Self {
            donors: file.donors,
            folds: file.folds,
            intensity: file.intensity,
            vary: file.vary,
            random: file.random,
            closed: closed.collect::<Result<_, _>>()?,
            reopened: file.reopened,
            expressions,
            free: CONTROLS
                .iter()
                .filter_map(|name| model.shape(name))
                .collect(),
        })
    }

    /// The expressions that there are recipes for.
    pub fn expressions(&self) -> impl Iterator<Item = &str> {
        self.expressions.iter().map(|(name, _)| name.as_str())
    }

    /// Whether a photo with an open mouth is made to show this expression too.
    pub fn is_reopened(&self, expression: &str) -> bool {
        self.reopened.iter().any(|name| name == expression)
    }

    /// Pictures with random units for each sample of an expression.
    pub fn random_times(&self) -> usize {
        self.random.times
    }

    /// A sample of an expression; the first one (`sample` 0) at full intensity. Nothing where there is
    /// no recipe for it.
    pub fn sample(
        &self,
        expression: &str,
        sample: usize,
        model: &FaceModel,
        rng: &mut StdRng,
    ) -> Option<Sample> {
        let (name, recipes) = self
            .expressions
            .iter()
            .find(|(name, _)| name == expression)?;
        let [least, most] = self.intensity;
        let varied = least + (most - least) * rng.random::<f32>();
        let intensity = if sample == 0 { 1.0 } else { varied };
        let total: f32 = recipes.iter().map(|recipe| recipe.share).sum();
        let mut at = rng.random::<f32>() * total;
        let recipe = recipes
            .iter()
            .find(|recipe| {
                at -= recipe.share;
                at < 0.0
            })
            .or(recipes.last())?;
        let mut units = self.vary(recipe, intensity, model, rng);
        self.look_about(&mut units, model, rng);
        Some(Sample {
            expression: Some(name.clone()),
            intensity,
            units,
        })
    }

    /// Random units, each by itself.
    pub fn random(&self, model: &FaceModel, rng: &mut StdRng) -> Sample {
        let count = self.random.units[rng.random_range(0..self.random.units.len())];
        let mut units = vec![0.0; model.shapes.len()];
        for i in index::sample(rng, self.free.len(), count.min(self.free.len())) {
            units[self.free[i]] = rng.random::<f32>() * self.random.most;
        }
        if rng.random::<f32>() < self.random.lids {
            self.move_lids(&mut units, model, rng);
        }
        Sample {
            expression: None,
            intensity: 0.0,
            units,
        }
    }

    /// Both lids as one of [`LIDS`] has them, sometimes those of one eye.
    fn move_lids(&self, units: &mut [f32], model: &FaceModel, rng: &mut StdRng) {
        let unit = LIDS[rng.random_range(0..LIDS.len())];
        let weight = rng.random::<f32>() * self.random.most;
        let sides: &[&str] = match rng.random_range(0..6) {
            0 => &["Left"],
            1 => &["Right"],
            _ => &["Left", "Right"],
        };
        for side in sides {
            if let Some(shape) = model.shape(&format!("{unit}{side}")) {
                units[shape] = weight;
            }
        }
    }

    /// What a photo is closed to: neutral first, then each entry of `closed`.
    pub fn closed(&self, model: &FaceModel, mut rng: impl FnMut(usize) -> StdRng) -> Vec<Sample> {
        let neutral = Sample {
            expression: Some("neutral".to_owned()),
            intensity: 0.0,
            units: vec![0.0; model.shapes.len()],
        };
        let others = self.closed.iter().enumerate().map(|(i, (name, recipe))| {
            let mut rng = rng(i);
            let [least, most] = self.intensity;
            let intensity = least + (most - least) * rng.random::<f32>();
            Sample {
                expression: Some(name.clone()),
                intensity,
                units: self.vary(recipe, intensity, model, &mut rng),
            }
        });
        [neutral].into_iter().chain(others).collect()
    }

    fn vary(
        &self,
        recipe: &Recipe,
        intensity: f32,
        model: &FaceModel,
        rng: &mut StdRng,
    ) -> Vec<f32> {
        let is_swapped = recipe.is_sided && rng.random::<bool>();
        let mut units = vec![0.0; model.shapes.len()];
        for unit in &recipe.units {
            let factor = intensity * (1.0 + self.vary.unit * normal(rng));
            match *unit {
                Unit::Both {
                    left,
                    right,
                    weight,
                } => {
                    let side = self.vary.side * normal(rng);
                    units[left] += (weight * factor * (1.0 + side)).max(0.0);
                    units[right] += (weight * factor * (1.0 - side)).max(0.0);
                }
                Unit::One {
                    shape,
                    mirrored,
                    weight,
                } => {
                    let shape = if is_swapped { mirrored } else { shape };
                    units[shape] += (weight * factor).max(0.0);
                }
            }
        }
        units
    }

    /// A little blink and gaze, as every face has.
    fn look_about(&self, units: &mut [f32], model: &FaceModel, rng: &mut StdRng) {
        let mut add = |name: &str, weight: f32| {
            if let Some(shape) = model.shape(name) {
                units[shape] += weight;
            }
        };
        let blink = (self.vary.blink * normal(rng)).abs();
        add("eyeBlinkLeft", blink);
        add("eyeBlinkRight", blink);
        let aside = self.vary.aside * normal(rng);
        let to = if aside > 0.0 {
            ["eyeLookOutLeft", "eyeLookInRight"]
        } else {
            ["eyeLookInLeft", "eyeLookOutRight"]
        };
        for name in to {
            add(name, aside.abs());
        }
        let up = self.vary.up * normal(rng);
        let to = if up > 0.0 {
            ["eyeLookUpLeft", "eyeLookUpRight"]
        } else {
            ["eyeLookDownLeft", "eyeLookDownRight"]
        };
        for name in to {
            add(name, up.abs());
        }
    }
}

impl Recipe {
    fn of(expression: &str, entry: &Entry, model: &FaceModel) -> Result<Self, PairsError> {
        let share = entry.share.unwrap_or(1.0);
        if !(0.0..=1e6).contains(&share) {
            return Err(refused(format!("{expression}: share {share} is no share")));
        }
        let mut units = Vec::new();
        for (name, weight) in &entry.units {
            let weight = *weight;
            if !(0.0..=MOST).contains(&weight) {
                return Err(refused(format!(
                    "{expression}: {name} = {weight} is not between 0 and {MOST}"
                )));
            }
            let find = |name: &str| model.shape(name);
            let sides = (find(&format!("{name}Left")), find(&format!("{name}Right")));
            units.push(match (find(name), sides) {
                (Some(shape), _) => Unit::One {
                    shape,
                    mirrored: find(&mirrored(name)).unwrap_or(shape),
                    weight,
                },
                (None, (Some(left), Some(right))) => Unit::Both {
                    left,
                    right,
                    weight,
                },
                _ => {
                    return Err(refused(format!(
                        "{expression}: {name} is no unit of the face model"
                    )));
                }
            });
        }
        Ok(Self {
            share,
            is_sided: entry.sided,
            units,
        })
    }
}

fn refused(what: impl Into<String>) -> PairsError {
    PairsError::Recipes(what.into())
}

/// Random numbers that depend on these words alone.
pub fn seeded(words: &[&str]) -> StdRng {
    StdRng::from_seed(Sha256::digest(words.join("\u{1f}")).into())
}

/// A number of the normal distribution (Box and Muller, 1958).
fn normal(rng: &mut StdRng) -> f32 {
    let (a, b) = (rng.random::<f64>(), rng.random::<f64>());
    // Never the logarithm of 0.
    ((-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()) as f32
}
