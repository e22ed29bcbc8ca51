//! The networks that the paper compares.

use serde::{Deserialize, Serialize};

use crate::network;

/// One of the table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// Recognition alone.
    Baseline,
    /// Hard sharing: the recognition blocks serve both tasks.
    BaselineStar,
    /// Two branches with ConvFLU.
    Fersnet,
    /// FERSNet, fine-tuned with synthetic faces of its own.
    FersnetStar,
    /// FERSNet, fine-tuned as long with the photographs alone. Not in the paper: without it nobody
    /// could tell what the synthetic faces do from what more training does.
    FersnetLonger,
}

/// Accuracies that the paper reports (arXiv 2007.04514, ten folds, single pictures), in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Paper {
    /// On CK+, seven expressions.
    pub ck_plus: f64,
    /// On Oulu-CASIA, six expressions.
    pub oulu_casia: f64,
}

impl Variant {
    /// The rows, in the paper's order, in which each builds on those above; then the control.
    pub const ALL: [Self; 5] = [
        Self::Baseline,
        Self::BaselineStar,
        Self::Fersnet,
        Self::FersnetStar,
        Self::FersnetLonger,
    ];

    /// The paper's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "Baseline",
            Self::BaselineStar => "Baseline*",
            Self::Fersnet => "FERSNet",
            Self::FersnetStar => "FERSNet*",
            Self::FersnetLonger => "FERSNet, as long",
        }
    }

    /// Name of its folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::BaselineStar => "baseline-star",
            Self::Fersnet => "fersnet",
            Self::FersnetStar => "fersnet-star",
            Self::FersnetLonger => "fersnet-longer",
        }
    }

    /// Its layers.
    pub fn network(self) -> network::Variant {
        match self {
            Self::Baseline => network::Variant::Single,
            Self::BaselineStar => network::Variant::Hard,
            Self::Fersnet | Self::FersnetStar | Self::FersnetLonger => network::Variant::Fersnet,
        }
    }

    /// Whether it goes on from FERSNet's weights.
    pub fn is_fine_tuned(self) -> bool {
        matches!(self, Self::FersnetStar | Self::FersnetLonger)
    }

    /// What the paper reports; none for the control.
    pub fn paper(self) -> Option<Paper> {
        let (ck_plus, oulu_casia) = match self {
            Self::Baseline => (94.66, 73.33),
            Self::BaselineStar => (96.39, 77.92),
            Self::Fersnet => (97.42, 83.0),
            Self::FersnetStar => (98.04, 87.63),
            Self::FersnetLonger => return None,
        };
        Some(Paper {
            ck_plus,
            oulu_casia,
        })
    }
}
