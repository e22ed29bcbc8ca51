//! The network as it answers: on the CPU operation by operation, on WebGPU by plans that are
//! recorded once and replayed for every face.
//!
//! A plan is the network's own [`encode`](InferenceNetwork::encode) or
//! [`decode`](InferenceNetwork::decode), recorded;
//! nothing of it is written a second time.

use std::cell::{Cell, OnceCell, RefCell};

use burn::tensor::{Device, Tensor, TensorData};

use super::weights::{self, WeightError};
use super::{Encoded, FACE_SIZE, InferenceNetwork, Network, NetworkConfig, Synthesised};
use crate::kernels::{CapturedGraph, GraphError, kernels_available};
use crate::painter::{INPUTS, InferencePainter};

/// The widest network all of whose steps run by the kernels: from width 121 on, the weights of the 2021
/// edition's joint block are more than the 128 MiB that every adapter binds.
const WIDEST: usize = 120;

/// A frozen network on its device, which answers face by face.
pub struct Inference {
    network: InferenceNetwork,
    device: Device,
    plans: Option<Plans>,
    /// A painter that came in a file of its own.
    painter: OnceCell<(NetworkConfig, InferencePainter)>,
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
    /// Its features lie in the plan's buffers until the next face is encoded there, which is then
    /// the `turn`-th; later the face is encoded again.
    Pixels { values: Vec<f32>, turn: Cell<u64> },
}

/// The recorded runs. Decoding exists for one target and for as many as there are classes; what is
/// between is filled up, so that no pipeline has to be compiled while a visitor waits.
struct Plans {
    encode: OnceCell<EncodePlan>,
    decode: RefCell<Vec<DecodePlan>>,
    /// Counts the faces that were encoded.
    turn: Cell<u64>,
}

type EncodePlan = CapturedGraph<(InferenceNetwork, Tensor<4>), Encoded>;
type DecodePlan = CapturedGraph<(InferenceNetwork, Encoded, Tensor<2>), Option<Synthesised>>;

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
            plans: None,
            painter: OnceCell::new(),
        })
    }

    /// Freezes a network, its weights prepared for the device that its faces lie on.
    pub fn new(network: Network, device: Device) -> Self {
        let plans = kernels_available(&device).then(|| Plans {
            encode: OnceCell::new(),
            decode: RefCell::default(),
            turn: Cell::new(0),
        });
        Self {
            network: network.into_inference_on(&device),
            device,
            plans,
            painter: OnceCell::new(),
        }
    }

    /// What kind of network answers, with the painter that was added.
    pub fn config(&self) -> &NetworkConfig {
        let added = self.painter.get().map(|(config, _)| config);
        added.unwrap_or(self.network.config())
    }

    /// Encodes one face, `[k, 96, 96]` with values in `[0, 1]`: its scores, and the face for
    /// [`decode`](Self::decode).
    ///
    /// # Errors
    /// [`GraphError`] when the device refuses.
    pub fn encode(&self, values: Vec<f32>) -> Result<(Scores, EncodedFace), GraphError> {
        let Some(plans) = &self.plans else {
            let encoded = self.network.encode(self.face(values), false);
            let scores = Scores::of(&encoded);
            return Ok((scores, EncodedFace(Kept::Features(Box::new(encoded)))));
        };
        let scores = Scores::of(self.replay_encode(plans, values.clone())?);
        let turn = Cell::new(plans.turn.get());
        Ok((scores, EncodedFace(Kept::Pixels { values, turn })))
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
        let (plans, values, turn) = match (&face.0, &self.plans) {
            (Kept::Features(encoded), _) => {
                return Ok(self.network.decode(encoded, on_device(targets.len())));
            }
            (Kept::Pixels { values, turn }, Some(plans)) => (plans, values, turn),
            (Kept::Pixels { values, .. }, None) => {
                let encoded = self.network.encode(self.face(values.clone()), false);
                return Ok(self.network.decode(&encoded, on_device(targets.len())));
            }
        };
        if turn.get() != plans.turn.get() {
            self.replay_encode(plans, values.clone())?;
            turn.set(plans.turn.get());
        }
        let encoded = self.encode_plan(plans)?.outputs();
        let rows = if targets.len() == 1 { 1 } else { classes };
        let mut recorded = plans.decode.borrow_mut();
        let position = match recorded.iter().position(|plan| rows_of(plan) == rows) {
            Some(position) => position,
            None => {
                let inputs = (self.network.clone(), encoded.clone(), on_device(rows));
                let run = |(network, encoded, targets): &(InferenceNetwork, Encoded, Tensor<2>)| {
                    network.decode(encoded, targets.clone())
                };
                recorded.push(CapturedGraph::capture(&self.device, inputs, run)?);
                recorded.len() - 1
            }
        };
        let plan = &recorded[position];
        plan.write(|(_, _, targets)| targets, table(rows));
        Ok(plan.launch()?.clone())
    }

    /// Adds the painter of a file of its own; one that is there already stays.
    ///
    /// # Errors
    /// [`WeightError`] when the file is refused.
    pub fn add_painter(&self, file: &[u8]) -> Result<(), WeightError> {
        let on = if self.plans.is_some() {
            Device::flex()
        } else {
            self.device.clone()
        };
        let (config, painter) = weights::load_painter(file, &on)?;
        let config = NetworkConfig {
            painter: Some(config),
            ..self.network.config().clone()
        };
        if self.network.painter().is_none() {
            let _ = self.painter.set((config, InferencePainter::new(painter)));
        }
        Ok(())
    }

    /// The mouth painter, from the weight file or from one of its own.
    fn painter(&self) -> Option<&InferencePainter> {
        let own = self.network.painter();
        own.or_else(|| Some(&self.painter.get()?.1))
    }

    /// The painter's answers to `count` mouths, each [`INPUTS`] planes: a batch of at least as many, in
    /// their order. None where the network has no painter.
    pub fn paint(&self, mut inputs: Vec<f32>, count: usize) -> Option<Tensor<4>> {
        let (config, painter) = (self.config().painter?, self.painter()?);
        let (width, height) = (config.crop_width, config.crop_height());
        // As in decoding: for what is between no pipeline has to be compiled.
        let rows = match &self.plans {
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

    fn replay_encode<'a>(
        &self,
        plans: &'a Plans,
        values: Vec<f32>,
    ) -> Result<&'a Encoded, GraphError> {
        let plan = self.encode_plan(plans)?;
        plan.write(|(_, x)| x, values);
        plans.turn.set(plans.turn.get() + 1);
        plan.launch()
    }

    fn encode_plan<'a>(&self, plans: &'a Plans) -> Result<&'a EncodePlan, GraphError> {
        if let Some(plan) = plans.encode.get() {
            return Ok(plan);
        }
        let x = self.face(vec![0.0; self.config().channels * FACE_SIZE * FACE_SIZE]);
        let run = |(network, x): &(InferenceNetwork, Tensor<4>)| network.encode(x.clone(), false);
        let plan = CapturedGraph::capture(&self.device, (self.network.clone(), x), run)?;
        Ok(plans.encode.get_or_init(|| plan))
    }
}

fn rows_of(plan: &DecodePlan) -> usize {
    plan.inputs().2.dims()[0]
}
