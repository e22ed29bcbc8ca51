//! Checks of a run's numbers that serde cannot make: ranges, and values that contradict each other.

use super::TrainError;
use super::config::RunConfig;
use super::term::Term;
use crate::network::{Edition, FACE_SIZE, Head};

/// Largest number of faces of one kind in a step.
const MAX_FACES: usize = 4096;

impl RunConfig {
    /// Checks that a step can be divided among so many devices.
    ///
    /// # Errors
    /// [`TrainError::Setting`] that names the key.
    pub fn check_devices(&self, devices: usize) -> Result<(), TrainError> {
        let batch = &self.batch;
        for (key, count) in [
            ("batch.labelled", batch.labelled),
            ("batch.pairs", batch.pairs),
            ("batch.unpaired", batch.unpaired),
        ] {
            require(count.is_multiple_of(devices), key, || {
                format!("{count} faces cannot be divided among {devices} devices")
            })?;
        }
        Ok(())
    }

    /// Checks what serde cannot: ranges, and values that contradict each other.
    ///
    /// # Errors
    /// [`TrainError::Setting`] that names the key.
    pub fn validate(&self) -> Result<(), TrainError> {
        self.check_data()?;
        self.check_batch()?;
        self.check_objective()?;
        self.check_optimiser()?;
        self.check_painter()?;
        let run = &self.run;
        require(run.steps > 0 || run.epochs > 0, "run.steps", || {
            "steps or epochs has to be above 0".into()
        })?;
        require(run.checkpoint_every > 0, "run.checkpoint_every", || {
            "at least 1 step".into()
        })?;
        require((0.0..1.0).contains(&run.ema_decay), "run.ema_decay", || {
            "from 0 (off) to below 1".into()
        })
    }

    fn check_data(&self) -> Result<(), TrainError> {
        require(self.data.redraw_every > 0, "data.redraw_every", || {
            "at least 1 step".into()
        })
    }

    fn check_batch(&self) -> Result<(), TrainError> {
        let batch = &self.batch;
        for (key, count) in [
            ("batch.labelled", batch.labelled),
            ("batch.pairs", batch.pairs),
            ("batch.unpaired", batch.unpaired),
        ] {
            require(count <= MAX_FACES, key, || {
                format!("at most {MAX_FACES} faces a step")
            })?;
        }
        require(batch.faces() > 0, "batch.labelled", || {
            "a step needs faces: labelled, pairs or unpaired above 0".into()
        })?;
        require(
            batch.size.is_multiple_of(32) && (64..=512).contains(&batch.size),
            "batch.size",
            || "the side has to be 64, 96, 128 .. 512".into(),
        )?;
        require(
            self.network.edition != Edition::Paper2020 || batch.size == FACE_SIZE,
            "batch.size",
            || format!("the 2020 edition's last layers fit faces of {FACE_SIZE} pixels alone"),
        )?;
        for (key, share) in [
            ("batch.calm_share", batch.calm_share),
            ("batch.pair_label_weight", batch.pair_label_weight),
            ("batch.balance", batch.balance),
            ("batch.class_weights", batch.class_weights),
            ("batch.self_share", batch.self_share),
            ("batch.source_balance", batch.source_balance),
        ] {
            require((0.0..=1.0).contains(&share), key, || "from 0 to 1".into())?;
        }
        let teaches = self.is_adversarial()
            || self.objective.cycle > 0.0
            || self.objective.synthetic_classification > 0.0;
        require(batch.unpaired == 0 || teaches, "batch.unpaired", || {
            "faces without a target need objective.adversarial, cycle or synthetic_classification"
                .into()
        })
    }

    fn check_painter(&self) -> Result<(), TrainError> {
        let painter = &self.painter;
        for (key, share) in [
            ("painter.sharp_share", painter.sharp_share),
            ("painter.drawn_share", painter.drawn_share),
            ("painter.sharpened_share", painter.sharpened_share),
            ("painter.tinted_share", painter.tinted_share),
            ("painter.darkened_share", painter.darkened_share),
            ("painter.told_share", painter.told_share),
            ("painter.own_share", painter.own_share),
            ("painter.on_network", painter.on_network),
        ] {
            require((0.0..=1.0).contains(&share), key, || "from 0 to 1".into())?;
        }
        for (key, value) in [
            ("painter.rate", painter.rate),
            ("painter.adversarial_rate", painter.adversarial_rate),
            ("painter.discriminator_rate", painter.discriminator_rate),
            ("painter.adversarial", painter.adversarial),
            ("painter.most_adaptive", painter.most_adaptive),
            ("painter.features", painter.features),
            ("painter.sharp_from", painter.sharp_from),
            ("painter.least_area", painter.least_area),
        ] {
            let is_fit = value.is_finite() && value >= 0.0;
            require(is_fit, key, || "0 or more".into())?;
        }
        require(painter.steps() > 0, "painter.l1_steps", || {
            "l1_steps or adversarial_steps has to be above 0".into()
        })?;
        require(
            (1..=MAX_FACES).contains(&painter.batch),
            "painter.batch",
            || format!("1 to {MAX_FACES} mouths a step"),
        )
    }

    fn check_objective(&self) -> Result<(), TrainError> {
        let terms = &self.objective;
        let weights = Term::ALL.map(|term| (term.name(), terms.weight(term)));
        for (name, weight) in weights.into_iter().chain([("emphasis", terms.emphasis)]) {
            let is_weight = weight.is_finite() && weight >= 0.0;
            require(is_weight, &format!("objective.{name}"), || {
                "a weight is a number from 0 on".into()
            })?;
        }
        let has_controls = !self.network.controls.is_empty();
        require(
            terms.units == 0.0 || has_controls,
            "objective.units",
            || "a network without network.controls reads none".into(),
        )?;
        let is_blend = self.network.head == Head::Blend;
        require(terms.cavity == 0.0 || is_blend, "objective.cavity", || {
            "only network.head = \"blend\" has a cavity map".into()
        })?;
        require(
            terms.adversarial == 0.0 || (1..=100).contains(&terms.discriminator_steps),
            "objective.discriminator_steps",
            || "1 to 100".into(),
        )
    }

    fn check_optimiser(&self) -> Result<(), TrainError> {
        let table = &self.optimiser;
        require(
            table.rate.is_finite() && table.rate > 0.0,
            "optimiser.rate",
            || "a number above 0".into(),
        )?;
        for (key, beta) in [
            ("optimiser.beta_1", table.beta_1),
            ("optimiser.beta_2", table.beta_2),
        ] {
            require((0.0..1.0).contains(&beta), key, || {
                "from 0 to below 1".into()
            })?;
        }
        require(table.epsilon > 0.0, "optimiser.epsilon", || {
            "above 0".into()
        })?;
        for (key, value) in [
            ("optimiser.weight_decay", table.weight_decay),
            ("optimiser.clip_norm", table.clip_norm),
            ("optimiser.last_rate", table.last_rate),
            ("optimiser.drop_factor", table.drop_factor),
        ] {
            require(value.is_finite() && value >= 0.0, key, || {
                "a number from 0 on".into()
            })?;
        }
        require(
            table.drops.iter().all(|part| (0.0..=1.0).contains(part)),
            "optimiser.drops",
            || "each a part of the run, 0 to 1".into(),
        )
    }
}

fn require(holds: bool, key: &str, rule: impl FnOnce() -> String) -> Result<(), TrainError> {
    if holds {
        Ok(())
    } else {
        Err(TrainError::Setting {
            key: key.to_owned(),
            rule: rule(),
        })
    }
}
