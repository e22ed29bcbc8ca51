//! The one folder outside of the repository: what set-up and scripts fetch, and found faces.

use std::path::PathBuf;

/// `$FERSNET_HOME`, or else `~/.cache/fersnet`. None where neither variable is set.
pub fn home() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = set("FERSNET_HOME").map(PathBuf::from);
    home.or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache/fersnet")))
}
