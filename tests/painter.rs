//! The mouth painter: the same everywhere, whole in its file, and laid over the mouth alone.
//!
//! On the CPU and, with the feature `gpu`, on the default wgpu adapter: a GPU, or Mesa's lavapipe.
#![cfg(feature = "native")]

#[cfg(feature = "gpu")]
mod gpu;

use std::collections::HashMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use fersnet::face::{
    Alignment, Change, Face, MouthFrame, PaintedMouth, Point, SynthesisedFace, paste,
    synthesised_crop,
};
use fersnet::network::weights::{self, Precision, StoredTensor, WeightError};
use fersnet::network::{Cost, Edition, Head, Network, NetworkConfig, PainterConfig, Variant};
use fersnet::painter::{INPUTS, Painter};
use fersnet::picture::Picture;
use fersnet::pipeline::Pipeline;
use fersnet::target::Target;
use image::{Rgb, RgbImage};

/// Fourteen convolutions of f32 sums in another order.
const TOLERANCE: f32 = 2e-4;

const PAINTER: PainterConfig = PainterConfig {
    width: 8,
    crop_width: 64,
};

fn config() -> NetworkConfig {
    let classes = ["neutral", "happiness"];
    let mut config = NetworkConfig::new(Edition::Release2021, Variant::Fersnet, 4, 3, &classes)
        .with_head(Head::Blend)
        .with_controls(&["jawOpen", "mouthSmileLeft"]);
    config.painter = Some(PAINTER);
    config
}

fn network() -> Network {
    Network::new(config(), &Device::flex()).expect("the configuration is valid")
}

fn tensors(network: &Network) -> HashMap<String, StoredTensor> {
    weights::to_tensors(network).into_iter().collect()
}

/// Inputs of two mouths.
fn inputs() -> Vec<f32> {
    let count = 2 * INPUTS * PAINTER.crop_width * PAINTER.crop_height();
    (0..count).map(|i| (i as f32 * 0.37).sin()).collect()
}

fn answer(painter: &Painter, device: &Device) -> Vec<f32> {
    let shape = [2, INPUTS, PAINTER.crop_height(), PAINTER.crop_width];
    let out = painter.forward(Tensor::from_data(TensorData::new(inputs(), shape), device));
    out.into_data().iter::<f32>().collect()
}

#[track_caller]
fn assert_same(one: &[f32], other: &[f32]) {
    assert_eq!(one.len(), other.len());
    let pairs = one.iter().zip(other);
    let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < TOLERANCE, "differ by {worst}");
}

#[test]
fn the_painter_answers_alike_on_the_cpu_and_in_training() {
    let cpu = Device::flex();
    let network = network();
    let painter = network.painter().expect("a painter");
    let on_cpu = answer(painter, &cpu);
    let spread = on_cpu
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()));
    assert!(spread > 1.0 && spread < 50.0, "{spread}");
    // Differentiable, and so by plain tensor operations.
    let training = painter.clone().train();
    assert_same(&answer(&training, &cpu.clone().autodiff()), &on_cpu);
}

#[cfg(feature = "gpu")]
#[test]
fn the_painter_answers_alike_on_cpu_and_gpu() {
    let gpu = gpu::gpu();
    let network = network();
    let on_cpu = answer(network.painter().expect("a painter"), &Device::flex());
    let before = fersnet::kernels::launches();
    let file = weights::save(&network, Precision::Full).expect("saved");
    let inference = fersnet::network::Inference::load(&file, gpu.device.clone()).expect("loaded");
    let out = inference.paint(inputs(), 2).expect("a painter");
    let on_gpu: Vec<f32> = out.into_data().iter::<f32>().collect();
    assert_same(&on_gpu, &on_cpu);
    let launched = fersnet::kernels::launches() - before;
    assert!(launched > 10, "the kernels ran");
}

#[test]
fn a_file_with_a_painter_is_read_back_whole() {
    let network = network();
    let file = weights::save(&network, Precision::Full).expect("saved");
    let read = weights::load(&file, &Device::flex()).expect("read");
    assert_eq!(read.config(), network.config());
    let (before, after) = (tensors(&network), tensors(&read));
    assert_eq!(before.len(), after.len());
    assert!(before.contains_key("painter.enter.weight"));
    for (name, tensor) in &before {
        assert!(after[name].values == tensor.values, "{name}");
    }
}

#[test]
fn a_painter_that_is_missing_a_tensor_is_refused_and_so_is_one_that_nobody_asked_for() {
    let all = tensors(&network());
    for (name, stored) in all.iter().filter(|(name, _)| name.starts_with("painter.")) {
        let mut less = all.clone();
        less.remove(name);
        let refused = weights::from_tensors(config(), less, &Device::flex());
        let Err(WeightError::Missing {
            name: missing,
            shape,
        }) = refused
        else {
            panic!("{name} may be missing");
        };
        assert_eq!((&missing, &shape), (name, &stored.shape));
    }
    let mut other = config();
    other.painter = None;
    let refused = weights::from_tensors(other, all.clone(), &Device::flex());
    assert!(matches!(refused, Err(WeightError::Unexpected(name)) if name.starts_with("painter.")));
    let mut wider = config();
    wider.painter = Some(PainterConfig {
        width: 9,
        ..PAINTER
    });
    let refused = weights::from_tensors(wider, all, &Device::flex());
    assert!(
        matches!(refused, Err(WeightError::Shape { name, .. }) if name.starts_with("painter."))
    );
}

#[test]
fn the_cost_of_a_painter_is_counted_beside_that_of_its_network() {
    let (with, without) = (Cost::of(&config()), {
        let mut config = config();
        config.painter = None;
        Cost::of(&config)
    });
    assert_eq!(
        (with.encoder_macs, with.decoder_macs),
        (without.encoder_macs, without.decoder_macs)
    );
    assert!(with.painter_macs > 0 && without.painter_macs == 0);
    assert!(with.parameters > without.parameters);
}

fn photo(width: u32, height: u32) -> Picture {
    Picture::from(RgbImage::from_fn(width, height, |x, y| {
        Rgb([
            (x * 7 % 256) as u8,
            (y * 5 % 256) as u8,
            ((x + y) * 3 % 256) as u8,
        ])
    }))
}

/// A face that is not changed, but for a mouth of one colour.
fn with_mouth(pixel: Option<[f32; 5]>) -> SynthesisedFace {
    let (width, height) = (32, 24);
    let frame = MouthFrame {
        centre: Point::new(0.5, 0.7),
        width: 0.4,
    };
    SynthesisedFace {
        size: 96,
        face: Vec::new(),
        change: Some(Change {
            own_mouth: None,
            delta: vec![0.0; 3 * 96 * 96],
            flow: Some(vec![0.0; 2 * 96 * 96]),
            cover: Some(vec![0.0; 96 * 96]),
        }),
        mouth: pixel.map(|pixel| PaintedMouth {
            frame,
            width,
            height,
            pixels: vec![pixel; width * height],
            strength: 1.0,
        }),
    }
}

#[test]
fn a_painted_mouth_changes_the_picture_inside_of_its_frame_alone() {
    for side in [60.0, 400.0] {
        let picture = photo(500, 400);
        let alignment = Alignment::upright(Point::new(60.0, -20.0), side);
        let red = with_mouth(Some([1.0, 0.0, 0.0, 1.0, 0.0]));
        let pasted = paste(&picture, &alignment, &red);
        let clear = paste(&picture, &alignment, &with_mouth(Some([0.0; 5])));
        assert!(
            clear.as_image() == picture.as_image(),
            "a clear layer changes nothing"
        );
        let mut painted = 0;
        for (x, y, pixel) in pasted.as_image().enumerate_pixels() {
            let face = alignment.face_from_picture(Point::new(x as f32 + 0.5, y as f32 + 0.5));
            let inside = (face.x - 0.5).abs() < 0.2 && (face.y - 0.7).abs() < 0.15;
            let same = pixel == picture.as_image().get_pixel(x, y);
            assert!(same || inside, "({x}, {y})");
            painted += usize::from(pixel.0 == [255, 0, 0]);
        }
        assert!(painted as f32 > 0.06 * side * side, "{painted}");
    }
}

#[test]
fn a_tile_shows_the_painted_mouth_as_the_picture_does() {
    let picture = Picture::from(RgbImage::from_pixel(600, 600, Rgb([120, 90, 80])));
    let alignment = Alignment::upright(Point::new(50.0, 60.0), 500.0);
    let redrawn = with_mouth(Some([0.1, 0.2, 0.3, 0.5, 0.2]));
    let tile = synthesised_crop(&picture, &alignment, &redrawn, 250);
    let cut = alignment.crop(&paste(&picture, &alignment, &redrawn), 250);
    for (a, b) in tile.pixels().zip(cut.pixels()) {
        assert!((0..3).all(|c| a.0[c].abs_diff(b.0[c]) <= 6), "{a:?} {b:?}");
    }
}

/// The astronaut smiles with her teeth: the share of the painted layer that is the photo's own, in the same face shown
/// otherwise; none where its mouth is shut.
fn teeth_kept_in(target: &str) -> Option<f32> {
    let bytes = std::fs::read("www/samples/astronaut.jpg").expect("the sample");
    let picture = Picture::decode(&bytes).expect("a picture");
    let pipeline = Pipeline::shipped(Device::flex()).expect("the shipped weights");
    let faces = pollster::block_on(pipeline.find_faces(&picture)).expect("looked for");
    let face = pollster::block_on(pipeline.recognise(&picture, faces[0])).expect("recognised");
    let target = Target::parse(target, pipeline.config()).expect("a target");
    let drawn = pollster::block_on(pipeline.synthesise(&picture, &face, &[target]));
    let mouth = drawn.expect("synthesised").remove(0).mouth?;
    let own = mouth.pixels.iter().map(|pixel| pixel[4]).sum::<f32>();
    let painted = mouth.pixels.iter().map(|pixel| pixel[3]).sum::<f32>();
    Some(own / (own + painted))
}

#[test]
fn a_smile_keeps_the_photos_teeth_and_a_dropped_jaw_fewer_of_them() {
    let (smile, surprise) = (teeth_kept_in("happiness"), teeth_kept_in("surprise"));
    let smile = smile.expect("an open mouth");
    let surprise = surprise.expect("an open mouth");
    assert!(smile > 0.25, "{smile}");
    assert!(surprise < 0.5 * smile, "{surprise} of {smile}");
}

#[test]
fn a_network_opens_a_mouth_and_its_painter_paints_it_unless_it_is_told_not_to() {
    // A cavity everywhere: the map's bias is that of channel k of the last convolution.
    let mut opened = tensors(&network());
    let bias = opened
        .get_mut("decoder.out_layer.bias")
        .expect("the last bias");
    bias.values[3] = 20.0;
    let network = weights::from_tensors(config(), opened, &Device::flex()).expect("a network");
    let file = weights::save(&network, Precision::Half).expect("saved");
    let picture = photo(300, 300);
    let alignment = Alignment::upright(Point::new(20.0, 10.0), 250.0);
    let mut config = config();
    config.presets.clear();
    let targets =
        ["jawOpen=1", "jawOpen=1,teethShown=0.9"].map(|text| Target::parse(text, &config));
    let targets: Vec<Target> = targets
        .into_iter()
        .map(|target| target.expect("a target"))
        .collect();
    #[cfg(feature = "gpu")]
    let gpu = gpu::gpu();
    let devices = [
        Device::flex(),
        #[cfg(feature = "gpu")]
        gpu.device.clone(),
    ];
    let mut shown = Vec::new();
    for device in devices {
        let mut pipeline = Pipeline::new(&file, device).expect("a pipeline");
        let face = pipeline.recognise(&picture, Face::Placed(alignment));
        let face = pollster::block_on(face).expect("recognised");
        let redraw = |pipeline: &Pipeline| {
            pollster::block_on(pipeline.synthesise(&picture, &face, &targets)).expect("redrawn")
        };
        let mouths: Vec<PaintedMouth> = redraw(&pipeline)
            .into_iter()
            .filter_map(|r| r.mouth)
            .collect();
        assert_eq!(mouths.len(), 2);
        assert!(mouths[0].pixels != mouths[1].pixels, "teeth are told");
        let values = mouths.iter().flat_map(|mouth| mouth.pixels.concat());
        shown.push(values.collect::<Vec<f32>>());
        pipeline.set_painting(false);
        assert!(
            redraw(&pipeline)
                .iter()
                .all(|redrawn| redrawn.mouth.is_none())
        );
    }
    // Beside the painter's own, the tolerance of the network that feeds it.
    for other in &shown[1..] {
        let pairs = shown[0].iter().zip(other);
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 2e-2, "{worst}");
    }
}

#[test]
fn a_followed_mouth_is_the_one_that_was_painted_before_for_the_same_target() {
    let pipeline = Pipeline::shipped(Device::flex()).expect("the shipped weights");
    let bytes = std::fs::read("www/samples/astronaut.jpg").expect("the sample");
    let first = Picture::decode(&bytes).expect("a picture");
    let mut darker = first.as_image().clone();
    for pixel in darker.pixels_mut() {
        pixel.0 = pixel.0.map(|value| value / 2);
    }
    let faces = pollster::block_on(pipeline.find_faces(&first)).expect("found");
    let frames = [first, Picture::from(darker)];
    let seen = frames
        .each_ref()
        .map(|frame| pollster::block_on(pipeline.recognise(frame, faces[0])).expect("recognised"));
    let [surprise, happiness] = ["surprise", "happiness"]
        .map(|text| Target::parse(text, pipeline.config()).expect("a target"));
    let alone = |frame: usize, target: &Target| {
        let targets = std::slice::from_ref(target);
        let made = pipeline.synthesise(&frames[frame], &seen[frame], targets);
        let made = pollster::block_on(made).expect("synthesised").remove(0);
        made.mouth.expect("an opened mouth").pixels
    };
    let mut kept = None;
    let mut followed = |frame: usize, target: &Target| {
        let made = pipeline.synthesise_followed(&frames[frame], &seen[frame], target, &mut kept);
        let made = pollster::block_on(made).expect("synthesised");
        made.mouth.expect("an opened mouth").pixels
    };
    let painted = alone(0, &surprise);
    assert!(alone(1, &surprise) != painted, "another light");
    assert!(followed(0, &surprise) == painted);
    assert!(followed(1, &surprise) == painted, "kept");
    assert!(
        followed(1, &happiness) == alone(1, &happiness),
        "another target"
    );
    let again: Vec<bool> = (0..6)
        .map(|_| followed(0, &happiness) == alone(0, &happiness))
        .collect();
    assert_eq!(
        again,
        [false, false, false, false, false, true],
        "not for ever"
    );
}
