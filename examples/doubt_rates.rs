//! How much the answer about a face changes as its picture gets worse, what is measured of the face then, and how
//! often it is called doubtful: where the limits of `src/face/quality.rs` and the tables of docs/doubt.md come from.
//!
//!     cargo run --release --example doubt_rates -- degraded ROWS.csv EVERY FOLDER...
//!     cargo run --release --example doubt_rates -- plain ROWS.csv EVERY FOLDER...
//!     cargo run --release --example doubt_rates -- tell DEGRADED.csv... -- PLAIN.csv...
//!
//! `degraded` (or `degraded=tilted`, for one of the ways alone) takes every so many-th picture of the folders (and of folders in them), makes its largest face worse step by
//! step, finds and recognises it anew, and writes a row each; `plain` takes the pictures as they are. Of FER+ only the training
//! split is taken: for `degraded` what a training run keeps apart, for `plain` all of it. `tell` prints the tables.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use fersnet::data::validation_split::is_validation;
use fersnet::data::{self, Options, Split};
use fersnet::face::{Alignment, DetectedFace, Doubt, Face, FaceQuality, Point};
use fersnet::picture::Picture;
use fersnet::pipeline::Pipeline;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Distances between the eyes that a face is made smaller to, in pixels.
const SMALL: [f32; 9] = [20.0, 16.0, 14.0, 12.0, 10.0, 8.0, 7.0, 6.0, 5.0];

/// What a dark picture's values are multiplied by, and the noise that is added then, in levels.
const DARK: [f32; 8] = [0.5, 0.3, 0.2, 0.14, 0.1, 0.07, 0.05, 0.035];
const NOISE: f32 = 2.0;

/// What an overexposed picture's values are multiplied by.
const OVEREXPOSED: [f32; 7] = [1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 9.0];

/// Standard deviations of a blur, in parts of the eyes' distance.
const BLURRED: [f32; 8] = [0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25];

/// Angles that a picture is tilted by, in degrees.
const TILTED: [f32; 4] = [15.0, 30.0, 45.0, 60.0];

/// Grey patches: left, top, right and bottom in the aligned face.
const COVERED: [(&str, [f32; 4]); 6] = [
    ("eyes", [0.05, 0.27, 0.95, 0.47]),
    ("mouth", [0.25, 0.68, 0.75, 0.95]),
    ("lower half", [0.0, 0.55, 1.0, 1.2]),
    ("a third at the side", [0.66, 0.0, 1.1, 1.1]),
    ("a half at the side", [0.5, 0.0, 1.1, 1.1]),
    ("brow", [0.0, -0.2, 1.0, 0.3]),
];

/// A face is recognised at this distance between the eyes at most, so that all are made worse alike.
const MOST_PIXELS: f32 = 60.0;

/// A face as it is or made worse.
#[derive(Serialize, Deserialize)]
struct Row {
    set: String,
    name: String,
    /// What people named, or the folder's name.
    label: String,
    change: String,
    step: String,
    /// The expression of the face as it is.
    base: String,
    /// None where the face is not found any more.
    expression: Option<String>,
    confidence: Option<f32>,
    eye_distance: Option<f32>,
    light: Option<f32>,
    white: Option<f32>,
    detail: Option<f32>,
    turn: Option<f32>,
    nod: Option<f32>,
}

impl Row {
    fn quality(&self) -> Option<FaceQuality> {
        Some(FaceQuality {
            eye_distance: self.eye_distance?,
            light: self.light?,
            white: self.white?,
            detail: self.detail?,
            turn: self.turn,
            nod: self.nod,
        })
    }

    fn doubts(&self) -> Vec<Doubt> {
        self.quality()
            .map_or(Vec::new(), |quality| quality.doubts())
    }

    fn agrees(&self) -> bool {
        self.expression.as_ref() == Some(&self.base)
    }
}

/// A picture of a set.
struct Item {
    set: String,
    name: String,
    label: String,
    picture: Picture,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [mode, out, every, folders @ ..] if mode.starts_with("degraded") || mode == "plain" => {
            let is_plain = mode == "plain";
            let only = mode.split_once('=').map_or("", |(_, only)| only);
            let mut writer = csv::Writer::from_path(out)?;
            for folder in folders {
                let items = items(Path::new(folder), every.parse()?, is_plain)?;
                let chunk = items.len().div_ceil(rayon::current_num_threads()).max(1);
                let rows = items.par_chunks(chunk).flat_map_iter(|items| {
                    let pipeline = Pipeline::shipped(Device::flex()).ok();
                    let rows = |item| {
                        pipeline
                            .as_ref()
                            .map(|pipeline| rows(pipeline, item, is_plain, only))
                    };
                    items.iter().filter_map(rows).flatten().collect::<Vec<_>>()
                });
                for row in rows.collect::<Vec<Row>>() {
                    writer.serialize(row)?;
                }
            }
            writer.flush()?;
        }
        [mode, files @ ..] if mode == "tell" => {
            let mut parts = files.split(|file| file == "--");
            let mut part = || read(parts.next().unwrap_or_default());
            tell_degraded(&part()?);
            tell_plain(&part()?);
        }
        _ => return Err(
            "give degraded|plain ROWS.csv EVERY FOLDER..., or tell DEGRADED.csv... -- PLAIN.csv..."
                .into(),
        ),
    }
    Ok(())
}

fn items(folder: &Path, every: usize, is_plain: bool) -> Result<Vec<Item>, Box<dyn Error>> {
    if folder.join("fer2013new.csv").exists() {
        let options = Options {
            split: Some(Split::Train),
            ..Options::default()
        };
        let data = data::open(folder, &options)?;
        let apart = is_validation(&data.faces);
        let faces = data.faces.iter().zip(apart);
        let faces = faces.filter(|(face, apart)| face.class.is_some() && (is_plain || *apart));
        let item = |(face, _): (&data::Face, bool)| Item {
            set: "FER+ train".into(),
            name: face.name.clone(),
            label: data.classes[face.class.unwrap_or_default()].clone(),
            picture: face.picture.clone(),
        };
        return Ok(faces.step_by(every).map(item).collect());
    }
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    let set = folder.file_name().unwrap_or_default().to_string_lossy();
    let item = |file: PathBuf| {
        Some(Item {
            set: set.clone().into_owned(),
            name: file.strip_prefix(folder).ok()?.display().to_string(),
            label: file.parent()?.file_name()?.to_string_lossy().into_owned(),
            picture: Picture::decode(&std::fs::read(&file).ok()?).ok()?,
        })
    };
    Ok(files.into_iter().step_by(every).filter_map(item).collect())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|ending| ending == "jpg" || ending == "png")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// The rows of a picture; none where no face is found in it.
fn rows(pipeline: &Pipeline, item: &Item, is_plain: bool, only: &str) -> Vec<Row> {
    let (mut picture, mut rows) = (item.picture.clone(), Vec::new());
    let Some(mut face) = largest(pipeline, &picture) else {
        return rows;
    };
    if !is_plain {
        picture = close_up(&picture, &face);
        match largest(pipeline, &picture) {
            Some(again) => face = again,
            None => return rows,
        }
    }
    let row = |change: &str, step: &str| Row {
        set: item.set.clone(),
        name: item.name.clone(),
        label: item.label.clone(),
        change: change.to_owned(),
        step: step.to_owned(),
        base: String::new(),
        expression: None,
        confidence: None,
        eye_distance: None,
        light: None,
        white: None,
        detail: None,
        turn: None,
        nod: None,
    };
    let mut own = row("none", "");
    measure(pipeline, &picture, face, &mut own);
    own.base = own.expression.clone().unwrap_or_default();
    let base = own.base.clone();
    rows.push(own);
    if is_plain {
        return rows;
    }
    let mut add = |change: &str, step: &str, changed: &dyn Fn() -> RgbImage, at: Point| {
        if !only.is_empty() && change != only {
            return;
        }
        let changed = Picture::from(changed());
        let mut row = row(change, step);
        row.base = base.clone();
        if let Some(face) = nearest(pipeline, &changed, at) {
            measure(pipeline, &changed, face, &mut row);
        }
        rows.push(row);
    };
    let (image, eyes, at) = (picture.as_image(), eyes_apart(&face), centre(&face));
    for wanted in SMALL.into_iter().filter(|wanted| *wanted < eyes) {
        let scale = wanted / eyes;
        let at = Point::new(at.x * scale, at.y * scale);
        add("small", &wanted.to_string(), &|| scaled(image, scale), at);
    }
    for gain in DARK {
        add("dark", &gain.to_string(), &|| lit(image, gain, NOISE), at);
    }
    for gain in OVEREXPOSED {
        add(
            "overexposed",
            &gain.to_string(),
            &|| lit(image, gain, 0.0),
            at,
        );
    }
    for part in BLURRED {
        add(
            "blurred",
            &part.to_string(),
            &|| imageops::blur(image, part * eyes),
            at,
        );
    }
    for degrees in TILTED {
        let view = Alignment::whole_picture(image.width(), image.height());
        let view = view.moved(Point::new(0.0, 0.0), 1.0, degrees.to_radians());
        let size = image.width().max(image.height());
        let at = view.face_from_picture(at);
        let at = Point::new(at.x * size as f32, at.y * size as f32);
        add(
            "tilted",
            &degrees.to_string(),
            &|| view.crop(&picture, size),
            at,
        );
    }
    for (name, part) in COVERED {
        add(
            "covered",
            name,
            &|| covered(image, &face.alignment(), part),
            at,
        );
    }
    rows
}

/// Recognises a face, and writes down what was measured of it.
fn measure(pipeline: &Pipeline, picture: &Picture, face: DetectedFace, row: &mut Row) {
    let recognised = pollster::block_on(pipeline.recognise(picture, Face::Found(face)));
    let Ok(recognised) = recognised else { return };
    let answer = recognised.answer;
    let quality = FaceQuality::of(picture, &Face::Found(face));
    row.expression = Some(pipeline.config().classes[answer.expression].clone());
    row.confidence = Some(answer.probabilities[answer.expression]);
    row.eye_distance = Some(quality.eye_distance);
    row.light = Some(quality.light);
    row.white = Some(quality.white);
    row.detail = Some(quality.detail);
    row.turn = quality.turn;
    row.nod = quality.nod;
}

fn found(pipeline: &Pipeline, picture: &Picture) -> Vec<DetectedFace> {
    let faces = pollster::block_on(pipeline.find_faces(picture)).unwrap_or_default();
    faces
        .iter()
        .filter_map(|face| face.found().copied())
        .collect()
}

fn largest(pipeline: &Pipeline, picture: &Picture) -> Option<DetectedFace> {
    found(pipeline, picture).first().copied()
}

/// The face whose centre is nearest to a place, if it is not further than the eyes are apart.
fn nearest(pipeline: &Pipeline, picture: &Picture, place: Point) -> Option<DetectedFace> {
    let away = |face: &DetectedFace| centre(face).distance(place);
    let near = found(pipeline, picture)
        .into_iter()
        .filter(|face| away(face) < eyes_apart(face));
    near.min_by(|a, b| away(a).total_cmp(&away(b)))
}

fn eyes_apart(face: &DetectedFace) -> f32 {
    face.landmarks.left_eye.distance(face.landmarks.right_eye)
}

fn centre(face: &DetectedFace) -> Point {
    face.alignment().picture_from_face(Point::new(0.5, 0.5))
}

/// The face with as much around it again, no larger than [`MOST_PIXELS`].
fn close_up(picture: &Picture, face: &DetectedFace) -> Picture {
    let (at, half) = (centre(face), 1.5 * face.alignment().side());
    let part = |at: f32, side: u32| {
        let from = (at - half).clamp(0.0, side as f32 - 1.0) as u32;
        (
            from,
            (at + half).clamp(from as f32 + 1.0, side as f32) as u32 - from,
        )
    };
    let ((x, width), (y, height)) = (part(at.x, picture.width()), part(at.y, picture.height()));
    let cut = imageops::crop_imm(picture.as_image(), x, y, width, height).to_image();
    let scale = MOST_PIXELS / eyes_apart(face);
    Picture::from(if scale < 1.0 {
        scaled(&cut, scale)
    } else {
        cut
    })
}

fn scaled(image: &RgbImage, scale: f32) -> RgbImage {
    let size = |side: u32| ((side as f32 * scale).round() as u32).max(1);
    imageops::resize(
        image,
        size(image.width()),
        size(image.height()),
        FilterType::Triangle,
    )
}

/// Brighter or darker, with noise of so many levels: the same for each picture.
fn lit(image: &RgbImage, gain: f32, noise: f32) -> RgbImage {
    let mut seed = 12345u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / 16_777_216.0
    };
    let mut image = image.clone();
    for value in image.pixels_mut().flat_map(|Rgb(values)| values) {
        // Four of them are about normal, with a variance of a third.
        let sum = random() + random() + random() + random() - 2.0;
        let changed = f32::from(*value) * gain + sum * 3f32.sqrt() * noise;
        *value = changed.round().clamp(0.0, 255.0) as u8;
    }
    image
}

fn covered(image: &RgbImage, face: &Alignment, [left, top, right, bottom]: [f32; 4]) -> RgbImage {
    let mut image = image.clone();
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let at = face.face_from_picture(Point::new(x as f32 + 0.5, y as f32 + 0.5));
        if (left..right).contains(&at.x) && (top..bottom).contains(&at.y) {
            *pixel = Rgb([128; 3]);
        }
    }
    image
}

fn read(files: &[String]) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for file in files {
        for row in csv::Reader::from_path(file)?.deserialize() {
            rows.push(row?);
        }
    }
    Ok(rows)
}

fn percent(part: usize, of: usize) -> String {
    if of == 0 {
        return "-".into();
    }
    format!("{:.1} %", 100.0 * part as f64 / of as f64)
}

fn count<'a>(rows: &[&'a Row], is: impl Fn(&'a Row) -> bool) -> usize {
    rows.iter().filter(|row| is(row)).count()
}

/// A row a step of a change: how many are still found, agree with the face as it is, and are called doubtful.
fn tell_degraded(rows: &[Row]) {
    println!(
        "| change | step | faces | found | of these agree | mean confidence | called doubtful | the others agree |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut steps: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        if !steps.contains(&(&row.change, &row.step)) {
            steps.push((&row.change, &row.step));
        }
    }
    steps.sort_by_key(|(change, _)| *change);
    for (change, step) in steps {
        let all: Vec<&Row> = rows
            .iter()
            .filter(|row| row.change == change && row.step == step)
            .collect();
        let found: Vec<&Row> = all
            .iter()
            .copied()
            .filter(|row| row.expression.is_some())
            .collect();
        let clear: Vec<&Row> = found
            .iter()
            .copied()
            .filter(|row| row.doubts().is_empty())
            .collect();
        let confidence: f32 = found.iter().filter_map(|row| row.confidence).sum();
        println!(
            "| {change} | {step} | {} | {} | {} | {:.2} | {} | {} |",
            all.len(),
            percent(found.len(), all.len()),
            percent(count(&found, Row::agrees), found.len()),
            confidence / found.len().max(1) as f32,
            percent(found.len() - clear.len(), found.len()),
            percent(count(&clear, Row::agrees), clear.len())
        );
    }
}

/// How often pictures as they are called doubtful, and of labelled ones what the turn costs.
fn tell_plain(rows: &[Row]) {
    let mut sets: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        sets.entry(&row.set).or_default().push(row);
    }
    println!(
        "\n| as they are | faces | doubtful | small | dark | overexposed | blurred | turned |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (set, rows) in &sets {
        let doubtful = count(rows, |row| !row.doubts().is_empty());
        let kinds = [
            Doubt::Small,
            Doubt::Dark,
            Doubt::Overexposed,
            Doubt::Blurred,
            Doubt::Turned,
        ];
        let kinds = kinds
            .map(|doubt| percent(count(rows, |row| row.doubts().contains(&doubt)), rows.len()));
        println!(
            "| {set} | {} | {} | {} |",
            rows.len(),
            percent(doubtful, rows.len()),
            kinds.join(" | ")
        );
    }
    let fer = sets.get("FER+ train").map_or(&[][..], Vec::as_slice);
    let edges = [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 90.0];
    tell_labels("to a side, degrees", fer, &edges, |row| {
        row.turn.map(f32::abs)
    });
    let edges = [-1.0, 0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 2.0];
    tell_labels("eye distances, nose below ears", fer, &edges, |row| row.nod);
}

/// How many labelled faces are recognised as people say, in bins of what was measured.
fn tell_labels(what: &str, rows: &[&Row], edges: &[f32], of: impl Fn(&Row) -> Option<f32>) {
    println!("\n| {what} | faces | as most people say | mean confidence |");
    println!("|---|---|---|---|");
    for edges in edges.windows(2) {
        let is_in =
            |row: &&&Row| of(row).is_some_and(|value| (edges[0]..edges[1]).contains(&value));
        let some: Vec<&Row> = rows.iter().filter(is_in).copied().collect();
        let right = count(&some, |row| row.expression.as_ref() == Some(&row.label));
        let sum: f32 = some.iter().filter_map(|row| row.confidence).sum();
        let mean = sum / some.len().max(1) as f32;
        let (from, to, right) = (edges[0], edges[1], percent(right, some.len()));
        println!("| {from} to {to} | {} | {right} | {mean:.2} |", some.len());
    }
}
