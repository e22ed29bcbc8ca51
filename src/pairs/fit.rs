//! Landmarks of a photo -> who it is, what it shows and where the camera stands.
//!
//! Identity and shown units are linear in the places of the landmarks once the camera is known, and
//! the camera is known once they are: a few rounds of both. Units are not negative (a face does not
//! smile less than not at all), and few of them are active.

use super::camera::Camera;
use super::model::{FaceModel, LANDMARKS};
use super::solve::Square;

/// Units that landmarks cannot tell from others or from who it is: not fitted.
const NOT_FITTED: [&str; 13] = [
    "Pupil",
    "eyeLook",
    "cheekPuff",
    "mouthClose",
    "jawForward",
    "cheekRaiser",
    "mouthPucker",
    "mouthShrugUpper",
    "mouthLeft",
    "mouthRight",
    "mouthStretch",
    "jawLeft",
    "jawRight",
];

/// Width of a neutral mouth through the distance of the eyes: the mean of the Face Research Lab
/// London set's is 0.77, of the faces that their smiles fit best to 0.785.
const MOUTH_WIDTH: f64 = 0.785;

/// The most that a face shows of a unit.
const MOST: f64 = 1.3;

/// Rounds in which camera and face are fitted in turn, and of the active set in each.
const ROUNDS: usize = 10;
const ACTIVE_ROUNDS: usize = 12;

/// Landmarks by their places in the face.
const JAW: std::ops::Range<usize> = 0..17;
const MOUTH: std::ops::Range<usize> = 48..68;
pub(super) const RIGHT_EYE: std::ops::Range<usize> = 36..42;
pub(super) const LEFT_EYE: std::ops::Range<usize> = 42..48;
pub(super) const CORNERS: [usize; 2] = [48, 54];

/// What is fitted, and how far each part is believed.
struct Terms {
    /// Weight of the jaw's landmarks, which the mesh places less well.
    jaw: f64,
    /// Weight of the mouth's landmarks.
    mouth: f64,
    /// Weights of both where the camera is looked for.
    still: [f64; 2],
    /// Ridge on identity modes and on units.
    ridge: [f64; 2],
    /// Price of each unit.
    price: f64,
    /// How far the neutral mouth's width is believed.
    width: f64,
    /// The shapes that are fitted.
    units: Vec<usize>,
}

/// Who is in a photo, what it shows, and the camera.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Weights of the identity modes.
    pub identity: Vec<f64>,
    /// Weights of all of the model's shapes.
    pub units: Vec<f32>,
    /// The camera.
    pub camera: Camera,
    /// How far the landmarks stay from the photo's, root mean square, in distances of the eyes.
    pub rms: f64,
}

/// The distance of the eyes' middles among 68 landmarks, in their unit.
pub fn eye_distance(landmarks: &[[f64; 2]; LANDMARKS]) -> f64 {
    let [right, left] = [RIGHT_EYE, LEFT_EYE].map(|eye| middle(landmarks, eye));
    (left[0] - right[0]).hypot(left[1] - right[1])
}

/// The mean of some landmarks.
pub(super) fn middle(landmarks: &[[f64; 2]; LANDMARKS], range: std::ops::Range<usize>) -> [f64; 2] {
    let count = range.len() as f64;
    [0, 1].map(|axis| {
        landmarks[range.clone()]
            .iter()
            .map(|at| at[axis])
            .sum::<f64>()
            / count
    })
}

/// Fits a photo that shows a neutral face.
pub fn fit_neutral(model: &FaceModel, landmarks: &[[f64; 2]; LANDMARKS]) -> Option<Fit> {
    let terms = Terms {
        jaw: 0.3,
        mouth: 1.0,
        still: [0.3, 1.0],
        ridge: [0.06, 1.0],
        price: 0.0,
        width: 0.0,
        units: Vec::new(),
    };
    fit(model, landmarks, &terms)
}

/// Fits a photo that may show any expression: identity and units together. What a wide mouth owes to
/// a smile and what to the person is decided by the width of neutral mouths.
pub fn fit_shown(model: &FaceModel, landmarks: &[[f64; 2]; LANDMARKS]) -> Option<Fit> {
    let is_fitted = |name: &str| !NOT_FITTED.iter().any(|start| name.starts_with(start));
    let shapes = model.shapes.iter().enumerate();
    let terms = Terms {
        jaw: 0.3,
        mouth: 15.0,
        still: [0.2, 0.2],
        ridge: [0.3, 0.2],
        price: 0.05,
        width: 30.0,
        units: shapes
            .filter(|(_, shape)| is_fitted(&shape.name))
            .map(|(i, _)| i)
            .collect(),
    };
    fit(model, landmarks, &terms)
}

/// The places of the landmarks: the mean face's, and what each unknown does to them.
struct Linear {
    mean: Vec<[f64; 3]>,
    /// `[unknowns][68]`: identity modes, then units.
    moves: Vec<Vec<[f64; 3]>>,
}

impl Linear {
    fn new(model: &FaceModel, units: &[usize]) -> Self {
        let wide = |at: [f32; 3]| at.map(f64::from);
        let at_landmarks = |layer: &[[f32; 3]]| -> Vec<[f64; 3]> {
            model
                .landmarks
                .iter()
                .map(|vertex| wide(layer[*vertex as usize]))
                .collect()
        };
        let mut moves: Vec<Vec<[f64; 3]>> = model
            .identity
            .iter()
            .map(|mode| at_landmarks(mode))
            .collect();
        for unit in units {
            let mut layer = vec![[0.0; 3]; LANDMARKS];
            for (vertex, offset) in &model.shapes[*unit].moved {
                for (at, landmark) in layer.iter_mut().zip(&model.landmarks) {
                    if landmark == vertex {
                        *at = wide(*offset);
                    }
                }
            }
            moves.push(layer);
        }
        Self {
            mean: at_landmarks(&model.neutral),
            moves,
        }
    }

    fn places(&self, unknowns: &[f64]) -> Vec<[f64; 3]> {
        let mut places = self.mean.clone();
        for (layer, weight) in self.moves.iter().zip(unknowns) {
            for (at, offset) in places.iter_mut().zip(layer) {
                for axis in 0..3 {
                    at[axis] += weight * offset[axis];
                }
            }
        }
        places
    }
}

fn fit(model: &FaceModel, landmarks: &[[f64; 2]; LANDMARKS], terms: &Terms) -> Option<Fit> {
    let modes = model.identity.len();
    let linear = Linear::new(model, &terms.units);
    let weights = weights(1.0, terms.jaw, terms.mouth);
    let still = weights_of_still(terms);
    let mut unknowns = vec![0.0; linear.moves.len()];
    let mut camera = None;
    for _ in 0..ROUNDS {
        let now = Camera::nearest(&linear.places(&unknowns), landmarks, &still)?;
        unknowns = solve(&linear, &now, landmarks, &weights, terms, modes)?;
        camera = Some(now);
    }
    let camera = camera?;
    let places = linear.places(&unknowns);
    let square = |(place, seen): (&[f64; 3], &[f64; 2])| {
        let drawn = camera.place(*place);
        (drawn[0] - seen[0]).powi(2) + (drawn[1] - seen[1]).powi(2)
    };
    let squares: f64 = places.iter().zip(landmarks).map(square).sum();
    let mut units = vec![0.0; model.shapes.len()];
    for (unit, weight) in terms.units.iter().zip(unknowns.iter().skip(modes)) {
        // A thousandth of a unit moves nothing that could be seen.
        units[*unit] = if *weight > 1e-3 { *weight as f32 } else { 0.0 };
    }
    let rms = (squares / LANDMARKS as f64).sqrt() / eye_distance(landmarks);
    rms.is_finite().then(|| Fit {
        identity: unknowns.iter().take(modes).copied().collect(),
        units,
        camera,
        rms,
    })
}

fn weights(others: f64, jaw: f64, mouth: f64) -> [f64; LANDMARKS] {
    let mut weights = [others; LANDMARKS];
    weights[JAW].fill(jaw);
    weights[MOUTH].fill(mouth);
    weights
}

fn weights_of_still(terms: &Terms) -> [f64; LANDMARKS] {
    weights(1.0, terms.still[0], terms.still[1])
}

/// Identity and units under a known camera.
fn solve(
    linear: &Linear,
    camera: &Camera,
    landmarks: &[[f64; 2]; LANDMARKS],
    weights: &[f64; LANDMARKS],
    terms: &Terms,
    modes: usize,
) -> Option<Vec<f64>> {
    let count = linear.moves.len();
    let mut square = Square::zeros(count);
    let mut right = vec![0.0; count];
    let mut observe = |row: &[f64], weight: f64, value: f64| {
        square.add_observation(row, weight);
        for (right, part) in right.iter_mut().zip(row) {
            *right += weight * part * value;
        }
    };
    let mut row = vec![0.0; count];
    // In the model's unit, so that the ridge means the same in every photo.
    for (i, weight) in weights.iter().enumerate() {
        let drawn = camera.place(linear.mean[i]);
        for axis in 0..2 {
            let direction = camera.rotation[axis];
            for (part, layer) in row.iter_mut().zip(&linear.moves) {
                let at = layer[i];
                *part = direction[0] * at[0] + direction[1] * at[1] + direction[2] * at[2];
            }
            observe(
                &row,
                *weight,
                (landmarks[i][axis] - drawn[axis]) / camera.scale,
            );
        }
    }
    // The neutral mouth is so many distances of the eyes wide; units have no part in it.
    let excess = |layer: &[[f64; 3]]| {
        let mean = |eye: std::ops::Range<usize>| {
            let count = eye.len() as f64;
            layer[eye].iter().map(|at| at[0]).sum::<f64>() / count
        };
        let eyes = mean(LEFT_EYE) - mean(RIGHT_EYE);
        layer[CORNERS[1]][0] - layer[CORNERS[0]][0] - MOUTH_WIDTH * eyes
    };
    row.fill(0.0);
    for (part, layer) in row.iter_mut().zip(linear.moves.iter().take(modes)) {
        *part = excess(layer);
    }
    observe(&row, terms.width, -excess(&linear.mean));
    for (i, right) in right.iter_mut().enumerate() {
        *square.at(i, i) += terms.ridge[usize::from(i >= modes)];
        if i >= modes {
            *right -= terms.price;
        }
    }
    not_negative(&square, &right, modes)
}

/// Solves `square x = right` with x not below 0 from index `from` on: an active set.
fn not_negative(square: &Square, right: &[f64], from: usize) -> Option<Vec<f64>> {
    let count = right.len();
    let mut is_free = vec![true; count];
    let mut solution = vec![0.0; count];
    for _ in 0..ACTIVE_ROUNDS {
        let free: Vec<usize> = (0..count).filter(|i| is_free[*i]).collect();
        let sides = free.iter().map(|i| [right[*i]]).collect();
        let solved = square.part(&free).solve_positive(sides)?;
        solution.fill(0.0);
        for (i, [value]) in free.iter().zip(solved) {
            solution[*i] = value;
        }
        let low: Vec<usize> = (from..count).filter(|i| solution[*i] < 0.0).collect();
        if low.is_empty() {
            // The one that would most like to be above 0 comes back.
            let wish = |i: usize| {
                let row = square.row(i).iter().zip(&solution);
                right[i] - row.map(|(a, b)| a * b).sum::<f64>()
            };
            let back = (from..count)
                .filter(|i| !is_free[*i])
                .map(|i| (i, wish(i)))
                .filter(|(_, wish)| *wish > 1e-6)
                .max_by(|a, b| a.1.total_cmp(&b.1));
            match back {
                Some((i, _)) => is_free[i] = true,
                None => break,
            }
        }
        for i in low {
            is_free[i] = false;
        }
    }
    for value in solution.iter_mut().skip(from) {
        *value = value.clamp(0.0, MOST);
    }
    Some(solution)
}
