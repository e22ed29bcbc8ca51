//! Names of the controls that a set's manifest may state, a column each, and the expressions as vectors
//! over them.
//!
//! The names are ARKit's blend shapes; the inner brow, which ARKit moves as one, is parted into left and
//! right. Left is the subject's left.

use crate::network::{Presets, TEETH};

/// Every control that is known, in the order in which networks name them.
pub const CONTROLS: [&str; 45] = [
    "browDownLeft",
    "browDownRight",
    "browInnerUpLeft",
    "browInnerUpRight",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuffLeft",
    "cheekPuffRight",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
];

/// Expressions over the controls, as shipped networks state them.
const PRESETS: &str = include_str!("../../presets/expressions.toml");

/// The control that a mirrored face shows in place of this one.
pub fn mirrored(name: &str) -> String {
    let swapped = |from: &str, to: &str| name.strip_suffix(from).map(|stem| format!("{stem}{to}"));
    swapped("Left", "Right")
        .or_else(|| swapped("Right", "Left"))
        .unwrap_or_else(|| name.to_owned())
}

/// For each control the index of the one that a mirrored face shows in its place.
pub fn mirror_indices(controls: &[String]) -> Vec<usize> {
    let find = |name: String| controls.iter().position(|other| *other == name);
    let of = |(index, name): (usize, &String)| find(mirrored(name)).unwrap_or(index);
    controls.iter().enumerate().map(of).collect()
}

/// The expressions of `presets/expressions.toml`, see [`presets_over`].
pub fn expression_presets(controls: &[String]) -> Presets {
    // The file is part of the program, and a test reads it.
    presets_over(toml::from_str(PRESETS).unwrap_or_default(), controls)
}

/// A name as presets state it, which without a side stands for both: the controls that it may mean.
pub fn spellings(name: &str) -> [String; 3] {
    [
        name.to_owned(),
        format!("{name}Left"),
        format!("{name}Right"),
    ]
}

/// Expressions as vectors over these controls, without what is not among them. A name without a side stands
/// for both sides.
pub fn presets_over(all: Presets, controls: &[String]) -> Presets {
    let known = |name: &String| name == TEETH || controls.contains(name);
    all.into_iter()
        .map(|(expression, values)| {
            let values = values
                .into_iter()
                .flat_map(|(name, value)| spellings(&name).map(|name| (name, value)));
            (expression, values.filter(|(name, _)| known(name)).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::expressions::EXPRESSIONS;

    fn all() -> Vec<String> {
        CONTROLS.map(str::to_owned).to_vec()
    }

    #[test]
    fn a_mirror_swaps_left_and_right_and_twice_changes_nothing() {
        let controls = all();
        let swap = mirror_indices(&controls);
        assert_eq!(controls[swap[0]], "browDownRight");
        let find = |name: &str| controls.iter().position(|c| c == name).expect("a control");
        assert_eq!(swap[find("jawLeft")], find("jawRight"));
        assert_eq!(swap[find("jawOpen")], find("jawOpen"));
        assert!((0..controls.len()).all(|i| swap[swap[i]] == i));
    }

    #[test]
    fn each_expression_has_a_preset_of_known_controls_and_states_its_teeth() {
        let file: Presets = toml::from_str(PRESETS).expect("TOML");
        let presets = expression_presets(&all());
        for expression in EXPRESSIONS {
            let preset = &presets[expression];
            assert!(preset.contains_key(TEETH), "{expression}");
            for name in file[expression].keys() {
                let named = spellings(name).iter().any(|side| preset.contains_key(side));
                assert!(named, "{expression}: {name}");
            }
        }
        assert!(presets["neutral"].values().all(|value| *value == 0.0));
        assert!(expression_presets(&["jawOpen".to_owned()])["happiness"].len() <= 2);
    }
}
