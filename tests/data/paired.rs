//! The open paired set.

use fersnet::data::{self, CropRegion, Layout, Options};

use crate::trees::*;

#[test]
fn the_paired_set_keeps_eyes_intensity_source_and_groups() {
    let tree = paired(0);
    let dataset = tree.read();
    assert_eq!(
        (dataset.layout, dataset.pixel_aligned),
        (Layout::Paired, true)
    );
    assert_eq!(
        names(&dataset),
        [
            "a/fear/0.png",
            "a/neutral/0.png",
            "b/fear/0.png",
            "b/neutral/0.png"
        ]
    );
    let face = &dataset.faces[0];
    assert_eq!((face.intensity, face.source.as_str()), (0.7, "made"));
    assert_eq!(face.subject.as_deref(), Some("a"));
    let CropRegion::Eyes(left, right) = face.crop_region else {
        panic!("the manifest states the eyes");
    };
    assert_eq!((left.x, left.y, right.x), (62.0, 38.0, 34.0));
    let groups: Vec<_> = face
        .groups
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        groups,
        [("age", "31.5"), ("sex", "female"), ("split", "train")]
    );
    assert_eq!(skipped(&dataset, "no pixel-wise pair"), 1);
}

#[test]
fn further_photographs_are_read_where_they_are_asked_for_and_carry_a_mark() {
    let tree = paired(0);
    let options = Options {
        real: true,
        ..tree.options()
    };
    let dataset = data::open(&tree.root(), &options).expect("readable");
    let real: Vec<_> = dataset
        .faces
        .iter()
        .filter(|face| face.groups.get("sample").is_some_and(|s| s == "real"))
        .collect();
    assert_eq!(real.len(), 1);
    assert_eq!(real[0].subject.as_deref(), Some("a"));
    assert!(dataset.pixel_aligned, "the others still lie pixel on pixel");
}

#[test]
fn subjects_whose_eyes_move_are_not_pixel_aligned() {
    assert!(!paired(2).read().pixel_aligned);
}

#[test]
fn a_manifest_without_eyes_or_subject_is_refused() {
    let header = "file,subject,expression,left_eye_x,left_eye_y,right_eye_x,right_eye_y\n";
    let tree = Tree::new();
    for (row, words) in [
        (
            "0.png,,fear,62,38,34,38\n",
            "line 2: the subject is missing",
        ),
        ("0.png,a,fear,34,38,34,38\n", "line 2: the eyes"),
        ("0.png,a,fear,NaN,38,34,38\n", "line 2: the eyes"),
        ("0.png,a,fear,left,38,34,38\n", "line 2"),
    ] {
        tree.file("manifest.csv", format!("{header}{row}"));
        let error = tree.refusal(tree.options());
        assert!(
            error.contains("manifest.csv") && error.contains(words),
            "{error}"
        );
    }
}

const HEADER: &str = "file,subject,expression,photo,cavity,mouth,mouthSmileLeft,jawOpen,sex,left_eye_x,left_eye_y,right_eye_x,right_eye_y\n";
const EYES: &str = "female,62,38,34,38";

/// One subject in two photographs, with the columns that a set may state besides.
fn with_controls() -> Tree {
    let tree = Tree::new();
    let rows = [
        format!("a/neutral/0.png,a,neutral,p1,,,0,0,{EYES}"),
        format!("a/fear/0.png,a,fear,p1,a/fear/mouth.png,drawn,0.1,0.8,{EYES}"),
        format!("a/fear/1.png,a,fear,p1,a/fear/mouth.png,,0.25,1.35,{EYES}"),
        // Not every control is known.
        format!("a/fear/2.png,a,fear,p1,,,,0.8,{EYES}"),
        // No expression, and another photograph, in which the eyes lie elsewhere.
        "a/units/0.png,a,,p2,,,0.5,0.25,female,70,40,40,40".to_owned(),
        // Neither an expression nor all controls.
        format!("a/units/1.png,a,,p1,,,,0.25,{EYES}"),
        format!("a/units/2.png,a,,p1,nowhere.png,,0,0.5,{EYES}"),
        format!("a/units/3.png,a,,p1,small.png,,0,0.5,{EYES}"),
        format!("a/units/4.png,a,,p1,broken.png,,0,0.5,{EYES}"),
    ];
    tree.file("manifest.csv", format!("{HEADER}{}\n", rows.join("\n")));
    for (i, row) in rows.iter().enumerate() {
        let file = row.split(',').next().expect("a name");
        tree.file(file, square(96, i as u8));
    }
    tree.file("a/fear/mouth.png", square(96, 255));
    tree.file("small.png", square(48, 255));
    tree.file("broken.png", b"no picture");
    tree
}

#[test]
fn a_set_may_state_controls_photographs_and_the_mouths_insides() {
    let dataset = with_controls().read();
    // In the program's order, whatever the manifest's is.
    assert_eq!(dataset.controls, ["jawOpen", "mouthSmileLeft"]);
    assert_eq!(
        names(&dataset),
        [
            "a/fear/0.png",
            "a/fear/1.png",
            "a/fear/2.png",
            "a/neutral/0.png",
            "a/units/0.png"
        ]
    );
    assert_eq!(
        class_names(&dataset),
        ["fear", "fear", "fear", "neutral", "none"]
    );
    assert!(dataset.pixel_aligned, "eyes stay within a photograph");
    let controls: Vec<_> = dataset
        .faces
        .iter()
        .map(|f| f.controls.as_deref())
        .collect();
    let expected: [Option<&[f32]>; 5] = [
        Some(&[0.8, 0.1]),
        Some(&[1.35, 0.25]),
        None,
        Some(&[0.0, 0.0]),
        Some(&[0.25, 0.5]),
    ];
    assert_eq!(controls, expected);
    let photos: Vec<_> = dataset.faces.iter().map(|f| f.photo.as_str()).collect();
    assert_eq!(photos, ["p1", "p1", "p1", "p1", "p2"]);
    // Whether the inside is marked, is open, was drawn.
    let mouths: Vec<_> = dataset
        .faces
        .iter()
        .map(|face| face.cavity.as_ref().map(|c| (c.map.is_some(), c.is_drawn)))
        .collect();
    let shut = Some((false, false));
    assert_eq!(
        mouths,
        [Some((true, true)), Some((true, false)), shut, shut, shut]
    );
    let open = dataset.faces[0]
        .cavity
        .as_ref()
        .and_then(|c| c.map.as_ref());
    let map = open.expect("an open mouth");
    assert_eq!(
        (map.dimensions(), map.get_pixel(48, 60).0),
        ((96, 96), [255])
    );
    // None of these columns is a group.
    let groups: Vec<_> = dataset.faces[0].groups.keys().map(String::as_str).collect();
    assert_eq!(groups, ["sex"]);
    assert_eq!(skipped(&dataset, "its cavity map is not there"), 1);
    assert_eq!(
        skipped(
            &dataset,
            "its cavity map: 48 x 48 pixels, the picture has 96 x 96"
        ),
        1
    );
    assert_eq!(skipped(&dataset, "its cavity map"), 3);
    assert_eq!(
        dataset
            .skipped
            .iter()
            .map(|entry| entry.count)
            .sum::<usize>(),
        4
    );
}

#[test]
fn a_face_without_an_expression_shows_no_class_more_than_others() {
    let dataset = with_controls().read();
    assert_eq!(dataset.classes, ["neutral", "fear"]);
    let free = dataset.faces.last().expect("a face");
    assert_eq!(free.label, [0.5, 0.5]);
    let classes = strings(&["fear", "happiness", "neutral", "anger"]);
    let dataset = dataset.for_classes(&classes).expect("classes");
    let free = dataset.faces.last().expect("a face");
    assert_eq!((free.class, free.label.as_slice()), (None, &[0.25; 4][..]));
    assert_eq!(dataset.faces[0].label, [1.0, 0.0, 0.0, 0.0]);

    // A set that names no expression at all.
    let tree = Tree::new();
    tree.file(
        "manifest.csv",
        format!("{HEADER}0.png,a,,p,,,0.5,0.25,{EYES}\n"),
    );
    tree.file("0.png", square(96, 9));
    let dataset = tree.read().for_classes(&classes).expect("classes");
    assert_eq!(dataset.faces[0].label, [0.25; 4]);
}

#[test]
fn a_network_sees_a_sets_controls_in_its_own_order() {
    let dataset = with_controls().read();
    let own = strings(&["mouthSmileLeft", "mouthPucker", "jawOpen"]);
    let dataset = dataset.for_controls(&own);
    assert_eq!(dataset.controls, own);
    let controls: Vec<_> = dataset
        .faces
        .iter()
        .map(|f| f.controls.as_deref())
        .collect();
    assert_eq!(controls[0], Some(&[0.1, 0.0, 0.8][..]));
    assert_eq!(controls[2], None);
    // A set without such columns states none.
    let dataset = paired(0).read();
    assert!(dataset.controls.is_empty());
    let of = |face: &data::Face| {
        face.controls.is_none() && face.cavity.is_none() && face.photo.is_empty()
    };
    assert!(dataset.faces.iter().all(of));
    let dataset = dataset.for_controls(&own);
    assert!(dataset.faces.iter().all(|face| face.controls.is_none()));
}

#[test]
fn a_cavity_map_is_read_from_tars_too() {
    let tree = Tree::new();
    let row = |i: usize| format!("a/{i}.png,a,fear,p,a/mouth.png,,0,0.5,{EYES}\n");
    tree.file("manifest.csv", format!("{HEADER}{}{}", row(0), row(1)));
    let mut archive = tar::Builder::new(Vec::new());
    for (name, shade) in [("a/0.png", 1), ("a/1.png", 2), ("a/mouth.png", 255)] {
        let bytes = square(96, shade);
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, name, bytes.as_slice())
            .expect("added");
    }
    tree.file("a.tar", archive.into_inner().expect("an archive"));
    let dataset = tree.read();
    assert_eq!(names(&dataset), ["a/0.png", "a/1.png"]);
    let is_open = |face: &data::Face| face.cavity.as_ref().is_some_and(|c| c.map.is_some());
    assert!(dataset.faces.iter().all(is_open), "the map is of both");
}

#[test]
fn controls_that_are_no_numbers_are_refused() {
    let tree = Tree::new();
    for value in ["-0.1", "NaN", "inf", "wide"] {
        tree.file(
            "manifest.csv",
            format!("{HEADER}0.png,a,fear,p,,,0.1,{value},{EYES}\n"),
        );
        let error = tree.refusal(tree.options());
        assert!(
            error.contains("line 2: a control is not a number"),
            "{error}"
        );
    }
}

/// A 16-bit RGB PNG of one colour.
fn flow(pixel: [u16; 3]) -> Vec<u8> {
    let map = image::ImageBuffer::from_pixel(48, 48, image::Rgb(pixel));
    let mut bytes = Vec::new();
    image::DynamicImage::ImageRgb16(map)
        .write_to(
            &mut std::io::Cursor::new(&mut bytes),
            image::ImageFormat::Png,
        )
        .expect("a PNG");
    bytes
}

#[test]
fn a_set_may_state_where_a_drawn_face_has_its_pixels_from() {
    let tree = Tree::new();
    let header = "file,subject,expression,flow,back,flow_from,left_eye_x,left_eye_y,right_eye_x,right_eye_y\n";
    let row = |i: usize, flow: &str| {
        let expression = if i == 0 { "neutral" } else { "fear" };
        format!("a/{i}.png,a,{expression},{flow},62,38,34,38\n")
    };
    let flows = [
        ",,",
        "there.png,back.png,a/0.png",
        "there.png,,a/0.png",
        "a/0.png,,a/0.png",
        "nowhere.png,,a/0.png",
    ];
    let rows = flows.iter().enumerate();
    let rows: String = rows.map(|(i, flow)| row(i, flow)).collect();
    tree.file("manifest.csv", format!("{header}{rows}"));
    for i in 0..flows.len() {
        tree.file(&format!("a/{i}.png"), square(96, i as u8));
    }
    tree.file("there.png", flow([32768 + 6554, 32768, u16::MAX]));
    tree.file("back.png", flow([32768, 32768, 0]));
    let dataset = tree.read();
    assert_eq!(names(&dataset), ["a/0.png", "a/1.png", "a/2.png"]);
    assert!(dataset.faces[0].flow.is_none());
    let flow = dataset.faces[1].flow.as_ref().expect("a flow");
    assert_eq!(flow.of, "a/0.png");
    let at = fersnet::face::Point::new(48.0, 48.0);
    let way = flow.there.at(at, 96).expect("known");
    assert!((way.x - 9.6).abs() < 0.01 && way.y == 0.0, "{way:?}");
    let back = flow.back.as_ref().expect("the way back");
    assert!(back.at(at, 96).is_none(), "nobody knows it");
    assert!(
        dataset.faces[2]
            .flow
            .as_ref()
            .is_some_and(|flow| flow.back.is_none())
    );
    assert_eq!(skipped(&dataset, "its flow: not a 16-bit RGB PNG"), 1);
    assert_eq!(skipped(&dataset, "its flow is not there"), 1);
}
