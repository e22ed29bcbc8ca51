//! Names of the expressions: the nouns that the program uses, and the names that data sets use.

use std::path::Path;

use super::{DataError, files};

/// The eight expressions in the order of FER+'s columns.
pub const EXPRESSIONS: [&str; 8] = [
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
];

/// What data sets call them: adjectives, other nouns, the two letters of JAFFE and KDEF.
const SYNONYMS: [(&str, &[&str]); 8] = [
    ("neutral", &["ne", "normal", "neutrality"]),
    ("happiness", &["happy", "ha", "joy", "smile"]),
    ("surprise", &["surprised", "su"]),
    ("sadness", &["sad", "sa"]),
    ("anger", &["angry", "an"]),
    ("disgust", &["disgusted", "di"]),
    ("fear", &["fearful", "afraid", "scared", "fe", "af"]),
    ("contempt", &["contemptuous", "co"]),
];

/// The program's name of an expression that a data set or a network names in its own way.
pub fn canonical(name: &str) -> Option<&'static str> {
    let name = name.trim().to_lowercase();
    SYNONYMS
        .iter()
        .find(|(noun, others)| *noun == name || others.contains(&name.as_str()))
        .map(|(noun, _)| *noun)
}

/// Whether the folder holds one that is named by an expression.
pub(super) fn holds_expressions(dir: &Path) -> Result<bool, DataError> {
    let folders = files::folders(dir)?;
    Ok(folders
        .iter()
        .any(|folder| canonical(&files::name(folder)).is_some()))
}

/// Of the eight, in their order, those that `is_there`.
pub(super) fn those(is_there: impl Fn(&str) -> bool) -> Vec<String> {
    EXPRESSIONS
        .iter()
        .filter(|name| is_there(name))
        .map(|name| (*name).to_owned())
        .collect()
}

/// The index of an expression, by any of its names.
pub(super) fn index_in(classes: &[String], name: &str) -> Option<usize> {
    let name = canonical(name)?;
    classes.iter().position(|class| class == name)
}

/// The label of a face that shows one expression only.
pub(super) fn one_hot(class: usize, count: usize) -> Vec<f32> {
    let mut label = vec![0.0; count];
    label[class] = 1.0;
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_use_become_nouns() {
        for (name, noun) in [
            ("Angry", "anger"),
            ("happy", "happiness"),
            ("Sad", "sadness"),
            ("AN", "anger"),
        ] {
            assert_eq!(canonical(name), Some(noun));
        }
        assert_eq!(canonical("bored"), None);
    }

    #[test]
    fn every_expression_has_its_synonyms() {
        assert_eq!(SYNONYMS.map(|(noun, _)| noun), EXPRESSIONS);
    }
}
