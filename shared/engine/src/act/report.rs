//! What became of a plan, change by change: the artifact `actions.json` of an iteration.

use crate::run::Run;
use domain::change::{Action, Change};
use domain::guard::{Refusal, Said};
use domain::ids::{AppId, ChangeId, ExecutionId, ResourceId, RuleId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Report {
    /// Application.
    pub app: AppId,
    /// Run.
    pub execution: ExecutionId,
    /// Iteration.
    pub iteration: u32,
    /// When this delivery of the step began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// One line per change of the plan, in its order.
    pub changes: Vec<ChangeReport>,
    /// Why the rest of the plan was not tried, if it was not.
    pub stopped: Option<Stop>,
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeReport {
    /// Its id, as in plan and journal.
    pub change: ChangeId,
    /// What was to be done.
    pub action: Action,
    /// To which resource.
    pub resource: ResourceId,
    /// The same in words.
    pub what: String,
    /// The rule that asked for it.
    pub because: RuleId,
    /// Its reason, one sentence with numbers.
    pub reason: String,
    /// What it modifies as it was right before, in words, where it was read.
    pub before: Option<String>,
    /// What it set, in words, where it was applied.
    pub after: Option<String>,
    /// When this line was written.
    pub at: Timestamp,
    /// What became of it.
    pub result: ChangeResult,
    /// What every guard said under the configured mode, where it was refused before it was announced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<Said>,
    /// By what it may be made without asking where its mode asks, in words: an answer, or what its kind has earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_by: Option<String>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum ChangeResult {
    /// It has happened.
    Applied {
        /// When the service had accepted it.
        at: Timestamp,
        /// How that is known, where it was not answered plainly.
        note: String,
    },
    /// A guard refused it; nothing was changed.
    Refused {
        /// The guard with its numbers.
        refusal: Refusal,
        /// The same in one sentence.
        why: String,
    },
    /// It certainly did not happen.
    Failed {
        /// One sentence.
        why: String,
        /// The same may work a moment later: it was throttled, not answered, or not made in time.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        may_pass: bool,
    },
    /// The answer was lost and the live state does not show it (yet): the journal keeps it open.
    Unsettled {
        /// One sentence.
        why: String,
    },
    /// Its turn did not come.
    NotTried,
}

/// Why the rest of a plan was not tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "because")]
pub enum Stop {
    /// Nobody knows what became of a change; the rest was planned for a known state.
    Unsettled {
        /// The change.
        change: ChangeId,
    },
    /// The invocation would have been ended in the middle of a change. Delivering the step again goes on.
    OutOfTime,
}

impl Report {
    /// An empty report of this run.
    pub(super) fn begin(run: &Run, now: Timestamp) -> Self {
        Self {
            app: run.app.clone(),
            execution: run.execution_id.clone(),
            iteration: run.iteration,
            began_at: now,
            ended_at: now,
            changes: Vec::new(),
            stopped: None,
        }
    }

    /// Changes that have happened.
    pub fn applied(&self) -> impl Iterator<Item = &ChangeReport> {
        self.changes.iter().filter(|line| matches!(line.result, ChangeResult::Applied { .. }))
    }

    /// Changes that a guard refused, with the refusal.
    pub fn refused(&self) -> impl Iterator<Item = (&ChangeReport, &Refusal)> {
        self.changes.iter().filter_map(|line| match &line.result {
            ChangeResult::Refused { refusal, .. } => Some((line, refusal)),
            _ => None,
        })
    }

    /// Refused changes for which a person's consent is all that is lacking.
    pub fn askable(&self) -> impl Iterator<Item = &ChangeReport> {
        self.refused()
            .filter(|(line, refusal)| {
                refusal.is_for_want_of_consent()
                    && !line.guards.is_empty()
                    && line.refusals().all(Refusal::is_for_want_of_consent)
            })
            .map(|(line, _)| line)
    }

    /// Changes that certainly did not happen although no guard refused them.
    pub fn failed(&self) -> impl Iterator<Item = &ChangeReport> {
        self.changes.iter().filter(|line| matches!(line.result, ChangeResult::Failed { .. }))
    }

    /// True when nothing was changed for a reason that passes: an answer was lost, or a call was throttled or came too late. It says
    /// nothing about what changes can do.
    pub fn was_in_vain(&self) -> bool {
        let may_pass = |line: &ChangeReport| matches!(line.result, ChangeResult::Failed { may_pass: true, .. });
        let passes = matches!(self.stopped, Some(Stop::Unsettled { .. })) || self.changes.iter().any(may_pass);
        passes && self.applied().next().is_none()
    }

    /// True when delivering the step again would do more of the plan.
    pub fn is_cut_short(&self) -> bool {
        self.stopped == Some(Stop::OutOfTime)
    }
}

impl ChangeReport {
    /// Every refusal, under the configured mode.
    pub fn refusals(&self) -> impl Iterator<Item = &Refusal> {
        self.guards.iter().filter_map(|said| said.refusal.as_ref())
    }

    /// What would become of the change if the run were not told to observe, one sentence.
    pub fn would_be(&self) -> String {
        let refusals: Vec<&Refusal> = self.refusals().collect();
        let verdict = match (&self.result, refusals.as_slice()) {
            (ChangeResult::Refused { .. }, []) => match &self.allowed_by {
                Some(by) => format!("would be made, {by}"),
                None => "would be made".to_owned(),
            },
            (ChangeResult::Refused { .. }, several) if several.iter().all(|why| why.is_for_want_of_consent()) => {
                "would be asked for".to_owned()
            }
            (ChangeResult::Refused { .. }, several) => {
                let whys: Vec<String> = several.iter().map(ToString::to_string).collect();
                format!("would be refused: {}", whys.join("; "))
            }
            (ChangeResult::Failed { why, .. } | ChangeResult::Unsettled { why }, _) => format!("would fail: {why}"),
            (ChangeResult::Applied { .. }, _) => "was made by an earlier delivery".to_owned(),
            (ChangeResult::NotTried, _) => "was not looked at".to_owned(),
        };
        let from = self.before.as_ref().map(|before| format!(" (now {before})")).unwrap_or_default();
        format!("{}{from}, because {}: {verdict}", self.what, self.reason)
    }

    /// A line on a change that nothing was read for yet.
    pub(super) fn of(change: &Change, at: Timestamp, result: ChangeResult) -> Self {
        Self {
            change: change.id.clone(),
            action: change.action.clone(),
            resource: change.resource.clone(),
            what: change.in_words(),
            because: change.because.clone(),
            reason: change.reason.clone(),
            before: None,
            after: None,
            at,
            result,
            guards: Vec::new(),
            allowed_by: None,
        }
    }
}
