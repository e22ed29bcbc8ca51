//! Pictures and maps of a portrait -> files: marked where they are drawn.
//!
//! The maps of a drawn face come in two 16-bit RGB PNGs of half its size: from the drawn face to the photo, and
//! back from the photo. Each of their pixels is that of the picture at twice its column and row. Red and green
//! are the flow as [`FlowMap`](crate::data::flow::FlowMap) stores it: where the pixel is in the other picture,
//! less where it is here. Blue is the part of the face ([`Part`](super::model::Part) as a number, 0 outside),
//! 256 more where the flow is known, and 512 more where the other picture shows what is there.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, GrayImage, ImageEncoder, Luma, RgbImage};

use super::PairsError;
use super::plan::Seen;
use super::view::Colour;
use super::ways::Ways;
use crate::data::flow;
use crate::data::strip::with_strip;
use crate::face::{Alignment, Point};
use crate::mark::{encode_training_jpeg, with_tag_room};
use crate::picture::Picture;

/// JPEG quality of the pictures; colours at full resolution, as the encoder keeps them.
const QUALITY: u8 = 92;

/// Set in blue where the other picture shows what is there.
const VISIBLE: u16 = 512;

/// The file of a picture, and of the map of its mouth's inside where it is open.
pub(super) struct Files {
    pub picture: Vec<u8>,
    pub cavity: Option<Vec<u8>>,
}

/// The whole face: a strip below takes the mark, deeper than any training view reaches. A photo has the
/// strip too, so that all pictures lie pixel on pixel, but no mark: nothing in it is synthetic.
pub(super) fn face(seen: &Seen, eyes: [[f32; 2]; 2], is_drawn: bool) -> Result<Files, PairsError> {
    let [right, left] = eyes.map(|[x, y]| Point::new(x, y));
    let picture = with_strip(&picture(seen), &Alignment::from_eyes(left, right));
    files(seen, &picture, is_drawn)
}

/// The mouth: the mark stands below it.
pub(super) fn mouth(seen: &Seen, is_drawn: bool) -> Result<Files, PairsError> {
    files(seen, &with_tag_room(picture(seen).as_image()), is_drawn)
}

fn files(seen: &Seen, picture: &Picture, is_drawn: bool) -> Result<Files, PairsError> {
    let bytes = if is_drawn {
        encode_training_jpeg(picture, QUALITY)?
    } else {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(picture.as_image())?;
        bytes
    };
    let is_open = seen.cavity.iter().any(|value| *value >= 0.5);
    let cavity = is_open.then(|| {
        let [width, height] = seen.size.map(|length| length as u32);
        // As large as the picture with its strip.
        let map = GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
            let inside = if x < width && y < height {
                seen.cavity[(y * width + x) as usize]
            } else {
                0.0
            };
            Luma([(inside * 255.0).round().clamp(0.0, 255.0) as u8])
        });
        png(
            map.as_raw(),
            map.width(),
            map.height(),
            ExtendedColorType::L8,
        )
    });
    Ok(Files {
        picture: bytes,
        cavity: cavity.transpose()?,
    })
}

fn picture(seen: &Seen) -> Picture {
    Picture::from(to_image(&seen.picture, seen.size))
}

/// Colours as a picture.
pub fn to_image(colours: &[Colour], [width, height]: [usize; 2]) -> RgbImage {
    let mut image = RgbImage::new(width as u32, height as u32);
    for (pixel, colour) in image.pixels_mut().zip(colours) {
        pixel.0 = colour.map(|value| value.round().clamp(0.0, 255.0) as u8);
    }
    image
}

/// The map of the ways from a picture.
pub(super) fn map(ways: &Ways) -> Result<Vec<u8>, PairsError> {
    let mut values = Vec::with_capacity(3 * ways.ways.len());
    for way in &ways.ways {
        values.extend(way.flow.map(|way| flow::stored(way / ways.width as f32)));
        let part = way.part.map_or(0, |part| part as u16);
        let known = if way.is_known { flow::KNOWN } else { 0 };
        let visible = if way.is_visible { VISIBLE } else { 0 };
        values.push(part | known | visible);
    }
    // The encoder takes numbers as this machine keeps them.
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_ne_bytes())
        .collect();
    png(
        &bytes,
        ways.size[0] as u32,
        ways.size[1] as u32,
        ExtendedColorType::Rgb16,
    )
}

fn png(
    bytes: &[u8],
    width: u32,
    height: u32,
    colour: ExtendedColorType,
) -> Result<Vec<u8>, PairsError> {
    let mut file = Vec::new();
    let cursor = Cursor::new(&mut file);
    PngEncoder::new_with_quality(cursor, CompressionType::Fast, FilterType::Sub)
        .write_image(bytes, width, height, colour)?;
    Ok(file)
}
