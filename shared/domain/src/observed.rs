//! Missing is a value: what could not be measured carries the reason why and is never taken for zero or healthy.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A quantity that was read, or the reason why it was not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed<T> {
    /// The value as read.
    Known(T),
    /// Not read, and why.
    Missing(Missing),
}

impl<T> Observed<T> {
    /// The value, if known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Missing(_) => None,
        }
    }

    /// True when the value could not be read.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing(_))
    }

    /// Applies `f` to a known value and keeps a reason as it is.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Self::Known(value) => Observed::Known(f(value)),
            Self::Missing(reason) => Observed::Missing(reason),
        }
    }
}

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason", content = "detail")]
pub enum Missing {
    /// The service answered, but holds no datapoint in the window.
    NoData,
    /// The newest datapoint is older than allowed; the age in seconds.
    Stale(u64),
    /// The call was refused by IAM; the permission that is lacking.
    Denied(String),
    /// The service throttled the call until the retries were used up.
    Throttled,
    /// The call failed otherwise; one sentence.
    Failed(String),
    /// Only a part of the answer came (a page was lost, `PartialData`).
    Partial,
    /// The resource went away during the run.
    Gone,
    /// This quantity needs something that is not set up, for example the CloudWatch agent.
    NotPublished(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoData => f.write_str("no datapoint in the window"),
            Self::Stale(age_s) => write!(f, "the newest datapoint is {age_s} s old"),
            Self::Denied(permission) => write!(f, "access denied: grant {permission}"),
            Self::Throttled => f.write_str("throttled by the service"),
            Self::Failed(why) => write!(f, "the read failed: {why}"),
            Self::Partial => f.write_str("only a part of the answer arrived"),
            Self::Gone => f.write_str("the resource is gone"),
            Self::NotPublished(what) => write!(f, "not published: {what}"),
        }
    }
}
