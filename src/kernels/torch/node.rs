#![expect(deprecated, reason = "no other CPU backend of Burn trains as fast")]
//! A group as one node of Burn's graph, with PyTorch's own graph kept for its gradients.

use std::sync::Arc;

use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, LibTorch, backend_extension};
use burn::tensor::{Device, Tensor};

use super::groups::{self, Group};

type TorchTensor = FloatTensor<LibTorch>;

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
        groups::run(&tensors, group)
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
        let mut outputs = groups::run(&leaves.iter().collect::<Vec<_>>(), group).into_iter();
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

/// Inputs of a group, of any rank, at most [`INPUTS`].
#[derive(Default)]
pub struct Inputs(Vec<FloatTensor<Dispatch>>);

impl Inputs {
    /// One more.
    pub fn with<const D: usize>(mut self, tensor: Tensor<D>) -> Self {
        self.0.push(tensor.into_dispatch());
        self
    }

    /// Runs a group over them; `device` is theirs.
    pub fn run(self, group: Group, device: &Device) -> Outputs {
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
pub struct Outputs(std::vec::IntoIter<FloatTensor<Dispatch>>);

impl Outputs {
    /// The one that carries gradients.
    pub fn first<const D: usize>(&mut self) -> Tensor<D> {
        self.next().expect("every group has an output")
    }

    /// The next one, in the order of the group's description.
    pub fn next<const D: usize>(&mut self) -> Option<Tensor<D>> {
        self.0.next().map(Tensor::from_dispatch)
    }
}
