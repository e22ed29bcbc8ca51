//! Two maps one after the other on the channels, where one of them may be a single image for all.
//!
//! WGSL: `wgsl/concat.rs`.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::kernels::backend::ConcatBackend;
use crate::kernels::route::Route;
use crate::kernels::spec::{fits_buffer, fits_dispatch};

/// a, then b on the channels.
///
/// Each is `[1 or batch, channels, height, width]`; one image is repeated for the whole batch.
pub fn concat(a: Tensor<4>, b: Tensor<4>) -> Tensor<4> {
    match Route::of_both(&a, &b) {
        Route::Wgsl if can_run(&a, &b) => {
            Tensor::from_dispatch(Dispatch::concat(a.into_dispatch(), b.into_dispatch()))
        }
        _ => concat_reference(a, b),
    }
}

/// The reference implementation of [`concat`](concat()): any device, differentiable.
pub fn concat_reference(a: Tensor<4>, b: Tensor<4>) -> Tensor<4> {
    let batch = a.dims()[0].max(b.dims()[0]);
    let repeated = |x: Tensor<4>| match x.dims()[0] {
        1 if batch > 1 => x.repeat_dim(0, batch),
        _ => x,
    };
    Tensor::cat(vec![repeated(a), repeated(b)], 1)
}

fn can_run(a: &Tensor<4>, b: &Tensor<4>) -> bool {
    let [a_batch, a_channels, height, width] = a.dims();
    let [b_batch, b_channels, ..] = b.dims();
    let batch = a_batch.max(b_batch);
    let numbers = (a_channels + b_channels) * height * width;
    a.dims()[2..] == b.dims()[2..]
        && [a_batch, b_batch].iter().all(|n| *n == 1 || *n == batch)
        && numbers > 0
        && fits_buffer(batch * numbers)
        && fits_dispatch(numbers, batch)
}
