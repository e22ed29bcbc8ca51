//! EMA, the exponential moving average of a network's weights (Polyak and Juditsky, 1992): steadier than the
//! last weights, and what gets shipped.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use crate::network::Network;

/// Moves an average towards a network: average = rate . average + (1 - rate) . network. Rate 0
/// makes it the network itself.
pub fn update_ema(average: Network, network: &Network, rate: f64) -> Network {
    let network = network.valid();
    if rate == 0.0 {
        return network;
    }
    // A painter stands still, to the last bit, while its network learns.
    let (average, painter) = average.without_painter();
    let (network, _) = network.without_painter();
    blend(average, &network, rate).with_painter(painter)
}

/// The same for any module whose parameters stand in one order.
pub(super) fn blend<M: Module>(average: M, module: &M, rate: f64) -> M {
    let mut values = Values(Vec::new());
    module.visit(&mut values);
    let mut blend = Blend {
        values: values.0.into_iter(),
        rate,
    };
    average.map(&mut blend)
}

struct Values(Vec<Tensor<1>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().reshape([-1]));
    }
}

struct Blend {
    values: std::vec::IntoIter<Tensor<1>>,
    rate: f64,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(value) = self.values.next() else {
            return param;
        };
        let rate = self.rate;
        param.map(|old| {
            let shape = old.dims();
            old * rate + value.reshape(shape) * (1.0 - rate)
        })
    }
}
