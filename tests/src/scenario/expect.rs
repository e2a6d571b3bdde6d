//! What must hold at the end of a scenario: the state of the world, never the calls that led there.

use domain::change::ChangeKind;
use domain::outcome::Verdict;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Everything expected of one application.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// How its last run ended; `none` means that no run was started at all.
    pub status: ExpectedStatus,
    /// Number of runs.
    #[serde(default)]
    pub runs: Option<Bounds>,
    /// Rules that at least one analysis must have named.
    #[serde(default)]
    pub findings: Vec<String>,
    /// Changes that were really made, by kind, those undone later included. A kind that is not named must not occur.
    #[serde(default)]
    pub changes: BTreeMap<ChangeKind, Bounds>,
    /// Changes that were undone, by kind. A kind that is not named may occur.
    #[serde(default)]
    pub undone: BTreeMap<ChangeKind, Bounds>,
    /// Verdicts of the measurements, by their name. One that is not named may occur.
    #[serde(default)]
    pub verdicts: BTreeMap<Verdict, Bounds>,
    /// Changes that are neither kept nor undone at the end: none, unless said otherwise.
    #[serde(default)]
    pub open: u32,
    /// Alarms that the run's trigger names, at least.
    #[serde(default)]
    pub alarms_named: Option<usize>,
    /// Whether people were told of an escalation.
    #[serde(default)]
    pub escalation_sent: Option<bool>,
    /// Texts that messages to people must have contained.
    #[serde(default)]
    pub told: Vec<String>,
    /// Number of messages to people about it.
    #[serde(default)]
    pub messages: Option<Bounds>,
    /// The application itself.
    #[serde(default)]
    pub world: WorldExpect,
}

/// How a run may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedStatus {
    /// The target was verified as reached.
    Completed,
    /// Handed over to people.
    Escalated,
    /// The run itself failed.
    Failed,
    /// One of these two.
    Ended,
    /// There was no run.
    None,
}

/// How often something must have happened. Without bounds, any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// Not fewer.
    pub at_least: Option<u32>,
    /// Not more.
    pub at_most: Option<u32>,
}

/// A closed interval.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Smallest allowed value.
    pub min: f64,
    /// Largest allowed value.
    pub max: f64,
}

/// What must hold of the application, read from the cloud at the end. Levels are means of the last five minutes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorldExpect {
    /// Wanted size of the web group.
    pub servers: Option<Range>,
    /// Wanted count of worker tasks.
    pub tasks: Option<Range>,
    /// Instances of the start that are still there.
    pub first_instances_left: Option<Range>,
    /// True: the cache still holds the faulty job's entries. False: they are gone.
    pub cache_poisoned: Option<bool>,
    /// Types of its disks, by their names.
    pub disks: BTreeMap<String, String>,
    /// Number of scheduled actions of its fleets beside the model, by their names.
    pub scheduled: BTreeMap<String, usize>,
    /// Its orders are found by their customer over an index, and no unfinished index is left.
    pub indexed: Option<bool>,
    /// Response time p95 in milliseconds is below.
    pub p95_ms_below: Option<f64>,
    /// Response time p95 in milliseconds is above: the application is still sick.
    pub p95_ms_above: Option<f64>,
    /// Share of failed requests in per cent is below.
    pub error_pct_below: Option<f64>,
    /// CPU of the web group in per cent is below.
    pub cpu_pct_below: Option<f64>,
    /// Memory of the web group in per cent is below.
    pub memory_pct_below: Option<f64>,
    /// Messages that wait are fewer than.
    pub queue_depth_below: Option<f64>,
}

impl Bounds {
    /// True when a count is within.
    pub fn hold(self, count: u32) -> bool {
        self.at_least.is_none_or(|least| count >= least) && self.at_most.is_none_or(|most| count <= most)
    }
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.at_least, self.at_most) {
            (Some(least), Some(most)) if least == most => write!(f, "exactly {least}"),
            (Some(least), Some(most)) => write!(f, "{least} to {most}"),
            (Some(least), None) => write!(f, "at least {least}"),
            (None, Some(0)) => f.write_str("none"),
            (None, Some(most)) => write!(f, "at most {most}"),
            (None, None) => f.write_str("any number"),
        }
    }
}

impl Range {
    /// True when a value is within.
    pub fn holds(self, value: f64) -> bool {
        (self.min..=self.max).contains(&value)
    }
}
