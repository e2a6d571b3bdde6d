//! A plan: ordered changes with everything that was considered and why it was taken or not.

use crate::change::Change;
use crate::finding::Finding;
use crate::ids::{ResourceId, RuleId};
use serde::{Deserialize, Serialize};

/// What `decide` proposes. Data: the executor makes no choice of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Plan {
    /// Changes in the order in which they are to be made: least risk first, and among equals causes before what they
    /// cause.
    pub changes: Vec<Change>,
    /// Each finding that asked for something and did not get it, with the reason.
    pub passed_over: Vec<PassedOver>,
    /// What only planning brings to light: a remedy that is asked for again and again is a finding, not a fix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// The remedy of a finding for which no cycle has one.
pub const OUT_OF_REACH: &str = "none in reach";

/// A remedy that was considered and not planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassedOver {
    /// The rule whose finding it was.
    pub because: RuleId,
    /// The resource.
    pub resource: ResourceId,
    /// What would have been done, in words.
    pub remedy: String,
    /// Why it was not planned, one sentence with numbers.
    pub reason: String,
}
