//! The figures as one HTML page for the model card: everything inside, nothing fetched.

use std::fmt::Write;

use super::bootstrap::Interval;
use super::charts::{self, escaped};
use super::groups::Groups;
use super::{HEAD, InPhoto, Likeness, Nearness, Recognition, Report, SLIDER_HEAD, Synthesis};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}\
table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #ccc;padding:.25rem .6rem;text-align:right}\
th:first-child,td:first-child{text-align:left}figure{display:inline-block;margin:1rem 1rem 1rem 0}svg{max-width:100%;height:auto}small{color:#555}";

/// The page; several reports stand below one another.
pub fn page(reports: &[Report]) -> String {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>Model card figures</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Model card figures</h1>\n"
    );
    for report in reports {
        let _ = write!(
            html,
            "<h2>Weights: {}</h2>\n<p>On {}. <small>SHA-256 {}</small></p>\n",
            escaped(&report.weights),
            escaped(&report.data.in_words()),
            escaped(&report.sha256),
        );
        if !report.data.left_out.is_empty() {
            let left_out = report.data.left_out.iter().map(|text| escaped(text));
            let left_out: Vec<String> = left_out.collect();
            let _ = writeln!(html, "<p>Left out: {}.</p>", left_out.join("; "));
        }
        recognition(&mut html, &report.recognition);
        if let Some(figures) = &report.synthesis {
            synthesis(&mut html, figures);
        }
    }
    html + "</body>\n</html>\n"
}

fn recognition(html: &mut String, figures: &Recognition) {
    let ends = &figures.intervals;
    let persons = figures
        .subjects
        .map_or(String::new(), |n| format!(" of {n} persons"));
    let _ = writeln!(
        html,
        "<h3>Recognition</h3>\n<p>{} faces{persons}; 95 % intervals by bootstrap over {} (seed {}).</p>",
        figures.n, ends.over, ends.seed,
    );
    table(
        html,
        &["figure", "value", "95 % interval"],
        &[
            row("accuracy", figures.accuracy, ends.accuracy),
            row("macro F1", figures.macro_f1, ends.macro_f1),
            row("macro recall", figures.macro_recall, ends.macro_recall),
            vec![
                "expected calibration error (15 bins)".to_owned(),
                format!("{:.3}", figures.ece),
                ends.ece
                    .map_or(none(), |[low, high]| format!("{low:.3} to {high:.3}")),
            ],
        ],
    );
    classes(html, figures);
    let (before, after) = (figures.calibration.before, figures.calibration.after);
    let line = |figure: fn(&super::certainty::Calibration) -> f64, name: &str| {
        let text = |calibration| format!("{:.3}", figure(calibration));
        vec![name.to_owned(), text(&before), text(&after)]
    };
    table(
        html,
        &[
            "calibration",
            "T = 1",
            &format!("T = {:.3}, from the weight file", after.temperature),
        ],
        &[
            line(|c| c.ece, "expected calibration error"),
            line(|c| c.brier, "Brier score"),
            line(|c| c.nll, "negative log-likelihood (nats)"),
        ],
    );
    let rule = &figures.not_sure_rule;
    let _ = writeln!(
        html,
        "<p>Below a probability of {} the answer is \"not sure\": {} of the faces get an answer, {} of these answers are right.</p>",
        rule.threshold,
        percent(Some(rule.coverage)),
        percent(rule.accuracy),
    );
    for (chart, caption) in [
        (
            charts::confusion(&figures.classes, &figures.confusion),
            "Rows: shown; columns: read.",
        ),
        (
            charts::reliability(&figures.reliability, figures.ece),
            "Certainty against truth; the line would be perfect.",
        ),
        (
            charts::coverage(&figures.coverage, rule),
            "Accuracy when less certain answers are withheld; the dot is the program's rule.",
        ),
    ] {
        let _ = writeln!(
            html,
            "<figure>{chart}<figcaption><small>{caption}</small></figcaption></figure>"
        );
    }
    groups(html, &figures.groups);
}

fn classes(html: &mut String, figures: &Recognition) {
    let rows: Vec<_> = figures
        .classes
        .iter()
        .filter_map(|name| Some((name, figures.per_class.get(name)?)))
        .map(|(name, class)| {
            vec![
                name.clone(),
                class.n.to_string(),
                percent(class.recall),
                interval(class.recall_interval),
                percent(class.precision),
                interval(class.precision_interval),
                percent(class.f1),
            ]
        })
        .collect();
    let head = [
        "expression",
        "n",
        "recall",
        "95 %",
        "precision",
        "95 %",
        "F1",
    ];
    table(html, &head, &rows);
}

fn groups(html: &mut String, groups: &Groups) {
    for (column, values) in groups {
        let rows: Vec<_> = values
            .iter()
            .map(|(value, group)| {
                vec![
                    value.clone(),
                    group.n.to_string(),
                    group.subjects.to_string(),
                    group
                        .note
                        .map_or_else(|| percent(group.accuracy), str::to_owned),
                    interval(group.interval),
                ]
            })
            .collect();
        table(html, &[column, "n", "persons", "accuracy", "95 %"], &rows);
    }
}

fn synthesis(html: &mut String, figures: &Synthesis) {
    let from = figures.from.as_deref().unwrap_or("any");
    let _ = writeln!(
        html,
        "<h3>Synthesis</h3>\n<p>{} faces ({}), each redrawn with every expression, read by {}.</p>\n<p>Read as the target: {} ({}). When nothing is redrawn: {}. The data's own pictures that the reader reads rightly (n {}): {}.</p>",
        figures.n,
        escaped(from),
        escaped(&figures.reader),
        percent(Some(figures.read_as_target)),
        interval(figures.interval),
        percent(Some(figures.unchanged)),
        figures.ceiling_n,
        percent(Some(figures.ceiling)),
    );
    let rows: Vec<_> = figures
        .per_class
        .iter()
        .map(|(name, target)| {
            let mut cells = vec![
                name.clone(),
                percent(target.read_as_target),
                interval(target.interval),
                percent(target.unchanged),
                percent(target.ceiling),
            ];
            cells.extend(likeness(target.identity.as_ref()));
            cells.extend(nearness(target.nearness.as_ref()));
            cells
        })
        .collect();
    let head = [
        "target",
        "read as it",
        "95 %",
        "unchanged",
        "own pictures",
        "cosine",
        "one person",
        "L1 (unchanged)",
        "SSIM (unchanged)",
    ];
    table(html, &head, &rows);
    if let Some(found) = &figures.in_photo {
        in_photo(html, found);
    }
    let Some(identity) = &figures.identity else {
        return;
    };
    let rows = [
        ("a face and itself redrawn", Some(&identity.redrawn)),
        (
            "two photographs of one person",
            identity.one_person.as_ref(),
        ),
        ("photographs of two persons", identity.two_persons.as_ref()),
    ]
    .map(|(name, pairs)| {
        let n = pairs.map_or_else(none, |pairs| pairs.n.to_string());
        let mut cells = vec![name.to_owned(), n];
        cells.extend(likeness(pairs));
        cells.push(pairs.map_or_else(none, |pairs| format!("{:.3}", pairs.distance)));
        cells
    });
    let head = [
        "identity",
        "pairs",
        "cosine",
        "one person (distance below 0.6)",
        "distance",
    ];
    table(html, &head, &rows);
}

fn in_photo(html: &mut String, figures: &InPhoto) {
    let _ = writeln!(
        html,
        "<h3>In the photo</h3>\n<p>{} neutral faces redrawn with every expression and {} real smiles redrawn as neutral, each in its photo; measured on faces of 256 pixels. Intervals over persons.</p>",
        figures.n, figures.smiles_n,
    );
    let rows: Vec<Vec<String>> = figures.rows().into_iter().map(Vec::from).collect();
    table(html, &HEAD, &rows);
    let sliders: Vec<Vec<String>> = figures.slider_rows().into_iter().map(Vec::from).collect();
    if !sliders.is_empty() {
        table(html, &SLIDER_HEAD, &sliders);
    }
}

fn likeness(pairs: Option<&Likeness>) -> [String; 2] {
    pairs.map_or_else(
        || [none(), none()],
        |pairs| {
            [
                format!("{:.3}", pairs.cosine),
                percent(Some(pairs.same_person)),
            ]
        },
    )
}

fn nearness(pairs: Option<&Nearness>) -> [String; 2] {
    pairs.map_or_else(
        || [none(), none()],
        |p| {
            [
                format!("{:.4} ({:.4})", p.l1, p.unchanged_l1),
                format!("{:.3} ({:.3})", p.ssim, p.unchanged_ssim),
            ]
        },
    )
}

fn row(name: &str, figure: f64, ends: Option<Interval>) -> Vec<String> {
    vec![name.to_owned(), percent(Some(figure)), interval(ends)]
}

/// A table of plain text.
fn table(html: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let line = |tag: &str, cells: &mut dyn Iterator<Item = String>| {
        let cells: String = cells
            .map(|cell| format!("<{tag}>{}</{tag}>", escaped(&cell)))
            .collect();
        format!("<tr>{cells}</tr>\n")
    };
    html.push_str("<table>\n");
    html.push_str(&line("th", &mut head.iter().map(|cell| (*cell).to_owned())));
    for row in rows {
        html.push_str(&line("td", &mut row.iter().cloned()));
    }
    html.push_str("</table>\n");
}

fn none() -> String {
    "–".to_owned()
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(none, |share| format!("{:.1} %", 100.0 * share))
}

fn interval(ends: Option<Interval>) -> String {
    ends.map_or_else(none, |[low, high]| {
        format!("{:.1} to {:.1} %", 100.0 * low, 100.0 * high)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::report::DataNote;
    use crate::evaluate::{Predictions, recognition};

    fn report(class: &str) -> Report {
        let predictions = Predictions {
            classes: vec![class.to_owned(), "glad".to_owned()],
            probabilities: vec![vec![0.9, 0.1], vec![0.4, 0.6]],
            labels: vec![0, 0],
            subjects: vec![None, None],
            names: vec![String::new(), String::new()],
            groups: vec![Default::default(), Default::default()],
        };
        Report {
            weights: "last".into(),
            sha256: "00".into(),
            data: DataNote {
                folder: "faces".into(),
                layout: "FER+".into(),
                split: Some("validation".into()),
                cut: "whole".into(),
                persons: None,
                left_out: vec!["3 that cannot be read".into()],
            },
            recognition: recognition(&predictions, 1.0, 1).expect("figures"),
            synthesis: None,
        }
    }

    #[test]
    fn the_page_holds_everything_and_fetches_nothing() {
        let html = page(&[report("calm"), report("calm")]);
        assert!(html.contains("<title>Model card figures</title>"));
        assert_eq!(html.matches("<svg").count(), 6);
        for outside in ["<script", "src=", "href=", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert_eq!(html.matches("<tr>").count(), html.matches("</tr>").count());
        assert!(html.contains("50.0 %"), "the accuracy");
    }

    #[test]
    fn the_page_shows_what_is_measured_in_photos() {
        let mut html = String::new();
        in_photo(&mut html, &crate::evaluate::rows::tests::made());
        for figure in ["a smile closes", "tears", "KID", "jawOpen"] {
            assert!(html.contains(figure), "{figure}");
        }
        assert_eq!(html.matches("<table>").count(), 2);
    }

    #[test]
    fn names_of_expressions_are_no_markup() {
        let html = page(&[report("<b>\"&")]);
        assert!(!html.contains("<b>"));
        assert!(html.contains("&lt;b&gt;&quot;&amp;"));
    }
}
