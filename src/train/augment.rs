//! Random augmentation of a training face: position, turn, size, mirror, light, blur, grey.

use image::GrayImage;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::data::crop::{RELEASE_CROP, RELEASE_SIDE};
use crate::data::{Augmentation, CropRegion};
use crate::face::{Alignment, Point};
use crate::picture::Picture;
use crate::tensor::luma;

/// Samples of a map for each pixel of an augmented face, along each axis.
const MAP_SAMPLES: usize = 3;

/// How a face is cut out, and what is done to its pixels: drawn once, applied to each picture of a
/// pair, so that source and target stay aligned.
#[derive(Debug, Clone)]
pub struct Transform {
    turn_radians: f32,
    scale: f32,
    shift: [f32; 2],
    mirror: bool,
    light: [f32; 3],
    contrast: f32,
    grey: bool,
    blur_passes: usize,
    noise: f32,
    seed: u64,
}

impl Transform {
    /// The face as it is, without any change.
    pub fn plain() -> Self {
        Self {
            turn_radians: 0.0,
            scale: 1.0,
            shift: [0.0; 2],
            mirror: false,
            light: [1.0; 3],
            contrast: 1.0,
            grey: false,
            blur_passes: 0,
            noise: 0.0,
            seed: 0,
        }
    }

    /// A transform of the kind that a run asks for.
    pub fn draw(augmentation: Augmentation, rng: &mut StdRng, crop_region: CropRegion) -> Self {
        match augmentation {
            Augmentation::Varied => Self::random(rng, crop_region == CropRegion::Whole),
            Augmentation::Crop => Self::crop(rng, crop_region),
            Augmentation::Plain => Self::plain(),
        }
    }

    /// As in the 2021 release: 96 of a stored face's 110 pixels from anywhere in it, and a mirror.
    /// A face that is cut by its eyes has no margin of its own: it is moved as far.
    fn crop(rng: &mut StdRng, crop_region: CropRegion) -> Self {
        let margin = (RELEASE_SIDE - RELEASE_CROP) / 2.0 / RELEASE_SIDE;
        let mut shift = || rng.random_range(-margin..=margin);
        let shift = [shift(), shift()];
        Self {
            shift,
            mirror: rng.random_bool(0.5),
            scale: Augmentation::Crop.zoom(crop_region),
            ..Self::plain()
        }
    }

    /// A random transform. `whole` faces vary more in position and size, since nothing aligned them.
    pub fn random(rng: &mut StdRng, whole: bool) -> Self {
        let (turn, zoom, shift) = if whole {
            (0.2, 0.14, 0.07)
        } else {
            (0.12, 0.08, 0.035)
        };
        let brightness = rng.random_range(0.75..1.25);
        Self {
            turn_radians: rng.random_range(-turn..turn),
            scale: 1.0 + rng.random_range(-zoom..zoom),
            shift: [
                rng.random_range(-shift..shift),
                rng.random_range(-shift..shift),
            ],
            mirror: rng.random_bool(0.5),
            light: std::array::from_fn(|_| brightness * rng.random_range(0.9..1.1)),
            contrast: rng.random_range(0.75..1.25),
            grey: rng.random_bool(0.3),
            blur_passes: usize::from(rng.random_bool(0.35)) * rng.random_range(1..4),
            noise: if rng.random_bool(0.2) { 0.02 } else { 0.0 },
            seed: rng.random(),
        }
    }

    /// The face's pixels, `[3, size, size]` in `[0, 1]`.
    pub fn cut(&self, picture: &Picture, crop_region: CropRegion, size: usize) -> Vec<f32> {
        let alignment = self.alignment(picture, crop_region);
        let mut pixels = alignment.crop_planar(picture, size as u32);
        if self.mirror {
            pixels.chunks_exact_mut(size).for_each(<[f32]>::reverse);
        }
        self.change_light(&mut pixels, size);
        for _ in 0..self.blur_passes {
            pixels
                .chunks_exact_mut(size * size)
                .for_each(|plane| blur(plane, size));
        }
        if self.noise > 0.0 {
            let mut rng = StdRng::seed_from_u64(self.seed);
            for value in &mut pixels {
                *value += rng.random_range(-1.0..1.0) * self.noise;
            }
        }
        pixels.iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
        pixels
    }

    /// Whether left and right are swapped.
    pub fn is_mirrored(&self) -> bool {
        self.mirror
    }

    /// A map over the picture, 255 for 1, in this transform: `[size, size]` in `[0, 1]`. Light and blur leave
    /// it alone.
    pub fn cut_map(
        &self,
        map: &GrayImage,
        picture: &Picture,
        crop_region: CropRegion,
        size: usize,
    ) -> Vec<f32> {
        let alignment = self.alignment(picture, crop_region);
        let fine = 1.0 / (size * MAP_SAMPLES) as f32;
        let samples = (MAP_SAMPLES * MAP_SAMPLES) as f32;
        let mut values = Vec::with_capacity(size * size);
        for row in 0..size {
            for column in 0..size {
                let column = if self.mirror {
                    size - 1 - column
                } else {
                    column
                };
                let sum: f32 = (0..MAP_SAMPLES * MAP_SAMPLES)
                    .map(|i| {
                        let x = (column * MAP_SAMPLES + i % MAP_SAMPLES) as f32 + 0.5;
                        let y = (row * MAP_SAMPLES + i / MAP_SAMPLES) as f32 + 0.5;
                        let at = alignment.picture_from_face(Point::new(x * fine, y * fine));
                        pixel(map, at)
                    })
                    .sum();
                values.push(sum / samples);
            }
        }
        values
    }

    /// The aligner's own square, turned, scaled and shifted.
    pub fn alignment(&self, picture: &Picture, crop_region: CropRegion) -> Alignment {
        crop_region.alignment(picture).moved(
            Point::new(self.shift[0], self.shift[1]),
            self.scale,
            self.turn_radians,
        )
    }

    fn change_light(&self, pixels: &mut [f32], size: usize) {
        let plane = size * size;
        if self.grey {
            for i in 0..plane {
                let luma = luma([pixels[i], pixels[plane + i], pixels[2 * plane + i]]);
                for channel in 0..3 {
                    pixels[channel * plane + i] = luma;
                }
            }
        }
        if self.contrast == 1.0 && self.light == [1.0; 3] {
            return;
        }
        for (channel, values) in pixels.chunks_exact_mut(plane).enumerate() {
            // Grey stays grey: one gain for all three.
            let gain = if self.grey {
                self.light[0]
            } else {
                self.light[channel]
            };
            for value in values {
                *value = ((*value - 0.5) * self.contrast + 0.5) * gain;
            }
        }
    }
}

/// The map at a place of its picture, 0 outside.
fn pixel(map: &GrayImage, at: Point) -> f32 {
    let inside = at.x >= 0.0 && at.y >= 0.0;
    let found = inside.then(|| map.get_pixel_checked(at.x as u32, at.y as u32));
    found
        .flatten()
        .map_or(0.0, |value| f32::from(value.0[0]) / 255.0)
}

/// One pass of the kernel 1 2 1 in both directions, the border repeated.
fn blur(plane: &mut [f32], size: usize) {
    let source = plane.to_vec();
    let at = |row: usize, col: usize| source[row * size + col];
    let rows: Vec<f32> = (0..size * size)
        .map(|i| {
            let (row, col) = (i / size, i % size);
            let (left, right) = (col.saturating_sub(1), (col + 1).min(size - 1));
            (at(row, left) + 2.0 * at(row, col) + at(row, right)) / 4.0
        })
        .collect();
    for row in 0..size {
        let (up, down) = (row.saturating_sub(1), (row + 1).min(size - 1));
        for col in 0..size {
            plane[row * size + col] =
                (rows[up * size + col] + 2.0 * rows[row * size + col] + rows[down * size + col])
                    / 4.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::strip::with_strip;
    use crate::face::alignment::{EYE_DISTANCE, EYE_LINE};
    use crate::mark::draw_tag;
    use image::{Rgb, RgbImage};

    fn picture(width: u32, height: u32) -> Picture {
        Picture::from(RgbImage::from_fn(width, height, |x, y| {
            Rgb([x as u8, y as u8, (x ^ y) as u8])
        }))
    }

    #[test]
    fn no_view_of_a_face_sees_the_tag() {
        let mut rng = StdRng::seed_from_u64(1);
        for (width, height) in [(48, 48), (110, 110), (400, 300)] {
            let plain = picture(width, height);
            let whole = Alignment::whole_picture(width, height);
            let eye = |across| whole.picture_from_face(Point::new(across, EYE_LINE));
            let half = EYE_DISTANCE / 2.0;
            let crop_region = CropRegion::Eyes(eye(0.5 + half), eye(0.5 - half));
            let blank = with_strip(&plain, &whole);
            let mut image = blank.as_image().clone();
            draw_tag(&mut image);
            let tagged = Picture::from(image);
            assert!(tagged.height() > plain.height() && tagged != blank);
            // Large pictures are averaged in blocks before they are cut, which begin elsewhere in a
            // longer one: there the strip itself moves the last rows a little, the tag nothing.
            let is_small = width < 200;
            for _ in 0..100 {
                let transform = Transform::random(&mut rng, true);
                let cut = |picture| transform.cut(picture, crop_region, 64);
                assert!(cut(&blank) == cut(&tagged), "{width} x {height}");
                assert!(
                    !is_small || cut(&plain) == cut(&tagged),
                    "{width} x {height}"
                );
            }
        }
    }
}
