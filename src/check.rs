//! Was a picture made here? All marks that it may carry, looked for: our metadata, the visible tag, the
//! watermark, and what else its file says of its origin.

use serde::Serialize;

use crate::claims::Claims;
use crate::mark::{FoundTag, find_tag};
use crate::picture::{Picture, PictureError};
use crate::watermark::{self, Detection};

/// What was found in a picture. That nothing was found does not prove that it is genuine.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Whether one of our marks was found.
    pub made_here: bool,
    /// Our metadata in the file.
    pub metadata: bool,
    /// The visible tag.
    pub badge: FoundTag,
    /// The watermark.
    pub watermark: Detection,
    /// What else the file says; present or not, never verified.
    pub claims: OtherClaims,
}

/// What a file says of its origin, whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OtherClaims {
    /// Whether there is XMP that is not only ours.
    pub xmp: bool,
    /// The IPTC terms for the source that XMP states, ours among them.
    pub source_types: Vec<String>,
    /// Whether there is a store of C2PA manifests (content credentials).
    pub content_credentials: bool,
}

/// Looks for all marks in a picture file.
///
/// # Errors
/// [`PictureError`] when it cannot be decoded.
pub fn check(bytes: &[u8]) -> Result<Check, PictureError> {
    Ok(check_opened(&Picture::decode(bytes)?, &Claims::of(bytes)))
}

/// The same for a picture that is decoded already, and the claims of its file.
pub fn check_opened(picture: &Picture, claims: &Claims) -> Check {
    let badge = find_tag(picture.as_image());
    let watermark = watermark::detect(picture.as_image());
    Check {
        made_here: claims.is_ours || badge.found || watermark.found,
        metadata: claims.is_ours,
        badge,
        watermark,
        claims: OtherClaims {
            xmp: claims.has_other_xmp(),
            source_types: claims.source_types(),
            content_credentials: claims.has_content_credentials(),
        },
    }
}
