//! The numbers that a training run computes in.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;

#[cfg(feature = "tch")]
use super::route::Route;

/// Numbers that the convolutions of a training run are computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrainingPrecision {
    /// f32.
    Full,
    /// bf16 products with f32 sums; weights, norms and losses stay f32. LibTorch only.
    Half,
}

static HALF_PRECISION: AtomicBool = AtomicBool::new(false);

impl TrainingPrecision {
    /// Whether what is trained on `device` can be computed in it.
    pub fn is_available(self, device: &Device) -> bool {
        #[cfg(feature = "tch")]
        let has_half = Route::on(&device.clone().autodiff()) == Route::Torch;
        #[cfg(not(feature = "tch"))]
        let has_half = {
            let _ = device;
            false
        };
        self == Self::Full || has_half
    }
}

/// Sets the precision of what is trained from now on in this process.
pub fn set_training_precision(precision: TrainingPrecision) {
    HALF_PRECISION.store(precision == TrainingPrecision::Half, Ordering::Relaxed);
}

/// The precision that was set; full unless it was.
pub fn training_precision() -> TrainingPrecision {
    if HALF_PRECISION.load(Ordering::Relaxed) {
        TrainingPrecision::Half
    } else {
        TrainingPrecision::Full
    }
}
