//! What both face meshes are made of: blocks over the whole picture, and branches that answer from them.

use burn::tensor::Tensor;

use super::FaceError;
use super::layers::Weights;
use crate::kernels::{Chain, chain};

/// Side of the input.
pub(super) const INPUT: usize = 192;

/// Blocks that the branches share.
pub(super) const BLOCKS: usize = 14;

/// The blocks that halve the picture.
const HALVING: [usize; 4] = [2, 5, 8, 11];

/// The shared blocks, after a first convolution.
#[derive(Debug, Clone)]
pub(super) struct Trunk(Chain);

impl Trunk {
    pub fn load(weights: &Weights) -> Result<Self, FaceError> {
        let mut layers = vec![weights.dense("stem", 2, (0, 1))?]; // [n, 16, 96, 96]
        layers.extend(weights.blocks("blocks", BLOCKS, &HALVING)?);
        Ok(Self(Chain::new(layers)))
    }

    /// What the first `blocks` blocks see in `[n, 3, 192, 192]` in 0..1; after all of them
    /// `[n, 128, 6, 6]`.
    pub fn forward(&self, faces: Tensor<4>, blocks: usize) -> Tensor<4> {
        chain(faces, &self.0, 0..1 + blocks.min(BLOCKS))
    }

    /// What the last block sees in what the first `blocks` of them saw.
    #[cfg(feature = "native")]
    pub fn go_on(&self, seen: Tensor<4>, blocks: usize) -> Tensor<4> {
        chain(seen, &self.0, 1 + blocks.min(BLOCKS)..self.0.len())
    }
}

/// Further blocks, and an answer.
#[derive(Debug, Clone)]
pub(super) struct Branch(Chain);

impl Branch {
    /// The branch of this name with so many blocks, of which `halving` halve.
    pub fn load(
        weights: &Weights,
        name: &str,
        count: usize,
        halving: &[usize],
    ) -> Result<Self, FaceError> {
        let mut layers = weights.blocks(&format!("{name}.blocks"), count, halving)?;
        layers.push(weights.dense(&format!("{name}.narrow"), 1, (0, 0))?);
        layers.push(weights.block(&format!("{name}.last"), false)?); // [n, 32, k, k]
        layers.push(weights.head(&format!("{name}.head"))?);
        Ok(Self(Chain::new(layers)))
    }

    /// -> `[n, c, 1, 1]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        chain(x, &self.0, 0..self.0.len())
    }
}
