//! What the records say at the moment of a change: counts from the journal, for the guards.
//!
//! Counts, and judges nothing. What is uncertain counts as made: an open intent, an entry from a clock that runs ahead.
//! A canary and its rest are one remedy: they count once as repeats, and a verified canary holds no cool-down against its rest.

use crate::act::{ActError, Context, earlier};
use crate::ports::{Entry, EntryState};
use crate::restraints;
use crate::settle;
use domain::approval::{self, Approval, Consent, Past};
use domain::arbitration::{self, Direction, Incident, Made, Restraints, Wanted};
use domain::change::Change;
use domain::guard::{Facts, KillSwitch};
use domain::ids::{ChangeId, ResourceId};
use domain::mode::Mode;
use domain::outcome::Verdict;
use domain::resource::Resource;
use domain::rollout::Rollout;
use domain::snapshot::Snapshot;
use jiff::Timestamp;
use std::collections::BTreeMap;

const HOUR_S: u32 = 3_600;
const DAY_S: u32 = 86_400;

/// The entries of the application that count now.
///
/// # Errors
/// [`ActError::Journal`]: without the record no guard can count, so nothing may be changed.
pub(crate) async fn recent(context: &Context<'_>) -> Result<Vec<Entry>, ActError> {
    let from = earlier(context.now(), settle::LOOK_BACK_S);
    let entries = context.ports.journal.since(&context.run.app, from).await;
    entries.map_err(|source| ActError::Journal { doing: format!("count the changes of {}", context.run.app), source })
}

/// All facts for one change.
pub(crate) fn gather(
    context: &Context<'_>,
    change: &Change,
    snapshot: &Snapshot,
    entries: &[Entry],
    resource: &Resource,
    (kill_switch, incident): (KillSwitch, Option<Incident>),
) -> Facts {
    let now = context.now();
    let direction = Direction::of(&change.action, &resource.live);
    let restraints = match direction {
        Direction::Reduces => restraints::of(context, incident, entries),
        Direction::Grows | Direction::Neutral => Restraints::default(),
    };
    let made: Vec<Made> = entries.iter().filter_map(Entry::made).collect();
    let wanted = Wanted { by: context.run.workflow, kind: change.action.kind(), resource: &change.resource, direction };
    let hours = context.rules.limits.reversal_bars_h;
    let tally = Tally::of(entries, context.run.execution_id.as_str(), change, now, context.rules.circuit_closed_at);
    Facts {
        now,
        mode: context.mode(change),
        consent: consent(context, change, entries, resource),
        kill_switch,
        freeze: (context.rules.freeze)(now),
        calendar_closed: context.rules.calendar_closed.map(str::to_owned),
        protected: resource.is_protected(),
        other_owner: (context.rules.other_owner)(resource),
        live: resource.live.clone(),
        snapshot_at: snapshot.taken_at,
        completeness: snapshot.completeness(),
        changes_in_execution: tally.in_execution,
        changes_last_hour: tally.last_hour,
        changes_last_day: tally.last_day,
        resource_changes_last_hour: tally.resource_last_hour,
        resource_changes_last_day: tally.resource_last_day,
        undos_last_day: tally.undos_last_day,
        resource_changed_at: tally.resource_changed_at,
        open_change: tally.open_change,
        repeats_last_day: tally.repeats_last_day,
        spent_usd_cents_month: tally.spent_usd_cents_month,
        app_spent_usd_cents_month: tally.app_spent_usd_cents_month,
        restraints,
        takes_back: arbitration::takes_back(wanted, &made, hours, now).cloned(),
        rolled_back: arbitration::rolled_back(wanted, &made, hours, now).cloned(),
    }
}

/// What people have said to the change, or what its kind has earned where nobody was asked.
fn consent(context: &Context<'_>, change: &Change, entries: &[Entry], resource: &Resource) -> Consent {
    let rules = context.rules;
    match (rules.consent)(change, &resource.live) {
        Consent::NotAsked if rules.earn_after > 0 && (rules.mode)(change) == Mode::Approve => {
            let history: Vec<Past> = entries.iter().filter_map(past).collect();
            let verified = approval::earned(change.action.kind(), &history);
            if verified >= rules.earn_after { Consent::Given(Approval::Earned { verified }) } else { Consent::NotAsked }
        }
        said => said,
    }
}

/// An earlier change as earned autonomy looks at it; what never happened does not count.
fn past(entry: &Entry) -> Option<Past> {
    (entry.state != EntryState::NotApplied).then(|| Past {
        kind: entry.change.action.kind(),
        with_approval: entry.approval.is_some(),
        verdict: entry.outcome.as_ref().map(|outcome| outcome.verdict),
        at: entry.applied_at.unwrap_or(entry.intended_at),
    })
}

/// Counts from the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Changes made in this run.
    pub in_execution: u32,
    /// Changes made on the application in the last hour.
    pub last_hour: u32,
    /// Changes made on the application in the last day.
    pub last_day: u32,
    /// Changes of the resource, of any kind, in the last hour.
    pub resource_last_hour: u32,
    /// Changes of the resource, of any kind, in the last day.
    pub resource_last_day: u32,
    /// Changes undone in the last day.
    pub undos_last_day: u32,
    /// When the resource of the change was last changed or restored.
    pub resource_changed_at: Option<Timestamp>,
    /// A change of the same resource that is still open.
    pub open_change: Option<ChangeId>,
    /// Times that the same remedy was applied to the same resource in the last day.
    pub repeats_last_day: u32,
    /// Cost added by this run's changes that stand, in US cents a month. Savings don't pay for other changes.
    pub spent_usd_cents_month: i64,
    /// Cost added by all changes that stand, in US cents a month; see [`Facts::app_spent_usd_cents_month`].
    pub app_spent_usd_cents_month: i64,
}

impl Tally {
    /// Counts the entries of an application for a change of a run.
    pub fn of(
        entries: &[Entry],
        execution: &str,
        change: &Change,
        now: Timestamp,
        circuit_closed_at: Option<Timestamp>,
    ) -> Self {
        let mut tally = Self::default();
        for entry in entries.iter().filter(|entry| entry.state != EntryState::NotApplied) {
            let made_at = entry.applied_at.unwrap_or(entry.intended_at);
            let undone_at = if entry.state == EntryState::Undone { entry.settled_at } else { None };
            let in_execution = entry.execution.as_str() == execution;
            let same_resource = entry.change.resource == change.resource;
            let (last_hour, last_day) = (is_within(made_at, now, HOUR_S), is_within(made_at, now, DAY_S));
            tally.in_execution += u32::from(in_execution);
            tally.last_hour += u32::from(last_hour);
            tally.last_day += u32::from(last_day);
            tally.resource_last_hour += u32::from(same_resource && last_hour);
            tally.resource_last_day += u32::from(same_resource && last_day);
            let breaks =
                |at: Timestamp| is_within(at, now, DAY_S) && circuit_closed_at.is_none_or(|closed| at > closed);
            tally.undos_last_day += u32::from(undone_at.is_some_and(breaks));
            let speaks_for_it = change.rollout.as_ref().is_some_and(|part| part.follows(entry.id()))
                && entry.outcome.as_ref().is_some_and(|outcome| outcome.verdict == Verdict::Verified);
            if same_resource && !speaks_for_it {
                tally.resource_changed_at = tally.resource_changed_at.max(undone_at.max(Some(made_at)));
                if entry.state.is_open() {
                    tally.open_change = Some(entry.id().clone());
                }
                let is_rest = matches!(entry.change.rollout, Some(Rollout::Rest { .. }));
                tally.repeats_last_day += u32::from(last_day && !is_rest && entry.change.remedy() == change.remedy());
            }
            if in_execution && undone_at.is_none() {
                let added = entry.change.cost_usd_cents_month.unwrap_or(0).max(0);
                tally.spent_usd_cents_month = tally.spent_usd_cents_month.saturating_add(added);
            }
        }
        tally.app_spent_usd_cents_month = added_to_app(entries, change);
        tally
    }
}

/// What the changes that stand add to the cost of the application, before this change.
fn added_to_app(entries: &[Entry], change: &Change) -> i64 {
    let mut by_resource: BTreeMap<&ResourceId, i64> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !matches!(entry.state, EntryState::NotApplied | EntryState::Undone)) {
        let added = by_resource.entry(&entry.change.resource).or_default();
        *added = added.saturating_add(entry.change.cost_usd_cents_month.unwrap_or(0));
    }
    // What was saved on the resource itself is there to be spent again, and nothing beyond.
    let here = by_resource.remove(&change.resource).unwrap_or(0);
    let here = here.max(change.cost_usd_cents_month.unwrap_or(0).max(0).saturating_neg());
    by_resource.into_values().fold(here, |sum, added| sum.saturating_add(added.max(0)))
}

/// Within the last seconds, or in the future: a clock that was set back must not empty a budget.
fn is_within(at: Timestamp, now: Timestamp, seconds: u32) -> bool {
    at > earlier(now, seconds)
}
