//! One picture of the page: its faces, what was recognised in them and how they were synthesised.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use image::RgbImage;
use serde::Serialize;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;

use super::error::{NoSuchFace, coded_error, js_error};
use crate::animation;
use crate::check::check_opened;
use crate::claims::Claims;
use crate::explain;
use crate::face::{
    self, Alignment, Doubt, Face, FaceSearch, FaceTracker, Landmarks, Point, Rect, SynthesisedFace,
};
use crate::mark;
use crate::picture::Picture;
use crate::pipeline::{KeptFace, Pipeline, RecognisedFace};
use crate::target::Target;

/// The longer side of the picture that the page shows; larger ones are made smaller for it.
const PREVIEW_SIZE: u32 = 1600;

/// A decoded picture and all that is known about its faces.
#[wasm_bindgen]
pub struct OpenPicture {
    pipeline: Rc<Pipeline>,
    picture: Picture,
    /// What its file says of its origin.
    claims: Claims,
    /// None where the picture itself is small enough to be shown.
    smaller: Option<Picture>,
    search: FaceSearch,
    faces: Vec<OpenFace>,
    /// None for a picture that is no frame of a film.
    film: Option<Film>,
}

/// The film that a picture is a frame of.
struct Film {
    kept_faces: KeptFaces,
    /// The numbers of the frame's faces.
    ids: Vec<u32>,
}

impl Film {
    /// What is kept of the film's faces, and the number of one.
    fn of(&self, face: usize) -> Option<(&KeptFaces, u32)> {
        Some((&self.kept_faces, *self.ids.get(face)?))
    }
}

/// What is kept of the faces of a film, by number.
type KeptFaces = Rc<RefCell<HashMap<u32, KeptFace>>>;

/// Follows the faces of a film from frame to frame.
#[wasm_bindgen]
pub struct Tracker {
    faces: FaceTracker,
    kept_faces: KeptFaces,
}

#[wasm_bindgen]
impl Tracker {
    /// A tracker that looks for new faces every so many frames, and in each frame while it has none.
    #[wasm_bindgen(constructor)]
    pub fn new(every: usize) -> Self {
        Self {
            faces: FaceTracker::new(every),
            kept_faces: KeptFaces::default(),
        }
    }
}

/// A face: only one that was recognised has synthesised faces.
enum OpenFace {
    Found(Face),
    Recognised(Box<RecognisedFace>, SynthesisedFaces),
}

/// What was synthesised of a face, by number; numbers are never used twice.
#[derive(Default)]
struct SynthesisedFaces {
    kept: HashMap<usize, SynthesisedFace>,
    next: usize,
}

impl OpenFace {
    fn face(&self) -> &Face {
        match self {
            Self::Found(face) => face,
            Self::Recognised(recognised, _) => &recognised.face,
        }
    }
}

/// Where a face lies, as JavaScript sees it: `FacePlace` in www/api/protocol.js.
#[derive(Serialize)]
struct FacePlace {
    #[serde(rename = "box")]
    bounds: Rect,
    landmarks: Option<Landmarks>,
    score: f32,
    corners: [Point; 4],
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
}

/// What a face shows, as JavaScript sees it: `Recognition` in www/api/protocol.js.
#[derive(Serialize)]
struct Recognition<'a> {
    probabilities: &'a [f32],
    expression: usize,
    certain: bool,
    doubts: &'a [Doubt],
    controls: &'a [f32],
}

impl FacePlace {
    fn of(face: &Face) -> Self {
        Self {
            bounds: face.bounds(),
            landmarks: face.found().map(|found| found.landmarks),
            score: face.found().map_or(1.0, |found| found.score),
            corners: face.alignment().corners(),
            id: None,
        }
    }
}

impl OpenPicture {
    pub(super) fn new(pipeline: Rc<Pipeline>, picture: Picture, claims: Claims) -> Self {
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
            claims,
            smaller,
            search: FaceSearch::default(),
            faces: Vec::new(),
            film: None,
        }
    }

    fn shown(&self) -> &Picture {
        self.smaller.as_ref().unwrap_or(&self.picture)
    }

    fn face(&self, index: usize) -> Result<Face, JsValue> {
        let known = self.faces.get(index).map(|known| *known.face());
        known.ok_or_else(|| js_error(NoSuchFace))
    }

    fn recognised(&self, index: usize) -> Result<&RecognisedFace, JsValue> {
        match self.faces.get(index) {
            Some(OpenFace::Recognised(recognised, _)) => Ok(recognised),
            _ => Err(js_error(NoSuchFace)),
        }
    }

    /// A marked frame of an animation of a face; without a synthesised face the photo's own.
    fn marked_frame(
        &self,
        face: usize,
        synthesised: Option<u32>,
        size: u32,
    ) -> Result<RgbImage, JsValue> {
        let shown = self.shown();
        let changes = synthesised.map(|synthesised| [face as u32, synthesised]);
        let changed =
            self.preview_with(changes.as_ref().map_or(&[][..], |pair| pair.as_slice()))?;
        let (alignment, width, height) = (self.face(face)?, shown.width(), shown.height());
        let alignment = alignment.alignment_in_copy(self.size(), [width, height]);
        let part = animation::view(&alignment, width, height);
        Ok(animation::frame(&changed, part, size))
    }

    fn size(&self) -> [u32; 2] {
        [self.picture.width(), self.picture.height()]
    }

    /// The preview with synthesised faces put into it.
    fn preview_with(&self, changes: &[u32]) -> Result<Picture, JsValue> {
        let shown = self.shown();
        let to = [shown.width(), shown.height()];
        self.changed(shown, changes, |face| {
            face.alignment_in_copy(self.size(), to)
        })
    }

    fn synthesised(
        &self,
        face: usize,
        synthesised: usize,
    ) -> Result<(&Face, &SynthesisedFace), JsValue> {
        let found = match self.faces.get(face) {
            Some(OpenFace::Recognised(known, all)) => all.kept.get(&synthesised).zip(Some(known)),
            _ => None,
        };
        let (synthesised, known) = found.ok_or_else(|| js_error(NoSuchFace))?;
        Ok((&known.face, synthesised))
    }

    /// A picture with synthesised faces put into it; `changes` holds pairs of face and synthesised face.
    fn changed(
        &self,
        picture: &Picture,
        changes: &[u32],
        place: impl Fn(&Face) -> Alignment,
    ) -> Result<Picture, JsValue> {
        let mut changed: Option<Picture> = None;
        for pair in changes.chunks_exact(2) {
            let (face, synthesised) = self.synthesised(pair[0] as usize, pair[1] as usize)?;
            let before = changed.as_ref().unwrap_or(picture);
            changed = Some(face::paste(before, &place(face), synthesised));
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

    /// The preview's RGBA pixels.
    pub fn preview(&self) -> Clamped<Vec<u8>> {
        rgba(self.shown().as_image())
    }

    /// Takes the next look for faces: those that it adds, the largest first, as an array of `FacePlace`; null where
    /// nothing is left to be looked for.
    ///
    /// # Errors
    /// A JavaScript error when the detector fails.
    pub async fn look(&mut self) -> Result<JsValue, JsValue> {
        let added = self.pipeline.look(&self.picture, &mut self.search).await;
        let Some(added) = added.map_err(js_error)? else {
            return Ok(JsValue::NULL);
        };
        let places: Vec<_> = added.iter().map(FacePlace::of).collect();
        self.faces.extend(added.into_iter().map(OpenFace::Found));
        to_js(&places)
    }

    /// Finds the faces that a tracker follows, the largest first: an array of `FacePlace`, each with its number.
    ///
    /// # Errors
    /// A JavaScript error when the detector fails.
    pub async fn follow(&mut self, tracker: &mut Tracker) -> Result<JsValue, JsValue> {
        let followed = self
            .pipeline
            .follow(&self.picture, &mut tracker.faces)
            .await;
        let followed = followed.map_err(js_error)?;
        let ids: Vec<u32> = followed.iter().map(|tracked| tracked.id).collect();
        let known = |id: &u32, _: &mut KeptFace| ids.contains(id);
        tracker.kept_faces.borrow_mut().retain(known);
        self.film = Some(Film {
            kept_faces: Rc::clone(&tracker.kept_faces),
            ids,
        });
        let faces = followed.iter().map(|tracked| Face::Found(tracked.face));
        self.faces = faces.map(OpenFace::Found).collect();
        let places = followed.iter().zip(&self.faces);
        let places: Vec<_> = places
            .map(|(tracked, face)| FacePlace {
                id: Some(tracked.id),
                ..FacePlace::of(face.face())
            })
            .collect();
        to_js(&places)
    }

    /// The index of the whole picture among the faces, to which it is added once.
    pub fn whole_picture(&mut self) -> usize {
        let is_whole = |face: &OpenFace| matches!(face.face(), Face::WholePicture { .. });
        self.faces.iter().position(is_whole).unwrap_or_else(|| {
            self.faces.push(OpenFace::Found(Face::whole(&self.picture)));
            self.faces.len() - 1
        })
    }

    /// Where a face lies: a `FacePlace`.
    ///
    /// # Errors
    /// A JavaScript error when there is no such face.
    pub fn place(&self, face: usize) -> Result<JsValue, JsValue> {
        to_js(&FacePlace::of(&self.face(face)?))
    }

    /// Recognises a face's expression: a `Recognition` but for its time.
    ///
    /// # Errors
    /// A JavaScript error when there is no such face or the device is lost.
    pub async fn recognise(&mut self, face: usize) -> Result<JsValue, JsValue> {
        let recognised = self.pipeline.recognise(&self.picture, self.face(face)?);
        let recognised = recognised.await.map_err(js_error)?;
        let recognition = to_js(&Recognition {
            probabilities: &recognised.answer.probabilities,
            expression: recognised.answer.expression,
            certain: recognised.answer.certain,
            doubts: &recognised.doubts,
            controls: &recognised.controls,
        });
        match &mut self.faces[face] {
            OpenFace::Recognised(known, _) => **known = recognised,
            found @ OpenFace::Found(_) => {
                *found = OpenFace::Recognised(Box::new(recognised), SynthesisedFaces::default());
            }
        }
        recognition
    }

    /// Synthesises a face that was recognised, once for each target: an array of objects, each a weight by its
    /// name (an expression, or a control). Gives the number of the first of the new synthesised faces.
    ///
    /// # Errors
    /// A JavaScript error when the face was not recognised, a target does not fit or the device is lost.
    pub async fn synthesise(&mut self, face: usize, targets: JsValue) -> Result<usize, JsValue> {
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
        let Some(OpenFace::Recognised(recognised, all)) = self.faces.get_mut(face) else {
            return Err(js_error(NoSuchFace));
        };
        let film = self.film.as_ref();
        let film = film.and_then(|film| film.of(face));
        let (pipeline, picture) = (&self.pipeline, &self.picture);
        let synthesised = match (film, targets.as_slice()) {
            (Some((kept_faces, id)), [target]) => {
                // Not borrowed while the device is waited for.
                let mut kept = kept_faces.borrow_mut().remove(&id);
                let one = pipeline.synthesise_followed(picture, recognised, target, &mut kept);
                let one = one.await;
                if let Some(kept) = kept {
                    kept_faces.borrow_mut().insert(id, kept);
                }
                one.map(|one| vec![one])
            }
            (_, targets) => pipeline.synthesise(picture, recognised, targets).await,
        };
        let synthesised = synthesised.map_err(js_error)?;
        let first = all.next;
        all.next += synthesised.len();
        all.kept.extend((first..).zip(synthesised));
        Ok(first)
    }

    /// The gates of the ConvFLU pairs for a face: an array of `GateMap`, as in www/api/protocol.js.
    ///
    /// # Errors
    /// A JavaScript error when there is no such face or the device is lost.
    pub async fn gates(&self, face: usize) -> Result<JsValue, JsValue> {
        let gates = self.pipeline.gates(&self.picture, &self.face(face)?).await;
        to_js(&gates.map_err(js_error)?)
    }

    /// Rows and columns of the places that a patch takes on a face.
    #[wasm_bindgen(getter)]
    pub fn cover_places(&self) -> usize {
        explain::PLACES
    }

    /// The probability of a recognised face's expression while a patch covers it, at each place of a row.
    ///
    /// # Errors
    /// A JavaScript error when the face was not recognised or the device is lost.
    pub async fn covered(&self, face: usize, row: usize) -> Result<Vec<f32>, JsValue> {
        let recognised = self.recognised(face)?;
        let covered = self.pipeline.covered(&self.picture, recognised, row);
        covered.await.map_err(js_error)
    }

    /// What the expression's probability falls by in each cell of a face, from those of all places.
    ///
    /// # Errors
    /// A JavaScript error when the face was not recognised.
    pub fn fall(&self, face: usize, probabilities: &[f32]) -> Result<Vec<f32>, JsValue> {
        let answer = &self.recognised(face)?.answer;
        let whole = answer.probabilities[answer.expression];
        Ok(explain::fall(whole, probabilities))
    }

    /// Looks for the marks of a synthetic picture: a `Check`, as in www/api/protocol.js.
    ///
    /// # Errors
    /// A JavaScript error when an object cannot be made.
    pub fn check(&self) -> Result<JsValue, JsValue> {
        to_object(&check_opened(&self.picture, &self.claims))
    }

    /// Frees a synthesised face; nothing happens where there is none.
    pub fn forget(&mut self, face: usize, synthesised: usize) {
        if let Some(OpenFace::Recognised(_, all)) = self.faces.get_mut(face) {
            all.kept.remove(&synthesised);
        }
    }

    /// RGBA pixels of a synthesised face alone, `size` x `size`.
    ///
    /// # Errors
    /// A JavaScript error when there is no such synthesised face.
    pub fn crop(
        &self,
        face: usize,
        synthesised: usize,
        size: u32,
    ) -> Result<Clamped<Vec<u8>>, JsValue> {
        let (face, synthesised) = self.synthesised(face, synthesised)?;
        let crop = face::synthesised_crop(&self.picture, &face.alignment(), synthesised, size);
        Ok(rgba(&crop))
    }

    /// The preview's RGBA pixels with synthesised faces put into it; `changes` holds pairs of face and
    /// synthesised face.
    ///
    /// # Errors
    /// A JavaScript error when there is no such synthesised face.
    pub fn compose(&self, changes: &[u32]) -> Result<Clamped<Vec<u8>>, JsValue> {
        Ok(rgba(self.preview_with(changes)?.as_image()))
    }

    /// The preview's RGBA pixels with a followed face as it was synthesised in a frame before, where it is now: neither
    /// recognised nor synthesised anew. Empty where nothing is kept of it.
    ///
    /// # Errors
    /// A JavaScript error when there is no such face.
    pub fn compose_as_before(&self, face: usize) -> Result<Clamped<Vec<u8>>, JsValue> {
        let Some((kept_faces, id)) = self.film.as_ref().and_then(|film| film.of(face)) else {
            return Ok(Clamped(Vec::new()));
        };
        let kept_faces = kept_faces.borrow();
        let Some(kept) = kept_faces.get(&id) else {
            return Ok(Clamped(Vec::new()));
        };
        let shown = self.shown();
        let to = [shown.width(), shown.height()];
        let alignment = self.face(face)?.alignment_in_copy(self.size(), to);
        Ok(rgba(face::paste(shown, &alignment, &kept.made).as_image()))
    }

    /// One frame of an animation of a face, its longer side at most `size` pixels, marked: the photo's own, or
    /// with a synthesised face. Gives its width and height (4 bytes each, the lowest first), then RGBA pixels.
    ///
    /// # Errors
    /// A JavaScript error when there is no such face or synthesised face.
    pub fn frame(
        &self,
        face: usize,
        synthesised: Option<u32>,
        size: u32,
    ) -> Result<Clamped<Vec<u8>>, JsValue> {
        let frame = self.marked_frame(face, synthesised, size)?;
        let mut bytes = Vec::from(frame.width().to_le_bytes());
        bytes.extend(frame.height().to_le_bytes());
        bytes.extend_from_slice(&rgba(&frame));
        Ok(Clamped(bytes))
    }

    /// The photo's face on its way through synthesised faces, and back, as an animated GIF that carries the mark.
    ///
    /// # Errors
    /// A JavaScript error when there is no such face or synthesised face, or the file cannot be written.
    pub fn encode_gif(
        &self,
        face: usize,
        synthesised: &[u32],
        size: u32,
    ) -> Result<Vec<u8>, JsValue> {
        let way = std::iter::once(None).chain(synthesised.iter().copied().map(Some));
        let frames = way.map(|synthesised| self.marked_frame(face, synthesised, size));
        let frames = frames.collect::<Result<Vec<_>, _>>()?;
        animation::encode_marked_gif(&frames).map_err(js_error)
    }

    /// The full picture with synthesised faces put into it, as a PNG file that carries the marks, and what the
    /// picture's own file said of its origin.
    ///
    /// # Errors
    /// A JavaScript error when there is no such synthesised face or the file cannot be written.
    pub fn encode(&self, changes: &[u32]) -> Result<Vec<u8>, JsValue> {
        let changed = self.changed(&self.picture, changes, Face::alignment)?;
        mark::encode_marked_png(&changed, &self.claims).map_err(js_error)
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

/// As objects, not maps.
pub(super) fn to_object(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    let value = value.serialize(&serializer);
    value.map_err(|error| coded_error(&error.to_string(), "internal"))
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    serde_wasm_bindgen::to_value(value).map_err(|error| coded_error(&error.to_string(), "internal"))
}
