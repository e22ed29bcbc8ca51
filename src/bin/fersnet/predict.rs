//! `fersnet predict`: each face's box, expression and probabilities, in pictures and in the frames of videos.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Error, Result};
use clap::Args;
use fersnet::face::{FacesFollowed, FrameLook, SeenFace};
use fersnet::picture::Picture;
use fersnet::pipeline::{Pipeline, RecognisedFace};

use crate::answers::{FaceAnswer, FollowedFace, FrameAnswer, PictureAnswer, VideoAnswer, clock};
use crate::failure::Failure;
use crate::ffmpeg::{Frame, Rate, is_video};
use crate::given::{Step, Steps};
use crate::interrupt;
use crate::output::Force;
use crate::picture::{NetworkArguments, faces, read_picture};
use crate::report::{Columns, Form, Report, Subject};
use crate::workers::{Workers, in_order};

/// Frames a second of a video that are recognised where nothing else is asked for, as in the page.
const USUAL_RATE: f64 = 5.0;

/// Recognise the expression of every face in pictures and videos.
///
/// Videos (.mp4, .m4v, .mov, .webm, .mkv, .ogv, .avi) are decoded by ffmpeg, which has to be installed. The faces of a
/// video are followed: each has one id until the next cut. With a video among the files, a table's rows have time,
/// seconds, frame and id, empty for pictures. Ctrl-C in a video keeps what was recognised by then.
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
    /// Of videos: recognise the first of every N frames.
    #[arg(long, value_name = "N", conflicts_with = "fps", value_parser = clap::value_parser!(u32).range(1..))]
    every: Option<u32>,
    /// Of videos: recognise so many frames a second, or all where there are fewer; 5 where nothing is given.
    #[arg(long, value_name = "F", value_parser = parse_rate)]
    fps: Option<f64>,
    /// JPEG, PNG, WebP, BMP or GIF files, and videos.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok();
    let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "give frames a second, such as 5 or 0.5".into())
}

/// What was recognised in a step.
enum Answered<'a> {
    Picture(&'a Path, Result<PictureAnswer>),
    Begin(VideoAnswer, f64),
    Frame(Box<FrameFaces>),
    End(&'a Path, Result<()>),
    Failed(&'a Path, Error),
}

/// What was recognised in a frame, not yet followed.
struct FrameFaces {
    number: u64,
    seconds: f64,
    look: FrameLook,
    faces: Result<Vec<(SeenFace, FaceAnswer)>>,
}

/// Puts the answers into the report, and keeps what has failed.
struct Collected {
    report: Report,
    failure: Option<Error>,
    followed: FacesFollowed,
    frames: usize,
    faces: usize,
}

impl Predict {
    /// Recognises each file; one that cannot be read, or without a face, fails the command after all were read.
    pub fn run(&self) -> Result<()> {
        if let Some(output) = &self.output {
            let mut inputs = self.network.files();
            inputs.extend(self.files.iter().cloned());
            self.force.check(&[output], &inputs)?;
        }
        let has_videos = self.files.iter().any(|file| is_video(file));
        if self.whole && has_videos {
            let why = "--whole: a video's frames are not taken as faces; leave it out, or give the frames as pictures";
            return Err(Failure::Arguments(why.into()).into());
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
            times: has_videos,
        };
        let subject = match has_videos && self.files.len() == 1 {
            true => Subject::OneVideo,
            false => Subject::Files,
        };
        let mut collected = Collected {
            report: Report::begin(self.form(), columns, subject, self.output.as_deref())?,
            failure: None,
            followed: FacesFollowed::new(1.0 / USUAL_RATE),
            frames: 0,
            faces: 0,
        };
        let stop = has_videos.then(interrupt::flag).transpose()?;
        let count = (!has_videos).then_some(self.files.len());
        let workers = Workers::new(self.jobs, self.network.takes_turns(), count);
        let steps = Steps::new(&self.files, self.rate(), stop.clone(), workers.bar());
        let read = |pipeline: &Pipeline, step| self.answered(pipeline, step);
        let load = || self.network.pipeline();
        in_order(&workers, steps, &load, &read, |answer| {
            collected.add(answer)
        })?;
        collected.finish(stop)
    }

    fn rate(&self) -> Rate {
        match (self.every, self.fps) {
            (Some(every), _) => Rate::Every(every),
            (None, rate) => Rate::PerSecond(rate.unwrap_or(USUAL_RATE)),
        }
    }

    fn answered<'a>(&self, pipeline: &Pipeline, step: Step<'a>) -> Answered<'a> {
        match step {
            Step::Picture(path) => Answered::Picture(path, self.read(pipeline, path)),
            Step::Begin(video, step_seconds) => Answered::Begin(video, step_seconds),
            Step::Frame(frame) => Answered::Frame(Box::new(self.frame(pipeline, &frame))),
            Step::End(path, ended) => Answered::End(path, ended),
            Step::Failed(path, error) => Answered::Failed(path, error),
        }
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
        let recognised = self.recognised(pipeline, &picture)?;
        let answer = |one| self.answer(pipeline, one);
        Ok(PictureAnswer {
            file: path.display().to_string(),
            width: Some(picture.width()),
            height: Some(picture.height()),
            error: None,
            faces: recognised.into_iter().map(answer).collect(),
        })
    }

    fn frame(&self, pipeline: &Pipeline, frame: &Frame) -> FrameFaces {
        let picture = &frame.picture;
        let recognised = self.recognised(pipeline, picture);
        let seen = |one: RecognisedFace| {
            let found = *one.face.found()?;
            let seen = SeenFace::of(picture, &found);
            Some((seen, self.answer(pipeline, one)))
        };
        FrameFaces {
            number: frame.number,
            seconds: frame.seconds,
            look: FrameLook::of(picture),
            faces: recognised.map(|all| all.into_iter().filter_map(seen).collect()),
        }
    }

    fn recognised(&self, pipeline: &Pipeline, picture: &Picture) -> Result<Vec<RecognisedFace>> {
        let faces = faces(pipeline, picture, self.whole)?.into_iter();
        let recognise = |face| Ok(pollster::block_on(pipeline.recognise(picture, face))?);
        faces.map(recognise).collect()
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

impl Collected {
    /// Adds an answer; gives how many pictures and frames are done with it.
    fn add(&mut self, answer: Answered) -> Result<u64> {
        match answer {
            Answered::Picture(path, answer) => {
                let answer = match answer {
                    Ok(answer) => answer,
                    Err(error) => {
                        let answer = PictureAnswer::failed(path, &error);
                        self.fail(error);
                        answer
                    }
                };
                if answer.faces.is_empty() && answer.error.is_none() {
                    self.fail(Failure::NoFace(answer.file.clone()).into());
                }
                self.report.add(&answer)?;
                return Ok(1);
            }
            Answered::Begin(video, step_seconds) => {
                (self.frames, self.faces) = (0, 0);
                self.followed = FacesFollowed::new(step_seconds);
                self.report.begin_video(video)?;
            }
            Answered::Frame(frame) => {
                let answer = self.follow(*frame);
                self.report.add_frame(&answer)?;
                return Ok(1);
            }
            Answered::End(path, ended) => {
                let error = ended.err().map(|error| {
                    let told = format!("{error:#}");
                    self.fail(error);
                    told
                });
                if self.faces == 0 && error.is_none() {
                    self.fail(Failure::NoFace(path.display().to_string()).into());
                }
                self.report.end_video(error.as_deref())?;
            }
            Answered::Failed(path, error) => {
                self.report.begin_video(VideoAnswer::failed(path))?;
                self.report.end_video(Some(&format!("{error:#}")))?;
                self.fail(error);
            }
        }
        Ok(0)
    }

    /// The last failure ends the command; those before it are told at once.
    fn fail(&mut self, error: Error) {
        if let Some(earlier) = self.failure.replace(error) {
            eprintln!("fersnet: {earlier:#}");
        }
    }

    fn follow(&mut self, frame: FrameFaces) -> FrameAnswer {
        let (faces, error) = match frame.faces {
            Ok(faces) => (faces, None),
            Err(error) => {
                let told = format!("{error:#}");
                self.fail(error);
                (Vec::new(), Some(told))
            }
        };
        let (seen, answers): (Vec<_>, Vec<_>) = faces.into_iter().unzip();
        let ids = self.followed.add(frame.seconds, frame.look, seen);
        self.frames += 1;
        self.faces += answers.len();
        let faces = ids.into_iter().zip(answers);
        FrameAnswer {
            time: clock(frame.seconds),
            seconds: (frame.seconds * 1000.0).round() / 1000.0,
            frame: frame.number,
            error,
            faces: faces.map(|(id, face)| FollowedFace { id, face }).collect(),
        }
    }

    fn finish(self, stop: Option<Arc<AtomicBool>>) -> Result<()> {
        self.report.finish()?;
        if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            anyhow::bail!(
                "stopped by Ctrl-C: the answers of what was recognised by then are kept ({} frames of the last video)",
                self.frames
            );
        }
        self.failure.map_or(Ok(()), Err)
    }
}
