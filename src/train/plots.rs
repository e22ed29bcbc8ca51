//! Plots of a run as SVG: losses and accuracy over the steps, confusion matrix, reliability diagram.

use std::fmt::Display;
use std::ops::Range;
use std::path::Path;

use plotters::prelude::*;

use super::TrainError;
use super::files::write;
use super::losses::Losses;
use super::metrics::Metrics;
use super::reading::Reading;
use crate::evaluate::certainty::{self, certainties};

/// Size of a plot over steps, in pixels.
const WIDE: (u32, u32) = (800, 450);

/// Side of the reliability diagram, in pixels.
const SQUARE: u32 = 450;

/// Side of a cell of the confusion matrix, in pixels.
const CELL: i32 = 56;

/// Room for names at the left and the top of the confusion matrix, in pixels.
const NAMES: i32 = 110;

/// Colours of the lines, apart for colour-blind eyes too (Okabe and Ito).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(0, 0, 0),
    RGBColor(160, 140, 20),
];

/// A line over the steps: its name and its points.
type Line = (&'static str, Vec<(f64, f64)>);

/// Draws all plots of a run into its folder.
///
/// # Errors
/// [`TrainError::Write`], [`TrainError::Plot`].
pub fn draw(folder: &Path, metrics: &Metrics, reading: Option<&Reading>) -> Result<(), TrainError> {
    let series = |names: &[&'static str]| -> Result<Vec<Line>, TrainError> {
        let lines = names.iter().map(|name| Ok((*name, metrics.series(name)?)));
        lines.collect()
    };
    write_svg(&folder.join("losses.svg"), losses(series(&Losses::NAMES)?))?;
    let Some(reading) = reading else {
        return Ok(());
    };
    let accuracy = series(&["held_out_accuracy", "held_out_macro_recall"])?;
    write_svg(&folder.join("accuracy.svg"), shares(accuracy))?;
    write_svg(&folder.join("confusion.svg"), confusion(reading))?;
    write_svg(&folder.join("reliability.svg"), reliability(reading))
}

fn write_svg(path: &Path, svg: Result<String, TrainError>) -> Result<(), TrainError> {
    write(path, svg?.as_bytes())
}

fn failed(error: impl Display) -> TrainError {
    TrainError::Plot(error.to_string())
}

/// All losses that are there; their sizes differ much, so on a logarithmic scale.
fn losses(mut lines: Vec<Line>) -> Result<String, TrainError> {
    for (_, points) in &mut lines {
        points.retain(|(_, value)| *value > 0.0);
    }
    lines.retain(|(_, points)| !points.is_empty());
    let values = || lines.iter().flat_map(|(_, points)| points).map(|p| p.1);
    let low = values().fold(f64::INFINITY, f64::min) * 0.8;
    let high = values().fold(0.0, f64::max) * 1.25;
    let range = if low < high { low..high } else { 0.1..1.0 };
    over_steps(
        "mean of the terms, and their weighted total",
        &lines,
        range.log_scale(),
    )
}

/// Shares between 0 and 1.
fn shares(lines: Vec<Line>) -> Result<String, TrainError> {
    over_steps("held-out faces", &lines, 0.0..1.0)
}

fn over_steps<Y>(title: &str, lines: &[Line], range: Y) -> Result<String, TrainError>
where
    Y: plotters::coord::ranged1d::AsRangedCoord<Value = f64>,
    Y::CoordDescType: plotters::coord::ranged1d::ValueFormatter<f64>,
{
    let steps = lines.iter().flat_map(|(_, points)| points).map(|p| p.0);
    let last = steps.fold(1.0, f64::max);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, WIDE).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(title, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(35)
            .y_label_area_size(55)
            .build_cartesian_2d(0.0..last, range)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .max_light_lines(1)
            .x_desc("steps")
            .draw()
            .map_err(failed)?;
        for (index, (name, points)) in lines.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
            chart
                .draw_series(line)
                .map_err(failed)?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()
            .map_err(failed)?;
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

/// A row a true class: which share of its faces is read as what.
fn confusion(reading: &Reading) -> Result<String, TrainError> {
    let names: Vec<&str> = reading
        .predictions
        .classes
        .iter()
        .map(String::as_str)
        .collect();
    let counts = reading.predictions.confusion().counts;
    let side = (NAMES + CELL * names.len() as i32 + 10) as u32;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (side, side)).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        let label = |text: String, place| Text::new(text, place, ("sans-serif", 13));
        let heading = label("shown \\ read as".into(), (8, 8));
        root.draw(&heading).map_err(failed)?;
        for (row, name) in names.iter().enumerate() {
            let middle = NAMES + row as i32 * CELL + CELL / 2 - 6;
            root.draw(&label((*name).into(), (8, middle)))
                .map_err(failed)?;
            // Alternately higher and lower, so that neighbours do not run into each other.
            let height = NAMES - 20 - 16 * (row as i32 % 2);
            root.draw(&label((*name).into(), (NAMES + row as i32 * CELL, height)))
                .map_err(failed)?;
            let total: usize = counts[row].iter().sum();
            for (column, count) in counts[row].iter().enumerate() {
                let share = *count as f64 / total.max(1) as f64;
                draw_cell(&root, (column as i32, row as i32), share, *count)?;
            }
        }
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

fn draw_cell<B: DrawingBackend>(
    root: &DrawingArea<B, plotters::coord::Shift>,
    (column, row): (i32, i32),
    share: f64,
    count: usize,
) -> Result<(), TrainError> {
    let (x, y) = (NAMES + column * CELL, NAMES + row * CELL);
    let shade = COLOURS[0].mix(share).filled();
    root.draw(&Rectangle::new([(x, y), (x + CELL, y + CELL)], shade))
        .map_err(failed)?;
    let text = format!("{:.0} %", 100.0 * share);
    // White is hard to read on the lighter shades.
    let colour = if share > 0.8 { WHITE } else { BLACK };
    let style = ("sans-serif", 13).into_font().color(&colour);
    root.draw(&Text::new(text, (x + 10, y + 12), style))
        .map_err(failed)?;
    let style = ("sans-serif", 11).into_font().color(&colour);
    root.draw(&Text::new(count.to_string(), (x + 10, y + 32), style))
        .map_err(failed)
}

/// How often the network is right, by how sure it says it is.
fn reliability(reading: &Reading) -> Result<String, TrainError> {
    let bars = reliability_bins(reading);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (SQUARE, SQUARE)).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        let title = format!("calibration error {:.3}", reading.figures.ece);
        let mut chart = ChartBuilder::on(&root)
            .caption(title, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(35)
            .y_label_area_size(45)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .max_light_lines(1)
            .x_desc("probability of the answer")
            .y_desc("share of right answers")
            .draw()
            .map_err(failed)?;
        let boxes = bars.into_iter().map(|(range, right)| {
            Rectangle::new(
                [(range.start, 0.0), (range.end, right)],
                COLOURS[0].mix(0.7).filled(),
            )
        });
        chart.draw_series(boxes).map_err(failed)?;
        chart
            .draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], BLACK))
            .map_err(failed)?;
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

/// The share of right answers in each range of probability that has answers.
fn reliability_bins(reading: &Reading) -> Vec<(Range<f64>, f64)> {
    let predictions = &reading.predictions;
    let answers = certainties(&predictions.probabilities, &predictions.labels, 1.0);
    certainty::bins(&answers)
        .iter()
        .filter_map(|bin| Some((bin.from..bin.to, bin.accuracy?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Predictions;

    fn reading() -> Reading {
        Reading::from(Predictions {
            classes: vec!["calm".to_owned(), "glad".to_owned()],
            probabilities: vec![vec![0.95, 0.05], vec![0.92, 0.08], vec![0.3, 0.7]],
            labels: vec![0, 1, 1],
            ..Predictions::default()
        })
    }

    #[test]
    fn the_confusion_matrix_has_a_row_a_true_class() {
        assert_eq!(reading().predictions.confusion().counts, [[1, 0], [1, 1]]);
        let svg = confusion(&reading()).expect("a plot");
        assert!(svg.starts_with("<svg") && svg.contains("glad"), "{svg}");
    }

    #[test]
    fn reliability_is_the_share_of_right_answers_by_probability() {
        let bins = reliability_bins(&reading());
        let shares: Vec<f64> = bins.iter().map(|(_, right)| *right).collect();
        // Answers at 0.7 (right), 0.92 (wrong) and 0.95 (right), each in a bin of its own.
        assert_eq!(shares, [1.0, 0.0, 1.0]);
        assert!(bins[2].0.contains(&0.95) && !bins[2].0.contains(&0.92));
        assert!(reliability(&reading()).is_ok());
    }

    #[test]
    fn losses_that_are_zero_throughout_have_no_line() {
        let lines = vec![
            ("l1", vec![(1.0, 0.5), (2.0, 0.4)]),
            ("cycle", vec![(1.0, 0.0)]),
        ];
        let svg = losses(lines).expect("a plot");
        assert!(svg.contains("l1") && !svg.contains("cycle"));
        assert!(losses(Vec::new()).is_ok());
    }
}
