//! The figures of `fersnet evaluate`, as people read them.

use fersnet::evaluate::{HEAD, InPhoto, Recognition, Report, SLIDER_HEAD, Synthesis};

/// The figures for people.
pub fn print(report: &Report) {
    println!("{} on {}", report.weights, report.data.in_words());
    print_recognition(&report.recognition);
    if let Some(figures) = &report.synthesis {
        print_synthesis(figures);
    }
}

fn print_recognition(figures: &Recognition) {
    let ends = &figures.intervals;
    let line = |name: &str, value: f64, interval: Option<[f64; 2]>| {
        println!("{name:>16}  {} {}", percent(Some(value)), between(interval));
    };
    println!("n {}; 95 % intervals over {}", figures.n, ends.over);
    line("accuracy", figures.accuracy, ends.accuracy);
    line("macro F1", figures.macro_f1, ends.macro_f1);
    line("macro recall", figures.macro_recall, ends.macro_recall);
    for name in &figures.classes {
        if let Some(class) = figures.per_class.get(name) {
            println!(
                "{name:>16}  recall {} {}  precision {}  n {}",
                percent(class.recall),
                between(class.recall_interval),
                percent(class.precision),
                class.n
            );
        }
    }
    for (name, c) in [
        ("T = 1", &figures.calibration.before),
        ("the file's T", &figures.calibration.after),
    ] {
        println!(
            "{name:>16}  T {:.3}  ECE {:.3}  Brier {:.3}  NLL {:.3}",
            c.temperature, c.ece, c.brier, c.nll
        );
    }
    let rule = &figures.not_sure_rule;
    println!(
        "{:>16}  answers {} of the faces, {} of them rightly",
        "not sure",
        percent(Some(rule.coverage)),
        percent(rule.accuracy)
    );
    for (column, values) in &figures.groups {
        for (value, group) in values {
            let figure = match group.note {
                Some(note) => note.to_owned(),
                None => format!("{} {}", percent(group.accuracy), between(group.interval)),
            };
            println!(
                "{column:>16}  {value}: {figure}  n {} of {}",
                group.n, group.subjects
            );
        }
    }
}

fn print_synthesis(figures: &Synthesis) {
    println!(
        "{} faces redrawn; read by {}\n{:>16}  {} {}  (not redrawn: {}; own pictures: {} of {})",
        figures.n,
        figures.reader,
        "read as target",
        percent(Some(figures.read_as_target)),
        between(figures.interval),
        percent(Some(figures.unchanged)),
        percent(Some(figures.ceiling)),
        figures.ceiling_n,
    );
    for (name, target) in &figures.per_class {
        let identity = target.identity.map_or(String::new(), |pairs| {
            format!(
                "  cosine {:.3}, one person {}",
                pairs.cosine,
                percent(Some(pairs.same_person))
            )
        });
        let nearness = target.nearness.map_or(String::new(), |near| {
            format!(
                "  L1 {:.4} ({:.4})  SSIM {:.3} ({:.3})",
                near.l1, near.unchanged_l1, near.ssim, near.unchanged_ssim
            )
        });
        println!(
            "{name:>16}  {} {}  (not redrawn: {}; own pictures: {}){identity}{nearness}",
            percent(target.read_as_target),
            between(target.interval),
            percent(target.unchanged),
            percent(target.ceiling),
        );
    }
    if let Some(found) = &figures.in_photo {
        print_in_photo(found);
    }
    if let Some(identity) = &figures.identity {
        for (name, pairs) in [
            ("redrawn", Some(identity.redrawn)),
            ("one person", identity.one_person),
            ("two persons", identity.two_persons),
        ] {
            if let Some(pairs) = pairs {
                println!(
                    "{name:>16}  cosine {:.3}  distance {:.3}  below 0.6 {}  pairs {}",
                    pairs.cosine,
                    pairs.distance,
                    percent(Some(pairs.same_person)),
                    pairs.n
                );
            }
        }
    }
}

fn print_in_photo(figures: &InPhoto) {
    println!(
        "{} faces redrawn in their photos, {} real smiles redrawn as neutral; measured at 256 pixels",
        figures.n, figures.smiles_n
    );
    print_table(&HEAD, &figures.rows());
    let sliders = figures.slider_rows();
    if !sliders.is_empty() {
        print_table(&SLIDER_HEAD, &sliders);
    }
}

/// Columns as wide as their widest cell.
fn print_table<const N: usize>(head: &[&str; N], rows: &[[String; N]]) {
    let head = head.map(str::to_owned);
    let lines = || std::iter::once(&head).chain(rows);
    let width = |column: usize| lines().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..N)
        .map(|column| width(column).unwrap_or_default())
        .collect();
    for line in lines() {
        let cells = line.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        println!("  {}", cells.join("  ").trim_end());
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(
        || "   - %".to_owned(),
        |share| format!("{:5.1} %", 100.0 * share),
    )
}

fn between(interval: Option<[f64; 2]>) -> String {
    interval.map_or_else(String::new, |[low, high]| {
        format!("[{:.1}, {:.1}]", 100.0 * low, 100.0 * high)
    })
}
