//! The mean over a square around every pixel, for a blend head's shading.
//!
//! CPU: `cpu/box_mean.rs`; on WebGPU it is part of the head's kernel.

use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;

use crate::kernels::backend::BoxMeanBackend;
use crate::kernels::route::Route;

/// Each pixel of x `[batch, channels, height, width]` as the mean over a square of an odd side around
/// it; at the border over fewer pixels.
pub fn box_mean(x: Tensor<4>, side: usize) -> Tensor<4> {
    match Route::of(&x) {
        Route::Cpu if !x.dims().contains(&0) => {
            Tensor::from_dispatch(Dispatch::box_mean(x.into_dispatch(), side))
        }
        _ => box_mean_reference(x, side),
    }
}

/// The reference implementation of [`box_mean`]: any device, differentiable.
pub fn box_mean_reference(x: Tensor<4>, side: usize) -> Tensor<4> {
    let options = AvgPoolOptions::new([side; 2])
        .with_stride([1, 1])
        .with_padding([side / 2; 2])
        .with_count_include_pad(false);
    avg_pool2d(x, options)
}
