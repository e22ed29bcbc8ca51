//! The frames of a video file, decoded by the machine's `ffmpeg`: a program of its own that is given the file as one
//! argument, never through a shell, and that ends with us.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use fersnet::picture::{MAX_PIXELS, Picture, PictureError};
use image::RgbImage;
use serde_json::Value;

use crate::failure::Failure;

/// Containers that are opened. Playlists are not among them: they name other files and addresses, which would be opened too.
const FORMATS: &str = "mov,matroska,webm,avi,ogg,mpegts,mpeg,flv,asf";

/// Endings of the files that are taken for videos, as the page does.
const ENDINGS: [&str; 7] = ["mp4", "m4v", "mov", "webm", "mkv", "ogv", "avi"];

/// Lines of its complaints that are kept.
const KEPT_LINES: usize = 3;

/// A file that ends so much earlier than it says, in seconds, and not without a complaint, was cut short.
const CUT_SHORT_SECONDS: f64 = 0.5;

/// Whether a file is taken for a video, by its name.
pub fn is_video(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

/// Which frames are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// The first of every so many.
    Every(u32),
    /// So many a second; all where the video has fewer.
    PerSecond(f64),
}

/// What is known of a video before its frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Where the file says how long it is.
    pub seconds: Option<f64>,
    /// Frames a second; an average where they are not evenly spaced.
    pub rate: f64,
}

/// A frame, upright.
pub struct Frame {
    /// From 0, as the frame rate counts.
    pub number: u64,
    /// From the start of the file.
    pub seconds: f64,
    /// Its pixels.
    pub picture: Picture,
}

/// A video that is being decoded, frame by frame: no more than one is kept here.
pub struct Video {
    path: PathBuf,
    facts: Facts,
    child: Child,
    frames: BufReader<ChildStdout>,
    times: Receiver<f64>,
    complaints: Option<JoinHandle<VecDeque<String>>>,
    /// When the first and the last of the frames so far are shown.
    first: Option<f64>,
    last: Option<f64>,
}

impl Video {
    /// Opens a file and begins to decode it.
    ///
    /// # Errors
    /// [`Failure::Picture`] where the file is no video, or there is no ffmpeg.
    pub fn open(path: &Path, rate: Rate) -> Result<Self> {
        // A file that cannot be opened says why, in the words that pictures have.
        std::fs::File::open(path).map_err(|error| {
            Failure::Picture(format!("cannot read {}: {error}", path.display()))
        })?;
        let facts = facts(path)?;
        let mut command = Command::new("ffmpeg");
        // What Ctrl-C ends is told by us: ffmpeg is not to hear it too.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .args(["-nostdin", "-hide_banner", "-nostats", "-v", "level+info"])
            .args(input(path))
            .args(["-map", "0:V:0", "-vf", &filters(rate, facts.rate)])
            // Frames that are evenly numbered: none is dropped or told twice.
            .args(["-r", "25", "-f", "image2pipe", "-c:v", "ppm", "pipe:1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| missing(path, "ffmpeg", &error))?;
        let (frames, said) = (child.stdout.take(), child.stderr.take());
        let (frames, said) = frames.zip(said).context("ffmpeg has no output")?;
        let (tell, times) = channel();
        let complaints = std::thread::spawn(move || {
            let mut complaints = VecDeque::new();
            for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                if let Some(seconds) = time_in(&line) {
                    // Nobody may be left to hear it.
                    let _ = tell.send(seconds);
                } else if let Some(complaint) = complaint_in(&line) {
                    complaints.push_back(complaint);
                    if complaints.len() > KEPT_LINES {
                        complaints.pop_front();
                    }
                }
            }
            complaints
        });
        Ok(Self {
            path: path.to_owned(),
            facts,
            child,
            frames: BufReader::new(frames),
            times,
            complaints: Some(complaints),
            first: None,
            last: None,
        })
    }

    /// What was known before the frames.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The next frame; None at the end.
    ///
    /// # Errors
    /// [`Failure::Picture`] where the file ends before it should, or its frames cannot be decoded.
    pub fn next(&mut self) -> Result<Option<Frame>> {
        let Some(picture) = ppm(&mut self.frames)? else {
            self.end()?;
            return Ok(None);
        };
        let seconds = self.times.recv();
        let seconds = seconds.context("ffmpeg tells no time of a frame")?;
        let first = *self.first.get_or_insert(seconds);
        self.last = Some(seconds);
        Ok(Some(Frame {
            number: ((seconds - first) * self.facts.rate).round() as u64,
            seconds,
            picture,
        }))
    }

    /// Whether all that the file has was told.
    fn end(&mut self) -> Result<()> {
        let status = self.child.wait()?;
        let complaints = self.complaints.take().map(JoinHandle::join);
        let complaints = complaints.and_then(Result::ok).unwrap_or_default();
        let why = Vec::from(complaints).join("; ");
        let name = self.path.display();
        let Some(last) = self.last else {
            let why = if why.is_empty() {
                "it has no frame"
            } else {
                &why
            };
            return Err(
                Failure::Picture(format!("{name}: cannot be decoded as a video: {why}")).into(),
            );
        };
        let step = 1.0 / self.facts.rate;
        let is_short = self
            .facts
            .seconds
            .is_some_and(|all| last + step + CUT_SHORT_SECONDS < all);
        if !status.success() || (is_short && !why.is_empty()) {
            return Err(Failure::Picture(format!(
                "{name}: the video is damaged or cut short after {last:.3} seconds: {why}"
            ))
            .into());
        }
        Ok(())
    }
}

impl Drop for Video {
    fn drop(&mut self) {
        // It has ended by itself, or is no longer wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file as an input: nothing else is opened because of what it says.
fn input(path: &Path) -> Vec<OsString> {
    let mut address = OsString::from("file:");
    address.push(path);
    let options = [
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        FORMATS,
        "-i",
    ];
    let mut all: Vec<OsString> = options.map(OsString::from).to_vec();
    all.push(address);
    all
}

/// What chooses the frames, tells their times, and makes their pixels square.
fn filters(rate: Rate, of_video: f64) -> String {
    let chosen = match rate {
        Rate::Every(every) => format!("not(mod(n,{every}))"),
        Rate::PerSecond(rate) if rate >= of_video => "1".to_owned(),
        // The frame that is nearest to each step, of two the later, as the page rounds; times are whole milliseconds in some files.
        Rate::PerSecond(rate) => {
            let half = 0.5 / of_video - 0.001;
            let step = |time: &str| format!("floor(({time}-start_t+{half})*{rate})");
            format!(
                "isnan(prev_selected_t)+gt({},{})",
                step("t"),
                step("prev_selected_t")
            )
        }
    };
    format!(
        "select='{chosen}',showinfo=checksum=0,scale=w='max(1,round(iw*sar))':h=ih,setsar=1,\
         settb=AVTB,setpts=N*40000"
    )
}

/// The time in a line of the filter that tells times.
fn time_in(line: &str) -> Option<f64> {
    let is_frame = line.contains("showinfo") && line.contains("] n:");
    let (_, after) = line.split_once("pts_time:").filter(|_| is_frame)?;
    after.split_whitespace().next()?.parse().ok()
}

/// What is wrong, in a line that says so.
fn complaint_in(line: &str) -> Option<String> {
    let levels = ["[error] ", "[fatal] "];
    let after = levels.iter().find_map(|level| line.split_once(level))?.1;
    Some(after.trim().to_owned()).filter(|text| !text.is_empty())
}

fn missing(path: &Path, program: &str, error: &std::io::Error) -> Failure {
    let name = path.display();
    Failure::Picture(match error.kind() {
        std::io::ErrorKind::NotFound => format!(
            "{name}: videos are decoded by {program}, which is not on this machine: install ffmpeg (Debian and Ubuntu: apt \
             install ffmpeg; macOS: brew install ffmpeg), or give the frames as pictures"
        ),
        _ => format!("{name}: videos are decoded by {program}, which cannot be started: {error}"),
    })
}

/// Asks ffprobe, which comes with ffmpeg.
fn facts(path: &Path) -> Result<Facts> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "V:0", "-of", "json"])
        .args([
            "-show_entries",
            "stream=avg_frame_rate,r_frame_rate,duration:format=duration",
        ])
        .args(input(path))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| missing(path, "ffprobe", &error))?;
    let refuse = |why: &str| {
        let name = path.display();
        Failure::Picture(format!("{name}: cannot be decoded as a video: {why}"))
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        return Err(refuse(last.unwrap_or("ffprobe does not know it").trim()).into());
    }
    let told: Value = serde_json::from_slice(&output.stdout).context("ffprobe's answer")?;
    let stream = &told["streams"][0];
    if stream.is_null() {
        return Err(refuse("it has no picture track").into());
    }
    let number = |value: &Value| value.as_str()?.parse::<f64>().ok().filter(|n| *n > 0.0);
    let rates = ["avg_frame_rate", "r_frame_rate"].map(|name| fraction(stream[name].as_str()?));
    let rate = rates.into_iter().flatten().next();
    Ok(Facts {
        seconds: number(&stream["duration"]).or_else(|| number(&told["format"]["duration"])),
        rate: rate.ok_or_else(|| refuse("it tells no frame rate"))?,
    })
}

/// `30000/1001` as a number above 0.
fn fraction(text: &str) -> Option<f64> {
    let (above, below) = text.split_once('/')?;
    let value = above.parse::<f64>().ok()? / below.parse::<f64>().ok()?;
    (value.is_finite() && value > 0.0).then_some(value)
}

/// The next picture of a stream of PPM files; None at its end, also amid a picture: then the program has ended early,
/// and says why itself.
fn ppm(from: &mut impl BufRead) -> Result<Option<Picture>> {
    let mut words = Vec::new();
    while words.len() < 4 {
        let mut word = Vec::new();
        loop {
            let mut byte = [0];
            if from.read(&mut byte)? == 0 {
                return Ok(None);
            }
            if byte[0].is_ascii_whitespace() {
                break;
            }
            word.push(byte[0]);
            anyhow::ensure!(word.len() < 16, "ffmpeg's frames have another form");
        }
        words.push(String::from_utf8_lossy(&word).into_owned());
    }
    let sides = [&words[1], &words[2]].map(|word| word.parse::<u32>().ok());
    let [Some(width), Some(height)] = sides else {
        anyhow::bail!("ffmpeg's frames have another form");
    };
    anyhow::ensure!(
        words[0] == "P6" && words[3] == "255",
        "ffmpeg's frames have another form"
    );
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PictureError::TooManyPixels { width, height }.into());
    }
    let mut pixels = vec![0; 3 * width as usize * height as usize];
    match from.read_exact(&mut pixels) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    Ok(RgbImage::from_raw(width, height, pixels).map(Picture::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_complaints_are_told_apart() {
        let time = "[Parsed_showinfo_1 @ 0x56] [info] n:   1 pts:  12800 pts_time:1.04    pos: 1 fmt:yuv420p";
        assert_eq!((time_in(time), complaint_in(time)), (Some(1.04), None));
        let bad = "[mov @ 0x5] [error] moov atom not found";
        assert_eq!(
            (time_in(bad), complaint_in(bad)),
            (None, Some("moov atom not found".into()))
        );
        // The file's own words, which may say anything.
        let title = "[info]     title           : n: 1 pts_time:9";
        assert_eq!((time_in(title), complaint_in(title)), (None, None));
    }

    #[test]
    fn frames_are_parted_by_their_heads() {
        let mut two: &[u8] = b"P6\n1 2\n255\nabcdefP6\n1 1\n255\nxyzP6\n9 9\n255\ncut";
        let sizes: Vec<(u32, u32)> = std::iter::from_fn(|| ppm(&mut two).expect("read"))
            .map(|picture| (picture.width(), picture.height()))
            .collect();
        assert_eq!(sizes, [(1, 2), (1, 1)]);
    }
}
