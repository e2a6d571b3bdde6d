//! The record of one run of a cycle on one application, and how it ends.

use crate::approval::Via;
use crate::ids::{AppId, ChangeId, ExecutionId, RequestId};
use crate::mode::Mode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The cycles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// Monitor, analyze, optimize, validate, iterate.
    #[default]
    Health,
    /// Analyze cost, identify savings, implement them in phases, monitor their impact.
    Cost,
    /// Profile, identify bottlenecks, apply fixes, validate improvements.
    Performance,
}

impl Cycle {
    /// What its runs do.
    pub fn workflow(self) -> Workflow {
        match self {
            Self::Health => Workflow::Health,
            Self::Cost => Workflow::Cost,
            Self::Performance => Workflow::Performance,
        }
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Health => "health",
            Self::Cost => "cost",
            Self::Performance => "performance",
        })
    }
}

/// What a run does: a cycle, or what a person orders beside the cycles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workflow {
    /// The health cycle.
    #[default]
    Health,
    /// The cost cycle.
    Cost,
    /// The performance cycle.
    Performance,
    /// Changes are undone because a person orders it.
    Rollback,
}

impl Workflow {
    /// The cycle whose lease its changes are made under, and whose runs answer for what it leaves open. A rollback makes no
    /// change of its own; it takes the lease of the cycle whose changes it undoes.
    pub fn cycle(self) -> Cycle {
        match self {
            Self::Health | Self::Rollback => Cycle::Health,
            Self::Cost => Cycle::Cost,
            Self::Performance => Cycle::Performance,
        }
    }
}

impl fmt::Display for Workflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Health => "health",
            Self::Cost => "cost",
            Self::Performance => "performance",
            Self::Rollback => "rollback",
        })
    }
}

/// State of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Under way.
    Running,
    /// Ended with the target verified as reached.
    Completed,
    /// Ended by an error of ours or of AWS; people were told.
    Failed,
    /// Ended by handing over to people.
    Escalated,
}

/// What one iteration saw and did, in numbers. Kept in the run's record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IterationRecord {
    /// 1 for the first.
    pub iteration: u32,
    /// When its snapshot was taken.
    pub at: Timestamp,
    /// Health score before anything was changed, if the application could be measured.
    pub score: Option<f64>,
    /// Health score after waiting.
    pub score_after: Option<f64>,
    /// When the score after was measured.
    pub measured_at: Option<Timestamp>,
    /// Changes applied.
    pub applied: u32,
    /// Changes verified.
    pub verified: u32,
    /// Changes undone.
    pub undone: u32,
    /// Changes that a guard or a mode refused.
    pub refused: u32,
    /// Nothing was changed for a reason that passes (an answer was lost, a call throttled or too late): the iteration says nothing about
    /// what changes can do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub answer_lost: bool,
}

/// A question to people and its answer. Kept in the run's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerRecord {
    /// The question.
    pub request: RequestId,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Changes that may be made.
    pub approved: Vec<ChangeId>,
    /// Changes that may not: denied, or not answered.
    pub denied: Vec<ChangeId>,
    /// Who answered; `None` when nobody did.
    pub by: Option<String>,
    /// What they added.
    pub remark: String,
    /// Which way it came.
    pub via: Option<Via>,
    /// When.
    pub at: Option<Timestamp>,
}

/// The record of a run, `workflow_executions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionRecord {
    /// Run.
    pub execution_id: ExecutionId,
    /// ARN of the Step Functions execution, for the link in messages.
    pub execution_arn: String,
    /// What it does.
    pub workflow_type: Workflow,
    /// Application.
    pub app: AppId,
    /// State.
    pub status: Status,
    /// What started it, in words.
    pub trigger: String,
    /// Names of the alarms that it answers, sorted; those that came while it was at work are added at its end.
    #[serde(default)]
    pub alarms: Vec<String>,
    /// Mode asked for by hand, if any.
    pub mode: Option<Mode>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// The target was verified as reached.
    pub success_criteria_met: bool,
    /// Changes that a dead run had left open and this one has settled or judged; the journal has what became of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub residue: Vec<ChangeId>,
    /// What each iteration saw and did.
    pub iterations: Vec<IterationRecord>,
    /// What people were asked in the run, and what they said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerRecord>,
    /// Why it ended as it did, one sentence.
    pub conclusion: Option<String>,
    /// Hash of the configuration that was in force.
    pub config_hash: String,
    /// Build that ran it; several, joined by "and", when another was deployed meanwhile.
    pub build: String,
}

impl ExecutionRecord {
    /// When the run last measured its application; its beginning, as long as it has not. What happens later is unknown
    /// to it.
    pub fn last_look(&self) -> Timestamp {
        let looks = self.iterations.iter().flat_map(|iteration| [Some(iteration.at), iteration.measured_at]);
        looks.flatten().max().unwrap_or(self.started_at).max(self.started_at)
    }
}
