//! The answers of `fersnet predict` as they come: as text, JSON or CSV, to the terminal or to a file.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fersnet::store::{self, PendingFile};

use crate::answers::{FaceAnswer, FollowedFace, FrameAnswer, PictureAnswer, VideoAnswer};

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// One object with all pictures.
    Json,
    /// A row a face.
    Csv,
}

/// What is said of a picture or a frame without a face.
const NO_FACE: &str = "no face was found";

/// What a table has columns for.
pub struct Columns {
    /// The network's classes.
    pub classes: Vec<String>,
    /// The controls that are told.
    pub controls: Vec<String>,
    /// Whether there are videos: rows have a time, a frame and an id then, empty for pictures.
    pub times: bool,
}

/// What a report is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Any number of files.
    Files,
    /// One video, whose JSON is that of the page.
    OneVideo,
}

/// Where answers go, one after the other: none is kept.
pub struct Report {
    form: Form,
    columns: Columns,
    to: Target,
    subject: Subject,
    /// Whether something was written.
    has_begun: bool,
    files: usize,
    /// The video that has begun.
    video: Option<VideoAnswer>,
    /// Its frames so far.
    frames: usize,
}

enum Target {
    Terminal(BufWriter<io::Stdout>),
    File(PathBuf, PendingFile),
}

impl Target {
    fn write(&mut self, text: &str) -> io::Result<()> {
        match self {
            Self::Terminal(to) => {
                to.write_all(text.as_bytes())?;
                to.flush()
            }
            Self::File(_, to) => to.write_all(text.as_bytes()),
        }
    }
}

impl Report {
    /// Begins a report in a file, or on the terminal.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(
        form: Form,
        columns: Columns,
        subject: Subject,
        path: Option<&Path>,
    ) -> Result<Self> {
        let to = match path {
            None => Target::Terminal(BufWriter::new(io::stdout())),
            Some(path) => Target::File(path.to_owned(), PendingFile::beside(path)?),
        };
        Ok(Self {
            form,
            columns,
            to,
            subject,
            has_begun: false,
            files: 0,
            video: None,
            frames: 0,
        })
    }

    /// Adds a picture.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, answer: &PictureAnswer) -> Result<()> {
        let text = match self.form {
            Form::Text if answer.error.is_some() => String::new(),
            Form::Text => self.text(answer),
            Form::Json => {
                let text = serde_json::to_string_pretty(answer)?;
                format!("{}\n    {}", self.comma(), text.replace('\n', "\n    "))
            }
            Form::Csv => self.rows(answer)?,
        };
        self.files += 1;
        self.write(&text)
    }

    /// Adds a video, whose frames come next.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin_video(&mut self, video: VideoAnswer) -> Result<()> {
        let text = match self.form {
            Form::Text => {
                let (width, height) = (
                    video.width.unwrap_or_default(),
                    video.height.unwrap_or_default(),
                );
                let rate = video.rate.unwrap_or_default();
                format!(
                    "{} ({width} x {height}, {rate:.2} frames a second)\n",
                    video.file
                )
            }
            Form::Json => {
                let facts = serde_json::to_string(&video)?;
                let inner = format!("  \"video\": {facts},\n  \"frames\": [");
                match self.subject {
                    Subject::OneVideo => inner,
                    Subject::Files => {
                        let inner = inner.replace('\n', "\n    ");
                        format!("{}\n    {{\n    {inner}", self.comma())
                    }
                }
            }
            Form::Csv => String::new(),
        };
        self.files += 1;
        self.frames = 0;
        self.video = Some(video);
        self.write(&text)
    }

    /// Adds a frame of the video that began last.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_frame(&mut self, frame: &FrameAnswer) -> Result<()> {
        let text = match self.form {
            Form::Text => self.frame_text(frame),
            Form::Json => {
                let comma = if self.frames == 0 { "" } else { "," };
                format!(
                    "{comma}\n{}    {}",
                    self.margin(),
                    serde_json::to_string(frame)?
                )
            }
            Form::Csv => self.frame_rows(frame)?,
        };
        self.frames += 1;
        self.write(&text)
    }

    /// Ends the video that began last; `error` says why it could not be decoded to its end.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end_video(&mut self, error: Option<&str>) -> Result<()> {
        let text = match self.form {
            Form::Text => String::new(),
            Form::Json => {
                let margin = self.margin();
                let why = match error {
                    Some(error) => {
                        format!(",\n{margin}  \"error\": {}", serde_json::to_string(error)?)
                    }
                    None => String::new(),
                };
                let end = match self.subject {
                    Subject::OneVideo => String::new(),
                    Subject::Files => format!("\n{margin}}}"),
                };
                format!("\n{margin}  ]{why}{end}")
            }
            Form::Csv => match error {
                Some(error) => self.empty_row(&self.video_start(None), error)?,
                None => String::new(),
            },
        };
        self.video = None;
        self.write(&text)
    }

    /// Ends the report; a file is there from now on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<()> {
        if self.form == Form::Json {
            self.write(match self.subject {
                Subject::Files => "\n  ]\n}\n",
                Subject::OneVideo => "\n}\n",
            })?;
        }
        match self.to {
            Target::Terminal(_) => Ok(()),
            Target::File(path, file) => Ok(file.keep(&path)?),
        }
    }

    /// Writes what comes next; before the first of it, but not before there is an answer (a device may fail first), the
    /// head.
    fn write(&mut self, text: &str) -> Result<()> {
        let start = if self.has_begun {
            String::new()
        } else {
            self.start()?
        };
        self.has_begun = true;
        let written = self.to.write(&(start + text));
        written.with_context(|| match &self.to {
            Target::Terminal(_) => "cannot write the answers".to_owned(),
            Target::File(path, _) => format!("cannot write {}", path.display()),
        })
    }

    /// What comes before the first answer.
    fn start(&self) -> Result<String> {
        match self.form {
            Form::Text => Ok(String::new()),
            Form::Json if self.subject == Subject::OneVideo => Ok("{\n".to_owned()),
            Form::Json => Ok("{\n  \"pictures\": [".to_owned()),
            Form::Csv => row(&self.head()),
        }
    }

    /// What parts a file from the one before it, in JSON.
    fn comma(&self) -> &'static str {
        if self.files == 0 { "" } else { "," }
    }

    /// How far a video's JSON stands to the right.
    fn margin(&self) -> &'static str {
        match self.subject {
            Subject::OneVideo => "",
            Subject::Files => "    ",
        }
    }

    fn text(&self, answer: &PictureAnswer) -> String {
        let (count, size) = (answer.faces.len(), (answer.width, answer.height));
        let (width, height) = (size.0.unwrap_or_default(), size.1.unwrap_or_default());
        let faces = if count == 1 { "face" } else { "faces" };
        let mut text = format!("{} ({width} x {height}): {count} {faces}\n", answer.file);
        for face in &answer.faces {
            let place = face.bounds.map_or("whole picture".to_owned(), |b| {
                format!("{:.0},{:.0} {:.0} x {:.0}", b.x, b.y, b.width, b.height)
            });
            text += &format!("  {place}: {}\n", shown(face));
            for class in &self.columns.classes {
                let p = face.probability(class);
                let bar = "#".repeat((p * 30.0).round() as usize);
                text += &format!("    {class:>10} {:5.1} % {bar}\n", 100.0 * p);
            }
            for (name, value) in face.controls.iter().flatten() {
                text += &format!("    {name:>20} {value:5.2}\n");
            }
        }
        text
    }

    /// A line for each face of a frame.
    fn frame_text(&self, frame: &FrameAnswer) -> String {
        let time = &frame.time;
        let mut text = String::new();
        for FollowedFace { id, face } in &frame.faces {
            let place = face.bounds.map_or(String::new(), |b| {
                format!(" at {:.0},{:.0} {:.0} x {:.0}", b.x, b.y, b.width, b.height)
            });
            let percent = 100.0 * face.probability(&face.expression);
            text += &format!(
                "  {time}  face {id}{place}: {percent:.1} % {}\n",
                shown(face)
            );
            for (name, value) in face.controls.iter().flatten() {
                text += &format!("    {name:>20} {value:5.2}\n");
            }
        }
        if frame.faces.is_empty() {
            let why = frame.error.as_deref().unwrap_or(NO_FACE);
            text += &format!("  {time}  {why}\n");
        }
        text
    }

    fn head(&self) -> Vec<String> {
        let start = if self.columns.times {
            "file time seconds frame id face"
        } else {
            "file face"
        };
        let fixed = "x y width height expression confidence certain doubts";
        let fixed = start.split(' ').chain(fixed.split(' '));
        let mut head: Vec<String> = fixed.map(str::to_owned).collect();
        head.extend(self.columns.classes.iter().map(|name| format!("p_{name}")));
        head.extend(self.columns.controls.iter().cloned());
        head.push("error".to_owned());
        head
    }

    /// A row for each face; of a picture without one, a row that says why.
    fn rows(&self, answer: &PictureAnswer) -> Result<String> {
        let mut start = vec![guarded(&answer.file)];
        if self.columns.times {
            start.resize(5, String::new());
        }
        let mut text = String::new();
        for (index, face) in answer.faces.iter().enumerate() {
            text += &row(&self.cells(start.clone(), index, face))?;
        }
        if answer.faces.is_empty() {
            text += &self.empty_row(&start, answer.error.as_deref().unwrap_or(NO_FACE))?;
        }
        Ok(text)
    }

    /// A row for each face of a frame; of a frame without one, a row that says why.
    fn frame_rows(&self, frame: &FrameAnswer) -> Result<String> {
        let start = self.video_start(Some(frame));
        let mut text = String::new();
        for (index, FollowedFace { id, face }) in frame.faces.iter().enumerate() {
            let mut start = start.clone();
            start.push(id.to_string());
            text += &row(&self.cells(start, index, face))?;
        }
        if frame.faces.is_empty() {
            text += &self.empty_row(&start, frame.error.as_deref().unwrap_or(NO_FACE))?;
        }
        Ok(text)
    }

    /// The cells that tell which frame of the video a row is of.
    fn video_start(&self, frame: Option<&FrameAnswer>) -> Vec<String> {
        let file = self.video.as_ref().map_or("", |video| &video.file);
        let mut start = vec![guarded(file)];
        if let Some(frame) = frame {
            let seconds = format!("{:.3}", frame.seconds);
            start.extend([frame.time.clone(), seconds, frame.frame.to_string()]);
        }
        start
    }

    /// A row that says why there is no face.
    fn empty_row(&self, start: &[String], why: &str) -> Result<String> {
        let mut cells = start.to_vec();
        cells.resize(self.head().len() - 1, String::new());
        cells.push(guarded(why));
        row(&cells)
    }

    fn cells(&self, start: Vec<String>, index: usize, face: &FaceAnswer) -> Vec<String> {
        let mut cells = start;
        cells.push(index.to_string());
        let place = face.bounds.map(|b| [b.x, b.y, b.width, b.height]);
        cells.extend((0..4).map(|i| place.map_or(String::new(), |of| format!("{:.1}", of[i]))));
        cells.push(guarded(&face.expression));
        cells.push(format!("{:.4}", face.probability(&face.expression)));
        cells.push(face.certain.to_string());
        cells.push(doubts(face, " "));
        let classes = self.columns.classes.iter();
        cells.extend(classes.map(|class| format!("{:.4}", face.probability(class))));
        for name in &self.columns.controls {
            let value = face.controls.as_ref().and_then(|all| all.get(name));
            cells.push(value.map_or(String::new(), |value| format!("{value:.4}")));
        }
        cells.push(String::new());
        cells
    }
}

/// What a face shows, for people: `anger (not sure) - doubtful: small, dark`.
fn shown(face: &FaceAnswer) -> String {
    let sure = if face.certain { "" } else { " (not sure)" };
    let doubts = doubts(face, ", ");
    let why = if doubts.is_empty() {
        ""
    } else {
        " - doubtful: "
    };
    format!("{}{sure}{why}{doubts}", face.expression)
}

/// What makes an answer doubtful, in words.
fn doubts(face: &FaceAnswer, between: &str) -> String {
    let names = face.doubts.iter().map(|doubt| doubt.name());
    names.collect::<Vec<_>>().join(between)
}

/// A text that a spreadsheet takes for a text: one that begins like a formula gets an apostrophe in front.
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// A row of a table.
fn row(cells: &[String]) -> Result<String> {
    Ok(String::from_utf8(store::csv([cells])?)?)
}
