//! A new network from the weights of another one: what fits is taken as it is, targets of classes become
//! targets of controls, and a warp head's flow that of a blend head; the rest begins anew.

use std::collections::HashMap;

use burn::tensor::Device;

use super::TrainError;
use crate::network::weights::{self, StoredTensor};
use crate::network::{Head, Network, NetworkConfig};

/// Part of the Gram matrix's mean diagonal that is added to it: presets may nearly depend on one another.
const RIDGE: f64 = 1e-3;

/// How many of the new network's tensors came from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// As they are.
    pub same: usize,
    /// Turned into the new network's kind.
    pub turned: usize,
    /// All tensors of the new network.
    pub all: usize,
}

/// Builds the network of `config` with what fits of `old`.
///
/// # Errors
/// [`TrainError`] when no such network exists.
pub fn transfer(
    old: &Network,
    config: NetworkConfig,
    device: &Device,
) -> Result<(Network, Taken), TrainError> {
    let stored: HashMap<String, StoredTensor> = weights::to_tensors(old).into_iter().collect();
    let fresh = weights::to_tensors(&Network::new(config.clone(), device)?);
    let targets = Targets::between(old.config(), &config);
    let flow = FlowRows::between(old.config(), &config);
    let mut taken = Taken {
        same: 0,
        turned: 0,
        all: fresh.len(),
    };
    let mut tensors = HashMap::with_capacity(fresh.len());
    for (name, new) in fresh {
        let is_target = is_target_layer(&name);
        let same = stored.get(&name).filter(|own| own.shape == new.shape);
        let turned = if is_target && targets.is_some() {
            targets
                .as_ref()
                .and_then(|targets| targets.turn(&name, &stored))
        } else if is_last_layer(&name) {
            flow.and_then(|flow| flow.turn(stored.get(&name)?, &new))
        } else {
            None
        };
        let tensor = match (turned, same) {
            (Some(turned), _) => {
                taken.turned += 1;
                turned
            }
            // A target layer that cannot be turned has another meaning, even where its shape fits.
            (None, Some(same)) if !(is_target && targets.is_some()) => {
                taken.same += 1;
                same.clone()
            }
            _ => new,
        };
        tensors.insert(name, tensor);
    }
    Ok((weights::from_tensors(config, tensors, device)?, taken))
}

/// The linear layers that read a target.
fn is_target_layer(name: &str) -> bool {
    name.contains(".style_1d.") || name.starts_with("transformer.linear.")
}

/// The convolution whose channels the head reads.
fn is_last_layer(name: &str) -> bool {
    name.starts_with("decoder.out_layer.") || name.starts_with("decoder.up.4.conv2.")
}

/// From targets of classes to targets of controls: the layer gives for each preset what it gave for the
/// class, and for the neutral face, whose controls are 0, its bias.
struct Targets {
    /// Index of the neutral class.
    neutral: usize,
    /// The other classes with a preset.
    classes: Vec<usize>,
    /// For each of them and each control: (P P' + ridge)^-1 P, `[classes, controls]`.
    solution: Vec<Vec<f64>>,
}

impl Targets {
    /// None unless the old network's targets are classes and the new one's controls.
    fn between(old: &NetworkConfig, new: &NetworkConfig) -> Option<Self> {
        if !old.controls.is_empty() || new.controls.is_empty() {
            return None;
        }
        let preset = |class: &String| new.preset(class);
        let is_zero = |class: &String| preset(class).is_some_and(|p| p.iter().all(|v| *v == 0.0));
        let neutral = old.classes.iter().position(is_zero)?;
        let others = old
            .classes
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != neutral);
        let (classes, presets): (Vec<usize>, Vec<Vec<f64>>) = others
            .filter_map(|(i, class)| Some((i, preset(class)?.into_iter().map(f64::from).collect())))
            .unzip();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let count = presets.len();
        let trace: f64 = presets.iter().map(|p| dot(p, p)).sum();
        let gram: Vec<Vec<f64>> = (0..count)
            .map(|i| {
                let ridge = |j| {
                    if i == j {
                        RIDGE * trace / count as f64
                    } else {
                        0.0
                    }
                };
                (0..count)
                    .map(|j| dot(&presets[i], &presets[j]) + ridge(j))
                    .collect()
            })
            .collect();
        Some(Self {
            neutral,
            classes,
            solution: solve(gram, presets)?,
        })
    }

    /// The layer's weight `[outputs, controls]` or bias `[outputs]` from the old one's `[outputs, E]`.
    fn turn(&self, name: &str, stored: &HashMap<String, StoredTensor>) -> Option<StoredTensor> {
        let (stem, leaf) = name.rsplit_once('.')?;
        let weight = stored.get(&format!("{stem}.weight"))?;
        let bias = stored.get(&format!("{stem}.bias"))?;
        let &[outputs, width] = weight.shape.as_slice() else {
            return None;
        };
        let rows = weight.values.chunks_exact(width);
        if leaf == "bias" {
            let values = rows
                .zip(&bias.values)
                .map(|(row, bias)| bias + row[self.neutral]);
            return Some(StoredTensor {
                values: values.collect(),
                shape: vec![outputs],
            });
        }
        let controls = self.solution.first()?.len();
        let row = |row: &[f32]| -> Vec<f32> {
            let mut new = vec![0.0; controls];
            for (class, solution) in self.classes.iter().zip(&self.solution) {
                let change = f64::from(row[*class] - row[self.neutral]);
                for (value, part) in new.iter_mut().zip(solution) {
                    *value += change * part;
                }
            }
            new.into_iter().map(|value| value as f32).collect()
        };
        Some(StoredTensor {
            values: rows.flat_map(row).collect(),
            shape: vec![outputs, controls],
        })
    }
}

/// The flow's two channels of the last convolution, from a warp head to a blend head.
#[derive(Debug, Clone, Copy)]
struct FlowRows {
    /// Channels k of the picture.
    k: usize,
}

impl FlowRows {
    fn between(old: &NetworkConfig, new: &NetworkConfig) -> Option<Self> {
        let fits =
            (old.head, new.head) == (Head::Warp, Head::Blend) && old.channels == new.channels;
        fits.then_some(Self { k: old.channels })
    }

    /// Both heads have the flow after k + 1 channels; the blend head's layer sees further channels
    /// before those that the warp head's sees.
    fn turn(self, old: &StoredTensor, new: &StoredTensor) -> Option<StoredTensor> {
        let mut turned = new.clone();
        let length = |tensor: &StoredTensor| tensor.shape[1..].iter().product::<usize>();
        let (from, to) = (length(old), length(new));
        for channel in [self.k + 1, self.k + 2] {
            let own = old.values.get(channel * from..(channel + 1) * from)?;
            let row = turned.values.get_mut(channel * to..(channel + 1) * to)?;
            let further = to.checked_sub(from)?;
            row[..further].fill(0.0);
            row[further..].copy_from_slice(own);
        }
        Some(turned)
    }
}

/// Solves A X = B by elimination with pivots; none for a singular A.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let n = a.len();
    for column in 0..n {
        let pivot =
            (column..n).max_by(|i, j| a[*i][column].abs().total_cmp(&a[*j][column].abs()))?;
        a.swap(column, pivot);
        b.swap(column, pivot);
        if a[column][column].abs() < f64::EPSILON {
            return None;
        }
        let (head, pivot_row, own) = (a[column][column], a[column].clone(), b[column].clone());
        for row in (0..n).filter(|row| *row != column) {
            let factor = a[row][column] / head;
            for (value, part) in a[row].iter_mut().zip(&pivot_row) {
                *value -= factor * part;
            }
            for (value, part) in b[row].iter_mut().zip(&own) {
                *value -= factor * part;
            }
        }
    }
    for (row, values) in b.iter_mut().enumerate() {
        let head = a[row][row];
        values.iter_mut().for_each(|value| *value /= head);
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Edition, Variant};
    use burn::tensor::Tensor;

    fn networks() -> (Network, Network, Taken) {
        let classes = ["neutral", "happiness", "surprise"];
        let old = NetworkConfig::new(Edition::Release2021, Variant::Fersnet, 2, 3, &classes);
        let old = old.with_head(Head::Warp);
        let mut new = old
            .clone()
            .with_controls(&["jawOpen", "mouthSmileLeft", "mouthSmileRight"]);
        new.head = Head::Blend;
        let preset = |parts: &[(&str, f32)]| {
            parts
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect()
        };
        new.presets = [
            ("neutral".to_owned(), preset(&[])),
            (
                "happiness".to_owned(),
                preset(&[("mouthSmileLeft", 1.0), ("mouthSmileRight", 1.0)]),
            ),
            ("surprise".to_owned(), preset(&[("jawOpen", 0.6)])),
        ]
        .into();
        let device = Device::flex();
        device.seed(5);
        let old = Network::new(old, &device).expect("a network");
        let (new, taken) = transfer(&old, new, &device).expect("a network");
        (old, new, taken)
    }

    #[test]
    fn the_encoder_answers_as_before_and_a_preset_moves_the_face_as_its_class_did() {
        let (old, new, taken) = networks();
        assert!(
            taken.turned >= 4 && taken.same > taken.turned && taken.same < taken.all,
            "{taken:?}"
        );
        let device = Device::flex();
        let x = Tensor::<4>::random(
            [1, 3, 64, 64],
            burn::tensor::Distribution::Uniform(0.0, 1.0),
            &device,
        );
        let (before, after) = (old.encode(x.clone(), false), new.encode(x, false));
        let difference = (before.logits.clone() - after.logits.clone()).abs().max();
        assert!(difference.into_data().iter::<f32>().next().expect("one") < 1e-5);
        let flow = |network: &Network, encoded, class: &str| {
            let target = network.config().preset(class).expect("a preset");
            let width = target.len();
            let data = burn::tensor::TensorData::new(target, [1, width]);
            let drawn = network.decode(encoded, Tensor::from_data(data, &device));
            let change = drawn.and_then(|drawn| drawn.change).expect("a change");
            change.flow.expect("a flow")
        };
        for class in ["neutral", "happiness", "surprise"] {
            let (a, b) = (flow(&old, &before, class), flow(&new, &after, class));
            let size = a.clone().abs().mean();
            let off = (a - b).abs().mean() / size;
            let off = off.into_data().iter::<f32>().next().expect("one");
            assert!(off < 0.05, "{class}: {off}");
        }
    }
}
