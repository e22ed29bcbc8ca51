//! A saved synthetic picture is found again, after what happens to pictures; others are not; and what a photo's
//! file said of its origin stays in what is saved.

use std::io::Cursor;

use fersnet::animation::{encode_marked_gif, frame};
use fersnet::check::{Check, check};
use fersnet::claims::Claims;
use fersnet::face::Rect;
use fersnet::mark::{encode_marked_jpeg, encode_marked_png};
use fersnet::picture::Picture;
use fersnet::watermark::{MIN_SIDE, detect, embed};
use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType, crop_imm};
use image::{AnimationDecoder, DynamicImage, ImageFormat, Rgb, RgbImage};

/// Real pictures of the repository.
const PICTURES: [&str; 4] = [
    "www/samples/astronaut.jpg",
    "www/samples/composite-f-african.jpg",
    "www/samples/webcam.jpg",
    "tests/photos/no-face.jpg",
];

/// What happens to a picture.
type Change = fn(&RgbImage) -> RgbImage;

fn read(name: &str) -> Picture {
    let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    Picture::decode(&std::fs::read(path).expect("a file")).expect("a picture")
}

fn marked(name: &str) -> RgbImage {
    let mut image = read(name).into_image();
    embed(&mut image);
    image
}

fn jpeg(image: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoded = JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image);
    encoded.expect("encodes");
    bytes
}

fn through_jpeg(image: &RgbImage) -> RgbImage {
    let read = image::load_from_memory(&jpeg(image, 75));
    read.expect("decodes").into_rgb8()
}

fn half(image: &RgbImage) -> RgbImage {
    let (width, height) = (image.width() / 2, image.height() / 2);
    imageops::resize(image, width, height, FilterType::CatmullRom)
}

/// Without a tenth: of the width on the left, and a twentieth of the height at the top and the bottom.
fn cropped(image: &RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    crop_imm(
        image,
        width / 10,
        height / 20,
        width * 9 / 10,
        height * 9 / 10,
    )
    .to_image()
}

fn found(bytes: &[u8]) -> Check {
    check(bytes).expect("a picture")
}

#[test]
fn the_watermark_is_found_after_what_happens_to_pictures() {
    let changes: [(&str, Change); 7] = [
        ("as it is", RgbImage::clone),
        ("JPEG", through_jpeg),
        ("half", half),
        ("cropped", cropped),
        ("half, JPEG", |image| through_jpeg(&half(image))),
        ("cropped, half, JPEG", |image| {
            through_jpeg(&half(&cropped(image)))
        }),
        ("mirrored", imageops::flip_horizontal),
    ];
    for name in PICTURES {
        let marked = marked(name);
        for (change, apply) in changes {
            let found = detect(&apply(&marked));
            assert!(found.found, "{name}, {change}: {}", found.score);
            assert!(found.chance < 1e-4);
            assert_eq!(
                found.mirrored,
                Some(change == "mirrored"),
                "{name}, {change}"
            );
            let scale = if change.contains("half") { 0.5 } else { 1.0 };
            let told = found.scale.expect("a scale");
            assert!(
                (told / scale - 1.0).abs() < 0.02,
                "{name}, {change}: {told}"
            );
        }
    }
}

#[test]
fn a_picture_without_the_watermark_is_not_taken_for_one_with_it() {
    for name in PICTURES {
        let image = read(name).into_image();
        for changed in [image.clone(), through_jpeg(&image), half(&cropped(&image))] {
            let found = detect(&changed);
            assert!(!found.found, "{name}: {}", found.score);
            assert_eq!((found.scale, found.mirrored), (None, None));
        }
    }
}

#[test]
fn the_watermark_is_not_seen_and_the_same_each_time() {
    for name in PICTURES {
        let (before, after) = (read(name).into_image(), marked(name));
        assert_eq!(after, marked(name));
        let squares = before.as_raw().iter().zip(after.as_raw());
        let squares: f64 = squares
            .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2))
            .sum();
        let mean = squares / before.as_raw().len() as f64;
        let psnr = 10.0 * (255.0 * 255.0 / mean).log10();
        assert!(psnr > 42.0, "{name}: {psnr} dB");
    }
}

#[test]
fn a_large_picture_is_found_at_the_size_at_which_it_is_shown() {
    let image = read("www/samples/webcam.jpg").into_image();
    let mut large = imageops::resize(&image, 1800, 2400, FilterType::CatmullRom);
    embed(&mut large);
    for side in [2400, 1200, 600] {
        let shown = imageops::resize(&large, side * 3 / 4, side, FilterType::CatmullRom);
        let found = detect(&through_jpeg(&shown));
        assert!(found.found, "{side}: {}", found.score);
    }
}

#[test]
fn each_frame_of_an_animation_carries_the_watermark() {
    let picture = read("www/samples/composite-f-african.jpg");
    let whole = Rect {
        x: 0.0,
        y: 0.0,
        width: 640.0,
        height: 640.0,
    };
    let frames: Vec<RgbImage> = [0, 60]
        .map(|brighter| {
            let mut moved = picture.as_image().clone();
            for pixel in moved.pixels_mut().take(640 * 200) {
                pixel.0 = pixel.0.map(|value| value.saturating_add(brighter));
            }
            frame(&Picture::from(moved), whole, 480)
        })
        .to_vec();
    let bytes = encode_marked_gif(&frames).expect("encodes");
    let decoder = GifDecoder::new(Cursor::new(&bytes)).expect("a GIF");
    for shown in decoder.into_frames() {
        let shown = shown.expect("a frame").into_buffer();
        let found = detect(&DynamicImage::from(shown).into_rgb8());
        assert!(found.found, "{}", found.score);
    }
    assert!(found(&bytes).metadata);
}

#[test]
fn flat_and_tiny_pictures_are_no_error() {
    for (width, height) in [
        (0, 0),
        (1, 1),
        (2, 900),
        (900, 2),
        (MIN_SIDE, MIN_SIDE),
        (400, 300),
    ] {
        for value in [0, 90, 255] {
            let mut image = RgbImage::from_pixel(width, height, Rgb([value; 3]));
            assert!(!detect(&image).found);
            embed(&mut image);
            let steps = image.pixels().flat_map(|pixel| pixel.0);
            assert!(steps.into_iter().all(|step| step.abs_diff(value) <= 1));
            detect(&image);
        }
    }
}

#[test]
fn a_saved_picture_is_found_by_all_its_marks_and_its_photo_by_none() {
    let picture = read(PICTURES[0]);
    let png = encode_marked_png(&picture, &Claims::default()).expect("encodes");
    let file = encode_marked_jpeg(&picture, 92, &Claims::default()).expect("encodes");
    for bytes in [png.clone(), file] {
        let found = found(&bytes);
        assert!(found.made_here && found.metadata && found.badge.found && found.watermark.found);
        assert_eq!(
            found.claims.source_types,
            ["compositeWithTrainedAlgorithmicMedia"]
        );
        assert!(!found.claims.xmp && !found.claims.content_credentials);
    }
    let photo = std::fs::read(format!("{}/{}", env!("CARGO_MANIFEST_DIR"), PICTURES[0]));
    let photo = found(&photo.expect("a file"));
    assert!(!photo.made_here && !photo.metadata && !photo.badge.found && !photo.watermark.found);
    // Sent on by a service that makes pictures smaller and takes their metadata away.
    let sent = half(&image::load_from_memory(&png).expect("decodes").into_rgb8());
    let sent = found(&jpeg(&sent, 75));
    assert!(sent.made_here && !sent.metadata && sent.badge.found && sent.watermark.found);
}

#[test]
fn the_visible_tag_is_told_from_other_text_and_from_photos() {
    for name in PICTURES {
        let image = read(name).into_image();
        let mut bytes = Vec::new();
        image
            .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
            .expect("encodes");
        assert!(!found(&bytes).badge.found, "{name}");
        let mut other = image;
        let (width, height) = other.dimensions();
        let place = (width as i32 / 90, height as i32 * 19 / 20);
        fersnet::mark::draw_text(
            &mut other,
            place.0,
            place.1,
            2,
            "HOLIDAYS, BY THE SEA",
            Rgb([255; 3]),
        );
        assert!(!fersnet::mark::find_tag(&other).found, "{name}");
    }
}

/// Another program's packet.
const PACKET: &str = "<?xpacket begin=\"\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
    <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" \
    xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" \
    xmp:CreatorTool=\"Camera 7\" dc:rights=\"the photographer\"/></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>";

/// A box as content credentials are: length, kind, and more than one JPEG segment holds.
fn credentials() -> Vec<u8> {
    let content: Vec<u8> = (0..150_000u32).map(|i| (i * 7 % 251) as u8).collect();
    let length = (8 + 4 + content.len()) as u32;
    [&length.to_be_bytes()[..], b"jumb", b"c2pa", &content].concat()
}

/// What a photo says of its origin: a packet and a box.
fn brought() -> Claims {
    Claims {
        xmp: vec![PACKET.as_bytes().to_vec()],
        boxes: vec![credentials()],
        is_ours: false,
    }
}

#[test]
fn what_a_photo_says_of_its_origin_stays_in_every_format() {
    let picture = read(PICTURES[0]);
    let brought = brought();
    let png = encode_marked_png(&picture, &brought).expect("encodes");
    let file = encode_marked_jpeg(&picture, 90, &Claims::of(&png)).expect("encodes");
    let again = encode_marked_png(&picture, &Claims::of(&file)).expect("encodes");
    for bytes in [png, file, again] {
        let kept = Claims::of(&bytes);
        assert_eq!(kept.boxes, [credentials()]);
        let [packet] = kept.xmp.as_slice() else {
            panic!("{} packets", kept.xmp.len());
        };
        let packet = String::from_utf8_lossy(packet);
        for part in [
            "the photographer",
            "Camera 7",
            "compositeWithTrainedAlgorithmicMedia",
            "FERSNet",
        ] {
            assert_eq!(packet.matches(part).count(), 1, "{part}");
        }
        let found = found(&bytes);
        assert!(found.metadata && found.claims.xmp && found.claims.content_credentials);
    }
}

#[test]
fn a_source_that_a_photo_states_stays_beside_ours() {
    let stated = PACKET.replace(
        "dc:rights",
        "Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture\" dc:rights",
    );
    let brought = Claims {
        xmp: vec![stated.clone().into_bytes()],
        ..Claims::default()
    };
    let bytes = encode_marked_jpeg(&read(PICTURES[0]), 90, &brought).expect("encodes");
    let kept = Claims::of(&bytes);
    assert_eq!(kept.xmp.len(), 2);
    assert_eq!(kept.xmp[1], stated.into_bytes());
    let terms = ["compositeWithTrainedAlgorithmicMedia", "digitalCapture"];
    assert_eq!(found(&bytes).claims.source_types, terms);
    // What was saved once says no more when it is saved again.
    assert_eq!(kept.with_mark(), kept);
}

#[test]
fn damaged_metadata_is_no_error() {
    let picture = read(PICTURES[0]);
    let brought = brought();
    let png = encode_marked_png(&picture, &brought).expect("encodes");
    let file = encode_marked_jpeg(&picture, 90, &brought).expect("encodes");
    for bytes in [png, file] {
        for end in (0..2000).chain([70_000, 140_000]) {
            Claims::of(&bytes[..end.min(bytes.len())]);
        }
    }
    for bytes in [
        &b"RIFF\xff\xff\xff\xffWEBPXMP \xff\xff\xff\xff"[..],
        b"\xff\xd8\xff\xeb\0\x04JP",
        b"\xff\xd8\xff\xe1\0\0",
    ] {
        assert_eq!(Claims::of(bytes), Claims::default());
    }
    // A box that is shorter than its own header is left out.
    let short = Claims {
        boxes: vec![vec![1, 2, 3]],
        ..Claims::default()
    };
    let bytes = encode_marked_jpeg(&picture, 90, &short).expect("encodes");
    assert_eq!(Claims::of(&bytes).boxes.len(), 0);
}
