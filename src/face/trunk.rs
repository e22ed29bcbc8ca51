//! What both face meshes are made of: blocks over the whole picture, and branches that answer from them.

use burn::tensor::Tensor;

use super::FaceError;
use super::layers::{Block, Dense, Weights};

/// Side of the input.
pub(super) const INPUT: usize = 192;

/// Blocks that the branches share.
pub(super) const BLOCKS: usize = 14;

/// The blocks that halve the picture.
const HALVING: [usize; 4] = [2, 5, 8, 11];

/// The shared blocks.
#[derive(Debug, Clone)]
pub(super) struct Trunk {
    stem: Dense,
    blocks: Vec<Block>,
}

impl Trunk {
    pub fn load(weights: &Weights) -> Result<Self, FaceError> {
        Ok(Self {
            stem: Dense::load(weights, "stem")?,
            blocks: blocks(weights, "blocks", BLOCKS, &HALVING)?,
        })
    }

    /// What the first `blocks` blocks see in `[n, 3, 192, 192]` in 0..1; after all of them
    /// `[n, 128, 6, 6]`.
    pub fn forward(&self, faces: Tensor<4>, blocks: usize) -> Tensor<4> {
        let x = self.stem.forward(faces, 2, (0, 1)); // [n, 16, 96, 96]
        let blocks = &self.blocks[..blocks.min(BLOCKS)];
        blocks.iter().fold(x, |x, block| block.forward(x))
    }

    /// What the last block sees in what the first `blocks` of them saw.
    #[cfg(feature = "native")]
    pub fn go_on(&self, seen: Tensor<4>, blocks: usize) -> Tensor<4> {
        let blocks = &self.blocks[blocks.min(BLOCKS)..];
        blocks.iter().fold(seen, |x, block| block.forward(x))
    }
}

/// Further blocks, and an answer.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    blocks: Vec<Block>,
    narrow: Dense,
    last: Block,
    head: Dense,
}

impl Branch {
    /// The branch of this name with so many blocks, of which `halving` halve.
    pub fn load(
        weights: &Weights,
        name: &str,
        count: usize,
        halving: &[usize],
    ) -> Result<Self, FaceError> {
        Ok(Self {
            blocks: blocks(weights, &format!("{name}.blocks"), count, halving)?,
            narrow: Dense::load(weights, &format!("{name}.narrow"))?,
            last: Block::load(weights, &format!("{name}.last"), false)?,
            head: Dense::load(weights, &format!("{name}.head"))?,
        })
    }

    /// -> `[n, c, 1, 1]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        let x = self.last.forward(self.narrow.forward(x, 1, (0, 0))); // [n, 32, k, k]
        self.head.convolve(x, 1, (0, 0))
    }
}

fn blocks(
    weights: &Weights,
    name: &str,
    count: usize,
    halving: &[usize],
) -> Result<Vec<Block>, FaceError> {
    (0..count)
        .map(|i| Block::load(weights, &format!("{name}.{i}"), halving.contains(&i)))
        .collect()
}
