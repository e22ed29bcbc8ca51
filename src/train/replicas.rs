//! Training on several devices: each has a replica of the weights and a part of the batch, and the
//! mean of their gradients moves the weights.
//!
//! Burn's own data-parallel strategy (`burn::tensor::distributed`) synchronises gradients inside the
//! backward pass, but only between CUDA devices and remote ones; it panics on all others. The mean
//! here is the same sum on any device: work is queued on each device in turn, so that GPUs, which
//! work through their queues by themselves, work at the same time. As in other data-parallel trainers
//! each part has its own batch-norm statistics, and the first device's running ones are kept.

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};

/// The module for the device of this index: itself for the first, which keeps the running
/// statistics, a copy with its own graph for the others.
pub fn replica<M: Module>(module: &M, index: usize, device: &Device) -> M {
    if index == 0 {
        module.clone()
    } else {
        module.clone().fork(device)
    }
}

/// Gradients of the mean of the replicas' losses `[1]`, on one device, for the module that they are
/// replicas of.
pub fn mean_gradients<M: Module>(
    module: &M,
    losses: Vec<(Tensor<1>, &M)>,
    device: &Device,
) -> GradientsParams {
    let count = losses.len() as f64;
    let mut sum = GradientsAccumulator::new();
    for (loss, replica) in losses {
        let gradients = GradientsParams::from_grads((loss / count).backward(), replica);
        sum.accumulate(module, gradients.to_device(device, module));
    }
    sum.grads()
}
