//! Launches shaders/conv.wgsl: a convolution with what follows it.

use burn::backend::wgpu::SourceTemplate;
use bytemuck::{Pod, Zeroable};

use crate::kernels::spec::{ConvKind, ConvSpec, WORKGROUP_BYTES};
use crate::kernels::wgsl::shader::{Shader, if_wanted};
use crate::kernels::wgsl::tiling::equal_part;

/// Quads of output channels of a thread, at most.
const MAX_QUADS: usize = 2;
/// Blocks of 2 x 2 pixels of a thread, at most. Eight channels by eight pixels are 64 sums, and a
/// window of 24 inputs: about 110 registers, which leave a GPU threads enough to hide its memory.
const MAX_UNITS: usize = 2;
/// Workgroups below which a thread takes less, so that more workgroups have work.
const MIN_GROUPS: usize = 64;
/// Threads of a workgroup, at most.
const MAX_THREADS: usize = 64;
/// Threads of a tile in a row, at most.
const MAX_TILE_W: usize = 16;
/// Input channels staged at a time, at most.
const MAX_CHUNK: usize = 8;
/// Bytes of a weight: four output channels.
const WEIGHT_BYTES: usize = 4 * size_of::<f32>();
/// Bytes a thread of the sums that splits add up.
const PARTIAL_BYTES: usize = 16 * size_of::<f32>();

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sizes {
    pub batch: u32,
    pub inputs: u32,
    pub height: u32,
    pub width: u32,
    pub outputs: u32,
    pub slope: f32,
    pub out_width: u32,
    pub x_channels: u32,
}

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Conv {
    pub(super) kind: ConvKind,
    pub(super) pool: bool,
    pub(super) shortcut: bool,
    /// Threads of a tile: rows, columns.
    pub(super) tile: [usize; 2],
    pub(super) units: usize,
    pub(super) images: usize,
    pub(super) splits: usize,
    pub(super) quads: usize,
    pub(super) chunk: usize,
}

impl Conv {
    /// The variant for an output of `[batch, outputs, height, width]`, before the max-pool.
    pub fn new(
        spec: ConvSpec,
        shortcut: bool,
        [batch, outputs, height, width]: [usize; 4],
    ) -> Self {
        let inputs = spec.inputs;
        let [block_rows, block_columns] = [height.div_ceil(2), width.div_ceil(2)];
        let all_quads = outputs.div_ceil(4);
        let shape = |units: usize| {
            let columns = equal_part(block_columns, MAX_TILE_W);
            let rows = equal_part(block_rows.div_ceil(units), (MAX_THREADS / columns).max(1));
            let whole = rows * units >= block_rows && columns >= block_columns;
            let images = if whole {
                equal_part(batch, (MAX_THREADS / (rows * columns)).max(1))
            } else {
                1
            };
            let tiles = block_rows.div_ceil(rows * units) * block_columns.div_ceil(columns);
            (rows, columns, images, tiles * batch.div_ceil(images))
        };
        // The most blocks and channels a thread that still give every processor something to do.
        let divides = |quads: &usize| all_quads.is_multiple_of(*quads);
        let (units, quads) = (1..=MAX_UNITS)
            .rev()
            .map(|units| equal_part(block_rows, units))
            .flat_map(|units| {
                let quads = (1..=MAX_QUADS).rev().filter(divides);
                quads.map(move |quads| (units, quads))
            })
            .find(|(units, quads)| shape(*units).3 * all_quads / quads >= MIN_GROUPS)
            .unwrap_or((1, 1));
        let (rows, columns, images, _) = shape(units);
        let free_threads = MAX_THREADS / (rows * columns * images);
        let splits = if quads == 1 && units == 1 {
            free_threads.min(inputs).clamp(1, MAX_CHUNK)
        } else {
            1
        };
        let mut kernel = Self {
            kind: spec.kind,
            pool: spec.pool,
            shortcut,
            tile: [rows, columns],
            units,
            images,
            splits,
            quads,
            chunk: 0,
        };
        let cells = kernel.images * kernel.span() * kernel.kind.cell() * size_of::<f32>();
        let free = WORKGROUP_BYTES - kernel.partials() * PARTIAL_BYTES;
        let chunk = free / (cells + kernel.kind.taps() * kernel.quads * WEIGHT_BYTES);
        kernel.chunk = chunk.clamp(1, MAX_CHUNK).min(inputs);
        kernel
    }

    /// For an output of `[batch, outputs, height, width]`, before the max-pool.
    pub fn groups(self, [batch, outputs, height, width]: [usize; 4]) -> [usize; 3] {
        let tiles = height.div_ceil(2 * self.tile[0] * self.units) * self.tiles_x(width);
        let quads = outputs.div_ceil(4).div_ceil(self.quads);
        [tiles, quads, batch.div_ceil(self.images)]
    }

    /// Tiles in a row of the output.
    fn tiles_x(self, width: usize) -> usize {
        width.div_ceil(2 * self.tile[1])
    }

    /// Cells of a row of a tile with its halo.
    fn row_stride(self) -> usize {
        self.kind.window(self.tile[1]) / self.kind.cell()
    }

    /// Cells of a tile with its halo.
    fn span(self) -> usize {
        self.kind.window(self.tile[0] * self.units) * self.row_stride()
    }

    /// Threads that leave their sums to others.
    fn partials(self) -> usize {
        if self.splits > 1 { self.threads() } else { 0 }
    }
}

impl Shader for Conv {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        self.tile[0] * self.tile[1] * self.images * self.splits
    }

    fn source(self) -> SourceTemplate {
        let [rows, columns] = self.tile;
        let taps = self.kind.taps();
        let (cell_type, cell_at) = if self.kind.cell() == 2 {
            let second = "input_at(map, cell_row, cell_column + 1u)";
            let pair = format!("Cell(input_at(map, cell_row, cell_column), {second})");
            ("vec2<f32>", pair)
        } else {
            ("f32", "input_at(map, cell_row, cell_column)".to_owned())
        };
        SourceTemplate::new(include_str!("../../../../shaders/conv.wgsl"))
            .register("cell_type", cell_type)
            .register("cell_at", cell_at)
            .register("cell", self.kind.cell().to_string())
            .register(
                "block",
                (self.kind.window(2) - self.kind.window(1)).to_string(),
            )
            .register("pad", self.kind.pad().to_string())
            .register("taps", taps.to_string())
            .register("units", self.units.to_string())
            .register("quads", self.quads.to_string())
            .register("tile_w", columns.to_string())
            .register("tile_h", rows.to_string())
            .register("images", self.images.to_string())
            .register("splits", self.splits.to_string())
            .register("chunk", self.chunk.to_string())
            .register("row_stride", self.row_stride().to_string())
            .register("span", self.span().to_string())
            .register("zero_sums", self.zero_sums())
            .register("add_channel", self.add_channel())
            .register("store_sums", self.store_sums())
            .register("tile", (self.chunk * self.images * self.span()).to_string())
            .register("staged", (self.chunk * taps * self.quads).to_string())
            .register("partial", (4 * self.partials()).to_string())
            .register("out_height", self.kind.output_source())
            .register("if_shortcut", if_wanted(self.shortcut))
            .register("if_map", if_wanted(!self.pool))
            .register("if_pool", if_wanted(self.pool))
            .register("if_split", if_wanted(self.splits > 1))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        use crate::kernels::spec::Activation;
        use crate::kernels::wgsl::check::{BATCHES, BOTH, CHANNELS, maps};
        let padded = [0, 1, 2].map(|padding| ConvKind::Conv3x3 { padding });
        let others = [
            ConvKind::Conv1x1,
            ConvKind::Transposed2x2,
            ConvKind::Transposed4x4,
        ];
        let mut specs = Vec::new();
        for kind in padded.into_iter().chain(others) {
            // More inputs are staged in several chunks.
            for inputs in CHANNELS.into_iter().filter(|inputs| *inputs <= MAX_CHUNK) {
                for outputs in CHANNELS {
                    specs.extend(BOTH.map(|pool| ConvSpec {
                        kind,
                        inputs,
                        outputs,
                        instance_norm: false,
                        activation: Activation::None,
                        pool,
                    }));
                }
            }
        }
        let mut variants = Vec::new();
        for spec in specs {
            for batch in BATCHES {
                for map in maps() {
                    let [height, width] = map.map(|side| spec.kind.output(side));
                    if height * width > 0 {
                        let map = [batch, spec.outputs, height, width];
                        variants.extend(BOTH.map(|shortcut| Self::new(spec, shortcut, map)));
                    }
                }
            }
        }
        variants
    }
}
