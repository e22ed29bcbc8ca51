//! Head of the decoder: from the last convolution to a face.

use burn::nn::conv::Conv2d;
use burn::tensor::{Tensor, s};

use super::config::Head;
use crate::kernels::{self, Change, HeadKind};

/// Where the mask of a residual or warp head starts: sigmoid(-1) = 0.27, nearly closed.
const MASK_BIAS: f32 = -1.0;

/// Where the cavity map of a blend head starts: sigmoid(-2) = 0.12, since most mouths are shut.
const CAVITY_BIAS: f32 = -2.0;

/// Synthesised faces, as tensors: what the network gives.
#[derive(Debug, Clone)]
pub struct Synthesised {
    /// The face, `[batch, k, height, width]`, not clamped.
    pub face: Tensor<4>,
    /// What changes against the input; none for the raw head.
    pub change: Option<Change>,
}

/// Turns the last convolution's output into a face.
///
/// `x` is the input face, `[1 or batch, k, height, width]`; `out` is
/// `[batch, head channels, height, width]`.
pub fn synthesise(head: Head, x: &Tensor<4>, out: Tensor<4>) -> Synthesised {
    match kind(head) {
        Some(kind) => changed(kernels::head(x, out, kind)),
        None => unchanged(out),
    }
}

/// The reference implementation of [`synthesise`]: any device, differentiable.
pub fn synthesise_reference(head: Head, x: &Tensor<4>, out: Tensor<4>) -> Synthesised {
    match kind(head) {
        Some(kind) => changed(kernels::head_reference(x, out, kind)),
        None => unchanged(out),
    }
}

/// What the channels of a head's last convolution mean; none for the raw head, where they are the face.
fn kind(head: Head) -> Option<HeadKind> {
    match head {
        Head::Raw => None,
        Head::Residual => Some(HeadKind::Residual),
        Head::Warp => Some(HeadKind::Warp),
        Head::Blend => Some(HeadKind::Blend),
    }
}

fn unchanged(face: Tensor<4>) -> Synthesised {
    Synthesised { face, change: None }
}

fn changed((face, change): (Tensor<4>, Change)) -> Synthesised {
    Synthesised {
        face,
        change: Some(change),
    }
}

/// Makes a freshly initialised head begin nearly as the identity, by the bias of its mask.
pub(super) fn close_mask(conv: &mut Conv2d, head: Head, k: usize) {
    let start = if head == Head::Blend {
        CAVITY_BIAS
    } else {
        MASK_BIAS
    };
    // Mapped at initialisation, before gradients are tracked: what is mapped later would no
    // longer be a leaf, and never be trained.
    conv.bias = conv.bias.take().map(|bias| {
        bias.init_mapper(move |bias| {
            let start = Tensor::<1>::from_data([start], &bias.device());
            bias.slice_assign(s![k..k + 1], start)
        })
    });
}
