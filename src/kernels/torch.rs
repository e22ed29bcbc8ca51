#![expect(deprecated, reason = "no other CPU backend of Burn trains as fast")]
//! LibTorch, on the CPU or a GPU: groups of operations that its autograd differentiates as one.
//!
//! Burn's autodiff takes a convolution's gradients and a norm apart into many passes over the maps,
//! which on a CPU costs more than the convolution. Here a group runs on PyTorch's own operations
//! with PyTorch's graph kept, and is one node of Burn's graph. Each group has its plain-tensor twin
//! where the network calls it.

use std::sync::Arc;

use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, DispatchDevice, LibTorch, backend_extension};
use burn::tensor::{Device, Tensor};
use tch::Kind;

use super::step::{Activation, StepShape};
use super::training_precision;
use super::{GateSense, PairOutput, UnitWeights};

type TorchTensor = FloatTensor<LibTorch>;

/// A group of operations; the inputs stand in the order of its description.
#[derive(Debug, Clone, Copy)]
pub enum Group {
    /// x, kernel, then as the shape says: bias, gamma and beta, shortcut. Out: the map, then the
    /// batch's mean and variance where the norm is a BatchNorm.
    Step(StepShape),
    /// f, gamma, beta. Out: instance norm of f, times gamma + beta.
    Style {
        /// Added to the variance.
        epsilon: f64,
    },
    /// x, grid. Out: x re-sampled, bilinear, the border repeated.
    Resample,
    /// x, y, W_r, W_z, U, W into x, then into y. Out: x' and y' one after the other on the batch.
    ConvFlu(GateSense),
}

/// A group as an operation of the backends that can run it.
///
/// Ten inputs, since an extension takes no lists: those after the group's `count` are fillers.
#[backend_extension(LibTorch, Autodiff)]
pub trait GroupBackend: Backend {
    /// The group's outputs; only the first one carries gradients.
    #[allow(clippy::too_many_arguments)]
    fn group(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        e: FloatTensor<Self>,
        f: FloatTensor<Self>,
        g: FloatTensor<Self>,
        h: FloatTensor<Self>,
        i: FloatTensor<Self>,
        j: FloatTensor<Self>,
        count: usize,
        group: Group,
    ) -> Vec<FloatTensor<Self>>;
}

/// Inputs of [`GroupBackend::group`].
const INPUTS: usize = 10;

/// A backend that differentiates a group by itself.
pub trait OwnGradients: Backend {
    /// What the backward pass needs.
    type Kept: Clone + Send + core::fmt::Debug + 'static;

    /// The outputs, and what the backward pass needs.
    fn forward_kept(
        inputs: Vec<FloatTensor<Self>>,
        count: usize,
        group: Group,
    ) -> (Vec<FloatTensor<Self>>, Self::Kept);

    /// Gradients of those inputs that `wanted` marks, in the order of the inputs.
    fn backward(
        kept: Self::Kept,
        gradient: FloatTensor<Self>,
        wanted: &[bool],
    ) -> Vec<Option<FloatTensor<Self>>>;
}

/// PyTorch's graph of one group.
#[derive(Debug, Clone)]
pub struct Graph(Arc<GraphParts>);

#[derive(Debug)]
struct GraphParts {
    /// The output that carries gradients, as PyTorch's graph knows it.
    root: TorchTensor,
    /// The inputs, as leaves of that graph.
    leaves: Vec<TorchTensor>,
    /// Inputs and output as Burn knows them: as long as they are held, Burn changes none in place.
    _held: Vec<TorchTensor>,
}

impl GroupBackend for LibTorch {
    fn group(
        a: TorchTensor,
        b: TorchTensor,
        c: TorchTensor,
        d: TorchTensor,
        e: TorchTensor,
        f: TorchTensor,
        g: TorchTensor,
        h: TorchTensor,
        i: TorchTensor,
        j: TorchTensor,
        count: usize,
        group: Group,
    ) -> Vec<TorchTensor> {
        let inputs = [&a, &b, &c, &d, &e, &f, &g, &h, &i, &j];
        let tensors = inputs[..count].iter().map(|input| &input.tensor);
        let tensors: Vec<&tch::Tensor> = tensors.collect();
        run(&tensors, group)
            .into_iter()
            .map(TorchTensor::new)
            .collect()
    }
}

impl OwnGradients for LibTorch {
    type Kept = Graph;

    fn forward_kept(
        inputs: Vec<TorchTensor>,
        count: usize,
        group: Group,
    ) -> (Vec<TorchTensor>, Graph) {
        let leaves: Vec<tch::Tensor> = inputs
            .iter()
            .take(count)
            .map(|input| input.tensor.detach().set_requires_grad(true))
            .collect();
        let mut outputs = run(&leaves.iter().collect::<Vec<_>>(), group).into_iter();
        let root = outputs.next().expect("every group has an output");
        let mut shown = vec![TorchTensor::new(root.detach())];
        shown.extend(outputs.map(|output| TorchTensor::new(output.detach())));
        let held = inputs.into_iter().chain([shown[0].clone()]).collect();
        let graph = GraphParts {
            root: TorchTensor::new(root),
            leaves: leaves.into_iter().map(TorchTensor::new).collect(),
            _held: held,
        };
        (shown, Graph(Arc::new(graph)))
    }

    fn backward(kept: Graph, gradient: TorchTensor, wanted: &[bool]) -> Vec<Option<TorchTensor>> {
        // The engine starts from ones: weighed by the gradient, the output has it as its own.
        let root = &kept.0.root.tensor * &gradient.tensor;
        let leaves: Vec<&tch::Tensor> = kept
            .0
            .leaves
            .iter()
            .zip(wanted)
            .filter_map(|(leaf, wanted)| wanted.then_some(&leaf.tensor))
            .collect();
        let mut gradients = tch::Tensor::run_backward(&[&root], &leaves, false, false).into_iter();
        wanted
            .iter()
            .map(|wanted| {
                wanted
                    .then(|| gradients.next().map(TorchTensor::new))
                    .flatten()
            })
            .collect()
    }
}

#[derive(Debug)]
struct GroupOps;

impl<B: OwnGradients> Backward<B, INPUTS> for GroupOps {
    type State = B::Kept;

    fn backward(self, ops: Ops<B::Kept, INPUTS>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let gradients = B::backward(ops.state, gradient, &wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

impl<B: OwnGradients, C: CheckpointStrategy> GroupBackend for Autodiff<B, C> {
    fn group(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        e: FloatTensor<Self>,
        f: FloatTensor<Self>,
        g: FloatTensor<Self>,
        h: FloatTensor<Self>,
        i: FloatTensor<Self>,
        j: FloatTensor<Self>,
        count: usize,
        group: Group,
    ) -> Vec<FloatTensor<Self>> {
        let inputs = [a, b, c, d, e, f, g, h, i, j];
        let nodes = inputs.each_ref().map(|input| input.node());
        let (primitives, guards): (Vec<_>, Vec<_>) =
            inputs.into_iter().map(|input| input.into_parts()).unzip();
        let prepared = Backward::<B, INPUTS>::prepare::<C>(GroupOps, nodes)
            .compute_bound()
            .stateful();
        let (outputs, first);
        match prepared {
            OpsKind::Tracked(prep) => {
                let (all, kept) = B::forward_kept(primitives, count, group);
                let mut all = all.into_iter();
                first = all.next().map(|first| prep.finish(kept, first));
                outputs = all;
            }
            OpsKind::UnTracked(prep) => {
                let (all, _) = B::forward_kept(primitives, count, group);
                let mut all = all.into_iter();
                first = all.next().map(|first| prep.finish(first));
                outputs = all;
            }
        }
        drop(guards);
        first
            .into_iter()
            .chain(outputs.map(FloatTensor::<Self>::new))
            .collect()
    }
}

/// Whether tensors of this device train in groups.
pub(super) fn available(device: &Device) -> bool {
    match device.as_dispatch() {
        DispatchDevice::Autodiff(device) => {
            matches!(device.clone().inner(), DispatchDevice::LibTorch(_))
        }
        _ => false,
    }
}

/// Inputs of a group, of any rank, at most [`INPUTS`].
#[derive(Default)]
pub(super) struct Inputs(Vec<FloatTensor<Dispatch>>);

impl Inputs {
    /// One more.
    pub(super) fn with<const D: usize>(mut self, tensor: Tensor<D>) -> Self {
        self.0.push(tensor.into_dispatch());
        self
    }

    /// Runs a group over them; `device` is theirs.
    pub(super) fn run(self, group: Group, device: &Device) -> Outputs {
        let count = self.0.len();
        let filler = Tensor::<1>::zeros([1], device).into_dispatch();
        let mut inputs = self.0.into_iter();
        let mut next = || inputs.next().unwrap_or_else(|| filler.clone());
        let outputs = Dispatch::group(
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
            count,
            group,
        );
        Outputs(outputs.into_iter())
    }
}

/// What a group gave.
pub(super) struct Outputs(std::vec::IntoIter<FloatTensor<Dispatch>>);

impl Outputs {
    /// The one that carries gradients.
    pub(super) fn first<const D: usize>(&mut self) -> Tensor<D> {
        self.next().expect("every group has an output")
    }

    /// The next one, in the order of the group's description.
    pub(super) fn next<const D: usize>(&mut self) -> Option<Tensor<D>> {
        self.0.next().map(Tensor::from_dispatch)
    }
}

/// A ConvFLU pair as one group.
pub(super) fn convflu_pair(
    x: Tensor<4>,
    y: Tensor<4>,
    to_x: &UnitWeights,
    to_y: &UnitWeights,
    sense: GateSense,
) -> PairOutput {
    let (batch, device) = (x.dims()[0], x.device());
    let inputs = [to_x, to_y]
        .into_iter()
        .flat_map(|unit| [&unit.w_r, &unit.w_z, &unit.u, &unit.w])
        .fold(Inputs::default().with(x).with(y), |inputs, kernel| {
            inputs.with(kernel.clone())
        });
    let both: Tensor<4> = inputs.run(Group::ConvFlu(sense), &device).first();
    PairOutput {
        x: both.clone().narrow(0, 0, batch),
        y: both.narrow(0, batch, batch),
        gates: None,
    }
}

fn run(inputs: &[&tch::Tensor], group: Group) -> Vec<tch::Tensor> {
    match group {
        Group::Step(shape) => step(inputs, shape),
        Group::Style { epsilon } => vec![instance_norm(inputs[0], epsilon) * inputs[1] + inputs[2]],
        Group::Resample => {
            const BILINEAR: i64 = 0;
            const BORDER: i64 = 1;
            vec![inputs[0].grid_sampler_2d(inputs[1], BILINEAR, BORDER, false)]
        }
        Group::ConvFlu(sense) => vec![convflu(inputs, sense)],
    }
}

fn step(inputs: &[&tch::Tensor], shape: StepShape) -> Vec<tch::Tensor> {
    let mut inputs = inputs.iter().copied();
    let mut next = || inputs.next().expect("as many inputs as the shape says");
    let (x, kernel) = (narrowed(next()), narrowed(next()));
    let bias = shape.bias.then(|| narrowed(next()));
    let (stride, padding) = ([shape.stride as i64; 2], [shape.padding as i64; 2]);
    let map = if shape.transposed {
        x.conv_transpose2d(&kernel, bias.as_ref(), stride, padding, [0, 0], 1, [1, 1])
    } else {
        x.conv2d(&kernel, bias.as_ref(), stride, padding, [1, 1], 1)
    };
    let none = None::<&tch::Tensor>;
    let (map, statistics) = match shape.norm {
        super::step::NormShape::None => (map, None),
        super::step::NormShape::Instance { epsilon } => (instance_norm(&map, epsilon), None),
        super::step::NormShape::Batch { epsilon } => {
            let (gamma, beta) = (next(), next());
            let (map, mean, inverse) =
                map.native_batch_norm(Some(gamma), Some(beta), none, none, true, 0.0, epsilon);
            let variance = inverse.detach().pow_tensor_scalar(-2) - epsilon;
            // A copy: PyTorch's graph needs the mean, and Burn may change what it is given.
            (map, Some((mean.detach().copy(), variance)))
        }
    };
    let map = if shape.shortcut { map + next() } else { map };
    let map = match shape.activation {
        Activation::None => map,
        Activation::Relu => map.relu(),
        Activation::Leaky => {
            let options = (map.kind(), map.device());
            map.prelu(&tch::Tensor::full(1, super::step::LEAKY_SLOPE, options))
        }
    };
    let mut outputs = vec![map.to_kind(Kind::Float)];
    if let Some((mean, variance)) = statistics {
        outputs.extend([mean, variance]);
    }
    outputs
}

/// Both directions of a pair; the same products as the plain twin's.
fn convflu(inputs: &[&tch::Tensor], sense: GateSense) -> tch::Tensor {
    let [x, y, to_x @ ..] = inputs else {
        unreachable!("a pair has ten inputs")
    };
    let (to_x, to_y) = to_x.split_at(4);
    let channels = x.size()[1];
    let own = |kernel: &tch::Tensor| kernel.narrow(1, 0, channels);
    let other = |kernel: &tch::Tensor| kernel.narrow(1, channels, channels);
    let pad = to_x[2].size()[2] / 2;
    let conv = |map: &tch::Tensor, kernel: &tch::Tensor| {
        narrowed(map).conv2d(
            &narrowed(kernel),
            None::<&tch::Tensor>,
            [1, 1],
            [pad, pad],
            [1, 1],
            1,
        )
    };
    let from_x = tch::Tensor::cat(
        &[own(to_x[0]), own(to_x[1]), other(to_y[0]), other(to_y[1])],
        0,
    );
    let from_y = tch::Tensor::cat(
        &[other(to_x[0]), other(to_x[1]), own(to_y[0]), own(to_y[1])],
        0,
    );
    let gates = (conv(x, &from_x) + conv(y, &from_y))
        .to_kind(Kind::Float)
        .sigmoid()
        .chunk(4, 1);
    let receive = |x: &tch::Tensor, y: &tch::Tensor, u, w, r: &tch::Tensor, z: &tch::Tensor| {
        let h = (conv(x, u) + conv(&(r * y), w)).to_kind(Kind::Float).tanh();
        match sense {
            GateSense::ZTakesCandidate => x.lerp_tensor(&h, z),
            GateSense::ZKeepsInput => h.lerp_tensor(x, z),
        }
    };
    let x_after = receive(x, y, to_x[2], to_x[3], &gates[0], &gates[1]);
    let y_after = receive(y, x, to_y[2], to_y[3], &gates[2], &gates[3]);
    tch::Tensor::cat(&[x_after, y_after], 0)
}

fn instance_norm(map: &tch::Tensor, epsilon: f64) -> tch::Tensor {
    let none = None::<&tch::Tensor>;
    map.instance_norm(none, none, none, none, true, 0.0, epsilon, false)
}

/// bf16 where the training is set to mixed precision.
fn narrowed(tensor: &tch::Tensor) -> tch::Tensor {
    match training_precision() {
        super::TrainingPrecision::Full => tensor.shallow_clone(),
        super::TrainingPrecision::Half => tensor.to_kind(Kind::BFloat16),
    }
}
