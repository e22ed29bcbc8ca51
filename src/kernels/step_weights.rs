//! The weights of a step in the order in which shaders/conv_step.wgsl reads them:
//! `[in channel, tap, ceil(outputs / 4)]` vec4 of four output channels, then
//! `[ceil(outputs / 4)]` vec4 of biases, zero beyond the outputs; a BatchNorm is folded into both.
//! For the CPU they are then put into the order of cpu/pack.rs.

use std::sync::{Arc, OnceLock};

use burn::tensor::{DType, Device, Tensor};

use super::conv_step::Taps;
use super::cpu;
use super::route::Route;
use super::step::{Convolution, Norm};

/// The packed weights of one step or linear layer: packed at its first call, and used by every later one.
///
/// For layers whose weights no longer change. A layer without it packs anew at each call.
#[derive(Debug, Clone, Default)]
pub struct PackedStep(Arc<OnceLock<Tensor<1>>>);

impl PackedStep {
    /// What was packed before, or `pack`'s result.
    pub(super) fn get(&self, pack: impl FnOnce() -> Tensor<1>) -> Tensor<1> {
        self.0.get_or_init(pack).clone()
    }
}

/// The taps of a convolution that the kernel can run; none where only plain operations can.
pub(super) fn taps_of(convolution: Convolution<'_>) -> Option<Taps> {
    let geometry = convolution.geometry()?;
    if convolution.weight().dtype() != DType::F32 {
        return None;
    }
    match (
        geometry.transposed,
        geometry.side,
        geometry.stride,
        geometry.padding,
    ) {
        (false, 3, 1, padding @ 0..=2) => Some(Taps::Three { padding }),
        (false, 1, 1, 0) => Some(Taps::One),
        (true, 3, 1, 0) => Some(Taps::Three { padding: 2 }),
        (true, 2, 2, 0) => Some(Taps::UpTwo),
        (true, 4, 2, 1) => Some(Taps::UpFour),
        _ => None,
    }
}

/// Input channels of a convolution.
pub(super) fn inputs_of(convolution: Convolution<'_>) -> usize {
    let dims = convolution.weight().dims();
    match convolution {
        Convolution::Plain(conv) => dims[1] * conv.groups,
        Convolution::Transposed(_) => dims[0],
    }
}

/// Output channels of a convolution.
pub(super) fn outputs_of(convolution: Convolution<'_>) -> usize {
    let dims = convolution.weight().dims();
    match convolution {
        Convolution::Plain(_) => dims[0],
        Convolution::Transposed(_) => dims[1],
    }
}

/// Packs the weights of a step that [`taps_of`] allows, for the kernels of `device`.
///
/// The work is done where the weights lie: from the CPU to a GPU one finished buffer goes over.
pub(super) fn pack(
    convolution: Convolution<'_>,
    norm: Norm<'_>,
    taps: Taps,
    device: &Device,
) -> Tensor<1> {
    let weight = convolution.weight();
    // [inputs, k, k, outputs]
    let weight = match convolution {
        Convolution::Plain(_) => weight.permute([1, 2, 3, 0]),
        // As a convolution, a transposed one reads its taps backwards.
        Convolution::Transposed(_) if matches!(taps, Taps::Three { .. }) => {
            weight.permute([0, 2, 3, 1]).flip([1, 2])
        }
        Convolution::Transposed(_) => weight.permute([0, 2, 3, 1]),
    };
    let [inputs, _, _, outputs] = weight.dims();
    let rows = inputs * taps.count();
    let weight = weight.reshape([rows, outputs]);
    let home = weight.device();
    let bias = match (norm, convolution.bias()) {
        // The norm takes every constant off again.
        (Norm::Instance, _) | (_, None) => Tensor::zeros([outputs], &home),
        (_, Some(bias)) => bias,
    };
    let (weight, bias) = match norm {
        Norm::Batch(norm) => {
            let variance = norm.running_var.value();
            let scale = norm.gamma.val() / (variance + norm.epsilon).sqrt(); // [outputs]
            let bias = (bias - norm.running_mean.value()) * scale.clone() + norm.beta.val();
            (weight * scale.unsqueeze::<2>(), bias)
        }
        Norm::None | Norm::Instance => (weight, bias),
    };
    let all = Tensor::cat(vec![weight, bias.unsqueeze::<2>()], 0); // [rows + 1, outputs]
    let padded = outputs.next_multiple_of(4);
    let all = if padded == outputs {
        all
    } else {
        let zeros = Tensor::zeros([rows + 1, padded - outputs], &home);
        Tensor::cat(vec![all, zeros], 1)
    };
    let all = all.reshape([(rows + 1) * padded]);
    if Route::on(device) == Route::Cpu {
        return cpu::pack::pack(all, inputs, taps);
    }
    all.to_device(device)
}
