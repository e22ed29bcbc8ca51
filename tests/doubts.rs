//! A face that is seen badly is called doubtful, and one that is seen well is not: real photos, as they are and made worse.

use std::path::Path;
use std::process::Command;

use burn::tensor::Device;
use fersnet::face::{Alignment, Doubt, Face, FaceQuality, Point};
use fersnet::picture::Picture;
use fersnet::pipeline::Pipeline;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

/// Portraits that most people would call well taken.
const CLEAR: [&str; 9] = [
    "astronaut",
    "composite-f-african",
    "composite-f-easian",
    "composite-f-wasian",
    "composite-m-african",
    "composite-m-easian",
    "composite-m-wasian",
    "composite-m-white",
    "hopper",
];

fn sample(name: &str) -> Picture {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(root.join(format!("www/samples/{name}.jpg"))).expect("a photo");
    Picture::decode(&bytes).expect("a picture")
}

fn largest(pipeline: &Pipeline, picture: &Picture) -> Face {
    let faces = pollster::block_on(pipeline.find_faces(picture)).expect("a detector");
    *faces.first().expect("a face")
}

fn doubts(pipeline: &Pipeline, picture: &Picture, face: Face) -> Vec<Doubt> {
    let recognised = pollster::block_on(pipeline.recognise(picture, face));
    recognised.expect("an answer").doubts
}

/// The photo with the eyes of a face so many pixels apart, and the place of the face in it.
fn with_eyes(photo: &Picture, face: Face, pixels: f32) -> (Picture, Face) {
    let from = [photo.width(), photo.height()];
    let scale = pixels / FaceQuality::of(photo, &face).eye_distance;
    let to = from.map(|side| (side as f32 * scale).round() as u32);
    let image = imageops::resize(photo.as_image(), to[0], to[1], FilterType::Triangle);
    let place = Face::Placed(face.alignment_in_copy(from, to));
    (Picture::from(image), place)
}

fn lit(image: &RgbImage, gain: f32) -> RgbImage {
    let mut image = image.clone();
    for value in image.pixels_mut().flat_map(|Rgb(values)| values) {
        *value = (f32::from(*value) * gain).round().min(255.0) as u8;
    }
    image
}

#[test]
fn what_is_wrong_with_a_photo_is_named_and_nothing_is_of_a_clear_one() {
    let pipeline = Pipeline::shipped(Device::flex()).expect("a network");
    for name in CLEAR {
        let photo = sample(name);
        let face = largest(&pipeline, &photo);
        assert_eq!(doubts(&pipeline, &photo, face), [], "{name}");
        let (small, place) = with_eyes(&photo, face, 7.0);
        assert_eq!(doubts(&pipeline, &small, place), [Doubt::Small], "{name}");
        // A smaller copy: the blur takes long.
        let (photo, place) = with_eyes(&photo, face, 40.0);
        assert_eq!(doubts(&pipeline, &photo, place), [], "{name}, smaller");
        let image = photo.as_image();
        for (doubt, changed) in [
            (Doubt::Dark, lit(image, 0.05)),
            (Doubt::Overexposed, lit(image, 9.0)),
            (Doubt::Blurred, imageops::blur(image, 5.0)),
        ] {
            let told = doubts(&pipeline, &Picture::from(changed), place);
            // A face that is all white has no fine contrast either.
            assert!(told.contains(&doubt), "{name}, {doubt:?}: {told:?}");
        }
    }
}

#[test]
fn a_tilted_face_is_no_doubt() {
    let pipeline = Pipeline::shipped(Device::flex()).expect("a network");
    let photo = sample("composite-f-easian");
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    let whole = Alignment::upright(Point::new(0.0, 0.0), width.min(height));
    let tilted = whole.moved(Point::new(0.0, 0.0), 1.2, 25f32.to_radians());
    let tilted = Picture::from(tilted.crop(&photo, 400));
    let face = largest(&pipeline, &tilted);
    assert!(face.alignment().angle().to_degrees().abs() > 20.0);
    assert_eq!(doubts(&pipeline, &tilted, face), []);
}

#[test]
fn a_place_without_landmarks_is_measured_by_its_pixels_alone() {
    let photo = Picture::from(lit(sample("hopper").as_image(), 0.02));
    let quality = FaceQuality::of(&photo, &Face::whole(&photo));
    assert_eq!(
        (quality.turn, quality.nod, quality.doubts()),
        (None, None, vec![Doubt::Dark])
    );
}

#[test]
fn predict_tells_doubts_as_text_as_json_and_as_a_column() {
    let dir = tempfile::tempdir().expect("a folder");
    let dark = dir.path().join("dark.png").display().to_string();
    let image = lit(sample("astronaut").as_image(), 0.05);
    image.save(&dark).expect("saved");
    let said = |form: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_fersnet"))
            .args([&["predict"], form, &[dark.as_str()]].concat())
            .output();
        String::from_utf8(output.expect("the binary runs").stdout).expect("text")
    };
    assert!(said(&[]).contains(" - doubtful: dark\n"), "{}", said(&[]));
    let json: serde_json::Value = serde_json::from_str(&said(&["--json"])).expect("JSON");
    assert_eq!(
        json["pictures"][0]["faces"][0]["doubts"],
        serde_json::json!(["dark"])
    );
    let csv = said(&["--csv"]);
    let column = csv
        .lines()
        .next()
        .and_then(|head| head.split(',').position(|name| name == "doubts"));
    let row = csv
        .lines()
        .nth(1)
        .expect("a row")
        .split(',')
        .collect::<Vec<_>>();
    assert_eq!(row[column.expect("a column")], "dark");
}
