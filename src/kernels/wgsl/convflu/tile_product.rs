//! Launches shaders/shared/tile_product.wgsl: convolutions over tiles of maps, each with a head of its own
//! that says what is read and what becomes of the sums.

use burn::backend::wgpu::SourceTemplate;
use bytemuck::{Pod, Zeroable};

use super::with_gates;
use crate::kernels::spec::{GateConvention, WORKGROUP_BYTES};
use crate::kernels::wgsl::shader::{Shader, u32s};
use crate::kernels::wgsl::tiling::{equal_part, span, tile_width, tiles};

/// Quads of output channels of a workgroup, at most.
const MAX_QUAD_ROWS: usize = 8;
/// Input channels staged at a time, at most.
const MAX_CHUNK: usize = 8;

/// What is multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Product {
    /// W and what leaked in: the second of the two passes of a pair.
    Candidate(GateConvention),
    /// The gradient through W to r and to the branch that is read.
    #[cfg(feature = "native")]
    GradLeak,
    /// The gradients through U, W_z and W_r to both branches.
    #[cfg(feature = "native")]
    GradInputs,
}

impl Product {
    #[cfg(test)]
    fn all() -> Vec<Self> {
        let mut all = GateConvention::ALL.map(Self::Candidate).to_vec();
        #[cfg(feature = "native")]
        all.extend([Self::GradLeak, Self::GradInputs]);
        all
    }

    fn head(self) -> SourceTemplate {
        match self {
            Self::Candidate(convention) => {
                let shader = include_str!("../../../../shaders/convflu_candidate.wgsl");
                with_gates(shader, convention)
            }
            #[cfg(feature = "native")]
            Self::GradLeak => {
                SourceTemplate::new(include_str!("../../../../shaders/convflu_grad_leak.wgsl"))
            }
            #[cfg(feature = "native")]
            Self::GradInputs => {
                SourceTemplate::new(include_str!("../../../../shaders/convflu_grad_inputs.wgsl"))
            }
        }
    }

    /// Products of one dispatch.
    fn parts(self) -> usize {
        match self {
            Self::Candidate(_) => 2,
            #[cfg(feature = "native")]
            Self::GradLeak => 1,
            #[cfg(feature = "native")]
            Self::GradInputs => 2,
        }
    }
}

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sizes {
    pub batch: u32,
    pub channels: u32,
    pub height: u32,
    pub width: u32,
    pub r: u32,
}

impl Sizes {
    /// Of maps `[batch, channels, height, width]`.
    pub fn new(map: [usize; 4]) -> Self {
        let [batch, channels, height, width] = u32s(map);
        Self {
            batch,
            channels,
            height,
            width,
            r: 0,
        }
    }
}

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileProduct {
    product: Product,
    side: usize,
    quad_rows: usize,
    tile_width: usize,
}

impl TileProduct {
    /// The variant for square kernels of `side` over maps `[batch, channels, height, width]`.
    pub fn new(product: Product, side: usize, map: [usize; 4]) -> Self {
        let [_, channels, _, width] = map;
        Self {
            product,
            side,
            quad_rows: equal_part(channels.div_ceil(4), MAX_QUAD_ROWS),
            tile_width: tile_width(width, side),
        }
    }

    /// For `[batch, channels, height, width]`.
    pub fn groups(self, [batch, channels, height, width]: [usize; 4]) -> [usize; 3] {
        let tiles = tiles(height, width, self.tile_width);
        let rows = channels.div_ceil(4 * self.quad_rows);
        [tiles, rows, self.product.parts() * batch]
    }
}

impl Shader for TileProduct {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        self.tile_width * self.quad_rows
    }

    fn source(self) -> SourceTemplate {
        let taps = self.side * self.side;
        let span = span(self.tile_width, self.side);
        let bytes = taps * self.quad_rows * 16 + span * size_of::<f32>();
        let chunk = (WORKGROUP_BYTES / bytes).min(MAX_CHUNK);
        let head = self.product.head();
        head.add_template(include_str!("../../../../shaders/shared/tile_product.wgsl"))
            .register("tile_w", self.tile_width.to_string())
            .register("quad_rows", self.quad_rows.to_string())
            .register("chunk", chunk.to_string())
            .register("halo", (self.side / 2).to_string())
            .register("side", self.side.to_string())
            .register("parts", self.product.parts().to_string())
            .register("tile", (chunk * span).to_string())
            .register("staged", (chunk * taps * self.quad_rows).to_string())
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        use crate::kernels::wgsl::check::SIDES;
        let mut variants = Vec::new();
        for product in Product::all() {
            for side in [1, 3] {
                // More channels are taken in equal parts of at most so many.
                for channels in 1..=4 * MAX_QUAD_ROWS {
                    let of = |width| Self::new(product, side, [1, channels, 4, width]);
                    variants.extend(SIDES.map(of));
                }
            }
        }
        variants
    }
}
