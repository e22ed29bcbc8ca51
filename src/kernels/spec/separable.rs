//! A block of the face detector.

/// What a block computes, beside the tensors' shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeparableSpec {
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Whether the block has stride 2.
    pub halve: bool,
    /// The convolutions alone, without shortcut and activation.
    pub alone: bool,
}
