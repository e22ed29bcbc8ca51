//! From a photo to what the painter starts from: a mouth's picture and cavity map in their frame.

use super::own::kept;
use super::tones::Tones;
use crate::face::fields::Unpainted;
use crate::face::mouth::opening;
use crate::face::paste::feather;
use crate::face::planes::bilinear;
use crate::face::source::Source;
use crate::face::{Alignment, MouthFrame, Point, SynthesisedFace};
use crate::network::PainterConfig;
use crate::picture::Picture;

/// Samples in each direction for a pixel of the crop, at most.
const MOST_SAMPLES: usize = 4;

/// How many pixels of a face that is cut ahead a pixel of the crop covers.
const FINENESS: f32 = 1.5;

/// A mouth as the painter is told of it.
#[derive(Debug, Clone)]
pub struct MouthCrop {
    /// Where it lies in the face.
    pub frame: MouthFrame,
    /// Red, green and blue planes `[3, height, width]`, 0..1: the photo, moved and shaded; of what lies in
    /// the cavity only what is kept is used.
    pub picture: Vec<f32>,
    /// How much of the inside is the photo's own and stays, `[height, width]`, 0..1; none: nothing.
    pub kept: Option<Vec<f32>>,
    /// The cavity map `[height, width]`, 0..1.
    pub cavity: Vec<f32>,
    /// Skin and eye's white.
    pub tones: Tones,
    /// Share of the inside that shows teeth, 0 to 1; none: not told.
    pub teeth: Option<f32>,
    /// How much of what is painted is laid on, 0 to 1.
    pub strength: f32,
}

impl MouthCrop {
    /// The mouth of a photo as it is, with a map `[size, size]` of its inside over the face; none for a
    /// mouth that is shut.
    pub fn of_photo(
        picture: &Picture,
        alignment: &Alignment,
        cavity: &[f32],
        size: usize,
        config: PainterConfig,
    ) -> Option<Self> {
        let frame = MouthFrame::around(cavity, size)?;
        let source = Source::photo(picture, alignment);
        let tones = Tones::of(picture, alignment);
        Some(Self::in_frame(
            &source,
            (cavity, size),
            frame,
            tones,
            config,
        ))
    }

    /// The same in a frame and a light that are known.
    pub(crate) fn in_frame(
        source: &Source<'_>,
        (cavity, size): (&[f32], usize),
        frame: MouthFrame,
        tones: Tones,
        config: PainterConfig,
    ) -> Self {
        Self {
            frame,
            picture: Self::picture_in(source, &frame, config),
            kept: None,
            cavity: map_over_frame(cavity, size, &frame, config),
            tones,
            teeth: None,
            strength: opening(cavity, size),
        }
    }

    /// A photo in a frame, as it is, `[3, height, width]`.
    pub(crate) fn picture_in(
        source: &Source<'_>,
        frame: &MouthFrame,
        config: PainterConfig,
    ) -> Vec<f32> {
        over_frame(source, frame, config, |face| source.moved(face, [0.0; 2]))
    }

    /// The mouth of a synthesised face, before anything is painted; none for a mouth that is shut, and for
    /// networks that say nothing of cavities.
    pub(crate) fn of_synthesised(
        source: &Source<'_>,
        synthesised: &SynthesisedFace,
        config: PainterConfig,
        tones: Tones,
        teeth: Option<f32>,
    ) -> Option<Self> {
        let frame = opened(synthesised)?;
        let change = synthesised.change.as_ref()?;
        let cavity = change.cover.as_ref()?;
        let unpainted = Unpainted::new(
            change,
            synthesised.size,
            config.crop_width as f32 / frame.width,
        );
        let mut crop = Self {
            frame,
            picture: over_frame(source, &frame, config, |face| {
                unpainted.at(source, face, feather(face))
            }),
            kept: None,
            cavity: map_over_frame(cavity, synthesised.size, &frame, config),
            tones,
            teeth,
            strength: opening(cavity, synthesised.size),
        };
        if let Some(own) = &change.own_mouth {
            let own = map_over_frame(own, synthesised.size, &frame, config);
            let as_it_is = Self::picture_in(source, &frame, config);
            crop.keep(kept(&own, &crop.cavity, config), &as_it_is);
        }
        Some(crop)
    }

    /// Keeps so much of each pixel `[height, width]` of `picture` `[3, height, width]`.
    pub(crate) fn keep(&mut self, kept: Vec<f32>, picture: &[f32]) {
        let pixels = self.picture.iter_mut().zip(picture);
        for ((value, own), kept) in pixels.zip(kept.iter().cycle()) {
            *value += kept * (own - *value);
        }
        self.kept = Some(kept);
    }
}

/// Where a synthesised face's mouth opens; none for a mouth that is shut, and for networks that say nothing of
/// cavities.
pub fn opened(synthesised: &SynthesisedFace) -> Option<MouthFrame> {
    let cover = synthesised.change.as_ref()?.cover.as_ref()?;
    MouthFrame::around(cover, synthesised.size)
}

/// A large face made smaller, in pixels that the crops of all these frames need; none where the photo
/// itself is no finer.
pub fn face_to_crop(
    picture: &Picture,
    alignment: &Alignment,
    synthesised: &[SynthesisedFace],
    config: PainterConfig,
) -> Option<Picture> {
    let frames = synthesised.iter().filter_map(opened);
    let narrowest = frames.map(|frame| frame.width).reduce(f32::min)?;
    let side = (FINENESS * config.crop_width as f32 / narrowest).ceil();
    (alignment.side() > side).then(|| Picture::from(alignment.crop(picture, side as u32)))
}

/// Colours (0..255 in, 0..1 out) over a frame, `[3, height, width]`, the mean of several samples where a
/// pixel covers several of the source's.
fn over_frame(
    source: &Source<'_>,
    frame: &MouthFrame,
    config: PainterConfig,
    colour: impl Fn(Point) -> [f32; 3],
) -> Vec<f32> {
    let (width, height) = (config.crop_width, config.crop_height());
    let step = source.side() * frame.width / width as f32;
    // The tolerance keeps a photo that is hardly finer sharp.
    let samples = ((step - 0.25).ceil() as usize).clamp(1, MOST_SAMPLES);
    let scale = 1.0 / (255.0 * (samples * samples) as f32);
    let place = |pixel: usize, sample: usize, size: usize| {
        ((pixel * samples + sample) as f32 + 0.5) / (size * samples) as f32
    };
    let mut planes = vec![0.0; 3 * width * height];
    for row in 0..height {
        for column in 0..width {
            let mut sum = [0.0; 3];
            for j in 0..samples {
                for i in 0..samples {
                    let at = Point::new(place(column, i, width), place(row, j, height));
                    let sample = colour(frame.face_from_frame(at));
                    (0..3).for_each(|c| sum[c] += sample[c]);
                }
            }
            for (c, sum) in sum.into_iter().enumerate() {
                planes[(c * height + row) * width + column] = sum * scale;
            }
        }
    }
    planes
}

/// A map over the face `[size, size]` in the pixels of a frame.
fn map_over_frame(map: &[f32], size: usize, frame: &MouthFrame, config: PainterConfig) -> Vec<f32> {
    let (width, height) = (config.crop_width, config.crop_height());
    let value = |i: usize| {
        let at = Point::new(
            ((i % width) as f32 + 0.5) / width as f32,
            ((i / width) as f32 + 0.5) / height as f32,
        );
        let face = frame.face_from_frame(at);
        bilinear(map, [size; 2], face.x * size as f32, face.y * size as f32).clamp(0.0, 1.0)
    };
    (0..width * height).map(value).collect()
}
