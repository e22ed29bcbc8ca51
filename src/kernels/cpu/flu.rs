//! A ConvFLU pair on the CPU: one convolution for the four gates, one for each candidate.

use burn::tensor::{DType, Tensor, TensorData};
use wide::f32x4;

use super::convolution::{Padded, convolve};
use super::pack::pack;
use super::tile::{BLOCK, LANES};
use crate::kernels::conv_step::Taps;
use crate::kernels::route::Route;
use crate::kernels::{GateSense, Gates, PairOutput, UnitWeights};

/// Gates of a pair: r and z into x, r and z into y.
const GATES: usize = 4;

/// The weights of a pair, packed once for the CPU.
#[derive(Debug, Clone)]
pub struct CpuPair {
    /// Of the gates over x and y, then of the candidates over a branch and what leaks into it.
    gates: Vec<f32>,
    candidates: [Vec<f32>; 2],
    channels: usize,
    taps: Taps,
}

impl CpuPair {
    /// None where the weights are not on a device whose tensors [`run`](Self::run) takes.
    pub fn new(to_x: &UnitWeights, to_y: &UnitWeights) -> Option<Self> {
        let [channels, _, side, _] = to_x.u.dims();
        let taps = match side {
            1 => Taps::One,
            3 => Taps::Three { padding: 1 },
            _ => return None,
        };
        if to_x.u.dtype() != DType::F32 || Route::on(&to_x.u.device()) != Route::Cpu {
            return None;
        }
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
        let candidate =
            |unit: &UnitWeights| packed(Tensor::cat(vec![unit.u.clone(), unit.w.clone()], 1), taps);
        Some(Self {
            gates: packed(gates, taps)?,
            candidates: [candidate(to_x)?, candidate(to_y)?],
            channels,
            taps,
        })
    }

    /// The pair over x and y of [`Route::Cpu`], each `[batch, C, height, width]`; none where they have
    /// to go through plain tensors.
    pub fn run(
        &self,
        x: &Tensor<4>,
        y: &Tensor<4>,
        sense: GateSense,
        keep_gates: bool,
    ) -> Option<PairOutput> {
        let shape = x.dims();
        let [batch, channels, height, width] = shape;
        let device = x.device();
        let fits = channels == self.channels && shape == y.dims() && batch * height * width > 0;
        if !fits {
            return None;
        }
        let (x, y) = (x.clone().into_data(), y.clone().into_data());
        let (x, y) = (x.as_slice::<f32>().ok()?, y.as_slice::<f32>().ok()?);
        let sample = channels * height * width;
        let mut outputs = [Vec::with_capacity(x.len()), Vec::with_capacity(x.len())];
        let mut kept = [const { Vec::new() }; GATES];
        for (x, y) in x.chunks_exact(sample).zip(y.chunks_exact(sample)) {
            let (out, gates) = self.sample([x, y], [height, width], sense);
            for (outputs, out) in outputs.iter_mut().zip(out) {
                outputs.extend(out);
            }
            for (kept, gate) in kept.iter_mut().zip(gates.chunks_exact(sample)) {
                kept.extend_from_slice(gate);
            }
        }
        crate::kernels::launch::count_launches(1);
        let tensor = |values: Vec<f32>| Tensor::from_data(TensorData::new(values, shape), &device);
        let [x, y] = outputs.map(tensor);
        let gates = keep_gates.then(|| {
            let [r_x, z_x, r_y, z_y] = kept.map(tensor);
            (Gates { r: r_x, z: z_x }, Gates { r: r_y, z: z_y })
        });
        Some(PairOutput { x, y, gates })
    }

    /// Both branches of a sample after the pair, and its gates.
    fn sample(
        &self,
        branches: [&[f32]; 2],
        size: [usize; 2],
        sense: GateSense,
    ) -> ([Vec<f32>; 2], Vec<f32>) {
        let sample = branches[0].len();
        let mut gates = self.convolve(&branches.concat(), size, &self.gates, GATES * self.channels);
        each(&mut gates, sigmoid);
        let after = [0, 1].map(|i| {
            let (own, other) = (branches[i], branches[1 - i]);
            let [r, z] = [0, 1].map(|gate| &gates[(2 * i + gate) * sample..][..sample]);
            let leaked = r.iter().zip(other).map(|(r, other)| r * other);
            let both: Vec<f32> = own.iter().copied().chain(leaked).collect();
            let mut out = self.convolve(&both, size, &self.candidates[i], self.channels);
            each(&mut out, tanh);
            for ((h, own), z) in out.iter_mut().zip(own).zip(z) {
                *h = match sense {
                    GateSense::ZTakesCandidate => (*h - own) * z + own,
                    GateSense::ZKeepsInput => (own - *h) * z + *h,
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
        let x = Padded::new(maps, 2 * self.channels, size, self.taps);
        let plane = size[0] * size[1];
        let mut out = vec![0.0; outputs * plane];
        let blocks = weights.chunks_exact(weights.len() / outputs.div_ceil(BLOCK));
        for (out, weights) in out.chunks_mut(BLOCK * plane).zip(blocks) {
            convolve(&x, weights, self.taps, out);
        }
        out
    }
}

/// A weight `[outputs, inputs, k, k]` in the order of [`pack`], without biases.
fn packed(weight: Tensor<4>, taps: Taps) -> Option<Vec<f32>> {
    let [outputs, inputs, _, _] = weight.dims();
    let rows = inputs * taps.count();
    let weight = weight.permute([1, 2, 3, 0]).reshape([rows, outputs]);
    let more = outputs.next_multiple_of(BLOCK) - outputs;
    let zeros = |rows, columns| Tensor::<2>::zeros([rows, columns], &weight.device());
    let mut all = Tensor::cat(vec![weight.clone(), zeros(1, outputs)], 0);
    if more > 0 {
        all = Tensor::cat(vec![all, zeros(rows + 1, more)], 1);
    }
    let all = all.reshape([(rows + 1) * (outputs + more)]);
    pack(all, inputs, taps).into_data().try_into_vec().ok()
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
