//! Charts as SVG text, the same in a run's folder and on the page of figures: no script, no outside
//! resource.

mod field;

use std::fmt::Write;

use super::confidence::{Bin, Coverage};
use super::confusion::Confusion;
use field::{ABOVE, Axis, Field, LEFT, RIGHT, escaped, open};

/// Side of a square chart's field, and the size of the field of a chart over steps, in SVG units.
const SQUARE: [f64; 2] = [240.0; 2];
const WIDE: [f64; 2] = [560.0, 360.0];

/// Room for the names of lines, and the height of one.
const LEGEND: f64 = 180.0;
const LEGEND_LINE: f64 = 18.0;

/// Side of a cell of the confusion table, and the room for the names.
const CELL: f64 = 44.0;
const NAMES: f64 = 88.0;

/// Colours of lines, apart for colour-blind eyes too (Okabe and Ito).
const COLOURS: [&str; 8] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#000000", "#a08c14",
];

/// Bars, cells and single lines; what they are held against.
const INK: &str = "#1d4e89";
const ACCENT: &str = "#b3261e";

/// A line over the steps of a run: its name and its points.
pub(crate) type Line = (&'static str, Vec<(f64, f64)>);

/// The confusion table: rows are what is shown, columns what is read, shades the row's shares.
pub(crate) fn confusion(classes: &[String], confusion: &Confusion) -> String {
    let side = NAMES + CELL * classes.len() as f64;
    let mut svg = open([side + LEFT, side + 1.0], "Confusion table");
    svg.push_str(r#"<text x="4" y="12" font-size="9">shown \ read as</text>"#);
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
    for (i, row) in confusion.counts.iter().enumerate() {
        for (j, count) in row.iter().enumerate() {
            let share = *count as f64 / confusion.shown(i).max(1) as f64;
            let (x, y) = (NAMES + j as f64 * CELL, NAMES + i as f64 * CELL);
            let ink = if share > 0.5 { "#fff" } else { "#111" };
            let _ = write!(
                svg,
                r##"<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{INK}" fill-opacity="{share:.3}" stroke="#ccc"/><g text-anchor="middle" fill="{ink}"><text x="{middle}" y="{}">{:.0} %</text><text x="{middle}" y="{}" font-size="9">{count}</text></g>"##,
                y + CELL / 2.0 - 1.0,
                100.0 * share,
                y + CELL / 2.0 + 12.0,
                middle = x + CELL / 2.0,
            );
        }
    }
    svg + "</svg>"
}

/// Confidence against accuracy: a bar a bin, the diagonal is perfect.
pub(crate) fn reliability(bins: &[Bin], ece: f64) -> String {
    let title = format!("Reliability: calibration error {ece:.3}");
    let across = Axis::shares("confidence");
    let up = Axis::shares("share that is correct");
    let mut field = Field::new(&title, SQUARE, RIGHT, across, up);
    for bin in bins {
        let Some(accuracy) = bin.accuracy else {
            continue;
        };
        let (left, top) = field.place((bin.from, accuracy));
        let (right, bottom) = field.place((bin.to, 0.0));
        let _ = write!(
            field.svg,
            r#"<rect x="{left:.1}" y="{top:.1}" width="{:.1}" height="{:.1}" fill="{INK}" fill-opacity="0.7"><title>{} faces</title></rect>"#,
            right - left - 1.0,
            bottom - top,
            bin.n,
        );
    }
    field.line(
        &[(0.0, 0.0), (1.0, 1.0)],
        &format!(r#"stroke="{ACCENT}" stroke-dasharray="4""#),
    );
    field.finish()
}

/// Accuracy against the share of faces that get an answer; the dot is the program's own rule.
pub(super) fn coverage(points: &[Coverage], rule: &Coverage) -> String {
    let across = Axis::shares("share that gets an answer");
    let up = Axis::shares("share that is correct");
    let mut field = Field::new("Coverage", SQUARE, RIGHT, across, up);
    let point = |at: &Coverage| Some((at.coverage, at.accuracy?));
    let points: Vec<_> = points.iter().filter_map(point).collect();
    field.line(&points, &format!(r#"stroke="{INK}" stroke-width="2""#));
    if let Some((x, y)) = point(rule).map(|at| field.place(at)) {
        let _ = write!(
            field.svg,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="5" fill="{ACCENT}"><title>the rule for "not sure"</title></circle>"#,
        );
    }
    field.finish()
}

/// Shares between 0 and 1 over the steps of a run.
pub(crate) fn shares_over_steps(title: &str, lines: &[Line]) -> String {
    over_steps(title, lines, Axis::shares(""))
}

/// Sizes over the steps of a run that differ much, so on a logarithmic scale; what is not above 0 is
/// skipped.
pub(crate) fn sizes_over_steps(title: &str, mut lines: Vec<Line>) -> String {
    for (_, points) in &mut lines {
        points.retain(|(_, value)| *value > 0.0 && value.is_finite());
    }
    lines.retain(|(_, points)| !points.is_empty());
    let values = || lines.iter().flat_map(|(_, points)| points).map(|p| p.1);
    let low = values().fold(f64::INFINITY, f64::min) * 0.8;
    let high = values().fold(0.0, f64::max) * 1.25;
    let range = if low < high { low..high } else { 0.1..1.0 };
    over_steps(title, &lines, Axis::logarithmic("", range))
}

fn over_steps(title: &str, lines: &[Line], up: Axis<'_>) -> String {
    let steps = lines.iter().flat_map(|(_, points)| points).map(|p| p.0);
    let across = Axis::from_zero("steps", steps.fold(1.0, f64::max));
    let mut field = Field::new(title, WIDE, RIGHT + LEGEND, across, up);
    let left = LEFT + WIDE[0] + RIGHT;
    for (index, (name, points)) in lines.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        // Where the colours come round again.
        let is_dashed = index >= COLOURS.len();
        let dashes = if is_dashed { "6 3" } else { "none" };
        let stroke = format!(r#"stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}""#);
        field.line(points, &stroke);
        let y = ABOVE + (index as f64 + 0.5) * LEGEND_LINE;
        let _ = write!(
            field.svg,
            r#"<path d="M{left} {y}h22" {stroke}/><text x="{}" y="{}">{}</text>"#,
            left + 28.0,
            y + 4.0,
            escaped(name),
        );
    }
    field.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_confusion_table_has_a_row_a_true_class() {
        let counts = vec![vec![3, 1], vec![0, 2]];
        let svg = confusion(
            &["<calm>", "glad"].map(str::to_owned),
            &Confusion { counts },
        );
        assert_eq!(svg.matches("<rect").count(), 1 + 4);
        assert!(
            svg.contains("75 %") && svg.contains("&lt;calm&gt;"),
            "{svg}"
        );
    }

    #[test]
    fn a_bin_without_answers_has_no_bar() {
        let bin = |from: f64, accuracy| Bin {
            from,
            to: from + 0.5,
            n: 2,
            confidence: accuracy,
            accuracy,
        };
        let svg = reliability(&[bin(0.0, None), bin(0.5, Some(1.0))], 0.25);
        assert_eq!(svg.matches("<title>").count(), 1);
        assert!(svg.contains("calibration error 0.250"), "{svg}");
    }

    #[test]
    fn losses_that_are_zero_throughout_have_no_line() {
        let lines = vec![
            ("l1", vec![(1.0, 0.5), (2.0, 0.4), (3.0, f64::NAN)]),
            ("cycle", vec![(1.0, 0.0)]),
        ];
        let svg = sizes_over_steps("losses", lines);
        assert!(svg.contains("l1") && !svg.contains("cycle"));
        assert!(!svg.contains("NaN"), "{svg}");
        assert!(sizes_over_steps("losses", Vec::new()).ends_with("</svg>"));
    }
}
