//! What a signal is: its name, where CloudWatch keeps it, its unit, and how a value becomes good or bad.
//!
//! The signals themselves are in [`crate::signals`], one file each and one table.

use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The definition of a signal. Pure data and pure functions.
#[derive(Clone, Copy, Debug)]
pub struct SignalSpec {
    /// Stable name; its last word is the unit where it has one.
    pub id: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// Unit as printed: `ms`, `%`, `count`, `bytes`, `s`.
    pub unit: &'static str,
    /// On which kind of resource it is measured.
    pub kind: ResourceKind,
    /// CloudWatch namespace.
    pub namespace: &'static str,
    /// CloudWatch metric name.
    pub metric: &'static str,
    /// CloudWatch statistic: `Average`, `Sum`, `Maximum`, `p95` …
    pub stat: &'static str,
    /// Multiplies the published value to get the unit above (for example 1,000 for seconds to milliseconds).
    pub scale: f64,
    /// The dimensions for a resource; one set per member where the signal is read per member.
    pub dimensions: fn(&Resource) -> Vec<Target>,
    /// What a period without a datapoint means.
    pub gap: Gap,
    /// What has to be set up before AWS publishes it, if anything: a resource that lacks it is
    /// [`NotPublished`](crate::observed::Missing::NotPublished), not unmeasured.
    pub needs: Option<&'static str>,
    /// How the level counts in the health score; `None` for context that is not judged.
    pub judge: Option<fn(&Resource, &Objectives) -> Option<Judge>>,
}

/// One CloudWatch dimension set to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The member of the resource, when not the resource as a whole.
    pub member: Option<String>,
    /// Name and value of each dimension. Names of custom metrics come from the configuration, all others are fixed.
    pub dimensions: Vec<(Cow<'static, str>, String)>,
}

impl Target {
    /// The resource as a whole.
    pub fn whole(dimensions: Vec<(&'static str, String)>) -> Vec<Self> {
        let dimensions = dimensions.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect();
        vec![Self { member: None, dimensions }]
    }
}

/// What a period without a datapoint means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Nothing is known: a stopped resource stops publishing.
    Unknown,
    /// AWS publishes this count only when it is not zero, and `witness` on the same resource proves that something
    /// was published at all: a gap is zero where the witness is known, unknown elsewhere.
    ZeroWhere {
        /// Id of the signal that is published whenever the resource is alive.
        witness: &'static str,
    },
}

/// How a level is turned into a score from 10 (good) to 1 (bad): 10 up to `good`, 1 from `bad` on, in between on a
/// straight line. `good > bad` where higher is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judge {
    /// Level that is still as good as it gets.
    pub good: f64,
    /// Level at which things are as bad as they get.
    pub bad: f64,
    /// What kind of symptom it is.
    pub role: Role,
}

/// Whether users feel it (a symptom) or it explains what they feel (a cause). The score weighs symptoms more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Users feel it: latency, errors, availability, a backlog.
    Symptom,
    /// A resource is short: utilization, saturation.
    Saturation,
}
