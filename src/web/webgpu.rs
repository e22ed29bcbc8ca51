//! WebGPU as the page's device: started once, and watched.

use std::cell::RefCell;

use burn::tensor::Device;
use burn::tensor::wgpu::{WgpuInitError, wgpu};
use js_sys::Reflect;
use wasm_bindgen::prelude::*;

use super::error::{Coded, coded_error, js_error};

#[wasm_bindgen]
extern "C" {
    /// Treats an error as an uncaught exception: the `error` event tells of it.
    #[wasm_bindgen(js_name = reportError)]
    fn report_error(error: &JsValue);
}

thread_local! {
    /// Burn's WebGPU runtime can be started once.
    static WEBGPU: RefCell<Option<Device>> = const { RefCell::new(None) };
}

/// Starts Burn on WebGPU; the second time it does nothing.
///
/// A device that is lost or refuses a step later on is reported as an uncaught error with the code
/// `device-lost`: no promise may be waiting for it.
///
/// # Errors
/// A JavaScript error with the code `device-missing` when there is no adapter or device.
#[wasm_bindgen]
pub async fn init_webgpu() -> Result<(), JsValue> {
    if WEBGPU.with_borrow(Option::is_some) {
        return Ok(());
    }
    let options = Device::wgpu_options();
    let (device, setup) = options.init_with_setup_async().await.map_err(js_error)?;
    watch(&setup.device);
    WEBGPU.set(Some(device));
    Ok(())
}

/// The device, once it was started.
pub(super) fn started() -> Option<Device> {
    WEBGPU.with_borrow(Clone::clone)
}

impl Coded for WgpuInitError {
    fn code(&self) -> &'static str {
        "device-missing"
    }
}

/// Reports the device's loss and the errors that its steps raise.
fn watch(device: &wgpu::Device) {
    // In a browser this stands beside Burn's own callback, which makes later readbacks fail.
    device.set_device_lost_callback(|reason, _| {
        if reason != wgpu::DeviceLostReason::Destroyed {
            report_lost(
                "The graphics device was lost (switched off, reset or short of memory): start \
                 again, or use the CPU with ?device=cpu.",
            );
        }
    });
    // wgpu 30's `on_uncaptured_error` sets this attribute too, but panics before it calls the
    // handler when the error is a GPUInternalError, which is how a browser reports a pipeline that
    // the driver cannot compile. Setting it replaces Burn's handler, which panics on every error.
    let Some(device) = device.as_webgpu() else {
        return;
    };
    let refused = Closure::<dyn FnMut(JsValue)>::new(|event| {
        let reason = message_of(&event).unwrap_or_else(|| "no reason given".into());
        report_lost(&format!(
            "The graphics device refused a step ({reason}): use the CPU with ?device=cpu."
        ));
    });
    device.set_onuncapturederror(Some(refused.as_ref().unchecked_ref()));
    refused.forget(); // the device lives as long as the program
}

fn report_lost(message: &str) {
    report_error(&coded_error(message, "device-lost"));
}

/// What the error of a GPUUncapturedErrorEvent says.
fn message_of(event: &JsValue) -> Option<String> {
    let error = Reflect::get(event, &"error".into()).ok()?;
    Reflect::get(&error, &"message".into()).ok()?.as_string()
}
