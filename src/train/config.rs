//! All numbers of a run, in the tables of a preset file.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{TrainError, presets};
use crate::data::Augmentation;
use crate::data::controls::expression_presets;
use crate::kernels::{RunOptions, TrainingPrecision};
use crate::network::{NetworkConfig, PainterConfig, Variant};

/// A run: what is trained, on what, towards what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The network. Without classes it has those of the first data set; the controls `["*"]` are all that
    /// the data sets state. Presets and painter are not a run's to set: see [`RunConfig::network_config`].
    #[serde(deserialize_with = "network_table")]
    pub network: NetworkConfig,
    /// What is drawn as training goes, beside the stored sets.
    #[serde(default)]
    pub data: DataTable,
    /// What a step sees.
    pub batch: BatchTable,
    /// Weights of the terms.
    pub objective: Objective,
    /// How the weights are moved.
    pub optimiser: OptimiserTable,
    /// Length, checkpoints, seed.
    pub run: RunTable,
    /// The mouth painter, which is trained by itself (`--part painter`).
    #[serde(default)]
    pub painter: PainterTable,
}

/// A run's network: what a run cannot set is refused.
fn network_table<'de, D: Deserializer<'de>>(table: D) -> Result<NetworkConfig, D::Error> {
    let network = NetworkConfig::deserialize(table)?;
    let unknown = if !network.presets.is_empty() {
        Some("presets")
    } else if network.painter.is_some() {
        Some("painter")
    } else {
        network.extra.keys().next().map(String::as_str)
    };
    match unknown {
        Some(key) => Err(de::Error::custom(format!(
            "there is no key network.{key} in a run"
        ))),
        None => Ok(network),
    }
}

/// Pairs that are drawn from portraits as training goes, see [`crate::pairs`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataTable {
    /// Folders of portraits; empty: none are drawn.
    pub portraits: Vec<PathBuf>,
    /// Samples of each expression from a portrait.
    pub samples: usize,
    /// Side of the drawn faces in pixels.
    pub size: usize,
    /// Steps after which all pairs are drawn anew.
    pub redraw_every: usize,
    /// Recipe file; empty: the shipped one.
    pub recipes: PathBuf,
}

/// What a step sees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchTable {
    /// Faces that only recognition learns from.
    pub labelled: usize,
    /// Pairs: two faces of one subject, the source and the target.
    pub pairs: usize,
    /// Faces that are redrawn without a target.
    pub unpaired: usize,
    /// Side of the faces in pixels.
    pub size: usize,
    /// How the faces are augmented.
    #[serde(alias = "views")]
    pub augmentation: Augmentation,
    /// Labelled faces are drawn with weight (1 / faces of the class) ^ this.
    pub balance: f64,
    /// Whether labels are the shares of the votes; else the most voted class alone.
    pub soft_labels: bool,
    /// A class weighs (mean count / its count) ^ this in the cross-entropy.
    pub class_weights: f64,
    /// Weight of a paired face's label, which a recipe may have made.
    pub pair_label_weight: f64,
    /// Share of the pairs that start from the neutral face.
    pub calm_share: f64,
    /// Whether the target always shows another expression than the source.
    pub other_expression: bool,
    /// Share of the pairs whose target is the source itself.
    pub self_share: f64,
    /// Subjects are drawn with weight (1 / subjects of their source) ^ this: at 1 each source comes as
    /// often as any other.
    pub source_balance: f64,
}

/// The frozen network whose features the perceptual term compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeatureNet {
    /// MediaPipe's face mesh (Apache 2.0), which the crate carries.
    FaceMesh,
}

/// Weights of the objective's terms; a term of weight 0 is not computed.
///
/// The 2021 release has cross-entropy + L1 + 0.05 features + 0.3 adversarial + 0.5 cycle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// Cross-entropy of recognition.
    pub classification: f64,
    /// L1 between redrawn face and target.
    pub l1: f64,
    /// Extra L1 weight of pixels where target and source differ.
    pub emphasis: f64,
    /// L1 between the differences of neighbouring pixels.
    pub gradient_l1: f64,
    /// Mean squared difference of the feature net's features.
    pub features: f64,
    /// The feature net.
    pub feature_net: FeatureNet,
    /// The discriminator's loss (least squares).
    pub adversarial: f64,
    /// Steps of the discriminator for each of the network's.
    pub discriminator_steps: usize,
    /// Mean squared difference of the face drawn back from the redrawn one.
    pub cycle: f64,
    /// Cross-entropy of the target expression on the redrawn face.
    pub synthetic_classification: f64,
    /// Flow smoothness: differences of neighbouring flow vectors, in pixels.
    #[serde(alias = "roughness")]
    pub flow_smoothness: f64,
    /// Squared difference of the controls that are read off a face, where they are known.
    pub units: f64,
    /// L1 around the mouth, at full and at half size.
    pub mouth_l1: f64,
    /// Cross-entropy of a blend head's cavity map against the inside of the target's mouth.
    pub cavity: f64,
    /// How far the flow folds the face: its Jacobian below a small margin.
    pub folds: f64,
    /// How far the flow is from the known one, in pixels, where the data know it.
    #[serde(default)]
    pub flow: f64,
}

/// The rule by which gradients move weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Adam; weight decay is added to the gradient (L2).
    Adam,
    /// AdamW; weight decay is applied to the weights.
    AdamW,
}

/// How the learning rate changes over a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Falls along half a cosine.
    Cosine,
    /// Falls in steps.
    Drops,
    /// Does not fall.
    Constant,
}

/// How the weights are moved, the discriminator's as the network's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimiserTable {
    /// The rule.
    pub method: Method,
    /// Largest learning rate.
    pub rate: f64,
    /// Decay of the first moment.
    pub beta_1: f64,
    /// Decay of the second moment.
    pub beta_2: f64,
    /// Added to the second moment's root.
    pub epsilon: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Largest norm of each weight tensor's gradient; 0: unlimited.
    pub clip_norm: f64,
    /// How the rate falls.
    pub schedule: Schedule,
    /// Steps over which the rate rises.
    pub warm_up: usize,
    /// Cosine: the last rate as a part of the largest.
    pub last_rate: f64,
    /// Drops: the parts of the run after which the rate falls, 0 to 1.
    pub drops: Vec<f64>,
    /// Drops: what the rate is multiplied by.
    pub drop_factor: f64,
}

/// Length, checkpoints, seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunTable {
    /// Seed of the initial weights and of every batch.
    pub seed: u64,
    /// Steps in all; 0: as many as `epochs` ask for.
    pub steps: usize,
    /// Times that as many faces are seen as there are.
    pub epochs: usize,
    /// Decay of the EMA (exponential moving average) of the weights; 0: no EMA.
    #[serde(alias = "average_rate")]
    pub ema_decay: f64,
    /// Steps between checkpoints.
    pub checkpoint_every: usize,
    /// Checkpoints between contact sheets; 0: none.
    pub sheet_every: usize,
    /// Numbers that convolutions compute with.
    pub precision: TrainingPrecision,
    /// Weight file that the run starts from; empty: new weights.
    pub finetune: PathBuf,
    /// Whether the encoder and the classifier stay as they are: only the decoder and the layer that reads
    /// the controls learn.
    pub frozen_encoder: bool,
    /// Whether that file may be of a network with other layers: those of the same name and shape are
    /// taken, the others begin anew.
    pub transfer: bool,
    /// Terms of the weights, noted in their file; empty: none.
    pub licence: String,
}

/// The mouth painter's training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PainterTable {
    /// Channels of the first level.
    pub width: usize,
    /// Width of a mouth's crop in pixels: a multiple of 32.
    pub crop_width: usize,
    /// Steps towards the real mouths alone.
    pub l1_steps: usize,
    /// Steps with a discriminator after them.
    pub adversarial_steps: usize,
    /// Mouths a step.
    pub batch: usize,
    /// Largest learning rate of the first steps.
    pub rate: f64,
    /// That of the steps with a discriminator, and the discriminator's own.
    pub adversarial_rate: f64,
    /// The discriminator's.
    pub discriminator_rate: f64,
    /// Weight of the discriminator's loss, times the adaptive one.
    pub adversarial: f64,
    /// The largest that the adaptive weight may become.
    pub most_adaptive: f64,
    /// Weight of the discriminator's features, compared with those of the real mouth.
    pub features: f64,
    /// Laplacian deviation inside the mouth, of 255, from which on a photo counts as sharp.
    pub sharp_from: f64,
    /// Share of a batch that is drawn from the sharp photos.
    pub sharp_share: f64,
    /// Share of a batch whose inside a program drew: wide ones, of which there are few sharp photos.
    #[serde(default)]
    pub drawn_share: f64,
    /// Least area of a mouth's inside in pixels of the 96-pixel face.
    pub least_area: f64,
    /// Share of the photos that are not sharp that are sharpened.
    #[serde(default)]
    pub sharpened_share: f64,
    /// Share of the grey photos that are coloured.
    #[serde(default)]
    pub tinted_share: f64,
    /// Share of the photos in colour whose skin is darkened.
    #[serde(default)]
    pub darkened_share: f64,
    /// Share of a batch that is told how much teeth it shows.
    pub told_share: f64,
    /// Share of a batch whose inputs are what the main network makes of the subject's shut mouth.
    pub on_network: f64,
    /// Share of a batch of which a part is the photo's own and stays, as where an open mouth opens otherwise.
    #[serde(default)]
    pub own_share: f64,
}

/// A table of the preset `ship`: for runs that were begun when there was none like it.
fn shipped<T: serde::de::DeserializeOwned>(table: &str) -> T {
    let ship: toml::Table = presets::SHIP.parse().expect("the preset is TOML");
    let values = ship[table].clone();
    values.try_into().expect("the preset states every key")
}

impl Default for DataTable {
    fn default() -> Self {
        shipped("data")
    }
}

impl Default for PainterTable {
    fn default() -> Self {
        shipped("painter")
    }
}

impl PainterTable {
    /// The painter's configuration.
    pub fn config(&self) -> PainterConfig {
        PainterConfig {
            width: self.width,
            crop_width: self.crop_width,
        }
    }

    /// Steps in all.
    pub fn steps(&self) -> usize {
        self.l1_steps + self.adversarial_steps
    }
}

impl RunTable {
    /// The weight file that the run starts from.
    pub fn start(&self) -> Option<&Path> {
        let path = self.finetune.as_path();
        (!path.as_os_str().is_empty()).then_some(path)
    }

    /// How a step of training is computed.
    pub(super) fn options(&self) -> RunOptions {
        RunOptions {
            precision: self.precision,
            ..RunOptions::new()
        }
    }

    /// Whether the devices have this run's precision.
    ///
    /// # Errors
    /// [`TrainError::Setting`] when one of them does not.
    pub(super) fn check_precision(&self, devices: &[Device]) -> Result<(), TrainError> {
        let precision = self.precision;
        if !devices.iter().all(|device| precision.is_available(device)) {
            return Err(TrainError::Setting {
                key: "run.precision".into(),
                rule: "this device has no bf16 convolutions; take \"full\", or --device torch"
                    .into(),
            });
        }
        Ok(())
    }
}

impl BatchTable {
    /// Faces a step, of all kinds.
    pub fn faces(&self) -> usize {
        self.labelled + self.pairs + self.unpaired
    }
}

impl RunConfig {
    /// Steps of an epoch, in which as many faces are seen as there are: `faces`.
    pub fn steps_of_epoch(&self, faces: usize) -> usize {
        faces.div_ceil(self.batch.faces().max(1)).max(1)
    }

    /// Fixes the number of steps for this many training faces.
    pub fn resolve_steps(&mut self, faces: usize) {
        if self.run.steps == 0 {
            self.run.steps = self.run.epochs * self.steps_of_epoch(faces);
        }
    }

    /// The network to build: with controls, its expressions are the shipped presets over them.
    pub fn network_config(&self) -> NetworkConfig {
        let mut network = self.network.clone();
        if !network.controls.is_empty() {
            network.presets = expression_presets(&network.controls);
        }
        network
    }

    /// Whether a discriminator is trained too.
    pub fn is_adversarial(&self) -> bool {
        self.objective.adversarial > 0.0 && self.network.variant != Variant::Single
    }
}
