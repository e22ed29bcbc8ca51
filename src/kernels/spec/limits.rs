//! Limits that every WebGPU adapter grants.

/// Workgroup memory, in bytes.
#[cfg(feature = "gpu")]
pub const WORKGROUP_BYTES: usize = 16 * 1024;
/// Workgroups along one axis of a dispatch.
pub const MAX_GROUPS: usize = 65_535;
/// The largest storage buffer, in bytes.
pub const MAX_BUFFER_BYTES: usize = 128 * 1024 * 1024;

/// Threads of a workgroup where each takes one number or pixel of an image.
pub const ELEMENT_THREADS: usize = 64;

/// Whether a buffer of so many f32 can be bound on every adapter.
pub fn fits_buffer(numbers: usize) -> bool {
    numbers * size_of::<f32>() <= MAX_BUFFER_BYTES
}

/// Whether a thread for each of so many numbers of so many images can be dispatched on every adapter.
pub fn fits_dispatch(numbers: usize, images: usize) -> bool {
    [images, numbers.div_ceil(ELEMENT_THREADS)]
        .iter()
        .all(|groups| *groups <= MAX_GROUPS)
}
