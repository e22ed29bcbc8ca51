//! Oulu-CASIA (NIR-VIS), its part in visible strong light: 80 subjects with six expressions.
//!
//! `OriginalImg/VL/Strong/P001/Anger/000.jpeg`; the last three frames of each sequence.

use std::path::Path;

use super::cut::Kind;
use super::listing::{Common, Listing, SIX, last_three};
use super::{DataError, Dataset, Layout, Options, files};

const STRONG: &str = "OriginalImg/VL/Strong";

/// What a folder of this layout holds, in words.
pub(super) const LOOKED_FOR: &str = "Oulu-CASIA (OriginalImg/VL/Strong/P001/Anger/)";

/// Whether the folder looks like this layout.
pub(super) fn fits(root: &Path) -> bool {
    root.join("OriginalImg").is_dir()
}

/// Reads the sequences in strong light.
pub(super) fn read(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    let mut listing = Listing::new(root, Layout::OuluCasia);
    let strong = listing.folder(STRONG, "the sequences in visible strong light")?;
    for subject in files::folders(&strong)? {
        let id = files::name(&subject);
        for (expression, frames) in listing.expression_folders(&subject)? {
            let common = Common {
                subject: Some(&id),
                expression,
                group: None,
            };
            listing.take_frames(frames, 3, last_three, common);
        }
    }
    listing.read(SIX.map(str::to_owned).to_vec(), Kind::Photographs, options)
}
