//! Paired training data from portraits: a photo of a face and the same face with another expression,
//! drawn with a face model. Native only; nothing of it is used to recognise or to synthesise.
//!
//! The way of a portrait:
//!
//! - [`listing`]: the pictures of a folder, and what its tables say of them.
//! - [`find`]: the largest face of a picture and its mesh; [`part`]: cut out with room around.
//! - [`model`]: the face model; [`camera`], [`fit`]: mesh -> who it is, what it shows, where the camera
//!   stands; [`spline`], [`solve`]: the numbers for it.
//! - [`portrait`]: the fitted face in its photo, and how it moves (`posed`, `unfit`); [`view`], [`views`]: what is drawn of it.
//! - [`recipes`]: what it is made to show.
//! - [`draw`]: the photo's pixels moved with the surface (`canvas`, [`raster`]), what lies beside the
//!   face (`outside`), what opened mouths and eyes bare (`mouth`, `lips`, [`teeth`], `tones`); `field`: its numbers.
//! - [`ways`]: where the photo's pixels went.
//! - [`plan`]: all pictures of a portrait; [`encode`], `write`, `sheet`: the data set.
//!
//! Two kinds of pairs are made, by what the photo shows. *Opened from closed*: a neutral photo gets
//! expressions and random units. *Closed from open*: a photo that shows something is the target, with
//! what the fit reads off it as its controls, and the shut face is drawn: nothing has to be painted.

pub mod camera;
mod canvas;
mod crowns;
pub mod draw;
pub mod encode;
mod error;
mod eyelids;
mod field;
pub mod find;
pub mod fit;
mod lips;
pub mod listing;
pub mod model;
mod mouth;
mod outside;
pub mod part;
pub mod plan;
pub mod portrait;
mod posed;
pub mod raster;
pub mod recipes;
mod sheet;
pub mod solve;
pub mod spline;
pub mod teeth;
mod tones;
mod unfit;
pub mod view;
pub mod views;
pub mod ways;
mod write;

pub use error::PairsError;
pub use plan::Sizes;
pub use write::{CONFIG, PORTRAITS};

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::RngExt;
use rayon::prelude::*;

use crate::data::digest;
use crate::home::home;
use crate::mark::is_marked;
use crate::picture::Picture;
use find::Finder;
use listing::{Listed, list};
use model::FaceModel;
use part::Found;
use portrait::{Portrait, Taken};
use recipes::{Recipes, seeded};
use teeth::Donor;
use write::{Config, Folder, Part};

/// Portraits for each thread that are found one after the other, then drawn at the same time.
const BATCH: usize = 2;

/// Portraits that are looked at for teeth before the drawing begins.
const MOST_DONORS: usize = 24;

/// The sizes that may be asked for.
const SIZES: std::ops::RangeInclusive<usize> = 64..=1024;

/// The most samples of an expression.
const MOST_SAMPLES: usize = 10_000;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of portraits.
    pub portraits: PathBuf,
    /// The folder to be made.
    pub output: PathBuf,
    /// How many pictures, how large, and the seed.
    pub sizes: Sizes,
    /// The text of a recipe file.
    pub recipes: String,
    /// Goes on with a folder that was begun.
    pub resume: bool,
    /// A contact sheet to be written.
    pub sheet: Option<PathBuf>,
}

/// What became of the portraits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Portraits that pictures were drawn from, by the kind of pairs.
    pub portraits: BTreeMap<String, usize>,
    /// Pictures of the set.
    pub pictures: usize,
    /// Portraits that were left out: name and reason.
    pub left_out: Vec<(String, String)>,
    /// Portraits that were not looked at, since the run was stopped.
    pub not_looked_at: usize,
}

/// Draws pairs from a folder of portraits. `advance` is told of each portrait that is done, `stop` ends
/// the run after the portraits in work: what is done is kept, and the folder can be gone on with.
///
/// The same settings and files give the same bytes, whatever the number of threads.
///
/// # Errors
/// [`PairsError`]. A portrait that does not fit is none: it is listed.
pub fn run(
    settings: &Settings,
    model_file: &[u8],
    advance: &(dyn Fn(usize, usize) + Sync),
    stop: &AtomicBool,
) -> Result<Summary, PairsError> {
    check(&settings.sizes)?;
    let mut model = FaceModel::load(model_file)?;
    let recipes = Recipes::read(&settings.recipes, &model)?;
    if !recipes.folds {
        model.folds.fill(0.0);
    }
    let model = Arc::new(model);
    let listed = list(&settings.portraits)?;
    let config = Config {
        version: env!("CARGO_PKG_VERSION"),
        portraits: settings.portraits.display().to_string(),
        model_sha256: &digest(model_file),
        recipes_sha256: &digest(settings.recipes.as_bytes()),
        sizes: &settings.sizes,
    };
    let folder = Folder::open(&settings.output, &listed, &config, settings.resume)?;
    let mut done: BTreeMap<&str, Part> = listed
        .iter()
        .filter_map(|portrait| Some((portrait.name.as_str(), folder.part(&portrait.name)?)))
        .collect();
    let open: Vec<&Listed> = listed
        .iter()
        .filter(|portrait| !done.contains_key(portrait.name.as_str()))
        .collect();
    advance(done.len(), listed.len());
    let finder = if open.is_empty() {
        None
    } else {
        Some(Finder::load()?)
    };
    let donors = match &finder {
        Some(finder) if recipes.donors => donors(finder, &model, &listed)?,
        _ => Vec::new(),
    };
    let artist = Artist {
        model,
        donors,
        recipes,
        sizes: settings.sizes,
        folder: &folder,
    };
    for batch in open.chunks(BATCH * rayon::current_num_threads()) {
        let Some(finder) = finder.as_ref().filter(|_| !stop.load(Ordering::Relaxed)) else {
            break;
        };
        // The networks use all cores themselves.
        let found = batch.iter().map(|portrait| look(finder, portrait));
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let work: Vec<(&&Listed, Result<Found, String>)> = batch.iter().zip(found).collect();
        let parts: Vec<Part> = work
            .into_par_iter()
            .map(|(portrait, found)| artist.draw(portrait, found))
            .collect::<Result<_, _>>()?;
        for (portrait, part) in batch.iter().zip(parts) {
            done.insert(&portrait.name, part);
        }
        advance(done.len(), listed.len());
    }
    let summary = summary(&listed, &done);
    if summary.pictures == 0 && summary.not_looked_at == 0 {
        let reason = summary.left_out.first().map(|(_, reason)| reason.clone());
        return Err(PairsError::NothingFits(
            listed.len(),
            reason.unwrap_or_default(),
        ));
    }
    let parts: Vec<Part> = done.into_values().collect();
    // A set without pictures would be none.
    if summary.pictures > 0 {
        folder.finish(&parts)?;
        if let Some(path) = &settings.sheet {
            sheet::write(&settings.output, &parts, path)?;
        }
    }
    Ok(summary)
}

fn check(sizes: &Sizes) -> Result<(), PairsError> {
    for (name, size) in [("size", sizes.size), ("mouth size", sizes.mouth_size)] {
        if !SIZES.contains(&size) {
            return Err(PairsError::Setting(format!(
                "the {name} is {size}, and has to lie between {} and {}",
                SIZES.start(),
                SIZES.end()
            )));
        }
    }
    if sizes.samples == 0 || sizes.samples > MOST_SAMPLES {
        return Err(PairsError::Setting(format!(
            "samples have to be between 1 and {MOST_SAMPLES}"
        )));
    }
    Ok(())
}

/// The face of a portrait, or why there is none.
fn look(finder: &Finder, portrait: &Listed) -> Result<Result<Found, String>, PairsError> {
    let bytes = match fs::read(&portrait.path) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Err(format!("cannot be read: {error}"))),
    };
    if is_marked(&bytes) {
        return Ok(Err("synthetic already".to_owned()));
    }
    let picture = match Picture::decode(&bytes) {
        Ok(picture) => picture,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let found = finder.find(&picture)?;
    Ok(found.ok_or_else(|| "no face was found in it".to_owned()))
}

/// Draws and writes portraits.
struct Artist<'a> {
    model: Arc<FaceModel>,
    donors: Vec<Lender<'a>>,
    recipes: Recipes,
    sizes: Sizes,
    folder: &'a Folder,
}

/// Teeth, and whose they are.
struct Lender<'a> {
    listed: &'a Listed,
    donor: Donor,
}

/// Teeth from the folder's smiles: of portraits that a table calls happy, or of any where none says.
fn donors<'a>(
    finder: &Finder,
    model: &Arc<FaceModel>,
    listed: &'a [Listed],
) -> Result<Vec<Lender<'a>>, PairsError> {
    let may_smile = |portrait: &&Listed| matches!(portrait.expression, None | Some("happiness"));
    let candidates: Vec<&Listed> = listed.iter().filter(may_smile).collect();
    let step = candidates.len().div_ceil(MOST_DONORS).max(1);
    let mut donors = Vec::new();
    for portrait in candidates.into_iter().step_by(step) {
        let Ok(found) = look(finder, portrait)? else {
            continue;
        };
        let fitted = Portrait::new(model, &found.photo, &found.mesh, Taken::Shown);
        if let Some(donor) = fitted
            .ok()
            .and_then(|fitted| Donor::of(&portrait.name, &fitted))
        {
            donors.push(Lender {
                listed: portrait,
                donor,
            });
        }
    }
    Ok(donors)
}

impl Artist<'_> {
    /// Whose teeth a portrait gets: the person's own, or those of another portrait under the same terms.
    fn donor(&self, portrait: &Listed) -> Option<&Donor> {
        let own = self
            .donors
            .iter()
            .find(|lender| lender.listed.subject == portrait.subject);
        let is_free = |lender: &&Lender<'_>| lender.listed.licence == portrait.licence;
        let others: Vec<_> = self.donors.iter().filter(is_free).collect();
        let seed = self.sizes.seed.to_string();
        let mut rng = seeded(&[&seed, &portrait.name, "donor"]);
        let other = || {
            others
                .get(rng.random_range(0..others.len().max(1)))
                .copied()
        };
        own.or_else(other).map(|lender| &lender.donor)
    }

    fn draw(&self, portrait: &Listed, found: Result<Found, String>) -> Result<Part, PairsError> {
        let donor = self.donor(portrait);
        let shots = found.and_then(|found| {
            let (name, expression) = (&portrait.name, portrait.expression);
            let (model, recipes, sizes) = (&self.model, &self.recipes, &self.sizes);
            plan::shoot(model, recipes, &found, name, expression, donor, sizes)
        });
        match shots {
            Ok(shots) => self.folder.add(portrait, &shots),
            Err(reason) => self.folder.leave_out(&portrait.name, reason),
        }
    }
}

fn summary(listed: &[Listed], done: &BTreeMap<&str, Part>) -> Summary {
    let mut summary = Summary {
        not_looked_at: listed.len() - done.len(),
        ..Summary::default()
    };
    for part in done.values() {
        match &part.left_out {
            Some(reason) => summary.left_out.push((part.name.clone(), reason.clone())),
            None => {
                *summary.portraits.entry(part.kind.clone()).or_default() += 1;
                summary.pictures += part.rows.len();
            }
        }
    }
    summary
}

/// Where the face model lies: in the working directory's `weights/`, in `$FERSNET_HOME` or
/// `~/.cache/fersnet`, or where the program was built from. None where it is in none of them.
pub fn model_file() -> Option<PathBuf> {
    const NAME: &str = "facemodel.safetensors";
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights");
    let folders = [Some(PathBuf::from("weights")), home(), Some(built)];
    let mut files = folders
        .into_iter()
        .flatten()
        .map(|folder| folder.join(NAME));
    files.find(|file| file.is_file())
}
