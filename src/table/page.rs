//! The table and what it was made with, as Markdown.

use super::figures::{Figures, OfFolding, Row};
use crate::document::{Document, Table};
use crate::evaluate::bootstrap::Interval;

/// Heads of the columns.
const HEAD: [&str; 8] = [
    "network",
    "accuracy, %",
    "95 % interval",
    "macro recall, %",
    "against the row above",
    "p",
    "paper: CK+",
    "Oulu-CASIA",
];

/// All of it.
pub fn text(figures: &Figures) -> String {
    let mut document = Document::default();
    for folding in &figures.foldings {
        document.paragraph(heading(folding, figures.settings.folds));
        document.table(Table::new(HEAD).with_rows(folding.rows.iter().map(cells)));
    }
    document.list(notes(figures));
    document.markdown()
}

fn heading(folding: &OfFolding, folds: usize) -> String {
    let first = folding.rows.first();
    let (n, subjects) = first.map_or((0, 0), |row| (row.n, row.subjects));
    let name = folding.folding.name();
    format!("{folds} {name} folds, {n} test faces of {subjects} subjects:")
}

fn cells(row: &Row) -> [String; HEAD.len()] {
    let (difference, p) = match row.against_above {
        Some(against) => (
            format!("{:+.1}", 100.0 * against.difference),
            p_value(against.p),
        ),
        None => Default::default(),
    };
    let (ck_plus, oulu_casia) = match row.paper {
        Some(paper) => (
            format!("{:.2}", paper.ck_plus),
            format!("{:.2}", paper.oulu_casia),
        ),
        None => Default::default(),
    };
    [
        row.variant.name().to_owned(),
        format!("{:.1}", 100.0 * row.accuracy),
        interval(row.accuracy_interval),
        format!("{:.1}", 100.0 * row.macro_recall),
        difference,
        p,
        ck_plus,
        oulu_casia,
    ]
}

/// With three decimals; 10,000 random swaps tell no more.
fn p_value(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}

fn interval(ends: Option<Interval>) -> String {
    ends.map_or_else(String::new, |[low, high]| {
        format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high)
    })
}

fn notes(figures: &Figures) -> Vec<String> {
    let (settings, data) = (&figures.settings, &figures.data);
    let (run, enlarge) = (&settings.run, &settings.enlarge);
    let mut notes = Vec::new();
    let mut note = |words: String| notes.push(words);
    note(format!(
        "Data: {}, {} faces of {} subjects, {} expressions ({}).",
        data.layout,
        data.faces,
        data.subjects,
        data.classes.len(),
        data.classes.join(", ")
    ));
    note(format!(
        "Networks: {} edition, width {}, {} x {} pixels, {}, {} faces for recognition and {} pairs a step, seed {}.",
        run.network.edition_name(),
        run.network.width,
        run.batch.size,
        run.batch.size,
        length(run.run.steps, run.run.epochs),
        run.batch.labelled,
        run.batch.pairs,
        run.run.seed
    ));
    note(format!(
        "FERSNet*: up to {} synthetic faces of the fold's training subjects, kept by {} of its three networks at {}; then {} times the length at {} times the rate.",
        enlarge.count,
        match enlarge.rule {
            crate::enlarge::Rule::Every => "every one",
            crate::enlarge::Rule::Mean => "the mean",
        },
        enlarge.threshold,
        settings.fine_tune.length,
        settings.fine_tune.rate
    ));
    note("\"FERSNet, as long\" is fine-tuned like FERSNet* without synthetic faces: its row, against the one above, says what they did.".to_owned());
    note("The last step is reported. Test subjects are used for nothing else.".to_owned());
    note(
        "Intervals: subjects drawn anew. p: paired permutation test, a subject's answers swapped as one."
            .to_owned(),
    );
    note(
        "The paper's figures are for other data and a larger network, and stand here as reference."
            .to_owned(),
    );
    let seconds: f64 = figures
        .foldings
        .iter()
        .flat_map(|folding| &folding.rows)
        .map(|row| row.seconds)
        .sum();
    note(format!("All runs took {:.2} hours.", seconds / 3600.0));
    notes
}

fn length(steps: usize, epochs: usize) -> String {
    if steps > 0 {
        format!("{steps} steps")
    } else {
        format!("{epochs} epochs")
    }
}
