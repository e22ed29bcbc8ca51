//! Launches shaders/convflu_candidate.wgsl: the second of the two passes of a pair.

use burn::backend::wgpu::{KernelSource, SourceTemplate};
use burn::cubecl::prelude::KernelId;

use super::convflu_launch::{Mode, span, tile_width, tiles};
use super::{READ, WORKGROUP_BYTES};

/// Quads of output channels of a workgroup, at most.
const MAX_QUAD_ROWS: usize = 8;
/// Input channels staged at a time, at most.
const MAX_CHUNK: usize = 8;

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ConvFluCandidate {
    quad_rows: usize,
    tile_width: usize,
    mode: Mode,
}

impl ConvFluCandidate {
    /// The variant for maps of this width.
    pub(super) fn new(channels: usize, width: usize, mode: Mode) -> Self {
        let quads = channels.div_ceil(4);
        Self {
            quad_rows: tile_width(quads, MAX_QUAD_ROWS),
            tile_width: tile_width(width, if mode.side == 1 { 16 } else { 12 }),
            mode,
        }
    }

    pub(super) fn threads(self) -> usize {
        self.tile_width * self.quad_rows
    }

    /// For `[batch, channels, height, width]`.
    pub(super) fn groups(self, [batch, channels, height, width]: [usize; 4]) -> [usize; 3] {
        let tiles = tiles(height, width, self.tile_width);
        [tiles, channels.div_ceil(4 * self.quad_rows), 2 * batch]
    }

    fn taps(self) -> usize {
        self.mode.side * self.mode.side
    }

    fn span(self) -> usize {
        span(self.tile_width, self.mode.side)
    }

    fn chunk(self) -> usize {
        let bytes = self.taps() * self.quad_rows * 16 + self.span() * size_of::<f32>();
        (WORKGROUP_BYTES / bytes).min(MAX_CHUNK)
    }
}

impl KernelSource for ConvFluCandidate {
    fn source(&self) -> SourceTemplate {
        let staged = self.chunk() * self.taps() * self.quad_rows;
        SourceTemplate::new(include_str!("../../shaders/convflu_candidate.wgsl"))
            .register("tile_w", self.tile_width.to_string())
            .register("quad_rows", self.quad_rows.to_string())
            .register("chunk", self.chunk().to_string())
            .register("halo", (self.mode.side / 2).to_string())
            .register("side", self.mode.side.to_string())
            .register("threads", self.threads().to_string())
            .register("tile", (self.chunk() * self.span()).to_string())
            .register("staged", staged.to_string())
            .register("read", READ)
            .register("gate_mix", self.mode.gate_mix())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(*self)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}
