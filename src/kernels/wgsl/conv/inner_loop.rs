//! The lines of shaders/conv.wgsl that depend on the kind of convolution: the inner loop, and what is
//! done with its sums. They have no branch and no index.

use super::shader::Conv;
use crate::kernels::spec::{Activation, ConvKind, LEAKY_SLOPE};

/// Which inputs reach which outputs.
impl ConvKind {
    /// The WGSL of [`output`](Self::output) for the height.
    pub fn output_source(self) -> String {
        match self {
            Self::Conv3x3 { padding } => format!("sizes.height + {}u - 2u", 2 * padding),
            Self::Conv1x1 => "sizes.height".to_owned(),
            Self::Transposed2x2 | Self::Transposed4x4 => "2u * sizes.height".to_owned(),
        }
    }

    /// Pixels of a cell of the tile: neighbouring threads read neighbouring cells.
    pub fn cell(self) -> usize {
        match self {
            Self::Conv3x3 { .. } | Self::Conv1x1 => 2,
            Self::Transposed2x2 | Self::Transposed4x4 => 1,
        }
    }

    /// Rows (and columns) of inputs before a block's own.
    pub fn pad(self) -> usize {
        match self {
            Self::Conv3x3 { padding } => padding,
            Self::Conv1x1 | Self::Transposed2x2 => 0,
            Self::Transposed4x4 => 1,
        }
    }

    /// Rows (or columns) of inputs that so many blocks read.
    pub fn window(self, blocks: usize) -> usize {
        match self {
            Self::Conv3x3 { .. } => 2 * blocks + 2,
            Self::Conv1x1 => 2 * blocks,
            Self::Transposed2x2 => blocks,
            Self::Transposed4x4 => blocks + 2,
        }
    }

    /// The row (or column) of a block's window from which a tap's row (or column) reaches the
    /// block's pixel 0 or 1; none where it does not.
    pub fn reads(self, tap: usize, pixel: usize) -> Option<usize> {
        match self {
            Self::Conv3x3 { .. } | Self::Conv1x1 => Some(pixel + tap),
            Self::Transposed2x2 => (tap == pixel).then_some(0),
            // Pixel 0 takes taps 3 and 1 from the input before and its own, pixel 1 takes 2 and 0
            // from its own and the next.
            Self::Transposed4x4 => match (pixel, tap) {
                (0, 3) => Some(0),
                (0, 1) | (1, 2) => Some(1),
                (1, 0) => Some(2),
                _ => None,
            },
        }
    }
}

impl Conv {
    /// Every block of sums of a thread: quad, unit.
    fn blocks(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.quads).flat_map(move |quad| (0..self.units).map(move |unit| (quad, unit)))
    }

    /// The declaration of the sums.
    pub fn zero_sums(self) -> String {
        let zero = |(quad, unit): (usize, usize)| {
            (0..4).map(move |pixel| format!("    var s{quad}_{unit}_{pixel} = vec4<f32>();"))
        };
        self.blocks().flat_map(zero).collect::<Vec<_>>().join("\n")
    }

    /// The inner loop: what one input channel adds to the sums.
    pub fn add_channel(self) -> String {
        let mut lines = self.read_window();
        let side = self.kind.side();
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
        let rows = self.kind.window(self.units);
        let cells = self.kind.window(1) / self.kind.cell();
        let read = |row: usize, cell: usize| {
            format!("let i{row}_{cell} = tile[t + {row}u * ROW_STRIDE + {cell}u];")
        };
        (0..rows)
            .flat_map(|row| (0..cells).map(move |cell| read(row, cell)))
            .collect()
    }

    /// What one tap adds to the sums of a quad.
    fn add_tap(self, [row, column]: [usize; 2], weight: &str, quad: usize) -> Vec<String> {
        let kind = self.kind;
        let from_unit_to_unit = kind.window(2) - kind.window(1);
        let mut lines = Vec::new();
        for unit in 0..self.units {
            for pixel in 0..4 {
                let read = kind
                    .reads(row, pixel / 2)
                    .zip(kind.reads(column, pixel % 2));
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
        match self.kind.cell() {
            1 => format!("i{row}_{column}"),
            _ => format!("i{row}_{}.{}", column / 2, ["x", "y"][column % 2]),
        }
    }

    /// The end of the shader: every block goes to its place.
    pub fn store_sums(self) -> String {
        let mut lines = Vec::new();
        for (quad, unit) in self.blocks() {
            let [a, b, c, d] = [0, 1, 2, 3].map(|pixel| format!("s{quad}_{unit}_{pixel}"));
            let mut sums = format!("mat4x4<f32>({a}, {b}, {c}, {d})");
            if self.splits > 1 {
                lines.push(format!("let all = over_splits(thread, {sums});"));
                lines.push("if split > 0u { return; }".to_owned());
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
pub fn activation_source(activation: Activation, pixel: &str) -> String {
    match activation {
        Activation::None => "v".to_owned(),
        Activation::Relu => format!("max(v, {pixel}(0.0))"),
        Activation::Leaky => format!("max(v, {} * v)", LEAKY_SLOPE),
    }
}
