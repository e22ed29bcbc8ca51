//! A strip below a synthetic face that bears the visible mark.
//!
//! A tag inside the face would be learnt: a network would read the tag, not the face. So the picture
//! is made longer, its last row repeated as far as any view of a training face reaches (where a view
//! leaves the picture it sees that row anyway), and the tag stands below.

use image::RgbImage;

use crate::face::{Alignment, Point};
use crate::mark::tag_height;
use crate::picture::Picture;

/// How far below the face's square a view may reach, as a part of the face's side.
///
/// The widest views are those of whole pictures in [`crate::train::augment`]: turned by 0.2 radians,
/// enlarged 1.14 times and moved by 0.07; 1.14 (cos 0.2 + sin 0.2) / 2 + 0.07 - 0.5 = 0.24.
pub const REACH: f32 = 0.25;

/// The picture with room for the tag below.
pub fn with_strip(picture: &Picture, alignment: &Alignment) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    // The corners of the square that a view may reach, whichever way the face is turned.
    let reach = alignment.moved(Point::new(0.0, 0.0), 1.0 + 2.0 * REACH, 0.0);
    let lowest = reach
        .corners()
        .iter()
        .fold(0.0, |y: f32, corner| y.max(corner.y));
    // A face that is known to lie far outside of its picture asks for no endless one.
    let bottom = (lowest.ceil() as u32 + 1).clamp(height, height.saturating_mul(2));
    // The tag's letters grow with the picture, and the picture with them.
    let mut tall = bottom + tag_height(width, bottom);
    while bottom + tag_height(width, tall) > tall {
        tall = bottom + tag_height(width, tall);
    }
    let image = picture.as_image();
    Picture::from(RgbImage::from_fn(width, tall, |x, y| {
        *image.get_pixel(x, y.min(height - 1))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Place;
    use crate::face::alignment::{EYE_DISTANCE, EYE_LINE};
    use crate::mark::draw_tag;
    use crate::train::augment::View;
    use image::Rgb;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

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
            let place = Place::Eyes(eye(0.5 + half), eye(0.5 - half));
            let blank = with_strip(&plain, &whole);
            let mut image = blank.as_image().clone();
            draw_tag(&mut image);
            let tagged = Picture::from(image);
            assert!(tagged.height() > plain.height() && tagged != blank);
            // Large pictures are averaged in blocks before they are cut, which begin elsewhere in a
            // longer one: there the strip itself moves the last rows a little, the tag nothing.
            let is_small = width < 200;
            for _ in 0..100 {
                let view = View::random(&mut rng, true);
                let cut = |picture| view.cut(picture, place, 64);
                assert!(cut(&blank) == cut(&tagged), "{width} x {height}");
                assert!(
                    !is_small || cut(&plain) == cut(&tagged),
                    "{width} x {height}"
                );
            }
        }
    }
}
