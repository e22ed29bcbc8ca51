//! An error's way to JavaScript: its text, and the code of its class in www/api/errors.js.

use wasm_bindgen::JsValue;

use crate::face::FaceError;
use crate::mark::MarkError;
use crate::picture::PictureError;
use crate::pipeline::PipelineError;
use crate::target::TargetError;

/// An error that JavaScript can tell apart.
pub trait Coded: std::fmt::Display {
    /// The code of the error's class in www/api/errors.js.
    fn code(&self) -> &'static str;
}

impl Coded for PictureError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "picture-empty",
            Self::UnknownFormat { .. } => "picture-format",
            Self::TooManyPixels { .. } | Self::FileTooLarge { .. } => "picture-too-large",
            Self::Truncated { .. } => "picture-truncated",
            Self::Malformed { .. } => "picture-damaged",
            Self::Unsupported { .. } => "picture-unsupported",
        }
    }
}

impl Coded for PipelineError {
    fn code(&self) -> &'static str {
        match self {
            Self::Weights(_) => "weights-damaged",
            Self::Face(error) => error.code(),
            Self::Device(_) | Self::Graph(_) => "device-lost",
            Self::NoSynthesis => "cannot-redraw",
            Self::Target(error) => error.code(),
            _ => "internal",
        }
    }
}

impl Coded for TargetError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "expression-unknown",
            _ => "target-weight",
        }
    }
}

impl Coded for FaceError {
    fn code(&self) -> &'static str {
        match self {
            Self::Weights { .. } => "weights-damaged",
            Self::Run { .. } => "internal",
        }
    }
}

impl Coded for MarkError {
    fn code(&self) -> &'static str {
        "internal"
    }
}

/// A face, or a synthesised one, that the picture has not got: a mistake of the caller.
#[derive(Debug, thiserror::Error)]
#[error("there is no such face in this picture, or it was not recognised or synthesised yet")]
pub struct NoSuchFace;

impl Coded for NoSuchFace {
    fn code(&self) -> &'static str {
        "internal"
    }
}

/// The error as a JavaScript `Error` with a `code`.
pub fn js_error(error: impl Coded) -> JsValue {
    coded_error(&sentence(&error.to_string()), error.code())
}

/// An `Error` with a text and a `code`.
pub fn coded_error(message: &str, code: &str) -> JsValue {
    let value = js_sys::Error::new(message);
    // Setting a property of a fresh object does not fail; without a code it would still be read.
    let _ = js_sys::Reflect::set(&value, &"code".into(), &code.into());
    value.into()
}

/// Errors begin small, as Rust's do; the page shows sentences.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    let end = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}
