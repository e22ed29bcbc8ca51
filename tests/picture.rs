//! Any file a user drops becomes an upright picture or an error that says what to do.

use fersnet::picture::{Header, MAX_FILE_BYTES, MAX_PIXELS, Picture, PictureError};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

/// Lossy formats and colour conversions move a pure colour by this much at most.
const COLOUR_TOLERANCE: i32 = 40;

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255, 255, 255];
const BLACK: [u8; 3] = [0, 0, 0];

fn read(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn decode(name: &str) -> Picture {
    Picture::decode(&read(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The colours in the middle of the four quarters: upper left, upper right, lower left, right.
fn quarters(picture: &Picture) -> [[u8; 3]; 4] {
    let (w, h) = (picture.width(), picture.height());
    [(1, 1), (3, 1), (1, 3), (3, 3)]
        .map(|(x, y)| picture.as_image().get_pixel(w * x / 4, h * y / 4).0)
}

fn assert_quarters(name: &str, picture: &Picture, expected: [[u8; 3]; 4]) {
    for (found, expected) in quarters(picture).into_iter().zip(expected) {
        for (f, e) in found.into_iter().zip(expected) {
            let difference = i32::from(f) - i32::from(e);
            assert!(
                difference.abs() <= COLOUR_TOLERANCE,
                "{name}: {found:?}, not {expected:?}"
            );
        }
    }
}

/// A JPEG whose EXIF block says how to turn it.
fn with_orientation(jpeg: &[u8], orientation: u8, big_endian: bool) -> Vec<u8> {
    let tiff: Vec<u8> = if big_endian {
        let mut tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
        tiff
    } else {
        let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        tiff
    };
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xff, 0xe1]);
    bytes.extend((8 + tiff.len() as u16).to_be_bytes());
    bytes.extend(b"Exif\0\0");
    bytes.extend(tiff);
    bytes.extend(&jpeg[2..]);
    bytes
}

#[test]
fn every_usual_kind_of_file_is_read() {
    let colours = [RED, GREEN, BLUE, WHITE];
    for name in [
        "baseline.jpg",
        "progressive.jpg",
        "cmyk.jpg",
        "rgb.png",
        "palette.png",
        "lossy.webp",
        "lossless.webp",
        "rgb.bmp",
        "palette.bmp",
        "two-frames.gif",
    ] {
        let picture = decode(&format!("pictures/{name}"));
        assert_eq!((picture.width(), picture.height()), (48, 32), "{name}");
        assert_quarters(name, &picture, colours);
    }
}

#[test]
fn grey_pictures_become_grey_rgb() {
    for name in ["grey.jpg", "grey16.png"] {
        let picture = decode(&format!("pictures/{name}"));
        assert_quarters(name, &picture, [[76; 3], [150; 3], [29; 3], [255; 3]]);
    }
    let picture = decode("pictures/bits.png");
    assert_eq!(quarters(&picture)[3], WHITE);
}

#[test]
fn transparent_parts_become_white() {
    for name in ["alpha.png", "alpha.webp"] {
        let picture = decode(&format!("pictures/{name}"));
        assert_quarters(name, &picture, [RED, WHITE, WHITE, WHITE]);
    }
}

#[test]
fn sixteen_bits_and_transparency_are_read_together() {
    let image = image::ImageBuffer::from_fn(4, 4, |x, _| {
        image::Rgba([65535u16, 0, 0, if x < 2 { 65535 } else { 0 }])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageRgba16(image)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("encodes");
    let picture = Picture::decode(bytes.get_ref()).expect("decodes");
    assert_eq!(quarters(&picture), [RED, WHITE, RED, WHITE]);
}

#[test]
fn a_jpeg_is_turned_as_its_exif_data_says() {
    let (r, g, b, w) = (RED, GREEN, BLUE, WHITE);
    let turned = [
        [r, g, b, w],
        [g, r, w, b],
        [w, b, g, r],
        [b, w, r, g],
        [r, b, g, w],
        [b, r, w, g],
        [w, g, b, r],
        [g, w, r, b],
    ];
    let jpeg = read("pictures/baseline.jpg");
    for (orientation, expected) in (1..=8).zip(turned) {
        for big_endian in [false, true] {
            let bytes = with_orientation(&jpeg, orientation, big_endian);
            let picture = Picture::decode(&bytes).expect("decodes");
            let size = if orientation < 5 { (48, 32) } else { (32, 48) };
            assert_eq!((picture.width(), picture.height()), size);
            assert_quarters(&format!("orientation {orientation}"), &picture, expected);
        }
    }
}

#[test]
fn webp_and_png_are_turned_as_their_exif_data_says() {
    for name in ["upside-down.webp", "upside-down.png"] {
        let picture = decode(&format!("pictures/{name}"));
        assert_quarters(name, &picture, [WHITE, BLUE, GREEN, RED]);
    }
}

#[test]
fn an_exif_turn_that_makes_no_sense_is_ignored() {
    let bytes = with_orientation(&read("pictures/baseline.jpg"), 77, false);
    let picture = Picture::decode(&bytes).expect("decodes");
    assert_quarters("orientation 77", &picture, [RED, GREEN, BLUE, WHITE]);
}

#[test]
fn the_turned_photo_stands_upright() {
    let picture = decode("photos/turned.jpg");
    assert_eq!((picture.width(), picture.height()), (512, 512));
    // The flag's red stripes are to the left of the astronaut, the shuttle to the right.
    let left = picture.as_image().get_pixel(40, 200).0;
    assert!(left[0] > left[2], "{left:?}");
}

#[test]
fn an_empty_file_is_refused_by_name() {
    assert_eq!(Picture::decode(&[]), Err(PictureError::Empty));
}

#[test]
fn other_formats_are_named_in_the_error() {
    for (bytes, name) in [
        (&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x1cftypisom\0\0\0\0", "film"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"%PDF-1.7", "PDF"),
        (b"<?xml version=\"1.0\"?>\n<svg xmlns=\"\">", "SVG"),
        (b"<!DOCTYPE html><html>", "web page"),
    ] {
        let error = Picture::decode(bytes).expect_err(name);
        assert!(matches!(
            error,
            PictureError::UnknownFormat {
                recognised: Some(_)
            }
        ));
        assert!(error.to_string().contains(name), "{error}");
        assert!(error.to_string().contains("save it as JPEG"), "{error}");
    }
    let error = Picture::decode(b"just some words").expect_err("no picture");
    assert_eq!(error, PictureError::UnknownFormat { recognised: None });
}

#[test]
fn too_many_pixels_are_refused_on_the_header_alone() {
    // The file has no pixels at all: nothing but the header can have been read.
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend(100_000u32.to_be_bytes());
    png.extend(50_000u32.to_be_bytes());
    png.extend(b"\x08\x02\0\0\0\0\0\0\0");
    let error = Picture::decode(&png).expect_err("too large");
    let (width, height) = (100_000, 50_000);
    assert_eq!(error, PictureError::TooManyPixels { width, height });

    let mut gif = b"GIF89a\xff\xff\xff\xff\0\0\0;".to_vec();
    gif.extend([0; 32]);
    let error = Picture::decode(&gif).expect_err("too large");
    let (width, height) = (65_535, 65_535);
    assert_eq!(error, PictureError::TooManyPixels { width, height });

    let mut jpeg = read("pictures/baseline.jpg");
    let frame = jpeg
        .windows(2)
        .position(|w| w == [0xff, 0xc0])
        .expect("a frame header");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
    let error = Picture::decode(&jpeg).expect_err("too large");
    assert!(
        matches!(error, PictureError::TooManyPixels { width: 10_000, .. }),
        "{error}"
    );
    const { assert!(MAX_PIXELS < 10_000 * 10_000) };
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let bytes = vec![0; MAX_FILE_BYTES as usize + 1];
    let error = Picture::decode(&bytes).expect_err("too large");
    assert!(matches!(error, PictureError::FileTooLarge { .. }));
    assert!(error.to_string().contains("256 MiB"), "{error}");
}

#[test]
fn a_file_that_was_cut_says_so() {
    for name in [
        "photos/turned.jpg",
        "pictures/rgb.png",
        "pictures/lossy.webp",
        "pictures/rgb.bmp",
    ] {
        let bytes = read(name);
        let error = Picture::decode(&bytes[..bytes.len() * 3 / 4]).expect_err(name);
        assert!(
            matches!(error, PictureError::Truncated { .. }),
            "{name}: {error}"
        );
    }
    let gif = read("pictures/two-frames.gif");
    let error = Picture::decode(&gif[..gif.len() / 3]).expect_err("cut");
    assert!(matches!(error, PictureError::Truncated { .. }), "{error}");
}

#[test]
fn cut_and_altered_files_never_panic() {
    let folder = format!("{}/tests/pictures", env!("CARGO_MANIFEST_DIR"));
    let mut random = 0x2545_f491_4f6c_dd1du64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as usize
    };
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        for length in 0..bytes.len() {
            let _ = Picture::decode(&bytes[..length]);
        }
        for _ in 0..3000 {
            let mut altered = bytes.clone();
            for _ in 0..1 + next() % 4 {
                let at = next() % altered.len();
                altered[at] = next() as u8;
            }
            if let Ok(picture) = Picture::decode(&altered) {
                assert!(picture.width() > 0 && picture.height() > 0);
            }
        }
    }
}

#[test]
fn an_altered_photo_never_panics() {
    let image = RgbImage::from_fn(64, 48, |x, y| {
        Rgb([(x * 4) as u8, (y * 5) as u8, (x ^ y) as u8])
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 90)
        .encode_image(&image)
        .expect("encodes");
    for at in 0..jpeg.len() {
        for value in [0x00, 0x7f, 0xd9, 0xff] {
            let mut altered = jpeg.clone();
            altered[at] = value;
            let _ = Picture::decode(&altered);
        }
    }
}

#[test]
fn a_gifs_first_frame_is_taken() {
    let picture = decode("pictures/two-frames.gif");
    assert_ne!(quarters(&picture)[0], BLACK);
}

#[test]
fn a_header_tells_the_size_that_decoding_gives() {
    for name in [
        "baseline.jpg",
        "cmyk.jpg",
        "grey16.png",
        "lossy.webp",
        "rgb.bmp",
        "two-frames.gif",
    ] {
        let header = Header::of(&read(&format!("pictures/{name}"))).expect("a picture");
        assert_eq!(
            (header.size, header.is_read),
            (Some([48, 32]), true),
            "{name}"
        );
        assert_eq!(header.decoded_size(), header.size);
    }
    let turned = with_orientation(&read("pictures/baseline.jpg"), 6, true);
    assert_eq!(Header::of(&turned).expect("a picture").size, Some([32, 48]));
}

#[test]
fn a_header_refuses_what_decoding_would_refuse() {
    let jpeg = read("pictures/baseline.jpg");
    let truncated = &jpeg[..jpeg.len() / 2];
    for bytes in [&b""[..], b"a diary", b"<svg/>", truncated] {
        assert_eq!(Header::of(bytes).err(), Picture::decode(bytes).err());
        assert!(Header::of(bytes).is_err());
    }
}

/// A JPEG whose frame header states this size; nothing was encoded at it.
fn jpeg_of_size(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = read("pictures/baseline.jpg");
    let frame = bytes
        .windows(2)
        .position(|marker| marker == [0xff, 0xc0])
        .expect("a frame header");
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

#[test]
fn a_jpeg_of_fifty_megapixels_is_for_a_browser_to_make_smaller() {
    let header = Header::of(&jpeg_of_size(8660, 5774)).expect("a picture");
    assert_eq!(header.size, Some([8660, 5774]));
    assert_eq!(header.decoded_size(), Some([4330, 2887]));
    for (width, height) in [(65_535, 65_535), (12_000, 10_001)] {
        let (width, height): (u16, u16) = (width, height);
        let error = Header::of(&jpeg_of_size(width, height));
        assert!(
            matches!(error, Err(PictureError::TooManyPixels { .. })),
            "{error:?}"
        );
    }
}

/// The beginning of a HEIC or AVIF file: its type, and boxes that state the sizes of its pictures.
fn container(brand: &[u8; 4], sizes: &[[u32; 2]]) -> Vec<u8> {
    let mut bytes = [&[0, 0, 0, 16][..], b"ftyp", brand, &[0; 4]].concat();
    for [width, height] in sizes {
        bytes.extend([0, 0, 0, 20]);
        bytes.extend(b"ispe");
        bytes.extend([0; 4]);
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
    }
    bytes
}

#[test]
fn what_only_browsers_decode_is_let_through_within_the_limits() {
    let sizes = [[320, 240], [4032, 3024], [512, 512]];
    for (brand, format) in [(b"heic", "HEIC"), (b"avif", "AVIF")] {
        let header = Header::of(&container(brand, &sizes)).expect("a picture");
        assert_eq!((header.format, header.is_read), (format, false));
        assert_eq!(header.size, Some([4032, 3024]));
    }
    assert_eq!(
        Header::of(&container(b"heic", &[]))
            .expect("a picture")
            .size,
        None
    );
    let error = Header::of(&container(b"avif", &[[20_000, 20_000]]));
    assert!(
        matches!(error, Err(PictureError::TooManyPixels { .. })),
        "{error:?}"
    );
    let film = Header::of(&container(b"isom", &[]));
    assert!(
        matches!(film, Err(PictureError::UnknownFormat { .. })),
        "{film:?}"
    );
}
