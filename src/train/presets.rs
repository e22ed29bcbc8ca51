//! Preset files: TOML tables over `ship`, which states every key, with single keys set on top.

use toml::{Table, Value};

use super::TrainError;
use super::config::RunConfig;

/// The preset that states every key.
pub(super) const SHIP: &str = include_str!("../../presets/ship.toml");

/// The presets that the program carries, by name.
pub const PRESETS: [(&str, &str); 5] = [
    ("ship", SHIP),
    (
        "release-2021",
        include_str!("../../presets/release-2021.toml"),
    ),
    ("paper-2020", include_str!("../../presets/paper-2020.toml")),
    ("quick", include_str!("../../presets/quick.toml")),
    ("controls", include_str!("../../presets/controls.toml")),
];

/// Key of a preset file that names the preset which it changes; `ship` where it is not there.
const BASE: &str = "base";

/// Presets that may build on one another before it is called a circle.
const MAX_DEPTH: usize = 8;

/// Keys of older versions, by their table, and their names today.
const RENAMED: [(&str, &str, &str); 3] = [
    ("batch", "views", "augmentation"),
    ("objective", "roughness", "flow_smoothness"),
    ("run", "average_rate", "ema_decay"),
];

/// The text of a preset that the program carries.
pub fn named(name: &str) -> Option<&'static str> {
    PRESETS
        .iter()
        .find(|(preset, _)| *preset == name)
        .map(|(_, text)| *text)
}

/// A run's numbers from the text of a preset, with keys such as `objective.cycle` set anew.
///
/// Not validated yet: data and arguments still change it.
///
/// # Errors
/// [`TrainError::Setting`] that names the key which is unknown or of another kind.
pub fn read(text: &str, settings: &[(String, Value)]) -> Result<RunConfig, TrainError> {
    let mut table = with_base(text, 0)?;
    for (key, value) in settings {
        let mut own = nested(key, value.clone());
        rename_keys(&mut own);
        overlay(&mut table, &own, "")?;
    }
    // Every key was checked above; what serde still refuses is the name of an option.
    table
        .try_into()
        .map_err(|error: toml::de::Error| setting("preset", error.to_string().trim()))
}

/// The preset's table over the one that it builds on.
fn with_base(text: &str, depth: usize) -> Result<Table, TrainError> {
    let mut own: Table = text
        .parse()
        .map_err(|error: toml::de::Error| setting("preset", &error.to_string()))?;
    rename_keys(&mut own);
    let base = match own.remove(BASE) {
        None if is_complete(text) => return Ok(own),
        None => "ship".to_owned(),
        Some(Value::String(name)) => name,
        Some(_) => return Err(setting(BASE, "the name of a preset")),
    };
    let base_text = named(&base)
        .filter(|_| depth < MAX_DEPTH)
        .ok_or_else(|| setting(BASE, &format!("`{base}` is none of {}", names())))?;
    let mut table = with_base(base_text, depth + 1)?;
    overlay(&mut table, &own, "")?;
    Ok(table)
}

/// Gives keys of older versions their names of today.
fn rename_keys(preset: &mut Table) {
    for (table, old, new) in RENAMED {
        if let Some(Value::Table(table)) = preset.get_mut(table)
            && let Some(value) = table.remove(old)
        {
            table.insert(new.to_owned(), value);
        }
    }
}

/// Whether this is `ship` itself.
fn is_complete(text: &str) -> bool {
    text == SHIP
}

/// Writes the keys of `top` over those of `table`, which has to have them.
fn overlay(table: &mut Table, top: &Table, path: &str) -> Result<(), TrainError> {
    for (key, value) in top {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        let known: Vec<&String> = table.keys().collect();
        let unknown = || {
            let known: Vec<&str> = known.iter().map(|key| key.as_str()).collect();
            setting(
                &path,
                &format!("there is no such key; there are {}", known.join(", ")),
            )
        };
        if !table.contains_key(key) {
            return Err(unknown());
        }
        match (table.get_mut(key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => overlay(inner, value, &path)?,
            (Some(Value::Table(_)), _) => {
                return Err(setting(&path, "this is a table, not a value"));
            }
            (Some(old), value) => *old = fitted(&path, old, value)?,
            (None, _) => {}
        }
    }
    Ok(())
}

/// The value as one of the kind that it replaces: a whole number also stands for a text (an
/// edition's year) and for a number with a fraction.
fn fitted(path: &str, old: &Value, new: &Value) -> Result<Value, TrainError> {
    match (old, new) {
        (Value::String(_), Value::Integer(number)) => Ok(Value::String(number.to_string())),
        (Value::Float(_), Value::Integer(number)) => Ok(Value::Float(*number as f64)),
        _ if old.same_type(new) => Ok(new.clone()),
        _ => Err(setting(
            path,
            &format!(
                "`{new}` is of kind {}, but {} is needed",
                new.type_str(),
                old.type_str()
            ),
        )),
    }
}

/// `a.b` and a value as the table `{ a = { b = value } }`.
fn nested(key: &str, value: Value) -> Table {
    let mut parts = key.rsplit('.');
    let last = parts.next().unwrap_or_default().to_owned();
    parts.fold(Table::from_iter([(last, value)]), |inner, part| {
        Table::from_iter([(part.to_owned(), Value::Table(inner))])
    })
}

/// A value as TOML writes it; what TOML does not know is text.
pub fn parse_value(text: &str) -> Value {
    format!("value = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// The names of the presets, for messages.
pub fn names() -> String {
    PRESETS.map(|(name, _)| name).join(", ")
}

fn setting(key: &str, rule: &str) -> TrainError {
    TrainError::Setting {
        key: key.to_owned(),
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Augmentation;

    #[test]
    fn keys_of_older_versions_are_read_by_their_names_of_today() {
        let old = "[batch]\nviews = \"plain\"\n[objective]\nroughness = 0.5\n";
        let settings = [("run.average_rate".to_owned(), Value::Float(0.25))];
        let config = read(old, &settings).expect("numbers");
        assert_eq!(config.batch.augmentation, Augmentation::Plain);
        assert_eq!(config.objective.flow_smoothness, 0.5);
        assert_eq!(config.run.ema_decay, 0.25);
        // As it stands in the folder of an old run.
        let kept = toml::to_string(&config).expect("TOML");
        let kept = kept.replace("ema_decay", "average_rate");
        let again: RunConfig = toml::from_str(&kept).expect("numbers");
        assert_eq!(again, config);
    }
}
