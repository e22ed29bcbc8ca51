//! A folder for each expression: `happy/*.jpg`, by any of the names in use.
//!
//! Nothing is known of the subjects, so each picture counts as its own. Pictures up to 128 pixels
//! are taken as they are, in larger ones the face is looked for.

use std::path::Path;

use super::cut::Kind;
use super::expressions::{holds_expressions, those};
use super::listing::{Common, Listing};
use super::{DataError, Dataset, Layout, Options};

/// What a folder of this layout holds, in words.
pub(super) const LOOKED_FOR: &str = "a folder for each expression (anger/, happy/, ...)";

/// Whether the folder looks like this layout.
pub(super) fn fits(root: &Path) -> Result<bool, DataError> {
    holds_expressions(root)
}

/// Reads all pictures.
pub(super) fn read(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    let mut listing = Listing::new(root, Layout::Folders);
    for (expression, pictures) in listing.expression_folders(root)? {
        let common = Common {
            subject: None,
            expression,
            group: None,
        };
        listing.take(pictures, common);
    }
    let classes = those(|name| listing.has(name));
    listing.read(classes, Kind::BySize, options)
}
