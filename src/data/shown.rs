//! What a face is taken to show.

use super::Face;
use crate::answer::argmax;

/// From this intensity on, an expression counts as shown: as a label and as a target.
const SHOWN: f32 = 0.8;

/// Name of the calm face's class, where a data set has one.
const NEUTRAL: &str = "neutral";

/// Index of the neutral class.
pub fn neutral(classes: &[String]) -> Option<usize> {
    classes.iter().position(|name| name == NEUTRAL)
}

impl Face {
    /// The expression that the face is taken to show: its class, else the most voted.
    pub fn expression(&self) -> usize {
        self.class.unwrap_or_else(|| argmax(&self.label))
    }

    /// Whether it clearly shows its expression; a neutral one does so without any intensity.
    pub fn is_shown(&self, neutral: Option<usize>) -> bool {
        self.intensity >= SHOWN || Some(self.expression()) == neutral
    }

    /// Whether it shows controls of no expression.
    pub fn is_free(&self) -> bool {
        self.class.is_none() && self.controls.is_some()
    }

    /// Its expression; none where it shows controls of none.
    pub fn stated_expression(&self) -> Option<usize> {
        (!self.is_free()).then(|| self.expression())
    }
}
