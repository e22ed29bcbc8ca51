//! A synthetic picture -> a file that says so: a visible tag, a watermark and metadata; and the way back.
//!
//! The metadata is XMP with the IPTC property DigitalSourceType, as photo programs and search
//! engines read it: <https://cv.iptc.org/newscodes/digitalsourcetype/>. What the photo's own file said of its
//! origin ([`Claims`]) stays beside it.

mod find_tag;
mod tag;

use std::io::Cursor;

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbImage};

use crate::claims::Claims;
use crate::picture::Picture;
use crate::watermark;

pub use find_tag::{FoundTag, find_tag};
pub use tag::{
    CAPITAL_HEIGHT, LINE_HEIGHT, TAG, draw_tag, draw_text, tag_height, text_width, with_tag_room,
};

/// The IPTC term for a photo that a trained model has changed.
pub const DIGITAL_SOURCE_TYPE: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

/// The last part of [`DIGITAL_SOURCE_TYPE`].
const TERM: &str = "compositeWithTrainedAlgorithmicMedia";

/// The property that has it.
const PROPERTY: &str = "DigitalSourceType";

/// Who made it, in the metadata.
const MAKER: &str = "FERSNet";

/// Where a PNG file's header ends: the signature (8) and IHDR (25).
const PNG_HEADER_BYTES: usize = 33;

/// Why a picture was not written.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// The encoder refused the picture.
    #[error("the picture could not be encoded: {0}")]
    Encode(#[from] image::ImageError),
    /// The encoder refused the animation.
    #[error("the animation could not be encoded: {0}")]
    Animation(#[from] gif::EncodingError),
    /// The encoder's output is not the file that was expected.
    #[error("the encoded picture has no place for its mark, so it is not saved")]
    NoPlaceForMetadata,
}

/// The picture as a PNG file, with the watermark, the visible tag and the metadata; `claims` are those of the
/// photo that it was made of.
///
/// # Errors
/// [`MarkError`] when the encoder refuses the picture.
pub fn encode_marked_png(picture: &Picture, claims: &Claims) -> Result<Vec<u8>, MarkError> {
    let image = marked(picture);
    let mut bytes = Vec::new();
    PngEncoder::new(Cursor::new(&mut bytes)).write_image(
        image.as_raw(),
        image.width(),
        image.height(),
        ExtendedColorType::Rgb8,
    )?;
    let chunks = claims.with_mark().png_chunks();
    insert(bytes, PNG_HEADER_BYTES, chunks)
}

/// The picture as a JPEG file of the given quality (1..=100), with the watermark, the visible tag and the
/// metadata; `claims` are those of the photo that it was made of.
///
/// # Errors
/// [`MarkError`] when the encoder refuses the picture.
pub fn encode_marked_jpeg(
    picture: &Picture,
    quality: u8,
    claims: &Claims,
) -> Result<Vec<u8>, MarkError> {
    encode_jpeg(&marked(picture), quality, &claims.with_mark())
}

/// A picture to train on as a JPEG file: with the visible tag and the metadata, without the watermark, which a
/// network would learn to see in the faces that were drawn.
///
/// # Errors
/// [`MarkError`] when the encoder refuses the picture.
pub fn encode_training_jpeg(picture: &Picture, quality: u8) -> Result<Vec<u8>, MarkError> {
    let mut image = picture.as_image().clone();
    draw_tag(&mut image);
    encode_jpeg(&image, quality, &Claims::default().with_mark())
}

fn encode_jpeg(image: &RgbImage, quality: u8, claims: &Claims) -> Result<Vec<u8>, MarkError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100)).encode_image(image)?;
    // After JFIF's own segment, which has to be the first.
    let place = match bytes.get(2..6) {
        Some(&[0xff, 0xe0, high, low]) => 4 + usize::from(u16::from_be_bytes([high, low])),
        _ => 2,
    };
    insert(bytes, place, claims.jpeg_segments())
}

/// Whether a PNG, JPEG or other file carries the metadata of a synthetic picture. The visible tag and the
/// watermark are not looked for.
pub fn is_marked(bytes: &[u8]) -> bool {
    // XMP packets are made to be found without knowing the file's format.
    contains(bytes, PROPERTY) && contains(bytes, TERM)
}

/// Whether that metadata is ours.
pub fn is_marked_here(bytes: &[u8]) -> bool {
    is_marked(bytes) && contains(bytes, MAKER)
}

pub(crate) fn contains(bytes: &[u8], part: &str) -> bool {
    let part = part.as_bytes();
    bytes.windows(part.len()).any(|window| window == part)
}

pub(crate) fn insert(
    mut bytes: Vec<u8>,
    place: usize,
    part: Vec<u8>,
) -> Result<Vec<u8>, MarkError> {
    if place > bytes.len() {
        return Err(MarkError::NoPlaceForMetadata);
    }
    bytes.splice(place..place, part);
    Ok(bytes)
}

/// The metadata as an XMP packet.
pub(crate) fn xmp() -> String {
    let description = description(true);
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n \
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n  \
         {description}\n \
         </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>"
    )
}

/// The metadata in an XMP packet; without `is_tool` the property of the program that wrote the file is left to
/// another one, and a property of our own names the maker.
fn description(is_tool: bool) -> String {
    let (space, maker) = if is_tool {
        ("xmp=\"http://ns.adobe.com/xap/1.0/\"", "xmp:CreatorTool")
    } else {
        ("fersnet=\"urn:fersnet\"", "fersnet:Maker")
    };
    format!(
        "<rdf:Description rdf:about=\"\" \
         xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
         xmlns:{space} \
         Iptc4xmpExt:{PROPERTY}=\"{DIGITAL_SOURCE_TYPE}\" \
         {maker}=\"{MAKER}\"/>"
    )
}

/// Another program's XMP packet with the metadata put into it; none where it states another source, or is not
/// written as such packets mostly are.
pub(crate) fn xmp_within(packet: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(packet).ok()?;
    if text.contains(PROPERTY) {
        return None;
    }
    let place = text.rfind("</rdf:RDF>")?;
    let description = description(!text.contains("CreatorTool"));
    let (before, after) = text.split_at(place);
    Some(format!("{before} {description}\n {after}").into_bytes())
}

/// The picture with the watermark, and the tag in its lower left corner.
fn marked(picture: &Picture) -> RgbImage {
    let mut image = picture.as_image().clone();
    watermark::embed(&mut image);
    draw_tag(&mut image);
    image
}
