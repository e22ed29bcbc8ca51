//! Parts of a network in files of their own, which a page fetches once it has recognised a face: the decoder
//! and the mouth painter.

use burn::tensor::Device;

use super::weights::{self, METADATA_KEY, WeightError};
use super::{Network, NetworkConfig, PainterConfig};
use crate::painter::Painter;
use crate::tensor_file::selected;

/// Key of the decoder's id in the metadata of a file that holds the decoder alone.
pub const DECODER_KEY: &str = "fersnet-decoder";

/// Key of a painter's configuration in the metadata of a file that holds the painter alone.
pub const PAINTER_KEY: &str = "fersnet-painter";

/// Parts that were read from files of their own.
#[derive(Default)]
pub(super) struct Parts {
    /// A network of which only the decoder is filled.
    pub(super) decoder: Option<Network>,
    pub(super) painter: Option<(PainterConfig, Painter)>,
}

impl Parts {
    /// Reads the parts of a network; each file says in its metadata which it is.
    ///
    /// # Errors
    /// [`WeightError`] naming what is wrong with the first file that is refused.
    pub(super) fn load(
        files: &[&[u8]],
        of: &NetworkConfig,
        device: &Device,
    ) -> Result<Self, WeightError> {
        let mut parts = Self::default();
        for file in files {
            if weights::metadata_value(file, DECODER_KEY)?.is_some() {
                parts.decoder = Some(load_decoder(file, of, device)?);
            } else {
                let painter = load_painter(file, device).map_err(|error| match error {
                    WeightError::NoPainter => WeightError::NoPart,
                    error => error,
                })?;
                parts.painter = Some(painter);
            }
        }
        Ok(parts)
    }
}

/// A network of which only the decoder is filled.
fn load_decoder(bytes: &[u8], of: &NetworkConfig, device: &Device) -> Result<Network, WeightError> {
    check_pair(of, bytes)?;
    let config = NetworkConfig {
        decoder_apart: None,
        painter: None,
        ..of.clone()
    };
    weights::load_decoder(config, bytes, device)
}

/// Refuses a decoder that is another network's.
fn check_pair(of: &NetworkConfig, decoder: &[u8]) -> Result<(), WeightError> {
    let found = weights::metadata_value(decoder, DECODER_KEY)?.ok_or(WeightError::NoPart)?;
    let expected = of.decoder_apart.clone();
    let expected = expected.ok_or(WeightError::DecoderNotNeeded)?;
    if found == expected {
        return Ok(());
    }
    Err(WeightError::OtherDecoder { expected, found })
}

/// Loads a painter from a file of its own.
///
/// # Errors
/// [`WeightError`] naming the first key, shape, type or value that is wrong.
pub fn load_painter(
    bytes: &[u8],
    device: &Device,
) -> Result<(PainterConfig, Painter), WeightError> {
    if bytes.len() > weights::MAX_FILE_BYTES {
        return Err(WeightError::TooLarge(bytes.len()));
    }
    let json = weights::metadata_value(bytes, PAINTER_KEY)?.ok_or(WeightError::NoPainter)?;
    let config: PainterConfig = serde_json::from_str(&json).map_err(WeightError::BadConfig)?;
    config.validate()?;
    let painter = weights::fill_painter(Painter::new(config, device), bytes)?;
    Ok((config, painter))
}

/// A network and its decoder in one file again.
///
/// # Errors
/// [`WeightError`] when they do not belong together.
pub fn join(network: &[u8], decoder: &[u8]) -> Result<Vec<u8>, WeightError> {
    let mut config = weights::load_config(network)?;
    check_pair(&config, decoder)?;
    config.decoder_apart = None;
    let entry = (METADATA_KEY, json(&config)?);
    selected(&[network, decoder], &|_| true, entry).map_err(WeightError::Write)
}

fn json(value: &impl serde::Serialize) -> Result<String, WeightError> {
    serde_json::to_string(value).map_err(WeightError::BadConfig)
}

#[cfg(feature = "native")]
pub use files::{PartedFiles, ReadError, completed, decoder_beside, split};

/// Parting and joining such files, on a disk.
#[cfg(feature = "native")]
mod files {
    use std::path::{Path, PathBuf};

    use thiserror::Error;

    use super::*;
    use crate::data::digest;
    use crate::network::names::{PAINTER, is_decoders};
    use crate::store::{self, StoreError};

    /// Digits of a decoder's id.
    const ID_DIGITS: usize = 16;

    /// What ends the name of a decoder's file, before its extension.
    const DECODER_SUFFIX: &str = "-decoder";

    /// Why a weight file could not be completed.
    #[derive(Debug, Error)]
    pub enum ReadError {
        /// The decoder's file is not there.
        #[error(
            "{network} has its decoder in a file of its own, {}: put it there, or join both by `fersnet join`",
            decoder.display()
        )]
        DecoderMissing {
            /// The network's file.
            network: String,
            /// Where the decoder was looked for.
            decoder: PathBuf,
        },
        /// A file that is there cannot be read.
        #[error(transparent)]
        Store(#[from] StoreError),
        /// The decoder is refused.
        #[error("{}: {error}", path.display())]
        Weights {
            /// The decoder's file.
            path: PathBuf,
            /// What is wrong.
            error: WeightError,
        },
    }

    /// The files that a network is parted into.
    pub struct PartedFiles {
        /// What recognises, with the configuration.
        pub recognition: Vec<u8>,
        /// The decoder.
        pub decoder: Vec<u8>,
        /// The mouth painter, where there is one.
        pub painter: Option<Vec<u8>>,
    }

    /// Parts a weight file; its numbers stay as they are stored.
    ///
    /// # Errors
    /// [`WeightError`] when it is no weight file, or its network synthesises nothing.
    pub fn split(whole: &[u8]) -> Result<PartedFiles, WeightError> {
        let config = weights::load_config(whole)?;
        if !config.synthesises() {
            return Err(WeightError::DecoderNotNeeded);
        }
        let id: String = digest(whole).chars().take(ID_DIGITS).collect();
        let painter = config.painter.map(|config| json(&config)).transpose()?;
        let is_painters = |name: &str| name.split('.').next() == Some(PAINTER);
        let parted = NetworkConfig {
            decoder_apart: Some(id.clone()),
            painter: None,
            ..config
        };
        let part = |is_wanted: &dyn Fn(&str) -> bool, entry| {
            selected(&[whole], is_wanted, entry).map_err(WeightError::Write)
        };
        Ok(PartedFiles {
            recognition: part(
                &|name| !is_decoders(name) && !is_painters(name),
                (METADATA_KEY, json(&parted)?),
            )?,
            decoder: part(&is_decoders, (DECODER_KEY, id))?,
            painter: painter
                .map(|json| part(&is_painters, (PAINTER_KEY, json)))
                .transpose()?,
        })
    }

    /// A weight file that was read, with its decoder where that is in a file of its own beside it.
    ///
    /// # Errors
    /// [`ReadError`] when there is no such file, or it is refused.
    pub fn completed(bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>, ReadError> {
        // What is no weight file is refused by the one who loads it.
        let is_parted =
            weights::load_config(&bytes).is_ok_and(|config| config.decoder_apart.is_some());
        if !is_parted {
            return Ok(bytes);
        }
        let decoder = decoder_beside(path);
        if !decoder.exists() {
            return Err(ReadError::DecoderMissing {
                network: path.display().to_string(),
                decoder,
            });
        }
        join(&bytes, &store::read(&decoder)?).map_err(|error| ReadError::Weights {
            path: decoder,
            error,
        })
    }

    /// Where the decoder of a weight file lies: `NAME-decoder.safetensors` beside `NAME.safetensors`.
    pub fn decoder_beside(path: &Path) -> PathBuf {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let end = path.extension().unwrap_or_default().to_string_lossy();
        path.with_file_name(format!("{stem}{DECODER_SUFFIX}.{end}"))
    }
}
