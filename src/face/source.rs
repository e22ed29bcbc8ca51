//! A photo that is read along a flow: sharp between its pixels, and never beyond its border.

use super::planes::catmull_rom;
use super::{Alignment, Point};
use crate::picture::Picture;

/// A flow that points out of the picture fades within this many times its length from the border, twice
/// over: what lies at the border is stretched by at most two, and never smeared.
const FADE: f32 = 2.0;

/// The pixels of a face and the photo that they are part of.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pixels: &'a Picture,
    /// Where the face lies in `pixels`.
    pub alignment: Alignment,
    /// Width and height of the photo, and where the face lies in it.
    photo: ([f32; 2], Alignment),
}

impl<'a> Source<'a> {
    /// A face in its photo.
    pub fn photo(picture: &'a Picture, alignment: &Alignment) -> Self {
        Self::cut(picture, *alignment, picture, alignment)
    }

    /// A face that was cut out of a photo: `pixels`, in which it lies at `alignment`.
    pub fn cut(
        pixels: &'a Picture,
        alignment: Alignment,
        photo: &Picture,
        in_photo: &Alignment,
    ) -> Self {
        Self {
            pixels,
            alignment,
            photo: ([photo.width() as f32, photo.height() as f32], *in_photo),
        }
    }

    /// Side of the face in the pixels that are read.
    pub fn side(&self) -> f32 {
        self.alignment.side()
    }

    /// The colour, 0..255, that a flow (in face widths) brings to a place of the face.
    pub fn moved(&self, face: Point, flow: [f32; 2]) -> [f32; 3] {
        let from = self.within_photo(face, flow);
        sharp(self.pixels, self.alignment.picture_from_face(from))
    }

    /// Where a flow reads, kept inside of the photo.
    fn within_photo(&self, face: Point, [dx, dy]: [f32; 2]) -> Point {
        let target = Point::new(face.x + dx, face.y + dy);
        let ([width, height], alignment) = &self.photo;
        let at = alignment.picture_from_face(face);
        let to = alignment.picture_from_face(target);
        let faded = Point::new(
            at.x + faded(at.x, to.x - at.x, *width),
            at.y + faded(at.y, to.y - at.y, *height),
        );
        if faded.distance(to) < 1e-3 {
            return target;
        }
        alignment.face_from_picture(faded)
    }
}

/// A step along one side of the photo, shorter where it comes near the border that it points to.
fn faded(at: f32, step: f32, length: f32) -> f32 {
    let room = if step < 0.0 { at } else { length - at };
    let t = room.max(0.0) / (FADE * step.abs()).max(f32::MIN_POSITIVE);
    if t >= 2.0 {
        step
    } else {
        step * (t - t * t / 4.0)
    }
}

/// The photo at a place between its pixels, 0..255, without the blur of a bilinear reading.
fn sharp(picture: &Picture, at: Point) -> [f32; 3] {
    let image = picture.as_image();
    let (width, height) = (image.width() as usize, image.height() as usize);
    let bytes = image.as_raw();
    let (x, y) = (at.x - 0.5, at.y - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let (across, down) = (catmull_rom(x - left), catmull_rom(y - top));
    let columns = [-1i64, 0, 1, 2]
        .map(|k| (left as i64).saturating_add(k).clamp(0, width as i64 - 1) as usize);
    let mut sum = [0.0f32; 3];
    for (k, weight_down) in [-1i64, 0, 1, 2].into_iter().zip(down) {
        let row = (top as i64).saturating_add(k).clamp(0, height as i64 - 1) as usize * width;
        for (column, weight_across) in columns.into_iter().zip(across) {
            let weight = weight_down * weight_across;
            let pixel = &bytes[(row + column) * 3..(row + column) * 3 + 3];
            for c in 0..3 {
                sum[c] += weight * f32::from(pixel[c]);
            }
        }
    }
    // The curve overshoots at hard edges.
    sum.map(|value| value.clamp(0.0, 255.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_out_of_the_picture_fades_without_a_fold_or_a_smear() {
        // Places from the middle to the lower border of 100 pixels, a flow of 10 down.
        let places: Vec<f32> = (0..=500).map(|i| 50.0 + i as f32 * 0.1).collect();
        let read: Vec<f32> = places
            .iter()
            .map(|at| at + faded(*at, 10.0, 100.0))
            .collect();
        assert_eq!(read[0], 60.0);
        assert!((read[500] - 100.0).abs() < 1e-3);
        for pair in read.windows(2) {
            let growth = (pair[1] - pair[0]) / 0.1;
            assert!((0.48..1.01).contains(&growth), "{growth}");
        }
    }

    #[test]
    fn a_flow_into_the_picture_stays_as_it_is() {
        assert_eq!(faded(1.0, 10.0, 100.0), 10.0);
        assert_eq!(faded(99.0, -10.0, 100.0), -10.0);
        assert_eq!(faded(50.0, 0.0, 100.0), 0.0);
        assert_eq!(faded(0.0, -10.0, 100.0), 0.0);
    }
}
