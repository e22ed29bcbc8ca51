//! The fused convolution on wgpu: one launch of shaders/conv.wgsl, and one of
//! shaders/instance_norm.wgsl where an instance norm follows.

mod inner_loop;
mod shader;

use burn::backend::wgpu::{CubeBackend, CubeTensor, into_contiguous};

use super::instance_norm::{self, After, InstanceNorm, Place};
use super::shader::{dims, empty, launch, u32s};
use crate::kernels::backend::ConvBackend;
use crate::kernels::spec::{Activation, ConvSpec};
use shader::Sizes;

pub use inner_loop::activation_source;
pub use shader::Conv;

impl ConvBackend for CubeBackend {
    fn fused_conv(x: CubeTensor, weights: CubeTensor, spec: ConvSpec) -> CubeTensor {
        run(x, weights, None, spec)
    }

    fn fused_conv_with_shortcut(
        x: CubeTensor,
        weights: CubeTensor,
        shortcut: CubeTensor,
        spec: ConvSpec,
    ) -> CubeTensor {
        run(x, weights, Some(into_contiguous(shortcut)), spec)
    }
}

fn run(
    x: CubeTensor,
    weights: CubeTensor,
    shortcut: Option<CubeTensor>,
    spec: ConvSpec,
) -> CubeTensor {
    let x = into_contiguous(x);
    if !spec.instance_norm {
        return convolution(x, weights, shortcut, spec);
    }
    let [batch, _, height, width] = dims(&x);
    let map = convolution(x, weights, None, spec);
    let [height, width] = spec.output([height, width]);
    let out = empty(&map, [batch, spec.outputs, height, width]);
    norm(&map, shortcut.as_ref(), &out, spec);
    out
}

/// The convolution; what comes after an instance norm is left to [`norm`].
pub fn convolution(
    x: CubeTensor,
    weights: CubeTensor,
    shortcut: Option<CubeTensor>,
    mut spec: ConvSpec,
) -> CubeTensor {
    if spec.instance_norm {
        spec.activation = Activation::None;
        spec.pool = false;
    }
    let [batch, x_channels, height, width] = dims(&x);
    let [map_height, map_width] = spec.map([height, width]);
    let map = [batch, spec.outputs, map_height, map_width];
    let kernel = Conv::new(spec, shortcut.is_some(), map);
    let [out_height, out_width] = spec.output([height, width]);
    let out = empty(&x, [batch, spec.outputs, out_height, out_width]);
    let weights = into_contiguous(weights);
    let mut tensors = vec![&x, &weights, &out];
    tensors.extend(&shortcut);
    let [batch, inputs, height, width] = u32s([batch, spec.inputs, height, width]);
    let [outputs, out_width, x_channels] = u32s([spec.outputs, map_width, x_channels]);
    let sizes = Sizes {
        batch,
        inputs,
        height,
        width,
        outputs,
        slope: spec.activation.slope(),
        out_width,
        x_channels,
    };
    launch(kernel, kernel.groups(map), &tensors, sizes);
    out
}

/// Instance norm of a convolution's map, shortcut, activation and max-pool, into the first channels
/// of `out`.
pub fn norm(map: &CubeTensor, shortcut: Option<&CubeTensor>, out: &CubeTensor, spec: ConvSpec) {
    let [_, channels, height, width] = dims(map);
    let after = if shortcut.is_some() {
        After::Shortcut
    } else {
        After::Nothing
    };
    let kernel = InstanceNorm::new([height, width], after, spec.activation, spec.pool);
    let place = Place {
        channels,
        ..Place::default()
    };
    let beside: Vec<&CubeTensor> = shortcut.into_iter().collect();
    instance_norm::run(kernel, map, &beside, out, place);
}
