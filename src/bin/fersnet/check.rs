//! `fersnet check`: was a picture made here?

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use fersnet::check::{self, Check as Found};
use serde::Serialize;

use crate::picture::read_bytes;

/// Was a picture made here? Looks for our metadata, the visible tag and the watermark, and tells what else its
/// file says of its origin (XMP, C2PA), which is not verified.
#[derive(Args)]
pub struct Check {
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    /// JPEG, PNG, WebP, BMP or GIF files.
    #[arg(required = true)]
    pictures: Vec<PathBuf>,
}

/// What is told of a picture.
#[derive(Serialize)]
struct Answer {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(flatten)]
    found: Option<Found>,
}

impl Check {
    /// Tells of each picture; one that cannot be read fails the command after all were told.
    pub fn run(&self) -> Result<()> {
        let mut failure = None;
        let mut answers = Vec::new();
        let mut out = io::stdout().lock();
        for path in &self.pictures {
            let file = path.display().to_string();
            let (found, error) = match found(path) {
                Ok(found) => (Some(found), None),
                Err(error) => (None, Some(error)),
            };
            match &found {
                Some(found) if !self.json => out.write_all(told(&file, found).as_bytes())?,
                _ => {}
            }
            let text = error.as_ref().map(|error| format!("{error:#}"));
            // The last failure ends the command; those before it are told at once.
            if let Some(error) = error
                && let Some(earlier) = failure.replace(error)
            {
                eprintln!("fersnet: {earlier:#}");
            }
            answers.push(Answer {
                file,
                error: text,
                found,
            });
        }
        if self.json {
            let all = serde_json::json!({ "pictures": answers });
            writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
        }
        failure.map_or(Ok(()), Err)
    }
}

fn found(path: &Path) -> Result<Found> {
    let bytes = read_bytes(path)?;
    check::check(&bytes).with_context(|| path.display().to_string())
}

/// What was found, for people.
fn told(file: &str, found: &Found) -> String {
    let Found {
        badge,
        watermark,
        claims,
        ..
    } = found;
    let verdict = if found.made_here {
        "made synthetic with FERSNet"
    } else {
        "none of our marks; that does not prove that it is genuine"
    };
    let is = |found: bool| if found { "found" } else { "not found" };
    let or_none = |terms: &[String]| match terms {
        [] => "none stated".to_owned(),
        _ => terms.join(", "),
    };
    let is_there = |there: bool| if there { "there, not verified" } else { "none" };
    format!(
        "{file}: {verdict}\n  \
         metadata: {}\n  \
         visible tag: {} (correlation {:.2}; from {:.2} on)\n  \
         watermark: {} (score {:.1}; from {:.2} on, chance at most {:.1e})\n  \
         source types: {}\n  \
         other XMP: {}\n  \
         content credentials (C2PA): {}\n",
        is(found.metadata),
        is(badge.found),
        badge.score,
        badge.threshold,
        is(watermark.found),
        watermark.score,
        watermark.threshold,
        watermark.chance,
        or_none(&claims.source_types),
        is_there(claims.xmp),
        is_there(claims.content_credentials),
    )
}
