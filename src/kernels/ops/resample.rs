//! A map re-sampled at given places.
//!
//! LibTorch: trained as one group.

use burn::tensor::Tensor;
use burn::tensor::ops::{GridSampleOptions, GridSamplePaddingMode, InterpolateMode};

#[cfg(feature = "tch")]
use crate::kernels::route::Route;
#[cfg(feature = "tch")]
use crate::kernels::torch;

/// x `[batch, channels, height, width]` re-sampled at the places of `grid`,
/// `[1 or batch, height, width, 2]` (x then y in `[-1, 1]`): bilinear, the border repeated.
pub fn resample(x: Tensor<4>, grid: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "tch")]
    if Route::of(&x) == Route::Torch {
        return torch::resample(x, grid);
    }
    let options = GridSampleOptions::new(InterpolateMode::Bilinear)
        .with_padding_mode(GridSamplePaddingMode::Border)
        .with_align_corners(false);
    x.grid_sample_2d(grid, options)
}
