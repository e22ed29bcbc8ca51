//! A redrawn face -> back into its picture, with a feathered edge and the photo's own sharpness.

use image::RgbImage;

use super::{Alignment, Point};
use crate::picture::Picture;

/// Width of the feathered edge, as a part of the face's width.
const FEATHER: f32 = 0.12;

/// The network's 96 x 96 values are first enlarged this many times by a smooth curve, then read
/// bilinearly: at this density the straight pieces are too short to be seen.
const SMOOTH: usize = 4;

/// A face as the network redrew it.
#[derive(Debug, Clone)]
pub struct Redrawn {
    /// Side of the planes below, 96 for FERSNet.
    pub size: usize,
    /// Red, green and blue planes, `[3, size, size]`, unclamped; 0..1 is black to white.
    pub face: Vec<f32>,
    /// What the network changed, where it says so (the residual head).
    pub change: Option<Change>,
}

/// The change from the given face to the redrawn one.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is added to the pixels, `[3, size, size]`, in the face's range.
    pub delta: Vec<f32>,
    /// Where the pixels come from, `[2, size, size]`: dx, then dy, in face widths. The pixel at u
    /// is read at u + flow(u).
    pub flow: Option<Vec<f32>>,
}

/// Puts a redrawn face back into the picture that it was cut from.
///
/// With a [`Change`], the photo's own pixels are moved and the difference is added, so it stays as
/// sharp as it was; without, the enlarged face replaces them. Outside of the face's square the
/// picture stays as it is, bit for bit.
///
/// # Panics
/// When a plane's length does not fit `redrawn.size`: a mistake of the caller.
pub fn paste(picture: &Picture, alignment: &Alignment, redrawn: &Redrawn) -> Picture {
    let mut image = picture.as_image().clone();
    let side = alignment.side();
    if !side.is_finite() || side < 1.0 || image.is_empty() || redrawn.size == 0 {
        return Picture::from(image);
    }
    let fields = Fields::new(redrawn, side);
    let corners = alignment.corners();
    let range = |of: fn(&Point) -> f32, length: u32| {
        let low = corners.iter().map(of).fold(f32::INFINITY, f32::min);
        let high = corners.iter().map(of).fold(f32::NEG_INFINITY, f32::max);
        let length = i64::from(length);
        let low = (low.floor() as i64).clamp(0, length) as u32;
        low..(high.ceil() as i64).clamp(0, length) as u32
    };
    let columns = range(|p| p.x, image.width());
    for y in range(|p| p.y, image.height()) {
        for x in columns.clone() {
            let face = alignment.face_from_picture(Point::new(x as f32 + 0.5, y as f32 + 0.5));
            let weight = feather(face);
            if weight > 0.0 {
                let colour = fields.redraw(picture, alignment, (x, y), face, weight);
                image.get_pixel_mut(x, y).0 =
                    colour.map(|value| value.round().clamp(0.0, 255.0) as u8);
            }
        }
    }
    Picture::from(image)
}

/// The redrawn face alone, `size` x `size`, as sharp as the photo allows: for thumbnails.
pub fn redrawn_crop(
    picture: &Picture,
    alignment: &Alignment,
    redrawn: &Redrawn,
    size: u32,
) -> RgbImage {
    let face = Picture::from(alignment.crop(picture, size));
    paste(&face, &Alignment::whole_picture(size, size), redrawn).into_image()
}

/// 1 within the face, falling smoothly to 0 at the border of its square; the corners are rounded.
fn feather(face: Point) -> f32 {
    let (x, y) = ((2.0 * face.x - 1.0).abs(), (2.0 * face.y - 1.0).abs());
    if x >= 1.0 || y >= 1.0 {
        return 0.0;
    }
    let radius = (x.powi(4) + y.powi(4)).sqrt().sqrt();
    let t = ((1.0 - radius) / (2.0 * FEATHER)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The redrawn face's planes, enlarged and ready to be read at any place.
enum Fields {
    Change { delta: Field, flow: Option<Field> },
    Face(Field),
}

impl Fields {
    fn new(redrawn: &Redrawn, side: f32) -> Self {
        let field = |planes, channels| Field::new(planes, channels, redrawn.size, side);
        match &redrawn.change {
            Some(Change { delta, flow }) => Self::Change {
                delta: field(delta, 3),
                flow: flow.as_ref().map(|flow| field(flow, 2)),
            },
            None => Self::Face(field(&redrawn.face, 3)),
        }
    }

    /// The new colour, 0..255 and unclamped, of the pixel (x, y) that lies at `face`.
    fn redraw(
        &self,
        picture: &Picture,
        alignment: &Alignment,
        (x, y): (u32, u32),
        face: Point,
        weight: f32,
    ) -> [f32; 3] {
        let own = || picture.as_image().get_pixel(x, y).0.map(f32::from);
        match self {
            // Both parts of the change fade out; blending two faces would show a double edge.
            Self::Change { delta, flow } => {
                let moved = match flow {
                    None => own(),
                    Some(flow) => {
                        let [dx, dy, _] = flow.at(face);
                        let from = Point::new(face.x + weight * dx, face.y + weight * dy);
                        sharp(picture, alignment.picture_from_face(from))
                    }
                };
                let delta = delta.at(face);
                [0, 1, 2].map(|c| moved[c] + weight * 255.0 * delta[c])
            }
            Self::Face(drawn) => {
                let (own, drawn) = (own(), drawn.at(face));
                [0, 1, 2].map(|c| own[c] + weight * (255.0 * drawn[c] - own[c]))
            }
        }
    }
}

/// Planes over the face's square, enlarged by [`SMOOTH`] or averaged down, pixels side by side.
struct Field {
    values: Vec<[f32; 3]>,
    size: usize,
}

impl Field {
    fn new(planes: &[f32], channels: usize, size: usize, side: f32) -> Self {
        assert_eq!(planes.len(), channels * size * size, "a plane's length");
        // Where the photo is coarser than the field, each value is an average over its pixel.
        let shrink = (size as f32 / side).round().max(1.0) as usize;
        let enlarge = if side > size as f32 { SMOOTH } else { 1 };
        let fine = (size * enlarge).div_ceil(shrink);
        let mut values = vec![[0.0; 3]; fine * fine];
        for (channel, plane) in planes.chunks_exact(size * size).enumerate() {
            let larger = enlarge_plane(plane, size, enlarge);
            let large = size * enlarge;
            for row in 0..fine {
                for column in 0..fine {
                    let rows = row * shrink..((row + 1) * shrink).min(large);
                    let columns = column * shrink..((column + 1) * shrink).min(large);
                    let count = (rows.len() * columns.len()) as f32;
                    let sum: f32 = rows
                        .flat_map(|r| columns.clone().map(move |c| (r, c)))
                        .map(|(r, c)| larger[r * large + c])
                        .sum();
                    values[row * fine + column][channel] = sum / count;
                }
            }
        }
        Self { values, size: fine }
    }

    /// Bilinear between the values.
    fn at(&self, face: Point) -> [f32; 3] {
        let last = self.size - 1;
        let x = (face.x * self.size as f32 - 0.5).clamp(0.0, last as f32);
        let y = (face.y * self.size as f32 - 0.5).clamp(0.0, last as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(last), (top + 1).min(last));
        let (fx, fy) = (x - left as f32, y - top as f32);
        let value = |row: usize, column: usize| self.values[row * self.size + column];
        let (a, b) = (value(top, left), value(top, right));
        let (c, d) = (value(bottom, left), value(bottom, right));
        [0, 1, 2].map(|i| {
            let above = a[i] + (b[i] - a[i]) * fx;
            let below = c[i] + (d[i] - c[i]) * fx;
            above + (below - above) * fy
        })
    }
}

/// Enlarges a square plane by a whole number with Catmull-Rom curves, rows, then columns.
fn enlarge_plane(plane: &[f32], size: usize, factor: usize) -> Vec<f32> {
    if factor == 1 {
        return plane.to_vec();
    }
    let large = size * factor;
    let taps: Vec<([usize; 4], [f32; 4])> = (0..large)
        .map(|i| {
            let at = (i as f32 + 0.5) / factor as f32 - 0.5;
            let base = at.floor();
            let index = |k: i64| (base as i64 + k).clamp(0, size as i64 - 1) as usize;
            ([-1, 0, 1, 2].map(index), catmull_rom(at - base))
        })
        .collect();
    let mut wide = vec![0.0; size * large];
    for row in 0..size {
        for (column, (index, weight)) in taps.iter().enumerate() {
            wide[row * large + column] = (0..4)
                .map(|k| weight[k] * plane[row * size + index[k]])
                .sum();
        }
    }
    let mut out = vec![0.0; large * large];
    for (row, (index, weight)) in taps.iter().enumerate() {
        for column in 0..large {
            out[row * large + column] = (0..4)
                .map(|k| weight[k] * wide[index[k] * large + column])
                .sum();
        }
    }
    out
}

/// The weights of the four values around a place, `t` past the second.
fn catmull_rom(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        0.5 * (2.0 * t2 - t - t3),
        0.5 * (2.0 - 5.0 * t2 + 3.0 * t3),
        0.5 * (t + 4.0 * t2 - 3.0 * t3),
        0.5 * (t3 - t2),
    ]
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
