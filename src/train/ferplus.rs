//! FER+ : FER2013's pictures with ten votes each (Barsoum et al., ICMI 2016, arXiv 1608.01041).
//!
//! Layout: a folder with `fer2013new.csv` and, for each split that is there, `FER2013Train`,
//! `FER2013Valid` or `FER2013Test` as a folder or as a tar file of that folder.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::augment::Place;
use super::files::{for_each_in_tar, read_file};
use super::{Split, TrainError};
use crate::face::{FaceDetector, FaceError};
use crate::picture::Picture;

/// The eight expressions of FER+, in the order of its columns.
pub const CLASSES: [&str; 8] = [
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
];

/// Columns of votes: the eight expressions, `unknown`, `NF` (no face).
const COLUMNS: usize = 10;

/// A picture with its votes.
pub struct LabelledFace {
    /// File name, as the table names it.
    pub name: String,
    /// The 48 x 48 picture, grey in three channels.
    pub picture: Picture,
    /// Where the face lies: the whole picture unless [`find_eyes`] found it.
    pub place: Place,
    /// Share of the votes for each of the eight expressions; sums to 1.
    pub votes: [f32; 8],
    /// The expression with more than half of the votes, where there is one.
    pub majority: Option<usize>,
}

/// What the votes say: their shares over the eight expressions, and the majority.
///
/// Single votes are dropped as slips. None when nothing is left, or when most say that the
/// expression is unknown or that there is no face.
pub fn tally(votes: [u32; COLUMNS]) -> Option<([f32; 8], Option<usize>)> {
    let kept = votes.map(|count| if count > 1 { count } else { 0 });
    let total: u32 = kept.iter().sum();
    let expressions: u32 = kept[..8].iter().sum();
    let more_than_half = |count: u32| 2 * count > total;
    if expressions == 0 || more_than_half(total - expressions) {
        return None;
    }
    let mut shares = [0.0; 8];
    for (share, count) in shares.iter_mut().zip(kept) {
        *share = count as f32 / expressions as f32;
    }
    let majority = kept[..8].iter().position(|count| more_than_half(*count));
    Some((shares, majority))
}

/// Reads one split.
///
/// # Errors
/// [`TrainError`] that names the path that is missing or cannot be read.
pub fn read(root: &Path, split: Split) -> Result<Vec<LabelledFace>, TrainError> {
    let table = read_votes(&root.join("fer2013new.csv"), split)?;
    let pictures = read_pictures(root, folder_name(split))?;
    let mut faces = Vec::new();
    for (name, bytes) in pictures {
        let Some((votes, majority)) = table.get(&name).and_then(|votes| tally(*votes)) else {
            continue;
        };
        let picture = Picture::decode(&bytes).map_err(|source| TrainError::Picture {
            name: name.clone(),
            source,
        })?;
        faces.push(LabelledFace {
            name,
            picture,
            place: Place::Whole,
            votes,
            majority,
        });
    }
    if faces.is_empty() {
        return Err(TrainError::Empty(format!(
            "{} (split {})",
            root.display(),
            folder_name(split)
        )));
    }
    // Archives and folders list in different orders; runs must not differ by that.
    faces.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(faces)
}

/// Looks for the eyes in each picture, as the page and the command line do, so that the face is cut
/// by them; a picture in which no face is found stays whole. The number of faces found.
///
/// # Errors
/// [`FaceError`] when the detector fails.
pub async fn find_eyes(
    faces: &mut [LabelledFace],
    detector: &FaceDetector,
) -> Result<usize, FaceError> {
    let mut found = 0;
    for face in faces {
        if let Some(largest) = detector.detect(&face.picture).await?.first() {
            let landmarks = largest.landmarks;
            face.place = Place::Eyes(landmarks.left_eye, landmarks.right_eye);
            found += 1;
        }
    }
    Ok(found)
}

fn folder_name(split: Split) -> &'static str {
    match split {
        Split::Train => "FER2013Train",
        Split::Validation => "FER2013Valid",
        Split::Test => "FER2013Test",
    }
}

fn usage_name(split: Split) -> &'static str {
    match split {
        Split::Train => "Training",
        Split::Validation => "PublicTest",
        Split::Test => "PrivateTest",
    }
}

/// Votes of a split by picture name.
fn read_votes(path: &Path, split: Split) -> Result<HashMap<String, [u32; COLUMNS]>, TrainError> {
    let malformed = |line: usize, what: &str| TrainError::Table {
        path: path.to_owned(),
        line,
        what: what.to_owned(),
    };
    let file = fs::File::open(path).map_err(|source| TrainError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut table = HashMap::new();
    for (index, record) in csv::Reader::from_reader(file).records().enumerate() {
        let line = index + 2;
        let record = record.map_err(|error| malformed(line, &error.to_string()))?;
        if record.get(0) != Some(usage_name(split)) {
            continue;
        }
        let name = record.get(1).unwrap_or_default();
        if name.is_empty() {
            continue; // FER+ leaves the name out where the picture was withdrawn.
        }
        let mut votes = [0; COLUMNS];
        for (column, vote) in votes.iter_mut().enumerate() {
            let cell = record.get(column + 2).unwrap_or_default();
            *vote = cell
                .parse()
                .map_err(|_| malformed(line, &format!("`{cell}` is not a number of votes")))?;
        }
        table.insert(name.to_owned(), votes);
    }
    Ok(table)
}

fn read_pictures(root: &Path, folder: &str) -> Result<Vec<(String, Vec<u8>)>, TrainError> {
    let (dir, archive) = (root.join(folder), root.join(format!("{folder}.tar")));
    let mut pictures = Vec::new();
    if dir.is_dir() {
        for path in sorted_files(&dir)? {
            if let Some(name) = picture_name(&path) {
                pictures.push((name, read_file(&path)?));
            }
        }
    } else if archive.is_file() {
        for_each_in_tar(&archive, |path, bytes| {
            if let Some(name) = picture_name(path) {
                pictures.push((name, bytes));
            }
        })?;
    } else {
        return Err(TrainError::MissingSplit { dir, archive });
    }
    Ok(pictures)
}

fn picture_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    name.ends_with(".png").then(|| name.to_owned())
}

fn sorted_files(dir: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let error = |source| TrainError::Read {
        path: dir.to_owned(),
        source,
    };
    let mut paths = fs::read_dir(dir)
        .map_err(error)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(error)?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_vote_is_dropped_as_a_slip() {
        let (votes, majority) = tally([8, 1, 0, 0, 0, 0, 0, 0, 1, 0]).expect("a face");
        assert_eq!(votes[0], 1.0);
        assert_eq!(majority, Some(0));
    }

    #[test]
    fn half_of_the_votes_are_no_majority() {
        let (votes, majority) = tally([5, 5, 0, 0, 0, 0, 0, 0, 0, 0]).expect("a face");
        assert_eq!((votes[0], votes[1]), (0.5, 0.5));
        assert_eq!(majority, None);
    }

    #[test]
    fn a_picture_that_most_call_unknown_is_left_out() {
        assert!(tally([2, 0, 0, 0, 0, 0, 0, 0, 6, 2]).is_none());
        assert!(tally([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]).is_none());
    }
}
