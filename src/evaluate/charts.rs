//! Charts of the figures as SVG text: no script, no outside resource.

use std::fmt::Write;

use super::Recognition;
use super::certainty::{Bin, Coverage};

/// Side of a square chart's field, and the room around it for the words, in SVG units.
const FIELD: f64 = 240.0;
const LEFT: f64 = 48.0;
const BELOW: f64 = 40.0;

/// Side of a cell of the confusion table, and the room for the names.
const CELL: f64 = 44.0;
const NAMES: f64 = 88.0;

/// Text that may stand in HTML and SVG.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The confusion table: rows are what is shown, columns what is read, shades the row's shares.
pub(super) fn confusion(figures: &Recognition) -> String {
    let classes = &figures.classes;
    let side = NAMES + CELL * classes.len() as f64;
    let mut svg = open(side, side, "Confusion table");
    for (i, name) in classes.iter().enumerate() {
        let middle = NAMES + (i as f64 + 0.5) * CELL;
        let name = escaped(name);
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}" text-anchor="end">{name}</text><text transform="translate({middle} {}) rotate(-45)">{name}</text>"#,
            NAMES - 6.0,
            middle + 4.0,
            NAMES - 8.0,
        );
    }
    for (i, row) in figures.confusion.counts.iter().enumerate() {
        let shown: usize = row.iter().sum();
        for (j, count) in row.iter().enumerate() {
            let share = *count as f64 / shown.max(1) as f64;
            let (x, y) = (NAMES + j as f64 * CELL, NAMES + i as f64 * CELL);
            let ink = if share > 0.5 { "#fff" } else { "#111" };
            let _ = write!(
                svg,
                r##"<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="#1d4e89" fill-opacity="{share:.3}" stroke="#ccc"/><text x="{}" y="{}" text-anchor="middle" fill="{ink}">{count}</text>"##,
                x + CELL / 2.0,
                y + CELL / 2.0 + 4.0,
            );
        }
    }
    svg + "</svg>"
}

/// Certainty against truth: a bar a bin, the diagonal is perfect.
pub(super) fn reliability(bins: &[Bin]) -> String {
    let mut svg = field("Reliability", "largest probability", "share that is right");
    for bin in bins {
        let Some(accuracy) = bin.accuracy else {
            continue;
        };
        let (left, right) = (x_of(bin.from), x_of(bin.to));
        let _ = write!(
            svg,
            r##"<rect x="{left:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="#1d4e89" fill-opacity="0.7"><title>{} faces</title></rect>"##,
            y_of(accuracy),
            right - left - 1.0,
            FIELD * accuracy,
            bin.n,
        );
    }
    let _ = write!(
        svg,
        r##"<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="#b3261e" stroke-dasharray="4"/>"##,
        x_of(0.0),
        y_of(0.0),
        x_of(1.0),
        y_of(1.0),
    );
    svg + "</svg>"
}

/// Accuracy against the share of faces that get an answer; the dot is the program's own rule.
pub(super) fn coverage(points: &[Coverage], rule: &Coverage) -> String {
    let mut svg = field(
        "Coverage",
        "share that gets an answer",
        "share that is right",
    );
    let place = |point: &Coverage| {
        let accuracy = point.accuracy?;
        Some((x_of(point.coverage), y_of(accuracy)))
    };
    let line: Vec<String> = points
        .iter()
        .filter_map(place)
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let _ = write!(
        svg,
        r##"<polyline points="{}" fill="none" stroke="#1d4e89" stroke-width="2"/>"##,
        line.join(" "),
    );
    if let Some((x, y)) = place(rule) {
        let _ = write!(
            svg,
            r##"<circle cx="{x:.1}" cy="{y:.1}" r="5" fill="#b3261e"><title>the rule for "not sure"</title></circle>"##,
        );
    }
    svg + "</svg>"
}

fn open(width: f64, height: f64, title: &str) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{title}" font-size="11">"#
    )
}

/// A field from 0 to 1 in both directions, with its frame and words.
fn field(title: &str, across: &str, up: &str) -> String {
    let mut svg = open(LEFT + FIELD + 12.0, FIELD + BELOW + 12.0, title);
    let _ = write!(
        svg,
        r##"<rect x="{LEFT}" y="12" width="{FIELD}" height="{FIELD}" fill="none" stroke="#999"/>"##
    );
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let _ = write!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{tick}</text><text x="{:.1}" y="{:.1}" text-anchor="end">{tick}</text>"#,
            x_of(tick),
            FIELD + 28.0,
            LEFT - 5.0,
            y_of(tick) + 4.0,
        );
    }
    let (middle, centre) = (LEFT + FIELD / 2.0, 12.0 + FIELD / 2.0);
    let _ = write!(
        svg,
        r#"<text x="{middle}" y="{}" text-anchor="middle">{across}</text><text transform="translate(11 {centre}) rotate(-90)" text-anchor="middle">{up}</text>"#,
        FIELD + 46.0,
    );
    svg
}

fn x_of(share: f64) -> f64 {
    LEFT + FIELD * share
}

fn y_of(share: f64) -> f64 {
    12.0 + FIELD * (1.0 - share)
}
