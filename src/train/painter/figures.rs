//! How validation mouths are painted.

use burn::tensor::Device;

use super::batch::{Inputs, Item};
use super::mouths::{Mouth, laplacian_variance};
use super::vary::plain;
use crate::network::PainterConfig;
use crate::painter::compose::painted;
use crate::painter::{Painter, teeth_share};

/// Mouths that are painted at once.
const AT_ONCE: usize = 16;

/// Shares of teeth from which on, and up to which, a mouth shows some or none, and what counts as painted.
const SOME: f32 = 0.15;
const NONE: f32 = 0.02;
const SEEN: f32 = 0.05;

/// A validation mouth with its painted crops `[3, height, width]`.
pub struct Painted {
    /// As it is.
    pub item: Item,
    /// Painted by a painter that is not told of teeth.
    pub free: Vec<f32>,
    /// Painted by one that is.
    pub told: Vec<f32>,
}

/// Figures of validation mouths.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// How many there are.
    pub mouths: usize,
    /// Mean absolute difference in the cavity, not told of teeth.
    pub free: f32,
    /// And told.
    pub told: f32,
    /// Laplacian variance of the painted cavities (not told) to that of the real ones.
    pub sharpness: f32,
    /// Share of the mouths with teeth that get some, told.
    pub teeth_kept: f32,
    /// Share of the mouths without that stay without, told.
    pub toothless_kept: f32,
}

impl Figures {
    /// Names of the values.
    pub const NAMES: [&'static str; 6] = [
        "validation_mouths",
        "validation_free",
        "validation_told",
        "validation_sharpness",
        "validation_teeth_kept",
        "validation_toothless_kept",
    ];

    /// In the order of the names.
    pub fn values(&self) -> [f64; 6] {
        [
            self.mouths as f64,
            self.free.into(),
            self.told.into(),
            self.sharpness.into(),
            self.teeth_kept.into(),
            self.toothless_kept.into(),
        ]
    }

    /// Of painted mouths.
    pub fn of(mouths: &[Painted], config: PainterConfig) -> Self {
        let mut sums = Sums::default();
        for mouth in mouths {
            sums.add(mouth, config);
        }
        sums.figures(mouths.len())
    }
}

#[derive(Default)]
struct Sums {
    free: f32,
    told: f32,
    painted_variance: f32,
    real_variance: f32,
    /// Mouths of the kind, and those that stay of it.
    with_teeth: [f32; 2],
    without: [f32; 2],
}

impl Sums {
    fn add(&mut self, mouth: &Painted, config: PainterConfig) {
        let Painted { item, free, told } = mouth;
        let (real, distance) = (&item.target, &item.prepared.distance);
        let inside: Vec<bool> = distance.iter().map(|distance| *distance > 0.0).collect();
        let count = (3 * inside.iter().filter(|inside| **inside).count()).max(1) as f32;
        let difference = |painted: &[f32]| {
            let pairs = painted.iter().zip(real).zip(inside.iter().cycle());
            let inside = pairs.filter(|(_, inside)| **inside);
            inside.map(|((a, b), _)| (a - b).abs()).sum::<f32>() / count
        };
        self.free += difference(free);
        self.told += difference(told);
        let variance = |planes: &[f32]| laplacian_variance(planes, &inside, config.crop_width);
        self.painted_variance += variance(free);
        self.real_variance += variance(real);
        let seen = teeth_share(told, distance, &item.crop.tones, config);
        if item.teeth >= SOME {
            self.with_teeth[0] += 1.0;
            self.with_teeth[1] += f32::from(u8::from(seen >= SEEN));
        } else if item.teeth <= NONE {
            self.without[0] += 1.0;
            self.without[1] += f32::from(u8::from(seen < SEEN));
        }
    }

    fn figures(&self, mouths: usize) -> Figures {
        let count = mouths.max(1) as f32;
        let share = |[all, kept]: [f32; 2]| kept / all.max(1.0);
        Figures {
            mouths,
            free: self.free / count,
            told: self.told / count,
            sharpness: self.painted_variance / self.real_variance.max(1e-12),
            teeth_kept: share(self.with_teeth),
            toothless_kept: share(self.without),
        }
    }
}

/// Paints mouths without any variation, told of their teeth and not.
pub fn paint_mouths(
    painter: &Painter,
    mouths: &[&Mouth<'_>],
    config: PainterConfig,
    device: &Device,
) -> Vec<Painted> {
    let items = |is_told: bool| -> Vec<Item> {
        let items = mouths
            .iter()
            .filter_map(|mouth| plain(mouth, config, is_told));
        items.collect()
    };
    let (free, told) = (items(false), items(true));
    let paint = |items: &[Item]| -> Vec<Vec<f32>> {
        let batches = items.chunks(AT_ONCE).flat_map(|items| {
            let Inputs {
                x,
                filled,
                reach,
                tones,
                ..
            } = Inputs::new(items, config, device);
            let values = painted(painter.forward(x), filled, reach, tones).into_data();
            let values: Vec<f32> = values.iter::<f32>().collect();
            let each = values.len() / items.len();
            values
                .chunks_exact(each)
                .map(<[f32]>::to_vec)
                .collect::<Vec<_>>()
        });
        batches.collect()
    };
    let painted = paint(&free).into_iter().zip(paint(&told));
    told.into_iter()
        .zip(painted)
        .map(|(item, (free, told))| Painted { item, free, told })
        .collect()
}
