//! BlazeFace (the 256 x 256 "back camera" model) in plain Burn tensors: a picture -> raw boxes.
//!
//! Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019
//! (arXiv 1907.05047). It has only convolutions, so it takes any size in multiples of 32.

use burn::tensor::{Device, Tensor};

use super::FaceError;
use super::layers::{Weights, readback};
use crate::kernels::{Chain, ChainLayer, Slope, chain};

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
    trunk: Chain,
    fine: Chain,
    coarse: Chain,
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
        let head = |name: &str| -> Result<ChainLayer, FaceError> {
            Ok(ChainLayer::Dense {
                weight: weights
                    .joined(["scores", "boxes"].map(|part| format!("{name}.{part}.weight")))?,
                bias: weights
                    .joined(["scores", "boxes"].map(|part| format!("{name}.{part}.bias")))?,
                slope: Slope::Linear,
                stride: 1,
                padding: (0, 0),
            })
        };
        let mut trunk = vec![weights.dense("stem", 2, (1, 2))?]; // [1, 24, h / 2, w / 2]
        trunk.extend(weights.blocks("blocks", BLOCKS, &HALVING)?); // [1, 96, h / 16, w / 16]
        Ok(Self {
            trunk: Chain::new(trunk),
            fine: Chain::new(vec![head("fine")?]),
            coarse: Chain::new(vec![weights.alone("last", true)?, head("coarse")?]),
        })
    }

    /// The answers at 16 and at 32 pixels a cell for `[1, 3, height, width]` in -1..1, height and
    /// width multiples of 32.
    pub async fn forward(&self, picture: Tensor<4>) -> Result<[Map; 2], FaceError> {
        let all = |x, layers: &Chain| chain(x, layers, 0..layers.len());
        let x = all(picture, &self.trunk); // [1, 96, h / 16, w / 16]
        let fine = all(x.clone(), &self.fine); // [1, 34, h / 16, w / 16]
        let coarse = all(x, &self.coarse); // [1, 102, h / 32, w / 32]
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
