//! Optimisers and learning rates from a run's numbers.

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer};

use super::config::{Method, OptimiserTable, Schedule};

/// A new optimiser, without any moments yet.
pub fn optimiser(table: &OptimiserTable) -> ModuleOptimizer {
    let clipping =
        (table.clip_norm > 0.0).then_some(GradientClippingConfig::Norm(table.clip_norm as f32));
    let (beta_1, beta_2) = (table.beta_1 as f32, table.beta_2 as f32);
    let (epsilon, decay) = (table.epsilon as f32, table.weight_decay as f32);
    match table.method {
        Method::Adam => AdamConfig::new()
            .with_beta_1(beta_1)
            .with_beta_2(beta_2)
            .with_epsilon(epsilon)
            .with_weight_decay((decay > 0.0).then(|| WeightDecayConfig::new(decay)))
            .with_grad_clipping(clipping)
            .init(),
        Method::AdamW => AdamWConfig::new()
            .with_beta_1(beta_1)
            .with_beta_2(beta_2)
            .with_epsilon(epsilon)
            .with_weight_decay(decay)
            .with_grad_clipping(clipping)
            .init(),
    }
}

/// The learning rate of a step, of `steps` in all: warm-up, then as the schedule says.
pub fn learning_rate(table: &OptimiserTable, step: usize, steps: usize) -> f64 {
    let done = step as f64 / steps.max(1) as f64; // part of the run
    let rising = (step + 1) as f64 / table.warm_up.max(1) as f64;
    let falling = match table.schedule {
        Schedule::Constant => 1.0,
        Schedule::Cosine => {
            let half_cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
            table.last_rate + (1.0 - table.last_rate) * half_cosine
        }
        Schedule::Drops => {
            let passed = table.drops.iter().filter(|at| done >= **at).count();
            table.drop_factor.powi(passed as i32)
        }
    };
    table.rate * rising.min(falling).min(1.0)
}
