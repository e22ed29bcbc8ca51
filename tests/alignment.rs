//! A face is cut by its eyes, the same way for training and for use, and comes back sharp.

use fersnet::face::alignment::{EYE_DISTANCE, EYE_LINE};
use fersnet::face::{Alignment, Change, Point, SynthesisedFace, paste, synthesised_crop};
use fersnet::picture::Picture;
use image::{Rgb, RgbImage};

/// Coordinates are single precision, in pictures of some thousand pixels.
const PLACE_TOLERANCE: f32 = 1e-2;

/// Half a step of 8 bits, and as much again for sampling between the pixels.
const VALUE_TOLERANCE: f32 = 1.0 / 255.0;

/// A window of three stripes holds two of one colour: 2/3 or 1/3 on average.
const STRIPE_TOLERANCE: f32 = 0.17;

fn assert_near(a: Point, b: Point) {
    assert!(a.distance(b) < PLACE_TOLERANCE, "{a:?} is not {b:?}");
}

/// A smooth picture in which every place has its own colour.
fn gradient(width: u32, height: u32) -> Picture {
    let wave = |t: f32| (127.5 + 120.0 * t.sin()) as u8;
    Picture::from(RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
        Rgb([wave(5.0 * x), wave(4.0 * y), wave(3.0 * (x + y))])
    }))
}

fn noise(width: u32, height: u32) -> Picture {
    let mut state = 7u32;
    Picture::from(RgbImage::from_fn(width, height, |_, _| {
        Rgb([0; 3].map(|_: u8| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }))
    }))
}

fn unchanged(size: usize) -> SynthesisedFace {
    SynthesisedFace {
        size,
        face: vec![0.5; 3 * size * size],
        change: Some(Change {
            own_mouth: None,
            delta: vec![0.0; 3 * size * size],
            flow: Some(vec![0.0; 2 * size * size]),
            cover: None,
        }),
        mouth: None,
    }
}

#[test]
fn the_eyes_land_on_their_places_in_the_square() {
    for (left, right) in [
        (Point::new(120.0, 80.0), Point::new(70.0, 80.0)),
        (Point::new(120.0, 95.0), Point::new(70.0, 60.0)),
        (Point::new(1000.0, 20.0), Point::new(1003.0, 500.0)),
    ] {
        let alignment = Alignment::from_eyes(left, right);
        let place = |u| alignment.picture_from_face(Point::new(u, EYE_LINE));
        assert_near(place(0.5 + EYE_DISTANCE / 2.0), left);
        assert_near(place(0.5 - EYE_DISTANCE / 2.0), right);
        for corner in alignment.corners() {
            let back = alignment.picture_from_face(alignment.face_from_picture(corner));
            assert_near(back, corner);
        }
    }
}

#[test]
fn the_chin_is_below_the_eyes_of_an_upright_face() {
    let alignment = Alignment::from_eyes(Point::new(120.0, 80.0), Point::new(70.0, 80.0));
    assert!(alignment.picture_from_face(Point::new(0.5, 1.0)).y > 80.0);
    assert!(alignment.angle().abs() < 1e-6);
}

#[test]
fn a_square_picture_maps_pixel_by_pixel() {
    let picture = noise(48, 48);
    let crop = Alignment::whole_picture(48, 48).crop(&picture, 48);
    assert_eq!(&crop, picture.as_image());
}

#[test]
fn a_picture_that_is_not_square_is_padded_by_its_edge() {
    let picture = noise(40, 20);
    let crop = Alignment::whole_picture(40, 20).crop(&picture, 40);
    for (x, y, pixel) in crop.enumerate_pixels() {
        let row = y.saturating_sub(10).min(19);
        assert_eq!(pixel, picture.as_image().get_pixel(x, row));
    }
}

#[test]
fn shrinking_averages_so_that_fine_stripes_become_grey() {
    let stripes = RgbImage::from_fn(960, 960, |x, _| Rgb([if x % 2 == 0 { 0 } else { 255 }; 3]));
    let stripes = Picture::from(stripes);
    for side in [960, 700, 480, 301, 192] {
        let part = Alignment::whole_picture(side, side);
        for value in part.crop_planar(&stripes, 96) {
            assert!((value - 0.5).abs() < STRIPE_TOLERANCE, "{value} at {side}");
        }
    }
}

#[test]
fn the_same_face_in_a_larger_picture_gives_the_same_crop() {
    let crop = |scale: u32| {
        let picture = gradient(200 * scale, 160 * scale);
        let s = scale as f32;
        let left = Point::new(120.0 * s, 85.0 * s);
        let right = Point::new(70.0 * s, 70.0 * s);
        Alignment::from_eyes(left, right).crop_planar(&picture, 96)
    };
    let small = crop(1);
    for scale in [2, 5, 11] {
        for (a, b) in small.iter().zip(crop(scale)) {
            assert!(
                (a - b).abs() < 3.0 * VALUE_TOLERANCE,
                "{a} and {b} at {scale}"
            );
        }
    }
}

#[test]
fn the_8_bit_crop_is_the_rounded_planar_one() {
    let picture = noise(90, 70);
    let alignment = Alignment::from_eyes(Point::new(60.0, 30.0), Point::new(25.0, 38.0));
    let planar = alignment.crop_planar(&picture, 96);
    let crop = alignment.crop(&picture, 96);
    for (i, pixel) in crop.pixels().enumerate() {
        for c in 0..3 {
            assert_eq!(
                f32::from(pixel.0[c]),
                (planar[c * 96 * 96 + i] * 255.0).round()
            );
        }
    }
}

#[test]
fn senseless_eyes_give_some_crop_and_no_panic() {
    let picture = noise(30, 20);
    for place in [0.0, -1e9, 1e30, f32::NAN, f32::INFINITY] {
        for other in [0.0, 7.0, 1e9, -1e30, f32::NAN] {
            let alignment = Alignment::from_eyes(Point::new(place, other), Point::new(other, 3.0));
            assert_eq!(alignment.crop(&picture, 96).dimensions(), (96, 96));
            assert_eq!(paste(&picture, &alignment, &unchanged(8)).width(), 30);
            assert_eq!(
                synthesised_crop(&picture, &alignment, &unchanged(8), 32).width(),
                32
            );
        }
    }
    let empty = Picture::from(RgbImage::new(0, 0));
    assert_eq!(Alignment::whole_picture(0, 0).crop(&empty, 96).width(), 96);
}

#[test]
fn a_very_long_picture_can_be_cut() {
    let picture = Picture::from(RgbImage::from_pixel(1, 20_000_001, Rgb([9; 3])));
    let crop = Alignment::whole_picture(1, 20_000_001).crop(&picture, 8);
    assert!(crop.pixels().all(|p| p.0 == [9; 3]));
}

#[test]
fn no_change_leaves_the_photo_as_it_is() {
    let picture = noise(300, 200);
    let alignment = Alignment::from_eyes(Point::new(180.0, 90.0), Point::new(110.0, 75.0));
    let pasted = paste(&picture, &alignment, &unchanged(96));
    let differing = |a: &Rgb<u8>, b: &Rgb<u8>| (0..3).any(|c| a.0[c].abs_diff(b.0[c]) > 1);
    let pairs = pasted.as_image().pixels().zip(picture.as_image().pixels());
    assert_eq!(pairs.filter(|(a, b)| differing(a, b)).count(), 0);
}

#[test]
fn outside_of_the_face_the_photo_stays_bit_for_bit() {
    let picture = noise(300, 200);
    let alignment = Alignment::from_eyes(Point::new(180.0, 90.0), Point::new(130.0, 75.0));
    for change in [true, false] {
        let redrawn = SynthesisedFace {
            size: 96,
            face: vec![3.0; 3 * 96 * 96],
            change: change.then(|| Change {
                own_mouth: None,
                delta: vec![-2.0; 3 * 96 * 96],
                flow: Some(vec![0.3; 2 * 96 * 96]),
                cover: None,
            }),
            mouth: None,
        };
        let pasted = paste(&picture, &alignment, &redrawn);
        let mut changed = 0;
        for (x, y, pixel) in pasted.as_image().enumerate_pixels() {
            let face = alignment.face_from_picture(Point::new(x as f32 + 0.5, y as f32 + 0.5));
            let outside = !(0.0..1.0).contains(&face.x) || !(0.0..1.0).contains(&face.y);
            let same = pixel == picture.as_image().get_pixel(x, y);
            assert!(same || !outside, "({x}, {y})");
            changed += usize::from(!same);
        }
        assert!(changed > 5000, "{changed}");
    }
}

#[test]
fn the_whole_face_without_a_change_replaces_the_middle() {
    let picture = noise(300, 300);
    let alignment = Alignment::whole_picture(300, 300);
    let redrawn = SynthesisedFace {
        size: 96,
        face: vec![0.25; 3 * 96 * 96],
        change: None,
        mouth: None,
    };
    let pasted = paste(&picture, &alignment, &redrawn);
    assert_eq!(pasted.as_image().get_pixel(150, 150).0, [64; 3]);
    assert_eq!(
        pasted.as_image().get_pixel(0, 0),
        picture.as_image().get_pixel(0, 0)
    );
}

#[test]
fn the_flow_moves_the_photos_own_pixels() {
    // A thin bright line at x = 200 of 400; the flow reads 0.05 face widths to the left.
    let line = RgbImage::from_fn(400, 400, |x, _| Rgb([if x == 200 { 255 } else { 20 }; 3]));
    let mut flow = vec![0.0; 2 * 96 * 96];
    flow[..96 * 96].fill(-0.05);
    let redrawn = SynthesisedFace {
        size: 96,
        face: Vec::new(),
        change: Some(Change {
            own_mouth: None,
            delta: vec![0.0; 3 * 96 * 96],
            flow: Some(flow),
            cover: None,
        }),
        mouth: None,
    };
    let picture = Picture::from(line);
    let pasted = paste(&picture, &Alignment::whole_picture(400, 400), &redrawn);
    let row: Vec<u8> = (0..400)
        .map(|x| pasted.as_image().get_pixel(x, 200).0[0])
        .collect();
    assert!(
        row[220] > 240,
        "the line is as thin and bright as it was: {}",
        row[220]
    );
    assert!(row[218] < 30 && row[222] < 30 && row[200] < 30);
}

#[test]
fn a_change_lights_the_photo_without_blurring_it() {
    let picture = Picture::from(RgbImage::from_fn(400, 400, |x, y| {
        Rgb([if (x + y) % 2 == 0 { 40 } else { 160 }; 3])
    }));
    let redrawn = SynthesisedFace {
        size: 96,
        face: Vec::new(),
        change: Some(Change {
            own_mouth: None,
            delta: vec![0.2; 3 * 96 * 96],
            flow: None,
            cover: None,
        }),
        mouth: None,
    };
    let pasted = paste(&picture, &Alignment::whole_picture(400, 400), &redrawn);
    assert_eq!(pasted.as_image().get_pixel(200, 200).0, [91; 3]);
    assert_eq!(pasted.as_image().get_pixel(201, 200).0, [211; 3]);
}

#[test]
fn the_tile_shows_what_is_pasted() {
    let picture = gradient(500, 400);
    let alignment = Alignment::from_eyes(Point::new(290.0, 190.0), Point::new(210.0, 180.0));
    let redrawn = SynthesisedFace {
        size: 96,
        face: Vec::new(),
        change: Some(Change {
            own_mouth: None,
            delta: vec![0.1; 3 * 96 * 96],
            flow: Some(vec![0.02; 2 * 96 * 96]),
            cover: None,
        }),
        mouth: None,
    };
    let tile = synthesised_crop(&picture, &alignment, &redrawn, 256);
    let cut = alignment.crop(&paste(&picture, &alignment, &redrawn), 256);
    for (a, b) in tile.pixels().zip(cut.pixels()) {
        for c in 0..3 {
            assert!(a.0[c].abs_diff(b.0[c]) <= 3, "{a:?} {b:?}");
        }
    }
}

#[test]
fn lips_that_come_together_show_no_teeth_between_them() {
    // White teeth between red lips, 32 pixels of 400 high; a flow that leaves a quarter of them.
    let mouth = RgbImage::from_fn(400, 400, |_, y| {
        Rgb(if (184..216).contains(&y) {
            [250; 3]
        } else {
            [180, 60, 60]
        })
    });
    let row = |i: usize| ((i / 96) as f32 + 0.5) / 96.0;
    let inside = |i: usize| f32::from(u8::from((0.46..0.54).contains(&row(i))));
    let mut flow = vec![0.0; 2 * 96 * 96];
    for i in 0..96 * 96 {
        let from_middle = row(i) - 0.5;
        flow[96 * 96 + i] = from_middle.signum() * (3.0 * from_middle.abs()).min(0.03);
    }
    let redrawn = |own_mouth: Option<Vec<f32>>| SynthesisedFace {
        size: 96,
        face: Vec::new(),
        change: Some(Change {
            delta: vec![0.0; 3 * 96 * 96],
            flow: Some(flow.clone()),
            cover: Some(vec![0.0; 96 * 96]),
            own_mouth,
        }),
        mouth: None,
    };
    let picture = Picture::from(mouth);
    let green = |own_mouth| {
        let pasted = paste(
            &picture,
            &Alignment::whole_picture(400, 400),
            &redrawn(own_mouth),
        );
        let column = (180..220).map(|y| pasted.as_image().get_pixel(200, y).0[1]);
        column.max().expect("rows")
    };
    assert!(green(None) > 240, "the flow alone leaves a thread of teeth");
    let map = (0..96 * 96).map(inside).collect();
    assert!(green(Some(map)) < 70);
}
