//! Arguments that the commands over pictures share: weights, device, faces.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use fersnet::claims::Claims;
use fersnet::face::Face;
use fersnet::network::NetworkConfig;
use fersnet::network::parts;
use fersnet::network::weights::{self, MAX_FILE_BYTES};
use fersnet::picture::{self, Picture};
use fersnet::pipeline::{Pipeline, SHIPPED_RECOGNITION, shipped_weights};

use crate::device::DeviceName;
use crate::failure::Failure;

/// Which network reads, and where.
#[derive(Args)]
pub struct NetworkArguments {
    /// The weight file; the shipped ones by default, with their mouth painter.
    #[arg(long)]
    weights: Option<PathBuf>,
    /// A mouth painter in a file of its own, for weights that have none.
    #[arg(long)]
    painter: Option<PathBuf>,
    /// Where the network runs.
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceName,
}

impl NetworkArguments {
    /// Loads the network and the detector.
    pub fn pipeline(&self) -> Result<Pipeline> {
        let device = self.device.open()?;
        let pipeline = match &self.weights {
            Some(path) => {
                let bytes = read_weights(path)?;
                Pipeline::new(&bytes, device).with_context(|| path.display().to_string())?
            }
            None if self.painter.is_none() => return Ok(Pipeline::shipped(device)?),
            None => Pipeline::new(&shipped_weights()?, device)?,
        };
        if let Some(path) = &self.painter {
            add_painter(&pipeline, path)?;
        }
        Ok(pipeline)
    }

    /// What its weight file says that it recognises; a decoder beside the file is not looked at.
    pub fn config(&self) -> Result<NetworkConfig> {
        let Some(path) = &self.weights else {
            return Ok(weights::load_config(SHIPPED_RECOGNITION)?);
        };
        let bytes = read_part(path)?;
        weights::load_config(&bytes).with_context(|| path.display().to_string())
    }

    /// Whether the device works for one at a time, and not on all of the CPU's cores.
    pub fn takes_turns(&self) -> bool {
        self.device != DeviceName::Cpu
    }

    /// The files that are read, or would be where they are there.
    pub fn files(&self) -> Vec<PathBuf> {
        let decoder = self.weights.as_deref().map(parts::decoder_beside);
        let files = [self.weights.clone(), decoder, self.painter.clone()];
        files.into_iter().flatten().collect()
    }

    /// Loads the weights alone.
    pub fn weights(&self) -> Result<(Vec<u8>, DeviceName)> {
        let bytes = match &self.weights {
            Some(path) => read_weights(path)?,
            None => shipped_weights()?,
        };
        Ok((bytes, self.device))
    }
}

/// Adds the painter of a file, its path in the error.
pub fn add_painter(pipeline: &Pipeline, path: &Path) -> Result<()> {
    let added = pipeline.add_parts(&[&read_weights(path)?]);
    added.with_context(|| path.display().to_string())
}

/// A whole file of at most `limit` bytes and one more, which tells that it is larger: the one who
/// reads it refuses it then. Its path is in the error.
fn read_limited(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(limit + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A weight file's bytes, with its decoder where that is in a file beside it; its path in the error.
pub fn read_weights(path: &Path) -> Result<Vec<u8>> {
    Ok(parts::completed(read_part(path)?, path)?)
}

/// A weight file's bytes as they are, its path in the error.
pub fn read_part(path: &Path) -> Result<Vec<u8>> {
    read_limited(path, MAX_FILE_BYTES as u64)
        .with_context(|| format!("cannot read {}", path.display()))
}

/// A picture, its path in the error.
pub fn read_picture(path: &Path) -> Result<Picture> {
    Ok(decoded(path)?.0)
}

/// A picture and what its file says of its origin, its path in the error.
pub fn read_picture_and_claims(path: &Path) -> Result<(Picture, Claims)> {
    let (picture, bytes) = decoded(path)?;
    Ok((picture, Claims::of(&bytes)))
}

fn decoded(path: &Path) -> Result<(Picture, Vec<u8>)> {
    let bytes = read_bytes(path)?;
    let picture = Picture::decode(&bytes).with_context(|| path.display().to_string())?;
    Ok((picture, bytes))
}

/// A picture file's bytes, its path in the error.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let bytes = read_limited(path, picture::MAX_FILE_BYTES);
    bytes.map_err(|error| {
        Failure::Picture(format!("cannot read {}: {error}", path.display())).into()
    })
}

/// The faces of a picture, the largest first; with `whole`, the picture itself.
pub fn faces(pipeline: &Pipeline, picture: &Picture, whole: bool) -> Result<Vec<Face>> {
    if whole {
        return Ok(vec![Face::whole(picture)]);
    }
    Ok(pollster::block_on(pipeline.find_faces(picture))?)
}
