//! A smooth field through scattered values: what a fit leaves over at the landmarks, everywhere.
//!
//! A thin-plate spline (Duchon 1977; Bookstein, "Principal Warps", 1989) with a ridge, so that it
//! need not meet every value.

use super::solve::Square;

/// A place, or a value, of the plane.
pub type Plane = [f64; 2];

/// A field over the plane.
#[derive(Debug, Clone)]
pub struct Spline {
    at: Vec<Plane>,
    /// A weight for each place, then the plane: a constant, x, y.
    weights: Vec<Plane>,
}

impl Spline {
    /// The field that comes near `values` at the places `at`; `smooth` 0 meets them. Nothing where the
    /// places do not span the plane.
    pub fn through(at: &[Plane], values: &[Plane], smooth: f64) -> Option<Self> {
        let n = at.len().min(values.len());
        let mut system = Square::zeros(n + 3);
        let mut sides = vec![[0.0; 2]; n + 3];
        for i in 0..n {
            for j in 0..n {
                *system.at(i, j) = kernel(at[i], at[j]);
            }
            *system.at(i, i) += smooth;
            for (k, value) in [1.0, at[i][0], at[i][1]].into_iter().enumerate() {
                *system.at(i, n + k) = value;
                *system.at(n + k, i) = value;
            }
            sides[i] = values[i];
        }
        let weights = system.solve(sides)?;
        let is_finite = weights.iter().flatten().all(|value| value.is_finite());
        is_finite.then(|| Self {
            at: at[..n].to_vec(),
            weights,
        })
    }

    /// The field's value.
    pub fn value(&self, place: Plane) -> Plane {
        let (weights, plane) = self.weights.split_at(self.at.len());
        let mut value = [0, 1]
            .map(|axis| plane[0][axis] + plane[1][axis] * place[0] + plane[2][axis] * place[1]);
        for (at, weight) in self.at.iter().zip(weights) {
            let near = kernel(place, *at);
            value[0] += near * weight[0];
            value[1] += near * weight[1];
        }
        value
    }
}

fn kernel(a: Plane, b: Plane) -> f64 {
    let square = (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
    square * (square + 1e-9).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_meets_its_values_and_goes_on_as_a_plane() {
        let at = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.4, 0.6]];
        let plane = |[x, y]: Plane| [1.0 + 2.0 * x - y, 0.5 * y];
        let values = at.map(plane);
        let field = Spline::through(&at, &values, 0.0).expect("a field");
        for place in [[0.4, 0.6], [0.2, 0.9], [3.0, -2.0]] {
            let (found, expected) = (field.value(place), plane(place));
            assert!((found[0] - expected[0]).abs() < 1e-6 && (found[1] - expected[1]).abs() < 1e-6);
        }
    }

    #[test]
    fn places_on_a_line_span_no_field() {
        let at = [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]];
        assert!(Spline::through(&at, &at, 0.0).is_none());
    }
}
