//! Findings: diagnosed problems with their evidence.

use crate::ids::{ResourceId, RuleId, SignalId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A diagnosed problem of one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule that found it.
    pub rule: RuleId,
    /// The resource it concerns.
    pub resource: ResourceId,
    /// The member of the resource (an instance), where it is one.
    pub member: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// How sure the rule is, 0 to 1.
    pub confidence: f64,
    /// One sentence for a person, with the numbers.
    pub summary: String,
    /// The measurements that prove it.
    pub evidence: Vec<Evidence>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Opportunity, maintenance.
    Low,
    /// A trend, an anomaly of cost.
    Medium,
    /// Degradation, a capacity warning.
    High,
    /// Service down or data at risk.
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}

/// One number that supports a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The signal.
    pub signal: SignalId,
    /// Its level, in the signal's unit.
    pub value: f64,
    /// What it was compared with, in the same unit, where there is something.
    pub reference: Option<f64>,
    /// What the comparison says, in a few words.
    pub note: String,
}

impl Evidence {
    /// Evidence without a reference value.
    pub fn level(signal: &str, value: f64, note: impl Into<String>) -> Self {
        Self { signal: SignalId::from(signal), value, reference: None, note: note.into() }
    }

    /// Evidence compared with a reference value.
    pub fn against(signal: &str, value: f64, reference: f64, note: impl Into<String>) -> Self {
        Self { signal: SignalId::from(signal), value, reference: Some(reference), note: note.into() }
    }
}
