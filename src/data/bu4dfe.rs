//! BU-4DFE: 58 women and 43 men with six expressions, as 3D sequences with their textures.
//!
//! `F001/Angry/000.jpg`. A sequence rises from neutral to the expression and falls again, in about
//! four seconds; the three frames around its middle are taken.

use std::path::Path;

use super::cut::Kind;
use super::expressions::holds_expressions;
use super::listing::{Common, Listing, SIX, middle_three};
use super::{DataError, Dataset, Layout, Options, files};

/// What a folder of this layout holds, in words.
pub(super) const LOOKED_FOR: &str = "BU-4DFE (F001/Angry/, M001/Angry/)";

/// The group `sex` of a subject by its folder's name: F001 to F058, M001 to M043.
fn sex(subject: &str) -> Option<&'static str> {
    let (letter, number) = subject.split_at_checked(1)?;
    if number.len() != 3 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match letter {
        "F" => Some("female"),
        "M" => Some("male"),
        _ => None,
    }
}

/// Whether the folder looks like this layout.
pub(super) fn fits(root: &Path) -> Result<bool, DataError> {
    for folder in files::folders(root)? {
        let is_subject = sex(&files::name(&folder)).is_some();
        if is_subject && holds_expressions(&folder)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads all sequences.
pub(super) fn read(root: &Path, options: &Options) -> Result<Dataset, DataError> {
    let mut listing = Listing::new(root, Layout::Bu4dFe);
    for subject in files::folders(root)? {
        let id = files::name(&subject);
        let Some(sex) = sex(&id) else {
            listing.skip(
                "a folder that is not named as a subject (F001, M001)",
                &subject,
            );
            continue;
        };
        for (expression, frames) in listing.expression_folders(&subject)? {
            let common = Common {
                subject: Some(&id),
                expression,
                group: Some(("sex", sex)),
            };
            listing.take_frames(frames, 3, middle_three, common);
        }
    }
    listing.read(SIX.map(str::to_owned).to_vec(), Kind::Photographs, options)
}
