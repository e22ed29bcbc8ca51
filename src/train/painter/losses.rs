//! How far a painted mouth is from the real one.

use burn::tensor::Tensor;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;

/// Scales at which mouths are compared, each half as fine as the one before.
const SCALES: usize = 2;

/// Weights of the differences of neighbours and of the Laplacians, beside 1 of the colours themselves.
const GRADIENTS: f64 = 0.5;
const LAPLACIANS: f64 = 0.25;

/// A reach of fewer pixels counts as so many.
const LEAST_REACH: f64 = 8.0;

/// Mean over the mouths of the L1 of colours, gradients and Laplacians within reach, at two scales, `[1]`.
///
/// `painted`, `target`: `[batch, 3, height, width]`; `reach`: `[batch, 1, height, width]`.
pub fn difference(painted: Tensor<4>, target: Tensor<4>, reach: Tensor<4>) -> Tensor<1> {
    let (mut error, mut reach) = (painted - target, reach);
    let device = error.device();
    let mut sum = Tensor::zeros([1], &device);
    for scale in 0..SCALES {
        if scale > 0 {
            (error, reach) = (halved(error), halved(reach));
        }
        let [batch, channels, height, width] = error.dims();
        let area = reach.clone().sum_dims(&[1, 2, 3]).clamp_min(LEAST_REACH); // [batch, 1, 1, 1]
        let weight = reach.clone() / area / (batch * channels) as f64;
        let mean = |error: Tensor<4>, weight: Tensor<4>| (error.abs() * weight).sum();
        let part = |x: &Tensor<4>, dim: usize, start: usize, length: usize| {
            x.clone().narrow(dim, start, length)
        };
        // What lies to the right of, or below, each pixel.
        let across = part(&error, 3, 1, width - 1) - part(&error, 3, 0, width - 1);
        let down = part(&error, 2, 1, height - 1) - part(&error, 2, 0, height - 1);
        let bent_across = part(&across, 3, 1, width - 2) - part(&across, 3, 0, width - 2);
        let bent_down = part(&down, 2, 1, height - 2) - part(&down, 2, 0, height - 2);
        let laplacian = part(&bent_across, 2, 1, height - 2) + part(&bent_down, 3, 1, width - 2);
        let inner = part(&part(&weight, 3, 1, width - 2), 2, 1, height - 2);
        let gradients = mean(across, part(&weight, 3, 1, width - 1))
            + mean(down, part(&weight, 2, 1, height - 1));
        sum = sum
            + mean(error.clone(), weight)
            + gradients * GRADIENTS
            + mean(laplacian, inner) * LAPLACIANS;
    }
    sum
}

/// Height and width halved by the mean of each 2 x 2 square.
fn halved(x: Tensor<4>) -> Tensor<4> {
    avg_pool2d(x, AvgPoolOptions::new([2, 2]).with_stride([2, 2]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn a_difference_outside_of_the_reach_costs_nothing() {
        let device = Device::flex();
        let target = Tensor::<4>::zeros([2, 3, 16, 32], &device);
        let reach = Tensor::<4>::zeros([2, 1, 16, 32], &device);
        let inside = reach
            .clone()
            .slice_fill(burn::tensor::s![.., .., 4..12, 8..24], 1.0);
        let cost = |value: f64, reach: &Tensor<4>| {
            let loss = difference(target.clone() + value, target.clone(), reach.clone());
            loss.into_scalar::<f32>()
        };
        assert_eq!(cost(0.5, &reach), 0.0);
        // An even difference has no gradients: 0.1 at both scales.
        assert!((cost(0.1, &inside) - 0.2).abs() < 1e-5);
        assert_eq!(cost(0.0, &inside), 0.0);
    }
}
