//! The network on the page's device.

use std::rc::Rc;

use burn::tensor::Device;
use image::RgbImage;
use js_sys::Uint8ClampedArray;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::device::device;
use super::error::{coded_error, js_error};
use super::open_picture::{OpenPicture, to_object};
use crate::claims::Claims;
use crate::face::{Face, FaceDetector};
use crate::network::FACE_SIZE;
use crate::picture::{Header, Picture};
use crate::pipeline::Pipeline;
use crate::target::Target;

unsafe extern "C" {
    /// The constructors of all crates, made by the linker.
    fn __wasm_call_ctors();
}

/// Runs when the program starts: a panic is written to the console with its place.
#[wasm_bindgen(start)]
pub fn start() {
    // SAFETY: the linker's own function. Where nothing calls it, the linker has every call from
    // JavaScript run all constructors anew, thousands of them.
    unsafe { __wasm_call_ctors() };
    console_error_panic_hook::set_once();
}

/// A network that recognises expressions and synthesises others.
#[wasm_bindgen]
pub struct Engine {
    pipeline: Rc<Pipeline>,
}

#[wasm_bindgen]
impl Engine {
    /// Loads a weight file onto WebGPU (`init_webgpu` first) or the CPU, and the detector's two
    /// (`blazeface.safetensors`, `facemesh.safetensors`) onto the CPU.
    ///
    /// # Errors
    /// A JavaScript error with the code `weights-damaged` when a file is refused.
    #[wasm_bindgen(constructor)]
    pub fn new(weights: &[u8], boxes: &[u8], mesh: &[u8], webgpu: bool) -> Result<Engine, JsValue> {
        let detector = FaceDetector::from_bytes(boxes, mesh, &Device::flex()).map_err(js_error)?;
        let pipeline = Pipeline::with_detector(weights, detector, device(webgpu)?);
        let pipeline = pipeline.map_err(js_error)?;
        Ok(Self {
            pipeline: Rc::new(pipeline),
        })
    }

    /// Adds the parts of files of their own, the decoder and the mouth painter, once. Faces that were recognised
    /// before can be synthesised after it.
    ///
    /// # Errors
    /// A JavaScript error with the code `weights-damaged` when a file is refused.
    pub fn add_parts(
        &self,
        decoder: Option<Vec<u8>>,
        painter: Option<Vec<u8>>,
    ) -> Result<(), JsValue> {
        let files: Vec<&[u8]> = [&decoder, &painter]
            .into_iter()
            .flatten()
            .map(Vec::as_slice)
            .collect();
        self.pipeline.add_parts(&files).map_err(js_error)
    }

    /// Whether the decoder is in a file of its own, which has not been added yet.
    #[wasm_bindgen(getter)]
    pub fn decoder_apart(&self) -> bool {
        self.pipeline.config().decoder_apart.is_some()
    }

    /// Names of the expressions, in the network's order.
    #[wasm_bindgen(getter)]
    pub fn classes(&self) -> Vec<String> {
        self.pipeline.config().classes.clone()
    }

    /// Names of the controls that a target may set; empty where the network has none.
    #[wasm_bindgen(getter)]
    pub fn controls(&self) -> Vec<String> {
        self.pipeline.config().controls.clone()
    }

    /// The expressions as values of controls, an object by name of objects by control; empty where the network
    /// has no controls.
    ///
    /// # Errors
    /// A JavaScript error when an object cannot be made.
    pub fn presets(&self) -> Result<JsValue, JsValue> {
        to_object(&self.pipeline.config().presets)
    }

    /// Whether the network synthesises faces.
    #[wasm_bindgen(getter)]
    pub fn synthesises(&self) -> bool {
        self.pipeline.config().synthesises()
    }

    /// Recognises and synthesises an empty face, so that the device has captured and compiled all it needs.
    ///
    /// # Errors
    /// A JavaScript error when the device fails.
    pub async fn warm_up(&self) -> Result<(), JsValue> {
        let size = FACE_SIZE as u32;
        let picture = Picture::from(RgbImage::from_pixel(size, size, image::Rgb([128; 3])));
        let face = self.pipeline.recognise(&picture, Face::whole(&picture));
        let face = face.await.map_err(js_error)?;
        if self.synthesises() {
            let config = self.pipeline.config();
            let target = Target {
                values: vec![0.1; config.target_width()],
                own: Vec::new(),
                teeth: None,
                own_teeth: 0.0,
            };
            for targets in [config.classes.len(), 1] {
                let targets = vec![target.clone(); targets];
                let synthesised = self.pipeline.synthesise(&picture, &face, &targets);
                synthesised.await.map_err(js_error)?;
            }
            self.pipeline.warm_up_painter().await.map_err(js_error)?;
        }
        Ok(())
    }

    /// Opens a picture of RGBA pixels, row by row; how much of each shows through is left out.
    ///
    /// # Errors
    /// A JavaScript error where the pixels do not fit the size.
    pub fn open_pixels(
        &self,
        rgba: &Uint8ClampedArray,
        width: u32,
        height: u32,
    ) -> Result<OpenPicture, JsValue> {
        let picture = picture_of(rgba, width, height)?;
        Ok(self.opened(picture, Claims::default()))
    }

    /// What the page must know of a picture file before the browser decodes it: `FileHeader` in www/api/decode.js.
    ///
    /// # Errors
    /// A JavaScript error with one of the codes `picture-...` for what nobody should decode.
    pub fn header(&self, bytes: &[u8]) -> Result<JsValue, JsValue> {
        let header = Header::of(bytes).map_err(js_error)?;
        to_object(&FileHeader {
            format: header.format,
            size: header.size,
            decoded: header.decoded_size(),
            is_read: header.is_read,
        })
    }

    /// Opens a picture file that the browser has decoded to RGBA pixels, row by row, over white.
    ///
    /// # Errors
    /// A JavaScript error where the pixels do not fit the size.
    pub fn open_decoded(
        &self,
        bytes: &[u8],
        rgba: &Uint8ClampedArray,
        width: u32,
        height: u32,
    ) -> Result<OpenPicture, JsValue> {
        let picture = picture_of(rgba, width, height)?;
        Ok(self.opened(picture, Claims::of(bytes)))
    }

    /// Decodes a picture file.
    ///
    /// # Errors
    /// A JavaScript error with one of the codes `picture-...`.
    pub fn open(&self, bytes: &[u8]) -> Result<OpenPicture, JsValue> {
        let picture = Picture::decode(bytes).map_err(js_error)?;
        Ok(self.opened(picture, Claims::of(bytes)))
    }
}

impl Engine {
    fn opened(&self, picture: Picture, claims: Claims) -> OpenPicture {
        OpenPicture::new(Rc::clone(&self.pipeline), picture, claims)
    }
}

/// A file's header as JavaScript sees it.
#[derive(Serialize)]
struct FileHeader {
    format: &'static str,
    size: Option<[u32; 2]>,
    decoded: Option<[u32; 2]>,
    #[serde(rename = "isRead")]
    is_read: bool,
}

/// Pixels that are brought from the page's memory at once: a large photo would take room twice.
const PIXELS_AT_ONCE: u32 = 1 << 18;

fn picture_of(rgba: &Uint8ClampedArray, width: u32, height: u32) -> Result<Picture, JsValue> {
    let length = rgba.length();
    let mut rgb = Vec::with_capacity(length as usize / 4 * 3);
    let mut start = 0;
    while start < length {
        let end = length.min(start + 4 * PIXELS_AT_ONCE);
        let part = rgba.subarray(start, end).to_vec();
        rgb.extend(part.chunks_exact(4).flat_map(|pixel| &pixel[..3]));
        start = end;
    }
    let image = RgbImage::from_raw(width, height, rgb);
    let image = image.ok_or_else(|| coded_error("the pixels do not fit the size", "internal"))?;
    Ok(Picture::from(image))
}
