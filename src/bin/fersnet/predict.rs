//! `fersnet predict`: each face's box, expression and probabilities.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use fersnet::face::Face;
use fersnet::pipeline::{Pipeline, RecognisedFace};

use crate::answers::{FaceAnswer, PictureAnswer};
use crate::failure::Failure;
use crate::output::Force;
use crate::picture::{NetworkArguments, faces, read_picture};
use crate::report::{Columns, Form, Report};
use crate::workers::{Workers, in_order};

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
    /// Answer as a table (CSV): a row for each face, and one for each picture without.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Tell the controls that each face shows, too (weights that have controls).
    #[arg(long)]
    controls: bool,
    /// Write the answers to a file, whole or not at all.
    #[arg(short, long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Pictures that are read at a time: as many as the machine has cores.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// JPEG, PNG, WebP, BMP or GIF files.
    #[arg(required = true)]
    pictures: Vec<PathBuf>,
}

impl Predict {
    /// Reads each picture; one that cannot be read, or without a face, fails the command after all were read.
    pub fn run(&self) -> Result<()> {
        if let Some(output) = &self.output {
            let mut inputs = self.network.files();
            inputs.extend(self.pictures.iter().cloned());
            self.force.check(&[output], &inputs)?;
        }
        let mut config = self.network.config()?;
        if self.controls && config.controls.is_empty() {
            let why = "--controls: these weights have no controls; leave it out, or choose others";
            return Err(Failure::Arguments(why.into()).into());
        }
        config.controls.retain(|_| self.controls);
        let columns = Columns {
            classes: config.classes,
            controls: config.controls,
        };
        let mut report = Report::begin(self.form(), columns, self.output.as_deref())?;
        let workers = Workers::new(self.jobs, self.network.takes_turns(), self.pictures.len());
        let read = |pipeline: &Pipeline, path: &PathBuf| self.read(pipeline, path);
        let load = || self.network.pipeline();
        let mut failure = None;
        in_order(&workers, &self.pictures, &load, &read, |path, answer| {
            let (answer, error) = match answer {
                Ok(answer) if answer.faces.is_empty() => {
                    let none = Failure::NoFace(answer.file.clone());
                    (answer, Some(anyhow::Error::from(none)))
                }
                Ok(answer) => (answer, None),
                Err(error) => (PictureAnswer::failed(path, &error), Some(error)),
            };
            // The last failure ends the command; those before it are told at once.
            if let Some(error) = error
                && let Some(earlier) = failure.replace(error)
            {
                eprintln!("fersnet: {earlier:#}");
            }
            report.add(&answer)
        })?;
        report.finish()?;
        failure.map_or(Ok(()), Err)
    }

    fn form(&self) -> Form {
        match (self.json, self.csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            _ => Form::Text,
        }
    }

    fn read(&self, pipeline: &Pipeline, path: &Path) -> Result<PictureAnswer> {
        let picture = read_picture(path)?;
        let answer = |face: Face| -> Result<FaceAnswer> {
            let recognised = pollster::block_on(pipeline.recognise(&picture, face))?;
            Ok(self.answer(pipeline, recognised))
        };
        let faces = faces(pipeline, &picture, self.whole)?;
        Ok(PictureAnswer {
            file: path.display().to_string(),
            width: Some(picture.width()),
            height: Some(picture.height()),
            error: None,
            faces: faces.into_iter().map(answer).collect::<Result<_>>()?,
        })
    }

    fn answer(&self, pipeline: &Pipeline, recognised: RecognisedFace) -> FaceAnswer {
        let (classes, controls) = (&pipeline.config().classes, &pipeline.config().controls);
        let (face, answer) = (recognised.face, recognised.answer);
        let shown = controls.iter().cloned().zip(recognised.controls);
        FaceAnswer {
            bounds: face.found().map(|found| found.bounds),
            landmarks: face.found().map(|found| found.landmarks),
            expression: classes[answer.expression].clone(),
            certain: answer.certain,
            doubts: recognised.doubts,
            probabilities: classes.iter().cloned().zip(answer.probabilities).collect(),
            controls: self.controls.then(|| shown.collect()),
        }
    }
}
