//! How near a redrawn face is to the photograph of the same subject with the target expression.

use std::collections::BTreeMap;

use serde::Serialize;

use super::likeness::is_further_photo;
use super::predict::subject_of;
use super::similarity::{l1, ssim};
use crate::data::{Dataset, Face};
use crate::network::FACE_SIZE;
use crate::tensor::luma;

/// Differences to the paired photograph, both cut by the source's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Nearness {
    /// Pairs of pictures.
    pub n: usize,
    /// Mean absolute difference of the redrawn face to the photograph, values in 0..1.
    pub l1: f64,
    /// Mean structural similarity of the two, by luma.
    pub ssim: f64,
    /// The same difference for the unchanged input: what doing nothing gives.
    pub unchanged_l1: f64,
    /// The same similarity for the unchanged input.
    pub unchanged_ssim: f64,
}

impl Nearness {
    /// Means over single pairs; none without pairs.
    pub(super) fn mean(pairs: &[Self]) -> Option<Self> {
        let n = pairs.len();
        let mean = |value: fn(&Self) -> f64| pairs.iter().map(value).sum::<f64>() / n as f64;
        (n > 0).then(|| Self {
            n,
            l1: mean(|p| p.l1),
            ssim: mean(|p| p.ssim),
            unchanged_l1: mean(|p| p.unchanged_l1),
            unchanged_ssim: mean(|p| p.unchanged_ssim),
        })
    }
}

/// The photographs of a paired set that redrawn faces are compared with.
pub(super) struct Targets<'a> {
    faces: BTreeMap<(String, usize), &'a Face>,
}

impl<'a> Targets<'a> {
    /// Of each subject and expression the picture nearest to full intensity; nothing where the set's
    /// pictures do not lie pixel on pixel.
    pub fn of(data: &'a Dataset) -> Self {
        let mut faces: BTreeMap<(String, usize), &Face> = BTreeMap::new();
        let from_full = |face: &Face| (face.intensity - 1.0).abs();
        let paired = data.faces.iter().filter(|_| data.pixel_aligned);
        for face in paired.filter(|face| !is_further_photo(face)) {
            let (Some(name), Some(class)) = (subject_of(face), face.class) else {
                continue;
            };
            let kept = faces.entry((name, class)).or_insert(face);
            if from_full(face) < from_full(kept) {
                *kept = face;
            }
        }
        Self { faces }
    }

    /// How near `redrawn` `[3, 96, 96]` is to the photograph of the source's subject with the target
    /// expression; for the source's own expression, to the source. None where there is none.
    pub fn compare(&self, source: &Face, target: usize, redrawn: &[f32]) -> Option<Nearness> {
        let own = source.class == Some(target);
        let photo = self.faces.get(&(subject_of(source)?, target))?;
        let photo = if own { source } else { photo };
        let alignment = source.alignment();
        let cut = |face: &Face| alignment.crop_planar(&face.picture, FACE_SIZE as u32);
        let (input, photo) = (cut(source), cut(photo));
        let grey = |planes: &[f32]| luma_plane(planes);
        let similar = |face: &[f32]| ssim(&grey(face), &grey(&photo), FACE_SIZE);
        Some(Nearness {
            n: 1,
            l1: l1(redrawn, &photo),
            ssim: similar(redrawn)?,
            unchanged_l1: l1(&input, &photo),
            unchanged_ssim: similar(&input)?,
        })
    }
}

/// `[3, h, w]` -> `[h, w]`.
fn luma_plane(planes: &[f32]) -> Vec<f32> {
    let plane = planes.len() / 3;
    (0..plane)
        .map(|i| luma([planes[i], planes[plane + i], planes[2 * plane + i]]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{CropRegion, Layout, made};

    fn face(class: usize, shade: u8, intensity: f32) -> Face {
        let side = FACE_SIZE as u32;
        let picture = image::RgbImage::from_pixel(side, side, image::Rgb([shade; 3]));
        Face {
            intensity,
            crop_region: CropRegion::Whole,
            picture: picture.into(),
            ..made::face("", Some("a"), class)
        }
    }

    fn data(pixel_aligned: bool) -> Dataset {
        Dataset {
            root: "a".into(),
            layout: Layout::Paired,
            classes: vec!["neutral".into(), "fear".into()],
            controls: vec![],
            pixel_aligned,
            faces: vec![face(0, 0, 1.0), face(1, 255, 0.5), face(1, 51, 1.1)],
            skipped: vec![],
        }
    }

    #[test]
    fn the_photo_nearest_to_full_intensity_is_the_target_and_the_input_is_compared_too() {
        let data = data(true);
        let targets = Targets::of(&data);
        let redrawn = vec![0.1; 3 * FACE_SIZE * FACE_SIZE];
        let near = targets
            .compare(&data.faces[0], 1, &redrawn)
            .expect("a pair");
        assert!((near.l1 - 0.1).abs() < 1e-6, "{}", near.l1);
        assert!((near.unchanged_l1 - 0.2).abs() < 1e-6);
        assert!(near.ssim > near.unchanged_ssim);
        // For its own expression the source is the target.
        let own = targets
            .compare(&data.faces[0], 0, &redrawn)
            .expect("itself");
        assert_eq!((own.unchanged_l1, own.unchanged_ssim), (0.0, 1.0));
    }

    #[test]
    fn pictures_that_do_not_lie_on_one_another_are_not_compared() {
        let data = data(false);
        let targets = Targets::of(&data);
        assert!(targets.compare(&data.faces[0], 1, &[]).is_none());
    }
}
