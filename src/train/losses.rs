//! The values of the losses, read back from the device.

/// The values of a step's terms, unweighted; 0 where a term is not computed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Losses {
    /// The network's weighted sum.
    pub total: f32,
    /// Cross-entropy of recognition.
    pub classification: f32,
    /// L1 towards the target.
    pub l1: f32,
    /// L1 of the differences of neighbours.
    pub gradient_l1: f32,
    /// Squared difference of the feature net's features.
    pub features: f32,
    /// Least squares of the discriminator's scores towards real.
    pub adversarial: f32,
    /// Squared difference of the face drawn back.
    pub cycle: f32,
    /// Cross-entropy of the wanted expression on the redrawn face.
    pub synthetic_classification: f32,
    /// Roughness of the flow.
    pub roughness: f32,
    /// Squared difference of the controls.
    pub units: f32,
    /// L1 around the mouth.
    pub mouth_l1: f32,
    /// Cross-entropy of the cavity map.
    pub cavity: f32,
    /// Folds of the flow.
    pub folds: f32,
    /// How far the flow is from the known one.
    pub flow: f32,
    /// The discriminator's loss, mean of its steps.
    pub discriminator: f32,
}

impl Losses {
    /// Names of the values, in their order.
    pub const NAMES: [&'static str; 15] = [
        "total",
        "classification",
        "l1",
        "gradient_l1",
        "features",
        "adversarial",
        "cycle",
        "synthetic_classification",
        "roughness",
        "units",
        "mouth_l1",
        "cavity",
        "folds",
        "flow",
        "discriminator",
    ];

    /// The values, in the order of [`Losses::NAMES`].
    pub fn values(&self) -> [f32; 15] {
        [
            self.total,
            self.classification,
            self.l1,
            self.gradient_l1,
            self.features,
            self.adversarial,
            self.cycle,
            self.synthetic_classification,
            self.roughness,
            self.units,
            self.mouth_l1,
            self.cavity,
            self.folds,
            self.flow,
            self.discriminator,
        ]
    }

    /// From values in the order of [`Losses::NAMES`].
    pub fn from_values(values: [f32; 15]) -> Self {
        let [
            total,
            classification,
            l1,
            gradient_l1,
            features,
            adversarial,
            cycle,
            synthetic_classification,
            roughness,
            units,
            mouth_l1,
            cavity,
            folds,
            flow,
            discriminator,
        ] = values;
        Self {
            total,
            classification,
            l1,
            gradient_l1,
            features,
            adversarial,
            cycle,
            synthetic_classification,
            roughness,
            units,
            mouth_l1,
            cavity,
            folds,
            flow,
            discriminator,
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
