//! A network whose decoder and painter come in files of their own answers as the whole one does.

use burn::tensor::{Device, TensorData};
use fersnet::network::parts::{completed, decoder_beside, join, split};
use fersnet::network::weights::{self, Precision, WeightError};
use fersnet::network::{
    Edition, FACE_SIZE, Head, Inference, Network, NetworkConfig, PainterConfig, Variant,
};
use fersnet::painter::Painter;

const CLASSES: [&str; 3] = ["neutral", "happiness", "surprise"];

/// A whole file of a random network with a painter.
fn whole(edition: Edition, variant: Variant) -> Vec<u8> {
    let device = Device::flex();
    let config = NetworkConfig::new(edition, variant, 8, 3, &CLASSES).with_head(Head::Blend);
    let painter = PainterConfig {
        width: 2,
        crop_width: 32,
    };
    let network = Network::new(config, &device).expect("a network");
    let network = network.with_painter(Some((painter, Painter::new(painter, &device))));
    weights::save(&network, Precision::Full).expect("a file")
}

fn face() -> Vec<f32> {
    let wave = |i: usize| 0.5 + 0.5 * (i as f32 * 0.013).sin();
    (0..3 * FACE_SIZE * FACE_SIZE).map(wave).collect()
}

fn values(data: TensorData) -> Vec<f32> {
    data.iter::<f32>().collect()
}

#[test]
fn a_face_that_was_recognised_before_the_decoder_came_is_synthesised_as_by_the_whole_network() {
    for (edition, variant) in [
        (Edition::Release2021, Variant::Fersnet),
        (Edition::Release2021, Variant::Hard),
        (Edition::Paper2020, Variant::Fersnet),
    ] {
        let whole = whole(edition, variant);
        let parted = split(&whole).expect("parted");
        let of_all = Inference::load(&whole, Device::flex()).expect("a network");
        let in_parts = Inference::load(&parted.recognition, Device::flex()).expect("a network");
        assert!(!in_parts.config().synthesises() && in_parts.config().painter.is_none());
        let (own, own_face) = of_all.encode(face()).expect("encoded");
        let (scores, early_face) = in_parts.encode(face()).expect("encoded");
        assert_eq!(
            values(own.logits.into_data()),
            values(scores.logits.into_data())
        );
        let target = [vec![0.0, 1.0, 0.0]];
        let none = in_parts.decode(&early_face, &target).expect("asked");
        assert!(none.is_none(), "nothing is synthesised without a decoder");
        let painter = parted.painter.expect("a painter");
        in_parts
            .add_parts(&[&parted.decoder, &painter])
            .expect("added");
        assert_eq!(in_parts.config(), of_all.config());
        let drawn = |network: &Inference, face| {
            let drawn = network.decode(face, &target).expect("asked");
            values(drawn.expect("a decoder").face.into_data())
        };
        assert_eq!(drawn(&of_all, &own_face), drawn(&in_parts, &early_face));
        let mouth = vec![0.25; fersnet::painter::INPUTS * 32 * 24];
        let painted = |network: &Inference| {
            let painted = network.paint(mouth.clone(), 1).expect("a painter");
            values(painted.into_data())
        };
        assert_eq!(painted(&of_all), painted(&in_parts));
    }
}

#[test]
fn parts_are_joined_to_the_same_network_and_those_of_others_are_refused() {
    let (one, other) = (
        whole(Edition::Release2021, Variant::Fersnet),
        whole(Edition::Release2021, Variant::Fersnet),
    );
    let (one_parts, other_parts) = (split(&one).expect("parted"), split(&other).expect("parted"));
    let joined = join(&one_parts.recognition, &one_parts.decoder).expect("joined");
    let joined = weights::load(&joined, &Device::flex()).expect("a network");
    let loaded = weights::load(&one, &Device::flex()).expect("a network");
    let (loaded, _) = loaded.without_painter();
    assert_eq!(joined.config(), loaded.config());
    let names = |network: &Network| -> Vec<(String, Vec<f32>)> {
        let tensors = weights::to_tensors(network).into_iter();
        tensors
            .map(|(name, tensor)| (name, tensor.values))
            .collect()
    };
    assert!(names(&joined) == names(&loaded));
    let refusal = join(&one_parts.recognition, &other_parts.decoder).expect_err("another's");
    assert!(
        matches!(refusal, WeightError::OtherDecoder { .. }),
        "{refusal}"
    );
    let network = Inference::load(&one_parts.recognition, Device::flex()).expect("a network");
    let told = |file: &[u8]| network.add_parts(&[file]).expect_err("refused").to_string();
    assert!(told(&other_parts.decoder).contains("another network"));
    assert!(told(&one_parts.recognition).contains("no part of a network"));
    let recognises = whole(Edition::Release2021, Variant::Single);
    assert!(matches!(
        split(&recognises),
        Err(WeightError::DecoderNotNeeded)
    ));
}

#[test]
fn a_file_on_a_disk_is_completed_by_the_decoder_beside_it_or_its_place_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("n.safetensors");
    let whole = whole(Edition::Release2021, Variant::Fersnet);
    let parted = split(&whole).expect("parted");
    let told = completed(parted.recognition.clone(), &path).expect_err("missing");
    assert!(told.to_string().contains("n-decoder.safetensors"), "{told}");
    std::fs::write(decoder_beside(&path), &parted.decoder).expect("written");
    let bytes = completed(parted.recognition.clone(), &path).expect("completed");
    assert!(
        weights::load(&bytes, &Device::flex())
            .expect("a network")
            .config()
            .synthesises()
    );
    std::fs::write(decoder_beside(&path), &whole).expect("written");
    let told = completed(parted.recognition, &path).expect_err("no decoder");
    assert!(told.to_string().contains("n-decoder.safetensors"), "{told}");
    assert!(completed(whole.clone(), &path).expect("as it is") == whole);
}
