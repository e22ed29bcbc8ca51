//! Numbers over a rectangle of pixels: reading between them, blurring, the distance to an edge.

/// A distance squared that no pixel of a plane has.
const FAR: f64 = 1e20;

/// The four weights of a Catmull-Rom curve around a place, `t` past the second value.
pub(crate) fn catmull_rom(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        0.5 * (2.0 * t2 - t - t3),
        0.5 * (2.0 - 5.0 * t2 + 3.0 * t3),
        0.5 * (t + 4.0 * t2 - 3.0 * t3),
        0.5 * (t3 - t2),
    ]
}

/// A plane `[height, width]` at (x, y) in pixels, the first of which covers 0..1: bilinear, the border
/// repeated.
pub(crate) fn bilinear(plane: &[f32], [width, height]: [usize; 2], x: f32, y: f32) -> f32 {
    let x = (x - 0.5).clamp(0.0, (width - 1) as f32);
    let y = (y - 0.5).clamp(0.0, (height - 1) as f32);
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let value = |row: usize, column: usize| plane[row * width + column];
    let above = value(top, left) + (value(top, right) - value(top, left)) * fx;
    let below = value(bottom, left) + (value(bottom, right) - value(bottom, left)) * fx;
    above + (below - above) * fy
}

/// A plane blurred by three box filters, which together are nearly a Gaussian of this standard
/// deviation in pixels; the border repeated.
pub(crate) fn blur(plane: &[f32], [width, height]: [usize; 2], deviation: f32) -> Vec<f32> {
    let filter = Filter::of_variance(deviation * deviation / 3.0);
    let mut plane = plane.to_vec();
    for _ in 0..3 {
        let turned = filter.rows_turned(&plane, width, height);
        plane = filter.rows_turned(&turned, height, width);
    }
    plane
}

/// A box filter of whole pixels with a part of one more on both sides.
struct Filter {
    radius: isize,
    edge: f32,
}

impl Filter {
    fn of_variance(variance: f32) -> Self {
        let variance_of = |radius: f32| radius * (radius + 1.0) / 3.0;
        let mut radius = 0.0;
        while variance_of(radius + 1.0) <= variance {
            radius += 1.0;
        }
        let side = 2.0 * radius + 1.0;
        let missing = side * (variance - variance_of(radius));
        Self {
            radius: radius as isize,
            edge: missing / (2.0 * ((radius + 1.0) * (radius + 1.0) - variance)),
        }
    }

    /// The mean around each pixel of each row; rows become columns.
    fn rows_turned(&self, plane: &[f32], width: usize, height: usize) -> Vec<f32> {
        let Self { radius, edge } = *self;
        let side = (2 * radius + 1) as f32 + 2.0 * edge;
        let mut turned = vec![0.0; width * height];
        for (row, line) in plane.chunks_exact(width).enumerate() {
            let at = |i: isize| line[i.clamp(0, width as isize - 1) as usize];
            let mut sum: f32 = (-radius..=radius).map(at).sum();
            for column in 0..width as isize {
                let (first, after) = (column - radius, column + radius + 1);
                turned[column as usize * height + row] =
                    (sum + edge * (at(first - 1) + at(after))) / side;
                sum += at(after) - at(first);
            }
        }
        turned
    }
}

/// The distance of each pixel to the edge of where a soft map is above 0.5, in pixels: above 0
/// inside. The edge lies between the pixels, where the map crosses 0.5.
pub(crate) fn signed_distance(map: &[f32], size: [usize; 2]) -> Vec<f32> {
    let depth = depths(map, size);
    let to = |is_inside: bool| nearest(&depth, size, is_inside);
    let (to_inside, to_outside) = (to(true), to(false));
    let both = to_inside.iter().zip(&to_outside);
    let distances = depth.iter().zip(both);
    distances
        .map(|(depth, (to_inside, to_outside))| {
            if *depth > 0.0 {
                to_outside.max(0.0)
            } else {
                -to_inside.max(0.0)
            }
        })
        .collect()
}

/// How far each pixel is inside, as its own value and those beside it tell: at most one pixel.
fn depths(map: &[f32], [width, height]: [usize; 2]) -> Vec<f32> {
    let at = |row: usize, column: usize| map[row * width + column];
    let depth = |i: usize| {
        let (row, column) = (i / width, i % width);
        let steepest = |one: f32, other: f32| (one - map[i]).abs().max((other - map[i]).abs());
        let (left, right) = (column.saturating_sub(1), (column + 1).min(width - 1));
        let (above, below) = (row.saturating_sub(1), (row + 1).min(height - 1));
        let across = steepest(at(row, left), at(row, right));
        let down = steepest(at(above, column), at(below, column));
        ((map[i] - 0.5) / across.hypot(down).max(1e-3)).clamp(-1.0, 1.0)
    };
    (0..map.len()).map(depth).collect()
}

/// The distance of each pixel to the nearest one inside (or outside), less that one's own depth.
fn nearest(depth: &[f32], [width, height]: [usize; 2], is_inside: bool) -> Vec<f32> {
    let pixels = depth.iter().map(|depth| Nearest {
        square: if (*depth > 0.0) == is_inside {
            0.0
        } else {
            FAR
        },
        depth: depth.abs(),
    });
    let turned = nearest_in_rows_turned(&pixels.collect::<Vec<_>>(), width, height);
    let pixels = nearest_in_rows_turned(&turned, height, width);
    let distance = |pixel: &Nearest| pixel.square.sqrt() as f32 - pixel.depth;
    pixels.iter().map(distance).collect()
}

/// The nearest pixel of a kind that was found so far.
#[derive(Clone, Copy, Default)]
struct Nearest {
    /// Its distance, squared.
    square: f64,
    depth: f32,
}

/// The nearest pixel along each row (Felzenszwalb and Huttenlocher, 2012); rows become columns.
fn nearest_in_rows_turned(pixels: &[Nearest], width: usize, height: usize) -> Vec<Nearest> {
    let mut turned = vec![Nearest::default(); pixels.len()];
    // The parabolas of the lower envelope, and from where on each is the lowest.
    let (mut roots, mut starts) = (vec![0usize; width], vec![0.0f64; width + 1]);
    for (row, line) in pixels.chunks_exact(width).enumerate() {
        let mut last = 0;
        (roots[0], starts[0], starts[1]) = (0, -FAR, FAR);
        for column in 1..width {
            let lifted = |i: usize| line[i].square + (i * i) as f64;
            let crossing = |root: usize| {
                (lifted(column) - lifted(root)) / (2.0 * (column as f64 - root as f64))
            };
            let mut start = crossing(roots[last]);
            while last > 0 && start <= starts[last] {
                last -= 1;
                start = crossing(roots[last]);
            }
            if start <= starts[last] {
                roots[last] = column;
            } else {
                last += 1;
                (roots[last], starts[last]) = (column, start);
            }
            starts[last + 1] = FAR;
        }
        let mut part = 0;
        for column in 0..width {
            while starts[part + 1] < column as f64 {
                part += 1;
            }
            let root = roots[part];
            let step = column as f64 - root as f64;
            turned[column * height + row] = Nearest {
                square: line[root].square + step * step,
                depth: line[root].depth,
            };
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [40, 30];

    /// Pixels by which the distance may be off: the edge is looked for between neighbours in a row or a
    /// column, and on a diagonal lies nearer.
    const WITHIN: f32 = 0.75;

    fn disc(radius: f32, softness: f32) -> Vec<f32> {
        let value = |i: usize| {
            let (x, y) = ((i % SIZE[0]) as f32 - 19.5, (i / SIZE[0]) as f32 - 14.5);
            1.0 / (1.0 + ((x.hypot(y) - radius) / softness).exp())
        };
        (0..SIZE[0] * SIZE[1]).map(value).collect()
    }

    #[test]
    fn the_distance_to_a_soft_edge_is_that_to_where_it_crosses_one_half() {
        for softness in [0.3, 1.0, 2.0] {
            let distance = signed_distance(&disc(8.25, softness), SIZE);
            for (i, found) in distance.iter().enumerate() {
                let (x, y) = ((i % SIZE[0]) as f32 - 19.5, (i / SIZE[0]) as f32 - 14.5);
                let expected = 8.25 - x.hypot(y);
                assert!((found - expected).abs() < WITHIN, "{found} for {expected}");
            }
        }
    }

    #[test]
    fn a_blur_keeps_what_is_even_and_spreads_a_dot_by_its_deviation() {
        let even = blur(&vec![0.7; SIZE[0] * SIZE[1]], SIZE, 3.3);
        assert!(even.iter().all(|value| (value - 0.7).abs() < 1e-5));
        for deviation in [0.6, 2.0, 3.0] {
            let mut dot = vec![0.0; SIZE[0] * SIZE[1]];
            dot[15 * SIZE[0] + 20] = 1.0;
            let spread = blur(&dot, SIZE, deviation);
            let square = |(i, value): (usize, &f32)| value * ((i % SIZE[0]) as f32 - 20.0).powi(2);
            let variance: f32 = spread.iter().enumerate().map(square).sum();
            assert!(
                (variance.sqrt() - deviation).abs() < 0.12 * deviation,
                "{variance}"
            );
        }
    }

    #[test]
    fn a_plane_is_read_at_its_pixels_centres_and_between_them() {
        let plane = [0.0, 1.0, 2.0, 4.0];
        let read = |x, y| bilinear(&plane, [2, 2], x, y);
        assert_eq!(
            [
                read(0.5, 0.5),
                read(1.5, 1.5),
                read(1.0, 0.5),
                read(9.0, -3.0)
            ],
            [0.0, 4.0, 0.5, 1.0]
        );
    }
}
