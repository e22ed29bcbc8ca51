//! Launches shaders/convflu_gates.wgsl: the first of the two passes of a pair.

use burn::backend::wgpu::{KernelSource, SourceTemplate};
use burn::cubecl::prelude::KernelId;

use super::convflu_launch::{Mode, span, tile_width, tiles};
use super::{READ, WORKGROUP_BYTES};

/// Bytes of workgroup memory a tap and output channel: 10 weights.
const WEIGHT_BYTES: usize = 10 * size_of::<f32>();
/// Input channels staged at a time, at most.
const MAX_CHUNK: usize = 8;

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ConvFluGates {
    rows: usize,
    tile_width: usize,
    mode: Mode,
    keep_gates: bool,
}

impl ConvFluGates {
    /// The variant for maps of this width.
    pub(super) fn new(channels: usize, width: usize, mode: Mode, keep_gates: bool) -> Self {
        // 16 output channels a workgroup, or 8 where 16 would leave half of the last one idle.
        let rows = if channels.next_multiple_of(16) == channels.next_multiple_of(8) {
            16
        } else {
            8
        };
        Self {
            rows,
            tile_width: tile_width(width, if mode.side == 1 { 16 } else { 12 }),
            mode,
            keep_gates,
        }
    }

    pub(super) fn threads(self) -> usize {
        self.tile_width * self.rows
    }

    /// For `[batch, channels, height, width]`.
    pub(super) fn groups(self, [batch, channels, height, width]: [usize; 4]) -> [usize; 3] {
        let tiles = tiles(height, width, self.tile_width);
        [tiles, channels.div_ceil(self.rows), batch]
    }

    fn taps(self) -> usize {
        self.mode.side * self.mode.side
    }

    fn span(self) -> usize {
        span(self.tile_width, self.mode.side)
    }

    fn chunk(self) -> usize {
        let bytes = self.taps() * self.rows * WEIGHT_BYTES + 2 * self.span() * size_of::<f32>();
        (WORKGROUP_BYTES / bytes).min(MAX_CHUNK)
    }
}

impl KernelSource for ConvFluGates {
    fn source(&self) -> SourceTemplate {
        let staged = self.chunk() * self.taps() * self.rows;
        SourceTemplate::new(include_str!("../../shaders/convflu_gates.wgsl"))
            .register("tile_w", self.tile_width.to_string())
            .register("rows", self.rows.to_string())
            .register("chunk", self.chunk().to_string())
            .register("halo", (self.mode.side / 2).to_string())
            .register("side", self.mode.side.to_string())
            .register("threads", self.threads().to_string())
            .register("tile", (self.chunk() * self.span()).to_string())
            .register("staged", staged.to_string())
            .register("read", READ)
            .register("if_gates", if self.keep_gates { "" } else { "//" })
            .register("sizes_binding", if self.keep_gates { "5" } else { "4" })
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(*self)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}
