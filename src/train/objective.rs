//! The training objective: from the networks and a batch to the network's loss and the
//! discriminator's.
//!
//! The 2021 release: cross-entropy + L1 + 0.05 features + 0.3 adversarial + 0.5 cycle for the network;
//! for the discriminator the mean of the least squares of real faces towards 1 and of drawn ones
//! towards 0. The other terms are this project's.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::batch::Batch;
use super::config::Objective;
use super::features::Features as FeatureNet;
use super::terms::{
    cavity_cross_entropy, emphasised_l1, flow_error, flow_folds, flow_roughness, gradient_l1,
    least_squares, mouth_l1, soft_cross_entropy, squared_error, units_error,
};
use crate::network::{Discriminator, Drawn, Encoded, Features, Network, NetworkConfig};
use crate::tensor::planar_tensor;

/// A batch on the device. Rows: labelled faces, sources of pairs, unpaired faces; the last two kinds
/// are redrawn (`drawn` = pairs + unpaired).
#[derive(Debug, Clone)]
pub struct Inputs {
    /// All faces, `[labelled + drawn, k, size, size]`.
    pub faces: Tensor<4>,
    /// Their labels, `[labelled + drawn, E]`.
    pub labels: Tensor<2>,
    /// Weights of the labels, `[labelled + drawn]`.
    pub label_weights: Tensor<1>,
    /// Targets of the pairs, `[pairs, k, size, size]`.
    pub targets: Option<Tensor<4>>,
    /// What is to be drawn, `[drawn, E]`, or `[drawn, K]` with controls; none when nothing is redrawn.
    pub wanted: Option<Tensor<2>>,
    /// The expressions that are wanted, `[drawn, E]`, where a target is one; none with controls.
    pub wanted_classes: Option<Tensor<2>>,
    /// Controls of all faces, `[labelled + drawn, K]`, and which are known, `[labelled + drawn]`.
    pub units: Option<(Tensor<2>, Tensor<1>)>,
    /// Inside of the targets' mouths.
    pub cavities: Option<Cavities>,
    /// Where the targets' pixels come from, `[pairs, 2, size, size]` (x then y) in widths of the face, and 1
    /// where it is known, `[pairs, 1, size, size]`.
    pub flows: Option<(Tensor<4>, Tensor<4>)>,
    /// Rows before the first face that is redrawn.
    pub labelled: usize,
    /// Redrawn faces with a target; they come first among the redrawn.
    pub pairs: usize,
    /// Redrawn faces.
    pub drawn: usize,
}

/// The insides of the targets' mouths.
#[derive(Debug, Clone)]
pub struct Cavities {
    /// 1 inside, `[pairs, 1, size, size]`.
    pub maps: Tensor<4>,
    /// 1 where the map is known, `[pairs, 1, 1, 1]`.
    pub known: Tensor<4>,
    /// 1 where the colours inside teach something, `[pairs, 1, size, size]`: not where a program drew them.
    pub teaches: Tensor<4>,
}

impl Inputs {
    /// Moves a batch to a device, for a network of this kind; a grey one gets the luma.
    pub fn new(batch: &Batch, network: &NetworkConfig, device: &Device) -> Self {
        let (channels, classes) = (network.channels, network.classes.len());
        let controls = network.controls.len();
        let shape = batch.shape;
        let drawn = shape.pairs + shape.unpaired;
        let rows = shape.labelled + drawn;
        let faces = |values: &[f32]| planar_tensor(values.to_vec(), channels, shape.size, device);
        let table = |values: &[f32], [rows, width]: [usize; 2]| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), [rows, width]), device)
        };
        let list = |values: &[f32]| {
            Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
        };
        let shown = &batch.shown;
        let wanted = (drawn > 0).then(|| table(&batch.wanted, [drawn, network.target_width()]));
        Self {
            faces: faces(&batch.faces),
            labels: table(&batch.labels, [rows, classes]),
            label_weights: list(&batch.label_weights),
            targets: (shape.pairs > 0).then(|| faces(&batch.targets)),
            wanted_classes: wanted.clone().filter(|_| controls == 0),
            wanted,
            units: (controls > 0).then(|| {
                let units = table(&shown.units, [rows, controls]);
                (units, list(&shown.units_known))
            }),
            cavities: (shape.pairs > 0).then(|| {
                let size = [shape.pairs, 1, shape.size, shape.size];
                let maps = TensorData::new(shown.cavities.clone(), size);
                let maps = Tensor::<4>::from_data(maps, device);
                let each = |values: &[f32]| list(values).reshape([shape.pairs, 1, 1, 1]);
                Cavities {
                    teaches: -(maps.clone() * each(&shown.cavities_drawn)) + 1.0,
                    known: each(&shown.cavities_known),
                    maps,
                }
            }),
            flows: (shape.pairs > 0).then(|| {
                let maps = |values: &[f32], channels: usize| {
                    let size = [shape.pairs, channels, shape.size, shape.size];
                    Tensor::<4>::from_data(TensorData::new(values.to_vec(), size), device)
                };
                (maps(&shown.flows, 2), maps(&shown.flows_known, 1))
            }),
            labelled: shape.labelled,
            pairs: shape.pairs,
            drawn,
        }
    }

    /// The faces that are redrawn, `[drawn, k, size, size]`.
    fn sources(&self) -> Tensor<4> {
        self.faces.clone().narrow(0, self.labelled, self.drawn)
    }

    /// What they show as a target, `[drawn, E or K]`.
    fn source_targets(&self) -> Tensor<2> {
        let shown = match &self.units {
            Some((units, _)) => units,
            None => &self.labels,
        };
        shown.clone().narrow(0, self.labelled, self.drawn)
    }

    /// Real faces with what they show for the discriminator: the targets of the pairs, and the unpaired
    /// faces themselves. `[drawn, k, size, size]` and `[drawn, E or K]`.
    pub fn real(&self) -> (Tensor<4>, Tensor<2>) {
        let unpaired = self.drawn - self.pairs;
        let (mut faces, mut labels) = (Vec::new(), Vec::new());
        if let (Some(targets), Some(wanted)) = (&self.targets, &self.wanted) {
            faces.push(targets.clone());
            labels.push(wanted.clone().narrow(0, 0, self.pairs));
        }
        if unpaired > 0 {
            let start = self.labelled + self.pairs;
            faces.push(self.faces.clone().narrow(0, start, unpaired));
            labels.push(self.source_targets().narrow(0, self.pairs, unpaired));
        }
        (Tensor::cat(faces, 0), Tensor::cat(labels, 0))
    }
}

/// One pass of the network over a batch.
pub struct Pass {
    /// Scores of all faces, `[labelled + drawn, E]`.
    pub logits: Tensor<2>,
    /// Controls that are read off all faces, `[labelled + drawn, K]`.
    pub units: Option<Tensor<2>>,
    /// The redrawn faces; none for the single-task baseline, or when none are asked for.
    pub redrawn: Option<Redrawn>,
}

/// Redrawn faces with the targets that were asked for.
pub struct Redrawn {
    /// The faces, `[drawn, k, size, size]`, and what changed.
    pub drawn: Drawn,
    /// Their targets, `[drawn, E or K]`.
    pub wanted: Tensor<2>,
}

/// Reads every face of the batch and redraws those that are to be.
pub fn pass(network: &Network, inputs: &Inputs, frozen_encoder: bool) -> Pass {
    let encoded = if frozen_encoder {
        encode_frozen(network, inputs.faces.clone())
    } else {
        network.encode(inputs.faces.clone(), false)
    };
    let redrawn = inputs.wanted.clone().and_then(|wanted| {
        let sources = encoded.narrow(inputs.labelled, inputs.drawn);
        let drawn = network.decode(&sources, wanted.clone())?;
        Some(Redrawn { drawn, wanted })
    });
    Pass {
        logits: encoded.logits,
        units: encoded.units,
        redrawn,
    }
}

/// The faces encoded by constant weights and running statistics; the layer that reads the controls off
/// them learns all the same.
fn encode_frozen(network: &Network, faces: Tensor<4>) -> Encoded {
    let mut encoded = network.valid().encode(faces.inner(), false);
    encoded.x = Tensor::from_inner(encoded.x);
    encoded.logits = Tensor::from_inner(encoded.logits);
    encoded.class_features = Tensor::from_inner(encoded.class_features);
    encoded.features = encoded.features.map(|features| Features {
        bottleneck: Tensor::from_inner(features.bottleneck),
        skips: features.skips.into_iter().map(Tensor::from_inner).collect(),
    });
    encoded.units = network.units_of(&encoded);
    encoded
}

/// The terms of the network's loss, unweighted; absent where the weight is 0 or the batch has no
/// face for them. Each `[1]`.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Cross-entropy of recognition.
    pub classification: Option<Tensor<1>>,
    /// L1 towards the target, heavier where the target differs from the source.
    pub l1: Option<Tensor<1>>,
    /// L1 of the differences of neighbours.
    pub gradient_l1: Option<Tensor<1>>,
    /// Squared difference of the feature net's features.
    pub features: Option<Tensor<1>>,
    /// Least squares of the discriminator's scores towards real.
    pub adversarial: Option<Tensor<1>>,
    /// Squared difference of the face drawn back and the source.
    pub cycle: Option<Tensor<1>>,
    /// Cross-entropy of the wanted expression on the redrawn face.
    pub synthetic_classification: Option<Tensor<1>>,
    /// Roughness of the flow.
    pub roughness: Option<Tensor<1>>,
    /// Squared difference of the controls.
    pub units: Option<Tensor<1>>,
    /// L1 around the mouth.
    pub mouth_l1: Option<Tensor<1>>,
    /// Cross-entropy of the cavity map.
    pub cavity: Option<Tensor<1>>,
    /// Folds of the flow.
    pub folds: Option<Tensor<1>>,
    /// How far the flow is from the known one.
    pub flow: Option<Tensor<1>>,
}

impl Terms {
    /// The terms with their weights, in the order of [`super::losses::Losses`].
    pub fn weighted(&self, weights: &Objective) -> [(Option<&Tensor<1>>, f64); 13] {
        [
            (self.classification.as_ref(), weights.classification),
            (self.l1.as_ref(), weights.l1),
            (self.gradient_l1.as_ref(), weights.gradient_l1),
            (self.features.as_ref(), weights.features),
            (self.adversarial.as_ref(), weights.adversarial),
            (self.cycle.as_ref(), weights.cycle),
            (
                self.synthetic_classification.as_ref(),
                weights.synthetic_classification,
            ),
            (self.roughness.as_ref(), weights.roughness),
            (self.units.as_ref(), weights.units),
            (self.mouth_l1.as_ref(), weights.mouth_l1),
            (self.cavity.as_ref(), weights.cavity),
            (self.folds.as_ref(), weights.folds),
            (self.flow.as_ref(), weights.flow),
        ]
    }

    /// The weighted sum; none when no term is there.
    pub fn total(&self, weights: &Objective) -> Option<Tensor<1>> {
        self.weighted(weights)
            .into_iter()
            .filter_map(|(term, weight)| Some(term?.clone() * weight))
            .reduce(|sum, term| sum + term)
    }
}

/// What the network's loss looks at beside the network.
pub struct Judges<'a> {
    /// The discriminator, its weights constant.
    pub discriminator: Option<Discriminator>,
    /// The feature net.
    pub features: Option<&'a FeatureNet>,
}

/// The terms of the network's loss over one pass.
pub fn network_terms(
    network: &Network,
    judges: &Judges<'_>,
    inputs: &Inputs,
    pass: &Pass,
    weights: &Objective,
) -> Terms {
    let mut terms = Terms {
        classification: (weights.classification > 0.0).then(|| {
            soft_cross_entropy(
                pass.logits.clone(),
                inputs.labels.clone(),
                inputs.label_weights.clone(),
            )
        }),
        ..Terms::default()
    };
    if let (true, Some(units), Some((truth, known))) =
        (weights.units > 0.0, &pass.units, &inputs.units)
    {
        terms.units = Some(units_error(units.clone(), truth.clone(), known.clone()));
    }
    if let Some(redrawn) = &pass.redrawn {
        target_terms(&mut terms, judges, inputs, &redrawn.drawn, weights);
        free_terms(&mut terms, network, judges, inputs, redrawn, weights);
    }
    terms
}

/// The terms that compare with a target.
fn target_terms(
    terms: &mut Terms,
    judges: &Judges<'_>,
    inputs: &Inputs,
    drawn: &Drawn,
    weights: &Objective,
) {
    let Some(target) = &inputs.targets else {
        return;
    };
    let mut face = drawn.face.clone().narrow(0, 0, inputs.pairs); // [pairs, k, size, size]
    if let Some(cavities) = &inputs.cavities {
        // What a program drew inside a mouth is no colour to learn: there the face is its own target.
        let teaches = cavities.teaches.clone();
        face = face * teaches.clone() + target.clone() * (-teaches + 1.0);
        if let (true, Some(change)) = (weights.cavity > 0.0, &drawn.change) {
            let mask = change.mask.clone().narrow(0, 0, inputs.pairs);
            terms.cavity = Some(cavity_cross_entropy(mask, cavities));
        }
    }
    let flow = drawn
        .change
        .as_ref()
        .and_then(|change| change.flow.as_ref());
    if let (true, Some(flow), Some((truth, known))) = (weights.flow > 0.0, flow, &inputs.flows) {
        let flow = flow.clone().narrow(0, 0, inputs.pairs);
        terms.flow = Some(flow_error(flow, truth.clone(), known.clone()));
    }
    if weights.mouth_l1 > 0.0 {
        terms.mouth_l1 = Some(mouth_l1(face.clone(), target.clone()));
    }
    let source = inputs.sources().narrow(0, 0, inputs.pairs);
    if weights.l1 > 0.0 {
        let l1 = emphasised_l1(face.clone(), target.clone(), source, weights.emphasis);
        terms.l1 = Some(l1);
    }
    if weights.gradient_l1 > 0.0 {
        terms.gradient_l1 = Some(gradient_l1(face.clone(), target.clone()));
    }
    if let (true, Some(features)) = (weights.features > 0.0, judges.features) {
        terms.features = Some(features.difference(face, target.clone()));
    }
}

/// The terms that need no target.
fn free_terms(
    terms: &mut Terms,
    network: &Network,
    judges: &Judges<'_>,
    inputs: &Inputs,
    redrawn: &Redrawn,
    weights: &Objective,
) {
    let Redrawn { drawn, wanted } = redrawn;
    let face = &drawn.face;
    if let (true, Some(discriminator)) = (weights.adversarial > 0.0, &judges.discriminator) {
        let scores = discriminator.forward(face.clone(), wanted.clone());
        terms.adversarial = Some(least_squares(scores, 1.0));
    }
    if weights.cycle > 0.0 {
        let again = network.encode(face.clone(), false);
        terms.cycle = network
            .decode(&again, inputs.source_targets())
            .map(|back| squared_error(back.face, inputs.sources()));
    }
    if let (true, Some(wanted)) = (
        weights.synthetic_classification > 0.0,
        &inputs.wanted_classes,
    ) {
        // The reader is held fixed: it would else learn to see what the drawer does not show.
        let logits = network.valid().encode(face.clone(), false).logits;
        let even = Tensor::ones([inputs.drawn], &face.device());
        terms.synthetic_classification = Some(soft_cross_entropy(logits, wanted.clone(), even));
    }
    if weights.roughness > 0.0 {
        terms.roughness = flow_roughness(drawn);
    }
    if weights.folds > 0.0 {
        terms.folds = flow_folds(drawn);
    }
}

/// The discriminator's loss: how far it is from scoring real faces 1 and redrawn ones 0. The network
/// learns nothing from it.
pub fn discriminator_loss(
    discriminator: &Discriminator,
    inputs: &Inputs,
    redrawn: &Redrawn,
) -> Tensor<1> {
    let (real, labels) = inputs.real();
    let real = least_squares(discriminator.forward(real, labels), 1.0);
    let face = redrawn.drawn.face.clone().detach();
    let drawn = least_squares(discriminator.forward(face, redrawn.wanted.clone()), 0.0);
    (real + drawn) / 2.0
}
