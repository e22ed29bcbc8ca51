//! A folder of portraits -> the pictures in it, and what its tables say of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::PairsError;
use crate::data::expressions::canonical;

/// Endings of the picture files that are read.
const PICTURES: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "webp", "gif"];

/// Folders deeper than this are not looked into, and the most pictures that are listed.
const DEPTH: usize = 16;
const MOST: usize = 1_000_000;

/// The most bytes a table may have.
const MOST_BYTES: u64 = 256 << 20;

/// A picture that portraits are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The file.
    pub path: PathBuf,
    /// Its name below the folder, with `/`.
    pub name: String,
    /// The person; the file's name without its ending where no table says.
    pub subject: String,
    /// The collection it comes from; empty where no table says.
    pub source: String,
    /// Its terms; empty where no table says.
    pub licence: String,
    /// What it shows, by a table.
    pub expression: Option<&'static str>,
}

/// The portraits of a folder, by name. Where tables (`*.csv`) in it have columns `file` and `subject`,
/// those that they name; else every picture below it.
///
/// # Errors
/// [`PairsError::Portraits`] when a table names a file outside of the folder or cannot be read,
/// [`PairsError::Read`].
pub fn list(root: &Path) -> Result<Vec<Listed>, PairsError> {
    let mut told = BTreeMap::new();
    let entries = sorted(root)?;
    for path in entries.iter().filter(|path| has_ending(path, &["csv"])) {
        read_table(root, path, &mut told)?;
    }
    if !told.is_empty() {
        return Ok(told.into_values().collect());
    }
    let mut found = Vec::new();
    walk(root, root, 0, &mut found)?;
    if found.is_empty() {
        return Err(PairsError::Portraits {
            path: root.to_owned(),
            what: "there are no pictures in it (JPEG, PNG, WebP, BMP or GIF)".to_owned(),
        });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, PairsError> {
    let error = PairsError::read(folder);
    let entries = fs::read_dir(folder).map_err(&error)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(&error)?;
    paths.sort();
    Ok(paths)
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| {
        endings
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

fn walk(
    root: &Path,
    folder: &Path,
    depth: usize,
    found: &mut Vec<Listed>,
) -> Result<(), PairsError> {
    for path in sorted(folder)? {
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden || found.len() >= MOST {
            continue;
        }
        // Links to folders could lead round in a circle.
        let is_link = path.is_symlink();
        if path.is_dir() {
            if !is_link && depth < DEPTH {
                walk(root, &path, depth + 1, found)?;
            }
        } else if has_ending(&path, &PICTURES) {
            let below = path.strip_prefix(root).unwrap_or(&path);
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            let name = parts.join("/");
            let subject = name
                .rsplit_once('.')
                .map_or(name.as_str(), |(stem, _)| stem);
            found.push(Listed {
                subject: subject.to_owned(),
                source: String::new(),
                licence: String::new(),
                expression: None,
                path,
                name,
            });
        }
    }
    Ok(())
}

fn read_table(
    root: &Path,
    path: &Path,
    told: &mut BTreeMap<String, Listed>,
) -> Result<(), PairsError> {
    let error = |what: String| PairsError::Portraits {
        path: path.to_owned(),
        what,
    };
    let length = fs::metadata(path).map_err(PairsError::read(path))?.len();
    if length > MOST_BYTES {
        return Err(error(
            "the table is larger than any list of portraits".to_owned(),
        ));
    }
    let file = fs::File::open(path).map_err(PairsError::read(path))?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(file);
    let headers = reader.headers().map_err(|e| error(e.to_string()))?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (Some(file), Some(subject)) = (column("file"), column("subject")) else {
        return Ok(());
    };
    let others = ["source", "licence", "expression"].map(column);
    for record in reader.records() {
        let record = record.map_err(|e| error(e.to_string()))?;
        let line = record.position().map_or(1, csv::Position::line);
        let cell = |column: Option<usize>| {
            let cell = column.and_then(|column| record.get(column));
            cell.unwrap_or_default().to_owned()
        };
        let [source, licence, expression] = others.map(cell);
        let name = cell(Some(file)).replace('\\', "/");
        let is_inside = !name.is_empty()
            && Path::new(&name)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
        if !is_inside {
            return Err(error(format!(
                "line {line}: {name:?} is no file below the folder"
            )));
        }
        let subject = cell(Some(subject));
        if subject.is_empty() {
            return Err(error(format!("line {line}: the subject is missing")));
        }
        if told.len() >= MOST {
            return Err(error(format!("more than {MOST} portraits")));
        }
        let listed = Listed {
            path: root.join(&name),
            expression: canonical(&expression),
            subject,
            source,
            licence,
            name: name.clone(),
        };
        told.entry(name).or_insert(listed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(table: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("manifest.csv"), table).expect("a table");
        fs::create_dir(folder.path().join("a")).expect("a folder");
        fs::write(folder.path().join("a/b.JPG"), b"no picture").expect("a file");
        folder
    }

    #[test]
    fn a_table_tells_the_subject_and_its_files_stay_below_the_folder() {
        let good = folder("file,subject,licence,expression\na/b.JPG,S1,CC0,happy\n");
        let listed = list(good.path()).expect("a list");
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].subject, "S1");
        assert_eq!(listed[0].expression, Some("happiness"));
        for file in ["../b.jpg", "/etc/passwd", "a/../../b.jpg", ""] {
            let bad = folder(&format!("file,subject\n{file},S1\n"));
            assert!(
                matches!(list(bad.path()), Err(PairsError::Portraits { .. })),
                "{file}"
            );
        }
    }

    #[test]
    fn without_a_table_each_picture_is_a_person() {
        let plain = folder("name,value\na,1\n");
        let listed = list(plain.path()).expect("a list");
        assert_eq!(listed[0].name, "a/b.JPG");
        assert_eq!(listed[0].subject, "a/b");
    }
}
