//! How near a redrawn face is to the photograph that it should be: mean absolute difference, and
//! structural similarity.

/// Side of the window, and the deviation of its Gaussian, as in the paper.
const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;

/// The paper's constants (K L)^2 for values in 0..1.
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// Mean absolute difference of two pictures' values, in the values' unit.
pub fn l1(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum();
    sum / a.len().min(b.len()).max(1) as f64
}

/// Mean structural similarity of two grey pictures `[size, size]` in 0..1, over the windows that
/// lie wholly inside; 1 for equal pictures.
///
/// Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to
/// Structural Similarity", IEEE TIP 13(4), 2004. None where no window fits.
pub fn ssim(a: &[f32], b: &[f32], size: usize) -> Option<f64> {
    if size < WINDOW || a.len() != size * size || b.len() != size * size {
        return None;
    }
    let product = |a: &[f32], b: &[f32]| -> Vec<f64> {
        let values = a.iter().zip(b);
        values.map(|(a, b)| f64::from(*a) * f64::from(*b)).collect()
    };
    let plain = |a: &[f32]| -> Vec<f64> { a.iter().map(|v| f64::from(*v)).collect() };
    let [mean_a, mean_b, square_a, square_b, both] = [
        plain(a),
        plain(b),
        product(a, a),
        product(b, b),
        product(a, b),
    ]
    .map(|values| window_means(&values, size));
    let score = |i: usize| {
        let (a, b) = (mean_a[i], mean_b[i]);
        let (variance_a, variance_b) = (square_a[i] - a * a, square_b[i] - b * b);
        let covariance = both[i] - a * b;
        (2.0 * a * b + C1) * (2.0 * covariance + C2)
            / ((a * a + b * b + C1) * (variance_a + variance_b + C2))
    };
    Some((0..mean_a.len()).map(score).sum::<f64>() / mean_a.len() as f64)
}

/// Gaussian means of every window, rows first and then columns.
fn window_means(values: &[f64], size: usize) -> Vec<f64> {
    let weights = gaussian();
    let inside = size - WINDOW + 1;
    let mut across = vec![0.0; size * inside]; // [size, inside]
    for row in 0..size {
        for column in 0..inside {
            let start = row * size + column;
            across[row * inside + column] = weigh(&weights, |k| values[start + k]);
        }
    }
    let mut means = vec![0.0; inside * inside];
    for row in 0..inside {
        for column in 0..inside {
            means[row * inside + column] = weigh(&weights, |k| across[(row + k) * inside + column]);
        }
    }
    means
}

fn weigh(weights: &[f64; WINDOW], value: impl Fn(usize) -> f64) -> f64 {
    weights.iter().enumerate().map(|(k, w)| w * value(k)).sum()
}

/// Weights of a window's line; they sum to 1.
fn gaussian() -> [f64; WINDOW] {
    let raw: [f64; WINDOW] = std::array::from_fn(|i| {
        let x = i as f64 - (WINDOW / 2) as f64;
        (-x * x / (2.0 * SIGMA * SIGMA)).exp()
    });
    let sum: f64 = raw.iter().sum();
    raw.map(|weight| weight / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 16;

    fn picture(value: impl Fn(usize, usize) -> f32) -> Vec<f32> {
        let at = |i: usize| value(i % SIZE, i / SIZE);
        (0..SIZE * SIZE).map(at).collect()
    }

    #[test]
    fn equal_pictures_are_wholly_similar_and_do_not_differ() {
        let a = picture(|x, y| (x * y % 7) as f32 / 7.0);
        assert!((ssim(&a, &a, SIZE).expect("fits") - 1.0).abs() < 1e-12);
        assert_eq!(l1(&a, &a), 0.0);
    }

    #[test]
    fn flat_pictures_differ_in_their_brightness_alone() {
        let (a, b) = (picture(|_, _| 0.25), picture(|_, _| 0.75));
        // Variances and covariance are 0: (2 a b + C1) / (a a + b b + C1).
        let expected = (2.0 * 0.25 * 0.75 + C1) / (0.0625 + 0.5625 + C1);
        assert!((ssim(&a, &b, SIZE).expect("fits") - expected).abs() < 1e-9);
        assert!((l1(&a, &b) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_negative_is_less_than_unlike() {
        let a = picture(|x, y| ((x + y) % 2) as f32);
        let b = picture(|x, y| ((x + y + 1) % 2) as f32);
        assert!(ssim(&a, &b, SIZE).expect("fits") < -0.9);
    }

    #[test]
    fn a_picture_smaller_than_the_window_has_no_figure() {
        assert_eq!(ssim(&[0.0; 100], &[0.0; 100], 10), None);
        assert_eq!(ssim(&[0.0; 100], &[0.0; 99], 16), None);
    }
}
