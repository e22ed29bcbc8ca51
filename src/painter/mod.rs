//! The mouth painter: a small U-Net that paints the inside of an opened mouth at the photo's resolution.
//!
//! The main network says where the mouth opens (its cavity map), and moves and shades the photo around
//! it. [`crop`] places a frame on the map and reads that photo and the map in it, `own` says where the photo's own teeth
//! stay, [`tones`] measures the light of the scene, [`mod@prepare`] makes the network's inputs of both, in training and in inference
//! alike, [`network`] answers with a colour and a mask, and [`compose`] makes the layer that
//! [`paste`](crate::face::paste()) lays over the photo.

pub mod compose;
pub mod crop;
pub mod network;
mod own;
pub mod prepare;
mod teeth;
pub mod tones;

pub use compose::painted_mouth;
pub use crop::{MouthCrop, face_to_crop, opened};
pub use network::{InferencePainter, OUTPUTS, Painter};
pub use own::kept;
pub use prepare::{DISTANCE_CHANNEL, INPUTS, Prepared, prepare};
pub use teeth::teeth_share;
pub use tones::Tones;
