//! In place of captured graphs, where the crate is built without the feature `gpu`: no device can capture one.

use std::convert::Infallible;
use std::marker::PhantomData;

use burn::tensor::{Device, Tensor};
use thiserror::Error;

/// Why a run could not be captured or launched.
#[derive(Debug, Error)]
pub enum GraphError {
    /// The device launches no kernels of ours.
    #[error("only a device that runs the WGSL kernels can capture a graph; this build has none")]
    NoKernels,
}

/// A captured run, of which there is none.
pub struct CapturedGraph<I, O>(Infallible, PhantomData<(I, O)>);

impl<I, O> CapturedGraph<I, O> {
    /// Captures nothing.
    ///
    /// # Errors
    /// [`GraphError::NoKernels`], always.
    pub fn capture(_: &Device, _: I, _: fn(&I) -> O) -> Result<Self, GraphError> {
        Err(GraphError::NoKernels)
    }

    /// What the run reads.
    pub fn inputs(&self) -> &I {
        match self.0 {}
    }

    /// Puts new numbers into the buffer of an input.
    pub fn write<const D: usize>(&self, _: impl FnOnce(&I) -> &Tensor<D>, _: Vec<f32>) {
        match self.0 {}
    }

    /// What the last launch wrote.
    pub fn outputs(&self) -> &O {
        match self.0 {}
    }

    /// Runs once more.
    ///
    /// # Errors
    /// Never: there is nothing to run.
    pub fn launch(&self) -> Result<&O, GraphError> {
        match self.0 {}
    }
}
