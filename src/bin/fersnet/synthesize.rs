//! `fersnet synthesize`: a face redrawn in its picture, or a labelled sheet of all expressions.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use fersnet::face::{self, Redrawn};
use fersnet::mark;
use fersnet::picture::Picture;
use fersnet::pipeline::Pipeline;
use image::{Rgb, RgbImage};

use crate::failure::Failure;
use crate::picture::{FaceAt, NetworkArguments, faces, read_picture};

/// Side of a tile of the contact sheet, in pixels.
const TILE: u32 = 256;

/// Height of a tile's label.
const LABEL: u32 = 24;

/// Height of the strip below the tiles.
const MARK_STRIP: u32 = 32;

/// Tiles in a row of the contact sheet.
const COLUMNS: u32 = 3;

/// Quality of a JPEG that is written.
const JPEG_QUALITY: u8 = 92;

/// Redraw a face with another expression; what is written carries a visible mark and metadata.
#[derive(Args)]
pub struct Synthesize {
    #[command(flatten)]
    network: NetworkArguments,
    /// An expression, `all` for a sheet, or a mixture such as happiness=0.6,surprise=0.4.
    #[arg(long)]
    target: String,
    /// The picture to write: .png or .jpg.
    #[arg(short, long)]
    output: PathBuf,
    /// Tell as JSON what was written.
    #[arg(long)]
    json: bool,
    /// Which face: 0 is the largest.
    #[arg(long, default_value_t = 0)]
    face: usize,
    /// Take the whole picture as the face.
    #[arg(long)]
    whole: bool,
    /// The picture.
    picture: PathBuf,
}

/// How a finished picture is encoded.
#[derive(Clone, Copy)]
enum Format {
    Png,
    Jpeg,
}

impl Synthesize {
    /// Writes the redrawn picture or the sheet.
    pub fn run(&self) -> Result<()> {
        let format = self.format()?;
        let pipeline = self.network.pipeline()?;
        let classes = pipeline.config().classes.clone();
        let all = self.target == "all";
        let targets = if all {
            (0..classes.len())
                .map(|i| one_hot(i, classes.len()))
                .collect()
        } else {
            vec![parse_target(&self.target, &classes)?]
        };
        let picture = read_picture(&self.picture)?;
        let face = self.choose_face(&pipeline, &picture)?;
        let redrawn = pollster::block_on(async {
            let reading = pipeline.read(&picture, face.alignment).await?;
            pipeline.redraw(&reading, &targets).await
        })?;
        let output = if all {
            sheet(&picture, &face, &redrawn, &classes)
        } else {
            let one = redrawn.first().context("nothing was redrawn")?;
            face::paste(&picture, &face.alignment, one)
        };
        let bytes = match format {
            Format::Png => mark::encode_marked_png(&output)?,
            Format::Jpeg => mark::encode_marked_jpeg(&output, JPEG_QUALITY)?,
        };
        std::fs::write(&self.output, bytes)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        if self.json {
            let written = serde_json::json!({
                "file": self.output.display().to_string(),
                "width": output.width(),
                "height": output.height(),
                "target": self.target,
                "face": face.found.map(|found| found.bounds),
            });
            println!("{}", serde_json::to_string_pretty(&written)?);
        }
        Ok(())
    }

    fn format(&self) -> Result<Format> {
        let extension = self
            .output
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("png") => Ok(Format::Png),
            Some("jpg" | "jpeg") => Ok(Format::Jpeg),
            _ => wrong(format!(
                "{}: the output's name must end in .png or .jpg",
                self.output.display()
            )),
        }
    }

    fn choose_face(&self, pipeline: &Pipeline, picture: &Picture) -> Result<FaceAt> {
        let found = faces(pipeline, picture, self.whole)?;
        let count = found.len();
        if count == 0 {
            return Err(Failure::NoFace(self.picture.display().to_string()).into());
        }
        match found.into_iter().nth(self.face) {
            Some(face) => Ok(face),
            None => wrong(format!(
                "{} has {count} face(s); --face counts from 0",
                self.picture.display()
            )),
        }
    }
}

fn one_hot(index: usize, classes: usize) -> Vec<f32> {
    (0..classes)
        .map(|i| if i == index { 1.0 } else { 0.0 })
        .collect()
}

fn wrong<T>(what: String) -> Result<T> {
    Err(Failure::Arguments(what).into())
}

/// `happiness` or `happiness=0.6,surprise=0.4` as a weight for each class.
pub fn parse_target(text: &str, classes: &[String]) -> Result<Vec<f32>> {
    let mut target = vec![0.0; classes.len()];
    for part in text.split(',') {
        let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
        let (name, weight) = (name.trim(), weight.trim());
        let Ok(value) = weight.parse::<f32>() else {
            return wrong(format!("the weight `{weight}` of {name} is not a number"));
        };
        let Some(index) = classes.iter().position(|class| class == name) else {
            return wrong(format!(
                "`{name}` is none of these weights' expressions: {}, or `all`",
                classes.join(", ")
            ));
        };
        if !(0.0..=1.0).contains(&value) {
            return wrong(format!(
                "the weight of {name} is {value}; it has to be from 0 to 1"
            ));
        }
        target[index] += value;
    }
    let sum: f32 = target.iter().sum();
    if !(0.0..=1.001).contains(&sum) || sum == 0.0 {
        return wrong(format!(
            "the weights of the target add up to {sum}; they have to be above 0 and at most 1"
        ));
    }
    Ok(target)
}

/// The face as it is and once for each expression, each with its label.
fn sheet(picture: &Picture, face: &FaceAt, redrawn: &[Redrawn], classes: &[String]) -> Picture {
    let mut tiles = vec![("as it is".to_owned(), face.alignment.crop(picture, TILE))];
    tiles.extend(classes.iter().zip(redrawn).map(|(class, redrawn)| {
        (
            class.clone(),
            face::redrawn_crop(picture, &face.alignment, redrawn, TILE),
        )
    }));
    let rows = (tiles.len() as u32).div_ceil(COLUMNS);
    // The mark goes into the lower left corner: a strip of its own keeps it off the faces.
    let mut sheet = RgbImage::from_pixel(
        COLUMNS * TILE,
        rows * (TILE + LABEL) + MARK_STRIP,
        Rgb([255, 255, 255]),
    );
    for (i, (label, tile)) in (0..).zip(&tiles) {
        let (x, y) = (i % COLUMNS * TILE, i / COLUMNS * (TILE + LABEL));
        image::imageops::replace(&mut sheet, tile, i64::from(x), i64::from(y));
        mark::draw_text(
            &mut sheet,
            x as i32 + 8,
            (y + TILE) as i32 + 5,
            2,
            label,
            Rgb([20, 20, 20]),
        );
    }
    Picture::from(sheet)
}
