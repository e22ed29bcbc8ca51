//! The page's device: WebGPU, where this program has it, or the CPU.

use burn::tensor::Device;
use wasm_bindgen::prelude::*;

use super::error::coded_error;
#[cfg(feature = "gpu")]
use super::webgpu::started;

/// WebGPU, once it was started, or the CPU.
pub(super) fn device(webgpu: bool) -> Result<Device, JsValue> {
    if !webgpu {
        return Ok(Device::flex());
    }
    started().ok_or_else(|| coded_error("WebGPU was not started.", "device-missing"))
}

#[cfg(not(feature = "gpu"))]
fn started() -> Option<Device> {
    None
}
