//! The authors' own layout of 2021: aligned faces of 110 x 110 pixels.
//!
//! `SUBJECT/EXPRESSION/*.png`. Pictures up to 128 pixels are taken as they are, in larger ones the
//! face is looked for.

use std::path::Path;

use super::cut::Kind;
use super::expressions::{holds_expressions, those};
use super::listing::{Common, Listing};
use super::{DataError, Dataset, Layout, Options, files};

/// What a folder of this layout holds, in words.
pub(super) const LOOKED_FOR: &str = "the authors' layout (SUBJECT/EXPRESSION/*.png)";

/// Whether the folder looks like this layout.
pub(super) fn fits(root: &Path) -> Result<bool, DataError> {
    for subject in files::folders(root)? {
        if holds_expressions(&subject)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads all pictures.
pub(super) fn read(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    let mut listing = Listing::new(root, Layout::Authors);
    for subject in files::folders(root)? {
        let id = files::name(&subject);
        for (expression, pictures) in listing.expression_folders(&subject)? {
            let common = Common {
                subject: Some(&id),
                expression,
                group: None,
            };
            listing.take(pictures, common);
        }
    }
    let classes = those(|name| listing.has(name));
    listing.read(classes, Kind::BySize, options)
}
