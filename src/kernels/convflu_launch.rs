//! From Burn's tensors to the ConvFLU kernels: which passes a pair takes, and the extension of the
//! backend that launches them.

use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::{CubeBackend, CubeTensor, into_contiguous};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::cubecl::server::Handle;
use burn::tensor::{DType, Tensor};

use super::convflu::{GateSense, Gates, PairOutput};
use super::convflu_1x1::{self, ConvFlu1x1};
use super::convflu_gates::{self, ConvFluGates};
use super::launch::{self, MAX_BUFFER_BYTES, MAX_GROUPS, dims, dispatch, empty, tensor_in, u32s};
use super::tile_product::{self, Product, TileProduct};

/// Maps between the two passes: r_x . y, r_y . x, z_x, z_y, U_x * x, U_y * y.
const WORKSPACE_MAPS: usize = 6;
/// Maps of gates: r_x, z_x, r_y, z_y.
const GATE_MAPS: usize = 4;
/// Rows of pixels of a tile of the two passes.
const TILE_H: usize = 4;

/// What a kernel is made for, beside the tensors' shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mode {
    /// Side of the square kernel: 1 or 3.
    pub side: usize,
    /// What z weighs.
    pub sense: GateSense,
}

#[cfg(test)]
impl Mode {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let of = |side| GateSense::ALL.map(|sense| Self { side, sense });
        [1, 3].into_iter().flat_map(of)
    }
}

/// The WGSL expression that mixes `own` and `candidate` by `z`.
pub(super) fn gate_mix(sense: GateSense) -> &'static str {
    match sense {
        GateSense::ZTakesCandidate => "mix(own, candidate, z)",
        GateSense::ZKeepsInput => "mix(candidate, own, z)",
    }
}

/// The ConvFLU pair as an operation of the backends that run its kernels.
#[backend_extension(Cube)]
pub trait ConvFluBackend: Backend {
    /// x and y after the pair, each `[batch, C, height, width]`.
    fn convflu(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        mode: Mode,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// x and y after the pair, and the gates r_x, z_x, r_y, z_y: `[4, batch, C, height, width]`.
    fn convflu_with_gates(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        mode: Mode,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl ConvFluBackend for CubeBackend {
    fn convflu(
        x: CubeTensor,
        y: CubeTensor,
        weights: CubeTensor,
        mode: Mode,
    ) -> (CubeTensor, CubeTensor) {
        let (x, y, _) = launch(x, y, weights, mode, false);
        (x, y)
    }

    fn convflu_with_gates(
        x: CubeTensor,
        y: CubeTensor,
        weights: CubeTensor,
        mode: Mode,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let (x, y, gates) = launch(x, y, weights, mode, true);
        let [batch, channels, height, width] = dims(&x);
        let gates = tensor_in(gates, &x, [GATE_MAPS, batch, channels, height, width]);
        (x, y, gates)
    }
}

/// Weights of a pair in units of C x C kernels: W_r and W_z twice, U and W once, two directions.
const WEIGHT_SQUARES: usize = 12;

/// Whether a pair of x and y with square kernels of this side is what the kernels are made for.
///
/// They need f32, and buffers and a dispatch within WebGPU's defaults (128 MiB for six maps of the
/// pair's size, and for the packed weights). One pass needs maps of a multiple of four pixels, as
/// those of every network are.
pub(super) fn fits(x: &Tensor<4>, y: &Tensor<4>, side: usize) -> bool {
    let [batch, channels, height, width] = x.dims();
    let numbers = batch * channels * height * width;
    matches!(side, 1 | 3)
        && numbers > 0
        && numbers * WORKSPACE_MAPS * size_of::<f32>() <= MAX_BUFFER_BYTES
        && WEIGHT_SQUARES * (channels * side).pow(2) * size_of::<f32>() <= MAX_BUFFER_BYTES
        && (in_two_passes(channels, side) || (height * width).is_multiple_of(convflu_1x1::QUAD))
        && 2 * batch <= MAX_GROUPS
        && height * width <= MAX_GROUPS
        && x.dims() == y.dims()
        && x.dtype() == DType::F32
        && y.dtype() == DType::F32
}

/// Whether a pair of `channels` takes two passes.
pub(super) fn in_two_passes(channels: usize, side: usize) -> bool {
    side != 1 || channels > convflu_1x1::MAX_CHANNELS
}

/// Runs a pair that [`fits`], with weights of [`super::PackedPair`].
pub(super) fn run(
    x: Tensor<4>,
    y: Tensor<4>,
    packed: &Tensor<1>,
    side: usize,
    sense: GateSense,
    keep_gates: bool,
) -> PairOutput {
    let mode = Mode { side, sense };
    let shape = x.dims();
    let (x, y, weights) = (
        x.into_dispatch(),
        y.into_dispatch(),
        packed.clone().into_dispatch(),
    );
    if !keep_gates {
        let (x, y) = Dispatch::convflu(x, y, weights, mode);
        return PairOutput {
            x: Tensor::from_dispatch(x),
            y: Tensor::from_dispatch(y),
            gates: None,
        };
    }
    let (x, y, gates) = Dispatch::convflu_with_gates(x, y, weights, mode);
    let gates = Tensor::<5>::from_dispatch(gates);
    let gate = |i: usize| gates.clone().narrow(0, i, 1).reshape(shape);
    PairOutput {
        x: Tensor::from_dispatch(x),
        y: Tensor::from_dispatch(y),
        gates: Some((
            Gates {
                r: gate(0),
                z: gate(1),
            },
            Gates {
                r: gate(2),
                z: gate(3),
            },
        )),
    }
}

fn launch(
    x: CubeTensor,
    y: CubeTensor,
    weights: CubeTensor,
    mode: Mode,
    keep_gates: bool,
) -> (CubeTensor, CubeTensor, Handle) {
    let pair = Pair {
        x: into_contiguous(x),
        y: into_contiguous(y),
        weights: into_contiguous(weights),
        mode,
        keep_gates,
    };
    let channels = dims(&pair.x)[1];
    if in_two_passes(channels, mode.side) {
        pair.two_passes()
    } else {
        pair.one_pass()
    }
}

/// One call: contiguous tensors and what is wanted of them.
struct Pair {
    x: CubeTensor,
    y: CubeTensor,
    weights: CubeTensor,
    mode: Mode,
    keep_gates: bool,
}

impl Pair {
    fn one_pass(self) -> (CubeTensor, CubeTensor, Handle) {
        let [batch, channels, height, width] = dims(&self.x);
        let map = height * width / convflu_1x1::QUAD;
        let kernel = ConvFlu1x1::new(channels, self.mode, self.keep_gates);
        let (out_x, out_y, gates) = self.outputs();
        let mut buffers = self.inputs();
        buffers.extend([out_x.handle.clone(), out_y.handle.clone()]);
        if self.keep_gates {
            buffers.push(gates.clone());
        }
        let groups = kernel.groups(batch * map);
        let [channels, map, quads] = u32s([channels, map, batch * map]);
        let sizes = convflu_1x1::Sizes {
            channels,
            map,
            quads,
        };
        dispatch(&self.x, kernel, groups, buffers, sizes);
        (out_x, out_y, gates)
    }

    fn two_passes(self) -> (CubeTensor, CubeTensor, Handle) {
        let [batch, channels, height, width] = dims(&self.x);
        let (height, width) = tiled_map(height, width, self.mode.side);
        let map = [batch, channels, height, width];
        let [batch, channels, height, width] = u32s(map);
        let (out_x, out_y, gates) = self.outputs();
        let workspace = self.maps(WORKSPACE_MAPS);

        let kernel = ConvFluGates::new(map, self.mode, self.keep_gates);
        let mut buffers = self.inputs();
        buffers.push(workspace.clone());
        if self.keep_gates {
            buffers.push(gates.clone());
        }
        let sizes = convflu_gates::Sizes {
            batch,
            channels,
            height,
            width,
        };
        dispatch(&self.x, kernel, kernel.groups(map), buffers, sizes);

        let kernel = TileProduct::new(Product::Candidate(self.mode.sense), self.mode.side, map);
        let mut buffers = self.inputs();
        buffers.extend([workspace, out_x.handle.clone(), out_y.handle.clone()]);
        let sizes = tile_product::Sizes::new(map);
        dispatch(&self.x, kernel, kernel.groups(map), buffers, sizes);
        (out_x, out_y, gates)
    }

    fn inputs(&self) -> Vec<Handle> {
        [&self.x, &self.y, &self.weights]
            .map(|tensor| tensor.handle.clone())
            .to_vec()
    }

    /// x and y of the output, and the gates' buffer (of no use unless they are kept).
    fn outputs(&self) -> (CubeTensor, CubeTensor, Handle) {
        let out = || empty(&self.x, dims(&self.x));
        let (x, y) = (out(), out());
        let gates = if self.keep_gates {
            self.maps(GATE_MAPS)
        } else {
            x.handle.clone()
        };
        (x, y, gates)
    }

    /// A buffer of so many maps of x's size.
    fn maps(&self, count: usize) -> Handle {
        let numbers: usize = dims(&self.x).iter().product();
        launch::buffer(&self.x.client, count * numbers)
    }
}

/// The map as the two passes tile it, by four rows of pixels: with a 1x1 kernel the pixels'
/// places do not matter, so that a map of a multiple of four pixels is seen as four rows.
pub(super) fn tiled_map(height: usize, width: usize, side: usize) -> (usize, usize) {
    let map = height * width;
    if side == 1 && map.is_multiple_of(TILE_H) {
        (TILE_H, map / TILE_H)
    } else {
        (height, width)
    }
}

/// Columns of a tile: the map's width in equal parts of at most `most`.
pub(super) fn tile_width(width: usize, most: usize) -> usize {
    width.div_ceil(width.div_ceil(most))
}

/// Tiles of a map.
pub(super) fn tiles(height: usize, width: usize, tile_width: usize) -> usize {
    height.div_ceil(TILE_H) * width.div_ceil(tile_width)
}

/// Pixels of a tile with its halo.
pub(super) fn span(tile_width: usize, side: usize) -> usize {
    (TILE_H + side - 1) * (tile_width + side - 1)
}
