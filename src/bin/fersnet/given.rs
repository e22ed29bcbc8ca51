//! The files of `fersnet predict` as a stream of pictures and frames: no more than one is in memory here.

use std::path::{Path, PathBuf};
use std::slice::Iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Error, Result};
use indicatif::ProgressBar;

use crate::answers::VideoAnswer;
use crate::ffmpeg::{Frame, Rate, Video, is_video};

/// What comes next of the files.
pub enum Step<'a> {
    /// A picture, not yet read.
    Picture(&'a Path),
    /// A video begins; its frames are so many seconds apart.
    Begin(VideoAnswer, f64),
    /// The next frame of the video that began.
    Frame(Frame),
    /// The video that began has ended, or could not be decoded further.
    End(&'a Path, Result<()>),
    /// A video that could not be opened.
    Failed(&'a Path, Error),
}

/// The files, one after the other.
pub struct Steps<'a> {
    files: Iter<'a, PathBuf>,
    rate: Rate,
    open: Option<(&'a Path, Video)>,
    /// The first frame of the open video, which told its size.
    first: Option<Frame>,
    stop: Option<Arc<AtomicBool>>,
    bar: ProgressBar,
}

impl<'a> Steps<'a> {
    /// Of these files, until `stop` is set; the bar is told how many frames will come.
    pub fn new(
        files: &'a [PathBuf],
        rate: Rate,
        stop: Option<Arc<AtomicBool>>,
        bar: ProgressBar,
    ) -> Self {
        bar.set_length(files.iter().filter(|file| !is_video(file)).count() as u64);
        Self {
            files: files.iter(),
            rate,
            open: None,
            first: None,
            stop,
            bar,
        }
    }

    fn is_stopped(&self) -> bool {
        let stop = self.stop.as_ref();
        stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    fn begin(&mut self, path: &'a Path) -> Step<'a> {
        let opened = Video::open(path, self.rate).and_then(|mut video| {
            let first = video.next()?;
            Ok((video, first))
        });
        let (video, first) = match opened {
            Ok((video, Some(first))) => (video, first),
            // Not without an error.
            Ok((_, None)) => return Step::Failed(path, anyhow::anyhow!("no frame")),
            Err(error) => return Step::Failed(path, error),
        };
        let facts = video.facts();
        let step_seconds = match self.rate {
            Rate::Every(every) => f64::from(every) / facts.rate,
            Rate::PerSecond(rate) => 1.0 / rate.min(facts.rate),
        };
        if let Some(seconds) = facts.seconds {
            self.bar.inc_length((seconds / step_seconds).ceil() as u64);
        }
        let begin = VideoAnswer {
            file: path.display().to_string(),
            width: Some(first.picture.width()),
            height: Some(first.picture.height()),
            seconds: facts.seconds,
            rate: Some(facts.rate),
        };
        self.open = Some((path, video));
        self.first = Some(first);
        Step::Begin(begin, step_seconds)
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let is_stopped = self.is_stopped();
        let Some((path, video)) = &mut self.open else {
            let path = self.files.next().filter(|_| !is_stopped)?;
            return Some(if is_video(path) {
                self.begin(path)
            } else {
                Step::Picture(path)
            });
        };
        let path = *path;
        let next = match self.first.take() {
            _ if is_stopped => Ok(None),
            Some(first) => Ok(Some(first)),
            None => video.next(),
        };
        let ended = match next {
            Ok(Some(frame)) => return Some(Step::Frame(frame)),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        self.open = None;
        Some(Step::End(path, ended))
    }
}
