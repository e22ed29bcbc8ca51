//! How many kernels ran.

use std::sync::atomic::{AtomicUsize, Ordering};

static LAUNCHES: AtomicUsize = AtomicUsize::new(0);

/// How many kernels, in WGSL or on the CPU, this process has launched, alone or in a captured graph:
/// tells a test or a bench which path was taken.
pub fn launches() -> usize {
    LAUNCHES.load(Ordering::Relaxed)
}

pub(super) fn count_launches(more: usize) {
    LAUNCHES.fetch_add(more, Ordering::Relaxed);
}
