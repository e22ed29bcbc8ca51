//! The terms of the training objective, each a mean over the batch.

use burn::tensor::{Tensor, activation};

use crate::network::Drawn;

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
pub fn flow_roughness(drawn: &Drawn) -> Option<Tensor<1>> {
    let flow = drawn.change.as_ref()?.flow.clone()?;
    let width = flow.dims()[3] as f64;
    let flow = flow * width;
    Some((steps(flow.clone(), 3).abs().mean() + steps(flow, 2).abs().mean()) / 2.0)
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
    use burn::tensor::{Device, TensorData};

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
}
