//! face-api.js's expression network in plain Burn tensors: a face -> seven expressions.
//!
//! Four blocks of depthwise-separable convolutions whose sums feed on all earlier ones, then one
//! linear layer (`src/faceFeatureExtractor`, `src/faceExpressionNet` of the package).

use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use super::layers::{Weights, refuse};
use super::{EvaluatorError, Square, centred, rows};

/// The weights; where they come from stands beside the file.
const WEIGHTS: &[u8] = include_bytes!("../../weights/evaluator-expression.safetensors");

/// Side of the input.
const INPUT: usize = 112;

/// Channels of the four blocks.
const WIDTHS: [usize; 4] = [32, 64, 128, 256];

/// What the evaluator knows, in its order and by FER+'s names. Contempt is not among them.
const CLASSES: [&str; 7] = [
    "neutral",
    "happiness",
    "sadness",
    "anger",
    "fear",
    "disgust",
    "surprise",
];

/// The network's weights.
#[derive(Debug, Clone)]
pub struct ExpressionEvaluator {
    blocks: Vec<Vec<Convolution>>,
    linear: Tensor<2>, // [256, 7]
    bias: Tensor<1>,   // [7]
}

/// A convolution over all channels, or one within each and then one over them.
#[derive(Debug, Clone)]
struct Convolution {
    depthwise: Option<Tensor<4>>, // [c_in, 1, 3, 3]
    weight: Tensor<4>,            // [c_out, c_in, k, k]
    bias: Tensor<1>,              // [c_out]
}

impl ExpressionEvaluator {
    /// The part of a face cut by its eyes that it reads best: of the squares that
    /// `examples/evaluator_square.rs` tries, the one with the best accuracy on FER+ training pictures.
    pub const EYE_ALIGNED: Square = Square {
        left: 0.05,
        top: 0.1,
        side: 0.9,
    };

    /// The network with the embedded weights.
    ///
    /// # Errors
    /// [`EvaluatorError`] when they are damaged.
    pub fn load(device: &Device) -> Result<Self, EvaluatorError> {
        let weights = Weights::open(WEIGHTS, device)?;
        let mut blocks = Vec::new();
        let mut channels = 3;
        for (b, width) in WIDTHS.into_iter().enumerate() {
            let mut block = Vec::new();
            for c in 0..4 {
                let name = format!("dense{b}.conv{c}");
                block.push(Convolution::load(&weights, &name, channels, width)?);
                channels = width;
            }
            blocks.push(block);
        }
        let linear: Tensor<2> = weights.tensor("fc.weights")?;
        if linear.dims() != [channels, CLASSES.len()] {
            return Err(refuse("fc.weights", "another number of classes"));
        }
        Ok(Self {
            blocks,
            linear,
            bias: weights.tensor("fc.bias")?,
        })
    }

    /// The expressions, in the order of the answers.
    pub fn classes() -> Vec<String> {
        CLASSES.map(str::to_owned).to_vec()
    }

    /// Scores `[n][7]` before the softmax of the `square` of faces `[n, c, size, size]` in 0..1.
    ///
    /// # Errors
    /// [`EvaluatorError::Device`].
    pub fn logits(
        &self,
        faces: Tensor<4>,
        square: Square,
    ) -> Result<Vec<Vec<f32>>, EvaluatorError> {
        let mut x = centred(square.cut(faces, INPUT)); // [n, 3, 112, 112]
        for block in &self.blocks {
            x = dense_block(block, x);
        } // [n, 256, 7, 7]
        let [n, channels, ..] = x.dims();
        let x = x.mean_dim(3).mean_dim(2).reshape([n, channels]); // [n, 256]
        rows(x.matmul(self.linear.clone()) + self.bias.clone().unsqueeze()) // [n, 7]
    }
}

/// The first convolution halves; each later one reads the sum of all before it.
fn dense_block(convolutions: &[Convolution], x: Tensor<4>) -> Tensor<4> {
    let mut sum: Option<Tensor<4>> = None;
    let mut x = x;
    for convolution in convolutions {
        let y = convolution.forward(x, sum.is_none());
        // The first activation comes before the sum, the others after it.
        let y = match sum {
            None => relu(y),
            Some(sum) => sum + y,
        };
        sum = Some(y.clone());
        x = relu(y);
    }
    x // [n, c_out, h / 2, w / 2]
}

impl Convolution {
    fn load(
        weights: &Weights,
        name: &str,
        c_in: usize,
        c_out: usize,
    ) -> Result<Self, EvaluatorError> {
        // Only the very first one is not separated.
        let separated = c_in != 3;
        let kernel = if separated { 1 } else { 3 };
        let part = if separated {
            "pointwise_filter"
        } else {
            "filters"
        };
        let name_of = |part: &str| format!("{name}.{part}");
        let weight: Tensor<4> = weights.tensor(&name_of(part))?;
        if weight.dims() != [c_out, c_in, kernel, kernel] {
            return Err(refuse(&name_of(part), "another shape"));
        }
        let depthwise: Option<Tensor<4>> = separated
            .then(|| weights.tensor(&name_of("depthwise_filter")))
            .transpose()?;
        if depthwise
            .as_ref()
            .is_some_and(|w| w.dims() != [c_in, 1, 3, 3])
        {
            return Err(refuse(&name_of("depthwise_filter"), "another shape"));
        }
        let bias: Tensor<1> = weights.tensor(&name_of("bias"))?;
        if bias.dims() != [c_out] {
            return Err(refuse(&name_of("bias"), "another shape"));
        }
        Ok(Self {
            depthwise,
            weight,
            bias,
        })
    }

    /// TensorFlow's "same" padding puts the odd pixel of a halving convolution at the end.
    fn forward(&self, x: Tensor<4>, halve: bool) -> Tensor<4> {
        let (stride, padding) = if halve { (2, (0, 1)) } else { (1, (1, 1)) };
        let spatial =
            |groups| ConvOptions::new_with_padding([stride; 2], [padding; 2], [1, 1], groups);
        let bias = Some(self.bias.clone());
        match &self.depthwise {
            None => conv2d(x, self.weight.clone(), bias, spatial(1)),
            Some(depthwise) => {
                let channels = x.dims()[1];
                let x = conv2d(x, depthwise.clone(), None, spatial(channels));
                let over_channels = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
                conv2d(x, self.weight.clone(), bias, over_channels)
            }
        }
    }
}
