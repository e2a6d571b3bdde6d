//! Outcomes: did this change help?

use crate::ids::{ChangeId, ResourceId, SignalId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The verification of one change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The change.
    pub change: ChangeId,
    /// The signal that verifies it.
    pub signal: SignalId,
    /// On which resource.
    pub resource: ResourceId,
    /// Verified, regressed or inconclusive.
    pub verdict: Verdict,
    /// Mean level before, in the signal's unit; missing when it could not be measured.
    pub before: Option<f64>,
    /// Mean level after.
    pub after: Option<f64>,
    /// 95 % interval of the difference after − before that the change is credited with.
    pub interval: Option<(f64, f64)>,
    /// Improvement in per cent of the level before; positive is better.
    pub improvement_pct: Option<f64>,
    /// Keep or undo, by the verdict and the written rule of its kind.
    pub keep: bool,
    /// One sentence for a person, with the numbers.
    pub why: String,
    /// When it was measured.
    pub measured_at: Timestamp,
}

/// The three verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It helped, beyond chance.
    Verified,
    /// It made things worse, beyond chance.
    Regressed,
    /// Neither can be told.
    Inconclusive,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verified => "verified",
            Self::Regressed => "regressed",
            Self::Inconclusive => "inconclusive",
        })
    }
}
