//! The page's program for the CPU: `fersnet::web`, as wasm-bindgen exports it.

extern crate fersnet as _;

fn main() {}
