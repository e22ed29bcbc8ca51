//! What kind of FERSNet a weight file holds: edition, variant, width, channels, classes, head,
//! controls and presets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::kernels::GateConvention;

/// Side of the square face that the network takes and gives, in pixels.
pub const FACE_SIZE: usize = 96;

/// The widest base width that is accepted; the authors' largest network has 256.
pub const MAX_WIDTH: usize = 1024;

/// Which publication the layers follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edition {
    /// Figure 1 of the ICPR 2020 paper (arXiv 2007.04514): 3x3 ConvFLU, plain convolution blocks.
    #[serde(rename = "2020")]
    Paper2020,
    /// The authors' full release of 2021: 1x1 ConvFLU, residual blocks, a decoder with skips.
    #[serde(rename = "2021")]
    Release2021,
}

impl Edition {
    /// What z weighs in its ConvFLU units.
    pub fn gate_convention(self) -> GateConvention {
        match self {
            Self::Paper2020 => GateConvention::ZTakesCandidate,
            Self::Release2021 => GateConvention::ZKeepsInput,
        }
    }
}

/// Which of the networks that the paper compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// Two branches that exchange features through ConvFLU pairs.
    Fersnet,
    /// Baseline*: the FER blocks serve both tasks, without ConvFLU.
    Hard,
    /// Baseline: recognition alone.
    Single,
}

/// What the decoder's last convolution means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Head {
    /// Its k channels are the face (paper and release).
    #[default]
    Raw,
    /// k + 1 channels (d, a): face = x + sigmoid(a) . d.
    Residual,
    /// k + 3 channels (d, a, u, v): face = x re-sampled along the flow (u, v) + sigmoid(a) . d.
    Warp,
    /// 2k + 3 channels (c, a, u, v, s): face = (1 - m) . (x re-sampled along (u, v) + smooth(s)) + m . c
    /// with the cavity map m = sigmoid(a): only the inside of the mouth is painted.
    Blend,
}

impl Head {
    /// Output channels of the decoder's last convolution for a k-channel picture.
    pub fn channels(self, k: usize) -> usize {
        match self {
            Head::Raw => k,
            Head::Residual => k + 1,
            Head::Warp => k + 3,
            Head::Blend => 2 * k + 3,
        }
    }

    /// Whether the input is re-sampled along a flow.
    pub fn has_flow(self) -> bool {
        matches!(self, Head::Warp | Head::Blend)
    }
}

/// Expressions by name, each as named controls with their values.
pub type Presets = BTreeMap<String, BTreeMap<String, f32>>;

/// Everything that is needed to build a network: the JSON under the key `fersnet` of a weight
/// file's metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkConfig {
    /// The layers' edition.
    pub edition: Edition,
    /// The network among those that the paper compares.
    pub variant: Variant,
    /// Base width: C of the 2020 edition, n of the 2021 edition.
    pub width: usize,
    /// Channels k of the picture: 1 (grey) or 3 (RGB).
    pub channels: usize,
    /// Names of the E expressions, in the order of the logits.
    pub classes: Vec<String>,
    /// Head of the decoder.
    #[serde(default)]
    pub head: Head,
    /// 2020 edition: a fourth ConvFLU pair after block 4.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fourth_pair: bool,
    /// 2020 edition: one pair's weights serve all levels.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tied_pairs: bool,
    /// Names of the K controls (facial units, ARKit's names) that a target is a vector of, in order;
    /// empty: a target is a vector over the classes, as in the paper.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<String>,
    /// Expressions as named controls with their values; what is not named is 0.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub presets: Presets,
    /// Id of the decoder, where that is in a file of its own: without it the network only recognises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoder_apart: Option<String>,
    /// The mouth painter whose weights are in the file, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub painter: Option<PainterConfig>,
    /// Keys that this version does not know: kept and ignored.
    #[serde(flatten)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// The mouth painter: a U-Net that paints the inside of an opened mouth at the photo's resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PainterConfig {
    /// Channels of its first level.
    pub width: usize,
    /// Width of the mouth crop in pixels; its height is three quarters of it.
    pub crop_width: usize,
}

impl PainterConfig {
    /// Checks that such a painter exists.
    ///
    /// # Errors
    /// [`ConfigError::Painter`].
    pub fn validate(self) -> Result<(), ConfigError> {
        let Self { width, crop_width } = self;
        let fits = (1..=256).contains(&width)
            && (32..=512).contains(&crop_width)
            && crop_width.is_multiple_of(32);
        if fits {
            return Ok(());
        }
        Err(ConfigError::Painter {
            width,
            crop: crop_width,
        })
    }

    /// The crop's height in pixels.
    pub fn crop_height(self) -> usize {
        self.crop_width / 4 * 3
    }
}

/// Name under which a preset, a target and a data set state how much teeth a mouth shows (0 to 1): read
/// by the painter, not by the decoder.
pub const TEETH: &str = "teethShown";

/// Largest intensity of a preset and value of a single control in a target.
pub const MAX_INTENSITY: f32 = 1.2;

fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Why a configuration cannot be built.
#[derive(Debug, Error, PartialEq)]
pub enum ConfigError {
    /// The width is zero, too large or not divisible as the edition needs.
    #[error("width {width} does not fit the {edition} edition: {rule}")]
    Width {
        /// The width that was asked for.
        width: usize,
        /// The edition's year.
        edition: &'static str,
        /// What a width has to be.
        rule: &'static str,
    },
    /// Neither grey nor RGB.
    #[error("{0} picture channels: a face has 1 (grey) or 3 (RGB)")]
    Channels(usize),
    /// Too few classes, or two of one name.
    #[error("classes {0:?}: at least two different, non-empty names are needed")]
    Classes(Vec<String>),
    /// An option of the 2020 edition was asked of the 2021 edition.
    #[error("{0} is an option of the 2020 edition; leave it out for the 2021 edition")]
    Option(&'static str),
    /// Two controls of one name, or one without a name.
    #[error("controls {0:?}: their names have to be different and not empty")]
    Controls(Vec<String>),
    /// A preset names what is no control, or a value that is no number.
    #[error("preset `{preset}`: {what}")]
    Preset {
        /// The preset.
        preset: String,
        /// What is wrong with it.
        what: String,
    },
    /// A painter of an impossible size.
    #[error(
        "the painter has width {width} and a crop of {crop} pixels: 1 to 256, and a multiple of 32 up to 512, do"
    )]
    Painter {
        /// Its width.
        width: usize,
        /// Its crop's width.
        crop: usize,
    },
}

impl NetworkConfig {
    /// A network of the given kind with the default head and options.
    pub fn new(
        edition: Edition,
        variant: Variant,
        width: usize,
        channels: usize,
        classes: &[&str],
    ) -> Self {
        Self {
            edition,
            variant,
            width,
            channels,
            classes: classes.iter().map(|name| (*name).to_owned()).collect(),
            head: Head::Raw,
            fourth_pair: false,
            tied_pairs: false,
            controls: Vec::new(),
            presets: BTreeMap::new(),
            decoder_apart: None,
            painter: None,
            extra: serde_json::Map::new(),
        }
    }

    /// The same network with another head.
    pub fn with_head(mut self, head: Head) -> Self {
        self.head = head;
        self
    }

    /// The same network with a target of named controls.
    pub fn with_controls(mut self, controls: &[&str]) -> Self {
        self.controls = controls.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Length of a target: the controls K, or the classes E where there are none.
    pub fn target_width(&self) -> usize {
        if self.controls.is_empty() {
            self.classes.len()
        } else {
            self.controls.len()
        }
    }

    /// An expression as a target: its preset over the controls, or one-hot where there are none. None
    /// for a name that is neither a preset nor, without controls, a class.
    pub fn preset(&self, name: &str) -> Option<Vec<f32>> {
        if self.controls.is_empty() {
            let index = self.classes.iter().position(|class| class == name)?;
            let mut target = vec![0.0; self.classes.len()];
            target[index] = 1.0;
            return Some(target);
        }
        let preset = self.presets.get(name)?;
        let value = |control: &String| preset.get(control).copied().unwrap_or_default();
        Some(self.controls.iter().map(value).collect())
    }

    /// The target of each class, in their order; none where a class has no preset.
    pub fn each_expression(&self) -> Option<Vec<Vec<f32>>> {
        self.classes
            .iter()
            .map(|class| self.preset(class))
            .collect()
    }

    /// Whether the other network has the same layers and answers for the same classes.
    pub fn same_layers(&self, other: &Self) -> bool {
        let bare = |config: &Self| Self {
            presets: BTreeMap::new(),
            painter: None,
            extra: serde_json::Map::new(),
            ..config.clone()
        };
        bare(self) == bare(other)
    }

    /// Checks that a network of this kind exists.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the first value that does not fit.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let width_error = |edition, rule| ConfigError::Width {
            width: self.width,
            edition,
            rule,
        };
        if self.width == 0 || self.width > MAX_WIDTH {
            return Err(width_error(self.edition_name(), "1 to 1024"));
        }
        match self.edition {
            Edition::Paper2020 if !self.width.is_multiple_of(4) => {
                return Err(width_error(
                    "2020",
                    "a multiple of 4, since the decoder narrows to a quarter of it",
                ));
            }
            Edition::Release2021 if self.fourth_pair => {
                return Err(ConfigError::Option("fourth_pair"));
            }
            Edition::Release2021 if self.tied_pairs => {
                return Err(ConfigError::Option("tied_pairs"));
            }
            _ => {}
        }
        if self.channels != 1 && self.channels != 3 {
            return Err(ConfigError::Channels(self.channels));
        }
        let distinct: std::collections::BTreeSet<_> = self.classes.iter().collect();
        if self.classes.len() < 2
            || distinct.len() != self.classes.len()
            || self.classes.iter().any(|name| name.trim().is_empty())
        {
            return Err(ConfigError::Classes(self.classes.clone()));
        }
        self.validate_controls()?;
        self.painter.map_or(Ok(()), PainterConfig::validate)
    }

    fn validate_controls(&self) -> Result<(), ConfigError> {
        let distinct: std::collections::BTreeSet<_> = self.controls.iter().collect();
        let reserved = |name: &String| name.trim().is_empty() || name == TEETH;
        if distinct.len() != self.controls.len() || self.controls.iter().any(reserved) {
            return Err(ConfigError::Controls(self.controls.clone()));
        }
        for (preset, values) in &self.presets {
            let error = |what| ConfigError::Preset {
                preset: preset.clone(),
                what,
            };
            for (name, value) in values {
                if name != TEETH && !distinct.contains(name) {
                    let known = self.controls.join(", ");
                    return Err(error(format!("`{name}` is none of the controls {known}")));
                }
                if !value.is_finite() || *value < 0.0 {
                    return Err(error(format!("{name} is {value}, and has to be 0 or more")));
                }
            }
        }
        Ok(())
    }

    /// The edition's year, as weight files write it.
    pub fn edition_name(&self) -> &'static str {
        match self.edition {
            Edition::Paper2020 => "2020",
            Edition::Release2021 => "2021",
        }
    }

    /// Whether the network synthesises faces: all variants but the single-task baseline, where the decoder is there.
    pub fn synthesises(&self) -> bool {
        self.variant != Variant::Single && self.decoder_apart.is_none()
    }

    /// Number of ConvFLU pairs.
    pub fn pairs(&self) -> usize {
        match self.variant {
            Variant::Fersnet => 3 + usize::from(self.fourth_pair),
            Variant::Hard | Variant::Single => 0,
        }
    }
}
