//! Where a layer of the face detector's chains reads: how a window moves over the map.

/// A square window that moves over a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its side.
    pub side: usize,
    /// Pixels from one place to the next.
    pub stride: usize,
    /// Zeros above and left of the map.
    pub before: usize,
    /// Zeros below and right of it.
    pub after: usize,
}

impl Window {
    /// Places along a map of this length; none where it does not fit.
    pub fn places(&self, length: usize) -> usize {
        let room = (length + self.before + self.after).checked_sub(self.side);
        room.map_or(0, |room| room / self.stride + 1)
    }
}
