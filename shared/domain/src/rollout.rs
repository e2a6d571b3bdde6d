//! Canary: a remedy that touches many members is tried on one of them first, and goes on only where that was verified.
//!
//! A canary and what follows it are one remedy on its resource: they count once against the guard *repeated*, and a
//! verified canary holds no cool-down against its own rest. The rule is in `docs/canary.md`.

use crate::change::{Action, ChangeKind};
use crate::ids::ChangeId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The part of a change in a remedy that touches many members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "part")]
pub enum Rollout {
    /// One member first.
    Canary {
        /// Members that the remedy is meant for, this one included.
        of: u32,
        /// The kind of change that follows for all of them if this one helps.
        then: ChangeKind,
    },
    /// All members, after a canary that was verified.
    Rest {
        /// The canary.
        canary: ChangeId,
    },
}

impl Rollout {
    /// True for the rest that follows this canary.
    pub fn follows(&self, change: &ChangeId) -> bool {
        matches!(self, Self::Rest { canary } if canary == change)
    }

    /// True for a canary.
    pub fn is_canary(&self) -> bool {
        matches!(self, Self::Canary { .. })
    }
}

/// An action in words, with its part in a rollout.
pub fn in_words(action: &Action, rollout: Option<&Rollout>) -> String {
    match rollout {
        Some(rollout) => format!("{action} ({rollout})"),
        None => action.to_string(),
    }
}

impl fmt::Display for Rollout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canary { of, .. } => write!(f, "canary: one of {of} first; the others follow if it helps"),
            Self::Rest { .. } => f.write_str("the rest, after a canary that helped"),
        }
    }
}
