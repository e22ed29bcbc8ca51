//! What is known of a synthesised face as fields that can be read at any place of the face.

use super::Point;
use super::lips_meet::OwnMouth;
use super::mouth::PaintedMouth;
use super::paste::{Change, SynthesisedFace};
use super::planes::{blur, catmull_rom};
use super::source::Source;

/// The network's 96 x 96 values are first enlarged this many times by a smooth curve, then read
/// bilinearly: at this density the straight pieces are too short to be seen.
const SMOOTH: usize = 4;

/// Cover from which on a pixel's shading is taken from around it: its delta also holds the colour of the
/// mouth's inside.
const UNSHADED: f32 = 0.1;

/// How far the shading is taken from, in pixels of the network's face.
const SHADE_REACH: f32 = 4.0;

/// The synthesised face's planes, enlarged and ready to be read at any place.
pub(crate) enum Fields {
    /// What changes.
    Change(ChangeFields),
    /// The new face alone.
    Face(Field),
}

/// The fields of a [`Change`].
pub(crate) struct ChangeFields {
    delta: Field,
    moved: Moved,
    cover: Option<Field>,
    mouth: Option<(Shade, Layer)>,
}

impl Fields {
    /// For pictures in which the face is `side` pixels wide.
    pub fn new(synthesised: &SynthesisedFace, side: f32) -> Self {
        let field = |planes, channels| Field::new(planes, channels, synthesised.size, side);
        match &synthesised.change {
            Some(change) => Self::Change(ChangeFields {
                delta: field(&change.delta, 3),
                moved: Moved::new(change, synthesised.size, side),
                cover: change.cover.as_ref().map(|cover| field(cover, 1)),
                mouth: synthesised.mouth.as_ref().map(|mouth| {
                    let shade = Shade::new(change, synthesised.size, side);
                    (shade, Layer::new(mouth, side))
                }),
            }),
            None => Self::Face(field(&synthesised.face, 3)),
        }
    }
}

impl ChangeFields {
    /// The new colour, 0..255 and unclamped, of the place `face` whose own colour is `own`.
    pub fn apply(&self, source: &Source<'_>, own: [f32; 3], face: Point, weight: f32) -> [f32; 3] {
        // Both parts of the change fade out; blending two faces would show a double edge.
        let cover = self.cover.as_ref().map_or(0.0, |cover| cover.at(face)[0]);
        let moved = self.moved.at(source, face, weight, cover).unwrap_or(own);
        let delta = self.delta.at(face);
        let keep = 1.0 - weight * cover.clamp(0.0, 1.0);
        let drawn = [0, 1, 2].map(|c| keep * moved[c] + weight * 255.0 * delta[c]);
        match &self.mouth {
            Some((shade, mouth)) => {
                let below = [drawn, shade.lit(moved, face, weight), own];
                mouth.over(below, face, weight)
            }
            None => drawn,
        }
    }
}

/// The photo's pixels, moved.
struct Moved {
    flow: Option<Field>,
    own_mouth: Option<OwnMouth>,
}

impl Moved {
    fn new(change: &Change, size: usize, side: f32) -> Self {
        let field = |planes, channels| Field::new(planes, channels, size, side);
        let own_mouth = change.own_mouth.as_ref().map(|map| field(map, 1));
        Self {
            flow: change.flow.as_ref().map(|flow| field(flow, 2)),
            own_mouth: own_mouth.map(OwnMouth::new),
        }
    }

    /// The colour at a place whose mouth is `cover` open; none where nothing moves.
    fn at(&self, source: &Source<'_>, face: Point, weight: f32, cover: f32) -> Option<[f32; 3]> {
        let [dx, dy, _] = self.flow.as_ref()?.at(face);
        let flow = [weight * dx, weight * dy];
        let moved = source.moved(face, flow);
        let from = Point::new(face.x + flow[0], face.y + flow[1]);
        let lip = self.own_mouth.as_ref().and_then(|own| own.lip(from, cover));
        let Some(lip) = lip else {
            return Some(moved);
        };
        let colour = source.moved(face, [lip.place.x - face.x, lip.place.y - face.y]);
        Some([0, 1, 2].map(|c| moved[c] + lip.share * (lip.light[c] * colour[c] - moved[c])))
    }
}

/// A face that is moved and shaded, but nothing is painted on it: what the painter starts from.
pub(crate) struct Unpainted {
    moved: Moved,
    cover: Option<Field>,
    shade: Shade,
}

impl Unpainted {
    /// For pictures in which the face is `side` pixels wide.
    pub fn new(change: &Change, size: usize, side: f32) -> Self {
        let cover = change.cover.as_ref();
        Self {
            moved: Moved::new(change, size, side),
            cover: cover.map(|cover| Field::new(cover, 1, size, side)),
            shade: Shade::new(change, size, side),
        }
    }

    /// The colour at a place of the face, 0..255 and unclamped.
    pub fn at(&self, source: &Source<'_>, face: Point, weight: f32) -> [f32; 3] {
        let cover = self.cover.as_ref().map_or(0.0, |cover| cover.at(face)[0]);
        let moved = self.moved.at(source, face, weight, cover);
        let moved = moved.unwrap_or_else(|| source.moved(face, [0.0; 2]));
        self.shade.lit(moved, face, weight)
    }
}

/// The shading alone, without the colour of what covers the face.
struct Shade(Field);

impl Shade {
    fn new(change: &Change, size: usize, side: f32) -> Self {
        let planes = match &change.cover {
            Some(cover) => shading(&change.delta, cover, size),
            None => change.delta.clone(),
        };
        Self(Field::new(&planes, 3, size, side))
    }

    fn lit(&self, colour: [f32; 3], face: Point, weight: f32) -> [f32; 3] {
        let shade = self.0.at(face);
        [0, 1, 2].map(|c| colour[c] + weight * 255.0 * shade[c])
    }
}

/// `[3, size, size]`: the delta where nothing is covered, and what is around where something is.
fn shading(delta: &[f32], cover: &[f32], size: usize) -> Vec<f32> {
    let known: Vec<f32> = cover
        .iter()
        .map(|cover| (1.0 - cover / UNSHADED).clamp(0.0, 1.0))
        .collect();
    let spread = |plane: &[f32]| blur(plane, [size; 2], SHADE_REACH);
    let amount = spread(&known);
    let planes = delta.chunks_exact(size * size).flat_map(|plane| {
        let own: Vec<f32> = plane
            .iter()
            .zip(cover)
            .map(|(delta, cover)| delta / (1.0 - cover.min(UNSHADED)))
            .collect();
        let weighted: Vec<f32> = own
            .iter()
            .zip(&known)
            .map(|(own, known)| own * known)
            .collect();
        let around = spread(&weighted);
        let pixel =
            |i: usize| known[i] * own[i] + (1.0 - known[i]) * around[i] / amount[i].max(1e-6);
        (0..size * size).map(pixel).collect::<Vec<_>>()
    });
    planes.collect()
}

/// Planes over the face's square, enlarged by [`SMOOTH`] or averaged down, pixels side by side.
pub(crate) struct Field {
    values: Vec<[f32; 3]>,
    size: usize,
}

impl Field {
    pub fn new(planes: &[f32], channels: usize, size: usize, side: f32) -> Self {
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
    pub fn at(&self, face: Point) -> [f32; 3] {
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

/// A painted mouth, averaged down where the picture is coarser than it.
struct Layer {
    mouth: PaintedMouth,
}

impl Layer {
    fn new(mouth: &PaintedMouth, side: f32) -> Self {
        let count = mouth.width * mouth.height;
        assert_eq!(mouth.pixels.len(), count, "a painted mouth's pixels");
        let shrink = (mouth.width as f32 / (mouth.frame.width * side)).round() as usize;
        let shrink = shrink.clamp(1, mouth.height.max(1));
        if shrink == 1 {
            return Self {
                mouth: mouth.clone(),
            };
        }
        let [width, height] = [mouth.width, mouth.height].map(|side| side.div_ceil(shrink));
        let mut pixels = Vec::with_capacity(width * height);
        for row in 0..height {
            let rows = row * shrink..((row + 1) * shrink).min(mouth.height);
            for column in 0..width {
                let columns = column * shrink..((column + 1) * shrink).min(mouth.width);
                let count = (rows.len() * columns.len()) as f32;
                let mut sum = [0.0; 5];
                for r in rows.clone() {
                    for pixel in &mouth.pixels[r * mouth.width..][columns.clone()] {
                        (0..5).for_each(|c| sum[c] += pixel[c] / count);
                    }
                }
                pixels.push(sum);
            }
        }
        let mouth = PaintedMouth {
            width,
            height,
            pixels,
            ..*mouth
        };
        Self { mouth }
    }

    /// The colour of a place with the mouth laid over what the network itself drew, the moved and shaded photo and the
    /// photo as it is.
    fn over(&self, [drawn, unpainted, own]: [[f32; 3]; 3], face: Point, weight: f32) -> [f32; 3] {
        let place = self.mouth.frame.frame_from_face(face);
        let share = self.mouth.strength * self.mouth.frame.weight(place);
        if share <= 0.0 {
            return drawn;
        }
        let [red, green, blue, alpha, kept] = self.at(place);
        let kept = weight * kept.clamp(0.0, 1.0);
        let moved = (1.0 - kept - weight * alpha.clamp(0.0, 1.0)).max(0.0);
        let colour = [red, green, blue];
        [0, 1, 2].map(|c| {
            let painted = moved * unpainted[c] + kept * own[c] + weight * 255.0 * colour[c];
            drawn[c] + share * (painted - drawn[c])
        })
    }

    /// Catmull-Rom between the pixels, at a place of the frame.
    fn at(&self, place: Point) -> [f32; 5] {
        let (width, height) = (self.mouth.width, self.mouth.height);
        let (x, y) = (place.x * width as f32 - 0.5, place.y * height as f32 - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (across, down) = (catmull_rom(x - left), catmull_rom(y - top));
        let index = |base: f32, k: usize, size: usize| {
            (base as i64 + k as i64 - 1).clamp(0, size as i64 - 1) as usize
        };
        let mut sum = [0.0; 5];
        for (row, weight_down) in down.iter().enumerate() {
            let line = &self.mouth.pixels[index(top, row, height) * width..][..width];
            for (column, weight_across) in across.iter().enumerate() {
                let pixel = line[index(left, column, width)];
                (0..5).for_each(|c| sum[c] += weight_down * weight_across * pixel[c]);
            }
        }
        sum
    }
}
