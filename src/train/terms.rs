//! The terms of the training objective, each a mean over the batch.

use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::objective::Cavities;
use crate::network::Synthesised;

/// The part of an aligned face that holds the mouth, opened too: left, right, top and bottom in parts of
/// the side.
const MOUTH: [f64; 4] = [0.2, 0.8, 0.56, 1.0];

/// The part that holds the eyes with their lids, and how much heavier a flow is compared there: lids are few
/// pixels, and without it they do not learn to move.
const EYES: [f64; 4] = [0.2, 0.8, 0.28, 0.46];
const EYES_WEIGHT: f32 = 14.0;

/// A flow folds where its Jacobian falls below this: a little above 0, so that it is held off in time.
const FOLD_MARGIN: f32 = 0.1;

/// Keeps a logarithm finite.
const LEAST_PROBABILITY: f32 = 1e-4;

/// Cross-entropy with soft labels, each sample weighted.
///
/// `logits` and `labels` are `[batch, E]` (labels sum to 1), `weights` is `[batch]`.
pub fn soft_cross_entropy(logits: Tensor<2>, labels: Tensor<2>, weights: Tensor<1>) -> Tensor<1> {
    let log_probabilities = activation::log_softmax(logits, 1);
    let per_sample = (log_probabilities * labels).sum_dim(1).flatten::<1>(0, 1); // [batch]
    // All weights may be zero: then nothing is learned, and nothing is divided by zero.
    -(per_sample * weights.clone()).sum() / weights.sum().clamp_min(f32::EPSILON)
}

/// L1 between a redrawn face and its target, heavier where the target differs from the source.
///
/// All `[batch, k, height, width]`. The weight of a pixel is 1 + `emphasis` times the mean
/// absolute difference of target and source over its channels.
pub fn emphasised_l1(
    face: Tensor<4>,
    target: Tensor<4>,
    source: Tensor<4>,
    emphasis: f64,
) -> Tensor<1> {
    let weight = (target.clone() - source).abs().mean_dim(1) * emphasis + 1.0; // [batch, 1, h, w]
    ((face - target).abs() * weight).mean()
}

/// L1 between the horizontal and vertical differences of two pictures: keeps edges sharp.
pub fn gradient_l1(face: Tensor<4>, target: Tensor<4>) -> Tensor<1> {
    let difference = face - target;
    (steps(difference.clone(), 3).abs().mean() + steps(difference, 2).abs().mean()) / 2.0
}

/// Mean absolute step of a warp head's flow between neighbours, in pixels; none for other heads.
pub fn flow_smoothness(drawn: &Synthesised) -> Option<Tensor<1>> {
    let flow = drawn.change.as_ref()?.flow.clone()?;
    let width = flow.dims()[3] as f64;
    let flow = flow * width;
    Some((steps(flow.clone(), 3).abs().mean() + steps(flow, 2).abs().mean()) / 2.0)
}

/// How far a flow's Jacobian determinant falls below `FOLD_MARGIN`, the mean over all pixels; none for
/// heads without a flow.
pub fn flow_folds(drawn: &Synthesised) -> Option<Tensor<1>> {
    let flow = drawn.change.as_ref()?.flow.clone()?;
    let [_, _, height, width] = flow.dims();
    let flow = flow * width as f64; // in pixels
    let inner = |dim| {
        let along = steps(flow.clone(), dim);
        along.narrow(2, 0, height - 1).narrow(3, 0, width - 1)
    };
    let (across, down) = (inner(3), inner(2)); // [batch, 2, height - 1, width - 1]
    let axis = |x: &Tensor<4>, i: usize| x.clone().narrow(1, i, 1);
    let determinant =
        (axis(&across, 0) + 1.0) * (axis(&down, 1) + 1.0) - axis(&down, 0) * axis(&across, 1); // [batch, 1, height - 1, width - 1]
    Some(activation::relu(-determinant + FOLD_MARGIN).mean())
}

/// Mean distance of a flow from the known one along both axes, in pixels, where it is known; heavier where
/// much moves and around the eyes.
///
/// `flow` and `truth`: `[pairs, 2, height, width]` in widths of the face; `known`: `[pairs, 1, height, width]`.
pub fn flow_error(flow: Tensor<4>, truth: Tensor<4>, known: Tensor<4>) -> Tensor<1> {
    let [_, _, height, columns] = flow.dims();
    let width = columns as f64;
    let moved = (truth.clone() * width).abs().sum_dim(1); // [pairs, 1, height, width]
    let distance = ((flow - truth) * width).abs().sum_dim(1);
    let eyes = eyes_weight(height, columns, &known.device());
    let weight = (moved + 1.0) * known.clone() * eyes;
    (distance * weight).sum() / known.sum().clamp_min(1.0)
}

/// [`EYES_WEIGHT`] around the eyes and 1 elsewhere, `[1, 1, height, width]`.
fn eyes_weight(height: usize, width: usize, device: &Device) -> Tensor<4> {
    let [left, right, top, bottom] = EYES;
    let at = |i: usize, n: usize| (i as f64 + 0.5) / n as f64;
    let weight = |i: usize| {
        let (x, y) = (at(i % width, width), at(i / width, height));
        let is_eye = (left..right).contains(&x) && (top..bottom).contains(&y);
        if is_eye { EYES_WEIGHT } else { 1.0 }
    };
    let weights: Vec<f32> = (0..height * width).map(weight).collect();
    Tensor::from_data(TensorData::new(weights, [1, 1, height, width]), device)
}

/// L1 around the mouth, at full and at half size: the mean of both.
pub fn mouth_l1(face: Tensor<4>, target: Tensor<4>) -> Tensor<1> {
    let [_, _, height, width] = face.dims();
    let part = |x: Tensor<4>| {
        let range = |low: f64, high: f64, length: usize| {
            let at = |part: f64| (part * length as f64).round() as usize / 2 * 2;
            (at(low), at(high) - at(low))
        };
        let [left, right, top, bottom] = MOUTH;
        let ((x0, columns), (y0, rows)) = (range(left, right, width), range(top, bottom, height));
        x.narrow(2, y0, rows).narrow(3, x0, columns)
    };
    let difference = part(face) - part(target);
    let options = AvgPoolOptions::new([2, 2]).with_stride([2, 2]);
    let coarse = avg_pool2d(difference.clone(), options);
    (difference.abs().mean() + coarse.abs().mean()) / 2.0
}

/// Cross-entropy of a cavity map in `[0, 1]`, `[pairs, 1, height, width]`, against the inside of the
/// target's mouth, over the pairs where it is known.
pub fn cavity_cross_entropy(map: Tensor<4>, truth: &Cavities) -> Tensor<1> {
    let map = map.clamp(LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY);
    let inside = truth.maps.clone();
    let outside = -inside.clone() + 1.0;
    let entropy = -(inside * map.clone().log() + outside * (-map + 1.0).log());
    let each = entropy.mean_dims(&[2, 3]) * truth.known.clone(); // [pairs, 1, 1, 1]
    each.sum() / truth.known.clone().sum().clamp_min(f32::EPSILON)
}

/// Mean squared difference of the controls `[batch, K]` where they are known, `[batch]`.
pub fn units_error(units: Tensor<2>, truth: Tensor<2>, known: Tensor<1>) -> Tensor<1> {
    let each = (units - truth).square().mean_dim(1).flatten::<1>(0, 1); // [batch]
    (each * known.clone()).sum() / known.sum().clamp_min(f32::EPSILON)
}

/// Mean squared difference of two tensors of one shape.
pub fn squared_error<const D: usize>(x: Tensor<D>, y: Tensor<D>) -> Tensor<1> {
    (x - y).square().mean()
}

/// Mean squared difference of what a frozen feature net sees in two faces
/// `[batch, k, size, size]`.
pub fn feature_error(
    features: impl Fn(Tensor<4>) -> Tensor<4>,
    face: Tensor<4>,
    target: Tensor<4>,
) -> Tensor<1> {
    squared_error(features(face), features(target))
}

/// Mean squared distance of patch scores from the value for real (1) or drawn (0) faces: the least
/// squares of LSGAN (Mao et al., ICCV 2017, arXiv 1611.04076).
pub fn least_squares(scores: Tensor<4>, value: f64) -> Tensor<1> {
    (scores - value).square().mean()
}

/// Differences of neighbours along a dimension.
fn steps(x: Tensor<4>, dim: usize) -> Tensor<4> {
    let length = x.dims()[dim];
    x.clone().narrow(dim, 1, length - 1) - x.narrow(dim, 0, length - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(x: Tensor<1>) -> f32 {
        x.into_data().iter::<f32>().next().expect("one value")
    }

    #[test]
    fn cross_entropy_is_the_weighted_mean_of_minus_log_probability() {
        let device = Device::flex();
        let logits = Tensor::from_data([[0.0_f32, 0.0], [(3.0_f32).ln(), 0.0]], &device);
        let labels = Tensor::from_data([[0.5_f32, 0.5], [1.0, 0.0]], &device);
        let weights = Tensor::from_data([1.0_f32, 3.0], &device);
        // (ln 2 + 3 ln(4/3)) / 4
        let expected = ((2.0_f32).ln() + 3.0 * (4.0_f32 / 3.0).ln()) / 4.0;
        assert!((scalar(soft_cross_entropy(logits, labels, weights)) - expected).abs() < 1e-6);
    }

    #[test]
    fn labels_without_weight_cost_nothing() {
        let device = Device::flex();
        let logits = Tensor::from_data([[1.0_f32, -1.0]], &device);
        let labels = Tensor::from_data([[0.0_f32, 1.0]], &device);
        let loss = soft_cross_entropy(logits, labels, Tensor::from_data([0.0_f32], &device));
        assert_eq!(scalar(loss), 0.0);
    }

    #[test]
    fn emphasis_weighs_a_pixel_by_how_far_target_and_source_differ() {
        let device = Device::flex();
        let picture = |values: [f32; 2]| {
            Tensor::<4>::from_data(TensorData::new(values.to_vec(), [1, 1, 1, 2]), &device)
        };
        // |face - target| = 0.1 and 0.2; weights 1 and 1 + 10 * 0.5.
        let loss = emphasised_l1(
            picture([0.1, 0.7]),
            picture([0.0, 0.5]),
            picture([0.0, 0.0]),
            10.0,
        );
        assert!((scalar(loss) - (0.1 + 0.2 * 6.0) / 2.0).abs() < 1e-6);
    }

    #[test]
    fn least_squares_is_the_mean_squared_distance_from_the_wanted_score() {
        let device = Device::flex();
        let scores =
            Tensor::<4>::from_data(TensorData::new(vec![0.5_f32, 2.0], [1, 1, 1, 2]), &device);
        // ((0.5 - 1)^2 + (2 - 1)^2) / 2 and (0.5^2 + 2^2) / 2.
        assert!((scalar(least_squares(scores.clone(), 1.0)) - 0.625).abs() < 1e-6);
        assert!((scalar(least_squares(scores, 0.0)) - 2.125).abs() < 1e-6);
    }

    #[test]
    fn the_cycle_costs_the_mean_squared_difference() {
        let device = Device::flex();
        let face = Tensor::<2>::from_data([[0.2_f32, 0.9]], &device);
        let back = Tensor::<2>::from_data([[0.5_f32, 0.5]], &device);
        // (0.3^2 + 0.4^2) / 2
        assert!((scalar(squared_error(back, face)) - 0.125).abs() < 1e-6);
    }

    #[test]
    fn features_are_compared_after_the_net_not_before() {
        let device = Device::flex();
        let face = |values: [f32; 2]| {
            Tensor::<4>::from_data(TensorData::new(values.to_vec(), [1, 1, 1, 2]), &device)
        };
        // The net takes the mean over the width and triples it: 3 * (0.4 - 0.1) = 0.9.
        let net = |x: Tensor<4>| x.mean_dim(3) * 3.0;
        let loss = feature_error(net, face([0.2, 0.6]), face([0.0, 0.2]));
        assert!((scalar(loss) - 0.81).abs() < 1e-6);
    }

    #[test]
    fn gradient_loss_ignores_a_constant_offset() {
        let device = Device::flex();
        let ramp = |offset: f32| {
            let values = (0..9).map(|i| i as f32 * 0.1 + offset).collect::<Vec<_>>();
            Tensor::<4>::from_data(TensorData::new(values, [1, 1, 3, 3]), &device)
        };
        assert!(scalar(gradient_l1(ramp(0.3), ramp(0.0))) < 1e-6);
        let flat = Tensor::<4>::zeros([1, 1, 3, 3], &device);
        // Steps of 0.1 to the right, of 0.3 downwards.
        assert!((scalar(gradient_l1(ramp(0.0), flat)) - 0.2).abs() < 1e-6);
    }

    fn planes(values: Vec<f32>, shape: [usize; 4]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    #[test]
    fn a_flow_costs_where_it_turns_the_face_over() {
        let drawn = |flow: Vec<f32>| Synthesised {
            face: planes(vec![0.0; 9], [1, 1, 3, 3]),
            change: Some(crate::network::Change {
                delta: planes(vec![0.0; 9], [1, 1, 3, 3]),
                mask: planes(vec![0.0; 9], [1, 1, 3, 3]),
                flow: Some(planes(flow, [1, 2, 3, 3])),
                covers: true,
            }),
        };
        let cost = |flow| scalar(flow_folds(&drawn(flow)).expect("a flow"));
        assert_eq!(cost(vec![0.0; 18]), 0.0);
        // x grows by -2 pixels a pixel: the determinant is 1 - 2 = -1, below 0.1 by 1.1.
        let mirrored: Vec<f32> = (0..18)
            .map(|i| {
                if i < 9 {
                    -2.0 / 3.0 * (i % 3) as f32
                } else {
                    0.0
                }
            })
            .collect();
        assert!((cost(mirrored) - 1.1).abs() < 1e-5);
    }

    #[test]
    fn a_known_flow_is_compared_in_pixels_and_heavier_where_much_moves() {
        let flow = planes(vec![0.0; 4], [1, 2, 1, 2]);
        // The first pixel comes from one pixel to the right, the second from nobody knows where.
        let truth = planes(vec![0.5, 9.0, 0.0, 9.0], [1, 2, 1, 2]);
        let known = |second: f32| planes(vec![1.0, second], [1, 1, 1, 2]);
        let error = |known| scalar(flow_error(flow.clone(), truth.clone(), known));
        assert!((error(known(0.0)) - 2.0).abs() < 1e-6);
        // 36 pixels off along both axes together, and 37 times as heavy.
        assert!((error(known(1.0)) - (2.0 + 36.0 * 37.0) / 2.0).abs() < 1e-3);
        let eyes: Vec<f32> = eyes_weight(4, 4, &Device::flex())
            .into_data()
            .iter()
            .collect();
        let around: Vec<usize> = (0..16).filter(|i| eyes[*i] == EYES_WEIGHT).collect();
        assert_eq!(around, [5, 6]);
        assert_eq!(
            scalar(flow_error(flow, truth, planes(vec![0.0; 2], [1, 1, 1, 2]))),
            0.0
        );
    }

    #[test]
    fn the_mouth_is_compared_in_its_own_part_of_the_face() {
        let size = 20;
        let picture = |x: usize, y: usize| {
            let mut values = vec![0.0; size * size];
            values[y * size + x] = 1.0;
            planes(values, [1, 1, size, size])
        };
        let blank = planes(vec![0.0; size * size], [1, 1, size, size]);
        assert_eq!(scalar(mouth_l1(picture(10, 2), blank.clone())), 0.0);
        // Columns 4 to 16, rows 10 to 20: 120 pixels, 30 squares of four.
        let loss = scalar(mouth_l1(picture(10, 15), blank));
        assert!(
            (loss - (1.0 / 120.0 + 0.25 / 30.0) / 2.0).abs() < 1e-6,
            "{loss}"
        );
    }

    #[test]
    fn a_cavity_is_learnt_where_it_is_known() {
        let known = |flag: f32| Cavities {
            maps: planes(vec![1.0, 0.0], [1, 1, 1, 2]),
            known: planes(vec![flag], [1, 1, 1, 1]),
            teaches: planes(vec![1.0, 1.0], [1, 1, 1, 2]),
        };
        let map = planes(vec![0.5, 0.25], [1, 1, 1, 2]);
        let expected = -((0.5_f32).ln() + (0.75_f32).ln()) / 2.0;
        let loss = scalar(cavity_cross_entropy(map.clone(), &known(1.0)));
        assert!((loss - expected).abs() < 1e-5);
        assert_eq!(scalar(cavity_cross_entropy(map, &known(0.0))), 0.0);
    }

    #[test]
    fn controls_cost_their_squared_difference_where_they_are_known() {
        let device = Device::flex();
        let units = Tensor::from_data([[0.5_f32, 0.0], [9.0, 9.0]], &device);
        let truth = Tensor::from_data([[0.0_f32, 0.0], [0.0, 0.0]], &device);
        let loss = units_error(units, truth, Tensor::from_data([1.0_f32, 0.0], &device));
        assert!((scalar(loss) - 0.125).abs() < 1e-6);
    }
}
