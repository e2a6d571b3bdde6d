//! Approvals: what is asked of a person, what was answered, and what an answer covers.
//!
//! Silence means no. An answer belongs to the run that asked and to exactly the change that it showed; the one thing it
//! covers besides is a smaller step in the same direction. How a question reaches people is in `docs/approvals.md`.

use crate::change::{Action, Change, ChangeKind, Expectation, Reversal};
use crate::execution::Cycle;
use crate::ids::{AppId, ChangeId, ExecutionId, RequestId, ResourceId};
use crate::mode::Risk;
use crate::outcome::Verdict;
use crate::place::Place;
use crate::resource::Live;
use crate::rollout::{self, Rollout};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One question to people: may these changes be made?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Its id: the same when the step that asks is repeated.
    pub id: RequestId,
    /// Application.
    pub app: AppId,
    /// Run that waits for the answer.
    pub execution: ExecutionId,
    /// Its ARN, for the link to the console.
    pub execution_arn: String,
    /// Where the application lives, as far as it can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Addresses under which its users reach it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// Cycle of that run.
    #[serde(default)]
    pub cycle: Cycle,
    /// Iteration of that run.
    pub iteration: u32,
    /// Why anything is to be changed: the worst findings, one sentence each.
    pub evidence: Vec<String>,
    /// Health score when it was asked, if it could be measured.
    pub score: Option<f64>,
    /// The changes.
    pub questions: Vec<Question>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When silence becomes a no.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: RequestState,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
}

/// One change that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The change, as in the plan.
    pub change: ChangeId,
    /// What is to be done.
    pub action: Action,
    /// To which resource.
    pub resource: ResourceId,
    /// What it modifies as it is now, in words.
    pub before: Option<String>,
    /// Size of the resource when it was asked, where it has one.
    pub size: Option<u32>,
    /// Why, one sentence with numbers.
    pub reason: String,
    /// What should become better, and by how much.
    pub expected: Expectation,
    /// Risk class.
    pub risk: Risk,
    /// How it goes back.
    pub reversal: Reversal,
    /// Running cost that it adds, in US cents a month, where the price is known.
    pub cost_usd_cents_month: Option<i64>,
    /// Its part in a remedy that touches many members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
}

impl Question {
    /// What is to be done, in words, with its part in a rollout.
    pub fn in_words(&self) -> String {
        rollout::in_words(&self.action, self.rollout.as_ref())
    }
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Nobody has answered yet.
    Open,
    /// Somebody has answered.
    Answered,
    /// Nobody answered in time: no.
    Lapsed,
    /// The run that asked ended before anybody answered. Nobody has said anything, so the next run may ask.
    Withdrawn,
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The changes that may be made; all others of the request may not.
    pub approved: Vec<ChangeId>,
    /// Who, as they said or as AWS knows them.
    pub by: String,
    /// What they added.
    pub remark: String,
    /// Which way it came.
    pub via: Via,
    /// When.
    pub at: Timestamp,
}

/// Ways to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The signed link.
    Link,
    /// The widget on the CloudWatch dashboard.
    Dashboard,
    /// `aws stepfunctions send-task-success`.
    CommandLine,
}

/// Why a change may be made although its mode asks for an approval. Kept with the change in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Approval {
    /// A person said yes.
    Given {
        /// In answer to this request.
        request: RequestId,
        /// Who.
        by: String,
        /// What they added.
        remark: String,
        /// Which way it came.
        via: Via,
        /// When.
        at: Timestamp,
    },
    /// This kind of change has earned it on this application.
    Earned {
        /// Approved and verified changes of the kind since it last made something worse.
        verified: u32,
    },
}

/// What people have said to one planned change.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Consent {
    /// Nobody was asked.
    #[default]
    NotAsked,
    /// It may be made.
    Given(Approval),
    /// Somebody said no.
    Denied {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// The question is open.
    Awaiting {
        /// Since when.
        asked_at: Timestamp,
    },
    /// Nobody answered in time.
    Unanswered {
        /// When it was asked.
        asked_at: Timestamp,
    },
}

/// On which terms people are asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Seconds until silence means no. Default 3,600: the app is sick meanwhile, and who has not looked within the hour
    /// sleeps.
    pub answer_within_s: u32,
    /// Seconds from a yes within which the change must be made. Default 7,200: a run of another trigger may be at work
    /// first.
    pub use_within_s: u32,
    /// Seconds for which nobody is asked again for what was denied or not answered. Default 14,400: until the next
    /// scheduled run.
    pub ask_again_s: u32,
    /// Approved and verified changes of a kind after which it is made on this application without asking, until one makes
    /// something worse. Default 0: never.
    pub earn_after: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Self { answer_within_s: 3_600, use_within_s: 7_200, ask_again_s: 14_400, earn_after: 0 }
    }
}

impl Request {
    /// Where it stands at a moment: an open one whose time is over has lapsed, whether or not anybody wrote that down.
    pub fn state_at(&self, now: Timestamp) -> RequestState {
        if self.state == RequestState::Open && now >= self.expires_at { RequestState::Lapsed } else { self.state }
    }

    /// True when somebody said yes to this change.
    pub fn approves(&self, change: &ChangeId) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.approved.contains(change))
    }
}

/// What people have said to a change that a run has planned, from the requests of its application. The newest word on this
/// kind of change on this resource counts.
///
/// A question of another run that is still open, or was answered with yes, is no word against a yes that this run has:
/// otherwise two runs that ask for the same keep each other from ever using theirs.
pub fn consent(
    change: &Change,
    live: &Live,
    execution: &ExecutionId,
    requests: &[Request],
    terms: &Terms,
    now: Timestamp,
) -> Consent {
    let kind = change.action.kind();
    let concerns = |question: &&Question| question.action.kind() == kind && question.resource == change.resource;
    let mut asked: Vec<(&Request, &Question)> =
        requests.iter().filter_map(|request| Some((request, request.questions.iter().find(concerns)?))).collect();
    asked.sort_by_key(|(request, _)| std::cmp::Reverse(request.asked_at));
    let is_mine = |request: &Request| request.execution == *execution;
    let word = |(request, question): &(&Request, &Question)| {
        word(request, question, is_mine(request) && covers(question, change, live), terms, now)
    };
    let is_against = |(request, question): &&(&Request, &Question)| match request.state_at(now) {
        RequestState::Open | RequestState::Withdrawn => false,
        RequestState::Answered => is_mine(request) || !request.approves(&question.change),
        RequestState::Lapsed => true,
    };
    match asked.iter().find(is_against).map(word) {
        Some(yes @ Consent::Given(_)) => yes,
        _ => asked.first().map_or(Consent::NotAsked, word),
    }
}

/// What one request says, to a run that a yes to it covers or not.
fn word(request: &Request, question: &Question, is_covered: bool, terms: &Terms, now: Timestamp) -> Consent {
    let is_recent = |at: Timestamp| now < after(at, terms.ask_again_s);
    match (request.state_at(now), &request.answer) {
        (RequestState::Open, _) => Consent::Awaiting { asked_at: request.asked_at },
        (RequestState::Answered, Some(answer)) if answer.approved.contains(&question.change) => {
            if is_covered && now < after(answer.at, terms.use_within_s) {
                Consent::Given(Approval::Given {
                    request: request.id.clone(),
                    by: answer.by.clone(),
                    remark: answer.remark.clone(),
                    via: answer.via,
                    at: answer.at,
                })
            } else {
                Consent::NotAsked
            }
        }
        (RequestState::Answered, Some(answer)) if is_recent(answer.at) => {
            Consent::Denied { by: answer.by.clone(), at: answer.at }
        }
        (RequestState::Lapsed, _) if is_recent(request.expires_at) => {
            Consent::Unanswered { asked_at: request.asked_at }
        }
        (RequestState::Answered | RequestState::Lapsed | RequestState::Withdrawn, _) => Consent::NotAsked,
    }
}

/// Whether the yes to a question is a yes to what is planned now: the same, another member as the same canary, or, of a size, one between the size that was
/// shown and the approved one, in the same direction from how it is now.
pub fn covers(question: &Question, planned: &Change, live: &Live) -> bool {
    match (wanted(&question.action), wanted(&planned.action), question.size, size(live)) {
        (Some((of, to)), Some((same, at)), Some(from), Some(now)) => {
            of == same && (from.min(to)..=from.max(to)).contains(&at) && at.cmp(&now) == to.cmp(&from)
        }
        (None, None, ..) => question.action == planned.action || is_another_canary(question, planned),
        _ => false,
    }
}

/// Which member goes first hardly matters: a yes to one canary of a fleet or service is a yes to another member of it, as
/// the same part of the same remedy. The worst of many like ones may be another by the time of the answer.
fn is_another_canary(question: &Question, planned: &Change) -> bool {
    let then = |rollout: &Option<Rollout>| match rollout {
        Some(Rollout::Canary { then, .. }) => Some(*then),
        _ => None,
    };
    then(&question.rollout).is_some()
        && then(&question.rollout) == then(&planned.rollout)
        && question.resource == planned.resource
}

/// What an action resizes and to which size; `None` for an action of another kind.
fn wanted(action: &Action) -> Option<((&str, &str), u32)> {
    match action {
        Action::SetFleetCapacity { group, desired } => Some((("", group), *desired)),
        Action::SetServiceCount { cluster, service, desired } => Some(((cluster, service), *desired)),
        _ => None,
    }
}

/// The wanted size of a resource, where it has one.
pub fn size(live: &Live) -> Option<u32> {
    match live {
        Live::AutoScalingGroup(fleet) => Some(fleet.desired),
        Live::EcsService(service) => Some(service.desired),
        _ => None,
    }
}

/// An earlier change of one application, as earned autonomy looks at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// Kind.
    pub kind: ChangeKind,
    /// Whether it was made with an approval, given or earned.
    pub with_approval: bool,
    /// Its verdict, where there is one.
    pub verdict: Option<Verdict>,
    /// When it was made.
    pub at: Timestamp,
}

/// How many approved changes of a kind were verified since one of that kind last regressed on this application.
///
/// `history` may be in any order. A change that was inconclusive neither earns nor loses anything.
pub fn earned(kind: ChangeKind, history: &[Past]) -> u32 {
    let of_kind = || history.iter().filter(|past| past.kind == kind);
    let lost_at = of_kind().filter(|past| past.verdict == Some(Verdict::Regressed)).map(|past| past.at).max();
    let counts = |past: &&Past| {
        past.with_approval && past.verdict == Some(Verdict::Verified) && lost_at.is_none_or(|lost| past.at > lost)
    };
    u32::try_from(of_kind().filter(counts).count()).unwrap_or(u32::MAX)
}

fn after(at: Timestamp, seconds: u32) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given { by, at, via, remark, .. } => {
                write!(f, "approved by {by} {via} at {at:.0}")?;
                if remark.is_empty() { Ok(()) } else { write!(f, ": {remark}") }
            }
            Self::Earned { verified } => write!(f, "earned by {verified} approved and verified changes of its kind"),
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "by the link",
            Self::Dashboard => "on the dashboard",
            Self::CommandLine => "on the command line",
        })
    }
}

#[cfg(test)]
mod tests;
