//! Why a photo cannot be drawn from, in words.

/// Why a photo did not become a portrait.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unfit {
    /// The mesh has too few points, or points that are no places.
    #[error("no face mesh")]
    NoMesh,
    /// The face is too small to be drawn.
    #[error("too small: the eyes are {0:.0} pixels apart")]
    Small(f64),
    /// The face looks aside, up or down.
    #[error("turned: {aside:.0} degrees to the side, {up:.0} up or down")]
    Turned {
        /// To the side, in degrees.
        aside: f64,
        /// Up or down, in degrees.
        up: f64,
    },
    /// The landmarks do not lie as those of a face.
    #[error("does not fit: RMS {0:.3} of the eyes' distance (covered, turned or cut off?)")]
    DoesNotFit(f64),
    /// The equations have no solution.
    #[error("does not fit: the points say too little")]
    NoSolution,
}
