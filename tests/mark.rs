//! A saved synthetic picture says so, to people and to programs.

use fersnet::claims::Claims;
use fersnet::mark::{
    DIGITAL_SOURCE_TYPE, draw_text, encode_marked_jpeg, encode_marked_png, is_marked, text_width,
};
use fersnet::picture::Picture;
use image::codecs::{jpeg::JpegDecoder, png::PngDecoder};
use image::{ImageDecoder, Rgb, RgbImage};
use std::io::Cursor;

fn plain(width: u32, height: u32, value: u8) -> Picture {
    Picture::from(RgbImage::from_pixel(width, height, Rgb([value; 3])))
}

#[test]
fn a_marked_png_carries_the_digital_source_type_as_xmp() {
    let bytes = encode_marked_png(&plain(320, 200, 90), &Claims::default()).expect("encodes");
    let mut decoder = PngDecoder::new(Cursor::new(&bytes)).expect("a PNG");
    let xmp = decoder.xmp_metadata().expect("readable").expect("XMP");
    let xmp = String::from_utf8(xmp).expect("text");
    assert!(xmp.contains(&format!(
        "Iptc4xmpExt:DigitalSourceType=\"{DIGITAL_SOURCE_TYPE}\""
    )));
    assert!(is_marked(&bytes));
}

#[test]
fn a_marked_jpeg_carries_the_digital_source_type_as_xmp() {
    let bytes = encode_marked_jpeg(&plain(320, 200, 90), 90, &Claims::default()).expect("encodes");
    let mut decoder = JpegDecoder::new(Cursor::new(&bytes)).expect("a JPEG");
    let xmp = decoder.xmp_metadata().expect("readable").expect("XMP");
    assert!(String::from_utf8_lossy(&xmp).contains(DIGITAL_SOURCE_TYPE));
    assert!(is_marked(&bytes));
}

#[test]
fn an_ordinary_picture_is_not_taken_for_a_marked_one() {
    let folder = format!("{}/tests/photos", env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        assert!(!is_marked(&bytes) || path.extension().is_some_and(|e| e == "md"));
    }
    assert!(!is_marked(b""));
}

#[test]
fn the_marked_file_is_still_the_picture_apart_from_the_tag() {
    let picture = plain(320, 200, 90);
    let bytes = encode_marked_png(&picture, &Claims::default()).expect("encodes");
    let back = Picture::decode(&bytes).expect("decodes");
    assert_eq!((back.width(), back.height()), (320, 200));
    // The tag is in the lower left corner: the upper half and the right half stay, but for the watermark, which on
    // a flat picture is single steps of a level.
    for (x, y, pixel) in back.as_image().enumerate_pixels() {
        if y < 100 || x > 160 {
            assert!(
                pixel.0.iter().all(|value| value.abs_diff(90) <= 1),
                "({x}, {y})"
            );
        }
    }
}

#[test]
fn the_tag_is_legible_on_white_on_black_and_at_any_size() {
    for value in [0, 128, 255] {
        for (width, height) in [(64, 64), (96, 96), (512, 300), (4000, 3000)] {
            let bytes = encode_marked_png(&plain(width, height, value), &Claims::default())
                .expect("encodes");
            let back = Picture::decode(&bytes).expect("decodes");
            let pixels = || back.as_image().pixels();
            let white = pixels().filter(|p| p.0 == [255; 3]).count();
            let dark = pixels().filter(|p| p.0[0] <= 32).count();
            assert!(
                white > 40,
                "{white} white pixels at {width} x {height} on {value}"
            );
            assert!(
                dark > white.min(200),
                "{dark} dark pixels at {width} x {height} on {value}"
            );
        }
    }
}

#[test]
fn the_smallest_pictures_can_be_marked() {
    for (width, height) in [(1, 1), (3, 90), (90, 3)] {
        let bytes =
            encode_marked_png(&plain(width, height, 9), &Claims::default()).expect("encodes");
        assert!(is_marked(&bytes));
        let bytes =
            encode_marked_jpeg(&plain(width, height, 9), 0, &Claims::default()).expect("encodes");
        assert!(is_marked(&bytes));
    }
}

#[test]
fn text_is_drawn_where_it_is_asked_for_and_clipped_at_the_border() {
    let mut image = RgbImage::new(60, 20);
    draw_text(&mut image, 2, 3, 1, "Hi 9%", Rgb([255, 0, 0]));
    let drawn: Vec<_> = image
        .enumerate_pixels()
        .filter(|(_, _, p)| p.0 != [0; 3])
        .collect();
    assert!(!drawn.is_empty());
    assert!(
        drawn
            .iter()
            .all(|(x, y, _)| (2..2 + text_width("Hi 9%", 1)).contains(x) && (3..12).contains(y))
    );
    draw_text(
        &mut image,
        -7,
        -4,
        3,
        "clipped at every side",
        Rgb([0, 255, 0]),
    );
    draw_text(
        &mut image,
        i32::MAX,
        i32::MIN,
        9,
        "far away",
        Rgb([0, 255, 0]),
    );
}

#[test]
fn every_promised_letter_has_its_own_shape() {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.%-:/";
    let shape = |letter: char| {
        let mut image = RgbImage::new(6, 9);
        draw_text(&mut image, 0, 0, 1, &letter.to_string(), Rgb([255; 3]));
        image.into_raw()
    };
    let mut shapes: Vec<_> = letters.chars().map(shape).collect();
    shapes.push(shape('?'));
    shapes.sort();
    shapes.dedup();
    assert_eq!(shapes.len(), letters.len() + 1);
}
