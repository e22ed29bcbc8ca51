//! Which faces are redrawn with an expression, and in which order.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::data::Dataset;

/// Indices of the faces that show another expression than `target`, each once, shuffled by the seed:
/// a face that shows it already would come back as it is. Synthetic faces are not redrawn again.
pub(super) fn sources(data: &Dataset, target: usize, seed: u64) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..data.faces.len())
        .filter(|index| {
            let face = &data.faces[*index];
            !face.is_synthetic() && face.expression() != target
        })
        .collect();
    // One order a class, so that a class's faces do not depend on the others' counts.
    let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ target as u64);
    indices.shuffle(&mut rng);
    indices
}
