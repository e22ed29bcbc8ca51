//! Files that a command leaves behind: read whole, written whole or not at all, their paths in the
//! errors. Native only.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::{Builder, NamedTempFile};
use thiserror::Error;

/// Commit of the sources that the program was built from.
pub const COMMIT: &str = match option_env!("FERSNET_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};

/// Why a file or folder cannot be kept or read back.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StoreError {
    /// What a refused read of this path is called.
    pub fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read {
            path: path.to_owned(),
            source,
        }
    }

    /// What a refused write of this path is called.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write {
            path: path.to_owned(),
            source,
        }
    }
}

/// A whole file.
///
/// # Errors
/// [`StoreError::Read`].
pub fn read(path: &Path) -> Result<Vec<u8>, StoreError> {
    fs::read(path).map_err(StoreError::read(path))
}

/// Writes a file whole or not at all.
///
/// # Errors
/// [`StoreError::Write`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_whole(path, bytes).map_err(StoreError::write(path))
}

/// Writes a value as JSON, whole or not at all.
///
/// # Errors
/// [`StoreError::Write`].
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(io::Error::from);
    write(path, &bytes.map_err(StoreError::write(path))?)
}

/// Rows of cells as CSV, quoted where needed; the first is the head.
///
/// # Errors
/// When a row is longer or shorter than the first.
pub fn csv<R>(rows: impl IntoIterator<Item = R>) -> io::Result<Vec<u8>>
where
    R: IntoIterator<Item: AsRef<[u8]>>,
{
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    writer
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))
}

/// A name as one folder: names of persons may come from tables, and those of pictures have slashes.
pub fn folder_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    name.chars()
        .map(|c| if plain(c) { c } else { '_' })
        .take(100)
        .collect()
}

/// A folder with those above it, if it is not there yet.
///
/// # Errors
/// [`StoreError::Write`].
pub fn make_folder(path: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(path).map_err(StoreError::write(path))
}

/// Removes a folder with all that is in it, if it is there.
///
/// # Errors
/// [`StoreError::Write`].
pub fn remove_folder(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::write(path)(error))
        }
        _ => Ok(()),
    }
}

/// Writes a file whole or not at all, also where two programs write the same one, and waits until the
/// disk has it.
///
/// # Errors
/// What the system says.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = written_beside(path, bytes)?;
    file.as_file().sync_all()?;
    Ok(file.persist(path).map(drop)?)
}

/// The same without waiting for the disk: for what is made anew where it is damaged.
///
/// # Errors
/// What the system says.
pub fn write_cached(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = written_beside(path, bytes)?;
    Ok(file.persist(path).map(drop)?)
}

/// A file that is written little by little: nothing is at its path before it is whole, and nothing stays of it
/// where it is dropped.
pub struct PendingFile(BufWriter<NamedTempFile>);

impl PendingFile {
    /// Begins a file that will be at `path`.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn beside(path: &Path) -> Result<Self, StoreError> {
        let file = empty_beside(path).map_err(StoreError::write(path))?;
        Ok(Self(BufWriter::new(file)))
    }

    /// Puts the whole file at `path`, and waits until the disk has it.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn keep(self, path: &Path) -> Result<(), StoreError> {
        let keep = || {
            let file = self
                .0
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            Ok(file.persist(path).map(drop)?)
        };
        keep().map_err(StoreError::write(path))
    }
}

impl Write for PendingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A file with these bytes that may be renamed to `path`.
fn written_beside(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = empty_beside(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// An empty file that may be renamed to `path`.
fn empty_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = Builder::new();
    builder.prefix(".").suffix(".partial");
    // A temporary file is its owner's alone, but this one becomes a file like any other.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_stays_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        for value in [1, 2] {
            write_json(&path, &value).expect("written");
        }
        write_cached(&folder.path().join("b"), b"b").expect("written");
        assert_eq!(read(&path).expect("a file"), b"2");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let usual = folder.path().join("usual");
            fs::write(&usual, b"").expect("written");
            let mode = |path| fs::metadata(path).expect("a file").permissions().mode();
            assert_eq!(mode(&path), mode(&usual));
        }
    }

    #[test]
    fn cells_survive_commas_and_quotes() {
        let rows = [["a", "b"], ["c, \"d\"", ""]];
        let text = csv(rows).expect("rows");
        assert_eq!(text, b"a,b\n\"c, \"\"d\"\"\",\n");
        assert!(csv([vec!["a"], vec!["b", "c"]]).is_err());
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        assert_eq!(folder_name("../S005 é"), "___S005__");
    }

    #[test]
    fn what_cannot_be_written_is_named_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        // A folder of that name is in the way.
        let path = folder.path().join("taken");
        make_folder(&path.join("inside")).expect("a folder");
        let error = write(&path, b"text").expect_err("refused").to_string();
        assert!(error.contains("cannot write") && error.contains("taken"));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        remove_folder(&path).expect("removed");
        remove_folder(&path).expect("nothing to remove");
    }
}
