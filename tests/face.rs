//! Every face in a picture is found, the same way natively and in the page.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use burn::tensor::Device;
use fersnet::face::{
    Alignment, DetectedFace, FaceDetector, FaceSearch, FaceTracker, FullMesh, MESH_POINTS, Point,
};
use fersnet::picture::Picture;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use safetensors::SafeTensors;

/// TensorFlow.js and Burn add the same numbers in another order; scores reach some hundred,
/// coordinates some thousand.
const GOLDEN_TOLERANCE: f32 = 5e-3;

/// Pixels of its input by which the mesh's weights in 8 bits may move a point: 0.1 were seen.
const EIGHT_BITS_TOLERANCE: f32 = 0.2;

/// The points of google/mediapipe's tensors_to_face_landmarks_with_attention.pbtxt, refinement 1.
const LIPS: [usize; 80] = [
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270,
    409, //
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310,
    415, //
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304,
    408, //
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
];

/// The astronaut's eyes in the upright photo.
const LEFT_EYE: (f32, f32) = (246.0, 104.0);
const RIGHT_EYE: (f32, f32) = (204.0, 102.0);

/// Burn's CPU backend is never really waiting.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

fn read(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn picture(name: &str) -> Picture {
    Picture::decode(&read(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn detector() -> FaceDetector {
    FaceDetector::load(&Device::flex()).expect("the embedded weights")
}

fn detect(picture: &Picture) -> Vec<DetectedFace> {
    wait(detector().detect(picture)).expect("runs")
}

fn part(picture: &Picture, x: u32, y: u32, width: u32, height: u32) -> Picture {
    Picture::from(imageops::crop_imm(picture.as_image(), x, y, width, height).to_image())
}

fn resized(picture: &Picture, width: u32, height: u32) -> Picture {
    Picture::from(imageops::resize(
        picture.as_image(),
        width,
        height,
        FilterType::CatmullRom,
    ))
}

/// The values of a picture, planes of `scale` * 0..1 + `offset`.
fn planes(picture: &Picture, scale: f32, offset: f32) -> Vec<f32> {
    let pixels = || picture.as_image().pixels();
    (0..3)
        .flat_map(|c| pixels().map(move |p| f32::from(p.0[c]) / 255.0 * scale + offset))
        .collect()
}

fn golden(file: &SafeTensors, name: &str) -> Vec<f32> {
    let view = file.tensor(name).expect("in the golden file");
    let floats = view.data().chunks_exact(4);
    floats
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

fn assert_close(found: f32, expected: f32, what: &str) {
    let tolerance = GOLDEN_TOLERANCE.max(1e-5 * expected.abs());
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found}, not {expected}"
    );
}

fn assert_at(face: &DetectedFace, left: (f32, f32), right: (f32, f32)) {
    let (left, right) = (Point::new(left.0, left.1), Point::new(right.0, right.1));
    let tolerance = 0.1 * left.distance(right);
    for (found, expected) in [
        (face.landmarks.left_eye, left),
        (face.landmarks.right_eye, right),
    ] {
        assert!(
            found.distance(expected) < tolerance,
            "{found:?}, not {expected:?}"
        );
    }
}

#[test]
fn blazeface_answers_as_it_does_in_tensorflow() {
    let bytes = read("golden/blazeface.safetensors");
    let file = SafeTensors::deserialize(&bytes).expect("golden");
    let input = planes(&picture("golden/blazeface.png"), 2.0, -1.0);
    let maps = wait(detector().boxes_raw(input, [256, 256])).expect("runs");
    for (map, name) in maps.iter().zip(["fine", "coarse"]) {
        let scores = golden(&file, &format!("{name}.scores"));
        let boxes = golden(&file, &format!("{name}.boxes"));
        assert_eq!(scores.len(), map.rows * map.columns * map.anchors);
        for (i, score) in scores.iter().enumerate() {
            let (cell, anchor) = (i / map.anchors, i % map.anchors);
            let (row, column) = (cell / map.columns, cell % map.columns);
            assert_close(map.score(anchor, row, column), *score, "score");
            for k in 0..16 {
                let found = map.box_value(anchor, k, row, column);
                assert_close(found, boxes[16 * i + k], "box");
            }
        }
    }
}

#[test]
fn the_face_mesh_answers_as_it_does_in_tensorflow() {
    let bytes = read("golden/facemesh.safetensors");
    let file = SafeTensors::deserialize(&bytes).expect("golden");
    let points = golden(&file, "points");
    let input = planes(&picture("golden/facemesh.png"), 1.0, 0.0);
    // Twice the same: a batch gives what each alone gives.
    let meshes = wait(detector().mesh_raw([input.clone(), input].concat())).expect("runs");
    assert_eq!(meshes.len(), 2);
    // tools/face_weights.py: the points that are used.
    let used = [
        33, 133, 160, 159, 158, 144, 145, 153, 263, 362, 387, 386, 385, 373, 374, 380, 1, 61, 291,
        234, 454,
    ];
    for mesh in meshes {
        assert_close(mesh.presence, golden(&file, "presence")[0], "presence");
        assert_eq!(mesh.points.len(), used.len());
        for (point, index) in mesh.points.iter().zip(used) {
            for (found, expected) in [point.x, point.y].iter().zip(&points[3 * index..]) {
                let apart = (found - expected).abs();
                assert!(
                    apart <= EIGHT_BITS_TOLERANCE,
                    "{index}: {found}, not {expected}"
                );
            }
        }
    }
}

/// The lips are looked at in a region whose place the other points say: hundredths of them are
/// hundredths of a lip.
#[test]
fn the_full_mesh_answers_with_all_points_and_refined_lips_as_it_does_in_tensorflow() {
    let bytes = read("golden/facemesh-lips.safetensors");
    let file = SafeTensors::deserialize(&bytes).expect("golden");
    let (points, lips) = (golden(&file, "points"), golden(&file, "lips"));
    let mesh = FullMesh::load(&Device::flex()).expect("the embedded weights");
    let picture = picture("golden/facemesh.png");
    let input = planes(&picture, 1.0, 0.0);
    let found = wait(mesh.points_raw([input.clone(), input].concat())).expect("runs");
    assert_eq!(found.len(), 2);
    for found in found {
        assert_eq!(found.len(), MESH_POINTS);
        let refined: Vec<&Point> = LIPS.iter().map(|index| &found[*index]).collect();
        for (found, expected) in refined.iter().zip(lips.chunks_exact(2)) {
            assert_close(found.x, expected[0], "a lip's x");
            assert_close(found.y, expected[1], "a lip's y");
        }
        for (index, expected) in points.chunks_exact(3).enumerate() {
            if !LIPS.contains(&index) {
                assert_close(found[index].x, expected[0], "x");
                assert_close(found[index].y, expected[1], "y");
            }
        }
    }
}

#[test]
fn the_full_mesh_has_the_eyes_where_the_detector_has_them() {
    let picture = picture("photos/turned.jpg");
    let face = detect(&picture)[0];
    let mesh = FullMesh::load(&Device::flex()).expect("the embedded weights");
    let view = face.alignment();
    let found = wait(mesh.points(&[&picture, &picture], &view)).expect("runs");
    assert_eq!((found.len(), found[0].len()), (2, MESH_POINTS));
    let eyes = Alignment::from_eyes(face.landmarks.left_eye, face.landmarks.right_eye);
    // The corners of the subject's right eye lie on both sides of its place.
    let (outer, inner) = (found[0][33], found[0][133]);
    let eye = eyes.face_from_picture(face.landmarks.right_eye);
    assert!(
        outer.x < eye.x && eye.x < inner.x,
        "{outer:?} {eye:?} {inner:?}"
    );
    assert!((outer.y - eye.y).abs() < 0.05 && (inner.y - eye.y).abs() < 0.05);
}

#[test]
fn all_faces_of_a_group_are_found_the_largest_first() {
    let faces = detect(&picture("photos/several.jpg"));
    assert_eq!(faces.len(), 6, "{faces:#?}");
    assert!(faces.is_sorted_by(|a, b| a.bounds.area() >= b.bounds.area()));
    for face in &faces {
        let (left, right) = (face.landmarks.left_eye, face.landmarks.right_eye);
        assert!(
            left.x > right.x,
            "the subject's left eye is on the right: {face:?}"
        );
        assert!(face.landmarks.mouth.y > left.y.max(right.y));
    }
}

#[test]
fn the_face_of_a_turned_photo_is_found_upright() {
    let faces = detect(&picture("photos/turned.jpg"));
    assert_eq!(faces.len(), 1, "{faces:#?}");
    assert_at(&faces[0], LEFT_EYE, RIGHT_EYE);
}

#[test]
fn no_face_is_found_where_there_is_none() {
    assert_eq!(detect(&picture("photos/no-face.jpg")), []);
    let grey = RgbImage::from_pixel(640, 480, Rgb([128; 3]));
    assert_eq!(detect(&Picture::from(grey)), []);
}

#[test]
fn a_face_that_fills_the_picture_is_found_at_any_size() {
    let face = part(&picture("photos/turned.jpg"), 165, 45, 125, 140);
    for (width, height) in [(48, 54), (125, 140), (500, 560), (2000, 2240)] {
        let faces = detect(&resized(&face, width, height));
        assert_eq!(faces.len(), 1, "{width} x {height}: {faces:#?}");
        let scale = width as f32 / 125.0;
        let place = |(x, y): (f32, f32)| ((x - 165.0) * scale, (y - 45.0) * scale);
        assert_at(&faces[0], place(LEFT_EYE), place(RIGHT_EYE));
    }
}

#[test]
fn a_small_grey_thumbnail_is_enough() {
    let face = part(&picture("photos/turned.jpg"), 165, 45, 125, 125);
    let grey = imageops::grayscale(resized(&face, 48, 48).as_image());
    let grey = image::DynamicImage::ImageLuma8(grey).into_rgb8();
    assert_eq!(detect(&Picture::from(grey)).len(), 1);
}

#[test]
fn small_faces_in_a_large_picture_are_found() {
    let group = resized(&picture("photos/several.jpg"), 600, 400);
    let mut canvas = RgbImage::from_pixel(2400, 1600, Rgb([110, 120, 130]));
    imageops::overlay(&mut canvas, group.as_image(), 1500, 300);
    let faces = detect(&Picture::from(canvas));
    // The smallest is 32 pixels of 2400 wide.
    assert!(faces.len() >= 5, "{faces:#?}");
    assert!(faces.iter().all(|face| face.landmarks.nose.x > 1500.0));
}

#[test]
fn tilted_heads_are_aligned_by_their_eyes() {
    let upright = part(&picture("photos/turned.jpg"), 75, 0, 300, 300);
    let size = 300.0;
    for degrees in [-40.0f32, -20.0, 20.0, 40.0] {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let turn = |(x, y): (f32, f32)| {
            let (x, y) = (x - 75.0 - size / 2.0, y - size / 2.0);
            (
                x * cos - y * sin + size / 2.0,
                x * sin + y * cos + size / 2.0,
            )
        };
        let source = upright.as_image();
        let turned = RgbImage::from_fn(300, 300, |x, y| {
            let (x, y) = (x as f32 - size / 2.0, y as f32 - size / 2.0);
            let (x, y) = (x * cos + y * sin, -x * sin + y * cos);
            let place = |v: f32| (v + size / 2.0).clamp(0.0, 299.0) as u32;
            *source.get_pixel(place(x), place(y))
        });
        let faces = detect(&Picture::from(turned));
        assert!(!faces.is_empty(), "{degrees} degrees");
        assert_at(&faces[0], turn(LEFT_EYE), turn(RIGHT_EYE));
        let angle = faces[0].alignment().angle().to_degrees();
        assert!((angle - degrees).abs() < 12.0, "{angle} for {degrees}");
    }
}

#[test]
fn pictures_of_any_shape_give_an_answer() {
    for (width, height) in [(0, 0), (1, 1), (1, 3000), (3000, 2), (7, 5), (257, 33)] {
        let picture = Picture::from(RgbImage::from_pixel(width, height, Rgb([200; 3])));
        assert_eq!(detect(&picture), [], "{width} x {height}");
    }
}

#[test]
fn a_search_tells_large_faces_first_and_ends_with_all() {
    let face = part(&picture("photos/turned.jpg"), 75, 0, 300, 300);
    let (large, small) = (resized(&face, 1000, 1000), resized(&face, 260, 260));
    let group = resized(&picture("photos/several.jpg"), 480, 320);
    let mut canvas = RgbImage::from_pixel(1600, 1200, Rgb([110, 120, 130]));
    imageops::overlay(&mut canvas, large.as_image(), 0, 80);
    imageops::overlay(&mut canvas, small.as_image(), 1200, 100);
    imageops::overlay(&mut canvas, group.as_image(), 1000, 700);
    let picture = Picture::from(canvas);
    let detector = detector();
    let mut search = FaceSearch::default();
    let (mut each, mut told) = (Vec::new(), Vec::new());
    while let Some(added) = wait(search.next(&detector, &picture)).expect("runs") {
        each.push(added.len());
        told.extend(added);
    }
    assert_eq!(
        each[0], 1,
        "the large one alone is clear at first: {each:?}"
    );
    assert!(told[0].bounds.width > 200.0, "{told:#?}");
    assert!(each[1..].iter().sum::<usize>() > 1, "{each:?}");
    // Told once each, and all that the whole search finds.
    let mut all = wait(detector.detect(&picture)).expect("runs");
    let by_place = |a: &DetectedFace, b: &DetectedFace| a.bounds.x.total_cmp(&b.bounds.x);
    told.sort_by(by_place);
    all.sort_by(by_place);
    assert_eq!(told, all);
}

/// A part of the photo of the astronaut that moves and grows, as a frame, and where the eyes are in it.
fn frame(photo: &Picture, i: u32) -> (Picture, [(f32, f32); 2]) {
    let (x, y, side) = (30 + 8 * i, 4 * i.min(4), 330 - 6 * i);
    let scale = 360.0 / side as f32;
    let place = |(at_x, at_y): (f32, f32)| ((at_x - x as f32) * scale, (at_y - y as f32) * scale);
    let frame = resized(&part(photo, x, y, side, side), 360, 360);
    (frame, [LEFT_EYE, RIGHT_EYE].map(place))
}

#[test]
fn a_face_is_followed_by_the_mesh_alone_while_it_moves_and_grows() {
    let (photo, detector) = (picture("photos/turned.jpg"), detector());
    let mut face = wait(detector.detect(&frame(&photo, 0).0)).expect("runs")[0];
    for i in 1..14 {
        let (frame, [left, right]) = frame(&photo, i);
        let found = wait(detector.track(&frame, &[face])).expect("runs");
        face = found[0].unwrap_or_else(|| panic!("lost in frame {i}"));
        assert_at(&face, left, right);
        // Where the detector finds it: within a fiftieth of the eyes' distance, and a box of its size.
        let own = wait(detector.detect(&frame)).expect("runs")[0];
        let (eye, own_eye) = (face.landmarks.left_eye, own.landmarks.left_eye);
        let distance = own_eye.distance(own.landmarks.right_eye);
        assert!(
            eye.distance(own_eye) < 0.06 * distance,
            "{i}: {eye:?} {own_eye:?}"
        );
        let shared = face.bounds.intersection_over_union(&own.bounds);
        assert!(shared > 0.7, "{i}: {shared}");
    }
}

#[test]
fn a_face_that_is_no_longer_there_is_lost() {
    let (photo, detector) = (picture("photos/turned.jpg"), detector());
    let face = detect(&photo)[0];
    let grey = Picture::from(RgbImage::from_pixel(512, 512, Rgb([128; 3])));
    for other in [
        grey,
        picture("photos/no-face.jpg"),
        part(&photo, 0, 300, 512, 200),
    ] {
        assert_eq!(wait(detector.track(&other, &[face])).expect("runs"), [None]);
    }
    let empty = Picture::from(RgbImage::new(0, 0));
    assert_eq!(wait(detector.track(&empty, &[face])).expect("runs"), [None]);
    assert_eq!(wait(detector.track(&photo, &[])).expect("runs"), []);
}

#[test]
fn a_tracker_follows_what_it_has_and_looks_for_new_faces_now_and_then() {
    let (photo, detector) = (picture("photos/turned.jpg"), detector());
    let empty = Picture::from(RgbImage::from_pixel(360, 360, Rgb([90; 3])));
    let mut tracker = FaceTracker::new(4);
    let mut ids = |frame: &Picture| -> Vec<u32> {
        let faces = wait(tracker.next(&detector, frame)).expect("runs");
        faces.iter().map(|tracked| tracked.id).collect()
    };
    assert_eq!(ids(&empty), Vec::<u32>::new());
    for i in 0..6 {
        assert_eq!(
            ids(&frame(&photo, i).0),
            [0],
            "frame {i}: one face, one number"
        );
    }
    // A second one comes, and is there from the detector's next search on.
    let one = frame(&photo, 5).0;
    let mut two = RgbImage::new(720, 360);
    imageops::overlay(&mut two, one.as_image(), 0, 0);
    imageops::overlay(&mut two, one.as_image(), 360, 0);
    let two = Picture::from(two);
    let counts: Vec<usize> = (0..5).map(|_| ids(&two).len()).collect();
    assert!(
        counts.is_sorted() && counts[0] >= 1 && counts[4] == 2,
        "{counts:?}"
    );
    assert_eq!(ids(&empty), Vec::<u32>::new());
}
