//! Limits that every WebGPU adapter grants.

/// Workgroup memory, in bytes.
pub const WORKGROUP_BYTES: usize = 16 * 1024;
/// Workgroups along one axis of a dispatch.
pub const MAX_GROUPS: usize = 65_535;
/// The largest storage buffer, in bytes.
pub const MAX_BUFFER_BYTES: usize = 128 * 1024 * 1024;

/// Whether a buffer of so many f32 can be bound on every adapter.
pub fn fits_buffer(numbers: usize) -> bool {
    numbers * size_of::<f32>() <= MAX_BUFFER_BYTES
}
