//! A chart's field with its axes.

use std::fmt::Write;
use std::ops::Range;

/// Room around a field: for the words at its left and below, for the title above, at the right.
pub(super) const LEFT: f64 = 56.0;
const BELOW: f64 = 44.0;
pub(super) const ABOVE: f64 = 26.0;
pub(super) const RIGHT: f64 = 14.0;

/// Text that may stand in HTML and SVG.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// One direction of a field.
pub(super) struct Axis<'a> {
    name: &'a str,
    range: Range<f64>,
    is_logarithmic: bool,
    ticks: Vec<f64>,
}

impl<'a> Axis<'a> {
    /// Shares from 0 to 1.
    pub fn shares(name: &'a str) -> Self {
        Self {
            name,
            range: 0.0..1.0,
            is_logarithmic: false,
            ticks: vec![0.0, 0.25, 0.5, 0.75, 1.0],
        }
    }

    /// From 0 to `last`, with at most ten ticks at round whole numbers.
    pub fn from_zero(name: &'a str, last: f64) -> Self {
        let power = 10.0_f64.powf((last / 4.0).log10().floor()).max(1.0);
        let fits = |step: &f64| last / (step * power) >= 4.0;
        let step = [5.0, 2.0].into_iter().find(fits).unwrap_or(1.0) * power;
        let ticks = (0..=(last / step) as usize).map(|i| i as f64 * step);
        Self {
            name,
            ticks: ticks.collect(),
            range: 0.0..last,
            is_logarithmic: false,
        }
    }

    /// Over a range above 0, with ticks at 1, 2 and 5; over many powers of ten at these alone.
    pub fn logarithmic(name: &'a str, range: Range<f64>) -> Self {
        let powers = range.start.log10().floor() as i32..range.end.log10().ceil() as i32;
        let firsts: &[f64] = if powers.len() > 4 {
            &[1.0]
        } else {
            &[1.0, 2.0, 5.0]
        };
        let ticks = powers.flat_map(|power| {
            // Divided where it is small, so that the tick is the very number that its name says.
            let scale = 10.0_f64.powi(power.abs());
            let at = move |first: &f64| {
                if power < 0 {
                    first / scale
                } else {
                    first * scale
                }
            };
            firsts.iter().map(at)
        });
        Self {
            name,
            ticks: ticks.filter(|tick| range.contains(tick)).collect(),
            range,
            is_logarithmic: true,
        }
    }

    /// Where a value lies along the axis, 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let of = |value: f64| {
            if self.is_logarithmic {
                value.ln()
            } else {
                value
            }
        };
        let (from, to) = (of(self.range.start), of(self.range.end));
        (of(value) - from) / (to - from)
    }
}

/// A chart in the making.
pub(super) struct Field<'a> {
    size: [f64; 2],
    across: Axis<'a>,
    up: Axis<'a>,
    /// What is drawn so far.
    pub svg: String,
}

impl<'a> Field<'a> {
    /// The frame with its title, ticks and words, and room at its right.
    pub fn new(title: &str, size: [f64; 2], right: f64, across: Axis<'a>, up: Axis<'a>) -> Self {
        let [width, height] = size;
        let whole = [LEFT + width + right, ABOVE + height + BELOW];
        let mut field = Self {
            svg: open(whole, title),
            size,
            across,
            up,
        };
        let (middle, centre) = (LEFT + width / 2.0, ABOVE + height / 2.0);
        let bottom = ABOVE + height;
        let _ = write!(
            field.svg,
            r##"<text x="{middle}" y="{}" text-anchor="middle" font-size="13">{}</text><rect x="{LEFT}" y="{ABOVE}" width="{width}" height="{height}" fill="none" stroke="#999"/>"##,
            ABOVE - 9.0,
            escaped(title),
        );
        for tick in &field.across.ticks {
            let x = LEFT + width * field.across.share(*tick);
            let _ = write!(
                field.svg,
                r##"<path d="M{x:.1} {ABOVE}V{bottom}" stroke="#eee"/><text x="{x:.1}" y="{}" text-anchor="middle">{tick}</text>"##,
                bottom + 16.0,
            );
        }
        for tick in &field.up.ticks {
            let y = bottom - height * field.up.share(*tick);
            let _ = write!(
                field.svg,
                r##"<path d="M{LEFT} {y:.1}h{width}" stroke="#eee"/><text x="{}" y="{:.1}" text-anchor="end">{tick}</text>"##,
                LEFT - 5.0,
                y + 4.0,
            );
        }
        let _ = write!(
            field.svg,
            r#"<text x="{middle}" y="{}" text-anchor="middle">{}</text><text transform="translate(11 {centre}) rotate(-90)" text-anchor="middle">{}</text>"#,
            bottom + 34.0,
            escaped(field.across.name),
            escaped(field.up.name),
        );
        field
    }

    /// Where a point of both axes lies in the picture.
    pub fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let [width, height] = self.size;
        let (x, y) = (self.across.share(x), self.up.share(y));
        (LEFT + width * x, ABOVE + height * (1.0 - y))
    }

    /// A line through points; those that are no numbers are skipped.
    pub fn line(&mut self, points: &[(f64, f64)], stroke: &str) {
        let places = points.iter().map(|point| self.place(*point));
        let places = places.filter(|(x, y)| x.is_finite() && y.is_finite());
        let places: Vec<String> = places.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = write!(
            self.svg,
            r#"<polyline points="{}" fill="none" {stroke}/>"#,
            places.join(" "),
        );
    }

    /// The whole picture.
    pub fn finish(self) -> String {
        self.svg + "</svg>"
    }
}

/// The beginning of a picture on white, also where it is looked at by itself.
pub(super) fn open([width, height]: [f64; 2], title: &str) -> String {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{}" font-size="11" font-family="system-ui,sans-serif"><rect width="{width}" height="{height}" fill="#fff"/>"##,
        escaped(title),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_within_the_range() {
        let steps = |last| Axis::from_zero("", last).ticks;
        assert_eq!(steps(1.0), [0.0, 1.0]);
        assert_eq!(steps(4000.0), [0.0, 1000.0, 2000.0, 3000.0, 4000.0]);
        assert_eq!(steps(90_000.0).len(), 5);
        let sizes = |range| Axis::logarithmic("", range).ticks;
        assert_eq!(sizes(0.04..3.0), [0.05, 0.1, 0.2, 0.5, 1.0, 2.0]);
        assert_eq!(sizes(0.0004..30.0), [0.001, 0.01, 0.1, 1.0, 10.0]);
    }
}
