//! Frames of a face on its way to another expression -> an animated GIF that goes there and back, with the mark
//! of a synthetic picture in every frame and in its metadata.

use color_quant::NeuQuant;
use gif::{AnyExtension, Encoder, Frame, Repeat};
use image::RgbImage;

use crate::face::{Alignment, Rect};
use crate::mark::{DIGITAL_SOURCE_TYPE, MarkError, TAG, draw_tag, insert, xmp};
use crate::picture::Picture;
use crate::watermark;

/// Side of the part of the photo that an animation shows, in sides of the face's square.
const AROUND: f32 = 1.5;

/// The shortest longer side of an animation, in pixels: less is too small to be looked at.
const MIN_SIZE: u32 = 320;

/// From one frame to the next, in hundredths of a second.
const STEP: u16 = 4;

/// How long the photo and the target stand, in hundredths of a second.
const HOLD: u16 = 70;

/// Every how many-th pixel the palette is learnt from.
const SAMPLE: i32 = 10;

/// Bits of each channel by which the nearest colour of the palette is looked up.
const BITS: u32 = 6;

/// Where a GIF's global palette of 256 colours ends: header (6), screen (7), palette.
const PALETTE_END: usize = 13 + 3 * 256;

/// Added to a channel before its nearest colour is chosen, by place: smooth skin gets no bands, and what does
/// not move stays the same from frame to frame.
const DITHER: [[i16; 4]; 4] = [
    [-4, 0, -3, 1],
    [2, -2, 3, -1],
    [-3, 1, -4, 0],
    [3, -1, 2, -2],
];

/// The part of a picture around a face that an animation shows, in whole pixels within the picture.
pub fn view(face: &Alignment, width: u32, height: u32) -> Rect {
    let square = Rect::around(&face.corners());
    let side = face.side() * AROUND;
    let place = |centre: f32, length: u32| {
        let length = length as f32;
        let span = side.round().clamp(1.0, length);
        (
            (centre - span / 2.0).round().clamp(0.0, length - span),
            span,
        )
    };
    let (x, width) = place(square.x + square.width / 2.0, width);
    let (y, height) = place(square.y + square.height / 2.0, height);
    Rect {
        x,
        y,
        width,
        height,
    }
}

/// One frame: that part of the picture, its longer side at most `size` pixels, with the watermark and the visible tag.
pub fn frame(picture: &Picture, part: Rect, size: u32) -> RgbImage {
    let [x, y, width, height] = [part.x, part.y, part.width, part.height].map(|value| value as u32);
    let cut = image::imageops::crop_imm(picture.as_image(), x, y, width, height).to_image();
    let longer = width.max(height).max(1);
    let wanted = longer.clamp(MIN_SIZE.min(size), size);
    let [width, height] = [width, height].map(|side| (side * wanted / longer).max(1));
    let filter = image::imageops::FilterType::Triangle;
    let mut shown = if wanted == longer {
        cut
    } else {
        image::imageops::resize(&cut, width, height, filter)
    };
    watermark::embed(&mut shown);
    draw_tag(&mut shown);
    shown
}

/// Frames of one size, the photo's first and the target's last, as a GIF that goes there and back for ever.
/// They have to come from [`frame`], which marks them.
///
/// # Errors
/// [`MarkError`] when the encoder refuses them, also where there is none or their sizes differ.
pub fn encode_marked_gif(frames: &[RgbImage]) -> Result<Vec<u8>, MarkError> {
    let (Some(first), Some(last)) = (frames.first(), frames.last()) else {
        return Err(MarkError::NoPlaceForMetadata);
    };
    let size = first.dimensions();
    let [width, height] = [size.0, size.1].map(u16::try_from);
    let (Ok(width), Ok(height)) = (width, height) else {
        return Err(MarkError::NoPlaceForMetadata);
    };
    if frames.iter().any(|frame| frame.dimensions() != size) {
        return Err(MarkError::NoPlaceForMetadata);
    }
    let mut palette = Palette::of([first, &frames[frames.len() / 2], last]);
    let indexed: Vec<Vec<u8>> = frames.iter().map(|frame| palette.indexed(frame)).collect();
    let back = (1..frames.len().saturating_sub(1)).rev();
    let order: Vec<usize> = (0..frames.len()).chain(back).collect();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height, &palette.colours)?;
    encoder.set_repeat(Repeat::Infinite)?;
    let comment = format!("{TAG}. Made with FERSNet. DigitalSourceType: {DIGITAL_SOURCE_TYPE}");
    encoder.write_raw_extension(AnyExtension(0xfe), &[comment.as_bytes()])?;
    let mut shown: Option<usize> = None;
    for &index in &order {
        let before = shown.map(|before| indexed[before].as_slice());
        let mut changed = changed_part(before, &indexed[index], usize::from(width));
        let stands = index == 0 || index + 1 == frames.len();
        changed.delay = if stands { HOLD } else { STEP };
        encoder.write_frame(&changed)?;
        shown = Some(index);
    }
    drop(encoder);
    insert(bytes, PALETTE_END, xmp_block())
}

/// XMP's place in a GIF: an application block whose packet is not cut into pieces; a trailer of falling numbers
/// lets readers that do not know it find its end.
fn xmp_block() -> Vec<u8> {
    let mut block = b"\x21\xff\x0bXMP DataXMP".to_vec();
    block.extend_from_slice(xmp().as_bytes());
    block.push(1);
    block.extend((0..=255).rev());
    block.push(0);
    block
}

/// The smallest rectangle that holds all that changed, as a frame of its own; a pixel where nothing did.
fn changed_part(before: Option<&[u8]>, now: &[u8], width: usize) -> Frame<'static> {
    let differs = |row: usize, column: usize| {
        let at = row * width + column;
        before.is_none_or(|before| before[at] != now[at])
    };
    let height = now.len() / width;
    let rows: Vec<usize> = (0..height)
        .filter(|row| (0..width).any(|column| differs(*row, column)))
        .collect();
    let (top, bottom) = match (rows.first(), rows.last()) {
        (Some(first), Some(last)) => (*first, *last + 1),
        _ => (0, 1),
    };
    let changes = |column: &usize| (top..bottom).any(|row| differs(row, *column));
    let left = (0..width).find(changes).unwrap_or(0);
    let right = (left..width).rev().find(changes).unwrap_or(left) + 1;
    let part = (top..bottom).flat_map(|row| &now[row * width + left..row * width + right]);
    Frame {
        left: left as u16,
        top: top as u16,
        width: (right - left) as u16,
        height: (bottom - top) as u16,
        buffer: part.copied().collect::<Vec<u8>>().into(),
        ..Frame::default()
    }
}

/// The colours of an animation, and the nearest one of each colour that was looked up.
struct Palette {
    /// 256 colours, red, green and blue each.
    colours: Vec<u8>,
    nearest: Vec<Option<u8>>,
}

impl Palette {
    fn of(samples: [&RgbImage; 3]) -> Self {
        let pixels = samples.into_iter().flat_map(|image| image.pixels());
        let rgba: Vec<u8> = pixels
            .flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2], u8::MAX])
            .collect();
        let net = NeuQuant::new(SAMPLE, 256, &rgba);
        Self {
            colours: net.color_map_rgb(),
            nearest: vec![None; 1 << (3 * BITS)],
        }
    }

    fn indexed(&mut self, image: &RgbImage) -> Vec<u8> {
        let index = |(x, y, pixel): (u32, u32, &image::Rgb<u8>)| {
            let shift = DITHER[y as usize % 4][x as usize % 4];
            let rgb = pixel
                .0
                .map(|value| (i16::from(value) + shift).clamp(0, 255) as u8);
            self.nearest(rgb)
        };
        image.enumerate_pixels().map(index).collect()
    }

    fn nearest(&mut self, rgb: [u8; 3]) -> u8 {
        let coarse = rgb.map(|value| usize::from(value >> (8 - BITS)));
        let key = coarse.iter().fold(0, |key, part| (key << BITS) | part);
        let colours = self.colours.chunks_exact(3);
        *self.nearest[key].get_or_insert_with(|| {
            // The middle of the colours that share the key.
            let middle = rgb.map(|value| value & !3 | 2);
            let far = |colour: &[u8]| -> u32 {
                let each = colour.iter().zip(middle);
                each.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
            };
            let nearest = (0..=u8::MAX)
                .zip(colours)
                .min_by_key(|(_, colour)| far(colour));
            nearest.map_or(0, |(index, _)| index)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;

    use super::*;
    use crate::face::Point;
    use crate::mark::is_marked;

    /// Largest mean difference of a pixel's channel from its frame, in levels: 256 colours and the dither.
    const LEVELS: f64 = 6.0;

    fn moving(step: u8) -> RgbImage {
        let picture = RgbImage::from_fn(400, 300, |x, y| {
            let moves = (150..250).contains(&x) && (100..200).contains(&y);
            let value = if moves { 40 + 20 * step } else { (x / 2) as u8 };
            image::Rgb([value, 120, (y / 2) as u8])
        });
        let whole = Rect {
            x: 0.0,
            y: 0.0,
            width: 400.0,
            height: 300.0,
        };
        frame(&Picture::from(picture), whole, 480)
    }

    fn decoded(bytes: &[u8]) -> Vec<RgbImage> {
        let decoder = GifDecoder::new(Cursor::new(bytes)).expect("a GIF");
        let frames = decoder.into_frames().collect_frames().expect("its frames");
        let rgb = |frame: image::Frame| image::DynamicImage::from(frame.into_buffer()).into_rgb8();
        frames.into_iter().map(rgb).collect()
    }

    fn mean_difference(a: &RgbImage, b: &RgbImage) -> f64 {
        assert_eq!(a.dimensions(), b.dimensions());
        let sum: u64 = a
            .as_raw()
            .iter()
            .zip(b.as_raw())
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        sum as f64 / a.as_raw().len() as f64
    }

    #[test]
    fn an_animation_goes_there_and_back_and_every_frame_is_marked() {
        let frames: Vec<RgbImage> = (0..6).map(moving).collect();
        let bytes = encode_marked_gif(&frames).expect("a GIF");
        assert!(is_marked(&bytes), "metadata");
        let shown = decoded(&bytes);
        assert_eq!(
            shown.len(),
            10,
            "five steps there, five back, the photo once"
        );
        for (i, one) in shown.iter().enumerate() {
            let meant = &frames[if i < 6 { i } else { 10 - i }];
            let difference = mean_difference(one, meant);
            assert!(difference < LEVELS, "frame {i} differs by {difference}");
        }
        let plain = RgbImage::from_fn(400, 300, |x, y| {
            image::Rgb([(x / 2) as u8, 120, (y / 2) as u8])
        });
        assert_ne!(frames[0], plain, "the tag is in the frame");
    }

    #[test]
    fn frames_of_different_sizes_are_refused() {
        let frames = [RgbImage::new(8, 8), RgbImage::new(8, 9)];
        assert!(encode_marked_gif(&frames).is_err());
        assert!(encode_marked_gif(&[]).is_err());
    }

    #[test]
    fn a_view_stays_within_its_picture() {
        let face = Alignment::upright(Point::new(500.0, -20.0), 200.0);
        let part = view(&face, 640, 480);
        assert_eq!(
            (part.x, part.y, part.width, part.height),
            (340.0, 0.0, 300.0, 300.0)
        );
        let whole = view(&Alignment::whole_picture(90, 120), 90, 120);
        assert!(whole.width <= 90.0 && whole.height <= 120.0);
    }
}
