//! MMI: sequences that rise from neutral to an expression and fall again.
//!
//! The official download has a folder for each recording: `Sessions/171/session.xml` states the
//! view, `Sessions/171/S002-106.xml` the expression (the tag named `Emotion`, 1 to 6) of the video
//! `S002-106.avi`, whose name begins with the subject. Videos are not decoded here: the frames have
//! to lie in the recording's folder or in one of the video's name in it,
//!
//! ```text
//! ffmpeg -i S002-106.avi S002-106_%05d.png
//! ```
//!
//! turned upright where the camera lay on its side. The three frames around the middle are taken;
//! recordings in profile or with other annotations are skipped.

use std::path::{Path, PathBuf};

use roxmltree::{Document, Node, ParsingOptions};

use super::cut::Kind;
use super::listing::{Common, Listing, SIX, middle_three};
use super::{DataError, Dataset, Layout, Options, files};

const RECORDINGS: &str = "Sessions";

/// The file of a recording that states its view.
const RECORDING: &str = "session.xml";

/// The view that shows no face from the front; 0 is frontal, 2 shows both in one picture.
const PROFILE: &str = "1";

/// What a folder of this layout holds, in words.
pub(super) const LOOKED_FOR: &str = "MMI (Sessions/171/session.xml)";

/// Whether the folder looks like this layout.
pub(super) fn fits(root: &Path) -> bool {
    root.join(RECORDINGS).is_dir()
}

/// Reads the frontal recordings of the six expressions.
pub(super) fn read(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    let mut listing = Listing::new(root, Layout::Mmi);
    let recordings = listing.folder(RECORDINGS, "a folder for each recording")?;
    for recording in files::folders(&recordings)? {
        match annotation(&recording)? {
            Ok((subject, expression)) => {
                let frames = frames(&recording)?;
                if frames.is_empty() {
                    let reason = "a recording without frames; make them: ffmpeg -i S002-106.avi S002-106_%05d.png";
                    listing.skip(reason, &recording);
                }
                let common = Common {
                    subject: Some(&subject),
                    expression,
                    group: None,
                };
                listing.take_frames(frames, 3, middle_three, common);
            }
            Err(reason) => listing.skip(reason, &recording),
        }
    }
    listing.read(SIX.map(str::to_owned).to_vec(), Kind::Photographs, options)
}

/// Subject and expression of a recording, or why it is skipped.
fn annotation(recording: &Path) -> Result<Result<(String, &'static str), &'static str>, DataError> {
    let path = recording.join(RECORDING);
    if path.is_file() && view(&read_text(&path)?).is_some_and(|view| view == PROFILE) {
        return Ok(Err("a recording in profile"));
    }
    let Some((subject, path)) = annotation_file(recording)? else {
        return Ok(Err(
            "a recording without an annotation such as S002-106.xml",
        ));
    };
    let number = expression_number(&read_text(&path)?);
    let expression = number.and_then(|number| SIX.get(number.checked_sub(1)?).copied());
    Ok(match expression {
        Some(expression) => Ok((subject, expression)),
        None => Err("a recording that is not annotated with one of the six expressions"),
    })
}

/// The file with the expression, and the subject that its name begins with. Files of action units
/// over time have a second `-` in their names.
fn annotation_file(recording: &Path) -> Result<Option<(String, PathBuf)>, DataError> {
    let found = files::files(recording, &["xml"])?
        .into_iter()
        .find_map(|path| {
            let name = files::name(&path);
            let (subject, rest) = name.split_once('-')?;
            (!rest.contains('-')).then(|| (subject.to_owned(), path))
        });
    Ok(found)
}

/// Frames beside the annotations, or in folders beside them.
fn frames(recording: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut frames = files::pictures(recording)?;
    if frames.is_empty() {
        for folder in files::folders(recording)? {
            frames.extend(files::pictures(&folder)?);
        }
    }
    Ok(frames)
}

fn read_text(path: &Path) -> Result<String, DataError> {
    Ok(String::from_utf8_lossy(&files::read(path)?).into_owned())
}

/// The number of the expression in a recording's annotation.
fn expression_number(xml: &str) -> Option<usize> {
    find(xml, |node| {
        let is_expression =
            node.has_tag_name("Metatag") && node.attribute("Name") == Some("Emotion");
        is_expression.then(|| node.attribute("Value"))?
    })?
    .trim()
    .parse()
    .ok()
}

/// From where a recording was filmed.
fn view(xml: &str) -> Option<String> {
    find(xml, |node| {
        node.has_tag_name("track").then(|| node.attribute("view"))?
    })
}

/// The first answer of an element; none in what is no XML.
fn find(xml: &str, of: impl for<'a> Fn(Node<'a, '_>) -> Option<&'a str>) -> Option<String> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(xml, options).ok()?;
    document
        .descendants()
        .find_map(|node| of(node).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expression_is_the_value_of_its_own_tag() {
        let xml = "<Annotation>\n<Metatag Name=\"FACScoder\" Value=\"3\" />\n\
                   <Metatag Name = 'Emotion'\n Value=\"4\"/></Annotation>";
        assert_eq!(expression_number(xml), Some(4));
        assert_eq!(expression_number("<Metatag Name=\"Emotion\"/>"), None);
        assert_eq!(expression_number("<Metatag"), None);
        let deep = "<!DOCTYPE a><a><b><Metatag Name=\"Emotion\" Value=\" 2 \"/></b></a>";
        assert_eq!(expression_number(deep), Some(2));
    }

    #[test]
    fn the_view_is_the_tracks() {
        let xml = "<session review=\"7\"><track filename=\"a.avi\" view=\"1\"/></session>";
        assert_eq!(view(xml).as_deref(), Some("1"));
        assert_eq!(view("<session view=\"1\"/>"), None);
    }
}
