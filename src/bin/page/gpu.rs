//! The page's program that has WebGPU too: `fersnet::web`, as wasm-bindgen exports it.

extern crate fersnet as _;

fn main() {}
