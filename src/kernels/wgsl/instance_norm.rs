//! Launches shaders/instance_norm.wgsl: instance norm with what follows it.

use burn::backend::wgpu::{CubeTensor, SourceTemplate};
use bytemuck::{Pod, Zeroable};

use super::conv::activation_source;
use super::shader::{Shader, dims, if_wanted, launch, u32s};
use crate::kernels::spec::{Activation, NORM_EPSILON};

/// Threads of a workgroup, for small maps too: a variant for each size would have to be compiled,
/// which costs far more than a few idle threads.
const THREADS: usize = 64;

/// What follows the norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum After {
    /// The activation alone.
    Nothing,
    /// gamma and beta.
    Style,
    /// A shortcut.
    Shortcut,
}

/// Which channels an instance norm reads and writes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    pub channels: usize,
    /// The first one in x.
    pub x_first: usize,
    /// The first one in the output.
    pub first: usize,
    /// Numbers of a target, with a style.
    pub classes: usize,
}

/// One launch; `beside` is what its variant binds after x and out.
pub fn run(
    kernel: InstanceNorm,
    x: &CubeTensor,
    beside: &[&CubeTensor],
    out: &CubeTensor,
    place: Place,
) {
    let [x_batch, x_channels, height, width] = dims(x);
    let [batch, out_channels, ..] = dims(out);
    let pixels = kernel.pixels(height * width);
    let x_stride = if x_batch == batch {
        x_channels * pixels
    } else {
        0
    };
    let tensors = [&[x, out], beside].concat();
    let groups = [place.channels, batch, 1];
    let [pixels, row, x_stride] = u32s([pixels, kernel.pixels(width), x_stride]);
    let [channels, x_first, first] = u32s([place.channels, place.x_first, place.first]);
    let [out_channels, classes] = u32s([out_channels, place.classes]);
    let sizes = Sizes {
        channels,
        pixels,
        x_stride,
        x_first,
        first,
        out_channels,
        row,
        classes,
    };
    launch(kernel, groups, &tensors, sizes);
}

/// The uniform, as in the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sizes {
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
pub struct InstanceNorm {
    aligned: bool,
    after: After,
    activation: Activation,
    pool: bool,
}

impl InstanceNorm {
    /// The variant for maps of a height and width.
    pub fn new(
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
    pub fn pixels(self, count: usize) -> usize {
        if self.aligned { count / 4 } else { count }
    }
}

impl Shader for InstanceNorm {
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
        SourceTemplate::new(include_str!("../../../shaders/instance_norm.wgsl"))
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
        use super::check::BOTH;
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
