//! The discriminator: real mouths against painted ones, patch by patch.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor, TensorData, activation};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::batch::Inputs;
use crate::kernels::{self, Activation, LEAKY_SLOPE, Norm, fused_conv};
use crate::painter::DISTANCE_CHANNEL;

/// Red, green, blue, fine detail, distance to the lips' edge, reach: a smile's teeth are not a shout's.
const CHANNELS: usize = 6;

/// Output channels of the strided convolutions.
const WIDTHS: [usize; 3] = [32, 64, 128];

/// Pixels of the crop a patch stands for.
const PATCH: usize = 8;

/// Reach from which on a patch is scored.
const JUDGED: f64 = 0.05;

/// Scale of the fine detail: as a channel of its own, without which a small discriminator does not start
/// to tell.
const DETAIL: f64 = 6.0;

/// Passes of a 3 x 3 mean that fine detail is what differs from.
const BLUR_PASSES: usize = 3;

/// Three convolutions 4 x 4 of stride 2 and a last one to patch scores; no norm.
#[derive(Module, Debug)]
pub struct Adversary {
    convs: Vec<Conv2d>,
    score: Conv2d,
}

impl Adversary {
    /// Freshly initialised.
    pub fn new(device: &Device) -> Self {
        let conv = |inputs: usize, outputs: usize, side: usize, stride: usize| {
            let slope = 1.0 + LEAKY_SLOPE * LEAKY_SLOPE;
            let seen = (inputs * side * side) as f64;
            let mut conv = Conv2dConfig::new([inputs, outputs], [side, side])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .with_initializer(Initializer::Normal {
                    mean: 0.0,
                    std: (2.0 / (slope * seen)).sqrt(),
                })
                .init(device);
            conv.bias = conv
                .bias
                .take()
                .map(|bias| bias.init_mapper(|bias| bias.zeros_like()));
            conv
        };
        let inputs = [CHANNELS, WIDTHS[0], WIDTHS[1]];
        let convs = inputs.into_iter().zip(WIDTHS);
        Self {
            convs: convs
                .map(|(input, output)| conv(input, output, 4, 2))
                .collect(),
            score: conv(WIDTHS[2], 1, 3, 1),
        }
    }

    /// Scores `[batch, 1, height / 8, width / 8]` and the features that lead to them.
    fn forward(&self, x: Tensor<4>) -> (Tensor<4>, Vec<Tensor<4>>) {
        let mut features: Vec<Tensor<4>> = Vec::new();
        let mut x = x;
        for conv in &self.convs {
            x = fused_conv(x, conv, Norm::None, None, Activation::Leaky);
            features.push(x.clone());
        }
        let score = fused_conv(x, &self.score, Norm::None, None, Activation::None);
        (score, features)
    }

    /// The hinge loss of telling real from painted, `[1]`, and the mean scores of both, `[2]`.
    pub fn own_loss(
        &self,
        painted: Tensor<4>,
        inputs: &Inputs,
        seed: u64,
    ) -> (Tensor<1>, Tensor<1>) {
        let seen = seen(painted, inputs, seed);
        let (scores, _) = self.forward(seen.clone());
        let [painted, real] = halves(scores);
        let scored = Scored::new(seen, painted.dims()[0]);
        let loss = scored.mean(activation::relu(painted.clone() + 1.0))
            + scored.mean(activation::relu(-real.clone() + 1.0));
        let scores = Tensor::cat(vec![scored.mean(painted), scored.mean(real)], 0);
        (loss, scores)
    }

    /// The painter's two terms, each `[1]`: how painted it looks, and how far the features are from those
    /// of the real mouths.
    pub fn score(&self, painted: Tensor<4>, inputs: &Inputs, seed: u64) -> [Tensor<1>; 2] {
        let seen = seen(painted, inputs, seed);
        let (scores, features) = self.forward(seen.clone());
        let [painted, _] = halves(scores);
        let scored = Scored::new(seen, painted.dims()[0]);
        let count = features.len() as f64;
        let distances = features.into_iter().map(|map| {
            let [painted, real] = halves(map);
            let real = real.detach();
            let scale = real.clone().abs().mean().clamp_min(1e-3);
            (painted - real).abs().mean() / scale / count
        });
        let distance = distances.reduce(|sum, term| sum + term);
        let adversarial = -scored.mean(painted);
        let none = adversarial.zeros_like();
        [adversarial, distance.unwrap_or(none)]
    }
}

/// Patches that lie within reach.
struct Scored {
    weight: Tensor<4>,
    count: Tensor<1>,
}

impl Scored {
    fn new(seen: Tensor<4>, batch: usize) -> Self {
        let reach = seen.detach().narrow(0, 0, batch).narrow(1, CHANNELS - 1, 1);
        let patches = avg_pool2d(
            reach,
            AvgPoolOptions::new([PATCH; 2]).with_stride([PATCH; 2]),
        );
        let weight = patches.greater_elem(JUDGED).float(); // [batch, 1, height / 8, width / 8]
        let count = weight.clone().sum().clamp_min(1.0);
        Self { weight, count }
    }

    fn mean(&self, scores: Tensor<4>) -> Tensor<1> {
        (scores * self.weight.clone()).sum() / self.count.clone()
    }
}

fn halves(x: Tensor<4>) -> [Tensor<4>; 2] {
    let batch = x.dims()[0] / 2;
    [0, batch].map(|start| x.clone().narrow(0, start, batch))
}

/// Painted mouths, then real ones, as the discriminator sees them: both changed alike in brightness,
/// contrast and place (whole pixels, which blur nothing), and partly cut out. `[2 batch, 6, height,
/// width]`.
fn seen(painted: Tensor<4>, inputs: &Inputs, seed: u64) -> Tensor<4> {
    let device = painted.device();
    let [batch, _, height, width] = painted.dims();
    let mut rng = StdRng::seed_from_u64(seed);
    let changes: Vec<Change> = (0..batch)
        .map(|_| Change::draw(&mut rng, width, height))
        .collect();
    let twice = |values: Vec<f32>, shape: [usize; 4]| {
        let one = Tensor::<4>::from_data(TensorData::new(values, shape), &device);
        Tensor::cat(vec![one.clone(), one], 0)
    };
    let each = |of: fn(&Change) -> f32| twice(changes.iter().map(of).collect(), [batch, 1, 1, 1]);
    let colours = Tensor::cat(vec![painted, inputs.target.clone()], 0) * 2.0 - 1.0;
    let mean = colours.clone().mean_dims(&[1, 2, 3]); // [2 batch, 1, 1, 1]
    let colours = (colours - mean.clone()) * each(|change| change.contrast)
        + mean
        + each(|change| change.brightness);
    let light = colours.clone().mean_dim(1); // [2 batch, 1, height, width]
    let detail = (light.clone() - blurred(light)) * DETAIL;
    let distance = inputs.x.clone().narrow(1, DISTANCE_CHANNEL, 1);
    let both = |map: Tensor<4>| Tensor::cat(vec![map.clone(), map], 0);
    let (distance, reach) = (both(distance), both(inputs.reach.clone()));
    let all = Tensor::cat(vec![colours, detail, distance, reach], 1);
    let grid = changes.iter().flat_map(|change| change.grid(width, height));
    let grid = twice(grid.collect(), [batch, height, width, 2]);
    let kept = changes.iter().flat_map(|change| change.kept(width, height));
    kernels::resample(all, grid) * twice(kept.collect(), [batch, 1, height, width])
}

fn blurred(mut x: Tensor<4>) -> Tensor<4> {
    for _ in 0..BLUR_PASSES {
        let options = AvgPoolOptions::new([3, 3])
            .with_stride([1, 1])
            .with_padding([1, 1])
            .with_count_include_pad(false);
        x = avg_pool2d(x, options);
    }
    x
}

/// What chance does to one painted mouth and its real one before they are scored (Zhao et al., 2020).
struct Change {
    brightness: f32,
    contrast: f32,
    /// Whole pixels.
    shift: [i32; 2],
    /// Left, top, right and bottom of what is cut out.
    hole: Option<[i32; 4]>,
}

impl Change {
    fn draw(rng: &mut StdRng, width: usize, height: usize) -> Self {
        let (width, height) = (width as i32, height as i32);
        let most = [width / 12, height / 12];
        let shift = most.map(|most| rng.random_range(-most..=most));
        let (x, y) = (rng.random_range(0..width), rng.random_range(0..height));
        let hole = [x - width / 8, y - height / 5, x + width / 8, y + height / 5];
        Self {
            brightness: rng.random_range(-0.15..0.15),
            contrast: rng.random_range(0.7..1.3),
            shift,
            hole: rng.random_bool(0.5).then_some(hole),
        }
    }

    /// Where each pixel comes from, x then y in -1..1.
    fn grid(&self, width: usize, height: usize) -> Vec<f32> {
        let place = |pixel: usize, shift: i32, size: usize| {
            (2.0 * (pixel as f32 + shift as f32) + 1.0) / size as f32 - 1.0
        };
        let [dx, dy] = self.shift;
        let rows = (0..height).flat_map(|row| {
            (0..width).flat_map(move |column| [place(column, dx, width), place(row, dy, height)])
        });
        rows.collect()
    }

    /// 1, and 0 in what is cut out.
    fn kept(&self, width: usize, height: usize) -> Vec<f32> {
        let is_kept = |x: i32, y: i32| match self.hole {
            Some([left, top, right, bottom]) => x < left || x >= right || y < top || y >= bottom,
            None => true,
        };
        let rows = (0..height as i32)
            .flat_map(|y| (0..width as i32).map(move |x| f32::from(u8::from(is_kept(x, y)))));
        rows.collect()
    }
}
