//! LibTorch, on the CPU or a GPU: groups of operations that its autograd differentiates as one.
//!
//! Burn's autodiff takes a convolution's gradients and a norm apart into many passes over the maps,
//! which on a CPU costs more than the convolution. Here a group runs on PyTorch's own operations
//! (`groups.rs`) with PyTorch's graph kept, and is one node of Burn's graph (`node.rs`). The reference
//! implementation of each is that of its operation, in `ops/`.

mod groups;
mod node;

use burn::tensor::Tensor;

use super::options::RunOptions;
use super::spec::{Convolution, GateConvention, NORM_EPSILON, Norm, PairOutput, UnitWeights};
use groups::Group;
use node::Inputs;

pub use groups::ConvShape;

/// A fused convolution as one group; keeps a BatchNorm's running statistics as the plain layer does.
pub fn fused_conv(
    x: Tensor<4>,
    convolution: Convolution<'_>,
    norm: Norm<'_>,
    shortcut: Option<Tensor<4>>,
    shape: ConvShape,
) -> Tensor<4> {
    let device = x.device();
    let mut inputs = Inputs::default().with(x).with(convolution.weight());
    if let Some(bias) = convolution.bias() {
        inputs = inputs.with(bias);
    }
    if let Norm::Batch(batch_norm) = norm {
        inputs = inputs
            .with(batch_norm.gamma.val())
            .with(batch_norm.beta.val());
    }
    if let Some(shortcut) = shortcut {
        inputs = inputs.with(shortcut);
    }
    let mut outputs = inputs.run(Group::Conv(shape), &device);
    let map = outputs.first();
    if let Norm::Batch(batch_norm) = norm
        && let (Some(mean), Some(variance)) = (outputs.next::<1>(), outputs.next::<1>())
    {
        let momentum = batch_norm.momentum;
        let blend = |old: Tensor<1>, new: Tensor<1>| {
            (old * (1.0 - momentum) + new.detach() * momentum).detach()
        };
        let (means, variances) = (&batch_norm.running_mean, &batch_norm.running_var);
        means.update(blend(means.value_sync(), mean));
        variances.update(blend(variances.value_sync(), variance));
    }
    map
}

/// Instance norm of f, times gamma, plus beta, as one group.
pub fn style(f: Tensor<4>, gamma: Tensor<4>, beta: Tensor<4>) -> Tensor<4> {
    let device = f.device();
    let inputs = Inputs::default().with(f).with(gamma).with(beta);
    let group = Group::Style {
        epsilon: NORM_EPSILON,
    };
    inputs.run(group, &device).first()
}

/// x re-sampled at the places of `grid`, as one group.
pub fn resample(x: Tensor<4>, grid: Tensor<4>) -> Tensor<4> {
    let device = x.device();
    let inputs = Inputs::default().with(x).with(grid);
    inputs.run(Group::Resample, &device).first()
}

/// A ConvFLU pair as one group.
pub fn convflu(
    x: Tensor<4>,
    y: Tensor<4>,
    to_x: &UnitWeights,
    to_y: &UnitWeights,
    convention: GateConvention,
) -> PairOutput {
    let (batch, device) = (x.dims()[0], x.device());
    let group = Group::ConvFlu {
        convention,
        precision: RunOptions::current().precision,
    };
    let inputs = [to_x, to_y]
        .into_iter()
        .flat_map(|unit| [&unit.w_r, &unit.w_z, &unit.u, &unit.w])
        .fold(Inputs::default().with(x).with(y), |inputs, kernel| {
            inputs.with(kernel.clone())
        });
    let both: Tensor<4> = inputs.run(group, &device).first();
    PairOutput {
        x: both.clone().narrow(0, 0, batch),
        y: both.narrow(0, batch, batch),
        gates: None,
    }
}
