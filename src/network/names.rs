//! The names that weight files give to the parameters of a module path.
//!
//! The 2020 edition's members already bear the names of the weight file; the 2021 edition's files
//! use the state-dict names of the authors' release, so that their checkpoints load as they are.

use super::config::Edition;

/// Index in the release's flat decoder list of the transposed convolution that opens up-step
/// `step`: each step with a skip takes seven entries (one for the transposed convolution with its
/// norm and skip, then twice convolution, norm, LeakyReLU).
const ENTRIES_PER_STEP: usize = 7;

/// Up-steps with a skip; the fifth has none, and spreads its transposed convolution, norm and
/// LeakyReLU over three entries.
const STEPS_WITH_SKIP: usize = 4;

/// First part of the names of the painter's tensors.
pub(super) const PAINTER: &str = "painter";

/// Name in a weight file of the parameter at `path` (field names from the edition's root).
pub(super) fn weight_name(edition: Edition, path: &[String]) -> String {
    let mut parts: Vec<&str> = path.iter().map(String::as_str).collect();
    if let Some(leaf) = parts.last_mut() {
        *leaf = match *leaf {
            "gamma" => "weight",
            "beta" => "bias",
            other => other,
        };
    }
    match edition {
        _ if parts.first() == Some(&PAINTER) => parts.join("."),
        Edition::Paper2020 => parts.join("."),
        Edition::Release2021 => release_name(&parts),
    }
}

fn release_name(parts: &[&str]) -> String {
    let one_based = |index: &str| index.parse::<usize>().map_or(0, |i| i + 1);
    let (head, rest): (String, &[&str]) = match parts {
        ["stem", "conv", rest @ ..] => ("stem.0".into(), rest),
        ["stem", "bn", rest @ ..] => ("stem.1".into(), rest),
        ["fer", level, rest @ ..] => (format!("conv{}x", one_based(level)), rest),
        ["fes", level, rest @ ..] => (format!("conv{}y", one_based(level)), rest),
        ["joint", rest @ ..] => ("conv4xy".into(), rest),
        ["flu_fer", level, unit, rest @ ..] => (
            format!("leakyunitxy{}.{}", one_based(level), unit_name(unit)),
            rest,
        ),
        ["flu_fes", level, unit, rest @ ..] => (
            format!("leakyunityx{}.{}", one_based(level), unit_name(unit)),
            rest,
        ),
        ["classifier", "conv", rest @ ..] => ("classifier.pooling.0".into(), rest),
        ["classifier", "bn", rest @ ..] => ("classifier.pooling.1".into(), rest),
        ["classifier", "linear", rest @ ..] => ("classifier.classifier".into(), rest),
        ["classifier", "units", rest @ ..] => ("classifier.units".into(), rest),
        ["decoder", "transform", "linear", rest @ ..] => {
            ("decoder.transform.style_1d".into(), rest)
        }
        ["decoder", "picture", rest @ ..] => ("decoder.picture".into(), rest),
        ["decoder", "out", rest @ ..] => ("decoder.out_layer".into(), rest),
        ["decoder", "up", step, rest @ ..] => up_step_name(step, rest),
        other => (String::new(), other),
    };
    std::iter::once(head.as_str())
        .chain(rest.iter().copied())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

fn unit_name(unit: &str) -> &str {
    match unit {
        "w_r" => "W_r",
        "w_z" => "W_z",
        "u" => "U",
        "w" => "W",
        other => other,
    }
}

fn up_step_name<'a>(step: &str, rest: &'a [&'a str]) -> (String, &'a [&'a str]) {
    let step: usize = step.parse().unwrap_or_default();
    let first = step * ENTRIES_PER_STEP;
    let has_skip = step < STEPS_WITH_SKIP;
    let conv1 = if has_skip { first + 1 } else { first + 3 };
    match rest {
        ["deconv", rest @ ..] if has_skip => (format!("decoder.module.{first}.model.0"), rest),
        ["deconv", rest @ ..] => (format!("decoder.module.{first}"), rest),
        ["transform", "linear", rest @ ..] => {
            (format!("decoder.module.{first}.transform.style_1d"), rest)
        }
        ["conv1", rest @ ..] => (format!("decoder.module.{conv1}"), rest),
        ["conv2", rest @ ..] => (format!("decoder.module.{}", conv1 + 3), rest),
        other => (format!("decoder.module.{first}"), other),
    }
}

/// Whether a tensor is only needed to synthesise: the decoder's, and of the 2020 edition the target's transformer.
pub(super) fn is_decoders(name: &str) -> bool {
    matches!(name.split('.').next(), Some("decoder" | "transformer"))
}

/// Whether a tensor of a PyTorch file carries nothing that inference needs: BatchNorm's step
/// counter, and the weight of the noise that the release adds in training only.
pub(super) fn is_ignorable(name: &str) -> bool {
    name.ends_with(".num_batches_tracked") || name.ends_with(".noise.weight")
}
