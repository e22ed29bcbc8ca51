//! Launches shaders/convflu_1x1.wgsl: a whole pair with 1x1 kernels in one pass.

use burn::backend::wgpu::SourceTemplate;
use bytemuck::{Pod, Zeroable};

use super::with_gates;
use crate::kernels::spec::{ConvFluSpec, WORKGROUP_BYTES};
use crate::kernels::wgsl::shader::{Shader, if_wanted};

/// Channels that a workgroup of 256 threads holds.
pub const MAX_CHANNELS: usize = 64;
/// Pixels of a quad: a map is a whole number of them.
pub const QUAD: usize = 4;
/// Quads of a workgroup.
const QUADS: usize = 4;
/// Workgroups in a row of the dispatch.
const GRID: usize = 32_768;
/// Bytes of workgroup memory an output channel: x and y of the quads.
const TILE_BYTES: usize = 2 * QUADS * 16;
/// Bytes of workgroup memory an output channel and staged input channel: 10 weights.
const WEIGHT_BYTES: usize = 10 * size_of::<f32>();
/// Input channels staged at a time, at most: more would only keep workgroups from sharing a core.
const MAX_CHUNK: usize = 8;

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sizes {
    pub channels: u32,
    pub map: u32,
    pub quads: u32,
}

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvFlu1x1 {
    rows: usize,
    spec: ConvFluSpec,
    keep_gates: bool,
}

impl ConvFlu1x1 {
    /// The variant for so many channels.
    pub fn new(channels: usize, spec: ConvFluSpec, keep_gates: bool) -> Self {
        Self {
            rows: channels.next_multiple_of(8),
            spec,
            keep_gates,
        }
    }

    /// For so many quads of the whole batch.
    pub fn groups(self, quads: usize) -> [usize; 3] {
        let groups = quads.div_ceil(QUADS);
        [groups.min(GRID), groups.div_ceil(GRID), 1]
    }

    fn chunk(self) -> usize {
        let free = WORKGROUP_BYTES - TILE_BYTES * self.rows;
        (free / (WEIGHT_BYTES * self.rows)).min(MAX_CHUNK)
    }
}

impl Shader for ConvFlu1x1 {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        QUADS * self.rows
    }

    fn source(self) -> SourceTemplate {
        let shader = include_str!("../../../../shaders/convflu_1x1.wgsl");
        with_gates(shader, self.spec.convention)
            .register("rows", self.rows.to_string())
            .register("chunk", self.chunk().to_string())
            .register("grid", GRID.to_string())
            .register("tile", (self.rows * QUADS).to_string())
            .register("staged", (self.rows * self.chunk()).to_string())
            .register("if_gates", if_wanted(self.keep_gates))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        use crate::kernels::wgsl::check::BOTH;
        let mut variants = Vec::new();
        for spec in ConvFluSpec::all().filter(|spec| spec.side == 1) {
            for channels in 1..=MAX_CHANNELS {
                variants.extend(BOTH.map(|gates| Self::new(channels, spec, gates)));
            }
        }
        variants
    }
}
