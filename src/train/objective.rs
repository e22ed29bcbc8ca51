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
use super::term::{PerTerm, Term};
use super::terms::{
    cavity_cross_entropy, emphasised_l1, flow_error, flow_folds, flow_smoothness, gradient_l1,
    least_squares, mouth_l1, soft_cross_entropy, squared_error, units_error,
};
use crate::network::{Discriminator, Encoded, Features, Network, NetworkConfig, Synthesised};
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
    pub drawn: Synthesised,
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

/// The terms of the network's loss, unweighted, each `[1]`; absent where the weight is 0 or the batch has no
/// face for them.
#[derive(Debug, Clone)]
pub struct Terms {
    weights: Objective,
    /// The terms.
    pub values: PerTerm<Option<Tensor<1>>>,
}

impl Terms {
    /// None of them yet.
    fn new(weights: &Objective) -> Self {
        Self {
            weights: *weights,
            values: PerTerm::default(),
        }
    }

    /// Computes a term that has a weight.
    fn add(&mut self, term: Term, compute: impl FnOnce() -> Option<Tensor<1>>) {
        if self.weights.weight(term) > 0.0 {
            self.values[term] = compute();
        }
    }

    /// The weighted sum; none when no term is there.
    pub fn total(&self) -> Option<Tensor<1>> {
        self.values
            .iter()
            .filter_map(|(term, value)| Some(value.clone()? * self.weights.weight(term)))
            .reduce(|sum, term| sum + term)
    }
}

/// What the network's loss looks at beside the network.
pub struct Critics<'a> {
    /// The discriminator, its weights constant.
    pub discriminator: Option<Discriminator>,
    /// The feature net.
    pub features: Option<&'a FeatureNet>,
}

/// The terms of the network's loss over one pass.
pub fn network_terms(
    network: &Network,
    critics: &Critics<'_>,
    inputs: &Inputs,
    pass: &Pass,
    weights: &Objective,
) -> Terms {
    let mut terms = Terms::new(weights);
    terms.add(Term::Classification, || {
        let (labels, weights) = (inputs.labels.clone(), inputs.label_weights.clone());
        Some(soft_cross_entropy(pass.logits.clone(), labels, weights))
    });
    terms.add(Term::Units, || {
        let (truth, known) = inputs.units.clone()?;
        Some(units_error(pass.units.clone()?, truth, known))
    });
    if let Some(redrawn) = &pass.redrawn {
        target_terms(&mut terms, critics, inputs, &redrawn.drawn);
        free_terms(&mut terms, network, critics, inputs, redrawn);
    }
    terms
}

/// The terms that compare with a target.
fn target_terms(terms: &mut Terms, critics: &Critics<'_>, inputs: &Inputs, drawn: &Synthesised) {
    let Some(target) = &inputs.targets else {
        return;
    };
    let of_pairs = |map: &Tensor<4>| map.clone().narrow(0, 0, inputs.pairs);
    let change = drawn.change.as_ref();
    terms.add(Term::Cavity, || {
        let mask = of_pairs(&change?.mask);
        Some(cavity_cross_entropy(mask, inputs.cavities.as_ref()?))
    });
    terms.add(Term::Flow, || {
        let (truth, known) = inputs.flows.clone()?;
        Some(flow_error(of_pairs(change?.flow.as_ref()?), truth, known))
    });
    let mut face = of_pairs(&drawn.face); // [pairs, k, size, size]
    if let Some(cavities) = &inputs.cavities {
        // What a program drew inside a mouth is no colour to learn: there the face is its own target.
        let teaches = cavities.teaches.clone();
        face = face * teaches.clone() + target.clone() * (-teaches + 1.0);
    }
    terms.add(Term::MouthL1, || {
        Some(mouth_l1(face.clone(), target.clone()))
    });
    let emphasis = terms.weights.emphasis;
    terms.add(Term::L1, || {
        let source = of_pairs(&inputs.sources());
        Some(emphasised_l1(
            face.clone(),
            target.clone(),
            source,
            emphasis,
        ))
    });
    terms.add(Term::GradientL1, || {
        Some(gradient_l1(face.clone(), target.clone()))
    });
    terms.add(Term::Features, || {
        Some(critics.features?.difference(face, target.clone()))
    });
}

/// The terms that need no target.
fn free_terms(
    terms: &mut Terms,
    network: &Network,
    critics: &Critics<'_>,
    inputs: &Inputs,
    redrawn: &Redrawn,
) {
    let Redrawn { drawn, wanted } = redrawn;
    let face = &drawn.face;
    terms.add(Term::Adversarial, || {
        let discriminator = critics.discriminator.as_ref()?;
        let scores = discriminator.forward(face.clone(), wanted.clone());
        Some(least_squares(scores, 1.0))
    });
    terms.add(Term::Cycle, || {
        let again = network.encode(face.clone(), false);
        let back = network.decode(&again, inputs.source_targets())?;
        Some(squared_error(back.face, inputs.sources()))
    });
    terms.add(Term::SyntheticClassification, || {
        let wanted = inputs.wanted_classes.clone()?;
        // The reader is held fixed: it would else learn to see what the drawer does not show.
        let logits = network.valid().encode(face.clone(), false).logits;
        let even = Tensor::ones([inputs.drawn], &face.device());
        Some(soft_cross_entropy(logits, wanted, even))
    });
    terms.add(Term::FlowSmoothness, || flow_smoothness(drawn));
    terms.add(Term::Folds, || flow_folds(drawn));
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
