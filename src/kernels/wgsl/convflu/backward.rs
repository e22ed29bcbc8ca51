//! From a direction's gradient to its backward kernels: which run, in what order, on what buffers.
//!
//! 1. `convflu_grad_outputs`: through the mix, tanh and the sigmoid of z, element by element.
//! 2. `convflu_grad_leak`: through W to what leaked in, and from there to r and to the branch read.
//! 3. `convflu_grad_inputs`: through U, W_z and W_r to both branches, where their gradients are wanted.
//! 4. `convflu_grad_weights`, `convflu_grad_sums`: the weights' gradients, where they are wanted.

use burn::backend::wgpu::{CubeBackend, CubeTensor, into_contiguous};

use super::autodiff::{ConvFluGradients, INPUTS, Kept, UnitTensors};
use super::grad_outputs::{self, ConvFluGradOutputs};
use super::grad_sums::{self, ConvFluGradSums};
use super::grad_weights::{self, ConvFluGradWeights, flat_map};
use super::tile_product::{self, Product, TileProduct};
use crate::kernels::wgsl::shader::{dims, empty, launch, u32s};
use crate::kernels::wgsl::tiling::tiled_map;

/// Maps of pre-activation gradients: of h, z, r.
const DELTA_MAPS: usize = 3;
/// Maps of gates of a direction: r, z.
const GATE_MAPS: usize = 2;

impl ConvFluGradients for CubeBackend {
    fn unit_gradients(
        kept: Kept<Self>,
        gradient: CubeTensor,
        wanted: [bool; INPUTS],
    ) -> [Option<CubeTensor>; INPUTS] {
        let direction = Direction::new(kept);
        let [own, other, weights @ ..] = wanted;
        let maps = direction.to_deltas(into_contiguous(gradient));
        if own || other {
            direction.to_inputs(&maps);
        }
        let weights_wanted = weights.contains(&true);
        let of_weights = weights_wanted.then(|| direction.to_weights(&maps.deltas));
        let [w_r, w_z, u, w] = match of_weights {
            Some(gradients) => gradients.map(Some),
            None => [const { None }; 4],
        };
        let all = [Some(maps.d_own), Some(maps.d_other), w_r, w_z, u, w];
        let mut wanted = wanted.into_iter();
        all.map(|gradient| gradient.filter(|_| wanted.next() == Some(true)))
    }
}

/// Gradients of the size of maps.
struct Maps {
    /// Of the pre-activations of h, z and r.
    deltas: CubeTensor,
    d_own: CubeTensor,
    d_other: CubeTensor,
}

/// A direction whose tensors are contiguous.
struct Direction {
    kept: Kept<CubeBackend>,
    shape: [usize; 4],
}

impl Direction {
    fn new(kept: Kept<CubeBackend>) -> Self {
        let shape = dims(&kept.own);
        let kept = Kept {
            own: into_contiguous(kept.own),
            other: into_contiguous(kept.other),
            output: into_contiguous(kept.output),
            gates: into_contiguous(kept.gates),
            unit: UnitTensors {
                w_r: into_contiguous(kept.unit.w_r),
                w_z: into_contiguous(kept.unit.w_z),
                u: into_contiguous(kept.unit.u),
                w: into_contiguous(kept.unit.w),
            },
            ..kept
        };
        Self { kept, shape }
    }

    /// The pre-activations' gradients, and what of x's and y's does not come through their
    /// convolutions.
    fn to_deltas(&self, gradient: CubeTensor) -> Maps {
        let kept = &self.kept;
        let numbers = self.numbers();
        let maps = Maps {
            deltas: empty(&kept.own, [DELTA_MAPS * numbers]),
            d_own: like(&kept.own),
            d_other: like(&kept.other),
        };

        let kernel = ConvFluGradOutputs::new(kept.spec.convention, numbers);
        let (groups, lanes) = (kernel.groups(numbers), kernel.lanes());
        let inputs = [&gradient, &kept.own, &kept.output, &kept.gates];
        let tensors = [&inputs[..], &[&maps.deltas, &maps.d_own]].concat();
        let [numbers, z] = u32s([numbers / lanes, self.gate(1) / lanes]);
        launch(kernel, groups, &tensors, grad_outputs::Sizes { numbers, z });

        let map = self.tiled();
        let kernel = TileProduct::new(Product::GradLeak, kept.spec.side, map);
        let inputs = [&maps.deltas, &kept.gates, &kept.other, &kept.unit.w];
        let tensors = [&inputs[..], &[&maps.d_other]].concat();
        let [r] = u32s([self.gate(0)]);
        let sizes = tile_product::Sizes {
            r,
            ..tile_product::Sizes::new(map)
        };
        launch(kernel, kernel.groups(map), &tensors, sizes);
        maps
    }

    /// Adds to x's and y's gradients what comes through their convolutions.
    fn to_inputs(&self, maps: &Maps) {
        let unit = &self.kept.unit;
        let map = self.tiled();
        let kernel = TileProduct::new(Product::GradInputs, self.kept.spec.side, map);
        let inputs = [&maps.deltas, &unit.u, &unit.w_z, &unit.w_r];
        let tensors = [&inputs[..], &[&maps.d_own, &maps.d_other]].concat();
        let sizes = tile_product::Sizes::new(map);
        launch(kernel, kernel.groups(map), &tensors, sizes);
    }

    /// Gradients of W_r, W_z, U, W.
    fn to_weights(&self, deltas: &CubeTensor) -> [CubeTensor; 4] {
        let kept = &self.kept;
        let [batch, channels, height, width] = self.shape;
        let side = kept.spec.side;
        let [height, width] = flat_map(side, height, width);

        let kernel = ConvFluGradWeights::new(side, channels, [height, width]);
        let splits = kernel.splits([batch, channels, height, width]);
        let quads = kernel.partials(channels);
        let partials = empty(&kept.own, [4 * splits * quads]);
        let tensors = [deltas, &kept.gates, &kept.own, &kept.other, &partials];
        let [tiles, squares] = kernel.tiles_of_weights(channels);
        let groups = [splits, tiles, squares];
        let [batch, channels, height, width] = u32s([batch, channels, height, width]);
        let [r, splits, taps] = u32s([self.gate(0), splits, side * side]);
        let sizes = grad_weights::Sizes {
            batch,
            channels,
            height,
            width,
            r,
            splits,
        };
        launch(kernel, groups, &tensors, sizes);

        let unit = &kept.unit;
        let gradients = [&unit.w_r, &unit.w_z, &unit.u, &unit.w].map(like);
        let kernel = ConvFluGradSums;
        let tensors: Vec<_> = std::iter::once(&partials).chain(&gradients).collect();
        let sizes = grad_sums::Sizes {
            channels,
            taps,
            splits,
        };
        launch(kernel, kernel.groups(quads), &tensors, sizes);
        gradients
    }

    /// The map as the tiled products see it.
    fn tiled(&self) -> [usize; 4] {
        let [batch, channels, height, width] = self.shape;
        let [height, width] = tiled_map(height, width, self.kept.spec.side);
        [batch, channels, height, width]
    }

    /// Where this direction's r (0) or z (1) starts in the gates.
    fn gate(&self, gate: usize) -> usize {
        (GATE_MAPS * self.kept.direction + gate) * self.numbers()
    }

    fn numbers(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A tensor of the same shape, not filled.
fn like(tensor: &CubeTensor) -> CubeTensor {
    empty(tensor, dims(tensor))
}
