//! The fast Fourier transform of a power of two of complex numbers, radix 2: many side by side.

/// A transform of one length.
pub(super) struct Fft {
    /// Cosine and sine of the turns of each step, those of 2 values first: 1 + 2 + 4 + ... of them.
    turns: [Vec<f32>; 2],
    /// Where each value goes before the first step.
    order: Vec<u32>,
}

impl Fft {
    /// For so many values: a power of two, 2 at least.
    pub(super) fn new(length: usize) -> Self {
        let bits = length.trailing_zeros();
        let steps = (0..bits).map(|step| 1usize << step);
        let angles: Vec<f64> = steps
            .flat_map(|half| (0..half).map(move |i| -std::f64::consts::PI * i as f64 / half as f64))
            .collect();
        let of = |function: fn(f64) -> f64| angles.iter().map(|a| function(*a) as f32).collect();
        let order = (0..length as u32).map(|i| i.reverse_bits() >> (32 - bits));
        Self {
            turns: [of(f64::cos), of(f64::sin)],
            order: order.collect(),
        }
    }

    /// Transforms values in their place: value k becomes the sum of value n times exp(-2 pi i k n / length). There
    /// are as many transforms as `lanes`, side by side: `[length, lanes]`.
    pub(super) fn transform(&self, re: &mut [f32], im: &mut [f32], lanes: usize) {
        let length = self.order.len();
        for (i, to) in self.order.iter().enumerate() {
            let to = *to as usize;
            if i < to {
                swap(re, i, to, lanes);
                swap(im, i, to, lanes);
            }
        }
        let mut half = 1;
        while half < length {
            let [cos, sin] = [0, 1].map(|part| &self.turns[part][half - 1..2 * half - 1]);
            let blocks = re.chunks_exact_mut(2 * half * lanes);
            for (re, im) in blocks.zip(im.chunks_exact_mut(2 * half * lanes)) {
                let (re_a, re_b) = re.split_at_mut(half * lanes);
                let (im_a, im_b) = im.split_at_mut(half * lanes);
                let a = re_a
                    .chunks_exact_mut(lanes)
                    .zip(im_a.chunks_exact_mut(lanes));
                let b = re_b
                    .chunks_exact_mut(lanes)
                    .zip(im_b.chunks_exact_mut(lanes));
                for ((a, b), turn) in a.zip(b).zip(cos.iter().zip(sin)) {
                    butterfly(a, b, (*turn.0, *turn.1));
                }
            }
            half *= 2;
        }
    }
}

/// Swaps two rows.
fn swap(values: &mut [f32], a: usize, b: usize, lanes: usize) {
    let (before, after) = values.split_at_mut(b * lanes);
    before[a * lanes..][..lanes].swap_with_slice(&mut after[..lanes]);
}

/// The step for two values, in all lanes: their sum and their difference, once the second one is turned.
fn butterfly(a: (&mut [f32], &mut [f32]), b: (&mut [f32], &mut [f32]), (cos, sin): (f32, f32)) {
    let lanes = a.0.iter_mut().zip(a.1).zip(b.0.iter_mut().zip(b.1));
    for ((re_a, im_a), (re_b, im_b)) in lanes {
        let re = *re_b * cos - *im_b * sin;
        let im = *re_b * sin + *im_b * cos;
        (*re_b, *im_b) = (*re_a - re, *im_a - im);
        (*re_a, *im_a) = (*re_a + re, *im_a + im);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_that_it_says() {
        let (length, lanes) = (32, 3);
        let value = |i: usize| ((i * i) as f32 * 0.37).sin();
        let (mut re, mut im): (Vec<f32>, Vec<f32>) = (0..length * lanes)
            .map(|i| (value(i), value(i + 7)))
            .unzip();
        let (before_re, before_im) = (re.clone(), im.clone());
        Fft::new(length).transform(&mut re, &mut im, lanes);
        for k in 0..length {
            for lane in 0..lanes {
                let mut sum = [0.0f64; 2];
                for n in 0..length {
                    let turn = -std::f64::consts::TAU * (k * n) as f64 / length as f64;
                    let at = n * lanes + lane;
                    let (a, b) = (f64::from(before_re[at]), f64::from(before_im[at]));
                    sum[0] += a * turn.cos() - b * turn.sin();
                    sum[1] += a * turn.sin() + b * turn.cos();
                }
                assert!((sum[0] - f64::from(re[k * lanes + lane])).abs() < 1e-4);
                assert!((sum[1] - f64::from(im[k * lanes + lane])).abs() < 1e-4);
            }
        }
    }
}
