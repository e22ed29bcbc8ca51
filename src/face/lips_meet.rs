//! Lips that were open and come together: what the given face shows between its lips may not be seen between
//! lips that are shut.
//!
//! The network's flow has one value for each of its pixels, so the row of teeth of an open smile becomes a bright
//! thread where the lips meet, and never nothing. Such pixels are taken from the nearer lip's edge.

use super::Point;
use super::fields::Field;
use super::mouth::rise;

/// From where to where a place of the given face counts as inside of its mouth.
const INSIDE: [f32; 2] = [0.08, 0.3];

/// From where to where a place of the redrawn face counts as inside: there the mouth is painted.
const PAINTED: [f32; 2] = [0.2, 0.5];

/// How far beyond the edge a lip has its own colour: the edge's pixels are half teeth.
const BEYOND: f32 = 1.25 / 96.0;

/// How far a lip's edge is looked for, in face widths, and in which steps: an eighth of the network's pixel.
const REACH: f32 = 0.16;
const STEP: f32 = 1.0 / 768.0;

/// The line where the lips meet, as parts of their own tone: dark and red.
const LINE: [f32; 3] = [0.64, 0.46, 0.44];

/// How much higher or lower the one edge may be than the other where the line is darkest, as a part of both.
const LINE_WIDTH: f32 = 0.8;

/// The mouth's inside in the given face.
pub(super) struct OwnMouth(Field);

/// What is seen instead of the inside of a mouth that is shut.
pub(super) struct Lip {
    /// Where in the given face.
    pub place: Point,
    /// How much of the colour is this one.
    pub share: f32,
    /// By what red, green and blue are multiplied.
    pub light: [f32; 3],
}

impl OwnMouth {
    /// From the map over the given face, 1 inside.
    pub fn new(map: Field) -> Self {
        Self(map)
    }

    /// The lip that is seen where a flow leads to `from`; `painted` is the redrawn face's own map there. None
    /// where the flow leads to no inside, or is painted over.
    pub fn lip(&self, from: Point, painted: f32) -> Option<Lip> {
        let share = rise(INSIDE, self.at(from)) * (1.0 - rise(PAINTED, painted));
        if share <= 0.0 {
            return None;
        }
        let (up, down) = (self.edge(from, -STEP)?, self.edge(from, STEP)?);
        let nearer = if up < down {
            -up - BEYOND
        } else {
            down + BEYOND
        };
        // 0 at the edges, 1 in the middle between them.
        let middle = 1.0 - (up - down).abs() / (up + down).max(STEP);
        let line = rise([1.0 - LINE_WIDTH, 1.0], middle);
        Some(Lip {
            place: Point::new(from.x, from.y + nearer),
            share,
            light: LINE.map(|light| 1.0 - (1.0 - light) * line),
        })
    }

    /// How far the edge of the mouth's inside is.
    fn edge(&self, from: Point, step: f32) -> Option<f32> {
        let steps = (REACH / STEP) as usize;
        let mut out = (0..steps).map(|i| i as f32 * step);
        out.find(|by| self.at(Point::new(from.x, from.y + by)) <= INSIDE[0])
            .map(f32::abs)
    }

    fn at(&self, place: Point) -> f32 {
        self.0.at(place)[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 96;

    /// A mouth whose inside lies in rows 60 to 68.
    fn open_mouth() -> OwnMouth {
        let row = |i: usize| f32::from(u8::from((60..68).contains(&(i / SIZE))));
        let map: Vec<f32> = (0..SIZE * SIZE).map(row).collect();
        OwnMouth::new(Field::new(&map, 1, SIZE, SIZE as f32))
    }

    fn at(row: f32) -> Point {
        Point::new(0.5, row / SIZE as f32)
    }

    #[test]
    fn teeth_between_shut_lips_are_taken_from_the_nearer_lip() {
        let mouth = open_mouth();
        let lip = |row: f32| mouth.lip(at(row), 0.0).expect("inside");
        for (row, upper) in [(61.5, true), (63.0, true), (65.0, false), (66.5, false)] {
            let place = lip(row).place.y * SIZE as f32;
            assert!(if upper { place < 60.0 } else { place > 68.0 }, "{place}");
            assert_eq!(lip(row).share, 1.0);
        }
        // Dark in the middle, the lip's own tone at its edge.
        assert!(lip(64.0).light[0] < 0.7 && lip(60.5).light[0] > 0.98);
    }

    #[test]
    fn what_is_painted_and_what_is_no_mouth_stay() {
        let mouth = open_mouth();
        assert!(mouth.lip(at(64.0), 1.0).is_none());
        assert!(mouth.lip(at(40.0), 0.0).is_none());
    }

    #[test]
    fn an_inside_without_an_edge_near_by_is_left_alone() {
        let map = vec![1.0; SIZE * SIZE];
        let mouth = OwnMouth::new(Field::new(&map, 1, SIZE, SIZE as f32));
        assert!(mouth.lip(at(64.0), 0.0).is_none());
    }
}
