//! The opened mouths of the data sets, whose inside is marked: those of photos and drawn ones, how wide and how
//! sharp they are.

use std::collections::HashMap;
use std::sync::Arc;

use image::GrayImage;
use rayon::prelude::*;

use crate::data::{CropRegion, Dataset, Face};
use crate::face::Alignment;
use crate::network::{FACE_SIZE, PainterConfig};
use crate::painter::{MouthCrop, Tones, prepare, teeth_share};
use crate::tensor::{is_grey, luma};

/// Largest difference of a grey picture's channels, which a JPEG may have, 0 to 1.
const GREY: f32 = 0.03;

/// A picture with an opened mouth.
pub struct Mouth<'a> {
    /// The face.
    pub face: &'a Face,
    /// Whether a program drew its inside.
    pub is_drawn: bool,
    /// The same photo with another mouth, from which a network makes this one: shut ones, and of a drawn mouth
    /// the photo's own.
    pub sources: Vec<&'a Face>,
    /// Where the mouth's inside is, as large as the picture.
    pub map: &'a Arc<GrayImage>,
    /// The face's square.
    pub alignment: Alignment,
    /// Skin and eye's white.
    pub tones: Tones,
    /// Whether the picture has no colours.
    pub is_grey: bool,
    /// Area of the inside in pixels of the 96-pixel face.
    pub area: f32,
    /// Deviation of the Laplacian inside, of 255, at the crop's scale.
    pub sharpness: f32,
    /// Share of the inside that shows teeth.
    pub teeth: f32,
}

/// All mouths of some sets whose inside has at least `least_area` pixels of the 96-pixel face: of photos, and
/// drawn ones `with_drawn`.
pub fn opened_mouths(
    sets: &[Dataset],
    config: PainterConfig,
    least_area: f32,
    with_drawn: bool,
) -> Vec<Mouth<'_>> {
    let faces = sets.iter().enumerate();
    let faces = faces.flat_map(|(set, dataset)| dataset.faces.iter().map(move |face| (set, face)));
    let faces: Vec<(usize, &Face)> = faces.collect();
    let mut sources: HashMap<(usize, &str, &str), Vec<&Face>> = HashMap::new();
    for (set, face) in &faces {
        let is_source = face
            .cavity
            .as_ref()
            .is_some_and(|cavity| cavity.map.is_none() || !cavity.is_drawn);
        if is_source && !face.photo.is_empty() {
            sources
                .entry((*set, face.identity(), &face.photo))
                .or_default()
                .push(face);
        }
    }
    let mouths = faces.into_par_iter().filter_map(|(set, face)| {
        let sources = sources.get(&(set, face.identity(), face.photo.as_str()));
        let others = sources.into_iter().flatten().copied();
        let others = others.filter(|source| !std::ptr::eq(*source, face));
        let mouth = mouth(face, others.collect(), config)?;
        let is_wanted = mouth.area >= least_area && (with_drawn || !mouth.is_drawn);
        is_wanted.then_some(mouth)
    });
    mouths.collect()
}

fn mouth<'a>(face: &'a Face, sources: Vec<&'a Face>, config: PainterConfig) -> Option<Mouth<'a>> {
    let cavity = face.cavity.as_ref()?;
    if face.is_synthetic() {
        return None;
    }
    let map = cavity.map.as_ref()?;
    let CropRegion::Eyes(left, right) = face.crop_region else {
        return None;
    };
    let alignment = Alignment::from_eyes(left, right);
    let inside = alignment.crop_map(map, FACE_SIZE);
    let crop = MouthCrop::of_photo(&face.picture, &alignment, &inside, FACE_SIZE, config)?;
    let distance = prepare(&crop, config).distance;
    Some(Mouth {
        face,
        is_drawn: cavity.is_drawn,
        sources,
        map,
        alignment,
        tones: crop.tones,
        is_grey: is_grey(colours(&crop.picture), GREY),
        area: inside.iter().filter(|value| **value > 0.5).count() as f32,
        sharpness: sharpness(&crop, &distance, config),
        teeth: teeth_share(&crop.picture, &distance, &crop.tones, config),
    })
}

/// The pixels of planes `[3, height, width]`.
fn colours(planes: &[f32]) -> impl ExactSizeIterator<Item = [f32; 3]> {
    let plane = planes.len() / 3;
    (0..plane).map(move |i| [0, 1, 2].map(|c| planes[c * plane + i]))
}

fn sharpness(crop: &MouthCrop, distance: &[f32], config: PainterConfig) -> f32 {
    let inside: Vec<bool> = distance.iter().map(|distance| *distance > 1.0).collect();
    255.0 * laplacian_variance(&crop.picture, &inside, config.crop_width).sqrt()
}

/// Variance of the Laplacian of the brightness of planes `[3, height, width]` where `inside`.
pub fn laplacian_variance(planes: &[f32], inside: &[bool], width: usize) -> f32 {
    let plane = planes.len() / 3;
    let light: Vec<f32> = (0..plane)
        .map(|i| luma([0, 1, 2].map(|c| planes[c * plane + i])))
        .collect();
    let inner = (width..plane.saturating_sub(width))
        .filter(|i| inside[*i] && !matches!(i % width, 0) && i % width != width - 1);
    let values: Vec<f32> = inner
        .map(|i| 4.0 * light[i] - light[i - 1] - light[i + 1] - light[i - width] - light[i + width])
        .collect();
    let count = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / count;
    values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f32>()
        / count
}
