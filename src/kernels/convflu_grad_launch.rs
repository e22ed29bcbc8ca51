//! From a direction's gradient to its backward kernels: which run, in what order, on what buffers.
//!
//! 1. `convflu_grad_outputs`: through the mix, tanh and the sigmoid of z, element by element.
//! 2. `convflu_grad_leak`: through W to what leaked in, and from there to r and to the branch read.
//! 3. `convflu_grad_inputs`: through U, W_z and W_r to both branches, where their gradients are wanted.
//! 4. `convflu_grad_weights`, `convflu_grad_sums`: the weights' gradients, where they are wanted.

use burn::backend::wgpu::{CubeBackend, CubeTensor, into_contiguous};
use burn::cubecl::server::Handle;

use super::convflu_autodiff::{ConvFluGradients, INPUTS, Kept, UnitTensors};
use super::convflu_grad_outputs::{self, ConvFluGradOutputs};
use super::convflu_grad_sums::{self, ConvFluGradSums};
use super::convflu_grad_weights::{self, ConvFluGradWeights, flat_map};
use super::convflu_launch::tiled_map;
use super::launch::{self, Shader, dims, dispatch, empty, u32s};
use super::tile_product::{self, Product, TileProduct};

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
    deltas: Handle,
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
            deltas: self.buffer(DELTA_MAPS * numbers),
            d_own: self.like(&kept.own),
            d_other: self.like(&kept.other),
        };

        let kernel = ConvFluGradOutputs::new(kept.mode.sense, numbers);
        let (groups, lanes) = (kernel.groups(numbers), kernel.lanes());
        let mut buffers = handles(&[&gradient, &kept.own, &kept.output, &kept.gates]);
        buffers.extend([maps.deltas.clone(), maps.d_own.handle.clone()]);
        let [numbers, z] = u32s([numbers / lanes, self.gate(1) / lanes]);
        let sizes = convflu_grad_outputs::Sizes { numbers, z };
        self.launch(kernel, groups, buffers, sizes);

        let map = self.tiled();
        let kernel = TileProduct::new(Product::GradLeak, kept.mode.side, map);
        let mut buffers = vec![maps.deltas.clone()];
        buffers.extend(handles(&[
            &kept.gates,
            &kept.other,
            &kept.unit.w,
            &maps.d_other,
        ]));
        let [r] = u32s([self.gate(0)]);
        let sizes = tile_product::Sizes {
            r,
            ..tile_product::Sizes::new(map)
        };
        self.launch(kernel, kernel.groups(map), buffers, sizes);
        maps
    }

    /// Adds to x's and y's gradients what comes through their convolutions.
    fn to_inputs(&self, maps: &Maps) {
        let unit = &self.kept.unit;
        let map = self.tiled();
        let kernel = TileProduct::new(Product::GradInputs, self.kept.mode.side, map);
        let mut buffers = vec![maps.deltas.clone()];
        buffers.extend(handles(&[
            &unit.u,
            &unit.w_z,
            &unit.w_r,
            &maps.d_own,
            &maps.d_other,
        ]));
        let sizes = tile_product::Sizes::new(map);
        self.launch(kernel, kernel.groups(map), buffers, sizes);
    }

    /// Gradients of W_r, W_z, U, W.
    fn to_weights(&self, deltas: &Handle) -> [CubeTensor; 4] {
        let kept = &self.kept;
        let [batch, channels, height, width] = self.shape;
        let side = kept.mode.side;
        let [height, width] = flat_map(side, height, width);

        let kernel = ConvFluGradWeights::new(side, channels, [height, width]);
        let splits = kernel.splits([batch, channels, height, width]);
        let quads = kernel.partials(channels);
        let partials = self.buffer(4 * splits * quads);
        let mut buffers = vec![deltas.clone()];
        buffers.extend(handles(&[&kept.gates, &kept.own, &kept.other]));
        buffers.push(partials.clone());
        let [tiles, squares] = kernel.tiles_of_weights(channels);
        let groups = [splits, tiles, squares];
        let [batch, channels, height, width] = u32s([batch, channels, height, width]);
        let [r, splits, taps] = u32s([self.gate(0), splits, side * side]);
        let sizes = convflu_grad_weights::Sizes {
            batch,
            channels,
            height,
            width,
            r,
            splits,
        };
        self.launch(kernel, groups, buffers, sizes);

        let unit = &kept.unit;
        let gradients = [&unit.w_r, &unit.w_z, &unit.u, &unit.w].map(|weight| self.like(weight));
        let kernel = ConvFluGradSums;
        let mut buffers = vec![partials];
        buffers.extend(gradients.iter().map(|gradient| gradient.handle.clone()));
        let sizes = convflu_grad_sums::Sizes {
            channels,
            taps,
            splits,
        };
        self.launch(kernel, kernel.groups(quads), buffers, sizes);
        gradients
    }

    fn launch<S: Shader>(
        &self,
        shader: S,
        groups: [usize; 3],
        buffers: Vec<Handle>,
        sizes: S::Sizes,
    ) {
        dispatch(&self.kept.own, shader, groups, buffers, sizes);
    }

    /// The map as the tiled products see it.
    fn tiled(&self) -> [usize; 4] {
        let [batch, channels, height, width] = self.shape;
        let (height, width) = tiled_map(height, width, self.kept.mode.side);
        [batch, channels, height, width]
    }

    /// Where this direction's r (0) or z (1) starts in the gates.
    fn gate(&self, gate: usize) -> usize {
        (GATE_MAPS * self.kept.direction + gate) * self.numbers()
    }

    fn numbers(&self) -> usize {
        self.shape.iter().product()
    }

    /// A buffer of so many numbers, not filled.
    fn buffer(&self, numbers: usize) -> Handle {
        launch::buffer(&self.kept.own.client, numbers)
    }

    /// A tensor of the shape of `tensor`, not filled.
    fn like(&self, tensor: &CubeTensor) -> CubeTensor {
        empty(tensor, dims(tensor))
    }
}

fn handles(tensors: &[&CubeTensor]) -> Vec<Handle> {
    tensors.iter().map(|tensor| tensor.handle.clone()).collect()
}
