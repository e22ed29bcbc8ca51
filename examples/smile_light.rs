//! How a smile changes the light on a face beyond what the face model's surface says: wrinkles, folds of
//! the cheeks. Measured on portraits of subjects with a neutral face and a smile.
//!
//!     cargo run --release --example smile_light -- PORTRAITS OUT.safetensors
//!
//! PORTRAITS is a folder with a table that states subject and expression (neutral, happiness), such as the
//! Face Research Lab London set. Of each vertex the logarithm of the smile's brightness through the
//! neutral face's is averaged over subjects, for a whole smile; what varies slowly over the face is the
//! model's to say and is taken out. See weights/smile-light.md.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use fersnet::pairs::find::Finder;
use fersnet::pairs::listing::list;
use fersnet::pairs::model::{FaceModel, Part};
use fersnet::pairs::portrait::{Portrait, Taken};
use fersnet::picture::Picture;
use image::RgbImage;

/// Standard deviation of the brightness that is read, and of what counts as slow, in distances of the
/// eyes.
const FINE: f32 = 0.012;
const SLOW: f32 = 0.13;

/// Nearer than this to lips, lids and nostrils nothing is measured: they move over what is behind them.
const AWAY: f32 = 0.07;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [portraits, out] = arguments.as_slice() else {
        return Err("give PORTRAITS OUT.safetensors".into());
    };
    let model = std::fs::read("weights/facemodel.safetensors")?;
    let model = Arc::new(FaceModel::load(&model)?);
    let finder = Finder::load()?;
    let mut subjects: BTreeMap<String, [Option<Read>; 2]> = BTreeMap::new();
    for listed in list(Path::new(portraits))? {
        let (taken, place) = match listed.expression {
            Some("neutral") => (Taken::Neutral, 0),
            Some("happiness") => (Taken::Shown, 1),
            _ => continue,
        };
        let picture = Picture::decode(&std::fs::read(&listed.path)?)?;
        let Some(found) = finder.find(&picture)? else {
            continue;
        };
        if let Ok(portrait) = Portrait::new(&model, &found.photo, &found.mesh, taken) {
            subjects.entry(listed.subject).or_default()[place] = Some(Read::of(&model, &portrait));
        }
    }
    let subjects: Vec<[Read; 2]> = subjects
        .into_values()
        .filter_map(|[neutral, smile]| Some([neutral?, smile?]))
        .collect();
    eprintln!("{} subjects", subjects.len());
    let light = mean_light(&model, &subjects);
    let bytes: Vec<u8> = light
        .iter()
        .flat_map(|value| half::f16::from_f32(*value).to_le_bytes())
        .collect();
    let view =
        safetensors::tensor::TensorView::new(safetensors::Dtype::F16, vec![light.len()], &bytes)?;
    safetensors::serialize_to_file([("light", view)], None, Path::new(out))?;
    Ok(())
}

/// What a photo says of each vertex: the logarithm of its brightness; none where it is not seen.
struct Read {
    light: Vec<Option<f32>>,
    smile: f32,
}

impl Read {
    fn of(model: &FaceModel, portrait: &Portrait) -> Self {
        let posed = portrait.posed(&portrait.fit.units);
        let sigma = FINE * portrait.eyes;
        let light = posed.places.iter().zip(&posed.facing).map(|(at, facing)| {
            (*facing > 0.4).then(|| brightness(&portrait.photo, [at[0], at[1]], sigma).ln())
        });
        let unit = |name| model.shape(name).map_or(0.0, |i| portrait.fit.units[i]);
        Self {
            light: light.collect(),
            smile: (unit("mouthSmileLeft") + unit("mouthSmileRight")) / 2.0,
        }
    }
}

/// The Gaussian mean of the brightness around a place.
fn brightness(photo: &RgbImage, [x, y]: [f32; 2], sigma: f32) -> f32 {
    let reach = (2.0 * sigma).ceil() as i32;
    let (mut sum, mut weights) = (1e-3, 1e-6);
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let (column, row) = (x as i32 + dx, y as i32 + dy);
            if column < 0
                || row < 0
                || column >= photo.width() as i32
                || row >= photo.height() as i32
            {
                continue;
            }
            let (px, py) = (column as f32 + 0.5 - x, row as f32 + 0.5 - y);
            let weight = (-(px * px + py * py) / (2.0 * sigma * sigma)).exp();
            let [r, g, b] = photo.get_pixel(column as u32, row as u32).0.map(f32::from);
            sum += weight * (0.3 * r + 0.6 * g + 0.1 * b);
            weights += weight;
        }
    }
    (sum / weights).max(4.0)
}

/// For a whole smile, `[vertices]`.
fn mean_light(model: &FaceModel, subjects: &[[Read; 2]]) -> Vec<f32> {
    let count = model.neutral.len();
    let mut is_skin = vec![false; count];
    for (corners, part) in model.triangles.iter().zip(&model.parts) {
        for vertex in corners.iter().filter(|_| *part == Part::Face) {
            is_skin[*vertex as usize] = model.neutral[*vertex as usize][2] > 2.0;
        }
    }
    let at = |landmark: usize| model.neutral[model.landmarks[landmark] as usize];
    let eyes = 2.0 * ((at(36)[0] + at(39)[0]) / 2.0).abs();
    // The mean over subjects, each brought to the same exposure, the strong smiles first.
    let mut sums = vec![[0.0f32; 2]; count];
    for [neutral, smile] in subjects.iter().filter(|[_, smile]| smile.smile > 0.2) {
        let of = |i: usize| Some(smile.light[i]? - neutral.light[i]?);
        let mut all: Vec<f32> = (0..count).filter(|i| is_skin[*i]).filter_map(of).collect();
        all.sort_by(f32::total_cmp);
        let exposure = all.get(all.len() / 2).copied().unwrap_or_default();
        for (i, sum) in sums.iter_mut().enumerate() {
            if let Some(value) = of(i).filter(|_| is_skin[i]) {
                let value = (value - exposure).clamp(-0.6, 0.6);
                sum[0] += smile.smile * value;
                sum[1] += smile.smile * smile.smile;
            }
        }
    }
    let mean: Vec<f32> = sums
        .iter()
        .map(|[sum, weight]| sum / (weight + 0.5))
        .collect();
    // Both sides alike; what is slow taken out; nothing near lips and lids.
    let near = |i: usize, place: [f32; 3], sigma: f32| {
        let [x, y, z] = model.neutral[i];
        let square = (x - place[0]).powi(2) + (y - place[1]).powi(2) + (z - place[2]).powi(2);
        (-square / (2.0 * sigma * sigma)).exp()
    };
    let smooth = |place: [f32; 3], sigma: f32| {
        let (mut sum, mut weights) = (0.0, 1e-6);
        for i in (0..count).filter(|i| is_skin[*i] && sums[*i][1] > 0.0) {
            let weight = near(i, place, sigma) + near(i, [-place[0], place[1], place[2]], sigma);
            sum += weight * mean[i];
            weights += weight;
        }
        sum / weights
    };
    let edges: Vec<[f32; 3]> = (31..68).map(at).collect();
    // Brows and hair are the subject's: from the lower lids down, and not to the ears.
    let lids = (at(40)[1] + at(41)[1]) / 2.0;
    let inside = |[x, y, _]: [f32; 3]| {
        let down = (lids - y) / (0.06 * eyes);
        let across = (0.92 * eyes - x.abs()) / (0.12 * eyes);
        down.min(across).clamp(0.0, 1.0)
    };
    (0..count)
        .map(|i| {
            if !is_skin[i] || sums[i][1] == 0.0 {
                return 0.0;
            }
            let place = model.neutral[i];
            let to_edge = edges.iter().enumerate().map(|(i, edge)| {
                let d = [0, 1, 2].map(|axis| (place[axis] - edge[axis]).powi(2));
                // The first five are the nostrils', which are wide.
                (d[0] + d[1] + d[2]).sqrt() * if i < 5 { 0.5 } else { 1.0 }
            });
            let to_edge = to_edge.fold(f32::INFINITY, f32::min) / (AWAY * eyes);
            let fade = (to_edge - 0.6).clamp(0.0, 1.0) * inside(place);
            let own = smooth(place, 0.6 * FINE * eyes);
            fade * (own - smooth(place, SLOW * eyes)).clamp(-0.3, 0.3)
        })
        .collect()
}
