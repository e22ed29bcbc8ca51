//! A synthesised face -> back into its picture, with a feathered edge and the photo's own sharpness.

use image::RgbImage;

use super::fields::Fields;
use super::mouth::{PaintedMouth, smooth_step};
use super::source::Source;
use super::{Alignment, Point};
use crate::picture::Picture;

/// Width of the feathered edge, as a part of the face's width.
const FEATHER: f32 = 0.12;

/// A synthesised face, as pixels: what goes back into its picture.
#[derive(Debug, Clone)]
pub struct SynthesisedFace {
    /// Side of the planes below, 96 for FERSNet.
    pub size: usize,
    /// Red, green and blue planes, `[3, size, size]`, unclamped; 0..1 is black to white.
    pub face: Vec<f32>,
    /// What the network changed, where it says so (the residual head).
    pub change: Option<Change>,
    /// The mouth's inside as the painter painted it; it takes the place of the network's own colours.
    pub mouth: Option<PaintedMouth>,
}

/// The change from the given face to the synthesised one.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is added to the pixels, `[3, size, size]`, in the face's range.
    pub delta: Vec<f32>,
    /// Where the pixels come from, `[2, size, size]`: dx, then dy, in face widths. The pixel at u
    /// is read at u + flow(u).
    pub flow: Option<Vec<f32>>,
    /// How much of the moved pixels is taken away before `delta` is added, `[1, size, size]`, 0 to 1:
    /// the cavity map of a blend head.
    pub cover: Option<Vec<f32>>,
    /// The same map of the face that was given, `[1, size, size]`: what lies inside of its mouth is not shown
    /// between lips that come together.
    pub own_mouth: Option<Vec<f32>>,
}

/// Puts a synthesised face back into the picture that it was cut from.
///
/// With a [`Change`], the photo's own pixels are moved and the difference is added, so it stays as
/// sharp as it was; without, the enlarged face replaces them. Outside of the face's square the
/// picture stays as it is, bit for bit. A painted mouth is laid over the moved and shaded photo.
///
/// # Panics
/// When a plane's length does not fit `synthesised.size`: a mistake of the caller.
pub fn paste(picture: &Picture, alignment: &Alignment, synthesised: &SynthesisedFace) -> Picture {
    paste_into(picture, &Source::photo(picture, alignment), synthesised)
}

/// Puts the face into `picture`, the pixels of `source`.
fn paste_into(picture: &Picture, source: &Source<'_>, synthesised: &SynthesisedFace) -> Picture {
    let alignment = &source.alignment;
    let mut image = picture.as_image().clone();
    let side = alignment.side();
    if !side.is_finite() || side < 1.0 || image.is_empty() || synthesised.size == 0 {
        return Picture::from(image);
    }
    let fields = Fields::new(synthesised, side);
    let corners = alignment.corners();
    let range = |of: fn(&Point) -> f32, length: u32| {
        let low = corners.iter().map(of).fold(f32::INFINITY, f32::min);
        let high = corners.iter().map(of).fold(f32::NEG_INFINITY, f32::max);
        let length = i64::from(length);
        let low = (low.floor() as i64).clamp(0, length) as u32;
        low..(high.ceil() as i64).clamp(0, length) as u32
    };
    let columns = range(|p| p.x, image.width());
    for y in range(|p| p.y, image.height()) {
        for x in columns.clone() {
            let face = alignment.face_from_picture(Point::new(x as f32 + 0.5, y as f32 + 0.5));
            let weight = feather(face);
            if weight > 0.0 {
                let pixel = image.get_pixel_mut(x, y);
                let own = pixel.0.map(f32::from);
                let colour = match &fields {
                    Fields::Change(change) => change.apply(source, own, face, weight),
                    Fields::Face(drawn) => {
                        let drawn = drawn.at(face);
                        [0, 1, 2].map(|c| own[c] + weight * (255.0 * drawn[c] - own[c]))
                    }
                };
                pixel.0 = colour.map(|value| value.round().clamp(0.0, 255.0) as u8);
            }
        }
    }
    Picture::from(image)
}

/// The synthesised face alone, `size` x `size`, as sharp as the photo allows: for thumbnails.
pub fn synthesised_crop(
    picture: &Picture,
    alignment: &Alignment,
    synthesised: &SynthesisedFace,
    size: u32,
) -> RgbImage {
    let face = Picture::from(alignment.crop(picture, size));
    let in_crop = Alignment::whole_picture(size, size);
    let source = Source::cut(&face, in_crop, picture, alignment);
    paste_into(&face, &source, synthesised).into_image()
}

/// 1 within the face, falling smoothly to 0 at the border of its square; the corners are rounded.
pub(crate) fn feather(face: Point) -> f32 {
    let (x, y) = ((2.0 * face.x - 1.0).abs(), (2.0 * face.y - 1.0).abs());
    if x >= 1.0 || y >= 1.0 {
        return 0.0;
    }
    let radius = (x.powi(4) + y.powi(4)).sqrt().sqrt();
    smooth_step((1.0 - radius) / (2.0 * FEATHER))
}
