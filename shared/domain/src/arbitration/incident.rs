//! Whether an incident is open on an application, from its runs, its lease and its alarms.

use crate::execution::{ExecutionRecord, Status, Workflow};
use crate::ids::ExecutionId;
use crate::observed::Observed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Alarms that a refusal names.
const NAMED_MAX: usize = 3;

/// What was read about the state of an application.
#[derive(Clone, Debug, PartialEq)]
pub struct Signs {
    /// Who holds the application for the health cycle.
    pub holder: Observed<Option<ExecutionId>>,
    /// Its runs, newest first.
    pub runs: Observed<Vec<ExecutionRecord>>,
    /// Names of its alarms that are in ALARM.
    pub alarms: Observed<Vec<String>>,
}

/// An incident that is open, by what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "shown_by")]
pub enum Incident {
    /// A health run is at work, or waits for an answer.
    AtWork {
        /// The run.
        run: ExecutionId,
    },
    /// The last health run has handed the application over to people.
    HandedOver {
        /// The run.
        run: ExecutionId,
        /// When.
        at: Timestamp,
    },
    /// The last health run has failed, so nobody knows whether the application is well.
    RunFailed {
        /// The run.
        run: ExecutionId,
        /// When.
        at: Timestamp,
    },
    /// Alarms of the application are in ALARM.
    Alarms {
        /// The first of them.
        names: Vec<String>,
        /// How many.
        count: usize,
    },
    /// Whether one is open could not be read.
    Unknown {
        /// What, and why.
        why: String,
    },
}

/// The incident that is open for a run that wants to make something smaller, if there is one. What can't be read is none the
/// less for it: not knowing forbids as well.
///
/// A run that only looked, or found the application switched off, says nothing; nor does one that undid something on order.
/// Without any health run nothing speaks for an incident but the alarms.
pub fn incident(signs: &Signs, own: &ExecutionId) -> Option<Incident> {
    let unknown = |what: &str, why: &dyn fmt::Display| Incident::Unknown { why: format!("{what} ({why})") };
    let holder = match &signs.holder {
        Observed::Known(Some(run)) if run != own => Some(Incident::AtWork { run: run.clone() }),
        Observed::Known(_) => None,
        Observed::Missing(why) => Some(unknown("who is at work on it", why)),
    };
    let runs = || match &signs.runs {
        Observed::Known(runs) => by_runs(runs, own),
        Observed::Missing(why) => Some(unknown("how its last runs ended", why)),
    };
    let alarms = || match &signs.alarms {
        Observed::Known(names) if names.is_empty() => None,
        Observed::Known(names) => {
            Some(Incident::Alarms { names: names.iter().take(NAMED_MAX).cloned().collect(), count: names.len() })
        }
        Observed::Missing(why) => Some(unknown("its alarms", why)),
    };
    holder.or_else(runs).or_else(alarms)
}

/// What the newest health run that says anything says.
fn by_runs(runs: &[ExecutionRecord], own: &ExecutionId) -> Option<Incident> {
    let says_nothing = |run: &ExecutionRecord| {
        run.workflow_type != Workflow::Health
            || run.execution_id == *own
            || (run.status == Status::Completed && !run.success_criteria_met)
    };
    let newest = runs.iter().find(|run| !says_nothing(run))?;
    let (run, at) = (newest.execution_id.clone(), newest.completed_at.unwrap_or(newest.started_at));
    match newest.status {
        Status::Running => Some(Incident::AtWork { run }),
        Status::Escalated => Some(Incident::HandedOver { run, at }),
        Status::Failed => Some(Incident::RunFailed { run, at }),
        Status::Completed => None,
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtWork { run } => write!(f, "run {run} is at work on it"),
            Self::HandedOver { run, at } => {
                write!(f, "run {run} handed it over to people at {at:.0} and none has found it well since")
            }
            Self::RunFailed { run, at } => {
                write!(f, "run {run} failed at {at:.0}, so nobody knows whether it is well")
            }
            Self::Alarms { names, count } => {
                write!(f, "{count} of its alarms in ALARM: {}", names.join(", "))?;
                if *count > names.len() { f.write_str(" …") } else { Ok(()) }
            }
            Self::Unknown { why } => write!(f, "it can't be read: {why}"),
        }
    }
}
