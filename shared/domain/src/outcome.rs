//! Outcomes: did this change help?

use crate::change::Better;
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

impl Outcome {
    /// True for a change that stays although its verdict is inconclusive, and whose own signal got better for certain: more of the
    /// same may be planned, because it was seen to relieve.
    pub fn relieved(&self, better: Better) -> bool {
        let is_better = |(low, high): (f64, f64)| match better {
            Better::Lower => high < 0.0,
            Better::Higher => low > 0.0,
        };
        self.keep && self.verdict == Verdict::Inconclusive && self.interval.is_some_and(is_better)
    }
}
