//! Redrawn smiles against a set of real ones of many subjects, for which [`super::kid`] is worth something.
//!
//! Each face smiles at several intensities. All mouths are compared in grey, and grey photographs come among the
//! real ones as often as among the redrawn: collections differ in more than their smiles.

use super::EvaluateError;
use super::in_photo::real_smiles;
use super::kid::{Kid, Seen, kid};
use super::look::Looker;
use super::predict::subject_of;
use super::synthesis::{evenly, position_of};
use crate::data::{Dataset, Face};
use crate::target::Target;

/// Intensities of the redrawn smiles.
const INTENSITIES: [f32; 9] = [0.6, 0.675, 0.75, 0.825, 0.9, 0.975, 1.05, 1.125, 1.2];

/// Real smiles that are looked at, at most.
const MOST: usize = 600;

/// Largest difference of a grey photograph's channels, of 255: a JPEG's.
const GREY: f32 = 8.0;

/// The distance of the faces' redrawn smiles from the real smiles of another set; none without either.
pub(super) fn mouths(
    looker: &Looker<'_>,
    sources: &[&Face],
    real: &Dataset,
    seed: u64,
) -> Result<Option<Kid>, EvaluateError> {
    let config = looker.config();
    let Some(smile) = position_of(&config.classes, "happiness") else {
        return Ok(None);
    };
    let name = config.classes[smile].as_str();
    let targets = INTENSITIES.iter().filter_map(|intensity| {
        // Refused where the network redraws nothing.
        Target::new([(name, *intensity)], config).ok()
    });
    let targets: Vec<Target> = targets.collect();
    let (mut redrawn, mut unchanged) = (Vec::new(), Vec::new());
    for face in sources {
        let [own, drawn @ ..] = &looker.grey_mouths(face, &targets)?[..] else {
            continue;
        };
        let seen = |features: &Vec<f64>| Seen {
            subject: subject_of(face),
            features: features.clone(),
        };
        unchanged.push(seen(own));
        redrawn.extend(drawn.iter().map(seen));
    }
    let mut others = Vec::new();
    for face in alike(real_smiles(real), sources) {
        let features = looker.grey_mouths(face, &[])?;
        others.extend(features.into_iter().map(|features| Seen {
            subject: subject_of(face),
            features,
        }));
    }
    Ok(kid(&redrawn, &unchanged, &others, seed))
}

/// As many of `real` as there may be with the same share of grey photographs as `like` has.
fn alike<'a>(real: Vec<&'a Face>, like: &[&Face]) -> Vec<&'a Face> {
    let grey = like.iter().filter(|face| is_grey(face)).count();
    let shares = [grey, like.len() - grey].map(|n| n as f64 / like.len().max(1) as f64);
    let (greys, coloured): (Vec<&Face>, Vec<&Face>) = real.into_iter().partition(|f| is_grey(f));
    let kinds = [greys, coloured];
    let most = kinds.iter().zip(shares).filter(|(_, share)| *share > 0.0);
    let most = most.map(|(faces, share)| faces.len() as f64 / share);
    let all = most.fold(MOST as f64, f64::min);
    let of = |(faces, share): (Vec<&'a Face>, f64)| evenly(faces, (all * share) as usize);
    kinds.into_iter().zip(shares).flat_map(of).collect()
}

fn is_grey(face: &Face) -> bool {
    let pixels = face.picture.as_image().as_raw().chunks_exact(3);
    crate::tensor::is_grey(pixels.map(|p| [p[0], p[1], p[2]].map(f32::from)), GREY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::made::face;
    use image::{Rgb, RgbImage};

    fn of(colour: [u8; 3], count: usize) -> Vec<Face> {
        let picture = RgbImage::from_pixel(8, 8, Rgb(colour));
        let one = |i: usize| Face {
            picture: picture.clone().into(),
            ..face(&format!("{i}"), None, 1)
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn grey_and_coloured_photographs_come_as_often_as_in_the_other_set() {
        let real: Vec<Face> = [of([90; 3], 30), of([200, 120, 90], 4)].concat();
        let like: Vec<Face> = [of([80; 3], 3), of([180, 110, 90], 1)].concat();
        let chosen = alike(real.iter().collect(), &like.iter().collect::<Vec<_>>());
        let grey = chosen.iter().filter(|face| is_grey(face)).count();
        // Four coloured ones are a quarter of sixteen.
        assert_eq!((grey, chosen.len()), (12, 16));
        let all_grey = of([80; 3], 3);
        let chosen = alike(real.iter().collect(), &all_grey.iter().collect::<Vec<_>>());
        assert_eq!(chosen.len(), 30);
    }
}
