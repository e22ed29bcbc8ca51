//! `fersnet predict`: each face's box, expression and probabilities.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use fersnet::face::{Landmarks, Rect};
use fersnet::pipeline::Pipeline;
use serde::Serialize;

use crate::failure::Failure;
use crate::picture::{NetworkArguments, faces, read_picture};

/// Read the expression of every face in pictures.
#[derive(Args)]
pub struct Predict {
    #[command(flatten)]
    network: NetworkArguments,
    /// Take the whole picture as the face.
    #[arg(long)]
    whole: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    /// Tell the controls that each face shows, too (weights that have controls).
    #[arg(long)]
    controls: bool,
    /// JPEG, PNG, WebP, BMP or GIF files.
    #[arg(required = true)]
    pictures: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Answers {
    pictures: Vec<PictureAnswer>,
}

#[derive(Serialize)]
struct PictureAnswer {
    file: String,
    width: u32,
    height: u32,
    faces: Vec<FaceAnswer>,
}

#[derive(Serialize)]
struct FaceAnswer {
    /// None when the whole picture was taken.
    #[serde(rename = "box")]
    bounds: Option<Rect>,
    landmarks: Option<Landmarks>,
    expression: String,
    certain: bool,
    probabilities: BTreeMap<String, f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    controls: Option<BTreeMap<String, f32>>,
}

impl Predict {
    /// Reads each picture; a picture without a face fails the command after all were read.
    pub fn run(&self) -> Result<()> {
        let pipeline = self.network.pipeline()?;
        if self.controls && pipeline.config().controls.is_empty() {
            let why = "--controls: these weights have no controls; leave it out, or choose others";
            return Err(Failure::Arguments(why.into()).into());
        }
        let mut answers = Answers {
            pictures: Vec::new(),
        };
        // The last failure ends the command; those before it are told at once.
        let mut failure: Option<anyhow::Error> = None;
        let mut fail = |error| {
            if let Some(earlier) = failure.replace(error) {
                eprintln!("fersnet: {earlier:#}");
            }
        };
        for path in &self.pictures {
            match self.read(&pipeline, path) {
                Ok(answer) => {
                    if answer.faces.is_empty() {
                        fail(Failure::NoFace(answer.file.clone()).into());
                    }
                    if !self.json {
                        print_answer(&pipeline, &answer);
                    }
                    answers.pictures.push(answer);
                }
                Err(error) => fail(error),
            }
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&answers)?);
        }
        failure.map_or(Ok(()), Err)
    }

    fn read(&self, pipeline: &Pipeline, path: &Path) -> Result<PictureAnswer> {
        let picture = read_picture(path)?;
        let (classes, controls) = (&pipeline.config().classes, &pipeline.config().controls);
        let faces = faces(pipeline, &picture, self.whole)?
            .into_iter()
            .map(|face| {
                let recognised = pollster::block_on(pipeline.recognise(&picture, face))?;
                let answer = recognised.answer;
                let shown = controls.iter().cloned().zip(recognised.controls);
                Ok(FaceAnswer {
                    bounds: face.found().map(|found| found.bounds),
                    landmarks: face.found().map(|found| found.landmarks),
                    expression: classes[answer.expression].clone(),
                    certain: answer.certain,
                    probabilities: classes.iter().cloned().zip(answer.probabilities).collect(),
                    controls: self.controls.then(|| shown.collect()),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(PictureAnswer {
            file: path.display().to_string(),
            width: picture.width(),
            height: picture.height(),
            faces,
        })
    }
}

fn print_answer(pipeline: &Pipeline, answer: &PictureAnswer) {
    println!(
        "{} ({} x {}): {} face{}",
        answer.file,
        answer.width,
        answer.height,
        answer.faces.len(),
        if answer.faces.len() == 1 { "" } else { "s" }
    );
    for face in &answer.faces {
        let place = face.bounds.map_or("whole picture".to_owned(), |b| {
            format!("{:.0},{:.0} {:.0} x {:.0}", b.x, b.y, b.width, b.height)
        });
        let sure = if face.certain { "" } else { " (not sure)" };
        println!("  {place}: {}{sure}", face.expression);
        for class in &pipeline.config().classes {
            let p = face.probabilities.get(class).copied().unwrap_or_default();
            let bar = "#".repeat((p * 30.0).round() as usize);
            println!("    {class:>10} {:5.1} % {bar}", 100.0 * p);
        }
        for (name, value) in face.controls.iter().flatten() {
            println!("    {name:>20} {value:5.2}");
        }
    }
}
