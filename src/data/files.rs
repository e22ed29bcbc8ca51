//! Files of a data set: sorted listings, folders or tars of them, tables, digests.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::DataError;

/// Endings of the picture files that are read.
const PICTURES: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "webp", "gif"];

/// A whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    fs::read(path).map_err(DataError::read(path))
}

/// What lies in a folder, by name, without hidden files; the same on every machine. Numbers count
/// as numbers: the frames `1.png` to `10.png` stay in their order.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let error = DataError::read(dir);
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(&error)? {
        let path = entry.map_err(&error)?.path();
        if !name(&path).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort_by_cached_key(|path| order(&name(path)));
    Ok(paths)
}

/// A name's texts, each with the number after it; then the name itself, so that `1` and `01` differ.
fn order(name: &str) -> (Vec<(String, u64)>, String) {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit());
        let (text, from_digits) = rest.split_at(digits.unwrap_or(rest.len()));
        let end = from_digits.find(|c: char| !c.is_ascii_digit());
        let (number, after) = from_digits.split_at(end.unwrap_or(from_digits.len()));
        parts.push((text.to_owned(), number.parse().unwrap_or(0)));
        rest = after;
    }
    (parts, name.to_owned())
}

/// The folders in a folder, by name.
pub(super) fn folders(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = entries(dir)?;
    paths.retain(|path| path.is_dir());
    Ok(paths)
}

/// The files of a folder with one of the endings, by name.
pub(super) fn files(dir: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = entries(dir)?;
    paths.retain(|path| has_ending(path, endings) && path.is_file());
    Ok(paths)
}

/// The pictures in a folder, by name.
pub(super) fn pictures(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    files(dir, &PICTURES)
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| {
            endings
                .iter()
                .any(|known| ending.eq_ignore_ascii_case(known))
        })
}

/// The last part of a path, as text.
pub(super) fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A path as the data set names it: below the root, with `/`.
pub(super) fn name_below(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Calls `each` with the path inside the archive and the bytes of every picture of a tar.
pub(super) fn pictures_in_tar(
    path: &Path,
    mut each: impl FnMut(&Path, Vec<u8>),
) -> Result<(), DataError> {
    let error = DataError::read(path);
    let mut archive = tar::Archive::new(fs::File::open(path).map_err(&error)?);
    for entry in archive.entries().map_err(&error)? {
        let mut entry = entry.map_err(&error)?;
        let inside = entry.path().map_err(&error)?.into_owned();
        if !entry.header().entry_type().is_file() || !has_ending(&inside, &PICTURES) {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(&error)?;
        each(&inside, bytes);
    }
    Ok(())
}

/// The rows of a table with a header, spaces around its cells taken off.
pub(super) fn table(path: &Path) -> Result<csv::Reader<fs::File>, DataError> {
    let file = fs::File::open(path).map_err(DataError::read(path))?;
    Ok(csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(file))
}

/// What the table's reader refused, with its line.
pub(super) fn table_error(path: &Path) -> impl Fn(csv::Error) -> DataError {
    let path = path.to_owned();
    move |error| {
        let line = error.position().map_or(1, csv::Position::line);
        DataError::table(&path, line, error)
    }
}

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_in_the_order_of_their_numbers() {
        let mut names = ["a10.png", "a2.png", "b1.png", "a1.png", "a02.png"];
        names.sort_by_cached_key(|name| order(name));
        assert_eq!(names, ["a1.png", "a02.png", "a2.png", "a10.png", "b1.png"]);
    }
}
