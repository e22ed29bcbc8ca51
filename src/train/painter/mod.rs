//! Training the mouth painter by itself: real mouths repaint themselves.
//!
//! [`mouths`] are the photos whose inside is marked; a [`batch`] of them is cut and varied as inference
//! would see them, a part of it [`on_network`] and a part with its `own` teeth if that is asked for; [`losses`] compare, and
//! the [`adversary`] scores; [`trainer`] takes a step, [`figures`] measures the validation mouths, and [`run`] repeats it in a folder, with [`checkpoint`] and [`sheet`].

pub mod adversary;
pub mod batch;
pub mod checkpoint;
mod complexion;
pub mod figures;
pub mod losses;
pub mod mouths;
pub mod on_network;
mod own;
pub mod run;
pub mod sheet;
mod tint;
pub mod trainer;
mod vary;

pub use run::{PainterRun, finish};
