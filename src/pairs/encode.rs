//! Pictures and maps of a portrait -> files: marked where they are drawn.
//!
//! The maps of a drawn face come in one 16-bit RGB PNG of half its size; each of its pixels is that of the
//! picture at twice its column and row. Red and green are the flow as [`FlowMap`](crate::data::flow::FlowMap)
//! stores it: where the pixel was in the photo, less where it is. Blue is the part of the face
//! ([`Part`](super::model::Part) as a number, 0 outside), and 256 more where the photo shows what is there: there
//! the flow is known.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, GrayImage, ImageBuffer, ImageEncoder, Luma, RgbImage};

use super::PairsError;
use super::draw::Drawn;
use super::model::Part;
use super::plan::Seen;
use super::view::Colour;
use crate::data::flow;
use crate::enlarge::strip::with_strip;
use crate::face::{Alignment, Point};
use crate::mark::{encode_marked_jpeg, tag_height};
use crate::picture::Picture;

/// JPEG quality of the pictures; colours at full resolution, as the encoder keeps them.
const QUALITY: u8 = 92;

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

/// A picture with room for the tag below, its last row repeated.
pub(super) fn with_tag_room(image: &RgbImage) -> Picture {
    let (width, height) = image.dimensions();
    // The tag's letters grow with the picture, and the picture with them.
    let mut tall = height + tag_height(width, height);
    while height + tag_height(width, tall) > tall {
        tall = height + tag_height(width, tall);
    }
    let last = height.saturating_sub(1);
    Picture::from(RgbImage::from_fn(width, tall, |x, y| {
        *image.get_pixel(x, y.min(last))
    }))
}

fn files(seen: &Seen, picture: &Picture, is_drawn: bool) -> Result<Files, PairsError> {
    let bytes = if is_drawn {
        encode_marked_jpeg(picture, QUALITY)?
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

/// Flow, parts and visibility of a drawn face, as the module says.
pub(super) fn maps(drawn: &Drawn) -> Result<Vec<u8>, PairsError> {
    let [width, height] = drawn.size;
    let half = [width.div_ceil(2), height.div_ceil(2)];
    let mut values = Vec::with_capacity(3 * half[0] * half[1]);
    for y in 0..half[1] {
        for x in 0..half[0] {
            let pixel = 2 * y * width + 2 * x;
            values.extend(drawn.flow[pixel].map(|way| flow::stored(way / width as f32)));
            let part = drawn.part[pixel].map_or(0, |part| part as u16);
            let visible = if drawn.is_visible[pixel] {
                flow::KNOWN
            } else {
                0
            };
            values.push(part | visible);
        }
    }
    // The encoder takes numbers as this machine keeps them.
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_ne_bytes())
        .collect();
    png(
        &bytes,
        half[0] as u32,
        half[1] as u32,
        ExtendedColorType::Rgb16,
    )
}

/// What the maps of a face say of one of their pixels: the flow in widths of the picture, the part, and whether
/// the photo shows it.
pub fn read_maps(
    maps: &ImageBuffer<image::Rgb<u16>, Vec<u16>>,
    x: u32,
    y: u32,
) -> ([f32; 2], Option<Part>, bool) {
    let [right, down, rest] = maps.get_pixel(x, y).0;
    let way = [right, down].map(flow::way);
    (way, Part::from_map(rest as u8), rest & flow::KNOWN != 0)
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
