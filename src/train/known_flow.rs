//! Where a pair's target has its pixels from in the source, as far as the data know it.

use super::augment::Transform;
use crate::data::flow::FlowMap;
use crate::data::{CropRegion, Face};
use crate::face::Point;

/// The way from a target's pixels to the source's.
pub(super) enum Way<'a> {
    /// The target is the source.
    Still,
    /// A program drew one of them from the other.
    Map(&'a FlowMap),
    /// It drew both from a third picture: the way there, then the way from there.
    Over(&'a FlowMap, &'a FlowMap),
}

/// The way between two faces that lie pixel on pixel; none where nobody knows it.
pub(super) fn between<'a>(source: &'a Face, target: &'a Face) -> Option<Way<'a>> {
    if source.name == target.name {
        return Some(Way::Still);
    }
    let drawn = target.flow.as_ref().filter(|flow| flow.of == source.name);
    if let Some(flow) = drawn {
        return Some(Way::Map(&flow.there));
    }
    let from = source.flow.as_ref()?;
    let back = from.back.as_deref()?;
    if from.of == target.name {
        return Some(Way::Map(back));
    }
    let there = target.flow.as_ref().filter(|flow| flow.of == from.of)?;
    Some(Way::Over(&there.there, back))
}

impl Way<'_> {
    /// The flow over an augmented face, `[2, size, size]` (x then y) in widths of the face, and 1 where it is known,
    /// `[size, size]`.
    pub(super) fn cut(
        &self,
        transform: &Transform,
        face: &Face,
        crop_region: CropRegion,
        size: usize,
    ) -> [Vec<f32>; 2] {
        let plane = size * size;
        let mut flow = vec![0.0; 2 * plane];
        if matches!(self, Way::Still) {
            return [flow, vec![1.0; plane]];
        }
        let mut known = vec![0.0; plane];
        let picture = face.picture.width();
        let alignment = transform.alignment(&face.picture, crop_region);
        for i in 0..plane {
            let (row, column) = (i / size, i % size);
            let seen = if transform.is_mirrored() {
                size - 1 - column
            } else {
                column
            };
            let centre = |i: usize| (i as f32 + 0.5) / size as f32;
            let at = Point::new(centre(seen), centre(row));
            let here = alignment.picture_from_face(at);
            let Some(there) = self.follow(here, picture) else {
                continue;
            };
            let there = alignment.face_from_picture(there);
            let right = there.x - at.x;
            flow[i] = if transform.is_mirrored() {
                -right
            } else {
                right
            };
            flow[plane + i] = there.y - at.y;
            known[i] = 1.0;
        }
        [flow, known]
    }

    /// Where a pixel of the target's picture is found in the source's; both pictures are as wide.
    fn follow(&self, here: Point, width: u32) -> Option<Point> {
        let step = |map: &FlowMap, here: Point| {
            let way = map.at(here, width)?;
            Some(Point::new(here.x + way.x, here.y + way.y))
        };
        match self {
            Way::Still => Some(here),
            Way::Map(map) => step(map, here),
            Way::Over(there, back) => step(back, step(there, here)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use image::{Rgb, RgbImage};
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::data::flow::stored;
    use crate::data::flow::tests::file;
    use crate::data::made::face;
    use crate::data::{Augmentation, Flow};

    const SIZE: usize = 48;

    /// Every pixel comes from so much of the picture's width to the right and below.
    fn constant([right, down]: [f32; 2]) -> Arc<FlowMap> {
        let bytes = file([96, 96], |_, _| [stored(right), stored(down), u16::MAX]);
        Arc::new(FlowMap::decode(&bytes).expect("a map"))
    }

    fn drawn() -> [Face; 2] {
        let calm = face("calm", Some("a"), 0);
        let mut glad = face("glad", Some("a"), 1);
        glad.flow = Some(Flow {
            of: "calm".to_owned(),
            there: constant([0.0625, 0.03125]),
            back: Some(constant([-0.0625, -0.03125])),
        });
        [calm, glad]
    }

    #[test]
    fn a_flow_is_known_from_the_face_that_was_drawn_from_and_back_to_it() {
        let [calm, glad] = drawn();
        let first = |source: &Face, target: &Face| {
            let transform = Transform::plain();
            let way = between(source, target)?;
            let [flow, known] = way.cut(&transform, target, target.crop_region, SIZE);
            let middle = SIZE * SIZE / 2 + SIZE / 2;
            assert_eq!(known[middle], 1.0);
            Some([flow[middle], flow[SIZE * SIZE + middle]])
        };
        // The face is 28 / 0.33 pixels wide, the picture 96.
        let width = 28.0 / 0.33;
        let expected = [6.0 / width, 3.0 / width];
        let there = first(&calm, &glad).expect("known");
        let back = first(&glad, &calm).expect("known");
        for axis in 0..2 {
            assert!((there[axis] - expected[axis]).abs() < 1e-3, "{there:?}");
            assert!((back[axis] + expected[axis]).abs() < 1e-3, "{back:?}");
        }
        assert_eq!(first(&glad, &glad), Some([0.0; 2]));
        // Two faces that were drawn from one: there and back again.
        let mut other = glad.clone();
        other.name = "other".to_owned();
        let over = first(&other, &glad).expect("known");
        assert!(over.iter().all(|way| way.abs() < 1e-3), "{over:?}");
        other.flow = None;
        assert!(between(&other, &glad).is_none());
    }

    /// In every transform, mirrored too, the flow finds in the source what the target shows.
    #[test]
    fn a_flow_moves_and_mirrors_with_the_view() {
        let [calm, mut glad] = drawn();
        // A picture whose colours say the place, and the same moved by the flow.
        let picture = |dx: f32, dy: f32| {
            RgbImage::from_fn(96, 96, |x, y| {
                let place = |at: u32, by: f32| ((at as f32 + by) * 2.0).clamp(0.0, 255.0) as u8;
                Rgb([place(x, dx), place(y, dy), 0])
            })
        };
        let source = Face {
            picture: picture(0.0, 0.0).into(),
            ..calm
        };
        glad.picture = picture(6.0, 3.0).into();
        let mut rng = StdRng::seed_from_u64(5);
        let mut mirrored = 0;
        for _ in 0..8 {
            let transform = Transform::draw(Augmentation::Crop, &mut rng, glad.crop_region);
            mirrored += usize::from(transform.is_mirrored());
            let way = between(&source, &glad).expect("known");
            let [flow, known] = way.cut(&transform, &glad, glad.crop_region, SIZE);
            let here = transform.cut(&glad.picture, glad.crop_region, SIZE);
            let there = transform.cut(&source.picture, glad.crop_region, SIZE);
            let plane = SIZE * SIZE;
            for (row, column) in [(20, 20), (24, 30), (30, 18)] {
                let i = row * SIZE + column;
                assert_eq!(known[i], 1.0);
                let x = column as f32 + flow[i] * SIZE as f32;
                let y = row as f32 + flow[plane + i] * SIZE as f32;
                for channel in 0..2 {
                    let found = crate::face::planes::bilinear(
                        &there[channel * plane..(channel + 1) * plane],
                        [SIZE; 2],
                        x + 0.5,
                        y + 0.5,
                    );
                    let shown = here[channel * plane + i];
                    // Two grey levels of 255 for a pixel of the picture.
                    assert!((found - shown).abs() < 2.0 / 255.0, "{found} {shown}");
                }
            }
        }
        assert!((1..8).contains(&mirrored), "{mirrored}");
    }
}
