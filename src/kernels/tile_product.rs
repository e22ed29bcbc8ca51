//! The variants of shaders/tile_product.wgsl, which two of the backward kernels are built on.

use burn::backend::wgpu::SourceTemplate;

use super::convflu_launch::{span, tile_width, tiles};
use super::{READ, WORKGROUP_BYTES};

/// Quads of output channels of a workgroup, at most.
const MAX_QUAD_ROWS: usize = 8;
/// Input channels staged at a time, at most.
const MAX_CHUNK: usize = 8;

/// How a product over maps is cut into workgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TileProduct {
    side: usize,
    quad_rows: usize,
    tile_width: usize,
    /// Products of one dispatch.
    parts: usize,
}

impl TileProduct {
    /// For square kernels of `side` over maps of this width.
    pub(super) fn new(side: usize, channels: usize, width: usize, parts: usize) -> Self {
        Self {
            side,
            quad_rows: tile_width(channels.div_ceil(4), MAX_QUAD_ROWS),
            tile_width: tile_width(width, if side == 1 { 16 } else { 12 }),
            parts,
        }
    }

    pub(super) fn threads(self) -> usize {
        self.tile_width * self.quad_rows
    }

    /// For `[batch, channels, height, width]`.
    pub(super) fn groups(self, [batch, channels, height, width]: [usize; 4]) -> [usize; 3] {
        let tiles = tiles(height, width, self.tile_width);
        let rows = channels.div_ceil(4 * self.quad_rows);
        [tiles, rows, self.parts * batch]
    }

    /// The source of a kernel whose own part is `head`.
    pub(super) fn source(self, head: &str) -> SourceTemplate {
        let taps = self.side * self.side;
        let span = span(self.tile_width, self.side);
        let bytes = taps * self.quad_rows * 16 + span * size_of::<f32>();
        let chunk = (WORKGROUP_BYTES / bytes).min(MAX_CHUNK);
        SourceTemplate::new(head)
            .add_template(include_str!("../../shaders/tile_product.wgsl"))
            .register("tile_w", self.tile_width.to_string())
            .register("quad_rows", self.quad_rows.to_string())
            .register("chunk", chunk.to_string())
            .register("halo", (self.side / 2).to_string())
            .register("side", self.side.to_string())
            .register("threads", self.threads().to_string())
            .register("parts", self.parts.to_string())
            .register("tile", (chunk * span).to_string())
            .register("staged", (chunk * taps * self.quad_rows).to_string())
            .register("read", READ)
    }
}
