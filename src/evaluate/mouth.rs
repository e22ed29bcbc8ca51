//! What a mouth shows in a 256-pixel face: how far it is open, how wide it is, how much teeth it shows, and
//! how sharp it is. All of it is measured by the face mesh and the pixels, by fixed rules.

use crate::face::Point;
use crate::tensor::luma;

use super::redrawn::{Portrait, SIDE};

/// The lips' inner edge, in turn.
pub(super) const INNER_LIPS: [usize; 20] = [
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
];

/// The lips' outer edge, in turn.
pub(super) const OUTER_LIPS: [usize; 20] = [
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
];

/// The eyes' rims; the eye's place is their mean.
const RIGHT_EYE: [usize; 8] = [33, 133, 160, 159, 158, 144, 145, 153];
const LEFT_EYE: [usize; 8] = [263, 362, 387, 386, 385, 373, 374, 380];

/// Places on the cheeks where skin is seen, and how far around each, in pixels.
const CHEEKS: [usize; 4] = [50, 280, 205, 425];
const CHEEK_RADIUS: f32 = 6.0;

/// A mouth's opening below which it is shut, through the width between the inner corners.
pub const SHUT_BELOW: f64 = 0.08;

/// A mouth's width below which it does not smile, in eye distances: neutral mouths have 0.74 to 0.84,
/// smiles 0.82 to 1.17.
pub const NARROW_BELOW: f64 = 0.88;

/// A mouth's opening from which on a jaw is open.
pub const OPEN_FROM: f64 = 0.2;

/// Teeth are seen from this area on, in parts of the mouth's width squared. With this mesh that finds them in
/// 91 % of London's real smiles with teeth (44 of them), in 90 % of the US Congress's (48) and in 77 % of LFW's
/// open mouths with teeth (47; which ones have teeth was said by MediaPipe's refined mesh and a laxer threshold,
/// not by eye); and wrongly in 4 % of neutral faces (139).
///
/// It is no proof of teeth on mouths that are drawn badly. Of 29 smiles of the 2021 network's first weights, grey
/// and without any tooth, 13 have it: the mesh takes a blurred upper lip for an open mouth, so that skin lies
/// "between the lips". No threshold on brightness mends that, since the points are wrong; `opening` suffers too.
pub const TEETH_FROM: f64 = 0.004;

/// A tooth is this much brighter than the lips, and brighter than the skin of the cheeks ...
const ABOVE_LIP: f32 = 1.1;
const ABOVE_LIP_BY: f32 = 0.03;
const OF_SKIN: f32 = 1.0;

/// ... and at most this part of the saturation of lips or skin, whichever has more.
const OF_SATURATION: f32 = 0.75;
const SATURATION_ROOM: f32 = 0.02;

/// The part of a cut face around the mouth's middle that is looked at, in pixels: 1.3 eye distances wide.
pub(super) const MOUTH_WIDTH: usize = 112;
pub(super) const MOUTH_HEIGHT: usize = 80;

/// What a mouth shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mouth {
    /// Gap between the inner lips through the distance of the inner corners.
    pub opening: f64,
    /// Distance of the outer corners in eye distances.
    pub width: f64,
    /// Share of the pixels between the lips that are teeth; 0 where there are none.
    pub teeth_share: f64,
    /// Area of the teeth in parts of the mouth's width squared.
    pub teeth_area: f64,
    /// Variance of the Laplacian of the mouth's luma.
    pub sharpness: f64,
}

impl Mouth {
    pub fn of(portrait: &Portrait) -> Self {
        let points = &portrait.points;
        let (opening, width) = shape(points);
        let (teeth, inside) = teeth(&portrait.face, points);
        let across = f64::from(points[61].distance(points[291])).max(1.0);
        let mouth = luma_of(&crop(&portrait.face, points));
        Self {
            opening,
            width,
            teeth_share: teeth as f64 / inside.max(1) as f64,
            teeth_area: teeth as f64 / (across * across),
            sharpness: laplacian_variance(&mouth, MOUTH_WIDTH),
        }
    }

    /// Whether the lips are together and no longer drawn into a smile: torn lips meet one of the two.
    pub fn is_closed(&self) -> bool {
        self.opening < SHUT_BELOW && self.width < NARROW_BELOW
    }

    pub fn is_open(&self) -> bool {
        self.opening >= OPEN_FROM
    }

    pub fn shows_teeth(&self) -> bool {
        self.teeth_area >= TEETH_FROM
    }
}

/// Opening and width of a mesh's mouth.
pub(super) fn shape(points: &[Point]) -> (f64, f64) {
    let far = |a: usize, b: usize| f64::from(points[a].distance(points[b]));
    let eyes = mean(points, &RIGHT_EYE).distance(mean(points, &LEFT_EYE));
    (
        far(13, 14) / far(78, 308).max(1e-6),
        far(61, 291) / f64::from(eyes).max(1e-6),
    )
}

fn mean(points: &[Point], indices: &[usize]) -> Point {
    let sum = indices.iter().fold(Point::new(0.0, 0.0), |sum, i| {
        Point::new(sum.x + points[*i].x, sum.y + points[*i].y)
    });
    Point::new(sum.x / indices.len() as f32, sum.y / indices.len() as f32)
}

/// The mouth's pixels, `[3, 80, 112]`.
pub(super) fn crop(face: &[f32], points: &[Point]) -> Vec<f32> {
    let middle = mean(points, &INNER_LIPS);
    let first = |at: f32, length: usize| {
        let most = (SIDE - length) as f32;
        (at - length as f32 / 2.0).round().clamp(0.0, most) as usize
    };
    let (left, top) = (first(middle.x, MOUTH_WIDTH), first(middle.y, MOUTH_HEIGHT));
    let row = |c: usize, y: usize| {
        let start = (c * SIDE + top + y) * SIDE + left;
        &face[start..start + MOUTH_WIDTH]
    };
    (0..3)
        .flat_map(|c| (0..MOUTH_HEIGHT).flat_map(move |y| row(c, y)))
        .copied()
        .collect()
}

/// `[3, h, w]` -> `[h, w]`.
fn luma_of(planes: &[f32]) -> Vec<f32> {
    let plane = planes.len() / 3;
    let colour = |i: usize| [planes[i], planes[plane + i], planes[2 * plane + i]];
    (0..plane).map(|i| luma(colour(i))).collect()
}

/// Variance of the four neighbours' sum less four times the pixel, over the inner pixels.
pub(super) fn laplacian_variance(grey: &[f32], width: usize) -> f64 {
    let height = grey.len() / width.max(1);
    let at = |x: usize, y: usize| f64::from(grey[y * width + x]);
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for y in 1..height.saturating_sub(1) {
        for x in 1..width - 1 {
            let around = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1);
            let value = around - 4.0 * at(x, y);
            n += 1.0;
            sum += value;
            squares += value * value;
        }
    }
    if n > 0.0 {
        squares / n - (sum / n) * (sum / n)
    } else {
        0.0
    }
}

/// Pixels between the lips that are teeth, and all pixels between the lips.
fn teeth(face: &[f32], points: &[Point]) -> (usize, usize) {
    let plane = SIDE * SIDE;
    let colour = |i: usize| [face[i], face[plane + i], face[2 * plane + i]];
    let edge = |indices: &[usize]| -> Vec<Point> { indices.iter().map(|i| points[*i]).collect() };
    let (inner, outer) = (edge(&INNER_LIPS), edge(&OUTER_LIPS));
    let inside = pixels_within(&inner);
    let is_lip = |i: &usize| inside.binary_search(i).is_err();
    let lips: Vec<usize> = pixels_within(&outer).into_iter().filter(is_lip).collect();
    let skin: Vec<usize> = CHEEKS
        .iter()
        .flat_map(|i| pixels_around(points[*i]))
        .collect();
    let of = |pixels: &[usize], value: fn([f32; 3]) -> f32| {
        median(pixels.iter().map(|i| value(colour(*i))).collect())
    };
    let lip = of(&lips, luma);
    let bright = (ABOVE_LIP * lip)
        .max(lip + ABOVE_LIP_BY)
        .max(OF_SKIN * of(&skin, luma));
    let dull = OF_SATURATION * of(&lips, saturation).max(of(&skin, saturation)) + SATURATION_ROOM;
    let is_tooth = |i: &&usize| luma(colour(**i)) > bright && saturation(colour(**i)) <= dull;
    (inside.iter().filter(is_tooth).count(), inside.len())
}

fn saturation([red, green, blue]: [f32; 3]) -> f32 {
    let most = red.max(green).max(blue);
    (most - red.min(green).min(blue)) / most.max(0.05)
}

fn median(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Indices of the pixels whose centres lie within a polygon, in rising order.
fn pixels_within(polygon: &[Point]) -> Vec<usize> {
    let range = |of: fn(&Point) -> f32| {
        let least = polygon.iter().map(of).fold(f32::INFINITY, f32::min);
        let most = polygon.iter().map(of).fold(f32::NEG_INFINITY, f32::max);
        (least.max(0.0) as usize)..((most.max(0.0) as usize + 1).min(SIDE))
    };
    let columns = range(|p| p.x);
    let all = range(|p| p.y).flat_map(|y| columns.clone().map(move |x| (x, y)));
    all.filter(|(x, y)| is_within(Point::new(*x as f32 + 0.5, *y as f32 + 0.5), polygon))
        .map(|(x, y)| y * SIDE + x)
        .collect()
}

fn pixels_around(middle: Point) -> impl Iterator<Item = usize> {
    let range = |at: f32| {
        let from = (at - CHEEK_RADIUS).clamp(0.0, (SIDE - 1) as f32) as usize;
        from..((at + CHEEK_RADIUS).clamp(0.0, (SIDE - 1) as f32) as usize + 1)
    };
    let columns = range(middle.x);
    range(middle.y).flat_map(move |y| columns.clone().map(move |x| y * SIDE + x))
}

/// Whether a place lies within a polygon (even-odd rule).
pub(super) fn is_within(at: Point, polygon: &[Point]) -> bool {
    let next = polygon.iter().cycle().skip(1);
    let crossings = polygon.iter().zip(next).filter(|(a, b)| {
        (a.y > at.y) != (b.y > at.y) && at.x < a.x + (b.x - a.x) * (at.y - a.y) / (b.y - a.y)
    });
    crossings.count() % 2 == 1
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::face::MESH_POINTS;

    /// A mesh with the eyes 84 pixels apart and a mouth of this width and gap, in pixels.
    pub fn made_points(width: f32, gap: f32) -> Vec<Point> {
        let mut points = vec![Point::new(128.0, 128.0); MESH_POINTS];
        for (eye, x) in [(RIGHT_EYE, 86.0), (LEFT_EYE, 170.0)] {
            for i in eye {
                points[i] = Point::new(x, 95.0);
            }
        }
        for (edge, grow) in [(INNER_LIPS, 0.0), (OUTER_LIPS, 8.0)] {
            for (k, i) in edge.into_iter().enumerate() {
                let turn = k as f32 / 20.0 * std::f32::consts::TAU;
                let (a, b) = (width / 2.0 - 6.0 + grow * 0.75, gap / 2.0 + grow);
                points[i] = Point::new(128.0 - a * turn.cos(), 185.0 - b * turn.sin());
            }
        }
        for (i, (x, y)) in
            CHEEKS
                .into_iter()
                .zip([(70.0, 150.0), (186.0, 150.0), (80.0, 160.0), (176.0, 160.0)])
        {
            points[i] = Point::new(x, y);
        }
        points
    }

    /// Skin, lips, and between the lips a colour; the upper `filled` of it bright teeth.
    pub fn made_face(points: &[Point], filled: f32) -> Vec<f32> {
        let edge =
            |indices: &[usize]| -> Vec<Point> { indices.iter().map(|i| points[*i]).collect() };
        let (inner, outer) = (
            pixels_within(&edge(&INNER_LIPS)),
            pixels_within(&edge(&OUTER_LIPS)),
        );
        let mut face = vec![0.0; 3 * SIDE * SIDE];
        let mut paint = |i: usize, colour: [f32; 3]| {
            for (c, value) in colour.into_iter().enumerate() {
                face[c * SIDE * SIDE + i] = value;
            }
        };
        (0..SIDE * SIDE).for_each(|i| paint(i, [0.8, 0.6, 0.5]));
        outer.into_iter().for_each(|i| paint(i, [0.7, 0.4, 0.4]));
        let teeth = (inner.len() as f32 * filled) as usize;
        for (k, i) in inner.into_iter().enumerate() {
            paint(
                i,
                if k < teeth {
                    [0.85, 0.82, 0.75]
                } else {
                    [0.2, 0.05, 0.05]
                },
            );
        }
        face
    }

    fn mouth(width: f32, gap: f32, filled: f32) -> Mouth {
        let points = made_points(width, gap);
        Mouth::of(&Portrait {
            face: made_face(&points, filled),
            points,
            small: vec![],
            upper: vec![],
        })
    }

    #[test]
    fn teeth_are_the_share_of_the_mouth_that_was_painted() {
        for filled in [0.0, 0.25, 0.6] {
            let mouth = mouth(90.0, 24.0, filled);
            assert!(
                (mouth.teeth_share - f64::from(filled)).abs() < 0.01,
                "{mouth:?}"
            );
            assert_eq!(mouth.shows_teeth(), filled > 0.0);
        }
        // Skin between torn lips is as bright as teeth, but as colourful as skin.
        let points = made_points(90.0, 24.0);
        let mut face = made_face(&points, 0.0);
        let inner: Vec<Point> = INNER_LIPS.iter().map(|i| points[*i]).collect();
        for i in pixels_within(&inner) {
            for (c, value) in [0.9, 0.68, 0.57].into_iter().enumerate() {
                face[c * SIDE * SIDE + i] = value;
            }
        }
        assert_eq!(teeth(&face, &points).0, 0);
    }

    #[test]
    fn a_smile_is_closed_when_it_is_shut_and_no_longer_wide() {
        // Wide is 0.88 of 84 pixels: 73.9.
        assert!(mouth(68.0, 2.0, 0.0).is_closed());
        assert!(
            !mouth(90.0, 2.0, 0.0).is_closed(),
            "shut, but still drawn wide"
        );
        assert!(!mouth(68.0, 8.0, 0.0).is_closed(), "narrow, but torn open");
        let (opening, width) = shape(&made_points(68.0, 14.0));
        // The inner corners lie 56 apart.
        assert!((opening - 14.0 / 56.0).abs() < 1e-3 && (width - 68.0 / 84.0).abs() < 1e-3);
        assert!(mouth(68.0, 14.0, 0.0).is_open() && !mouth(68.0, 8.0, 0.0).is_open());
    }

    #[test]
    fn a_checkerboard_has_the_known_variance_and_its_blur_has_less() {
        let board: Vec<f32> = (0..16 * 16)
            .map(|i| ((i % 16 + i / 16) % 2) as f32)
            .collect();
        // Each pixel's Laplacian is 4 or -4.
        assert!((laplacian_variance(&board, 16) - 16.0).abs() < 1e-9);
        let mean = |i: usize| (board[i] + board[(i + 1) % 256] + board[(i + 2) % 256]) / 3.0;
        let blurred: Vec<f32> = (0..256).map(mean).collect();
        assert!(laplacian_variance(&blurred, 16) < 0.25 * laplacian_variance(&board, 16));
        assert_eq!(laplacian_variance(&[0.5; 256], 16), 0.0);
    }
}
