//! plan: findings become changes. Makes every choice; the executor makes none.
//!
//! Each finding is asked for its remedy ([`remedies`]); what was tried and did not help is not planned again ([`past`]);
//! causes go before what they cause; each resource is changed once at most; a restart of many begins with one
//! ([`canary`]); and where users suffer, nothing better is
//! known and the score is low, the degraded service is restarted ([`restart`]). Whatever is not planned is passed over
//! with its numbers. Never plans outside an owner's bounds, and never makes anything smaller.

mod canary;
mod past;
mod remedies;
pub(super) mod repeated;
mod restart;
mod size;

#[cfg(test)]
mod tests;

use super::analysis::Analysis;
use super::policy::Policy;
use super::rules::RULES;
use super::view::View;
use crate::change::{Action, Change, ChangeKind, Expectation, Reversal};
use crate::finding::Finding;
use crate::guard::Limits;
use crate::ids::{ChangeId, ExecutionId, ResourceId, RuleId, SignalId};
use crate::observed::{Missing, Observed};
use crate::outcome::{Outcome, Verdict};
use crate::plan::{PassedOver, Plan};
use crate::price;
use crate::resource::{Live, ResourceKind};
use crate::rollout::Rollout;
use crate::snapshot::Snapshot;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An earlier change of the application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Its id.
    pub id: ChangeId,
    /// Its kind.
    pub kind: ChangeKind,
    /// Its part in a remedy that touches many members.
    pub rollout: Option<Rollout>,
    /// The rule that asked for it.
    pub because: RuleId,
    /// The resource it modified.
    pub resource: ResourceId,
    /// What verification said; none while it is open.
    pub verdict: Option<Verdict>,
    /// What it was judged from, one sentence with the numbers; empty while it is open.
    pub why: String,
    /// The signal that it should have bettered.
    pub signal: SignalId,
    /// The level of that signal before it.
    pub level: f64,
    /// When it was made.
    pub at: Timestamp,
}

impl Tried {
    /// A change as the planner looks at it later. A growth that relieved and stays counts as verified: more of it may follow.
    pub fn of(change: &Change, outcome: Option<&Outcome>, at: Timestamp) -> Self {
        let counts = |outcome: &Outcome| match change.action.spec().reversal {
            Reversal::Undoable if outcome.relieved(change.expected.better) => Verdict::Verified,
            _ => outcome.verdict,
        };
        Self {
            id: change.id.clone(),
            kind: change.action.kind(),
            rollout: change.rollout.clone(),
            because: change.because.clone(),
            resource: change.resource.clone(),
            verdict: outcome.map(counts),
            why: outcome.map(|outcome| outcome.why.clone()).unwrap_or_default(),
            signal: change.expected.signal.clone(),
            level: change.expected.before,
            at,
        }
    }

    /// The remedy that it is a part of.
    fn remedy(&self) -> ChangeKind {
        match &self.rollout {
            Some(Rollout::Canary { then, .. }) => *then,
            Some(Rollout::Rest { .. }) | None => self.kind,
        }
    }
}

/// What a plan is made from.
pub(super) struct Desk<'a> {
    view: View<'a>,
    snapshot: &'a Snapshot,
    analysis: &'a Analysis,
    policy: &'a Policy,
    limits: &'a Limits,
    tried: &'a [Tried],
}

/// A change that a remedy proposes.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    action: Action,
    resource: ResourceId,
    because: RuleId,
    reason: String,
    expected: Expectation,
    rollout: Option<Rollout>,
}

/// The answer of a remedy.
pub(super) enum Remedy {
    /// Do this.
    Do(Proposal),
    /// This was considered and is not to be done: remedy in words, reason with numbers.
    Pass(String, String),
}

/// Rule id of a member that is sick.
const SICK: &str = "sick_instance";
/// Rule id of a restart that no finding asked for.
pub(super) const DEGRADED: &str = "degraded";

/// Plans the changes of one iteration.
pub fn plan(
    snapshot: &Snapshot,
    analysis: &Analysis,
    policy: &Policy,
    limits: &Limits,
    tried: &[Tried],
    execution: &ExecutionId,
    iteration: u32,
) -> Plan {
    let desk = Desk { view: View::new(snapshot, policy), snapshot, analysis, policy, limits, tried };
    let mut passed = Vec::new();
    let mut proposals = Vec::new();
    for finding in &analysis.findings {
        match remedies::of(&desk, finding) {
            Remedy::Do(proposal) => proposals.push(proposal),
            Remedy::Pass(remedy, reason) => passed.push(PassedOver {
                because: finding.rule.clone(),
                resource: finding.resource.clone(),
                remedy,
                reason,
            }),
        }
    }
    let mut repeated = Vec::new();
    for proposal in &proposals {
        repeated::note(&desk, proposal, &mut repeated);
    }
    // Causes before what they cause; among equals the order of the findings.
    proposals.sort_by_key(|proposal| rank(&proposal.because));
    let mut kept: Vec<Proposal> = Vec::new();
    for proposal in proposals {
        match objection(&desk, &kept, &proposal) {
            None => take(&desk, &proposal, &mut kept, &mut passed),
            Some(reason) => passed.push(pass(&proposal, reason)),
        }
    }
    if kept.is_empty() {
        match restart::degraded(&desk) {
            Some(Remedy::Do(proposal)) => {
                repeated::note(&desk, &proposal, &mut repeated);
                match bars(&desk, &proposal) {
                    None => take(&desk, &proposal, &mut kept, &mut passed),
                    Some(reason) => passed.push(pass(&proposal, reason)),
                }
            }
            Some(Remedy::Pass(remedy, reason)) => passed.push(PassedOver {
                because: RuleId::from(DEGRADED),
                resource: restart::sufferer(&desk),
                remedy,
                reason,
            }),
            None => {}
        }
    }
    kept.sort_by_key(|proposal| proposal.action.spec().risk);
    let changes = kept.into_iter().map(|proposal| named(&desk, proposal, execution, iteration)).collect();
    Plan { changes, passed_over: passed, findings: repeated }
}

/// Takes a proposal, or its canary first.
fn take(desk: &Desk<'_>, proposal: &Proposal, kept: &mut Vec<Proposal>, passed: &mut Vec<PassedOver>) {
    match canary::step(desk, proposal) {
        Ok(step) => kept.push(step),
        Err(reason) => passed.push(pass(proposal, reason)),
    }
}

/// Why a proposal is not taken beside those already taken.
fn objection(desk: &Desk<'_>, kept: &[Proposal], proposal: &Proposal) -> Option<String> {
    if let Some(reason) = bars(desk, proposal) {
        return Some(reason);
    }
    if let Some(other) = kept.iter().find(|other| other.resource == proposal.resource) {
        return Some(format!(
            "one change per resource and iteration: \"{}\" goes first, because of {}",
            other.action, other.because
        ));
    }
    let cause = kept.iter().find(|other| explains(desk, other, proposal))?;
    Some(format!(
        "\"{}\" goes first: {} can cause this, and more servers would only add load to what is behind them",
        cause.action, cause.because
    ))
}

/// What speaks against a proposal by itself: the past, or so many sick members that a person must look first.
fn bars(desk: &Desk<'_>, proposal: &Proposal) -> Option<String> {
    mass_sickness(desk, &proposal.resource).or_else(|| past::bars(desk, proposal))
}

/// One sentence when more of a fleet is sick than one bad machine explains.
fn mass_sickness(desk: &Desk<'_>, fleet: &ResourceId) -> Option<String> {
    let resource = desk.snapshot.resource(fleet)?;
    let Live::AutoScalingGroup(live) = &resource.live else { return None };
    let is_sick = |finding: &&Finding| finding.rule.as_str() == SICK && finding.resource == *fleet;
    let sick = desk.analysis.findings.iter().filter(is_sick).count();
    let (of, max_pct) = (live.instances.len(), desk.policy.sick_share_max_pct);
    let share_pct = 100.0 * f64::from(u32::try_from(sick).ok()?) / f64::from(u32::try_from(of).ok()?.max(1));
    (sick > 1 && share_pct > max_pct).then(|| {
        format!(
            "{sick} of {of} members of {} are sick, over {max_pct} %: that is no bad machine but a common cause, and a person must look first",
            resource.name
        )
    })
}

/// A cache that holds the wrong things sends its load to the database, and whatever waits for the database looks busy.
fn explains(desk: &Desk<'_>, cause: &Proposal, effect: &Proposal) -> bool {
    let clears = matches!(cause.action, Action::FlushCache { .. } | Action::InvalidateCdn { .. });
    let grows = matches!(effect.action, Action::SetFleetCapacity { .. } | Action::SetServiceCount { .. });
    let serves_users = desk
        .snapshot
        .resource(&effect.resource)
        .is_some_and(|server| !super::links::fronts(desk.snapshot, server).is_empty());
    let works_off_a_queue = effect.because.as_str() == "queue_backlog";
    clears && grows && serves_users && !works_off_a_queue
}

fn rank(rule: &RuleId) -> usize {
    RULES.iter().position(|known| known.id == rule.as_str()).unwrap_or(usize::MAX)
}

fn pass(proposal: &Proposal, reason: String) -> PassedOver {
    PassedOver {
        because: proposal.because.clone(),
        resource: proposal.resource.clone(),
        remedy: proposal.action.to_string(),
        reason,
    }
}

fn named(desk: &Desk<'_>, proposal: Proposal, execution: &ExecutionId, iteration: u32) -> Change {
    let cost = desk.snapshot.resource(&proposal.resource).map_or(Observed::Missing(Missing::Gone), |on| {
        price::added_usd_cents_month(&proposal.action, on, &desk.snapshot.prices)
    });
    let reason = match &cost {
        Observed::Known(0) => proposal.reason,
        Observed::Known(cents) => format!("{}; {}", proposal.reason, price::in_words(*cents)),
        Observed::Missing(why) => format!("{}; what it costs is not known: {why}", proposal.reason),
    };
    Change {
        id: crate::change::id(execution, iteration, proposal.action.kind(), &proposal.resource),
        action: proposal.action,
        resource: proposal.resource,
        because: proposal.because,
        reason,
        expected: proposal.expected,
        cost_usd_cents_month: cost.known().copied(),
        rollout: proposal.rollout,
    }
}

impl Desk<'_> {
    /// The database is the bottleneck beyond doubt.
    fn database_is_full(&self) -> Option<(String, f64)> {
        self.snapshot.of_kind(ResourceKind::Database).find_map(|database| {
            let cpu = self.view.known("db_cpu_pct", database).filter(|cpu| *cpu > self.policy.db_cpu_act_pct)?;
            Some((database.name.clone(), cpu))
        })
    }
}
