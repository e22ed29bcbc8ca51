//! The network as it answers: on the CPU operation by operation, on WebGPU by graphs that are
//! captured once and launched for every face.
//!
//! A graph is what the network's own [`encode`](InferenceNetwork::encode) or
//! [`decode`](InferenceNetwork::decode) launches: nothing of it is written a second time.

use std::cell::{Cell, OnceCell, RefCell};

use burn::tensor::{Device, Tensor, TensorData};

use super::parts::Parts;
use super::weights::{self, WeightError};
use super::{Encoded, FACE_SIZE, InferenceNetwork, Network, NetworkConfig, PairGates, Synthesised};
use crate::kernels::{CapturedGraph, GraphError, kernels_available};
use crate::painter::INPUTS;

/// The widest network all of whose operations run by the kernels: from width 121 on, the weights of the 2021
/// edition's joint block are more than the 128 MiB that every adapter binds.
const WIDEST: usize = 120;

/// A frozen network on its device, which answers face by face.
pub struct Inference {
    network: InferenceNetwork,
    device: Device,
    graphs: Option<Graphs>,
    /// The same network with the parts that came in files of their own.
    whole: OnceCell<InferenceNetwork>,
}

/// What is recognised of one face, to be read back before the next face is encoded.
pub struct Scores {
    /// `[1, E]`.
    pub logits: Tensor<2>,
    /// The controls that it shows, `[1, K]`; none where the network has no controls.
    pub units: Option<Tensor<2>>,
}

impl Scores {
    fn of(encoded: &Encoded) -> Self {
        Self {
            logits: encoded.logits.clone(),
            units: encoded.units.clone(),
        }
    }
}

/// A face that was encoded, and can be synthesised.
pub struct EncodedFace(Kept);

enum Kept {
    /// Its features are its own.
    Features(Box<Encoded>),
    /// Its features lie in the graph's buffers until the next face is encoded there, which is then
    /// the `turn`-th; later the face is encoded again.
    Pixels { values: Vec<f32>, turn: Cell<u64> },
}

/// The captured graphs. Decoding exists for one target and for as many as there are classes; what is
/// between is filled up, so that no pipeline has to be compiled while a visitor waits.
struct Graphs {
    encode: OnceCell<EncodeGraph>,
    decode: RefCell<Vec<DecodeGraph>>,
    /// Counts the faces that were encoded.
    turn: Cell<u64>,
}

type EncodeGraph = CapturedGraph<(InferenceNetwork, Tensor<4>), Encoded>;
type DecodeGraph = CapturedGraph<(InferenceNetwork, Encoded, Tensor<2>), Option<Synthesised>>;

impl Inference {
    /// Loads a network from the bytes of a weight file.
    ///
    /// # Errors
    /// [`WeightError`] when the file is refused.
    pub fn load(file: &[u8], device: Device) -> Result<Self, WeightError> {
        // A GPU gets its weights prepared by the CPU: else it would compile a kernel for every step of
        // the preparation.
        if kernels_available(&device) {
            let network = weights::load(file, &Device::flex())?;
            if network.config().width <= WIDEST {
                return Ok(Self::new(network, device));
            }
        }
        Ok(Self {
            network: weights::load(file, &device)?.into_inference(),
            device,
            graphs: None,
            whole: OnceCell::new(),
        })
    }

    /// Freezes a network, its weights prepared for the device that its faces lie on.
    pub fn new(network: Network, device: Device) -> Self {
        let graphs = kernels_available(&device).then(|| Graphs {
            encode: OnceCell::new(),
            decode: RefCell::default(),
            turn: Cell::new(0),
        });
        Self {
            network: network.into_inference_on(&device),
            device,
            graphs,
            whole: OnceCell::new(),
        }
    }

    /// The network, with the parts that were added.
    fn network(&self) -> &InferenceNetwork {
        self.whole.get().unwrap_or(&self.network)
    }

    /// What kind of network answers, with the parts that were added.
    pub fn config(&self) -> &NetworkConfig {
        self.network().config()
    }

    /// Encodes one face, `[k, 96, 96]` with values in `[0, 1]`: its scores, and the face for
    /// [`decode`](Self::decode).
    ///
    /// # Errors
    /// [`GraphError`] when the device refuses.
    pub fn encode(&self, values: Vec<f32>) -> Result<(Scores, EncodedFace), GraphError> {
        let Some(graphs) = &self.graphs else {
            let encoded = self.network().encode(self.face(values), false);
            let scores = Scores::of(&encoded);
            return Ok((scores, EncodedFace(Kept::Features(Box::new(encoded)))));
        };
        let scores = Scores::of(self.launch_encode(graphs, values.clone())?);
        let turn = Cell::new(graphs.turn.get());
        Ok((scores, EncodedFace(Kept::Pixels { values, turn })))
    }

    /// The gates of each ConvFLU pair for one face, shallowest first; nothing of the face is kept.
    pub fn gates(&self, values: Vec<f32>) -> Vec<PairGates> {
        self.network().encode(self.face(values), true).gates
    }

    /// Synthesises a face for at most E targets, each the network's vector p: a batch of at least as
    /// many faces as targets, in their order, to be read back before the next one. None where the
    /// network synthesises nothing. The face has to come from this network's [`encode`](Self::encode).
    ///
    /// # Errors
    /// [`GraphError`] when the device refuses.
    pub fn decode(
        &self,
        face: &EncodedFace,
        targets: &[Vec<f32>],
    ) -> Result<Option<Synthesised>, GraphError> {
        if !self.config().synthesises() {
            return Ok(None);
        }
        let (classes, width) = (self.config().classes.len(), self.config().target_width());
        let table = |rows: usize| {
            let mut values = targets.concat();
            values.resize(rows * width, 0.0);
            values
        };
        let on_device = |rows: usize| {
            let data = TensorData::new(table(rows), [rows, width]);
            Tensor::from_data(data, &self.device)
        };
        let (graphs, values, turn) = match (&face.0, &self.graphs) {
            (Kept::Features(encoded), _) => {
                return Ok(self.network().decode(encoded, on_device(targets.len())));
            }
            (Kept::Pixels { values, turn }, Some(graphs)) => (graphs, values, turn),
            (Kept::Pixels { values, .. }, None) => {
                let encoded = self.network().encode(self.face(values.clone()), false);
                return Ok(self.network().decode(&encoded, on_device(targets.len())));
            }
        };
        if turn.get() != graphs.turn.get() {
            self.launch_encode(graphs, values.clone())?;
            turn.set(graphs.turn.get());
        }
        let encoded = self.encode_graph(graphs)?.outputs();
        let rows = if targets.len() == 1 { 1 } else { classes };
        let mut captured = graphs.decode.borrow_mut();
        let position = match captured.iter().position(|graph| rows_of(graph) == rows) {
            Some(position) => position,
            None => {
                let inputs = (self.network().clone(), encoded.clone(), on_device(rows));
                let run = |(network, encoded, targets): &(InferenceNetwork, Encoded, Tensor<2>)| {
                    network.decode(encoded, targets.clone())
                };
                captured.push(CapturedGraph::capture(&self.device, inputs, run)?);
                captured.len() - 1
            }
        };
        let graph = &captured[position];
        graph.write(|(_, _, targets)| targets, table(rows));
        Ok(graph.launch()?.clone())
    }

    /// Adds the parts of files of their own, the decoder and the mouth painter, once: a second call changes
    /// nothing. Faces that were encoded before can be decoded after it.
    ///
    /// # Errors
    /// [`WeightError`] when a file is refused, or belongs to another network.
    pub fn add_parts(&self, files: &[&[u8]]) -> Result<(), WeightError> {
        let on = if self.graphs.is_some() {
            Device::flex()
        } else {
            self.device.clone()
        };
        let parts = Parts::load(files, self.network.config(), &on)?;
        let _ = self.whole.set(self.network.with_parts(parts));
        Ok(())
    }

    /// The painter's answers to `count` mouths, each [`INPUTS`] planes: a batch of at least as many, in
    /// their order. None where the network has no painter.
    pub fn paint(&self, mut inputs: Vec<f32>, count: usize) -> Option<Tensor<4>> {
        let (config, painter) = (self.config().painter?, self.network().painter()?);
        let (width, height) = (config.crop_width, config.crop_height());
        // As in decoding: for what is between no pipeline has to be compiled.
        let rows = match &self.graphs {
            Some(_) if count > 1 => count.max(self.config().classes.len()),
            _ => count,
        };
        inputs.resize(rows * INPUTS * width * height, 0.0);
        let data = TensorData::new(inputs, [rows, INPUTS, height, width]);
        Some(painter.forward(Tensor::from_data(data, &self.device)))
    }

    fn face(&self, values: Vec<f32>) -> Tensor<4> {
        let shape = [1, self.config().channels, FACE_SIZE, FACE_SIZE];
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    fn launch_encode<'a>(
        &self,
        graphs: &'a Graphs,
        values: Vec<f32>,
    ) -> Result<&'a Encoded, GraphError> {
        let graph = self.encode_graph(graphs)?;
        graph.write(|(_, x)| x, values);
        graphs.turn.set(graphs.turn.get() + 1);
        graph.launch()
    }

    fn encode_graph<'a>(&self, graphs: &'a Graphs) -> Result<&'a EncodeGraph, GraphError> {
        if let Some(graph) = graphs.encode.get() {
            return Ok(graph);
        }
        let x = self.face(vec![0.0; self.config().channels * FACE_SIZE * FACE_SIZE]);
        let run = |(network, x): &(InferenceNetwork, Tensor<4>)| network.encode(x.clone(), false);
        let graph = CapturedGraph::capture(&self.device, (self.network().clone(), x), run)?;
        Ok(graphs.encode.get_or_init(|| graph))
    }
}

fn rows_of(graph: &DecodeGraph) -> usize {
    graph.inputs().2.dims()[0]
}
