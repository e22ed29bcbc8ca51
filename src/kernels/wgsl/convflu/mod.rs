//! The ConvFLU pair on wgpu: which passes a pair takes.
//!
//! One pass (`one_pass.rs`) does all of it where the kernels are 1x1 and the channels fit a workgroup;
//! else `gates.rs` and the candidate of `tile_product.rs` do it in two. In training, `autodiff.rs` makes
//! each direction a node of Burn's graph, and `backward.rs` launches its backward kernels.

#[cfg(feature = "native")]
mod autodiff;
#[cfg(feature = "native")]
mod backward;
pub mod gates;
#[cfg(feature = "native")]
pub mod grad_outputs;
#[cfg(feature = "native")]
pub mod grad_sums;
#[cfg(feature = "native")]
pub mod grad_weights;
pub mod one_pass;
pub mod tile_product;
mod weights;

use burn::backend::wgpu::{CubeBackend, CubeTensor, SourceTemplate, into_contiguous};
use burn::tensor::{DType, Tensor};

use super::shader::{dims, empty, launch, u32s};
use super::tiling::tiled_map;
use crate::kernels::backend::ConvFluBackend;
use crate::kernels::spec::{ConvFluSpec, GateConvention, MAX_GROUPS, fits_buffer};
use gates::ConvFluGates;
use one_pass::ConvFlu1x1;
use tile_product::{Product, TileProduct};

#[cfg(feature = "native")]
pub use autodiff::train;
pub use weights::prepare;

/// Maps between the two passes: r_x . y, r_y . x, z_x, z_y, U_x * x, U_y * y.
const WORKSPACE_MAPS: usize = 6;
/// Maps of gates: r_x, z_x, r_y, z_y.
const GATE_MAPS: usize = 4;
/// Weights of a pair in units of C x C kernels: W_r and W_z twice, U and W once, two directions.
const WEIGHT_SQUARES: usize = 12;

/// Whether a pair of x and y with square kernels of this side is what the kernels are made for.
///
/// They need f32, and buffers and a dispatch within WebGPU's defaults (128 MiB for six maps of the
/// pair's size, and for the prepared weights). One pass needs maps of a multiple of four pixels, as
/// those of every network are.
pub fn can_run(x: &Tensor<4>, y: &Tensor<4>, side: usize) -> bool {
    let [batch, channels, height, width] = x.dims();
    let numbers = batch * channels * height * width;
    matches!(side, 1 | 3)
        && numbers > 0
        && fits_buffer(numbers * WORKSPACE_MAPS)
        && fits_buffer(WEIGHT_SQUARES * (channels * side).pow(2))
        && (in_two_passes(channels, side) || (height * width).is_multiple_of(one_pass::QUAD))
        && 2 * batch <= MAX_GROUPS
        && height * width <= MAX_GROUPS
        && x.dims() == y.dims()
        && x.dtype() == DType::F32
        && y.dtype() == DType::F32
}

/// Whether a pair of `channels` takes two passes.
fn in_two_passes(channels: usize, side: usize) -> bool {
    side != 1 || channels > one_pass::MAX_CHANNELS
}

/// The shader with shaders/shared/gates.wgsl after it.
fn with_gates(shader: &str, convention: GateConvention) -> SourceTemplate {
    let gate_mix = match convention {
        GateConvention::ZTakesCandidate => "mix(own, candidate, z)",
        GateConvention::ZKeepsInput => "mix(candidate, own, z)",
    };
    SourceTemplate::new(shader)
        .add_template(include_str!("../../../../shaders/shared/gates.wgsl"))
        .register("gate_mix", gate_mix)
}

impl ConvFluBackend for CubeBackend {
    fn convflu(
        x: CubeTensor,
        y: CubeTensor,
        weights: CubeTensor,
        spec: ConvFluSpec,
    ) -> (CubeTensor, CubeTensor) {
        Pair::new(x, y, weights, spec).run(None)
    }

    fn convflu_with_gates(
        x: CubeTensor,
        y: CubeTensor,
        weights: CubeTensor,
        spec: ConvFluSpec,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let pair = Pair::new(x, y, weights, spec);
        let gates = pair.maps(GATE_MAPS);
        let (x, y) = pair.run(Some(&gates));
        (x, y, gates)
    }
}

/// One call: contiguous tensors and what is wanted of them.
struct Pair {
    x: CubeTensor,
    y: CubeTensor,
    weights: CubeTensor,
    spec: ConvFluSpec,
}

impl Pair {
    fn new(x: CubeTensor, y: CubeTensor, weights: CubeTensor, spec: ConvFluSpec) -> Self {
        Self {
            x: into_contiguous(x),
            y: into_contiguous(y),
            weights: into_contiguous(weights),
            spec,
        }
    }

    /// x and y after the pair; the gates are written where they are wanted.
    fn run(self, gates: Option<&CubeTensor>) -> (CubeTensor, CubeTensor) {
        let out = || empty(&self.x, dims(&self.x));
        let out = [out(), out()];
        if in_two_passes(dims(&self.x)[1], self.spec.side) {
            self.two_passes(&out, gates);
        } else {
            self.one_pass(&out, gates);
        }
        let [x, y] = out;
        (x, y)
    }

    fn one_pass(&self, [out_x, out_y]: &[CubeTensor; 2], gates: Option<&CubeTensor>) {
        let [batch, channels, height, width] = dims(&self.x);
        let map = height * width / one_pass::QUAD;
        let kernel = ConvFlu1x1::new(channels, self.spec, gates.is_some());
        let mut tensors = vec![&self.x, &self.y, &self.weights, out_x, out_y];
        tensors.extend(gates);
        let groups = kernel.groups(batch * map);
        let [channels, map, quads] = u32s([channels, map, batch * map]);
        let sizes = one_pass::Sizes {
            channels,
            map,
            quads,
        };
        launch(kernel, groups, &tensors, sizes);
    }

    fn two_passes(&self, [out_x, out_y]: &[CubeTensor; 2], gates: Option<&CubeTensor>) {
        let [batch, channels, height, width] = dims(&self.x);
        let [height, width] = tiled_map(height, width, self.spec.side);
        let map = [batch, channels, height, width];
        let workspace = self.maps(WORKSPACE_MAPS);

        let kernel = ConvFluGates::new(map, self.spec, gates.is_some());
        let mut tensors = vec![&self.x, &self.y, &self.weights, &workspace];
        tensors.extend(gates);
        let [batch, channels, height, width] = u32s(map);
        let sizes = gates::Sizes {
            batch,
            channels,
            height,
            width,
        };
        launch(kernel, kernel.groups(map), &tensors, sizes);

        let product = Product::Candidate(self.spec.convention);
        let kernel = TileProduct::new(product, self.spec.side, map);
        let tensors = [&self.x, &self.y, &self.weights, &workspace, out_x, out_y];
        let sizes = tile_product::Sizes::new(map);
        launch(kernel, kernel.groups(map), &tensors, sizes);
    }

    /// So many maps of x's size, not filled.
    fn maps(&self, count: usize) -> CubeTensor {
        let [batch, channels, height, width] = dims(&self.x);
        empty(&self.x, [count, batch, channels, height, width])
    }
}
