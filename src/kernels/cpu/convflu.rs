//! A ConvFLU pair on Burn's CPU backend: one convolution for the four gates, one for each candidate.

use burn::backend::flex::{Flex, FlexTensor};
use burn::tensor::{DType, Tensor};
use wide::f32x4;

use super::conv_tiles::{Padded, convolve};
use super::conv_weights;
use super::simd::{BLOCK, LANES};
use super::tensor::{dims, tensor, values};
use crate::kernels::backend::ConvFluBackend;
use crate::kernels::launches::count_launches;
use crate::kernels::prepared::filled_up;
use crate::kernels::spec::{ConvFluSpec, ConvKind, GateConvention, UnitWeights};

/// Gates of a pair: r and z into x, r and z into y.
const GATES: usize = 4;

/// Whether a pair with weights of so many channels can run over x and y.
pub fn can_run(x: &Tensor<4>, y: &Tensor<4>, channels: usize) -> bool {
    !x.dims().contains(&0)
        && x.dims()[1] == channels
        && x.dims() == y.dims()
        && y.dtype() == DType::F32
}

/// The weights of both directions in the kernel's order, each as [`conv_weights`] orders them: of the
/// gates over x and y, then of the candidates over a branch and what leaks into it.
pub fn prepare(to_x: &UnitWeights, to_y: &UnitWeights) -> Tensor<1> {
    let channels = to_x.u.dims()[0];
    let kind = kind_of(to_x.side());
    // The units into y see y first; the maps lie x first.
    let swapped = |weight: &Tensor<4>| {
        let half = |first| weight.clone().narrow(1, first, channels);
        Tensor::cat(vec![half(channels), half(0)], 1)
    };
    let gates = Tensor::cat(
        vec![
            to_x.w_r.clone(),
            to_x.w_z.clone(),
            swapped(&to_y.w_r),
            swapped(&to_y.w_z),
        ],
        0,
    );
    let candidate = |unit: &UnitWeights| {
        without_bias(Tensor::cat(vec![unit.u.clone(), unit.w.clone()], 1), kind)
    };
    let parts = vec![without_bias(gates, kind), candidate(to_x), candidate(to_y)];
    Tensor::cat(parts, 0)
}

/// A weight `[outputs, inputs, k, k]` as [`conv_weights`] orders it, with biases of 0.
fn without_bias(weight: Tensor<4>, kind: ConvKind) -> Tensor<1> {
    let [outputs, inputs, _, _] = weight.dims();
    let rows = inputs * kind.taps();
    let weight = weight.permute([1, 2, 3, 0]).reshape([rows, outputs]);
    let rows = filled_up(filled_up(weight, 0, rows + 1), 1, filled(outputs));
    conv_weights::prepare(rows, inputs, kind)
}

/// Output channels of whole blocks.
fn filled(outputs: usize) -> usize {
    outputs.next_multiple_of(BLOCK)
}

fn kind_of(side: usize) -> ConvKind {
    match side {
        1 => ConvKind::Conv1x1,
        _ => ConvKind::Conv3x3 { padding: 1 },
    }
}

impl ConvFluBackend for Flex {
    fn convflu(
        x: FlexTensor,
        y: FlexTensor,
        weights: FlexTensor,
        spec: ConvFluSpec,
    ) -> (FlexTensor, FlexTensor) {
        let (x, y, _) = run(&x, &y, &weights, spec);
        (x, y)
    }

    fn convflu_with_gates(
        x: FlexTensor,
        y: FlexTensor,
        weights: FlexTensor,
        spec: ConvFluSpec,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let [batch, channels, height, width] = dims(&x);
        let (x, y, gates) = run(&x, &y, &weights, spec);
        let gates = tensor(gates, [GATES, batch, channels, height, width]);
        (x, y, gates)
    }
}

/// x and y after the pair, and all samples' gates, one gate after the other.
fn run(
    x: &FlexTensor,
    y: &FlexTensor,
    weights: &FlexTensor,
    spec: ConvFluSpec,
) -> (FlexTensor, FlexTensor, Vec<f32>) {
    let shape = dims(x);
    let [_, channels, height, width] = shape;
    let (x, y, weights) = (
        x.to_contiguous(),
        y.to_contiguous(),
        weights.to_contiguous(),
    );
    let pair = Pair::new(values(&weights), channels, spec);
    let (x, y) = (values(&x), values(&y));
    let sample = channels * height * width;
    let mut outputs = [Vec::with_capacity(x.len()), Vec::with_capacity(x.len())];
    let mut kept = [const { Vec::new() }; GATES];
    for (x, y) in x.chunks_exact(sample).zip(y.chunks_exact(sample)) {
        let (out, gates) = pair.sample([x, y], [height, width]);
        for (outputs, out) in outputs.iter_mut().zip(out) {
            outputs.extend(out);
        }
        for (kept, gate) in kept.iter_mut().zip(gates.chunks_exact(sample)) {
            kept.extend_from_slice(gate);
        }
    }
    count_launches(1);
    let [x, y] = outputs.map(|values| tensor(values, shape));
    (x, y, kept.concat())
}

/// The prepared weights of a pair.
struct Pair<'a> {
    gates: &'a [f32],
    candidates: [&'a [f32]; 2],
    channels: usize,
    kind: ConvKind,
    convention: GateConvention,
}

impl<'a> Pair<'a> {
    fn new(weights: &'a [f32], channels: usize, spec: ConvFluSpec) -> Self {
        let kind = kind_of(spec.side);
        let rows = 2 * channels * kind.taps() + 1;
        let (gates, candidates) = weights.split_at(rows * filled(GATES * channels));
        let (to_x, to_y) = candidates.split_at(candidates.len() / 2);
        Self {
            gates,
            candidates: [to_x, to_y],
            channels,
            kind,
            convention: spec.convention,
        }
    }

    /// Both branches of a sample after the pair, and its gates.
    fn sample(&self, branches: [&[f32]; 2], size: [usize; 2]) -> ([Vec<f32>; 2], Vec<f32>) {
        let sample = branches[0].len();
        let mut gates = self.convolve(&branches.concat(), size, self.gates, GATES * self.channels);
        each(&mut gates, sigmoid);
        let after = [0, 1].map(|i| {
            let (own, other) = (branches[i], branches[1 - i]);
            let [r, z] = [0, 1].map(|gate| &gates[(2 * i + gate) * sample..][..sample]);
            let leaked = r.iter().zip(other).map(|(r, other)| r * other);
            let both: Vec<f32> = own.iter().copied().chain(leaked).collect();
            let mut out = self.convolve(&both, size, self.candidates[i], self.channels);
            each(&mut out, tanh);
            for ((h, own), z) in out.iter_mut().zip(own).zip(z) {
                *h = match self.convention {
                    GateConvention::ZTakesCandidate => (*h - own) * z + own,
                    GateConvention::ZKeepsInput => (own - *h) * z + *h,
                };
            }
            out
        });
        (after, gates)
    }

    /// A convolution of two branches, one after the other in `maps`.
    fn convolve(
        &self,
        maps: &[f32],
        size: [usize; 2],
        weights: &[f32],
        outputs: usize,
    ) -> Vec<f32> {
        let x = Padded::new(maps, 2 * self.channels, size, self.kind);
        let plane = size[0] * size[1];
        let mut out = vec![0.0; outputs * plane];
        let blocks = weights.chunks_exact(weights.len() / outputs.div_ceil(BLOCK));
        for (out, weights) in out.chunks_mut(BLOCK * plane).zip(blocks) {
            convolve(&x, weights, self.kind, out);
        }
        out
    }
}

fn each(values: &mut [f32], f: impl Fn(f32x4) -> f32x4) {
    let (vectors, rest) = values.as_chunks_mut::<LANES>();
    for vector in vectors {
        *vector = f(f32x4::from(*vector)).to_array();
    }
    for value in rest {
        *value = f(f32x4::splat(*value)).to_array()[0];
    }
}

fn sigmoid(v: f32x4) -> f32x4 {
    f32x4::ONE / (f32x4::ONE + (-v).exp())
}

fn tanh(v: f32x4) -> f32x4 {
    sigmoid(v + v) * 2.0 - f32x4::ONE
}
