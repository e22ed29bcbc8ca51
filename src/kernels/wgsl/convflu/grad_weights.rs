//! Launches shaders/convflu_grad_weights.wgsl: the gradients of a direction's weights, in splits.

use burn::backend::wgpu::SourceTemplate;
use bytemuck::{Pod, Zeroable};

use crate::kernels::spec::MAX_BUFFER_BYTES;
use crate::kernels::wgsl::shader::Shader;
use crate::kernels::wgsl::tiling::equal_part;

/// Squares of channels by channels that a direction's weights are.
const SQUARES: usize = 6;
/// Quads of output channels of a workgroup, at most.
const MAX_QUADS: usize = 8;
/// Rows of threads of a workgroup, at most: with eight quads, 64 threads.
const MAX_ROWS: usize = 8;
/// Sums of a thread with a 1x1 kernel, one for each of its input channels.
const INPUTS_OF_1X1: usize = 4;
/// Pixels of a tile with a 1x1 and with a 3x3 kernel, at most. With 8 quads and the inputs (with a 1x1
/// kernel four times as many) either is 12 KiB of workgroup memory.
const MAX_PIXELS: [usize; 2] = [48, 64];
/// Columns of a tile of a 3x3 kernel, at most.
const MAX_COLUMNS: usize = 16;
/// Workgroups that keep a large GPU busy: the pixels are split until there are as many.
const WANTED_GROUPS: usize = 512;
/// Tiles of a split, at least: below, the sums of the splits cost more than they spare.
const MIN_TILES: usize = 2;

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sizes {
    pub batch: u32,
    pub channels: u32,
    pub height: u32,
    pub width: u32,
    pub r: u32,
    pub splits: u32,
}

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvFluGradWeights {
    side: usize,
    quads: usize,
    /// Rows of threads.
    rows: usize,
    /// Rows and columns of pixels.
    tile: [usize; 2],
}

impl ConvFluGradWeights {
    /// The variant for square kernels of `side` over maps of [`flat_map`].
    pub fn new(side: usize, channels: usize, [height, width]: [usize; 2]) -> Self {
        let pixels = MAX_PIXELS[side / 2];
        let columns = equal_part(width, if side == 1 { pixels } else { MAX_COLUMNS });
        let inputs_of_thread = sums(side) / (side * side);
        Self {
            side,
            rows: equal_part(channels.div_ceil(inputs_of_thread), MAX_ROWS),
            quads: equal_part(channels.div_ceil(4), MAX_QUADS),
            tile: [equal_part(height, pixels / columns), columns],
        }
    }

    /// Workgroups over a square, and all squares, for one split.
    pub fn tiles_of_weights(self, channels: usize) -> [usize; 2] {
        let outputs = channels.div_ceil(4 * self.quads);
        let inputs = channels.div_ceil(self.inputs());
        [outputs * inputs, SQUARES]
    }

    /// Over how many workgroups the pixels of `[batch, channels, height, width]` are split.
    pub fn splits(self, [batch, channels, height, width]: [usize; 4]) -> usize {
        let [rows, columns] = self.tile;
        let tiles = batch * height.div_ceil(rows) * width.div_ceil(columns);
        let groups: usize = self.tiles_of_weights(channels).iter().product();
        let fitting = MAX_BUFFER_BYTES / (self.partials(channels) * 16);
        WANTED_GROUPS
            .div_ceil(groups)
            .min(tiles / MIN_TILES)
            .min(fitting)
            .max(1)
    }

    /// Quads of sums of a split.
    pub fn partials(self, channels: usize) -> usize {
        SQUARES * channels * self.side * self.side * channels.div_ceil(4)
    }

    fn inputs(self) -> usize {
        self.rows * sums(self.side) / (self.side * self.side)
    }
}

/// Quads of sums of a thread.
fn sums(side: usize) -> usize {
    if side == 1 { INPUTS_OF_1X1 } else { 9 }
}

/// Height and width as the kernel sees a map: with a 1x1 kernel the pixels' places do not matter.
pub fn flat_map(side: usize, height: usize, width: usize) -> [usize; 2] {
    if side == 1 {
        [1, height * width]
    } else {
        [height, width]
    }
}

/// The stride of rows of so many pixels: odd, as the shader has it.
fn odd(pixels: usize) -> usize {
    pixels | 1
}

impl Shader for ConvFluGradWeights {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        self.quads * self.rows
    }

    fn source(self) -> SourceTemplate {
        let [rows, columns] = self.tile;
        let halo = self.side / 2;
        let span = (rows + 2 * halo) * (columns + 2 * halo);
        SourceTemplate::new(include_str!(
            "../../../../shaders/convflu_grad_weights.wgsl"
        ))
        .register("side", self.side.to_string())
        .register("halo", halo.to_string())
        .register("tile_h", rows.to_string())
        .register("tile_w", columns.to_string())
        .register("quads", self.quads.to_string())
        .register("rows", self.rows.to_string())
        .register("sums", sums(self.side).to_string())
        .register("delta_tile", (self.quads * odd(rows * columns)).to_string())
        .register("input_tile", (self.inputs() * odd(span)).to_string())
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        use crate::kernels::wgsl::check::{CHANNELS, SIDES};
        let mut variants = Vec::new();
        for side in [1, 3] {
            for channels in CHANNELS {
                for height in SIDES {
                    let map = |width| flat_map(side, height, width);
                    variants.extend(SIDES.map(|width| Self::new(side, channels, map(width))));
                }
            }
        }
        variants
    }
}
