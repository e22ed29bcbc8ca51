//! Bytes of a file -> an upright RGB picture: format, limits before decoding, EXIF turn.

use std::error::Error;
use std::io::{Cursor, ErrorKind};

use image::codecs::{
    bmp::BmpDecoder, gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder,
};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits, RgbImage};

/// The most pixels a picture may have: checked on the file's header, before anything is decoded.
pub const MAX_PIXELS: u64 = 40_000_000;

/// The most pixels of a JPEG that a browser decodes to a smaller picture: 120 megapixels, more than phones take.
pub const MAX_SCALED_PIXELS: u64 = 120_000_000;

/// The most bytes a picture file may have.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// The most bytes a decoder may allocate: 40 megapixels of 16-bit RGBA, and room to work in.
const MAX_DECODER_BYTES: u64 = MAX_PIXELS * 8 + 192 * 1024 * 1024;

/// Why a file did not become a picture; the text says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The file has no bytes.
    #[error("the file is empty: choose a picture (JPEG, PNG, WebP, BMP or GIF)")]
    Empty,
    /// The file is none of the formats that are read.
    #[error("{}", unknown_format(.recognised))]
    UnknownFormat {
        /// What the file looks like, when that could be told.
        recognised: Option<&'static str>,
    },
    /// The picture is larger than [`MAX_PIXELS`].
    #[error(
        "the picture is {width} x {height} pixels, more than the {} megapixels that are read: make it smaller first",
        MAX_PIXELS / 1_000_000
    )]
    TooManyPixels {
        /// Width that the header states.
        width: u32,
        /// Height that the header states.
        height: u32,
    },
    /// The file is larger than [`MAX_FILE_BYTES`].
    #[error(
        "the file has {bytes} bytes, more than the {} MiB that are read: save it smaller first",
        MAX_FILE_BYTES / (1024 * 1024)
    )]
    FileTooLarge {
        /// Size of the file.
        bytes: u64,
    },
    /// The file ends before the picture does.
    #[error("the {format} file ends before the picture does: copy or download it again")]
    Truncated {
        /// The file's format.
        format: &'static str,
    },
    /// The file contradicts its format.
    #[error("the {format} file is damaged ({reason}): open it in another program and save it anew")]
    Malformed {
        /// The file's format.
        format: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// The file uses a part of its format that is not read.
    #[error("this kind of {format} file is not read ({reason}): save it as a plain JPEG or PNG")]
    Unsupported {
        /// The file's format.
        format: &'static str,
        /// What the decoder said.
        reason: String,
    },
}

fn unknown_format(recognised: &Option<&'static str>) -> String {
    match recognised {
        Some(name) => format!(
            "the file looks like {name}, which is not read: save it as JPEG, PNG, WebP, BMP or GIF"
        ),
        None => "the file is not a picture that can be read: choose a JPEG, PNG, WebP, BMP or GIF"
            .to_owned(),
    }
}

/// An upright picture in 8-bit sRGB.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture(RgbImage);

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} x {})", self.width(), self.height())
    }
}

impl From<RgbImage> for Picture {
    fn from(image: RgbImage) -> Self {
        Self(image)
    }
}

/// What a file says of its picture before it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The file's format as people call it.
    pub format: &'static str,
    /// Width and height of the picture, upright; none where the file does not say so at its beginning.
    pub size: Option<[u32; 2]>,
    /// Whether [`Picture::decode`] reads it; what it does not, a browser may.
    pub is_read: bool,
}

impl Header {
    /// Looks at a file as [`Picture::decode`] does before it decodes, for somebody else who will: the same limits hold,
    /// but a JPEG may have up to [`MAX_SCALED_PIXELS`], and the formats of phones that this crate does not read
    /// (HEIC, AVIF, JPEG XL) are let through.
    ///
    /// # Errors
    /// [`PictureError`] for what is no picture, is cut short, or is too large.
    pub fn of(bytes: &[u8]) -> Result<Self, PictureError> {
        check_length(bytes)?;
        let format = match Format::of(bytes) {
            Ok(format) => format,
            Err(error) => return Self::of_browsers(bytes).unwrap_or(Err(error)),
        };
        let most = match format {
            Format::Jpeg => MAX_SCALED_PIXELS,
            _ => MAX_PIXELS,
        };
        format.check_png_header(bytes)?;
        let (decoder, orientation) = format.opened(bytes, most)?;
        let (width, height) = decoder.dimensions();
        Ok(Self {
            format: format.name(),
            size: Some(if is_turned(orientation) {
                [height, width]
            } else {
                [width, height]
            }),
            is_read: true,
        })
    }

    /// The size to which it is decoded: its own, or where that is more than [`MAX_PIXELS`] a half, a quarter, ...
    pub fn decoded_size(&self) -> Option<[u32; 2]> {
        let mut size = self.size?;
        while u64::from(size[0]) * u64::from(size[1]) > MAX_PIXELS {
            size = size.map(|side| (side / 2).max(1));
        }
        Some(size)
    }

    /// A format that browsers may read; none where they do not.
    fn of_browsers(bytes: &[u8]) -> Option<Result<Self, PictureError>> {
        let recognised = recognise(bytes)?;
        let mut known = BROWSERS_READ.into_iter();
        let (_, format) = known.find(|(name, _)| *name == recognised)?;
        let size = largest_item(bytes);
        let checked = size.map_or(Ok(()), |[width, height]| {
            check_size(width, height, MAX_PIXELS)
        });
        Some(checked.map(|()| Self {
            format,
            size,
            is_read: false,
        }))
    }
}

impl Picture {
    /// Reads a JPEG, PNG, WebP or BMP file or a GIF file's first frame, and turns it upright as
    /// its EXIF data says. Transparent parts become white; colour profiles are not applied.
    pub fn decode(bytes: &[u8]) -> Result<Self, PictureError> {
        check_length(bytes)?;
        let format = Format::of(bytes)?;
        format.check_png_header(bytes)?;
        format.decode(bytes).map(Self)
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// The pixels.
    pub fn as_image(&self) -> &RgbImage {
        &self.0
    }

    /// The pixels, taken out.
    pub fn into_image(self) -> RgbImage {
        self.0
    }
}

/// The formats that are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Jpeg,
    Png,
    WebP,
    Bmp,
    Gif,
}

impl Format {
    fn of(bytes: &[u8]) -> Result<Self, PictureError> {
        match image::guess_format(bytes) {
            Ok(ImageFormat::Jpeg) => Ok(Self::Jpeg),
            Ok(ImageFormat::Png) => Ok(Self::Png),
            Ok(ImageFormat::WebP) => Ok(Self::WebP),
            Ok(ImageFormat::Bmp) => Ok(Self::Bmp),
            Ok(ImageFormat::Gif) => Ok(Self::Gif),
            _ => Err(PictureError::UnknownFormat {
                recognised: recognise(bytes),
            }),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Gif => "GIF",
        }
    }

    /// PNG's decoder refuses sizes above its memory limit without naming them: look first.
    fn check_png_header(self, bytes: &[u8]) -> Result<(), PictureError> {
        if self != Self::Png || bytes.get(12..16) != Some(b"IHDR") {
            return Ok(());
        }
        match (big_endian(bytes, 16), big_endian(bytes, 20)) {
            (Some(width), Some(height)) => check_size(width, height, MAX_PIXELS),
            _ => Ok(()),
        }
    }

    fn decode(self, bytes: &[u8]) -> Result<RgbImage, PictureError> {
        let (decoder, orientation) = self.opened(bytes, MAX_PIXELS)?;
        let image = DynamicImage::from_decoder(decoder);
        let mut image = image.map_err(|error| self.failed(error, bytes))?;
        image.apply_orientation(orientation);
        Ok(flatten(image))
    }

    fn decoder(self, bytes: &[u8]) -> Result<Box<dyn ImageDecoder + '_>, ImageError> {
        let reader = Cursor::new(bytes);
        Ok(match self {
            Self::Jpeg => Box::new(JpegDecoder::new(reader)?),
            Self::Png => Box::new(PngDecoder::with_limits(reader, limits())?),
            Self::WebP => Box::new(WebPDecoder::new(reader)?),
            Self::Bmp => Box::new(BmpDecoder::new(reader)?),
            Self::Gif => Box::new(GifDecoder::new(reader)?),
        })
    }

    /// The decoder of a file whose header is in order and has at most so many pixels, and how the picture is turned.
    fn opened(
        self,
        bytes: &[u8],
        most_pixels: u64,
    ) -> Result<(Box<dyn ImageDecoder + '_>, Orientation), PictureError> {
        let failed = |error| self.failed(error, bytes);
        let mut decoder = self.decoder(bytes).map_err(failed)?;
        let (width, height) = decoder.dimensions();
        check_size(width, height, most_pixels)?;
        if width == 0 || height == 0 {
            return Err(PictureError::Malformed {
                format: self.name(),
                reason: "it has no pixels".to_owned(),
            });
        }
        if self.ends_early(bytes) {
            return Err(PictureError::Truncated {
                format: self.name(),
            });
        }
        decoder.set_limits(limits()).map_err(failed)?;
        // A damaged EXIF block is no reason to refuse the picture.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        Ok((decoder, orientation))
    }

    /// Turns a decoder's error into one that says what to do.
    fn failed(self, error: ImageError, bytes: &[u8]) -> PictureError {
        let format = self.name();
        if self.ends_early(bytes) || is_end_of_file(&error) {
            return PictureError::Truncated { format };
        }
        let reason = innermost(&error);
        match error {
            ImageError::Unsupported(_) => PictureError::Unsupported { format, reason },
            _ => PictureError::Malformed { format, reason },
        }
    }

    /// Whether the file's own structure says that bytes are missing at its end.
    fn ends_early(self, bytes: &[u8]) -> bool {
        match self {
            Self::Jpeg => !jpeg_has_end(bytes),
            Self::Png => !png_has_end(bytes),
            Self::WebP => match bytes.get(4..8) {
                Some(&[a, b, c, d]) => {
                    (bytes.len() as u64) < u64::from(u32::from_le_bytes([a, b, c, d])) + 8
                }
                _ => true,
            },
            Self::Gif => gif_has_first_frame(bytes).is_none(),
            // Its decoder reports the missing bytes itself.
            Self::Bmp => false,
        }
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    limits
}

fn check_length(bytes: &[u8]) -> Result<(), PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    let length = bytes.len() as u64;
    if length > MAX_FILE_BYTES {
        return Err(PictureError::FileTooLarge { bytes: length });
    }
    Ok(())
}

fn is_turned(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

fn check_size(width: u32, height: u32, most: u64) -> Result<(), PictureError> {
    if u64::from(width) * u64::from(height) > most {
        return Err(PictureError::TooManyPixels { width, height });
    }
    Ok(())
}

/// Any colour type -> 8-bit RGB, over white where it is transparent.
fn flatten(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    let (width, height) = image.dimensions();
    let mut flat = RgbImage::new(width, height);
    for (to, from) in flat.pixels_mut().zip(image.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        to.0 = [red, green, blue].map(|c| ((c * alpha + 255 * (255 - alpha) + 127) / 255) as u8);
    }
    flat
}

/// Walks the segments to the end-of-image marker; thumbnails within segments are stepped over.
fn jpeg_has_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&byte) = bytes.get(at) {
        let Some(&marker) = bytes.get(at + 1) else {
            return false;
        };
        // Picture data, stuffed bytes, restart markers and fill bytes lie between the segments.
        if byte != 0xff || matches!(marker, 0x00 | 0x01 | 0xd0..=0xd8) {
            at += if byte == 0xff { 2 } else { 1 };
            continue;
        }
        match marker {
            0xff => at += 1,
            0xd9 => return true,
            _ => {
                let (Some(&high), Some(&low)) = (bytes.get(at + 2), bytes.get(at + 3)) else {
                    return false;
                };
                at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
            }
        }
    }
    false
}

/// Walks the chunks to IEND.
fn png_has_end(bytes: &[u8]) -> bool {
    let mut at = 8;
    loop {
        let Some(length) = big_endian(bytes, at) else {
            return false;
        };
        let kind = bytes.get(at + 4..at + 8);
        let next = at as u64 + 12 + u64::from(length);
        if next > bytes.len() as u64 {
            return false;
        }
        if kind == Some(b"IEND") {
            return true;
        }
        at = next as usize;
    }
}

/// Walks the blocks to the end of the first frame.
fn gif_has_first_frame(bytes: &[u8]) -> Option<()> {
    let byte = |at: usize| bytes.get(at).copied();
    let colours = |flags: u8| {
        if flags & 0x80 != 0 {
            6 << (flags & 7)
        } else {
            0
        }
    };
    let after_blocks = |mut at: usize| -> Option<usize> {
        loop {
            let length = usize::from(byte(at)?);
            at += 1 + length;
            if length == 0 {
                return Some(at);
            }
        }
    };
    let mut at = 13 + colours(byte(10)?);
    loop {
        match byte(at)? {
            0x21 => at = after_blocks(at + 2)?,
            0x2c => return after_blocks(at + 11 + colours(byte(at + 9)?)).map(|_| ()),
            // Not a GIF's structure: the decoder says what it is.
            _ => return Some(()),
        }
    }
}

fn big_endian(bytes: &[u8], at: usize) -> Option<u32> {
    match bytes.get(at..at.checked_add(4)?) {
        Some(&[a, b, c, d]) => Some(u32::from_be_bytes([a, b, c, d])),
        _ => None,
    }
}

/// What [`recognise`] says of files that some browsers decode, and their format.
const BROWSERS_READ: [(&str, &str); 3] = [
    ("a HEIC picture", "HEIC"),
    ("an AVIF picture", "AVIF"),
    ("a JPEG XL picture", "JPEG XL"),
];

/// How far from its beginning a HEIC or AVIF file is searched for its pictures' sizes.
const SIZES_WITHIN: usize = 64 * 1024;

/// Width and height of the largest picture of a HEIC or AVIF file, as its boxes `ispe` state them.
fn largest_item(bytes: &[u8]) -> Option<[u32; 2]> {
    let head = &bytes[..bytes.len().min(SIZES_WITHIN)];
    let boxes = head.windows(4).enumerate();
    let boxes = boxes.filter(|(_, kind)| kind == b"ispe");
    // After the box's kind come its version and flags.
    let sizes =
        boxes.filter_map(|(at, _)| Some([big_endian(bytes, at + 8)?, big_endian(bytes, at + 12)?]));
    sizes.max_by_key(|[width, height]| u64::from(*width) * u64::from(*height))
}

/// What a file is that is none of the formats that are read, by its first bytes.
fn recognise(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(1024)];
    if head.get(4..8) == Some(b"ftyp") {
        return Some(match head.get(8..12) {
            Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1") => {
                "a HEIC picture"
            }
            Some(b"avif" | b"avis") => "an AVIF picture",
            _ => "an MP4 or QuickTime film",
        });
    }
    const MAGIC: [(&[u8], &str); 14] = [
        (b"II*\0", "a TIFF picture (or a camera's raw file)"),
        (b"MM\0*", "a TIFF picture (or a camera's raw file)"),
        (b"%PDF", "a PDF document"),
        (b"8BPS", "a Photoshop document"),
        (b"\0\0\x01\0", "an icon"),
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
        (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
        (b"P6\n", "a PPM picture"),
        (b"P5\n", "a PGM picture"),
        (b"qoif", "a QOI picture"),
        (b"PK\x03\x04", "a ZIP archive or office document"),
        (b"\x1aE\xdf\xa3", "a WebM or Matroska film"),
        (b"\x1f\x8b", "a gzip archive"),
    ];
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(name);
    }
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg")) {
        Some("an SVG drawing")
    } else if text.starts_with("<!doctype html") || text.starts_with("<html") {
        Some("a web page")
    } else {
        None
    }
}

/// Whether the error, or one that it wraps, says that the bytes ran out.
fn is_end_of_file(error: &ImageError) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = match error {
        ImageError::IoError(io) => Some(io), // it is no source of the error around it
        _ => Some(error),
    };
    while let Some(error) = next {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == ErrorKind::UnexpectedEof) {
            return true;
        }
        next = error.source();
    }
    false
}

/// The text of the error at the bottom of the chain: the others only repeat it.
fn innermost(error: &ImageError) -> String {
    let mut at: &dyn Error = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}
