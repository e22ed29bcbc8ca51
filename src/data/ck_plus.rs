//! CK+, the extended Cohn-Kanade set: sequences from neutral to the peak of an expression.
//!
//! `cohn-kanade-images/S005/001/S005_001_00000001.png`, the label of a sequence in
//! `Emotion/S005/001/S005_001_00000011_emotion.txt`. Of each labelled sequence the last three
//! frames show its expression and the first one is neutral; sequences without a label are left
//! out. A network of the seven expressions drops the neutral ones by
//! [`Dataset::for_classes`](super::Dataset::for_classes).

use std::path::Path;

use super::cut::Kind;
use super::listing::{Common, Listing, last_three};
use super::{DataError, Dataset, Layout, Options, files};

const IMAGES: &str = "cohn-kanade-images";
const LABELS: &str = "Emotion";

/// What a folder of this layout holds, in words.
pub(super) const LOOKED_FOR: &str = "CK+ (cohn-kanade-images/ and Emotion/)";

/// The expressions by the number that a label file states; 0 is neutral.
const CLASSES: [&str; 8] = [
    "neutral",
    "anger",
    "contempt",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
];

/// Whether the folder looks like this layout.
pub(super) fn fits(root: &Path) -> bool {
    root.join(IMAGES).is_dir() || root.join(LABELS).is_dir()
}

/// Reads the labelled sequences.
pub(super) fn read(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    let mut listing = Listing::new(root, Layout::CkPlus);
    let images = listing.folder(IMAGES, "the pictures of each subject")?;
    let labels = listing.folder(LABELS, "the labels of the sequences")?;
    for subject in files::folders(&images)? {
        let id = files::name(&subject);
        for sequence in files::folders(&subject)? {
            let mut frames = files::pictures(&sequence)?;
            let label = read_label(&labels.join(&id).join(files::name(&sequence)))?;
            let Some(expression) = label else {
                listing.skip_all("a sequence without a label", &frames);
                continue;
            };
            let common = |expression| Common {
                subject: Some(&id),
                expression,
                group: None,
            };
            // With fewer frames the first would be among the peak's.
            if frames.len() >= 4 {
                listing.take(vec![frames.remove(0)], common(CLASSES[0]));
            }
            listing.take_frames(frames, 3, last_three, common(expression));
        }
    }
    listing.read(
        CLASSES.map(str::to_owned).to_vec(),
        Kind::Photographs,
        options,
    )
}

/// The expression that a sequence's folder of labels states, if there is one.
fn read_label(dir: &Path) -> Result<Option<&'static str>, DataError> {
    if !dir.is_dir() {
        return Ok(None);
    }
    let Some(path) = files::files(dir, &["txt"])?.into_iter().next() else {
        return Ok(None);
    };
    let bytes = files::read(&path)?;
    let text = String::from_utf8_lossy(&bytes);
    let number = text.trim().parse::<f32>().ok();
    let known = |number: &f32| number.fract() == 0.0 && (1.0..=7.0).contains(number);
    match number.filter(known) {
        Some(number) => Ok(Some(CLASSES[number as usize])),
        None => Err(DataError::table(
            &path,
            1,
            format!("`{}` is not a label from 1 to 7", text.trim()),
        )),
    }
}
