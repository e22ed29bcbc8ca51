//! The figures of weight files as a document: for the command line and for the model card's page.

use super::bootstrap::Interval;
use super::charts;
use super::confidence::Calibration;
use super::groups::Groups;
use super::{HEAD, InPhoto, Likeness, Nearness, Recognition, Report, SLIDER_HEAD, Synthesis};
use crate::document::{Document, Table};

/// All figures; several reports stand below one another.
pub fn document(reports: &[Report]) -> Document {
    let mut document = Document::default();
    for report in reports {
        document.heading(format!("Weights: {}", report.weights));
        document.paragraph(format!(
            "On {}. SHA-256 {}",
            report.data.in_words(),
            report.sha256
        ));
        if !report.data.skipped.is_empty() {
            document.paragraph(format!("Skipped: {}.", report.data.skipped.join("; ")));
        }
        recognition(&mut document, &report.recognition);
        if let Some(figures) = &report.synthesis {
            synthesis(&mut document, figures);
        }
    }
    document
}

fn recognition(document: &mut Document, figures: &Recognition) {
    let ends = &figures.intervals;
    let subjects = figures
        .subjects
        .map_or(String::new(), |n| format!(" of {n} subjects"));
    document.subheading("Recognition");
    document.paragraph(format!(
        "{} faces{subjects}; 95 % intervals by bootstrap over {} (seed {}).",
        figures.n, ends.over, ends.seed,
    ));
    let row = |name: &str, figure, ends| [name.to_owned(), percent(Some(figure)), interval(ends)];
    let ece = ends
        .ece
        .map_or_else(none, |[low, high]| format!("{low:.3} to {high:.3}"));
    document.table(Table::new(["figure", "value", "95 % interval"]).with_rows([
        row("accuracy", figures.accuracy, ends.accuracy),
        row("macro F1", figures.macro_f1, ends.macro_f1),
        row("macro recall", figures.macro_recall, ends.macro_recall),
        [
            "expected calibration error (15 bins)".to_owned(),
            format!("{:.3}", figures.ece),
            ece,
        ],
    ]));
    document.table(classes(figures));
    document.table(calibration(figures));
    let rule = &figures.not_sure_rule;
    document.paragraph(format!(
        "Below a probability of {} the answer is \"not sure\": {} of the faces get an answer, {} of these answers are correct.",
        rule.threshold,
        percent(Some(rule.coverage)),
        percent(rule.accuracy),
    ));
    document.chart(
        charts::confusion(&figures.classes, &figures.confusion),
        "Rows: shown; columns: read.",
    );
    document.chart(
        charts::reliability(&figures.reliability, figures.ece),
        "Confidence against accuracy; the line would be perfect.",
    );
    document.chart(
        charts::coverage(&figures.coverage, rule),
        "Accuracy when less confident answers are withheld; the dot is the program's rule.",
    );
    groups(document, &figures.groups);
}

fn calibration(figures: &Recognition) -> Table {
    let (before, after) = (figures.calibration.before, figures.calibration.after);
    let head = [
        "calibration".to_owned(),
        "T = 1".to_owned(),
        format!("T = {:.3}, from the weight file", after.temperature),
    ];
    let line = |figure: fn(&Calibration) -> f64, name: &str| {
        let text = |calibration| format!("{:.3}", figure(calibration));
        [name.to_owned(), text(&before), text(&after)]
    };
    Table::new(head).with_rows([
        line(|c| c.ece, "expected calibration error"),
        line(|c| c.brier, "Brier score"),
        line(|c| c.nll, "negative log-likelihood (nats)"),
    ])
}

fn classes(figures: &Recognition) -> Table {
    let classes = figures.classes.iter();
    let rows = classes
        .filter_map(|name| Some((name, figures.per_class.get(name)?)))
        .map(|(name, class)| {
            [
                name.clone(),
                class.n.to_string(),
                percent(class.recall),
                interval(class.recall_interval),
                percent(class.precision),
                interval(class.precision_interval),
                percent(class.f1),
            ]
        });
    Table::new([
        "expression",
        "n",
        "recall",
        "95 %",
        "precision",
        "95 %",
        "F1",
    ])
    .with_rows(rows)
}

fn groups(document: &mut Document, groups: &Groups) {
    for (column, values) in groups {
        let rows = values.iter().map(|(value, group)| {
            let note = group.note.map(str::to_owned);
            [
                value.clone(),
                group.n.to_string(),
                group.subjects.to_string(),
                note.unwrap_or_else(|| percent(group.accuracy)),
                interval(group.interval),
            ]
        });
        let head = [column, "n", "subjects", "accuracy", "95 %"];
        document.table(Table::new(head).with_rows(rows));
    }
}

fn synthesis(document: &mut Document, figures: &Synthesis) {
    document.subheading("Synthesis");
    document.paragraph(format!(
        "{} faces ({}), each redrawn with every expression, read by {}.",
        figures.n,
        figures.from.as_deref().unwrap_or("any"),
        figures.reader,
    ));
    document.paragraph(format!(
        "Read as the target: {} ({}). When nothing is redrawn: {}. The data's own pictures that the reader reads correctly (n {}): {}.",
        percent(Some(figures.recognised_as_target)),
        interval(figures.interval),
        percent(Some(figures.unchanged)),
        figures.ceiling_n,
        percent(Some(figures.ceiling)),
    ));
    document.table(targets(figures));
    if let Some(found) = &figures.in_photo {
        in_photo(document, found);
    }
    let Some(identity) = &figures.identity else {
        return;
    };
    let redrawn = Some(identity.redrawn);
    let rows = [
        ("a face and itself redrawn", redrawn),
        ("two photographs of one subject", identity.same_subject),
        ("photographs of two subjects", identity.different_subjects),
    ]
    .map(|(name, pairs)| {
        let [cosine, same] = likeness(pairs);
        let n = pairs.map_or_else(none, |pairs| pairs.n.to_string());
        let distance = pairs.map_or_else(none, |pairs| format!("{:.3}", pairs.distance));
        [name.to_owned(), n, cosine, same, distance]
    });
    let head = [
        "identity",
        "pairs",
        "cosine",
        "same identity (distance below 0.6)",
        "distance",
    ];
    document.table(Table::new(head).with_rows(rows));
}

fn targets(figures: &Synthesis) -> Table {
    let rows = figures.per_class.iter().map(|(name, target)| {
        let [cosine, same] = likeness(target.identity);
        let [l1, ssim] = nearness(target.nearness);
        [
            name.clone(),
            percent(target.recognised_as_target),
            interval(target.interval),
            percent(target.unchanged),
            percent(target.ceiling),
            cosine,
            same,
            l1,
            ssim,
        ]
    });
    Table::new([
        "target",
        "read as it",
        "95 %",
        "unchanged",
        "own pictures",
        "cosine",
        "same identity",
        "L1 (unchanged)",
        "SSIM (unchanged)",
    ])
    .with_rows(rows)
}

fn in_photo(document: &mut Document, figures: &InPhoto) {
    document.subheading("In the photo");
    document.paragraph(format!(
        "{} neutral faces redrawn with every expression and {} real smiles redrawn as neutral, each in its photo; measured on faces of 256 pixels. Intervals over subjects.",
        figures.n, figures.smiles_n,
    ));
    document.table(Table::new(HEAD).with_rows(figures.rows()));
    let sliders = figures.slider_rows();
    if !sliders.is_empty() {
        document.table(Table::new(SLIDER_HEAD).with_rows(sliders));
    }
}

fn likeness(pairs: Option<Likeness>) -> [String; 2] {
    pairs.map_or_else(
        || [none(), none()],
        |pairs| {
            [
                format!("{:.3}", pairs.cosine),
                percent(Some(pairs.same_identity)),
            ]
        },
    )
}

fn nearness(pairs: Option<Nearness>) -> [String; 2] {
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
                subjects: None,
                skipped: vec!["3 that cannot be read".into()],
            },
            recognition: recognition(&predictions, 1.0, 1).expect("figures"),
            synthesis: None,
        }
    }

    #[test]
    fn the_page_holds_everything_and_fetches_nothing() {
        let html = document(&[report("calm"), report("calm")]).page("Model card figures");
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
        let mut document = Document::default();
        in_photo(&mut document, &crate::evaluate::rows::tests::made());
        let html = document.page("");
        for figure in ["a smile closes", "tears", "KID", "jawOpen"] {
            assert!(html.contains(figure), "{figure}");
        }
        assert_eq!(html.matches("<table>").count(), 2);
    }

    #[test]
    fn names_of_expressions_are_no_markup() {
        let html = document(&[report("<b>\"&")]).page("");
        assert!(!html.contains("<b>"));
        assert!(html.contains("&lt;b&gt;&quot;&amp;"));
    }
}
