//! The network alone, for the benches of www/bench.html: no picture, no face detector.
//!
//! Each run uploads its input, computes and reads everything back, as a session of another library
//! does, so that JavaScript times both with one clock. The values come back too, so that a bench can
//! tell whether all sides computed the same.

use std::cell::OnceCell;

use burn::tensor::{Device, Tensor, TensorData, Transaction};
use wasm_bindgen::prelude::*;

use super::device::device;
use super::error::{coded_error, js_error};
use crate::kernels::{
    GateConvention, GraphError, PreparedPair, RunOptions, UnitWeights, convflu_prepared, launches,
};
use crate::network::parts;
use crate::network::weights::{self, WeightError};
use crate::network::{EncodedFace, FACE_SIZE, Inference, Network};
use crate::pipeline::PipelineError;

/// The way that the kernels are compared with: plain tensors.
const REFERENCE: RunOptions = RunOptions {
    reference_only: true,
    ..RunOptions::new()
};

/// How many of the crate's own kernels, in WGSL or on the CPU, ran so far: tells plain tensors apart.
#[wasm_bindgen]
pub fn kernel_launches() -> usize {
    launches()
}

/// One ConvFLU pair.
#[wasm_bindgen]
pub struct MeasuredPair {
    pair: PreparedPair,
    convention: GateConvention,
    shape: [usize; 4],
    device: Device,
}

#[wasm_bindgen]
impl MeasuredPair {
    /// A pair for maps `[1, channels, size, size]` with square kernels of `side`: 3 is the 2020
    /// edition's, 1 the 2021 edition's.
    ///
    /// `weights` holds W_r, W_z, U and W of the direction into x, then of the direction into y, each
    /// `[channels, 2 channels or channels, side, side]`.
    ///
    /// # Errors
    /// A JavaScript error when the number of weights is another one, or WebGPU was not started.
    #[wasm_bindgen(constructor)]
    pub fn new(
        side: usize,
        channels: usize,
        size: usize,
        weights: &[f32],
        webgpu: bool,
    ) -> Result<MeasuredPair, JsValue> {
        let convention = match side {
            1 => GateConvention::ZKeepsInput,
            3 => GateConvention::ZTakesCandidate,
            _ => return Err(misuse("a pair's kernels are 1x1 or 3x3")),
        };
        let square = channels * channels * side * side;
        if channels == 0 || size == 0 || weights.len() != 12 * square {
            return Err(misuse("the weights do not fit the pair"));
        }
        let device = device(webgpu)?;
        let (to_x, to_y) = weights.split_at(6 * square);
        let [to_x, to_y] = [to_x, to_y].map(|values| unit(values, channels, side, &device));
        Ok(Self {
            pair: PreparedPair::new(&to_x, &to_y),
            convention,
            shape: [1, channels, size, size],
            device,
        })
    }

    /// Both directions over x and y, each `[1, channels, size, size]`, by the kernels or by plain
    /// tensors: resolves with the new x, followed by the new y.
    ///
    /// # Errors
    /// A JavaScript error when the inputs do not fit or the device fails.
    pub async fn run(&self, x: Vec<f32>, y: Vec<f32>, plain: bool) -> Result<Vec<f32>, JsValue> {
        let [x, y] = [
            upload(x, self.shape, &self.device)?,
            upload(y, self.shape, &self.device)?,
        ];
        let options = RunOptions {
            reference_only: plain,
            ..RunOptions::new()
        };
        let output = options.run(|| convflu_prepared(x, y, &self.pair, self.convention, false));
        let reading = Transaction::default().register(output.x);
        readback(reading.register(output.y)).await
    }
}

/// A network of any weight file.
#[wasm_bindgen]
pub struct MeasuredNetwork {
    inference: Inference,
    /// The same weights on the device itself, for plain tensors: made when they are asked for.
    plain: OnceCell<Network>,
    file: Vec<u8>,
    device: Device,
}

#[wasm_bindgen]
impl MeasuredNetwork {
    /// Loads a weight file and its decoder's onto WebGPU (`init_webgpu` first) or the CPU.
    ///
    /// # Errors
    /// A JavaScript error when a file is refused or WebGPU was not started.
    #[wasm_bindgen(constructor)]
    pub fn new(file: &[u8], decoder: &[u8], webgpu: bool) -> Result<MeasuredNetwork, JsValue> {
        let device = device(webgpu)?;
        let file = parts::join(file, decoder).map_err(refused)?;
        Ok(Self {
            inference: Inference::load(&file, device.clone()).map_err(refused)?,
            plain: OnceCell::new(),
            file,
            device,
        })
    }

    /// Recognises a face `[1, k, 96, 96]` as the page does, or on plain tensors: resolves with the logits.
    ///
    /// # Errors
    /// A JavaScript error when the face does not fit or the device fails.
    pub async fn recognise(&self, face: Vec<f32>, plain: bool) -> Result<Vec<f32>, JsValue> {
        let logits = if plain {
            let plain_network = self.plain()?;
            let face = self.upload(face)?;
            REFERENCE.run(|| plain_network.encode(face, false)).logits
        } else {
            self.encode(face)?.0
        };
        readback(Transaction::default().register(logits)).await
    }

    /// Recognises a face `[1, k, 96, 96]` and synthesises it once for each of the network's expressions, as
    /// the page does or on plain tensors: resolves with the logits, followed by the faces
    /// `[expressions, k, 96, 96]`.
    ///
    /// # Errors
    /// A JavaScript error when the face does not fit, the network synthesises none or the device fails.
    pub async fn redraw(&self, face: Vec<f32>, plain: bool) -> Result<Vec<f32>, JsValue> {
        let config = self.inference.config();
        let targets = config.each_expression();
        let targets = targets.ok_or_else(|| js_error(PipelineError::NoSynthesis))?;
        let shape = [targets.len(), config.target_width()];
        let (logits, drawn) = if plain {
            let plain_network = self.plain()?;
            let face = self.upload(face)?;
            let table = TensorData::new(targets.concat(), shape);
            let table = Tensor::from_data(table, &self.device);
            REFERENCE.run(|| {
                let encoded = plain_network.encode(face, false);
                let drawn = plain_network.decode(&encoded, table);
                (encoded.logits, drawn)
            })
        } else {
            let (logits, face) = self.encode(face)?;
            let drawn = self
                .inference
                .decode(&face, &targets)
                .map_err(graph_error)?;
            (logits, drawn)
        };
        let drawn = drawn.ok_or_else(|| js_error(PipelineError::NoSynthesis))?;
        let reading = Transaction::default().register(logits);
        readback(reading.register(drawn.face)).await
    }

    fn encode(&self, face: Vec<f32>) -> Result<(Tensor<2>, EncodedFace), JsValue> {
        if face.len() != self.inference.config().channels * FACE_SIZE * FACE_SIZE {
            return Err(misuse("the input has another size"));
        }
        let (scores, face) = self.inference.encode(face).map_err(graph_error)?;
        Ok((scores.logits, face))
    }

    fn plain(&self) -> Result<&Network, JsValue> {
        if self.plain.get().is_none() {
            let network = weights::load(&self.file, &self.device).map_err(refused)?;
            let _ = self.plain.set(network);
        }
        self.plain.get().ok_or_else(|| misuse("no network"))
    }

    fn upload(&self, face: Vec<f32>) -> Result<Tensor<4>, JsValue> {
        let channels = self.inference.config().channels;
        upload(face, [1, channels, FACE_SIZE, FACE_SIZE], &self.device)
    }
}

/// The weights of one direction, in the order of [`MeasuredPair::new`].
fn unit(values: &[f32], channels: usize, side: usize, device: &Device) -> UnitWeights {
    let square = channels * channels * side * side;
    let weight = |start: usize, sources: usize| {
        let values = values[start * square..(start + sources) * square].to_vec();
        let shape = [channels, sources * channels, side, side];
        Tensor::from_data(TensorData::new(values, shape), device)
    };
    UnitWeights {
        w_r: weight(0, 2),
        w_z: weight(2, 2),
        u: weight(4, 1),
        w: weight(5, 1),
    }
}

fn upload(values: Vec<f32>, shape: [usize; 4], device: &Device) -> Result<Tensor<4>, JsValue> {
    if values.len() != shape.iter().product::<usize>() {
        return Err(misuse("the input has another size"));
    }
    Ok(Tensor::from_data(TensorData::new(values, shape), device))
}

/// All of a transaction's tensors, one after the other, in one read-back.
async fn readback(reading: Transaction) -> Result<Vec<f32>, JsValue> {
    let read = reading.execute_async().await;
    let read = read.map_err(|error| js_error(PipelineError::Device(error.to_string())))?;
    Ok(read.iter().flat_map(TensorData::iter::<f32>).collect())
}

fn refused(error: WeightError) -> JsValue {
    js_error(PipelineError::Weights(error))
}

fn graph_error(error: GraphError) -> JsValue {
    js_error(PipelineError::Graph(error))
}

/// A mistake of the bench itself.
fn misuse(text: &str) -> JsValue {
    coded_error(text, "internal")
}
