//! Contact sheets of validation mouths: filled, painted freely, painted as told, real.

use std::path::Path;

use super::figures::Painted;
use crate::network::PainterConfig;
use crate::sheet::ContactSheet;
use crate::store;
use crate::train::TrainError;

/// Mouths side by side; each takes a crop for each of the names.
const COLUMNS: usize = 2;
const NAMES: [&str; 4] = ["given", "painted", "told", "real"];

/// Draws mouths as a marked PNG: what the painter was given, what it painted, told of teeth or not, and the
/// real mouth.
///
/// # Errors
/// [`TrainError::Store`], [`TrainError::Mark`].
pub fn draw(path: &Path, mouths: &[Painted], config: PainterConfig) -> Result<(), TrainError> {
    if mouths.is_empty() {
        return Ok(());
    }
    let cell = [config.crop_width, config.crop_height()].map(|length| length as u32);
    let columns = NAMES.len() * COLUMNS;
    let mut sheet = ContactSheet::new([columns, mouths.len().div_ceil(COLUMNS)], cell);
    for (index, Painted { item, free, told }) in mouths.iter().enumerate() {
        let first = index % COLUMNS * NAMES.len();
        let crops = [&item.prepared.filled, free, told, &item.target];
        for (column, planes) in crops.into_iter().enumerate() {
            sheet.place_planes([first + column, index / COLUMNS], planes);
        }
    }
    for column in 0..columns {
        sheet.name([column, 0], NAMES[column % NAMES.len()]);
    }
    Ok(store::write(path, &sheet.encode()?)?)
}
