//! The ConvFLU pair as an operation of Burn's autodiff: the forward kernels, and for each direction a
//! node of the graph whose gradients the backward kernels compute.

use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::{CubeBackend, CubeTensor};
use burn::backend::{Backend, Dispatch, ExtensionType, backend_extension};
use burn::tensor::Tensor;

use super::weights;
use crate::kernels::backend::ConvFluBackend;
use crate::kernels::spec::{ConvFluSpec, GateConvention, PairOutput, UnitWeights};

/// [`UnitWeights`] of a backend.
#[derive(Debug, Clone, ExtensionType)]
pub struct UnitTensors<B: Backend> {
    /// W_r.
    pub w_r: FloatTensor<B>,
    /// W_z.
    pub w_z: FloatTensor<B>,
    /// U.
    pub u: FloatTensor<B>,
    /// W.
    pub w: FloatTensor<B>,
}

/// The pair as an operation of the backends that train by its kernels.
#[backend_extension(Cube, Autodiff)]
pub trait TrainedConvFlu: Backend {
    /// x and y after the pair. `weights` holds those of both units as
    /// [`PreparedPair`](crate::kernels::PreparedPair) does; the gradients are those of the units.
    fn trained_convflu(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        #[extension_type] to_x: UnitTensors<Self>,
        #[extension_type] to_y: UnitTensors<Self>,
        weights: FloatTensor<Self>,
        spec: ConvFluSpec,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

impl TrainedConvFlu for CubeBackend {
    fn trained_convflu(
        x: CubeTensor,
        y: CubeTensor,
        _: UnitTensors<Self>,
        _: UnitTensors<Self>,
        weights: CubeTensor,
        spec: ConvFluSpec,
    ) -> (CubeTensor, CubeTensor) {
        Self::convflu(x, y, weights, spec)
    }
}

/// Inputs of a direction: the branch that receives, the branch that is read, W_r, W_z, U, W.
pub const INPUTS: usize = 6;

/// What the backward pass of one direction needs.
#[derive(Debug, Clone)]
pub struct Kept<B: Backend> {
    /// The branch that receives, before the pair.
    pub own: FloatTensor<B>,
    /// The branch that is read.
    pub other: FloatTensor<B>,
    /// The branch that receives, after the pair.
    pub output: FloatTensor<B>,
    /// r_x, z_x, r_y, z_y: `[4, batch, C, height, width]`.
    pub gates: FloatTensor<B>,
    /// The direction's weights.
    pub unit: UnitTensors<B>,
    /// Which pair of the gates: 0 into x, 1 into y.
    pub direction: usize,
    /// What the kernels are made for.
    pub spec: ConvFluSpec,
}

/// A backend with backward kernels of a direction.
pub trait ConvFluGradients: ConvFluBackend {
    /// Gradients of those of [`INPUTS`] that `wanted` marks, from the output's `gradient`.
    fn unit_gradients(
        kept: Kept<Self>,
        gradient: FloatTensor<Self>,
        wanted: [bool; INPUTS],
    ) -> [Option<FloatTensor<Self>>; INPUTS];
}

#[derive(Debug)]
struct UnitBackward;

impl<B: ConvFluGradients> Backward<B, INPUTS> for UnitBackward {
    type State = Kept<B>;

    fn backward(self, ops: Ops<Kept<B>, INPUTS>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let gradients = B::unit_gradients(ops.state, gradient, wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

impl<B: ConvFluGradients, C: CheckpointStrategy> TrainedConvFlu for Autodiff<B, C> {
    fn trained_convflu(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        to_x: UnitTensors<Self>,
        to_y: UnitTensors<Self>,
        weights: FloatTensor<Self>,
        spec: ConvFluSpec,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let node =
            |own: &FloatTensor<Self>, other: &FloatTensor<Self>, unit: &UnitTensors<Self>| {
                let inputs = [own, other, &unit.w_r, &unit.w_z, &unit.u, &unit.w];
                Backward::<B, INPUTS>::prepare::<C>(UnitBackward, inputs.map(|input| input.node()))
                    .compute_bound()
                    .stateful()
            };
        let nodes = [node(&x, &y, &to_x), node(&y, &x, &to_y)];

        let (x, y) = (x.into_primitive(), y.into_primitive());
        let weights = weights.into_primitive();
        let (out_x, out_y, gates) = B::convflu_with_gates(x.clone(), y.clone(), weights, spec);
        let kept =
            |[own, other]: [&FloatTensor<B>; 2], output, unit: UnitTensors<Self>, direction| Kept {
                own: own.clone(),
                other: other.clone(),
                output,
                gates: gates.clone(),
                unit: UnitTensors {
                    w_r: unit.w_r.into_primitive(),
                    w_z: unit.w_z.into_primitive(),
                    u: unit.u.into_primitive(),
                    w: unit.w.into_primitive(),
                },
                direction,
                spec,
            };
        let [into_x, into_y] = nodes;
        (
            finish(into_x, kept([&x, &y], out_x, to_x, 0)),
            finish(into_y, kept([&y, &x], out_y, to_y, 1)),
        )
    }
}

/// The output of a direction, with its place in the graph.
fn finish<B: ConvFluGradients, C: CheckpointStrategy>(
    node: OpsKind<UnitBackward, B, Kept<B>, C, INPUTS>,
    kept: Kept<B>,
) -> FloatTensor<Autodiff<B, C>> {
    let output = kept.output.clone();
    match node {
        OpsKind::Tracked(prepared) => prepared.finish(kept, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

/// Runs a pair that [`can_run`](super::can_run), on [`WgslAutodiff`](crate::kernels::route::Route).
pub fn train(
    x: Tensor<4>,
    y: Tensor<4>,
    to_x: &UnitWeights,
    to_y: &UnitWeights,
    convention: GateConvention,
) -> PairOutput {
    let side = to_x.side();
    let prepared = weights::prepare(&without_graph(to_x), &without_graph(to_y));
    let (x, y) = Dispatch::trained_convflu(
        x.into_dispatch(),
        y.into_dispatch(),
        unit_tensors(to_x),
        unit_tensors(to_y),
        prepared.into_dispatch(),
        ConvFluSpec { side, convention },
    );
    PairOutput {
        x: Tensor::from_dispatch(x),
        y: Tensor::from_dispatch(y),
        gates: None,
    }
}

/// The weights as constants: laying them out is no part of the graph.
fn without_graph(unit: &UnitWeights) -> UnitWeights {
    let [w_r, w_z, u, w] = [&unit.w_r, &unit.w_z, &unit.u, &unit.w].map(|t| t.clone().inner());
    UnitWeights { w_r, w_z, u, w }
}

fn unit_tensors(unit: &UnitWeights) -> UnitTensors<Dispatch> {
    let [w_r, w_z, u, w] =
        [&unit.w_r, &unit.w_z, &unit.u, &unit.w].map(|t| t.clone().into_dispatch());
    UnitTensors { w_r, w_z, u, w }
}
