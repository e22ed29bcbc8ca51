//! A run of the network's kernels that is captured once and launched again with new numbers: its
//! buffers, pipelines and bind groups are made at the capture, and a launch only encodes the dispatches.
//!
//! The graph is cubecl's; on wgpu it is a list of dispatches, each resolved down to what WebGPU
//! needs. It holds dispatches alone: an operation that uploads numbers or reads them back is refused.

use burn::backend::tensor::FloatTensor;
use burn::backend::wgpu::{CubeBackend, CubeTensor};
use burn::backend::{Backend, Dispatch, DispatchDevice, backend_extension};
use burn::cubecl::client::{Client, Graph};
use burn::cubecl::server::ServerError;
use burn::tensor::{Bytes, Device, Tensor};
use thiserror::Error;

use super::shader::keeping_buffers;
use crate::kernels::launches::{count_launches, launches};
use crate::kernels::route::Route;

/// Why a run could not be captured or launched.
#[derive(Debug, Error)]
pub enum GraphError {
    /// The device launches no kernels of ours.
    #[error("only a device that runs the WGSL kernels can capture a graph")]
    NoKernels,
    /// The device's own words.
    #[error("the device could not capture or launch a graph: {0}")]
    Device(#[from] ServerError),
}

/// A captured run.
///
/// It may be launched only on the thread that captured it, which is where the device orders its
/// work after what was written into the inputs; so it is not `Send`.
pub struct CapturedGraph<I, O> {
    graph: Graph,
    inputs: I,
    outputs: O,
    launches: usize,
    same_thread: std::marker::PhantomData<*const ()>,
}

impl<I, O> CapturedGraph<I, O> {
    /// Runs `run` twice, to prepare weights and to make pipelines and buffers, and then once more to
    /// capture it.
    ///
    /// `run` is a plain function, so that all it reads is in `inputs`, or made by itself; the graph
    /// keeps both for as long as it may be launched.
    ///
    /// # Errors
    /// [`GraphError`] when the device has no kernels, or refuses a part of the run.
    pub fn capture(device: &Device, inputs: I, run: fn(&I) -> O) -> Result<Self, GraphError> {
        let client = client_of(device).ok_or(GraphError::NoKernels)?;
        // The first run may prepare weights; what it leaves is given back.
        drop(run(&inputs));
        client.memory_cleanup()?;
        client.graph_prepare()?;
        // A capture may allocate nothing, and in a page a tensor is given any free buffer that is
        // large enough. So this run leaves one buffer for each launch, in the launches' order: the
        // captured run finds its own, or one before it.
        drop(keeping_buffers(|| run(&inputs)));
        if let Err(error) = client.start_capture() {
            // Leaves the preparation, whatever it says.
            let _ = client.stop_capture();
            return Err(error.into());
        }
        let before = launches();
        let outputs = run(&inputs);
        let launches = launches() - before;
        let graph = client.stop_capture()?;
        client.memory_cleanup()?;
        Ok(Self {
            graph,
            inputs,
            outputs,
            launches,
            same_thread: std::marker::PhantomData,
        })
    }

    /// What the run reads.
    pub fn inputs(&self) -> &I {
        &self.inputs
    }

    /// Puts new numbers into the buffer of an input, for the next launch.
    ///
    /// # Panics
    /// When there are not as many numbers as the input has.
    pub fn write<const D: usize>(&self, input: impl FnOnce(&I) -> &Tensor<D>, values: Vec<f32>) {
        let tensor = input(&self.inputs);
        assert_eq!(
            tensor.shape().num_elements(),
            values.len(),
            "an input keeps its size"
        );
        let bytes = Bytes::from_elems(values);
        let _ = Dispatch::overwrite(tensor.clone().into_dispatch(), bytes);
    }

    /// What the last launch wrote; before the first, nothing that means anything.
    pub fn outputs(&self) -> &O {
        &self.outputs
    }

    /// Runs once more. The outputs are the same tensors each time, with new numbers.
    ///
    /// # Errors
    /// [`GraphError::Device`] when the device refuses.
    pub fn launch(&self) -> Result<&O, GraphError> {
        // SAFETY: every buffer that the run read or wrote lives in `inputs` or `outputs` or is guarded
        // by the graph, and all three live as long as this; clones of the tensors only count the
        // same buffers. Inputs are written by `write`, and the graph launched, on the thread that
        // captured it, as the type is not Send: one stream. A clone of an output that is read on
        // another thread may hold the numbers of an earlier or later launch, never freed memory.
        unsafe { self.graph.replay() }?;
        count_launches(self.launches);
        Ok(&self.outputs)
    }
}

fn client_of(device: &Device) -> Option<Client> {
    match device.as_dispatch() {
        DispatchDevice::Cube(cube) if Route::on(device) == Route::Wgsl => Some(cube.client()),
        _ => None,
    }
}

/// Writing in place, as an operation of the backends that can capture.
#[backend_extension(Cube)]
pub trait GraphBackend: Backend {
    /// The same tensor with other numbers.
    fn overwrite(tensor: FloatTensor<Self>, bytes: Bytes) -> FloatTensor<Self>;
}

impl GraphBackend for CubeBackend {
    fn overwrite(tensor: CubeTensor, bytes: Bytes) -> CubeTensor {
        tensor.client.write(&tensor.handle, bytes);
        tensor
    }
}
