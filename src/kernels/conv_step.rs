//! Launches shaders/conv_step.wgsl: a convolution with what follows it.

use burn::backend::wgpu::SourceTemplate;
use bytemuck::{Pod, Zeroable};

use super::convflu_launch::tile_width;
use super::launch::{Shader, WORKGROUP_BYTES, if_wanted};
use super::step::Activation;

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
/// Bytes a thread of the sums that slices add up.
const PARTIAL_BYTES: usize = 16 * size_of::<f32>();

/// Which inputs reach an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Taps {
    /// A convolution of 3 x 3; a transposed one with stride 1 is one too, with a larger padding.
    Three {
        /// Rows and columns of zeros around the map.
        padding: usize,
    },
    /// A convolution of 1 x 1.
    One,
    /// A transposed convolution of 2 x 2, stride 2.
    UpTwo,
    /// A transposed convolution of 4 x 4, stride 2, padding 1.
    UpFour,
}

impl Taps {
    /// Taps of a kernel.
    pub(super) fn count(self) -> usize {
        self.side() * self.side()
    }

    /// Height or width of the output.
    pub(super) fn output(self, input: usize) -> usize {
        match self {
            Self::Three { padding } => (input + 2 * padding).saturating_sub(2),
            Self::One => input,
            Self::UpTwo | Self::UpFour => 2 * input,
        }
    }

    /// The WGSL of [`output`](Self::output) for the height.
    fn output_source(self) -> String {
        match self {
            Self::Three { padding } => format!("sizes.height + {}u - 2u", 2 * padding),
            Self::One => "sizes.height".to_owned(),
            Self::UpTwo | Self::UpFour => "2u * sizes.height".to_owned(),
        }
    }

    /// Pixels of a cell of the tile: neighbouring threads read neighbouring cells.
    fn cell(self) -> usize {
        match self {
            Self::Three { .. } | Self::One => 2,
            Self::UpTwo | Self::UpFour => 1,
        }
    }

    /// Rows (and columns) of inputs before a block's own.
    fn pad(self) -> usize {
        match self {
            Self::Three { padding } => padding,
            Self::One | Self::UpTwo => 0,
            Self::UpFour => 1,
        }
    }

    /// Rows (or columns) of inputs that so many blocks read.
    fn window(self, blocks: usize) -> usize {
        match self {
            Self::Three { .. } => 2 * blocks + 2,
            Self::One => 2 * blocks,
            Self::UpTwo => blocks,
            Self::UpFour => blocks + 2,
        }
    }

    /// The row (or column) of a block's window from which a tap's row (or column) reaches the
    /// block's pixel 0 or 1; none where it does not.
    fn reads(self, tap: usize, pixel: usize) -> Option<usize> {
        match self {
            Self::Three { .. } | Self::One => Some(pixel + tap),
            Self::UpTwo => (tap == pixel).then_some(0),
            // Pixel 0 takes taps 3 and 1 from the input before and its own, pixel 1 takes 2 and 0
            // from its own and the next.
            Self::UpFour => match (pixel, tap) {
                (0, 3) => Some(0),
                (0, 1) | (1, 2) => Some(1),
                (1, 0) => Some(2),
                _ => None,
            },
        }
    }

    fn side(self) -> usize {
        match self {
            Self::Three { .. } => 3,
            Self::One => 1,
            Self::UpTwo => 2,
            Self::UpFour => 4,
        }
    }
}

/// What a step computes, beside the tensors' shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StepSpec {
    /// Which inputs reach an output.
    pub taps: Taps,
    /// Input channels: the first of x, which may have more.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Instance norm after the convolution.
    pub instance: bool,
    /// The activation.
    pub activation: Activation,
    /// Whether height and width are halved by the maximum at the end.
    pub pool: bool,
}

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Sizes {
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
pub(super) struct ConvStep {
    taps: Taps,
    pool: bool,
    shortcut: bool,
    /// Threads of a tile: rows, columns.
    tile: [usize; 2],
    units: usize,
    images: usize,
    slices: usize,
    quads: usize,
    chunk: usize,
}

impl ConvStep {
    /// The variant for an output of `[batch, outputs, height, width]`, before the max-pool.
    pub(super) fn new(
        spec: StepSpec,
        shortcut: bool,
        [batch, outputs, height, width]: [usize; 4],
    ) -> Self {
        let inputs = spec.inputs;
        let [block_rows, block_columns] = [height.div_ceil(2), width.div_ceil(2)];
        let all_quads = outputs.div_ceil(4);
        let shape = |units: usize| {
            let columns = tile_width(block_columns, MAX_TILE_W);
            let rows = tile_width(block_rows.div_ceil(units), (MAX_THREADS / columns).max(1));
            let whole = rows * units >= block_rows && columns >= block_columns;
            let images = if whole {
                tile_width(batch, (MAX_THREADS / (rows * columns)).max(1))
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
            .map(|units| tile_width(block_rows, units))
            .flat_map(|units| {
                let quads = (1..=MAX_QUADS).rev().filter(divides);
                quads.map(move |quads| (units, quads))
            })
            .find(|(units, quads)| shape(*units).3 * all_quads / quads >= MIN_GROUPS)
            .unwrap_or((1, 1));
        let (rows, columns, images, _) = shape(units);
        let free_threads = MAX_THREADS / (rows * columns * images);
        let slices = if quads == 1 && units == 1 {
            free_threads.min(inputs).clamp(1, MAX_CHUNK)
        } else {
            1
        };
        let mut kernel = Self {
            taps: spec.taps,
            pool: spec.pool,
            shortcut,
            tile: [rows, columns],
            units,
            images,
            slices,
            quads,
            chunk: 0,
        };
        let cells = kernel.images * kernel.span() * kernel.taps.cell() * size_of::<f32>();
        let free = WORKGROUP_BYTES - kernel.partials() * PARTIAL_BYTES;
        let chunk = free / (cells + kernel.taps.count() * kernel.quads * WEIGHT_BYTES);
        kernel.chunk = chunk.clamp(1, MAX_CHUNK).min(inputs);
        kernel
    }

    /// For an output of `[batch, outputs, height, width]`, before the max-pool.
    pub(super) fn groups(self, [batch, outputs, height, width]: [usize; 4]) -> [usize; 3] {
        let tiles = height.div_ceil(2 * self.tile[0] * self.units) * self.tiles_x(width);
        let quads = outputs.div_ceil(4).div_ceil(self.quads);
        [tiles, quads, batch.div_ceil(self.images)]
    }

    /// Tiles in a row of the output.
    fn tiles_x(self, width: usize) -> usize {
        width.div_ceil(2 * self.tile[1])
    }

    /// Cells of a row of a tile with its halo.
    fn pitch(self) -> usize {
        self.taps.window(self.tile[1]) / self.taps.cell()
    }

    /// Cells of a tile with its halo.
    fn span(self) -> usize {
        self.taps.window(self.tile[0] * self.units) * self.pitch()
    }

    /// Threads that leave their sums to others.
    fn partials(self) -> usize {
        if self.slices > 1 { self.threads() } else { 0 }
    }

    /// Every block of sums of a thread: quad, unit.
    fn blocks(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.quads).flat_map(move |quad| (0..self.units).map(move |unit| (quad, unit)))
    }

    /// The declaration of the sums.
    fn zero_sums(self) -> String {
        let zero = |(quad, unit): (usize, usize)| {
            (0..4).map(move |pixel| format!("    var s{quad}_{unit}_{pixel} = vec4<f32>();"))
        };
        self.blocks().flat_map(zero).collect::<Vec<_>>().join("\n")
    }

    /// The inner loop: what one input channel adds to the sums.
    fn add_channel(self) -> String {
        let mut lines = self.read_window();
        let side = self.taps.side();
        for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
            let tap = row * side + column;
            for quad in 0..self.quads {
                let weight = format!("staged[w + {tap}u * QUADS + {quad}u]");
                lines.push(format!("let w{tap}_{quad} = {weight};"));
                lines.extend(self.add_tap([row, column], &format!("w{tap}_{quad}"), quad));
            }
        }
        indented(12, &lines)
    }

    /// Inputs of the window by row and cell.
    fn read_window(self) -> Vec<String> {
        let rows = self.taps.window(self.units);
        let cells = self.taps.window(1) / self.taps.cell();
        let read = |row: usize, cell: usize| {
            format!("let i{row}_{cell} = tile[t + {row}u * PITCH + {cell}u];")
        };
        (0..rows)
            .flat_map(|row| (0..cells).map(move |cell| read(row, cell)))
            .collect()
    }

    /// What one tap adds to the sums of a quad.
    fn add_tap(self, [row, column]: [usize; 2], weight: &str, quad: usize) -> Vec<String> {
        let taps = self.taps;
        let from_unit_to_unit = taps.window(2) - taps.window(1);
        let mut lines = Vec::new();
        for unit in 0..self.units {
            for pixel in 0..4 {
                let read = taps
                    .reads(row, pixel / 2)
                    .zip(taps.reads(column, pixel % 2));
                let Some((i, j)) = read else { continue };
                let input = self.input(i + unit * from_unit_to_unit, j);
                let sum = format!("s{quad}_{unit}_{pixel}");
                lines.push(format!("{sum} = fma({weight}, vec4<f32>({input}), {sum});"));
            }
        }
        lines
    }

    /// The name of the window's input at a row and column.
    fn input(self, row: usize, column: usize) -> String {
        match self.taps.cell() {
            1 => format!("i{row}_{column}"),
            _ => format!("i{row}_{}.{}", column / 2, ["x", "y"][column % 2]),
        }
    }

    /// The end of the shader: every block goes to its place.
    fn store_sums(self) -> String {
        let mut lines = Vec::new();
        for (quad, unit) in self.blocks() {
            let [a, b, c, d] = [0, 1, 2, 3].map(|pixel| format!("s{quad}_{unit}_{pixel}"));
            let mut sums = format!("mat4x4<f32>({a}, {b}, {c}, {d})");
            if self.slices > 1 {
                lines.push(format!("let all = over_slices(thread, {sums});"));
                lines.push("if slice > 0u { return; }".to_owned());
                sums = "all".to_owned();
            }
            let store = format!("store_block(place, {unit}u, first_quad, {quad}u, {sums});");
            lines.push(store);
        }
        indented(4, &lines)
    }
}

fn indented(columns: usize, lines: &[String]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| format!("{:columns$}{line}", ""))
        .collect();
    lines.join("\n")
}

/// The WGSL of an activation of `v`, of the type `pixel`.
pub(super) fn activation_source(activation: Activation, pixel: &str) -> String {
    match activation {
        Activation::None => "v".to_owned(),
        Activation::Relu => format!("max(v, {pixel}(0.0))"),
        Activation::Leaky => format!("max(v, {} * v)", super::step::LEAKY_SLOPE),
    }
}

impl Shader for ConvStep {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        self.tile[0] * self.tile[1] * self.images * self.slices
    }

    fn source(self) -> SourceTemplate {
        let [rows, columns] = self.tile;
        let taps = self.taps.count();
        let (cell_type, cell_at) = if self.taps.cell() == 2 {
            let second = "input_at(map, cell_row, cell_column + 1u)";
            let pair = format!("Cell(input_at(map, cell_row, cell_column), {second})");
            ("vec2<f32>", pair)
        } else {
            ("f32", "input_at(map, cell_row, cell_column)".to_owned())
        };
        SourceTemplate::new(include_str!("../../shaders/conv_step.wgsl"))
            .register("cell_type", cell_type)
            .register("cell_at", cell_at)
            .register("cell", self.taps.cell().to_string())
            .register(
                "block",
                (self.taps.window(2) - self.taps.window(1)).to_string(),
            )
            .register("pad", self.taps.pad().to_string())
            .register("taps", taps.to_string())
            .register("units", self.units.to_string())
            .register("quads", self.quads.to_string())
            .register("tile_w", columns.to_string())
            .register("tile_h", rows.to_string())
            .register("images", self.images.to_string())
            .register("slices", self.slices.to_string())
            .register("chunk", self.chunk.to_string())
            .register("pitch", self.pitch().to_string())
            .register("span", self.span().to_string())
            .register("zero_sums", self.zero_sums())
            .register("add_channel", self.add_channel())
            .register("store_sums", self.store_sums())
            .register("tile", (self.chunk * self.images * self.span()).to_string())
            .register("staged", (self.chunk * taps * self.quads).to_string())
            .register("partial", (4 * self.partials()).to_string())
            .register("out_height", self.taps.output_source())
            .register("if_shortcut", if_wanted(self.shortcut))
            .register("if_map", if_wanted(!self.pool))
            .register("if_pool", if_wanted(self.pool))
            .register("if_split", if_wanted(self.slices > 1))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        use super::shader_check::{BATCHES, BOTH, CHANNELS, maps};
        let padded = [0, 1, 2].map(|padding| Taps::Three { padding });
        let others = [Taps::One, Taps::UpTwo, Taps::UpFour];
        let mut specs = Vec::new();
        for taps in padded.into_iter().chain(others) {
            // More inputs are staged in several chunks.
            for inputs in CHANNELS.into_iter().filter(|inputs| *inputs <= MAX_CHUNK) {
                for outputs in CHANNELS {
                    specs.extend(BOTH.map(|pool| StepSpec {
                        taps,
                        inputs,
                        outputs,
                        instance: false,
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
                    let [height, width] = map.map(|side| spec.taps.output(side));
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
