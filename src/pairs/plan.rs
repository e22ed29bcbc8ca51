//! A portrait -> the pictures of it: the photo, and what is drawn from it.

use std::sync::Arc;

use rand::RngExt;

use super::draw::{Drawer, Drawn};
use super::model::FaceModel;
use super::part::Found;
use super::portrait::{Portrait, Posed, Taken, Unfit};
use super::recipes::{Recipes, Sample, seeded};
use super::teeth::Donor;
use super::view::Colour;
use super::views::{face_view, mouth_view};
use super::ways::Ways;

/// Sum of the units around the mouth up to which a shut mouth counts as neutral where no table says.
const NEUTRAL_UP_TO: f32 = 0.45;

/// The gap of the lips through the distance of their corners up to which a mouth that was closed is shut.
const SHUT_UP_TO: f32 = 0.06;

/// The two kinds of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The photo is neutral, and expressions are drawn from it.
    OpenedFromClosed,
    /// The photo shows something, and the shut face is drawn from it; the mouth opened otherwise, too.
    ClosedFromOpen,
}

/// How many pictures of a portrait, and how large.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Sizes {
    /// Samples of each expression.
    pub samples: usize,
    /// Side of the face pictures in pixels.
    pub size: usize,
    /// Width of the mouth pictures in pixels.
    pub mouth_size: usize,
    /// Seed of everything random.
    pub seed: u64,
}

/// One picture.
pub struct Shot {
    /// What it shows.
    pub sample: Sample,
    /// The face and the mouth.
    pub views: [Seen; 2],
    /// From the drawn face to the photo, and back from the photo; none for the photo itself.
    pub ways: Option<[Ways; 2]>,
}

/// A picture with the map of its mouth's inside.
pub struct Seen {
    /// Pixels in a row, and rows.
    pub size: [usize; 2],
    /// The picture.
    pub picture: Vec<Colour>,
    /// How much of each pixel lies within the mouth; empty where it is shut.
    pub cavity: Vec<f32>,
}

/// What is drawn of one portrait.
pub struct Shots {
    /// Which kind of pairs they make.
    pub kind: Kind,
    /// The fitted face.
    pub portrait: Portrait,
    /// Height and places of the eyes in the face pictures: the person's right and left eye.
    pub eyes: [[f32; 2]; 2],
    /// The pictures; the photo first.
    pub shots: Vec<Shot>,
    /// The portrait whose teeth opened mouths got; empty where none.
    pub teeth: String,
}

/// Draws all pictures of a portrait. `name` and the seed decide what is random; `expression` is what a
/// table says that the photo shows; `donor` lends teeth to opened mouths.
///
/// # Errors
/// [`Unfit`] or another reason in words.
pub fn shoot(
    model: &Arc<FaceModel>,
    recipes: &Recipes,
    found: &Found,
    name: &str,
    expression: Option<&str>,
    donor: Option<&Donor>,
    sizes: &Sizes,
) -> Result<Shots, String> {
    let (kind, portrait) = take(model, found, expression).map_err(|unfit| unfit.to_string())?;
    let seed = sizes.seed.to_string();
    let rng = |what: &str, i: usize| seeded(&[&seed, name, what, &i.to_string()]);
    let shows_something = kind == Kind::ClosedFromOpen;
    // The best donor is the photo itself.
    let own = shows_something
        .then(|| Donor::of(name, &portrait))
        .flatten();
    let donor = own.as_ref().or(donor);
    let face = Drawer::new(&portrait, face_view(&portrait, sizes.size)).with_teeth(donor);
    let mouth = face.also(mouth_view(&portrait, sizes.mouth_size));
    let mut shots = vec![photo(&portrait, [&face, &mouth], kind, expression)];
    let in_photo = portrait.posed(&portrait.fit.units);
    let closed = shows_something.then(|| recipes.closed(model, |i| rng("closed", i)));
    for (i, sample) in closed.into_iter().flatten().enumerate() {
        let mut posed = portrait.posed(&sample.units);
        // A trainer must not learn to look for the folds of a smile that was closed: half keep them.
        if rng("folds", i).random::<bool>() {
            posed = posed.with_folds_of(&in_photo);
        }
        if portrait.mouth(&posed)[1] > SHUT_UP_TO {
            if sample.expression.as_deref() == Some("neutral") {
                return Err("its mouth does not close".to_owned());
            }
            continue;
        }
        let drawn = [face.draw_shut(&posed), mouth.draw_shut(&posed)];
        shots.push(shot(sample, &face, &posed, drawn));
    }
    let expressions = recipes
        .expressions()
        .filter(|name| !shows_something || recipes.is_reopened(name));
    let expressions = expressions.flat_map(|expression| {
        (0..sizes.samples)
            .filter_map(move |i| recipes.sample(expression, i, model, &mut rng(expression, i)))
    });
    let random = sizes.samples * recipes.random_times();
    let random = (0..random).map(|i| {
        let rng = &mut rng("random", i);
        let sample = recipes.random(model, rng);
        if shows_something {
            sample.with_part_of(&portrait.fit.units, rng)
        } else {
            sample
        }
    });
    let mut teeth = String::new();
    for sample in expressions.chain(random) {
        let posed = portrait.posed(&sample.units);
        let drawn = if shows_something && portrait.mouth(&posed)[1] <= SHUT_UP_TO {
            [face.draw_shut(&posed), mouth.draw_shut(&posed)]
        } else {
            teeth = donor.map_or(String::new(), |donor| donor.name.clone());
            [face.draw(&posed), mouth.draw(&posed)]
        };
        shots.push(shot(sample, &face, &posed, drawn));
    }
    let view = face.view();
    let eyes = portrait.eye_places.map(|eye| view.view_from_photo(eye));
    Ok(Shots {
        kind,
        eyes,
        shots,
        teeth,
        portrait,
    })
}

/// Whether a photo is neutral, and its fit.
fn take(
    model: &Arc<FaceModel>,
    found: &Found,
    expression: Option<&str>,
) -> Result<(Kind, Portrait), Unfit> {
    let fitted = |taken| Portrait::new(model, &found.photo, &found.mesh, taken);
    let shown = match expression {
        Some("neutral") => None,
        Some(_) => Some(fitted(Taken::Shown)?),
        None => {
            let portrait = fitted(Taken::Shown)?;
            let units = model.shapes.iter().zip(&portrait.fit.units);
            let around_mouth = units.filter(|(shape, _)| {
                shape.name.starts_with("mouth") || shape.name.starts_with("jaw")
            });
            let sum: f32 = around_mouth.map(|(_, weight)| weight).sum();
            let is_neutral = portrait.is_shut() && sum <= NEUTRAL_UP_TO;
            (!is_neutral).then_some(portrait)
        }
    };
    if let Some(portrait) = shown {
        return Ok((Kind::ClosedFromOpen, portrait));
    }
    let portrait = fitted(Taken::Neutral)?;
    if portrait.is_shut() {
        Ok((Kind::OpenedFromClosed, portrait))
    } else {
        // A calm face whose mouth stands open: to be closed, not opened further.
        Ok((Kind::ClosedFromOpen, fitted(Taken::Shown)?))
    }
}

fn photo(
    portrait: &Portrait,
    drawers: [&Drawer<'_>; 2],
    kind: Kind,
    expression: Option<&str>,
) -> Shot {
    let views = drawers.map(|drawer| Seen {
        size: drawer.view().size,
        picture: drawer.photo(),
        cavity: drawer.photo_cavity(),
    });
    let is_neutral = kind == Kind::OpenedFromClosed;
    // A mouth that speaks is no calm face, whatever its label.
    let expression = match expression {
        _ if is_neutral => Some("neutral"),
        Some("neutral") => None,
        other => other,
    };
    Shot {
        sample: Sample {
            expression: expression.map(str::to_owned),
            intensity: if is_neutral { 0.0 } else { 1.0 },
            units: portrait.fit.units.clone(),
        },
        views,
        ways: None,
    }
}

fn shot(sample: Sample, drawer: &Drawer<'_>, posed: &Posed, drawn: [Drawn; 2]) -> Shot {
    let ways = [drawn[0].ways(), drawer.back(posed, &drawn[0])];
    let views = drawn.map(|drawn| Seen {
        size: drawn.size,
        picture: drawn.picture,
        cavity: drawn.cavity,
    });
    Shot {
        sample,
        views,
        ways: Some(ways),
    }
}
