//! `fersnet forward`: one raw pass over a ready face, every tensor written out.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::tensor::{Tensor, TensorData};
use clap::Args;
use fersnet::network::{FACE_SIZE, weights};
use fersnet::store;
use fersnet::tensor::{planar_tensor, readback};
use fersnet::tensor_file;
use safetensors::Dtype;

use crate::output::Force;
use crate::picture::{NetworkArguments, read_picture};
use crate::synthesize::parse_target;

/// Logits, gates and (with a target) the unclamped face of a 96 x 96 face, as safetensors.
#[derive(Args)]
pub struct Forward {
    #[command(flatten)]
    network: NetworkArguments,
    /// As for `synthesize`; without it, logits and gates alone.
    #[arg(long)]
    target: Option<String>,
    /// The safetensors file to write.
    #[arg(short, long)]
    output: PathBuf,
    /// A face of 96 x 96 pixels, grey or RGB.
    face: PathBuf,
}

/// A tensor by its name in the output.
struct Named {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Forward {
    /// Runs the pass and writes the file.
    pub fn run(&self) -> Result<()> {
        let mut inputs = self.network.files();
        inputs.push(self.face.clone());
        Force::GIVEN.check(&[&self.output], &inputs)?;
        let (bytes, device) = self.network.weights()?;
        let device = device.open()?;
        let network = weights::load(&bytes, &device)?.into_inference();
        let planes = read_face(&self.face)?;
        let x = planar_tensor(planes, network.config().channels, FACE_SIZE, &device);
        let encoded = network.encode(x, true);
        let mut outputs = vec![named("logits", encoded.logits.clone())?];
        if let Some(units) = &encoded.units {
            outputs.push(named("units", units.clone())?);
        }
        for (level, gates) in encoded.gates.iter().enumerate() {
            for (branch, gates) in [("fer", &gates.fer), ("fes", &gates.fes)] {
                let name = |gate: &str| format!("gates.{branch}.{level}.{gate}");
                outputs.push(named(&name("r"), gates.r.clone())?);
                outputs.push(named(&name("z"), gates.z.clone())?);
            }
        }
        if let Some(target) = &self.target {
            let target = parse_target(target, network.config())?.values;
            let width = target.len();
            let target = TensorData::new(target, [1, width]);
            let drawn = network
                .decode(&encoded, Tensor::from_data(target, &device))
                .context("these weights synthesise no face: leave --target out")?;
            outputs.push(named("face", drawn.face)?);
            if let Some(change) = drawn.change {
                outputs.push(named("mask", change.mask)?);
                outputs.push(named("delta", change.delta)?);
                if let Some(flow) = change.flow {
                    outputs.push(named("flow", flow)?);
                }
            }
        }
        write(&self.output, &outputs)
    }
}

/// `[3, 96, 96]` in `[0, 1]`.
fn read_face(path: &Path) -> Result<Vec<f32>> {
    let picture = read_picture(path)?;
    let side = FACE_SIZE as u32;
    if (picture.width(), picture.height()) != (side, side) {
        bail!(
            "{} has {} x {} pixels; a ready face has {side} x {side} (for a photo use `fersnet predict`)",
            path.display(),
            picture.width(),
            picture.height()
        );
    }
    let pixels = picture.as_image().as_raw();
    Ok((0..3)
        .flat_map(|channel| pixels.iter().skip(channel).step_by(3))
        .map(|value| f32::from(*value) / 255.0)
        .collect())
}

fn named<const D: usize>(name: &str, tensor: Tensor<D>) -> Result<Named> {
    Ok(Named {
        name: name.to_owned(),
        shape: tensor.dims().to_vec(),
        values: pollster::block_on(readback(tensor)).map_err(anyhow::Error::msg)?,
    })
}

fn write(path: &Path, outputs: &[Named]) -> Result<()> {
    let bytes: Vec<Vec<u8>> = outputs
        .iter()
        .map(|output| tensor_file::f32_bytes(&output.values))
        .collect();
    let tensors = outputs.iter().zip(&bytes).map(|(output, bytes)| {
        (
            &output.name[..],
            Dtype::F32,
            output.shape.clone(),
            &bytes[..],
        )
    });
    Ok(store::write(path, &tensor_file::write(tensors, None)?)?)
}
