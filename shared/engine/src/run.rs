//! The run: the one small object that travels between the states of a cycle. Everything large lies in S3 under its keys.

use crate::ports::Lease;
use domain::execution::{Cycle, Workflow};
use domain::ids::{AppId, ChangeId, ExecutionId};
use domain::mode::Mode;
use domain::place::Place;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// State of a run between two steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Application.
    pub app: AppId,
    /// Cycle.
    pub cycle: Cycle,
    /// What it does.
    #[serde(default)]
    pub workflow: Workflow,
    /// Run.
    pub execution_id: ExecutionId,
    /// ARN of the Step Functions execution.
    pub execution_arn: String,
    /// Where the application lives, when that is not the place of the deployment. Fixed when the run begins: what it has
    /// measured in one place it never changes in another, whatever becomes of the configuration meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Addresses under which its users reach the application, at most [`ENDPOINTS_MAX`]: for people, called by nobody here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// 1 for the first iteration.
    pub iteration: u32,
    /// Mode asked for by hand; it can only make the run more careful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What started the run, in words.
    pub trigger: String,
    /// Alarm episode that this run answers, if it was started by alarms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<String>,
    /// The lease under which the run works.
    pub lease: Lease,
    /// What the state machine does next; compared as a plain string.
    pub decision: Decision,
    /// Seconds that the next Wait state waits.
    pub wait_s: u32,
    /// Iteration in which people were asked last: once in an iteration is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_in: Option<u32>,
    /// Seconds that the run waits for an answer, while it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_within_s: Option<u32>,
    /// What a run that was told to observe would do, one sentence per change, for whoever reads its output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preview: Vec<String>,
    /// Health score of the last measurement, for whoever reads the run in the console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// How the run ends, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<String>,
    /// Name and cause of the failure that Step Functions caught, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Caught>,
}

/// A failure as Step Functions hands it to a Catch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caught {
    /// Error name.
    #[serde(rename = "Error")]
    pub name: String,
    /// JSON text of the function's error, or other words.
    #[serde(rename = "Cause", default)]
    pub cause: String,
}

impl Caught {
    /// The sentence inside the cause, where there is one.
    pub fn sentence(&self) -> String {
        serde_json::from_str::<serde_json::Value>(&self.cause)
            .ok()
            .and_then(|cause| cause.get("errorMessage").and_then(|text| text.as_str()).map(str::to_owned))
            .unwrap_or_else(|| if self.cause.is_empty() { self.name.clone() } else { self.cause.clone() })
    }
}

/// What the state machine does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// begin: go on to monitor.
    Proceed,
    /// begin: an earlier run left changes open; settle them first.
    Settle,
    /// begin: another run cares for the application.
    Busy,
    /// monitor: measured.
    Measured,
    /// analyze: there is a plan.
    Act,
    /// analyze: nothing is to be changed.
    NothingToDo,
    /// optimize: carried out as far as the guards let it.
    Done,
    /// optimize: only a person's consent is lacking.
    Ask,
    /// optimize, analyze, finish: the run was told to observe, and has said what it would do.
    Previewed,
    /// analyze, finish: the application is switched off, so there is nothing to judge.
    SwitchedOff,
    /// answer: another run holds the application; to be tried again.
    Wait,
    /// answer: a person said no to everything.
    Denied,
    /// validate: something did not help.
    Undo,
    /// validate: nothing is to be undone.
    Keep,
    /// iterate: measure again.
    Continue,
    /// iterate, finish: the target is verified as reached.
    Succeeded,
    /// iterate: a person must look.
    Escalate,
    /// finish: a person was told.
    Escalated,
    /// finish: the run itself failed.
    Failed,
}

/// All decisions, for the contract test with the state machine definitions.
pub const DECISIONS: [Decision; 19] = [
    Decision::Proceed,
    Decision::Settle,
    Decision::Busy,
    Decision::Measured,
    Decision::Act,
    Decision::NothingToDo,
    Decision::Done,
    Decision::Ask,
    Decision::Previewed,
    Decision::SwitchedOff,
    Decision::Wait,
    Decision::Denied,
    Decision::Undo,
    Decision::Keep,
    Decision::Continue,
    Decision::Succeeded,
    Decision::Escalate,
    Decision::Escalated,
    Decision::Failed,
];

impl Run {
    /// S3 key of an artifact of the current iteration.
    pub fn key(&self, artifact: &str) -> String {
        artifact_key(&self.app, &self.execution_id, self.iteration, artifact)
    }

    /// The place in which the application lives, as far as it can be told.
    pub fn lives_in(&self) -> Option<Place> {
        self.place.clone().or_else(|| self.home())
    }

    /// The place of the deployment, which the ARN of the execution names.
    pub fn home(&self) -> Option<Place> {
        Place::of_arn(&self.execution_arn)
    }

    /// S3 key of the memory of the detectors of the application in its place.
    pub fn memory_key(&self) -> String {
        memory_key(&self.app, self.place.as_ref())
    }

    /// Whether it answers for what this workflow leaves open: work of other cycles goes on under leases of their own, and is
    /// neither settled nor judged nor taken back here.
    pub fn answers_for(&self, workflow: Workflow) -> bool {
        workflow.cycle() == self.cycle
    }

    /// Key of the lease on the application.
    pub fn lease_key(&self) -> String {
        lease_key(self.cycle, &self.app)
    }
}

/// What a rollback is to undo: the artifact `order` of its run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackOrder {
    /// The changes.
    pub changes: BTreeSet<ChangeId>,
    /// What the person added.
    pub remark: String,
}

/// S3 key of an artifact of an iteration of a run.
pub fn artifact_key(app: &AppId, execution: &ExecutionId, iteration: u32, artifact: &str) -> String {
    format!("runs/{app}/{execution}/{iteration}/{artifact}.json")
}

/// S3 key of the story of a run: `txt` for people, `json` for programs.
pub fn story_key(app: &AppId, execution: &ExecutionId, kind: &str) -> String {
    format!("runs/{app}/{execution}/story.{kind}")
}

/// Key of the lease of a cycle on an application.
pub fn lease_key(cycle: Cycle, app: &AppId) -> String {
    format!("lease#{cycle}#{app}")
}

/// Key of the alarm episode of a cycle on an application.
pub fn episode_key(cycle: Cycle, app: &AppId) -> String {
    format!("episode#{cycle}#{app}")
}

/// S3 key of the detectors' memory of an application: what is usual in one place says nothing about another.
fn memory_key(app: &AppId, place: Option<&Place>) -> String {
    match place {
        None => format!("memory/{app}/detectors.json"),
        Some(Place { account, region }) => format!("memory/{app}/{account}/{region}/detectors.json"),
    }
}

/// Addresses of an application that a run carries at most; a state of the state machine stays small.
pub const ENDPOINTS_MAX: usize = 5;

/// Seconds a lease of the health cycle lives without being renewed: longer than the longest wait plus a step, short enough
/// that a crashed run does not block the next scheduled one.
pub const LEASE_TTL_S: u32 = 1_800;
/// The same for the cost cycle, which watches what it has changed for up to a day. A run that is known to be over does not
/// block for that long: whoever begins asks Step Functions.
pub const COST_LEASE_TTL_S: u32 = 100_800;

/// The same for the performance cycle: an index may take a quarter of an hour to build, and the traffic before and after it is watched
/// for up to an hour each.
pub const PERFORMANCE_LEASE_TTL_S: u32 = 14_400;

/// Seconds a lease of this cycle lives without being renewed.
pub fn lease_ttl_s(cycle: Cycle) -> u32 {
    match cycle {
        Cycle::Health => LEASE_TTL_S,
        Cycle::Cost => COST_LEASE_TTL_S,
        Cycle::Performance => PERFORMANCE_LEASE_TTL_S,
    }
}
