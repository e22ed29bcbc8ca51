//! The mean over a square around every pixel on the CPU: rows are added, then columns, so that each
//! pixel takes twice the square's side of additions, not its square.

use burn::backend::flex::{Flex, FlexTensor};

use super::maps::add;
use super::tensor::{dims, tensor, values};
use crate::kernels::backend::BoxMeanBackend;
use crate::kernels::launches::count_launches;

impl BoxMeanBackend for Flex {
    fn box_mean(x: FlexTensor, side: usize) -> FlexTensor {
        let x = x.to_contiguous();
        let [_, _, height, width] = dims(&x);
        let out = means(values(&x), [height, width], side);
        count_launches(1);
        tensor(out, dims(&x))
    }
}

/// The means of all planes of a height and width.
fn means(values: &[f32], [height, width]: [usize; 2], side: usize) -> Vec<f32> {
    let reach = side / 2;
    let near = |at: usize, count: usize| at.saturating_sub(reach)..(at + reach + 1).min(count);
    let shares: Vec<f32> = (0..width)
        .map(|column| 1.0 / near(column, width).len() as f32)
        .collect();
    // The sums of the rows that are near, with zeros on both sides.
    let mut sums = vec![0.0; width + 2 * reach];
    let mut out = vec![0.0; values.len()];
    let planes = values.chunks_exact(height * width);
    for (plane, out) in planes.zip(out.chunks_exact_mut(height * width)) {
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            let rows = near(row, height);
            let share = 1.0 / rows.len() as f32;
            let columns = &mut sums[reach..reach + width];
            columns.fill(0.0);
            for line in plane[rows.start * width..rows.end * width].chunks_exact(width) {
                add(columns, line);
            }
            (0..=2 * reach).for_each(|shift| add(out, &sums[shift..shift + width]));
            let means = out.iter_mut().zip(&shares);
            means.for_each(|(mean, columns)| *mean *= share * columns);
        }
    }
    out
}
