//! Tells the program which commit it is built from, for the record of a training run.

use std::path::Path;
use std::process::Command;

fn main() {
    // What a commit or a change of the sources touches; without git nothing is known.
    for path in ["src", "shaders", "presets", "Cargo.toml", "build.rs"] {
        println!("cargo:rerun-if-changed={path}");
    }
    // A path that is not there would have the crate built again each time.
    let head = git(&["rev-parse", "--git-path", "logs/HEAD"]);
    if let Some(head) = head.filter(|head| Path::new(head).exists()) {
        println!("cargo:rerun-if-changed={head}");
    }
    if std::env::var_os("CARGO_FEATURE_NATIVE").is_none() {
        return;
    }
    if let Some(commit) = git(&["rev-parse", "HEAD"]) {
        let is_changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some();
        let mark = if is_changed { " with changes" } else { "" };
        println!("cargo:rustc-env=FERSNET_COMMIT={commit}{mark}");
    }
}

/// What git prints; none when it fails or prints nothing.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
