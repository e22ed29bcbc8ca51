//! How often the watermark is found after what happens to pictures, and how often where there is none.
//!
//!     cargo run --release --example watermark_rates -- [--first N] FOLDER...
//!
//! Every picture of the folders (not of folders in them) is marked, changed in each way and searched; and the
//! same without the mark; with `--first` only the first ways, which take half the time. Prints the tables of
//! docs/watermark.md: a row a way, a part a folder.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fersnet::animation::encode_marked_gif;
use fersnet::claims::Claims;
use fersnet::mark::{encode_marked_png, find_tag};
use fersnet::picture::Picture;
use fersnet::watermark::{THRESHOLD, detect, embed, most_chance};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType, crop_imm};
use image::{GrayImage, RgbImage};
use rayon::prelude::*;

type Change = fn(&RgbImage) -> RgbImage;

/// What is done to the pictures, and its name.
const CHANGES: [(&str, Change); 12] = [
    ("as saved", RgbImage::clone),
    ("JPEG 75", |image| jpeg(image, 75)),
    ("half size", |image| scaled(image, 0.5)),
    ("10 % off the left", |image| {
        cropped(image, [0.1, 0.0, 0.0, 0.0])
    }),
    ("half size, JPEG 75", |image| jpeg(&scaled(image, 0.5), 75)),
    ("5 % off each side, half size, JPEG 75", |image| {
        jpeg(&scaled(&cropped(image, [0.05; 4]), 0.5), 75)
    }),
    ("5 % off each side", |image| cropped(image, [0.05; 4])),
    ("10 % off each side", |image| cropped(image, [0.1; 4])),
    ("70 % size, JPEG 60", |image| jpeg(&scaled(image, 0.7), 60)),
    ("enlarged 1.5 times, JPEG 75", |image| {
        jpeg(&scaled(image, 1.5), 75)
    }),
    ("mirrored, JPEG 75", |image| {
        jpeg(&imageops::flip_horizontal(image), 75)
    }),
    ("GIF of 256 colours", gif),
];

/// What was measured of one picture.
struct Row {
    psnr: f64,
    marked: Vec<f32>,
    plain: Vec<f32>,
    /// The tag's correlation where it is, at half size as JPEG 75, and where there is none.
    tag: [f32; 3],
    times: [Duration; 2],
    pixels: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let mut changes = &CHANGES[..];
    if arguments.first().is_some_and(|first| first == "--first") {
        let count = arguments
            .get(1)
            .and_then(|count| count.to_str()?.parse().ok());
        changes = count
            .and_then(|count| CHANGES.get(..count))
            .ok_or("--first: give a number of ways")?;
        arguments.drain(..2);
    }
    if arguments.is_empty() {
        return Err("give folders of pictures".into());
    }
    let folders = arguments.iter().map(Path::new);
    let mut all: Vec<f32> = Vec::new();
    for folder in folders {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<_>>()?;
        files.sort();
        let rows: Vec<Row> = files
            .par_iter()
            .filter_map(|file| row(file, changes))
            .collect();
        if !rows.is_empty() {
            tell(folder, &rows, changes);
            all.extend(rows.iter().flat_map(|row| row.plain.iter().copied()));
        }
    }
    tell_plain(&mut all);
    Ok(())
}

fn row(file: &Path, changes: &[(&str, Change)]) -> Option<Row> {
    let picture = Picture::decode(&std::fs::read(file).ok()?).ok()?;
    let image = picture.as_image();
    let begun = Instant::now();
    let mut marked = image.clone();
    embed(&mut marked);
    let embedding = begun.elapsed();
    let squares = image.as_raw().iter().zip(marked.as_raw());
    let squares: f64 = squares
        .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2))
        .sum();
    let psnr = 10.0 * (255.0f64.powi(2) / (squares / image.as_raw().len() as f64)).log10();
    // As it is saved: with the tag.
    let saved = encode_marked_png(&picture, &Claims::default()).ok()?;
    let saved = Picture::decode(&saved).ok()?.into_image();
    let scores = |image: &RgbImage| -> Vec<f32> {
        changes
            .iter()
            .map(|(_, change)| detect(&change(image)).score)
            .collect()
    };
    let begun = Instant::now();
    let marked = scores(&saved);
    let searching = begun.elapsed() / changes.len() as u32;
    let small = jpeg(&scaled(&saved, 0.5), 75);
    Some(Row {
        psnr,
        marked,
        plain: scores(image),
        tag: [&saved, &small, image].map(|image| find_tag(image).score),
        times: [embedding, searching],
        pixels: image.as_raw().len() / 3,
    })
}

fn tell(folder: &Path, rows: &[Row], changes: &[(&str, Change)]) {
    let pixels = rows.iter().map(|row| row.pixels).sum::<usize>() / rows.len();
    println!(
        "\n{}: {} pictures, {pixels} pixels on average\n",
        folder.display(),
        rows.len()
    );
    let psnr = |f: fn(f64, f64) -> f64| rows.iter().map(|row| row.psnr).reduce(f);
    println!(
        "PSNR: {:.1} dB on average, {:.1} at least",
        rows.iter().map(|row| row.psnr).sum::<f64>() / rows.len() as f64,
        psnr(f64::min).unwrap_or_default()
    );
    for (i, what) in ["embedding", "changing and searching"]
        .into_iter()
        .enumerate()
    {
        let sum: Duration = rows.iter().map(|row| row.times[i]).sum();
        println!(
            "{what}: {:.0} ms on average",
            sum.as_secs_f64() * 1e3 / rows.len() as f64
        );
    }
    let column = |f: fn(&Row) -> f32| rows.iter().map(f).collect::<Vec<f32>>();
    let tags = [
        column(|row| row.tag[0]),
        column(|row| row.tag[1]),
        column(|row| row.tag[2]),
    ];
    println!(
        "tag's correlation: {:.2} at least as saved, {:.2} at half size as JPEG 75 (1 in 20 below {:.2}); without it {:.2} at most",
        quantile(&tags[0], 0.0),
        quantile(&tags[1], 0.0),
        quantile(&tags[1], 0.05),
        quantile(&tags[2], 1.0)
    );
    println!(
        "\n| change | found | median score | 1 in 20 below | unmarked: found | highest score |"
    );
    println!("|---|---|---|---|---|---|");
    for (i, (name, _)) in changes.iter().enumerate() {
        let marked: Vec<f32> = rows.iter().map(|row| row.marked[i]).collect();
        let plain: Vec<f32> = rows.iter().map(|row| row.plain[i]).collect();
        let found = |scores: &[f32]| scores.iter().filter(|score| **score >= THRESHOLD).count();
        println!(
            "| {name} | {:.2} % | {:.1} | {:.1} | {} of {} | {:.2} |",
            100.0 * found(&marked) as f64 / rows.len() as f64,
            quantile(&marked, 0.5),
            quantile(&marked, 0.05),
            found(&plain),
            rows.len(),
            quantile(&plain, 1.0),
        );
    }
}

/// How high scores without the mark are, and where their tail leads.
fn tell_plain(all: &mut [f32]) {
    all.sort_by(f32::total_cmp);
    println!(
        "\nWithout the mark, {} searches: the highest score is {:.2}.",
        all.len(),
        all[all.len() - 1]
    );
    println!("\n| score | searches above | the bound |");
    println!("|---|---|---|");
    for step in 0..9 {
        let score = 5.0 + 0.25 * step as f32;
        let above = all.len() - all.partition_point(|value| *value < score);
        println!(
            "| {score:.2} | {above} ({:.1e}) | {:.1e} |",
            above as f64 / all.len() as f64,
            most_chance(score)
        );
    }
    // The squares' excess over a high score falls off exponentially, as a Gaussian's nearly does.
    let start = all[all.len() - all.len() / 50 - 1];
    let tail = all.iter().filter(|score| **score > start);
    let excess: Vec<f64> = tail
        .map(|score| f64::from(score * score - start * start))
        .collect();
    let mean = excess.iter().sum::<f64>() / excess.len() as f64;
    let at = f64::from(THRESHOLD * THRESHOLD - start * start);
    println!(
        "\nTail: above {start:.2} lie {} searches, whose squares exceed its square by {mean:.2} on average (a Gaussian's by nearly 2); carried on exponentially, a search exceeds {THRESHOLD} once in {:.1e}.",
        excess.len(),
        1.0 / (excess.len() as f64 / all.len() as f64 * (-at / mean).exp())
    );
}

fn quantile(values: &[f32], part: f64) -> f32 {
    let mut values = values.to_vec();
    values.sort_by(f32::total_cmp);
    values[((values.len() - 1) as f64 * part).round() as usize]
}

/// As a JPEG file and back: grey pictures as such ones.
fn jpeg(image: &RgbImage, quality: u8) -> RgbImage {
    let mut bytes = Vec::new();
    let is_grey = image
        .pixels()
        .all(|pixel| pixel.0.iter().all(|value| *value == pixel.0[0]));
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    let encoded = if is_grey {
        let values = image.pixels().map(|pixel| pixel.0[0]).collect();
        let grey = GrayImage::from_raw(image.width(), image.height(), values);
        encoder.encode_image(&grey.unwrap_or_default())
    } else {
        encoder.encode_image(image)
    };
    encoded.expect("a picture in memory is encoded");
    image::load_from_memory(&bytes)
        .expect("what was encoded is decoded")
        .into_rgb8()
}

fn scaled(image: &RgbImage, by: f32) -> RgbImage {
    let [width, height] =
        [image.width(), image.height()].map(|side| (side as f32 * by).round() as u32);
    imageops::resize(image, width, height, FilterType::CatmullRom)
}

/// Without parts of the width on the left and the right, and of the height at the top and the bottom.
fn cropped(image: &RgbImage, [left, right, top, bottom]: [f32; 4]) -> RgbImage {
    let (width, height) = (image.width() as f32, image.height() as f32);
    let part = |side: f32, part: f32| (side * part).round() as u32;
    let (x, y) = (part(width, left), part(height, top));
    let across = image.width() - x - part(width, right);
    let down = image.height() - y - part(height, bottom);
    crop_imm(image, x, y, across, down).to_image()
}

/// As a GIF file of ours and back.
fn gif(image: &RgbImage) -> RgbImage {
    let bytes =
        encode_marked_gif(std::slice::from_ref(image)).expect("a picture in memory is encoded");
    let picture = Picture::decode(&bytes).expect("what was encoded is decoded");
    picture.into_image()
}
