//! A strip below a synthetic face that bears the visible mark.
//!
//! A tag inside the face would be learnt: a network would read the tag, not the face. So the picture
//! is made longer, its last row repeated as far as any augmentation of a training face reaches (where one
//! leaves the picture it sees that row anyway), and the tag stands below.

use image::RgbImage;

use crate::face::{Alignment, Point};
use crate::mark::tag_height;
use crate::picture::Picture;

/// How far below the face's square an augmentation may reach, as a part of the face's side.
///
/// The widest augmentations are the trainer's of whole pictures, whose tests hold this number: turned by 0.2 radians,
/// enlarged 1.14 times and moved by 0.07; 1.14 (cos 0.2 + sin 0.2) / 2 + 0.07 - 0.5 = 0.24.
pub const REACH: f32 = 0.25;

/// The picture with room for the tag below.
pub fn with_strip(picture: &Picture, alignment: &Alignment) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    // The corners of the square that an augmentation may reach, whichever way the face is turned.
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
