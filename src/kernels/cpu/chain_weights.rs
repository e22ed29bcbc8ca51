//! The weights of a chain's layers, laid out for the vectors of the processor that it runs on.

use crate::kernels::spec::Window;

/// Numbers of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Everywhere.
    Four,
    /// AVX2 with fused multiply-adds.
    #[cfg(target_arch = "x86_64")]
    Eight,
    /// AVX-512.
    #[cfg(target_arch = "x86_64")]
    Sixteen,
}

impl Width {
    /// The widest that this processor has.
    pub fn widest() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if std::is_x86_feature_detected!("avx512f") {
                return Self::Sixteen;
            }
            if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
                return Self::Eight;
            }
        }
        Self::Four
    }

    /// All that this processor has.
    #[cfg(test)]
    pub fn all() -> Vec<Self> {
        match Self::widest() {
            #[cfg(target_arch = "x86_64")]
            Self::Sixteen => vec![Self::Four, Self::Eight, Self::Sixteen],
            #[cfg(target_arch = "x86_64")]
            Self::Eight => vec![Self::Four, Self::Eight],
            Self::Four => vec![Self::Four],
        }
    }

    fn lanes(self) -> usize {
        match self {
            Self::Four => 4,
            #[cfg(target_arch = "x86_64")]
            Self::Eight => 8,
            #[cfg(target_arch = "x86_64")]
            Self::Sixteen => 16,
        }
    }

    /// Output channels of a tile for a layer of so many: three vectors where they come out even, else two;
    /// one where that holds them all.
    fn block(self, outputs: usize) -> usize {
        let lanes = self.lanes();
        match outputs {
            _ if outputs <= lanes => lanes,
            _ if outputs.is_multiple_of(3 * lanes) => 3 * lanes,
            _ => 2 * lanes,
        }
    }
}

/// What a layer does before its sum over all input channels.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Nothing: the sum is over the window, too.
    Dense,
    /// A window of 3 x 3 within each channel.
    Separable {
        /// `[9, inputs]`.
        depthwise: Vec<f32>,
        /// Whether the layer's input is added to its output.
        shortcut: bool,
    },
}

/// The weights of a layer as they come.
pub struct LayerWeights {
    /// `[outputs, inputs, side, side]`; of a separable layer `[outputs, inputs]`.
    pub weight: Vec<f32>,
    /// `[outputs]`.
    pub bias: Vec<f32>,
    /// What a value below 0 is multiplied by: `[outputs]`.
    pub slopes: Vec<f32>,
    /// Input channels.
    pub inputs: usize,
    pub window: Window,
    /// `[inputs, 3, 3]` and whether there is a shortcut, of a separable layer.
    pub depthwise: Option<(Vec<f32>, bool)>,
}

/// A layer as the kernel takes it.
#[derive(Debug, Clone)]
pub struct PreparedLayer {
    pub kind: Kind,
    pub window: Window,
    pub width: Width,
    /// Output channels.
    pub channels: usize,
    /// Input and output channels as they are stored: filled up with zeros.
    pub inputs: usize,
    pub outputs: usize,
    /// Output channels of a tile.
    pub block: usize,
    /// Numbers that are summed for an output.
    pub taps: usize,
    /// By block of outputs `[taps, block]`.
    pub weights: Vec<f32>,
    /// `[outputs]`.
    pub bias: Vec<f32>,
    /// `[outputs]`.
    pub slopes: Vec<f32>,
}

impl PreparedLayer {
    /// The layer after one that stores so many channels; the first of a chain after none.
    pub fn new(layer: &LayerWeights, stored: Option<usize>, width: Width) -> Self {
        let (count, inputs) = (layer.bias.len(), layer.inputs);
        let stored = stored.unwrap_or(match layer.depthwise {
            Some(_) => inputs.next_multiple_of(width.lanes()),
            None => inputs,
        });
        let block = width.block(count);
        let outputs = count.next_multiple_of(block);
        let side = if layer.depthwise.is_some() {
            1
        } else {
            layer.window.side
        };
        // A dense layer's window reads whole pixels, with what fills them up.
        let read = if side == 1 { inputs } else { stored };
        let taps = side * side * read;
        let mut weights = vec![0.0; outputs * taps];
        for output in 0..count {
            let to = &mut weights[output / block * taps * block..][output % block..];
            for input in 0..inputs {
                for place in 0..side * side {
                    let from = (output * inputs + input) * side * side + place;
                    to[(place * read + input) * block] = layer.weight[from];
                }
            }
        }
        let filled = |values: &[f32]| {
            let mut values = values.to_vec();
            values.resize(outputs, 0.0);
            values
        };
        let kind = match &layer.depthwise {
            None => Kind::Dense,
            Some((taps, shortcut)) => {
                let mut depthwise = vec![0.0; 9 * stored];
                for (channel, taps) in taps.chunks_exact(9).enumerate() {
                    for (tap, value) in taps.iter().enumerate() {
                        depthwise[tap * stored + channel] = *value;
                    }
                }
                Kind::Separable {
                    depthwise,
                    shortcut: *shortcut,
                }
            }
        };
        Self {
            kind,
            window: layer.window,
            width,
            channels: count,
            inputs: stored,
            outputs,
            block,
            taps,
            weights,
            bias: filled(&layer.bias),
            slopes: filled(&layer.slopes),
        }
    }
}
