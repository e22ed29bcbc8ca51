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
    write_whole(path, bytes).map_err(|source| write_error(path, source))
}

/// Writes a file whole or not at all.
///
/// # Errors
/// What the system says.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = fs::File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)
}

/// What a refused write is called.
pub(crate) fn write_error(path: &Path, source: std::io::Error) -> TrainError {
    TrainError::Write {
        path: path.to_owned(),
        source,
    }
}
