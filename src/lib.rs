//! FERSNet recognises the expression of a face and synthesises the face with another one, by one network,
//! in the browser and on the command line.
//!
//! The modules in the order of the data:
//!
//! - [`picture`]: bytes of an image file to an upright RGB picture.
//! - [`face`]: the faces in it, aligned by the eyes; and a synthesised face back into the picture.
//! - [`tensor`]: an aligned face to and from `[1, k, 96, 96]`.
//! - [`tensor_file`]: tensors in safetensors files, checked by name, type and shape.
//! - [`network`]: FERSNet in its two editions, and its weight files.
//! - [`painter`]: the inside of an opened mouth, painted at the photo's resolution.
//! - [`kernels`]: the network's operations in WGSL and on the CPU, each beside its reference implementation.
//! - [`target`]: what a synthesised face is to show, from names and weights.
//! - [`answer`]: logits to probabilities and an expression.
//! - [`explain`]: what an answer came from: the gates between the branches, and what covering the face changes.
//! - [`mark`]: what a saved synthetic face carries: a visible tag, metadata, and
//!   [`watermark`]: a mark in the pixels that is not seen; and
//!   [`claims`]: what the photo's own file said of its origin.
//! - [`check`]: whether a picture was made here, by all of these.
//! - [`animation`]: a face on its way to another expression and back, as a marked GIF.
//! - [`sheet`]: contact sheets of synthetic faces, which carry it too (native).
//! - [`pipeline`]: the whole way in one place.
//! - [`document`]: figures as plain text, Markdown or HTML (native).
//! - [`store`]: files that a command leaves behind, written whole or not at all (native).
//! - [`data`]: folders of faces in the known layouts (native).
//! - [`evaluator`]: networks of other makers that evaluate redrawn faces (native).
//! - [`evaluate`]: figures of a network on labelled faces and of the faces that it redraws (native).
//! - [`train`]: losses and runs (native).
//! - [`enlarge`]: a data set of synthetic faces that other networks read as they were meant (native).
//! - [`pairs`]: paired training data, drawn from portraits with a face model (native).
//! - [`table`]: the paper's variants over subject-independent folds (native).
//! - `web`: the page's side (wasm).
//!
//! Without the feature `gpu` all of it is for the CPU alone; only [`kernels`] and the choice of a device know.

pub mod animation;
pub mod answer;
pub mod check;
pub mod claims;
#[cfg(feature = "native")]
pub mod data;
#[cfg(feature = "native")]
pub mod document;
#[cfg(feature = "native")]
pub mod enlarge;
#[cfg(feature = "native")]
pub mod evaluate;
#[cfg(feature = "native")]
pub mod evaluator;
pub mod explain;
pub mod face;
#[cfg(feature = "native")]
mod home;
pub mod kernels;
pub mod mark;
pub mod network;
pub mod painter;
#[cfg(feature = "native")]
pub mod pairs;
pub mod picture;
pub mod pipeline;
#[cfg(feature = "native")]
pub mod sheet;
#[cfg(feature = "native")]
pub mod store;
#[cfg(feature = "native")]
pub mod table;
pub mod target;
pub mod tensor;
pub mod tensor_file;
#[cfg(feature = "native")]
pub mod train;
pub mod watermark;
#[cfg(feature = "web")]
pub mod web;
