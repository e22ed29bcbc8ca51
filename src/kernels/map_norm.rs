//! Launches shaders/map_norm.wgsl: instance norm with what follows it.

use burn::backend::wgpu::{KernelSource, SourceTemplate};
use burn::cubecl::prelude::KernelId;

use super::READ;
use super::conv_step::{activation_source, if_wanted};
use super::step::{Activation, NORM_EPSILON};

/// Threads of a workgroup, at most.
const MAX_THREADS: usize = 64;

/// What follows the norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum After {
    /// The activation alone.
    Nothing,
    /// gamma and beta.
    Affine,
    /// A shortcut.
    Shortcut,
}

/// The kernel's variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct MapNorm {
    aligned: bool,
    threads: usize,
    after: After,
    activation: Activation,
}

impl MapNorm {
    /// The variant for maps of `map` pixels.
    pub(super) fn new(map: usize, after: After, activation: Activation) -> Self {
        let aligned = map.is_multiple_of(4);
        let pixels = if aligned { map / 4 } else { map };
        Self {
            aligned,
            threads: pixels.next_multiple_of(8).min(MAX_THREADS),
            after,
            activation,
        }
    }

    pub(super) fn threads(self) -> usize {
        self.threads
    }

    /// Pixels of a map, in the kernel's units.
    pub(super) fn pixels(self, map: usize) -> usize {
        if self.aligned { map / 4 } else { map }
    }
}

impl KernelSource for MapNorm {
    fn source(&self) -> SourceTemplate {
        let (pixel, total) = if self.aligned {
            ("vec4<f32>", "dot(v, vec4<f32>(1.0))")
        } else {
            ("f32", "v")
        };
        let alone = self.after == After::Nothing;
        SourceTemplate::new(include_str!("../../shaders/map_norm.wgsl"))
            .register("pixel", pixel)
            .register("total", total)
            .register("threads", self.threads.to_string())
            .register("epsilon", format!("{NORM_EPSILON:?}"))
            .register("read", READ)
            .register("activation", activation_source(self.activation, "Pixel"))
            .register("sizes_binding", if alone { "2" } else { "3" })
            .register("if_affine", if_wanted(self.after == After::Affine))
            .register("if_shortcut", if_wanted(self.after == After::Shortcut))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(*self)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}
