//! BlazeFace (the 256 x 256 "back camera" model) in plain Burn tensors: a picture -> raw boxes.
//!
//! Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019
//! (arXiv 1907.05047). It has only convolutions, so it takes any size in multiples of 32.

use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::FaceError;
use super::layers::{Block, Dense, Weights, readback};

/// The weights; where they come from stands beside the file. A page fetches the file.
#[cfg(feature = "native")]
const WEIGHTS: &[u8] = include_bytes!("../../weights/blazeface.safetensors");

/// Blocks before the second, coarser map.
const BLOCKS: usize = 31;

/// The blocks that halve the picture.
const HALVING: [usize; 3] = [7, 15, 23];

/// Numbers of a raw box: centre, size and six points.
pub const BOX_VALUES: usize = 16;

/// The network's weights.
#[derive(Debug, Clone)]
pub struct BlazeFace {
    stem: Dense,
    blocks: Vec<Block>,
    last: Block,
    fine: Dense,
    coarse: Dense,
}

/// A map's answers: each of its cells has some anchors, each with a score and a box.
#[derive(Debug, Clone)]
pub struct Map {
    /// Pixels from one cell to the next.
    pub stride: usize,
    /// Anchors in a cell.
    pub anchors: usize,
    /// Cells in a column.
    pub rows: usize,
    /// Cells in a row.
    pub columns: usize,
    /// `[anchors + anchors * 16, rows, columns]`: the scores (before the sigmoid), then the boxes
    /// (in pixels, relative to the cell's centre).
    values: Vec<f32>,
}

impl Map {
    /// The score of an anchor, before the sigmoid.
    pub fn score(&self, anchor: usize, row: usize, column: usize) -> f32 {
        self.at(anchor, row, column)
    }

    /// The k-th number of an anchor's box.
    pub fn box_value(&self, anchor: usize, k: usize, row: usize, column: usize) -> f32 {
        self.at(self.anchors + anchor * BOX_VALUES + k, row, column)
    }

    fn at(&self, channel: usize, row: usize, column: usize) -> f32 {
        self.values[(channel * self.rows + row) * self.columns + column]
    }
}

impl BlazeFace {
    /// The network with the embedded weights.
    ///
    /// # Errors
    /// [`FaceError::Weights`] when they are not what it needs.
    #[cfg(feature = "native")]
    pub fn load(device: &Device) -> Result<Self, FaceError> {
        Self::from_bytes(WEIGHTS, device)
    }

    /// The network with the weights of `blazeface.safetensors`.
    ///
    /// # Errors
    /// [`FaceError::Weights`] when they are not what it needs.
    pub fn from_bytes(weights: &[u8], device: &Device) -> Result<Self, FaceError> {
        let weights = Weights::open(weights, device)?;
        // Scores and boxes read the same map: one convolution for both.
        let head = |name: &str| -> Result<Dense, FaceError> {
            let scores = Dense::load(&weights, &format!("{name}.scores"))?;
            let boxes = Dense::load(&weights, &format!("{name}.boxes"))?;
            Ok(Dense {
                weight: Tensor::cat(vec![scores.weight, boxes.weight], 0),
                bias: Tensor::cat(vec![scores.bias, boxes.bias], 0),
                slope: None,
            })
        };
        Ok(Self {
            stem: Dense::load(&weights, "stem")?,
            blocks: (0..BLOCKS)
                .map(|i| Block::load(&weights, &format!("blocks.{i}"), HALVING.contains(&i)))
                .collect::<Result<_, _>>()?,
            last: Block::load(&weights, "last", true)?,
            fine: head("fine")?,
            coarse: head("coarse")?,
        })
    }

    /// The answers at 16 and at 32 pixels a cell for `[1, 3, height, width]` in -1..1, height and
    /// width multiples of 32.
    pub async fn forward(&self, picture: Tensor<4>) -> Result<[Map; 2], FaceError> {
        let mut x = self.stem.forward(picture, 2, (1, 2)); // [1, 24, h / 2, w / 2]
        for block in &self.blocks {
            x = block.forward(x);
        } // [1, 96, h / 16, w / 16]
        let fine = self.fine.convolve(x.clone(), 1, (0, 0)); // [1, 34, h / 16, w / 16]
        let x = relu(self.last.convolve(x)); // [1, 96, h / 32, w / 32]
        let coarse = self.coarse.convolve(x, 1, (0, 0)); // [1, 102, h / 32, w / 32]
        Ok([map(fine, 16).await?, map(coarse, 32).await?])
    }
}

async fn map(values: Tensor<4>, stride: usize) -> Result<Map, FaceError> {
    let [_, channels, rows, columns] = values.dims();
    Ok(Map {
        stride,
        anchors: channels / (1 + BOX_VALUES),
        rows,
        columns,
        values: readback(values).await?,
    })
}
