//! Files of a data set and of a run: read whole, written whole or not at all, their paths in the
//! errors.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use super::TrainError;

/// A whole file.
///
/// # Errors
/// [`TrainError::Read`] naming the path.
pub fn read_file(path: &Path) -> Result<Vec<u8>, TrainError> {
    fs::read(path).map_err(|source| TrainError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Calls `each` with the path and the bytes of every file of an archive.
///
/// # Errors
/// [`TrainError::Read`] naming the path.
pub fn for_each_in_tar(
    path: &Path,
    mut each: impl FnMut(&Path, Vec<u8>),
) -> Result<(), TrainError> {
    let error = |source| TrainError::Read {
        path: path.to_owned(),
        source,
    };
    let mut archive = tar::Archive::new(fs::File::open(path).map_err(error)?);
    for entry in archive.entries().map_err(error)? {
        let mut entry = entry.map_err(error)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path().map_err(error)?.into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(error)?;
        each(&name, bytes);
    }
    Ok(())
}

/// Writes a file whole or not at all.
///
/// # Errors
/// [`TrainError::Write`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let partial = path.with_extension("partial");
    fs::File::create(&partial)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|source| write_error(&partial, source))?;
    fs::rename(&partial, path).map_err(|source| write_error(path, source))
}

/// What a refused write is called.
pub(super) fn write_error(path: &Path, source: std::io::Error) -> TrainError {
    TrainError::Write {
        path: path.to_owned(),
        source,
    }
}
