//! The page's side (wasm): what www/api/worker.js calls.
//!
//! - [`init_webgpu`]: the device, and what becomes of it.
//! - [`Engine`]: the network on a device.
//! - [`OpenPicture`]: one picture, its faces, what was recognised in them and synthesised of them.
//! - `measure`: the network alone, for the benches (feature `bench`, not in the page).
//! - [`error`]: an error's way to JavaScript.
//!
//! Everything here is thin: the work is done by the modules that the command line uses too.

mod device;
mod engine;
pub mod error;
#[cfg(feature = "bench")]
mod measure;
mod open_picture;

pub use device::init_webgpu;
pub use engine::Engine;
#[cfg(feature = "bench")]
pub use measure::{MeasuredNetwork, MeasuredPair, kernel_launches};
pub use open_picture::OpenPicture;
