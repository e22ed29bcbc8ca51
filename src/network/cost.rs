//! What a network costs: its parameters and multiply-adds, counted from the configuration alone.

use super::config::{Edition, FACE_SIZE, Head, NetworkConfig, Variant};
use crate::painter::network;

/// Size and work of a network.
///
/// Multiply-adds are those of convolutions, transposed convolutions (input pixels times kernel)
/// and linear layers; norms, gates and activations come on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Trained values: weights, biases and the norms' scales and shifts.
    pub parameters: u64,
    /// Multiply-adds of recognising one face.
    pub encoder_macs: u64,
    /// Multiply-adds of synthesising it for one target; 0 where the network does not.
    pub decoder_macs: u64,
    /// Multiply-adds of painting its mouth; 0 where there is no painter.
    pub painter_macs: u64,
}

impl Cost {
    /// Counts a network of a validated configuration.
    pub fn of(config: &NetworkConfig) -> Self {
        let (encoder, decoder) = match config.edition {
            Edition::Paper2020 => (encoder_2020(config), decoder_2020(config)),
            Edition::Release2021 => (encoder_2021(config), decoder_2021(config)),
        };
        let decoder = if config.synthesises() {
            decoder
        } else {
            Tally::default()
        };
        let (painter, painter_macs) = config.painter.map_or((0, 0), network::cost);
        Self {
            parameters: encoder.parameters + decoder.parameters + painter,
            encoder_macs: encoder.macs,
            decoder_macs: decoder.macs,
            painter_macs,
        }
    }
}

/// Running sums over layers.
#[derive(Default)]
struct Tally {
    parameters: u64,
    macs: u64,
}

impl Tally {
    /// `pixels`: of the output for a convolution, of the input for a transposed one, 1 for linear.
    fn layer(&mut self, inputs: usize, outputs: usize, kernel: usize, bias: bool, pixels: usize) {
        let weights = inputs as u64 * outputs as u64 * (kernel * kernel) as u64;
        self.parameters += weights + if bias { outputs as u64 } else { 0 };
        self.macs += weights * pixels as u64;
    }

    /// A convolution on a square map, `side` pixels wide.
    fn conv(&mut self, inputs: usize, outputs: usize, kernel: usize, bias: bool, side: usize) {
        self.layer(inputs, outputs, kernel, bias, side * side);
    }

    fn linear(&mut self, inputs: usize, outputs: usize) {
        self.layer(inputs, outputs, 1, true, 1);
    }

    fn batch_norm(&mut self, channels: usize) {
        self.parameters += 2 * channels as u64;
    }

    /// Both directions of a ConvFLU pair: W_r and W_z on 2C channels, U and W on C.
    fn pair(&mut self, channels: usize, kernel: usize, side: usize) {
        for _direction in 0..2 {
            self.conv(6 * channels, channels, kernel, false, side);
        }
    }
}

fn encoder_2020(config: &NetworkConfig) -> Tally {
    let c = config.width;
    let mut tally = Tally::default();
    let block = |tally: &mut Tally, inputs: usize, side: usize| {
        tally.conv(inputs, c, 3, true, side);
        tally.conv(c, c, 3, true, side);
        tally.batch_norm(c);
        tally.batch_norm(c);
    };
    let branches = if config.variant == Variant::Fersnet {
        2
    } else {
        1
    };
    block(&mut tally, config.channels, FACE_SIZE);
    for level in 0..4 {
        let side = FACE_SIZE >> (level + 1); // before the block's pooling
        for _branch in 0..branches {
            block(&mut tally, c, side);
        }
        if level < config.pairs() {
            let before = tally.parameters;
            tally.pair(c, 3, side / 2);
            if config.tied_pairs && level > 0 {
                tally.parameters = before; // the same weights again
            }
        }
    }
    tally.conv(c, c, 3, true, 1);
    tally.batch_norm(c);
    tally.linear(c, config.classes.len());
    if !config.controls.is_empty() {
        tally.linear(c, config.controls.len());
    }
    tally
}

fn decoder_2020(config: &NetworkConfig) -> Tally {
    let (c, m) = (config.width, 2 * config.width);
    let mut tally = Tally::default();
    tally.linear(config.target_width(), m);
    tally.layer(m, m, 3, false, 1);
    tally.batch_norm(m);
    tally.conv(m, m, 1, false, 3);
    tally.conv(c + m, m, 3, true, 3);
    tally.batch_norm(m);
    let outputs = config.head.channels(config.channels);
    let widths = [m, m, c, c / 2, c / 4, outputs];
    for step in 0..5 {
        let (input, output, side) = (widths[step], widths[step + 1], 3 << step);
        tally.layer(input, input, 2, true, side * side);
        tally.conv(input, input, 3, true, 2 * side);
        tally.batch_norm(input);
        let mut last_input = input;
        if step == 4 && config.head == Head::Blend {
            tally.conv(config.channels, input, 3, true, FACE_SIZE);
            last_input += input;
        }
        tally.conv(last_input, output, 3, true, 2 * side);
        if step < 4 {
            tally.batch_norm(output);
        }
    }
    tally
}

fn encoder_2021(config: &NetworkConfig) -> Tally {
    let n = config.width;
    let two_branches = config.variant == Variant::Fersnet;
    let mut tally = Tally::default();
    tally.conv(config.channels, n, 3, true, FACE_SIZE);
    tally.batch_norm(n);
    let residual = |tally: &mut Tally, inputs: usize, outputs: usize, norms: bool, side: usize| {
        tally.conv(inputs, outputs, 3, false, side);
        tally.conv(outputs, outputs, 3, false, side);
        if inputs != outputs {
            tally.conv(inputs, outputs, 1, false, side);
        }
        if norms {
            tally.batch_norm(outputs);
            tally.batch_norm(outputs);
        }
    };
    for level in 0..3 {
        let (inputs, outputs, side) = (n << level, n << (level + 1), FACE_SIZE >> (level + 1));
        residual(&mut tally, inputs, outputs, true, side);
        if two_branches {
            residual(&mut tally, inputs, outputs, false, side);
            tally.pair(outputs, 1, side / 2);
        }
    }
    let joint = if two_branches { 16 * n } else { 8 * n };
    residual(&mut tally, joint, joint, true, 6);
    tally.conv(8 * n, 8 * n, 3, true, 3);
    tally.batch_norm(8 * n);
    tally.linear(8 * n, config.classes.len());
    if !config.controls.is_empty() {
        tally.linear(8 * n, config.controls.len());
    }
    tally
}

fn decoder_2021(config: &NetworkConfig) -> Tally {
    let (n, e) = (config.width, config.target_width());
    let mut tally = Tally::default();
    tally.linear(e, 2 * 8 * n);
    // Transposed convolution in and out, width of the skip, after the first and second convolution.
    let steps = [
        [8 * n, 8 * n, 8 * n, 8 * n, 8 * n],
        [8 * n, 4 * n, 4 * n, 8 * n, 4 * n],
        [4 * n, 2 * n, 2 * n, 4 * n, 2 * n],
        [2 * n, n, n, 2 * n, 2 * n],
        [2 * n, n, 0, n, n],
    ];
    for (step, [input, up, skip, mid, output]) in steps.into_iter().enumerate() {
        let side = 3 << step;
        tally.layer(input, up, 4, false, side * side);
        if skip > 0 {
            tally.linear(e, 2 * skip);
        }
        tally.conv(up + skip, mid, 3, true, 2 * side);
        tally.conv(mid, output, 3, true, 2 * side);
    }
    let outputs = config.head.channels(config.channels);
    let mut last_input = n;
    if config.head == Head::Blend {
        tally.conv(config.channels, n, 3, true, FACE_SIZE);
        last_input += n;
    }
    tally.conv(last_input, outputs, 3, true, FACE_SIZE);
    tally
}
