//! The page's side (wasm): what www/api/worker.js calls.
//!
//! - `webgpu`: the GPU as a device, and what becomes of it (feature `gpu`: the page's other program has none).
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
#[cfg(feature = "gpu")]
mod webgpu;

pub use engine::Engine;
#[cfg(feature = "bench")]
pub use measure::{MeasuredNetwork, MeasuredPair, kernel_launches};
pub use open_picture::OpenPicture;
#[cfg(feature = "gpu")]
pub use webgpu::init_webgpu;
