//! A painted mouth, and the frame in which it is painted.

use super::Point;

/// The part of the frame's width, and of its height, that the mouth's inside takes.
const SHARE: f32 = 0.62;

/// The smallest frame in face widths: a slit is not enlarged beyond what the photo shows.
const LEAST_WIDTH: f32 = 0.2;

/// Height of a frame as a part of its width.
const ASPECT: f32 = 0.75;

/// Pixels of the map above one half below which a mouth counts as shut, and above which what is
/// painted is laid on in full; in a face of [`MAP_SIZE`] pixels.
const SHUT: f32 = 4.0;
const OPEN: f32 = 16.0;

/// Side of the face in which [`SHUT`] and [`OPEN`] are counted.
const MAP_SIZE: f32 = 96.0;

/// Rows of the map above this part of the face belong to no mouth, whatever they say: eyes are at 0.37.
const FROM: f32 = 0.5;

/// Part of the open pixels that may lie outside of the box on each side: strays do not place a frame.
const STRAYS: f32 = 0.02;

/// Part of the frame's width over which what is painted fades in from its border.
const EDGE: f32 = 0.06;

/// An upright rectangle around the mouth's inside in the face's own coordinates (the aligned square is
/// 0 to 1), four parts wide and three high.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MouthFrame {
    /// Its centre.
    pub centre: Point,
    /// Its width in face widths.
    pub width: f32,
}

impl MouthFrame {
    /// The frame for a cavity map `[size, size]` over the face, 0 to 1; none for a mouth that is shut.
    pub fn around(cavity: &[f32], size: usize) -> Option<Self> {
        if open_area(cavity, size) < SHUT {
            return None;
        }
        let is_open = |value: &f32| f32::from(u8::from(*value > 0.5));
        let mut columns = vec![0.0; size];
        let mut rows = vec![0.0; size];
        for (row, line) in cavity.chunks_exact(size).enumerate().skip(first_row(size)) {
            for (column, value) in line.iter().enumerate() {
                columns[column] += is_open(value);
                rows[row] += is_open(value);
            }
        }
        let ([left, right], [top, bottom]) = (extent(&columns), extent(&rows));
        let scale = 1.0 / size as f32;
        let width = (right - left).max((bottom - top) / ASPECT) * scale / SHARE;
        Some(Self {
            centre: Point::new((left + right) / 2.0 * scale, (top + bottom) / 2.0 * scale),
            width: width.max(LEAST_WIDTH),
        })
    }

    /// Its height in face widths.
    pub fn height(&self) -> f32 {
        ASPECT * self.width
    }

    /// A place of the frame, 0 to 1 in both directions, in the face's coordinates.
    pub fn face_from_frame(&self, place: Point) -> Point {
        Point::new(
            self.centre.x + (place.x - 0.5) * self.width,
            self.centre.y + (place.y - 0.5) * self.height(),
        )
    }

    /// A place of the face in the frame's coordinates, 0 to 1 inside.
    pub fn frame_from_face(&self, face: Point) -> Point {
        Point::new(
            (face.x - self.centre.x) / self.width + 0.5,
            (face.y - self.centre.y) / self.height() + 0.5,
        )
    }

    /// 1 inside, falling smoothly to 0 at the border.
    pub(super) fn weight(&self, place: Point) -> f32 {
        let edge = (0.5 - (place.x - 0.5).abs()).min((0.5 - (place.y - 0.5).abs()) * ASPECT);
        smooth_step(edge / EDGE)
    }
}

/// How much of what is painted is laid over a mouth, 0 (shut) to 1: a mouth that opens a little more
/// does not jump from one to the other.
pub fn opening(cavity: &[f32], size: usize) -> f32 {
    smooth_step((open_area(cavity, size) - SHUT) / (OPEN - SHUT))
}

/// Pixels above one half, as many as a face of [`MAP_SIZE`] pixels would have.
fn open_area(cavity: &[f32], size: usize) -> f32 {
    let lower = cavity.iter().skip(first_row(size) * size);
    let count = lower.filter(|value| **value > 0.5).count() as f32;
    count * (MAP_SIZE / size as f32).powi(2)
}

fn first_row(size: usize) -> usize {
    (FROM * size as f32) as usize
}

/// From where to where a row of sums reaches, in its steps, without the strays at both ends.
fn extent(sums: &[f32]) -> [f32; 2] {
    let total: f32 = sums.iter().sum();
    // The place at which so much lies before it.
    let place = |before: f32| {
        let mut sum = 0.0;
        for (i, value) in sums.iter().enumerate() {
            if *value > 0.0 && sum + value >= before {
                return i as f32 + (before - sum) / value;
            }
            sum += value;
        }
        sums.len() as f32
    };
    [place(STRAYS * total), place((1.0 - STRAYS) * total)]
}

/// 0 up to `from`, 1 from `to` on.
pub(crate) fn rise([from, to]: [f32; 2], value: f32) -> f32 {
    smooth_step((value - from) / (to - from))
}

pub(super) fn smooth_step(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The inside of a mouth as it was painted, to be laid over the moved and shaded photo.
#[derive(Debug, Clone)]
pub struct PaintedMouth {
    /// Where it lies.
    pub frame: MouthFrame,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green, blue and alpha of each pixel, row after row; the colours (0 black to 1 white) are
    /// multiplied by alpha. Then how much of the photo's own pixel is seen there as it was: what is left of the two
    /// shows the moved and shaded photo.
    pub pixels: Vec<[f32; 5]>,
    /// How much of it is laid on, 0 to 1, see [`opening`].
    pub strength: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(open: impl Fn(usize, usize) -> bool) -> Vec<f32> {
        let value = |i: usize| f32::from(u8::from(open(i % 96, i / 96)));
        (0..96 * 96).map(value).collect()
    }

    #[test]
    fn a_wide_mouth_takes_its_share_of_the_frames_width() {
        let smile = map(|x, y| (34..66).contains(&x) && (66..72).contains(&y));
        let frame = MouthFrame::around(&smile, 96).expect("a frame");
        assert!((frame.centre.x - 50.0 / 96.0).abs() < 1e-4);
        assert!((frame.centre.y - 69.0 / 96.0).abs() < 1e-4);
        let share = 32.0 / 96.0 / frame.width;
        assert!((0.6..0.68).contains(&share), "{share}");
    }

    #[test]
    fn a_high_mouth_takes_its_share_of_the_height() {
        let jaw = map(|x, y| (40..56).contains(&x) && (60..84).contains(&y));
        let frame = MouthFrame::around(&jaw, 96).expect("a frame");
        let share = 24.0 / 96.0 / frame.height();
        assert!((0.6..0.68).contains(&share), "{share}");
    }

    #[test]
    fn strays_do_not_move_the_frame_and_a_slit_is_not_enlarged() {
        let slit = map(|x, y| (46..54).contains(&x) && y == 70 || (x, y) == (3, 3));
        let frame = MouthFrame::around(&slit, 96).expect("a frame");
        assert_eq!(frame.width, LEAST_WIDTH.max(frame.width));
        let smile = |x, y| (34..66).contains(&x) && (66..72).contains(&y);
        let clean = MouthFrame::around(&map(smile), 96).expect("a frame");
        let stray = MouthFrame::around(&map(|x, y| smile(x, y) || (x, y) == (5, 5)), 96);
        let stray = stray.expect("a frame");
        assert!(
            (clean.width - stray.width).abs() < 0.02 && clean.centre.distance(stray.centre) < 0.01
        );
    }

    #[test]
    fn nothing_in_the_upper_half_of_a_face_is_a_mouth() {
        let brow = |x, y| (20..40).contains(&x) && (20..28).contains(&y);
        assert!(MouthFrame::around(&map(brow), 96).is_none());
        let smile = |x, y| (34..66).contains(&x) && (66..72).contains(&y);
        let both = MouthFrame::around(&map(|x, y| smile(x, y) || brow(x, y)), 96);
        assert_eq!(both, MouthFrame::around(&map(smile), 96));
    }

    #[test]
    fn a_shut_mouth_has_no_frame_and_opens_little_by_little() {
        assert_eq!(MouthFrame::around(&vec![0.49; 96 * 96], 96), None);
        let open = |columns: usize| map(|x, y| (40..40 + columns).contains(&x) && y == 70);
        assert_eq!(MouthFrame::around(&open(3), 96), None);
        let strengths = [3, 6, 12, 20].map(|columns| opening(&open(columns), 96));
        assert!(
            strengths[0] == 0.0 && strengths[1] > 0.0 && strengths[1] < 0.2,
            "{strengths:?}"
        );
        assert!(
            strengths[2] > strengths[1] && strengths[3] == 1.0,
            "{strengths:?}"
        );
    }

    #[test]
    fn places_go_to_the_face_and_back() {
        let frame = MouthFrame {
            centre: Point::new(0.5, 0.7),
            width: 0.4,
        };
        let corner = frame.face_from_frame(Point::new(1.0, 1.0));
        assert!(corner.distance(Point::new(0.7, 0.85)) < 1e-6);
        assert!(frame.frame_from_face(corner).distance(Point::new(1.0, 1.0)) < 1e-5);
        assert_eq!(
            (
                frame.weight(Point::new(0.5, 0.5)),
                frame.weight(Point::new(0.0, 0.5))
            ),
            (1.0, 0.0)
        );
    }
}
