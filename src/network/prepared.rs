//! Layers with their prepared weights: laid out once for the kernels, where the network is frozen.
//!
//! Each layer's file has a `Prepared...` type beside its layers with a field for each of them. A forward
//! pass gets it from an [`InferenceNetwork`](super::InferenceNetwork), and `None` from a trainable
//! [`Network`](super::Network), whose weights the kernels then lay out anew at each call.

use burn::nn::Linear;

use crate::kernels::{Convolution, Layer, LinearLayer, Prepared};

/// A convolution, with its prepared weights where there are some.
pub fn conv_layer<'a>(
    convolution: impl Into<Convolution<'a>>,
    prepared: Option<&'a Prepared>,
) -> Layer<'a> {
    match prepared {
        Some(prepared) => Layer::prepared(convolution, prepared),
        None => convolution.into().into(),
    }
}

/// A linear layer, with its prepared weights where there are some.
pub fn linear_layer<'a>(linear: &'a Linear, prepared: Option<&'a Prepared>) -> LinearLayer<'a> {
    match prepared {
        Some(prepared) => LinearLayer::prepared(linear, prepared),
        None => linear.into(),
    }
}
