//! Small systems of linear equations: those of a fit and of a spline, of at most a few hundred unknowns.

/// A square matrix, row by row.
#[derive(Debug, Clone)]
pub struct Square {
    side: usize,
    values: Vec<f64>,
}

impl Square {
    /// All zeros.
    pub fn zeros(side: usize) -> Self {
        Self {
            side,
            values: vec![0.0; side * side],
        }
    }

    /// A value, to be read or changed.
    pub fn at(&mut self, row: usize, column: usize) -> &mut f64 {
        &mut self.values[row * self.side + column]
    }

    /// A row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.side..(row + 1) * self.side]
    }

    /// Adds `weight` times the square of a row of observations: `row^T row`.
    pub fn add_observation(&mut self, row: &[f64], weight: f64) {
        for (i, a) in row.iter().enumerate() {
            if *a != 0.0 {
                let line = &mut self.values[i * self.side..(i + 1) * self.side];
                for (value, b) in line.iter_mut().zip(row) {
                    *value += weight * a * b;
                }
            }
        }
    }

    /// The rows and columns of these indices.
    pub fn part(&self, of: &[usize]) -> Self {
        let values = of
            .iter()
            .flat_map(|row| of.iter().map(|column| self.row(*row)[*column]))
            .collect();
        Self {
            side: of.len(),
            values,
        }
    }

    /// Solves for sides `[side][N]` where the matrix is symmetric and positive, by Cholesky's
    /// factors. Nothing where it is not.
    pub fn solve_positive<const N: usize>(
        mut self,
        mut sides: Vec<[f64; N]>,
    ) -> Option<Vec<[f64; N]>> {
        let n = self.side;
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| self.row(i)[k] * self.row(j)[k]).sum();
                let rest = self.row(i)[j] - dot;
                *self.at(i, j) = if i > j {
                    rest / self.row(j)[j]
                } else if rest > 0.0 {
                    rest.sqrt()
                } else {
                    return None;
                };
            }
        }
        for i in 0..n {
            let (done, rest) = sides.split_at_mut(i);
            for (value, known) in self.row(i).iter().zip(done.iter()) {
                take(&mut rest[0], *value, known);
            }
            divide(&mut rest[0], self.row(i)[i]);
        }
        for i in (0..n).rev() {
            let (rest, done) = sides.split_at_mut(i + 1);
            for (k, known) in (i + 1..).zip(done.iter()) {
                take(&mut rest[i], self.row(k)[i], known);
            }
            divide(&mut rest[i], self.row(i)[i]);
        }
        Some(sides)
    }

    /// Solves for sides `[side][N]` by elimination, the largest pivot first. Nothing where the matrix
    /// is singular.
    pub fn solve<const N: usize>(mut self, mut sides: Vec<[f64; N]>) -> Option<Vec<[f64; N]>> {
        let n = self.side;
        let largest = self
            .values
            .iter()
            .fold(0.0, |most: f64, v| most.max(v.abs()));
        for i in 0..n {
            let pivot = (i..n).max_by(|a, b| {
                let size = |row: usize| self.row(row)[i].abs();
                size(*a).total_cmp(&size(*b))
            })?;
            // A NaN is not above the limit either.
            let is_sound = self.row(pivot)[i].abs() > 1e-12 * largest;
            if !is_sound {
                return None;
            }
            for column in 0..n {
                self.values.swap(i * n + column, pivot * n + column);
            }
            sides.swap(i, pivot);
            for row in i + 1..n {
                let part = self.row(row)[i] / self.row(i)[i];
                if part != 0.0 {
                    for column in i..n {
                        *self.at(row, column) -= part * self.row(i)[column];
                    }
                    let (above, below) = sides.split_at_mut(row);
                    take(&mut below[0], part, &above[i]);
                }
            }
        }
        for i in (0..n).rev() {
            let (rest, done) = sides.split_at_mut(i + 1);
            for (value, known) in self.row(i)[i + 1..].iter().zip(done.iter()) {
                take(&mut rest[i], *value, known);
            }
            divide(&mut rest[i], self.row(i)[i]);
        }
        Some(sides)
    }
}

/// Takes `part` times what is known of one unknown from the sides of another.
fn take<const N: usize>(sides: &mut [f64; N], part: f64, known: &[f64; N]) {
    for (side, known) in sides.iter_mut().zip(known) {
        *side -= part * known;
    }
}

fn divide<const N: usize>(sides: &mut [f64; N], by: f64) {
    for side in sides {
        *side /= by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[[f64; 3]; 3]) -> Square {
        Square {
            side: 3,
            values: rows.concat(),
        }
    }

    #[test]
    fn both_ways_meet_the_sides() {
        let rows = [[4.0, 1.0, -1.0], [1.0, 3.0, 0.5], [-1.0, 0.5, 2.0]];
        let expected = [[1.0], [-2.0], [0.25]];
        let sides: Vec<[f64; 1]> = rows
            .iter()
            .map(|row| [(0..3).map(|k| row[k] * expected[k][0]).sum()])
            .collect();
        for found in [
            matrix(&rows).solve(sides.clone()),
            matrix(&rows).solve_positive(sides.clone()),
        ] {
            let found = found.expect("a solution");
            for (a, b) in found.iter().zip(&expected) {
                assert!((a[0] - b[0]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn what_has_no_solution_is_told() {
        let singular = [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 0.0]];
        assert!(matrix(&singular).solve(vec![[1.0]; 3]).is_none());
        let not_positive = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]];
        assert!(
            matrix(&not_positive)
                .solve_positive(vec![[1.0]; 3])
                .is_none()
        );
        assert!(matrix(&not_positive).solve(vec![[1.0]; 3]).is_some());
    }
}
