//! The mean over a square around every pixel, for a blend head's shading.

use burn::tensor::Tensor;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;

use super::cpu;

/// Each pixel of x `[batch, channels, height, width]` as the mean over a square of an odd side around
/// it; at the border over fewer pixels.
pub fn box_mean(x: Tensor<4>, side: usize) -> Tensor<4> {
    cpu::box_mean::box_mean(&x, side).unwrap_or_else(|| box_mean_plain(x, side))
}

/// The twin of [`box_mean`] in plain tensor operations: any device, differentiable.
pub fn box_mean_plain(x: Tensor<4>, side: usize) -> Tensor<4> {
    let options = AvgPoolOptions::new([side; 2])
        .with_stride([1, 1])
        .with_padding([side / 2; 2])
        .with_count_include_pad(false);
    avg_pool2d(x, options)
}
