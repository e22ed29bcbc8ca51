//! Files of a run: read whole, written whole or not at all, their paths in the errors.

use std::fs;
use std::io::Write;
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
pub(crate) fn write_error(path: &Path, source: std::io::Error) -> TrainError {
    TrainError::Write {
        path: path.to_owned(),
        source,
    }
}
