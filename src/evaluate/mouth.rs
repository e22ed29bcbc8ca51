//! What a mouth shows in a 256-pixel face: how far it is open, how wide it is, how much teeth it shows, and
//! how sharp it is. All of it is measured by the face mesh and the pixels, by fixed rules.

use crate::face::{INNER_LIPS, Point};
use crate::tensor::luma;

use super::redrawn::{Portrait, SIDE};
use super::teeth::{TEETH_FROM, Teeth};

/// The lips' outer edge, in turn.
pub(super) const OUTER_LIPS: [usize; 20] = [
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
];

/// The eyes' rims; the eye's place is their mean.
const RIGHT_EYE: [usize; 8] = [33, 133, 160, 159, 158, 144, 145, 153];
const LEFT_EYE: [usize; 8] = [263, 362, 387, 386, 385, 373, 374, 380];

/// A mouth's opening below which it is shut, through the width between the inner corners. The middle 96 % of
/// London's 82 neutral mouths have 0.00 to 0.05; 98 % of them are shut, and 95 % of 226 neutral ones of LFW.
/// MediaPipe's later model says the same of 98 % of London's neutral faces, 100 % of its smiles and 97 % of LFW's
/// neutral faces.
pub const SHUT_BELOW: f64 = 0.08;

/// A mouth's width below which it does not smile, in eye distances: the middle 96 % of London's neutral mouths have
/// 0.68 to 0.86, of its smiles 0.78 to 1.05. Shut and narrow are 96 % of the neutral faces, and 29 % of the smiles,
/// which are faint ones.
pub const NARROW_BELOW: f64 = 0.88;

/// A mouth's opening from which on a jaw is open: 67 % of LFW's open mouths (119), where MediaPipe's later model says
/// the same of 89 %; no neutral face of London and 1 % of LFW's.
pub const OPEN_FROM: f64 = 0.2;

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
        let teeth = Teeth::of(&portrait.face, points);
        let across = f64::from(points[61].distance(points[291])).max(1.0);
        let mouth = luma_of(&crop(&portrait.face, points));
        Self {
            opening,
            width,
            teeth_share: teeth.pixels as f64 / teeth.inside.max(1) as f64,
            teeth_area: teeth.pixels as f64 / (across * across),
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
pub(super) fn luma_of(planes: &[f32]) -> Vec<f32> {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::evaluate::teeth::CHEEKS;
    use crate::evaluate::teeth::tests::made_face;
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

    pub fn mouth(width: f32, gap: f32, filled: f32) -> Mouth {
        let points = made_points(width, gap);
        Mouth::of(&Portrait {
            face: made_face(&points, filled),
            points,
            small: vec![],
            upper: vec![],
        })
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
