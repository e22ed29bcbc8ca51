//! Launches shaders/convflu_gates.wgsl: the first of the two passes of a pair.

use burn::backend::wgpu::SourceTemplate;
use bytemuck::{Pod, Zeroable};

use super::with_gates;
use crate::kernels::spec::{ConvFluSpec, WORKGROUP_BYTES};
use crate::kernels::wgsl::shader::{Shader, if_wanted};
use crate::kernels::wgsl::tiling::{span, tile_width, tiles};

/// Bytes of workgroup memory a tap and output channel: 10 weights.
const WEIGHT_BYTES: usize = 10 * size_of::<f32>();
/// Input channels staged at a time, at most.
const MAX_CHUNK: usize = 8;

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sizes {
    pub batch: u32,
    pub channels: u32,
    pub height: u32,
    pub width: u32,
}

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvFluGates {
    rows: usize,
    tile_width: usize,
    spec: ConvFluSpec,
    keep_gates: bool,
}

impl ConvFluGates {
    /// The variant for maps `[batch, channels, height, width]`.
    pub fn new(map: [usize; 4], spec: ConvFluSpec, keep_gates: bool) -> Self {
        let [_, channels, _, width] = map;
        // 16 output channels a workgroup, or 8 where 16 would leave half of the last one idle.
        let rows = if channels.next_multiple_of(16) == channels.next_multiple_of(8) {
            16
        } else {
            8
        };
        Self {
            rows,
            tile_width: tile_width(width, spec.side),
            spec,
            keep_gates,
        }
    }

    /// For `[batch, channels, height, width]`.
    pub fn groups(self, [batch, channels, height, width]: [usize; 4]) -> [usize; 3] {
        let tiles = tiles(height, width, self.tile_width);
        [tiles, channels.div_ceil(self.rows), batch]
    }

    fn taps(self) -> usize {
        self.spec.side * self.spec.side
    }

    fn span(self) -> usize {
        span(self.tile_width, self.spec.side)
    }

    fn chunk(self) -> usize {
        let bytes = self.taps() * self.rows * WEIGHT_BYTES + 2 * self.span() * size_of::<f32>();
        (WORKGROUP_BYTES / bytes).min(MAX_CHUNK)
    }
}

impl Shader for ConvFluGates {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        self.tile_width * self.rows
    }

    fn source(self) -> SourceTemplate {
        let staged = self.chunk() * self.taps() * self.rows;
        let shader = include_str!("../../../../shaders/convflu_gates.wgsl");
        with_gates(shader, self.spec.convention)
            .register("tile_w", self.tile_width.to_string())
            .register("rows", self.rows.to_string())
            .register("chunk", self.chunk().to_string())
            .register("halo", (self.spec.side / 2).to_string())
            .register("side", self.spec.side.to_string())
            .register("tile", (self.chunk() * self.span()).to_string())
            .register("staged", staged.to_string())
            .register("if_gates", if_wanted(self.keep_gates))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        use crate::kernels::wgsl::check::{BOTH, CHANNELS, SIDES};
        let mut variants = Vec::new();
        for spec in ConvFluSpec::all() {
            for channels in CHANNELS {
                for width in SIDES {
                    let map = [1, channels, 4, width];
                    variants.extend(BOTH.map(|gates| Self::new(map, spec, gates)));
                }
            }
        }
        variants
    }
}
