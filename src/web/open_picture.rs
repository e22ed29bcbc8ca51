//! One picture of the page: its faces, what was read in them and how they were redrawn.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use image::RgbImage;
use serde::Serialize;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;

use super::error::{NoSuchFace, coded_error, js_error};
use crate::face::{self, Alignment, DetectedFace, Landmarks, Point, Rect, Redrawn};
use crate::mark;
use crate::picture::Picture;
use crate::pipeline::{Pipeline, Reading};
use crate::target::Target;

/// The longer side of the picture that the page shows; larger ones are made smaller for it.
const PREVIEW_SIZE: u32 = 1600;

/// A decoded picture and all that is known about its faces.
#[wasm_bindgen]
pub struct OpenPicture {
    pipeline: Rc<Pipeline>,
    picture: Picture,
    /// None where the picture itself is small enough to be shown.
    smaller: Option<Picture>,
    faces: Vec<OpenFace>,
}

struct OpenFace {
    alignment: Alignment,
    in_preview: Alignment,
    reading: Option<Reading>,
    /// By number; numbers are never used twice.
    redrawn: HashMap<usize, Redrawn>,
    next_redrawn: usize,
}

/// A face as JavaScript sees it: `FoundFace` in www/api/protocol.js.
#[derive(Serialize)]
struct FoundFace {
    #[serde(rename = "box")]
    bounds: Rect,
    landmarks: Option<Landmarks>,
    score: f32,
    corners: [Point; 4],
}

/// What a face shows, as JavaScript sees it: `FaceReading` in www/api/protocol.js.
#[derive(Serialize)]
struct FaceReading<'a> {
    probabilities: &'a [f32],
    expression: usize,
    certain: bool,
    controls: &'a [f32],
}

impl OpenPicture {
    pub(super) fn new(pipeline: Rc<Pipeline>, picture: Picture) -> Self {
        let longer = picture.width().max(picture.height());
        let smaller = (longer > PREVIEW_SIZE).then(|| {
            let scale = f64::from(PREVIEW_SIZE) / f64::from(longer);
            let [width, height] = [picture.width(), picture.height()]
                .map(|side| ((f64::from(side) * scale).round() as u32).max(1));
            Picture::from(image::imageops::thumbnail(
                picture.as_image(),
                width,
                height,
            ))
        });
        Self {
            pipeline,
            picture,
            smaller,
            faces: Vec::new(),
        }
    }

    fn shown(&self) -> &Picture {
        self.smaller.as_ref().unwrap_or(&self.picture)
    }

    fn add_detected(&mut self, found: &DetectedFace) -> FoundFace {
        let x = self.shown().width() as f32 / self.picture.width() as f32;
        let y = self.shown().height() as f32 / self.picture.height() as f32;
        let scaled = |eye: Point| Point::new(eye.x * x, eye.y * y);
        let alignment = found.alignment();
        let Landmarks {
            left_eye,
            right_eye,
            ..
        } = found.landmarks;
        self.add(
            alignment,
            Alignment::from_eyes(scaled(left_eye), scaled(right_eye)),
        );
        FoundFace {
            bounds: found.bounds,
            landmarks: Some(found.landmarks),
            score: found.score,
            corners: alignment.corners(),
        }
    }

    fn add(&mut self, alignment: Alignment, in_preview: Alignment) {
        self.faces.push(OpenFace {
            alignment,
            in_preview,
            reading: None,
            redrawn: HashMap::new(),
            next_redrawn: 0,
        });
    }

    fn redrawn(&self, face: usize, redrawn: usize) -> Result<(&OpenFace, &Redrawn), JsValue> {
        let face = self.faces.get(face);
        face.and_then(|face| Some((face, face.redrawn.get(&redrawn)?)))
            .ok_or_else(|| js_error(NoSuchFace))
    }

    /// A picture with redrawn faces put into it; `changes` holds pairs of face and redrawn face.
    fn changed(
        &self,
        picture: &Picture,
        changes: &[u32],
        place: impl Fn(&OpenFace) -> &Alignment,
    ) -> Result<Picture, JsValue> {
        let mut changed: Option<Picture> = None;
        for pair in changes.chunks_exact(2) {
            let (face, redrawn) = self.redrawn(pair[0] as usize, pair[1] as usize)?;
            let before = changed.as_ref().unwrap_or(picture);
            changed = Some(face::paste(before, place(face), redrawn));
        }
        Ok(changed.unwrap_or_else(|| picture.clone()))
    }
}

#[wasm_bindgen]
impl OpenPicture {
    /// Width in pixels.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> u32 {
        self.picture.width()
    }

    /// Height in pixels.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> u32 {
        self.picture.height()
    }

    /// Width of the preview.
    #[wasm_bindgen(getter)]
    pub fn preview_width(&self) -> u32 {
        self.shown().width()
    }

    /// Height of the preview.
    #[wasm_bindgen(getter)]
    pub fn preview_height(&self) -> u32 {
        self.shown().height()
    }

    /// How many faces are known.
    #[wasm_bindgen(getter)]
    pub fn face_count(&self) -> usize {
        self.faces.len()
    }

    /// The preview's RGBA pixels.
    pub fn preview(&self) -> Clamped<Vec<u8>> {
        rgba(self.shown().as_image())
    }

    /// Finds all faces, the largest first: an array of `FoundFace`.
    ///
    /// # Errors
    /// A JavaScript error when the detector fails.
    pub async fn find_faces(&mut self) -> Result<JsValue, JsValue> {
        let found = self.pipeline.find_faces(&self.picture).await;
        let found = found.map_err(js_error)?;
        self.faces.clear();
        let faces: Vec<_> = found.iter().map(|face| self.add_detected(face)).collect();
        to_js(&faces)
    }

    /// Adds the whole picture as one more face: a `FoundFace`.
    ///
    /// # Errors
    /// None are known.
    pub fn add_whole_picture(&mut self) -> Result<JsValue, JsValue> {
        let (width, height) = (self.width(), self.height());
        let alignment = Alignment::whole_picture(width, height);
        let in_preview = Alignment::whole_picture(self.preview_width(), self.preview_height());
        self.add(alignment, in_preview);
        to_js(&FoundFace {
            bounds: Rect {
                x: 0.0,
                y: 0.0,
                width: width as f32,
                height: height as f32,
            },
            landmarks: None,
            score: 1.0,
            corners: alignment.corners(),
        })
    }

    /// Reads a face: `probabilities`, `expression`, `certain`, `controls`.
    ///
    /// # Errors
    /// A JavaScript error when there is no such face or the device is lost.
    pub async fn read(&mut self, face: usize) -> Result<JsValue, JsValue> {
        let known = self.faces.get_mut(face);
        let face = known.ok_or_else(|| js_error(NoSuchFace))?;
        let read = self.pipeline.read(&self.picture, face.alignment).await;
        let reading = face.reading.insert(read.map_err(js_error)?);
        let Reading {
            answer, controls, ..
        } = &*reading;
        to_js(&FaceReading {
            probabilities: &answer.probabilities,
            expression: answer.expression,
            certain: answer.certain,
            controls,
        })
    }

    /// Redraws a face that was read, once for each target: an array of objects, each a weight by its
    /// name (an expression, or a control). Gives the number of the first of the new redrawn faces.
    ///
    /// # Errors
    /// A JavaScript error when the face was not read, a target does not fit or the device is lost.
    pub async fn redraw(&mut self, face: usize, targets: JsValue) -> Result<usize, JsValue> {
        let targets: Vec<BTreeMap<String, f32>> = serde_wasm_bindgen::from_value(targets)
            .map_err(|error| coded_error(&error.to_string(), "target-weight"))?;
        let config = self.pipeline.config();
        let target = |parts: &BTreeMap<String, f32>| {
            Target::new(
                parts.iter().map(|(name, weight)| (name.as_str(), *weight)),
                config,
            )
        };
        let targets = targets.iter().map(target).collect::<Result<Vec<_>, _>>();
        let targets = targets.map_err(js_error)?;
        let known = self.faces.get_mut(face);
        let face = known.ok_or_else(|| js_error(NoSuchFace))?;
        let reading = face.reading.as_ref().ok_or_else(|| js_error(NoSuchFace))?;
        let redrawn = self.pipeline.redraw(&self.picture, reading, &targets).await;
        let redrawn = redrawn.map_err(js_error)?;
        let first = face.next_redrawn;
        face.next_redrawn += redrawn.len();
        face.redrawn.extend((first..).zip(redrawn));
        Ok(first)
    }

    /// Frees a redrawn face; nothing happens where there is none.
    pub fn forget(&mut self, face: usize, redrawn: usize) {
        if let Some(face) = self.faces.get_mut(face) {
            face.redrawn.remove(&redrawn);
        }
    }

    /// RGBA pixels of a redrawn face alone, `size` x `size`.
    ///
    /// # Errors
    /// A JavaScript error when there is no such redrawn face.
    pub fn crop(
        &self,
        face: usize,
        redrawn: usize,
        size: u32,
    ) -> Result<Clamped<Vec<u8>>, JsValue> {
        let (face, redrawn) = self.redrawn(face, redrawn)?;
        let crop = face::redrawn_crop(&self.picture, &face.alignment, redrawn, size);
        Ok(rgba(&crop))
    }

    /// The preview's RGBA pixels with redrawn faces put into it; `changes` holds pairs of face and
    /// redrawn face.
    ///
    /// # Errors
    /// A JavaScript error when there is no such redrawn face.
    pub fn compose(&self, changes: &[u32]) -> Result<Clamped<Vec<u8>>, JsValue> {
        let changed = self.changed(self.shown(), changes, |face| &face.in_preview)?;
        Ok(rgba(changed.as_image()))
    }

    /// The full picture with redrawn faces put into it, as a PNG file that carries the mark.
    ///
    /// # Errors
    /// A JavaScript error when there is no such redrawn face or the file cannot be written.
    pub fn encode(&self, changes: &[u32]) -> Result<Vec<u8>, JsValue> {
        let changed = self.changed(&self.picture, changes, |face| &face.alignment)?;
        mark::encode_marked_png(&changed).map_err(js_error)
    }
}

/// Opaque RGBA, as a canvas takes it.
fn rgba(image: &RgbImage) -> Clamped<Vec<u8>> {
    let mut bytes = Vec::with_capacity(image.as_raw().len() / 3 * 4);
    for pixel in image.as_raw().chunks_exact(3) {
        bytes.extend_from_slice(&[pixel[0], pixel[1], pixel[2], u8::MAX]);
    }
    Clamped(bytes)
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    serde_wasm_bindgen::to_value(value).map_err(|error| coded_error(&error.to_string(), "internal"))
}
