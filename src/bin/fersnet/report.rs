//! The answers of `fersnet predict` as they come: as text, JSON or CSV, to the terminal or to a file.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fersnet::store::{self, PendingFile};

use crate::answers::{FaceAnswer, PictureAnswer};

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

/// What a table has columns for.
pub struct Columns {
    /// The network's classes.
    pub classes: Vec<String>,
    /// The controls that are told.
    pub controls: Vec<String>,
}

/// Where answers go, one after the other: none is kept.
pub struct Report {
    form: Form,
    columns: Columns,
    to: Target,
    pictures: usize,
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
    pub fn begin(form: Form, columns: Columns, path: Option<&Path>) -> Result<Self> {
        let to = match path {
            None => Target::Terminal(BufWriter::new(io::stdout())),
            Some(path) => Target::File(path.to_owned(), PendingFile::beside(path)?),
        };
        Ok(Self {
            form,
            columns,
            to,
            pictures: 0,
        })
    }

    /// Adds a picture.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, answer: &PictureAnswer) -> Result<()> {
        // Not before there is an answer: a device may fail first.
        let start = if self.pictures == 0 {
            self.start()?
        } else {
            String::new()
        };
        let text = match self.form {
            Form::Text if answer.error.is_some() => String::new(),
            Form::Text => self.text(answer),
            Form::Json => {
                let text = serde_json::to_string_pretty(answer)?;
                let comma = if self.pictures == 0 { "" } else { "," };
                format!("{comma}\n    {}", text.replace('\n', "\n    "))
            }
            Form::Csv => self.rows(answer)?,
        };
        self.pictures += 1;
        self.write(&(start + &text))
    }

    /// Ends the report; a file is there from now on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<()> {
        if self.form == Form::Json {
            self.write("\n  ]\n}\n")?;
        }
        match self.to {
            Target::Terminal(_) => Ok(()),
            Target::File(path, file) => Ok(file.keep(&path)?),
        }
    }

    fn write(&mut self, text: &str) -> Result<()> {
        let written = self.to.write(text);
        written.with_context(|| match &self.to {
            Target::Terminal(_) => "cannot write the answers".to_owned(),
            Target::File(path, _) => format!("cannot write {}", path.display()),
        })
    }

    /// What comes before the first answer.
    fn start(&self) -> Result<String> {
        match self.form {
            Form::Text => Ok(String::new()),
            Form::Json => Ok("{\n  \"pictures\": [".to_owned()),
            Form::Csv => row(&self.head()),
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

    fn head(&self) -> Vec<String> {
        let fixed = "file face x y width height expression confidence certain doubts";
        let mut head: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
        head.extend(self.columns.classes.iter().map(|name| format!("p_{name}")));
        head.extend(self.columns.controls.iter().cloned());
        head.push("error".to_owned());
        head
    }

    /// A row for each face; of a picture without one, a row that says why.
    fn rows(&self, answer: &PictureAnswer) -> Result<String> {
        let all = answer.faces.iter().enumerate();
        let mut text = String::new();
        for (index, face) in all {
            text += &row(&self.cells(&answer.file, index, face))?;
        }
        if answer.faces.is_empty() {
            let mut cells = vec![String::new(); self.head().len()];
            cells[0] = guarded(&answer.file);
            if let Some(last) = cells.last_mut() {
                *last = guarded(answer.error.as_deref().unwrap_or("no face was found"));
            }
            text += &row(&cells)?;
        }
        Ok(text)
    }

    fn cells(&self, file: &str, index: usize, face: &FaceAnswer) -> Vec<String> {
        let mut cells = vec![guarded(file), index.to_string()];
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
