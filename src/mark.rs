//! A synthetic picture -> a file that says so: a visible tag and metadata; and the way back.
//!
//! The metadata is XMP with the IPTC property DigitalSourceType, as photo programs and search
//! engines read it: <https://cv.iptc.org/newscodes/digitalsourcetype/>.

use std::io::Cursor;

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};

use crate::picture::Picture;

/// The words that are drawn into a synthetic picture.
pub const TAG: &str = "SYNTHETIC EXPRESSION";

/// The IPTC term for a photo that a trained model has changed.
pub const DIGITAL_SOURCE_TYPE: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

/// The keyword under which a PNG file carries XMP.
const PNG_KEYWORD: &[u8] = b"XML:com.adobe.xmp";

/// The name under which a JPEG file carries XMP.
const JPEG_NAME: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

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

/// The picture as a PNG file, with the visible tag and the metadata.
pub fn encode_marked_png(picture: &Picture) -> Result<Vec<u8>, MarkError> {
    let image = tagged(picture);
    let mut bytes = Vec::new();
    PngEncoder::new(Cursor::new(&mut bytes)).write_image(
        image.as_raw(),
        image.width(),
        image.height(),
        ExtendedColorType::Rgb8,
    )?;
    let mut body = b"iTXt".to_vec();
    body.extend_from_slice(PNG_KEYWORD);
    // The keyword's end, not compressed (2 bytes), no language, no translated keyword.
    body.extend_from_slice(&[0; 5]);
    body.extend_from_slice(xmp().as_bytes());
    let mut chunk = (body.len() as u32 - 4).to_be_bytes().to_vec();
    chunk.extend_from_slice(&body);
    chunk.extend_from_slice(&crc32(&body).to_be_bytes());
    insert(bytes, PNG_HEADER_BYTES, chunk)
}

/// The picture as a JPEG file of the given quality (1..=100), with the visible tag and the
/// metadata.
pub fn encode_marked_jpeg(picture: &Picture, quality: u8) -> Result<Vec<u8>, MarkError> {
    let image = tagged(picture);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100)).encode_image(&image)?;
    let xmp = xmp();
    let length = (2 + JPEG_NAME.len() + xmp.len()) as u16; // the packet is far below 64 KiB
    let mut segment = vec![0xff, 0xe1];
    segment.extend_from_slice(&length.to_be_bytes());
    segment.extend_from_slice(JPEG_NAME);
    segment.extend_from_slice(xmp.as_bytes());
    // After JFIF's own segment, which has to be the first.
    let place = match bytes.get(2..6) {
        Some(&[0xff, 0xe0, high, low]) => 4 + usize::from(u16::from_be_bytes([high, low])),
        _ => 2,
    };
    insert(bytes, place, segment)
}

/// Whether a PNG, JPEG or other file carries the metadata of a synthetic picture. The visible tag
/// is not looked for.
pub fn is_marked(bytes: &[u8]) -> bool {
    let term = b"compositeWithTrainedAlgorithmicMedia";
    // XMP packets are made to be found without knowing the file's format.
    let property = b"DigitalSourceType";
    contains(bytes, property) && contains(bytes, term)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
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
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n \
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n  \
         <rdf:Description rdf:about=\"\" \
         xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" \
         Iptc4xmpExt:DigitalSourceType=\"{DIGITAL_SOURCE_TYPE}\" \
         xmp:CreatorTool=\"FERSNet\"/>\n \
         </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>"
    )
}

/// PNG's checksum, bit by bit: the text is short.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// The picture with the tag in its lower left corner.
fn tagged(picture: &Picture) -> RgbImage {
    let mut image = picture.as_image().clone();
    draw_tag(&mut image);
    image
}

/// The tag's words, the size of its letters and the width and height of its band, in pixels.
fn layout(width: u32, height: u32) -> (&'static str, u32, (u32, u32)) {
    let words = [TAG, "SYNTHETIC", "SYN", "S"];
    let fits = |text: &&str| text_width(text, 1) + 4 <= width;
    let text = words.into_iter().find(fits).unwrap_or("S");
    // A third of the width, but no more than a quarter of the height: a panorama keeps its faces.
    let across = width / 3 / text_width(text, 1).max(1);
    let down = height / 4 / (CAPITAL_HEIGHT + 4);
    let scale = across.min(down).clamp(1, 64);
    let margin = 2 * scale;
    let band = (
        text_width(text, scale) + 2 * margin,
        CAPITAL_HEIGHT * scale + 2 * margin,
    );
    (text, scale, band)
}

/// Height of the tag's band in a picture of this size, in pixels.
pub fn tag_height(width: u32, height: u32) -> u32 {
    layout(width, height).2.1
}

/// A picture with room for the tag below, its last row repeated.
pub fn with_tag_room(image: &RgbImage) -> Picture {
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

/// Draws the tag into the lower left corner: white on a dark band, so that it is legible on any
/// picture. It takes about a third of the width, or a quarter of the height where that is less; in
/// pictures too narrow for the words, fewer words.
pub fn draw_tag(image: &mut RgbImage) {
    let (width, height) = image.dimensions();
    let (text, scale, band) = layout(width, height);
    let margin = 2 * scale;
    let top = height.saturating_sub(band.1);
    for y in top..height {
        for x in 0..band.0.min(width) {
            // Mostly black; a trace of the picture shines through.
            let pixel = image.get_pixel_mut(x, y);
            pixel.0 = pixel.0.map(|value| value / 8);
        }
    }
    draw_text(
        image,
        margin as i32,
        (top + margin) as i32,
        scale,
        text,
        Rgb([255, 255, 255]),
    );
}

/// Height of capital letters and digits at scale 1, in pixels.
pub const CAPITAL_HEIGHT: u32 = 7;

/// Height of a line with descenders at scale 1, in pixels.
pub const LINE_HEIGHT: u32 = 9;

/// From one letter to the next at scale 1, in pixels.
const ADVANCE: u32 = 6;

/// Width of a text in pixels.
pub fn text_width(text: &str, scale: u32) -> u32 {
    let letters = text.chars().count() as u32;
    (letters * ADVANCE).saturating_sub(1) * scale
}

/// Draws a line of text with its upper left corner at (x, y); what lies outside of the picture is
/// left out. Letters, digits and `. , % - + : / = ( ) ? _`; others are drawn as `?`.
pub fn draw_text(image: &mut RgbImage, x: i32, y: i32, scale: u32, text: &str, colour: Rgb<u8>) {
    for (i, letter) in text.chars().enumerate() {
        let Some(rows) = glyph(letter) else { continue };
        let left = i64::from(x) + i as i64 * i64::from(ADVANCE * scale);
        for (row, bits) in rows.into_iter().enumerate() {
            for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                let corner = (
                    left + column * i64::from(scale),
                    i64::from(y) + row as i64 * i64::from(scale),
                );
                fill_square(image, corner, scale, colour);
            }
        }
    }
}

fn fill_square(image: &mut RgbImage, (x, y): (i64, i64), side: u32, colour: Rgb<u8>) {
    let range = |from: i64, length: u32| {
        let length = i64::from(length);
        from.clamp(0, length) as u32..(from + i64::from(side)).clamp(0, length) as u32
    };
    for row in range(y, image.height()) {
        for column in range(x, image.width()) {
            image.put_pixel(column, row, colour);
        }
    }
}

/// The rows of a letter, from the top, 5 bits each; nothing for a space.
fn glyph(letter: char) -> Option<[u8; 9]> {
    if letter == ' ' {
        return None;
    }
    let find = |wanted| GLYPHS.iter().find(|(letter, _)| *letter == wanted);
    find(letter).or_else(|| find('?')).map(|(_, rows)| *rows)
}

/// Seven rows above the line and two below, drawn for this project.
#[rustfmt::skip]
const GLYPHS: &[(char, [u8; 9])] = &[
    ('A', [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11, 0x00, 0x00]),
    ('B', [0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e, 0x00, 0x00]),
    ('C', [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e, 0x00, 0x00]),
    ('D', [0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e, 0x00, 0x00]),
    ('E', [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f, 0x00, 0x00]),
    ('F', [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10, 0x00, 0x00]),
    ('G', [0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0e, 0x00, 0x00]),
    ('H', [0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11, 0x00, 0x00]),
    ('I', [0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e, 0x00, 0x00]),
    ('J', [0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c, 0x00, 0x00]),
    ('K', [0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11, 0x00, 0x00]),
    ('L', [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f, 0x00, 0x00]),
    ('M', [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11, 0x00, 0x00]),
    ('N', [0x11, 0x19, 0x19, 0x15, 0x13, 0x13, 0x11, 0x00, 0x00]),
    ('O', [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e, 0x00, 0x00]),
    ('P', [0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10, 0x00, 0x00]),
    ('Q', [0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d, 0x00, 0x00]),
    ('R', [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11, 0x00, 0x00]),
    ('S', [0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e, 0x00, 0x00]),
    ('T', [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04, 0x00, 0x00]),
    ('U', [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e, 0x00, 0x00]),
    ('V', [0x11, 0x11, 0x11, 0x11, 0x0a, 0x0a, 0x04, 0x00, 0x00]),
    ('W', [0x11, 0x11, 0x11, 0x15, 0x15, 0x1b, 0x11, 0x00, 0x00]),
    ('X', [0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11, 0x00, 0x00]),
    ('Y', [0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04, 0x00, 0x00]),
    ('Z', [0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f, 0x00, 0x00]),
    ('a', [0x00, 0x00, 0x0e, 0x01, 0x0f, 0x11, 0x0f, 0x00, 0x00]),
    ('b', [0x10, 0x10, 0x1e, 0x11, 0x11, 0x11, 0x1e, 0x00, 0x00]),
    ('c', [0x00, 0x00, 0x0e, 0x11, 0x10, 0x11, 0x0e, 0x00, 0x00]),
    ('d', [0x01, 0x01, 0x0f, 0x11, 0x11, 0x11, 0x0f, 0x00, 0x00]),
    ('e', [0x00, 0x00, 0x0e, 0x11, 0x1f, 0x10, 0x0e, 0x00, 0x00]),
    ('f', [0x06, 0x09, 0x08, 0x1c, 0x08, 0x08, 0x08, 0x00, 0x00]),
    ('g', [0x00, 0x00, 0x0f, 0x11, 0x11, 0x11, 0x0f, 0x01, 0x0e]),
    ('h', [0x10, 0x10, 0x1e, 0x11, 0x11, 0x11, 0x11, 0x00, 0x00]),
    ('i', [0x04, 0x00, 0x0c, 0x04, 0x04, 0x04, 0x0e, 0x00, 0x00]),
    ('j', [0x02, 0x00, 0x06, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c]),
    ('k', [0x10, 0x10, 0x12, 0x14, 0x18, 0x14, 0x12, 0x00, 0x00]),
    ('l', [0x0c, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e, 0x00, 0x00]),
    ('m', [0x00, 0x00, 0x1a, 0x15, 0x15, 0x15, 0x15, 0x00, 0x00]),
    ('n', [0x00, 0x00, 0x1e, 0x11, 0x11, 0x11, 0x11, 0x00, 0x00]),
    ('o', [0x00, 0x00, 0x0e, 0x11, 0x11, 0x11, 0x0e, 0x00, 0x00]),
    ('p', [0x00, 0x00, 0x1e, 0x11, 0x11, 0x11, 0x1e, 0x10, 0x10]),
    ('q', [0x00, 0x00, 0x0f, 0x11, 0x11, 0x11, 0x0f, 0x01, 0x01]),
    ('r', [0x00, 0x00, 0x16, 0x19, 0x10, 0x10, 0x10, 0x00, 0x00]),
    ('s', [0x00, 0x00, 0x0f, 0x10, 0x0e, 0x01, 0x1e, 0x00, 0x00]),
    ('t', [0x08, 0x08, 0x1c, 0x08, 0x08, 0x09, 0x06, 0x00, 0x00]),
    ('u', [0x00, 0x00, 0x11, 0x11, 0x11, 0x11, 0x0f, 0x00, 0x00]),
    ('v', [0x00, 0x00, 0x11, 0x11, 0x11, 0x0a, 0x04, 0x00, 0x00]),
    ('w', [0x00, 0x00, 0x11, 0x15, 0x15, 0x15, 0x0a, 0x00, 0x00]),
    ('x', [0x00, 0x00, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x00, 0x00]),
    ('y', [0x00, 0x00, 0x11, 0x11, 0x11, 0x11, 0x0f, 0x01, 0x0e]),
    ('z', [0x00, 0x00, 0x1f, 0x02, 0x04, 0x08, 0x1f, 0x00, 0x00]),
    ('0', [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e, 0x00, 0x00]),
    ('1', [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e, 0x00, 0x00]),
    ('2', [0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f, 0x00, 0x00]),
    ('3', [0x1e, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x1e, 0x00, 0x00]),
    ('4', [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02, 0x00, 0x00]),
    ('5', [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e, 0x00, 0x00]),
    ('6', [0x0e, 0x10, 0x10, 0x1e, 0x11, 0x11, 0x0e, 0x00, 0x00]),
    ('7', [0x1f, 0x01, 0x02, 0x04, 0x04, 0x08, 0x08, 0x00, 0x00]),
    ('8', [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e, 0x00, 0x00]),
    ('9', [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x01, 0x0e, 0x00, 0x00]),
    ('.', [0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c, 0x00, 0x00]),
    (',', [0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x04, 0x08, 0x00]),
    ('%', [0x19, 0x19, 0x02, 0x04, 0x08, 0x13, 0x13, 0x00, 0x00]),
    ('-', [0x00, 0x00, 0x00, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x00]),
    ('+', [0x00, 0x04, 0x04, 0x1f, 0x04, 0x04, 0x00, 0x00, 0x00]),
    (':', [0x00, 0x0c, 0x0c, 0x00, 0x0c, 0x0c, 0x00, 0x00, 0x00]),
    ('/', [0x01, 0x01, 0x02, 0x04, 0x08, 0x10, 0x10, 0x00, 0x00]),
    ('=', [0x00, 0x00, 0x1f, 0x00, 0x1f, 0x00, 0x00, 0x00, 0x00]),
    ('(', [0x02, 0x04, 0x08, 0x08, 0x08, 0x04, 0x02, 0x00, 0x00]),
    (')', [0x08, 0x04, 0x02, 0x02, 0x02, 0x04, 0x08, 0x00, 0x00]),
    ('?', [0x0e, 0x11, 0x01, 0x06, 0x04, 0x00, 0x04, 0x00, 0x00]),
    ('_', [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1f, 0x00]),
];
