//! A map re-sampled at given places.
//!
//! LibTorch: trained as one group.

use burn::tensor::Tensor;
use burn::tensor::ops::{GridSampleOptions, GridSamplePaddingMode, InterpolateMode};

use crate::kernels::route::Route;
#[cfg(feature = "tch")]
use crate::kernels::torch;

/// x `[batch, channels, height, width]` re-sampled at the places of `grid`,
/// `[1 or batch, height, width, 2]` (x then y in `[-1, 1]`): bilinear, the border repeated.
pub fn resample(x: Tensor<4>, grid: Tensor<4>) -> Tensor<4> {
    match Route::of(&x) {
        #[cfg(feature = "tch")]
        Route::Torch => torch::resample(x, grid),
        _ => resample_reference(x, grid),
    }
}

/// The reference implementation of [`resample`]: any device, differentiable.
fn resample_reference(x: Tensor<4>, grid: Tensor<4>) -> Tensor<4> {
    let options = GridSampleOptions::new(InterpolateMode::Bilinear)
        .with_padding_mode(GridSamplePaddingMode::Border)
        .with_align_corners(false);
    x.grid_sample_2d(grid, options)
}
