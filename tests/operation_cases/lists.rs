//! The fused convolutions that are tried on both routes.

use fersnet::kernels::Activation;

use super::{ACTIVATIONS, Case, KINDS, Kind, NormKind};

const NORMS: [NormKind; 3] = [NormKind::None, NormKind::Instance, NormKind::Batch];

/// Every convolution with every norm and activation.
pub fn all_kinds() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in KINDS {
        for norm in NORMS {
            for activation in ACTIVATIONS {
                cases.extend([false, true].map(|shortcut| Case {
                    kind,
                    channels: [5, 7],
                    shape: [2, 7, 5],
                    norm,
                    activation,
                    shortcut,
                    pooled: false,
                }));
            }
        }
    }
    cases
}

/// The widths and maps of both editions.
pub fn editions() -> Vec<Case> {
    // A convolution of the largest case has as many products as the CPU does in a moment.
    const MOST: usize = 24 * 48 * 24 * 24 * 8;
    let mut cases = Vec::new();
    for kind in [KINDS[0], KINDS[3], KINDS[4], KINDS[5]] {
        for channels in [[1, 12], [3, 12], [12, 6], [12, 24], [48, 16], [96, 96]] {
            for size in [48, 24, 12, 6, 3] {
                for batch in [1, 8] {
                    if channels[0] * channels[1] * size * size * batch > MOST {
                        continue;
                    }
                    cases.push(Case {
                        kind,
                        channels,
                        shape: [batch, size, size],
                        norm: NormKind::Batch,
                        activation: Activation::Relu,
                        shortcut: false,
                        pooled: false,
                    });
                }
            }
        }
    }
    cases
}

/// Channels and maps that fill no workgroup of the GPU's kernels and no tile of the CPU's.
pub fn odd_shapes() -> Vec<Case> {
    const MAPS: [[usize; 2]; 10] = [
        [1, 1],
        [7, 3],
        [35, 9],
        [1, 70],
        [3, 3],
        [3, 12],
        [9, 35],
        [4, 24],
        [5, 17],
        [3, 70],
    ];
    let mut cases = Vec::new();
    for kind in KINDS {
        for channels in [[1, 1], [5, 3], [3, 12], [12, 6], [13, 33]] {
            for [height, width] in MAPS {
                // Without padding, 3x3 needs as many pixels.
                if matches!(kind, Kind::Plain(3, 0)) && height.min(width) < 3 {
                    continue;
                }
                cases.push(Case {
                    kind,
                    channels,
                    shape: [3, height, width],
                    norm: NormKind::Batch,
                    activation: Activation::Leaky,
                    shortcut: true,
                    pooled: false,
                });
            }
        }
    }
    cases
}

/// Fused convolutions that end in a max-pool.
pub fn pooled() -> Vec<Case> {
    let mut cases = Vec::new();
    for norm in NORMS {
        for [height, width] in [[2, 2], [7, 5], [5, 8], [12, 12], [33, 40]] {
            cases.extend([false, true].map(|shortcut| Case {
                kind: KINDS[0],
                channels: [3, 10],
                shape: [2, height, width],
                norm,
                activation: Activation::Relu,
                shortcut,
                pooled: true,
            }));
        }
    }
    cases
}
