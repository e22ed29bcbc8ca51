//! The operations, one a file: public function, reference implementation, and who computes it where.

mod box_mean;
mod chain;
mod concat;
mod conv;
mod convflu;
mod head;
mod linear;
mod resample;
mod style;

pub use box_mean::{box_mean, box_mean_reference};
pub use chain::{Chain, ChainLayer, Slope, chain, chain_reference};
pub use concat::{concat, concat_reference};
pub use conv::{
    Layer, fused_conv, fused_conv_pooled, fused_conv_reference, instance_norm, max_pool,
};
pub use convflu::{PreparedPair, convflu, convflu_prepared, convflu_reference};
pub use head::{head, head_reference, warp};
pub use linear::{LinearLayer, linear, linear_reference};
pub use resample::resample;
pub use style::{fused_conv_beside_style, style, style_reference};
