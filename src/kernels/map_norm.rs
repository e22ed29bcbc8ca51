//! Launches shaders/map_norm.wgsl: instance norm with what follows it.

use burn::backend::wgpu::SourceTemplate;
use bytemuck::{Pod, Zeroable};

use super::conv_step::activation_source;
use super::launch::{Shader, if_wanted};
use super::step::{Activation, NORM_EPSILON};

/// Threads of a workgroup, for small maps too: a variant for each size would have to be compiled,
/// which costs far more than a few idle threads.
const THREADS: usize = 64;

/// What follows the norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum After {
    /// The activation alone.
    Nothing,
    /// gamma and beta.
    Style,
    /// A shortcut.
    Shortcut,
}

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Sizes {
    pub channels: u32,
    pub pixels: u32,
    pub x_stride: u32,
    pub x_first: u32,
    pub first: u32,
    pub out_channels: u32,
    pub row: u32,
    pub classes: u32,
}

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct MapNorm {
    aligned: bool,
    after: After,
    activation: Activation,
    pool: bool,
}

impl MapNorm {
    /// The variant for maps of a height and width.
    pub(super) fn new(
        [height, width]: [usize; 2],
        after: After,
        activation: Activation,
        pool: bool,
    ) -> Self {
        // Four pixels at a time; the max-pool needs them in one row.
        let aligned = if pool { width } else { height * width }.is_multiple_of(4);
        Self {
            aligned,
            after,
            activation,
            pool,
        }
    }

    /// Pixels of a map or of a row, in the kernel's units.
    pub(super) fn pixels(self, count: usize) -> usize {
        if self.aligned { count / 4 } else { count }
    }
}

impl Shader for MapNorm {
    type Sizes = Sizes;

    fn threads(self) -> usize {
        THREADS
    }

    fn source(self) -> SourceTemplate {
        let (pixel, total) = if self.aligned {
            ("vec4<f32>", "dot(v, vec4<f32>(1.0))")
        } else {
            ("f32", "v")
        };
        let (out_pixel, across, larger_across) = match (self.pool, self.aligned) {
            (false, _) => (pixel, "1", ""),
            (true, true) => ("vec2<f32>", "1", "max(v.xz, v.yw)"),
            (true, false) => ("f32", "2", "max(v, larger_of_column(map, at + 1u))"),
        };
        SourceTemplate::new(include_str!("../../shaders/map_norm.wgsl"))
            .register("pixel", pixel)
            .register("out_pixel", out_pixel)
            .register("across", across)
            .register("larger_across", larger_across)
            .register("total", total)
            .register("epsilon", format!("{NORM_EPSILON:?}"))
            .register("activation", activation_source(self.activation, "Pixel"))
            .register("if_style", if_wanted(self.after == After::Style))
            .register("if_shortcut", if_wanted(self.after == After::Shortcut))
            .register("if_map", if_wanted(!self.pool))
            .register("if_pool", if_wanted(self.pool))
    }

    #[cfg(test)]
    fn variants() -> Vec<Self> {
        use super::shader_check::BOTH;
        let activations = [Activation::None, Activation::Relu, Activation::Leaky];
        let mut variants = Vec::new();
        for after in [After::Nothing, After::Style, After::Shortcut] {
            for activation in activations {
                for map in [[8, 8], [7, 5]] {
                    variants.extend(BOTH.map(|pool| Self::new(map, after, activation, pool)));
                }
            }
        }
        variants
    }
}
