//! How a step fails: the five stable names that the state machines retry and catch.

use crate::ports::PortError;
use lambda_runtime::Diagnostic;
use thiserror::Error;

/// Why a step could not do its work. The name of each variant is part of the contract with the state machines.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StepError {
    /// Nothing was changed and the same call may succeed later.
    #[error("{0}")]
    Transient(String),
    /// What the step rests on is out of date: measure again.
    #[error("{0}")]
    Stale(String),
    /// Somebody else holds what this step needs: the lease was lost or the record has moved on.
    #[error("{0}")]
    Conflict(String),
    /// The input or the configuration is wrong; the sentence says what, where, and what would be right.
    #[error("{0}")]
    Config(String),
    /// A defect of the maintainer, or an answer of AWS that it does not understand.
    #[error("{0}")]
    Bug(String),
}

impl StepError {
    /// The stable name, as in the state machine definitions.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Transient(_) => "Step.Transient",
            Self::Stale(_) => "Step.Stale",
            Self::Conflict(_) => "Step.Conflict",
            Self::Config(_) => "Step.Config",
            Self::Bug(_) => "Step.Bug",
        }
    }
}

/// All names, for the contract test with the state machine definitions.
pub const NAMES: [&str; 5] = ["Step.Transient", "Step.Stale", "Step.Conflict", "Step.Config", "Step.Bug"];

impl From<StepError> for Diagnostic {
    fn from(error: StepError) -> Self {
        Self { error_type: error.name().to_owned(), error_message: error.to_string() }
    }
}

impl From<PortError> for StepError {
    fn from(error: PortError) -> Self {
        let text = error.to_string();
        match error {
            // Whoever writes settles an unknown outcome before it lets the error out; for a read it only means "later".
            PortError::Throttled { .. } | PortError::Unknown { .. } => Self::Transient(text),
            PortError::Conflict { .. } => Self::Conflict(text),
            PortError::Denied { .. } | PortError::Gone { .. } => Self::Config(text),
            PortError::Rejected { .. } => Self::Bug(text),
        }
    }
}
