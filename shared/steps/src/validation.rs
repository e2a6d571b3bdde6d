//! What measuring after the wait came to, the artifact `validation`.

use domain::execution::Cycle;
use domain::outcome::Outcome;
use serde::{Deserialize, Serialize};

/// Verdicts on the changes of an iteration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// The cycle that measured.
    #[serde(default)]
    pub cycle: Cycle,
    /// Health score after waiting, where one was measured.
    pub score: Option<f64>,
    /// One verdict per change of this iteration, then those on changes that were left by others.
    pub outcomes: Vec<Outcome>,
}
