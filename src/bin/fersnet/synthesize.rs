//! `fersnet synthesize`: a face synthesised in its picture, or a labelled sheet of all expressions.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use fersnet::face::{self, Face, SynthesisedFace};
use fersnet::mark;
use fersnet::network::NetworkConfig;
use fersnet::picture::Picture;
use fersnet::pipeline::Pipeline;
use fersnet::sheet::ContactSheet;
use fersnet::store;
use fersnet::target::{Target, TargetError};

use crate::failure::Failure;
use crate::output::Force;
use crate::picture::{NetworkArguments, faces, read_picture_and_claims};

/// Side of a tile of the contact sheet, in pixels.
const TILE: u32 = 256;

/// Tiles in a row of the contact sheet.
const COLUMNS: usize = 3;

/// Quality of a JPEG that is written.
const JPEG_QUALITY: u8 = 92;

/// Synthesise a face with another expression; what is written carries a visible mark, a
/// watermark and metadata; what the photo's file says of its origin (XMP, C2PA) stays.
#[derive(Args)]
pub struct Synthesize {
    #[command(flatten)]
    network: NetworkArguments,
    /// An expression, `all` for a sheet, or names with weights: happiness=0.6,surprise=0.4 or, with
    /// weights that have controls, happiness=0.8,jawOpen=0.4 (`fersnet inspect` lists them).
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
    #[command(flatten)]
    force: Force,
    /// Leave the mouth as the network itself draws it, also where the weights have a painter.
    #[arg(long)]
    no_painter: bool,
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
    /// Writes the synthetic picture or the sheet.
    pub fn run(&self) -> Result<()> {
        let format = self.format()?;
        let mut inputs = self.network.files();
        inputs.push(self.picture.clone());
        self.force.check(&[&self.output], &inputs)?;
        let mut pipeline = self.network.pipeline()?;
        pipeline.set_painting(!self.no_painter);
        let all = self.target == "all";
        let (names, targets): (Vec<String>, Vec<Target>) = if all {
            Target::expressions(pipeline.config()).into_iter().unzip()
        } else {
            let target = parse_target(&self.target, pipeline.config())?;
            (vec![self.target.clone()], vec![target])
        };
        let (picture, claims) = read_picture_and_claims(&self.picture)?;
        let face = self.choose_face(&pipeline, &picture)?;
        let synthesised = pollster::block_on(async {
            let recognised = pipeline.recognise(&picture, face).await?;
            pipeline.synthesise(&picture, &recognised, &targets).await
        })?;
        let output = if all {
            sheet(&picture, &face, &synthesised, &names)
        } else {
            let one = synthesised.first().context("nothing was synthesised")?;
            face::paste(&picture, &face.alignment(), one)
        };
        let bytes = match format {
            Format::Png => mark::encode_marked_png(&output, &claims)?,
            Format::Jpeg => mark::encode_marked_jpeg(&output, JPEG_QUALITY, &claims)?,
        };
        store::write(&self.output, &bytes)?;
        if self.json {
            let written = serde_json::json!({
                "file": self.output.display().to_string(),
                "width": output.width(),
                "height": output.height(),
                "target": self.target,
                "face": face.found().map(|found| found.bounds),
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

    fn choose_face(&self, pipeline: &Pipeline, picture: &Picture) -> Result<Face> {
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

fn wrong<T>(what: String) -> Result<T> {
    Err(Failure::Arguments(what).into())
}

/// The target of a `--target`; a wrong one is a wrong argument.
pub fn parse_target(text: &str, config: &NetworkConfig) -> Result<Target> {
    Target::parse(text, config).or_else(|error| {
        let is_unknown = matches!(error, TargetError::Unknown { .. });
        let all = if is_unknown { ", or `all`" } else { "" };
        wrong(format!("--target: {error}{all}"))
    })
}

/// The face as it is and once for each expression, each with its name.
fn sheet(
    picture: &Picture,
    face: &Face,
    synthesised: &[SynthesisedFace],
    names: &[String],
) -> Picture {
    let rows = (1 + synthesised.len()).div_ceil(COLUMNS);
    let mut sheet = ContactSheet::captioned([COLUMNS, rows], [TILE; 2]);
    let mut add = |i: usize, name: &str, tile| {
        let at = [i % COLUMNS, i / COLUMNS];
        sheet.place(at, &tile);
        sheet.name(at, name);
    };
    let alignment = face.alignment();
    add(0, "as it is", alignment.crop(picture, TILE));
    for (i, (name, synthesised)) in names.iter().zip(synthesised).enumerate() {
        let tile = face::synthesised_crop(picture, &alignment, synthesised, TILE);
        add(i + 1, name, tile);
    }
    sheet.picture()
}
