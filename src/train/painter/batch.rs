//! Batches of mouths, cut and varied; drawn from a seed and the step alone.

use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::mouths::Mouth;
use super::on_network::OnNetwork;
use super::vary::varied;
use crate::network::PainterConfig;
use crate::painter::{INPUTS, MouthCrop, Prepared};
use crate::train::config::PainterTable;

/// One mouth, ready for a step.
pub struct Item {
    /// What the painter is told.
    pub crop: MouthCrop,
    /// The network's input.
    pub prepared: Prepared,
    /// The real mouth, `[3, height, width]`: what is to be painted.
    pub target: Vec<f32>,
    /// Share of the inside that shows teeth, told or not.
    pub teeth: f32,
}

/// Mouths of one step.
pub struct Batch {
    /// The mouths.
    pub items: Vec<Item>,
    /// Seed of what else chance decides in the step.
    pub seed: u64,
}

/// A batch on a device.
#[derive(Clone)]
pub struct Inputs {
    /// `[batch, INPUTS, height, width]`.
    pub x: Tensor<4>,
    /// `[batch, 3, height, width]`.
    pub filled: Tensor<4>,
    /// `[batch, 1, height, width]`.
    pub reach: Tensor<4>,
    /// The eyes' white and the skin of each scene, `[batch, 3, 1, 1]`, and what the cavity is filled with,
    /// `[batch, 3, height, width]`.
    pub tones: [Tensor<4>; 3],
    /// The real mouths, `[batch, 3, height, width]`.
    pub target: Tensor<4>,
}

impl Inputs {
    /// Some mouths on a device.
    pub fn new(items: &[Item], config: PainterConfig, device: &Device) -> Self {
        let (width, height) = (config.crop_width, config.crop_height());
        let tensor = |of: fn(&Item) -> &[f32], channels: usize| {
            let planes: Vec<&[f32]> = items.iter().map(of).collect();
            let values = planes.concat();
            let shape = [items.len(), channels, height, width];
            Tensor::from_data(TensorData::new(values, shape), device)
        };
        let scene = |of: fn(&Item) -> [f32; 3]| {
            let values: Vec<f32> = items.iter().flat_map(of).collect();
            Tensor::from_data(TensorData::new(values, [items.len(), 3, 1, 1]), device)
        };
        Self {
            x: tensor(|item| &item.prepared.inputs, INPUTS),
            filled: tensor(|item| &item.prepared.filled, 3),
            reach: tensor(|item| &item.prepared.reach, 1),
            tones: [
                scene(|item| item.crop.tones.white),
                scene(|item| item.crop.tones.skin),
                tensor(|item| &item.prepared.fill, 3),
            ],
            target: tensor(|item| &item.target, 3),
        }
    }
}

/// Draws batches of mouths.
pub struct Sampler<'a> {
    mouths: &'a [Mouth<'a>],
    /// Sharp mouths of photos, the others, drawn ones.
    pools: [Pool; 3],
    on_network: Option<OnNetwork>,
    table: PainterTable,
    seed: u64,
}

/// Mouths with the running sums of their weights.
#[derive(Default)]
struct Pool {
    indices: Vec<usize>,
    sums: Vec<f32>,
}

impl Pool {
    fn new(mouths: &[Mouth<'_>], is_in: impl Fn(&Mouth<'_>) -> bool) -> Self {
        let indices: Vec<usize> = (0..mouths.len()).filter(|i| is_in(&mouths[*i])).collect();
        let mean = |of: fn(&Mouth<'_>) -> f32| {
            let total: f32 = indices.iter().map(|i| of(&mouths[*i])).sum();
            total / indices.len().max(1) as f32
        };
        let (area, sharpness) = (mean(|mouth| mouth.area), mean(|mouth| mouth.sharpness));
        // Wide mouths are rare and hard; of soft ones little is to be learnt.
        let weights = indices.iter().map(|i| {
            let sharp = mouths[*i].sharpness / sharpness.max(1e-3);
            (mouths[*i].area / area).clamp(0.5, 4.0) * (sharp * sharp).clamp(0.02, 2.0)
        });
        let sums = weights.scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self {
            sums: sums.collect(),
            indices,
        }
    }

    fn draw(&self, rng: &mut StdRng) -> Option<usize> {
        let at = rng.random_range(0.0..*self.sums.last()?);
        let position = self.sums.partition_point(|sum| *sum <= at);
        self.indices
            .get(position.min(self.indices.len() - 1))
            .copied()
    }
}

impl<'a> Sampler<'a> {
    /// Batches as a run's table asks for; `on_network` makes a part of their inputs.
    pub fn new(
        mouths: &'a [Mouth<'a>],
        on_network: Option<OnNetwork>,
        table: &PainterTable,
        seed: u64,
    ) -> Self {
        let is_sharp = |mouth: &Mouth<'_>| f64::from(mouth.sharpness) >= table.sharp_from;
        Self {
            mouths,
            pools: [
                Pool::new(mouths, |mouth| !mouth.is_drawn && is_sharp(mouth)),
                Pool::new(mouths, |mouth| !mouth.is_drawn && !is_sharp(mouth)),
                Pool::new(mouths, |mouth| mouth.is_drawn),
            ],
            on_network,
            table: *table,
            seed,
        }
    }

    /// The batch of one step.
    pub fn draw(&self, step: usize) -> Batch {
        let seed = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ step as u64;
        let mut rng = StdRng::seed_from_u64(seed);
        let chosen: Vec<(usize, u64)> = (0..self.table.batch)
            .filter_map(|_| {
                let is_drawn =
                    self.table.drawn_share > 0.0 && rng.random_bool(self.table.drawn_share);
                let drawn = self.pools[2].draw(&mut rng).filter(|_| is_drawn);
                let first = usize::from(!rng.random_bool(self.table.sharp_share));
                let mouth = [first, 1 - first].map(|pool| self.pools[pool].draw(&mut rng));
                Some((drawn.or(mouth[0]).or(mouth[1])?, rng.random()))
            })
            .collect();
        let items = chosen.into_par_iter().map(|(mouth, seed)| {
            let mut rng = StdRng::seed_from_u64(seed);
            let on_network = self.on_network.as_ref();
            varied(&self.mouths[mouth], on_network, &self.table, &mut rng)
        });
        Batch {
            items: items.collect(),
            seed: rng.random(),
        }
    }
}
