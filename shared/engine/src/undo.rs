//! Undoes changes: compare-and-set to the captured value, newest first, with a durable intent before the call.
//!
//! Never overwrites newer work of others: where the live value is neither the one set nor the one before, it stops and
//! hands the change over to people. The kill switch and the mode observe stop undoing too, and the entry stays open for the
//! next run; freeze windows, budgets and cool-downs don't, since a change of ours that harms is worse than one more change.
//! What a person orders back is no such change once it was judged and kept: while an incident is open, a surge is announced
//! or another cycle's change is still being verified, it is not made smaller (`docs/changes-and-guards.md`).

use crate::act::{ActError, Context};
use crate::lease;
use crate::ports::{Entry, EntryState, PortError};
use crate::restraints;
use crate::settle::{self, End, Recorded, Settled, Settlement, close};
use domain::arbitration::{Direction, Restraints};
use domain::change::Reversal;
use domain::guard::{KillSwitch, Refusal};
use domain::ids::{ChangeId, ResourceId};
use domain::mode::Mode;
use domain::outcome::Outcome;
use domain::resource::Resource;
use domain::settle::{Standing, before_in_words, standing};
use futures::future::join;
use std::collections::{BTreeMap, BTreeSet};

/// Closes those changes of the iteration that are kept, with their outcomes, and names those that must be undone.
///
/// Writes the journal only. A change without an outcome stays open until it is measured: nothing is taken back unseen.
///
/// # Errors
/// [`ActError`] when the lease or the journal forbids to go on.
pub async fn keep(context: &Context<'_>, outcomes: &[Outcome]) -> Result<Verdicts, ActError> {
    lease::renew(context).await?;
    let mut verdicts = Verdicts::default();
    for entry in verified(context).await? {
        let outcome = outcome_of(&entry, outcomes);
        if must_undo(&entry, outcome) {
            verdicts.to_undo.push(entry);
            continue;
        }
        let Some(outcome) = outcome else { continue };
        let why = if outcome.keep {
            outcome.why.clone()
        } else {
            format!("{}; it can't be undone: the platform restores it", outcome.why)
        };
        let entry = Entry { outcome: Some(outcome.clone()), ..entry };
        verdicts.kept.changes.push(settle::keep(context, entry, &why).await?);
    }
    Ok(verdicts)
}

/// What follows from the outcomes of an iteration.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Verdicts {
    /// Changes that stand, now closed.
    pub kept: Settlement,
    /// Entries that must be undone, oldest first. An undo that an earlier iteration could not finish is among them.
    pub to_undo: Vec<Entry>,
}

/// Undoes what did not help, newest first, and finishes undos that were interrupted.
///
/// # Errors
/// [`ActError`] when the lease or the journal forbids to go on; what was undone until then is in the journal.
pub async fn carry_out(context: &Context<'_>, outcomes: &[Outcome]) -> Result<Settlement, ActError> {
    let mut settlement = Settlement::default();
    let mut blocked: BTreeSet<ResourceId> = BTreeSet::new();
    for entry in verified(context).await?.into_iter().rev() {
        let outcome = outcome_of(&entry, outcomes);
        if !must_undo(&entry, outcome) {
            continue;
        }
        let line = if blocked.contains(&entry.change.resource) {
            let why = "a later change of the resource is still open".to_owned();
            Settled::line(&entry, End::LeftOpen { why }, context.now())
        } else {
            let why = outcome.map_or(entry.note.as_str(), |outcome| outcome.why.as_str());
            put_back(context, entry.clone(), outcome, why).await?
        };
        if line.end.is_open() {
            blocked.insert(line.resource.clone());
        }
        settlement.changes.push(line);
    }
    Ok(settlement)
}

/// Undoes what earlier iterations and dead runs of this cycle have left and what was judged not to help, newest first, and
/// finishes undos that were interrupted. What waits for its verdict stays.
///
/// # Errors
/// As [`carry_out`].
pub async fn residue(context: &Context<'_>) -> Result<Settlement, ActError> {
    let run = context.run;
    let mut settlement = Settlement::default();
    let mut covered: BTreeSet<ResourceId> = BTreeSet::new();
    for entry in settle::open(context, |_| true).await?.into_iter().rev() {
        let resource = entry.change.resource.clone();
        let is_residue = (entry.execution != run.execution_id && run.answers_for(entry.workflow))
            || (entry.execution == run.execution_id && entry.iteration < run.iteration);
        let is_to_go = entry.state != EntryState::Intended && must_undo(&entry, entry.outcome.as_ref());
        if !is_residue || !is_to_go || covered.contains(&resource) {
            covered.insert(resource);
            continue;
        }
        let why = entry.outcome.as_ref().map_or_else(|| entry.note.clone(), |outcome| outcome.why.clone());
        let line = put_back(context, entry, None, &why).await?;
        if line.end.is_open() {
            covered.insert(resource);
        }
        settlement.changes.push(line);
    }
    Ok(settlement)
}

/// Undoes these changes because a person orders it, newest first, kept ones as well as open ones. A change under a later one
/// that stands is left alone: its value is not the live one. One that was judged and kept is not made smaller while anything
/// restrains the application; these resources tell which alarms concern it.
///
/// # Errors
/// As [`carry_out`].
pub async fn ordered(
    context: &Context<'_>,
    ids: &BTreeSet<ChangeId>,
    resources: &[Resource],
    why: &str,
) -> Result<Settlement, ActError> {
    let mut settlement = Settlement::default();
    let mut blocked: BTreeMap<ResourceId, String> = BTreeMap::new();
    for entry in settle::standing_entries(context).await?.into_iter().rev() {
        let resource = entry.change.resource.clone();
        if !ids.contains(entry.id()) {
            blocked.entry(resource).or_insert_with(|| covered_by(&entry));
            continue;
        }
        let line = match (blocked.get(&resource), entry.state) {
            (Some(why), _) => Settled::line(&entry, End::LeftOpen { why: why.clone() }, context.now()),
            (None, EntryState::Intended) => {
                let why = "it is not known yet whether it has happened".to_owned();
                Settled::line(&entry, End::LeftOpen { why }, context.now())
            }
            (None, _) => match restrained(context, &entry, ids, resources).await? {
                Some(refusal) => Settled::line(&entry, End::refused(refusal), context.now()),
                None => put_back(context, Entry { rolled_back: true, ..entry.clone() }, None, why).await?,
            },
        };
        if line.end.is_open() || matches!(line.end, End::Refused { .. }) {
            blocked.entry(resource).or_insert_with(|| covered_by(&entry));
        }
        settlement.changes.push(line);
    }
    Ok(settlement)
}

/// Why a change is not taken back on order, if anything restrains the application. A change that nobody has judged yet is:
/// it has earned nothing, and the person who orders may know better.
async fn restrained(
    context: &Context<'_>,
    entry: &Entry,
    ids: &BTreeSet<ChangeId>,
    resources: &[Resource],
) -> Result<Option<Refusal>, ActError> {
    let action = &entry.change.action;
    if entry.state != EntryState::Kept || Direction::of_undo(action, &entry.prior.live) != Direction::Reduces {
        return Ok(None);
    }
    // Where another value stands, nothing is put back, and the undo itself says so. What can't be read may be as it was set.
    match context.ports.actuator.live(&entry.prior).await {
        Ok(live) if standing(action, &entry.prior.live, &live.live) != Standing::AsChanged => Ok(None),
        _ => Ok(restraints(context, ids, resources).await?.all().err()),
    }
}

/// What restrains the application, but for the changes that are to be undone themselves.
async fn restraints(
    context: &Context<'_>,
    ids: &BTreeSet<ChangeId>,
    resources: &[Resource],
) -> Result<Restraints, ActError> {
    let incident = restraints::incident(context, resources).await;
    let others = settle::open(context, |entry| !ids.contains(entry.id())).await?;
    Ok(restraints::of(context, incident, &others))
}

/// What [`ordered`] would do, one sentence per change, newest first. Changes nothing, not even the journal.
///
/// # Errors
/// [`ActError::Journal`].
pub async fn preview(
    context: &Context<'_>,
    ids: &BTreeSet<ChangeId>,
    resources: &[Resource],
) -> Result<Vec<String>, ActError> {
    let mut lines = Vec::new();
    let mut blocked: BTreeMap<ResourceId, String> = BTreeMap::new();
    for entry in settle::standing_entries(context).await?.into_iter().rev() {
        let resource = entry.change.resource.clone();
        if !ids.contains(entry.id()) {
            blocked.entry(resource).or_insert_with(|| covered_by(&entry));
            continue;
        }
        let would = match blocked.get(&resource) {
            Some(why) => format!("would be left: {why}"),
            None => match context.ports.actuator.live(&entry.prior).await {
                Err(error) => format!("would be left: {error}"),
                Ok(live) if live.is_protected() => "would be left: its owner has protected it".to_owned(),
                Ok(live) => match restrained(context, &entry, ids, resources).await? {
                    Some(refusal) => format!("would be refused: {refusal}"),
                    None => would_be(standing(&entry.change.action, &entry.prior.live, &live.live), &entry),
                },
            },
        };
        lines.push(format!("{} ({}): {would}", entry.change.action, entry.id()));
    }
    Ok(lines)
}

fn covered_by(entry: &Entry) -> String {
    format!("a later change of the same resource stands ({}, {}): undo that first", entry.change.action, entry.id())
}

fn would_be(found: Standing, entry: &Entry) -> String {
    match found {
        Standing::AsChanged => {
            format!("would be set back to {}", before_in_words(&entry.change.action, &entry.prior.live))
        }
        Standing::AsPrior => "the value before it stands already".to_owned(),
        Standing::Other(found) => format!("would be left: somebody else has changed it since: {found}"),
        Standing::NotUndoable => "would be left: it can't be undone".to_owned(),
    }
}

/// Changes of the current iteration that were measured, and interrupted undos of this run, oldest first.
async fn verified(context: &Context<'_>) -> Result<Vec<Entry>, ActError> {
    let run = context.run;
    settle::open(context, |entry| {
        entry.execution == run.execution_id
            && (entry.state == EntryState::UndoIntended
                || (entry.state == EntryState::Applied && entry.iteration == run.iteration))
    })
    .await
}

fn outcome_of<'a>(entry: &Entry, outcomes: &'a [Outcome]) -> Option<&'a Outcome> {
    outcomes.iter().find(|outcome| outcome.change == *entry.id())
}

/// Whether a change must go: an interrupted undo is finished, what was judged not to help is undone.
fn must_undo(entry: &Entry, outcome: Option<&Outcome>) -> bool {
    let unwanted = entry.state == EntryState::UndoIntended || outcome.is_some_and(|outcome| !outcome.keep);
    unwanted && entry.change.action.spec().reversal == Reversal::Undoable
}

/// Puts the captured value back, if the live value is still the one that the change has set.
pub(crate) async fn put_back(
    context: &Context<'_>,
    entry: Entry,
    outcome: Option<&Outcome>,
    why: &str,
) -> Result<Settled, ActError> {
    lease::renew(context).await?;
    let entry = Entry { outcome: outcome.cloned().or(entry.outcome.clone()), ..entry };
    let left_open = |entry: &Entry, why: String| Ok(Settled::line(entry, End::LeftOpen { why }, context.now()));
    if context.mode(&entry.change) == Mode::Observe {
        return left_open(&entry, "the mode is observe: nothing is changed, not even back".to_owned());
    }
    let live = match context.ports.actuator.live(&entry.prior).await {
        Ok(live) => live,
        Err(error @ PortError::Gone { .. }) => {
            return close(context, &entry, EntryState::Superseded, &error.to_string()).await;
        }
        Err(error) => return Ok(Settled::failed(&entry, &error, context.now())),
    };
    match standing(&entry.change.action, &entry.prior.live, &live.live) {
        Standing::AsPrior => {
            close(context, &entry, EntryState::Undone, &format!("{why}; the value before it stands already")).await
        }
        Standing::Other(found) => {
            close(
                context,
                &entry,
                EntryState::Superseded,
                &format!("{why}; not undone, somebody else has changed it since: {found}"),
            )
            .await
        }
        Standing::NotUndoable => close(context, &entry, EntryState::Kept, &format!("{why}; it can't be undone")).await,
        Standing::AsChanged if live.is_protected() => {
            close(
                context,
                &entry,
                EntryState::Superseded,
                &format!("{why}; not undone, its owner has protected it since"),
            )
            .await
        }
        Standing::AsChanged if context.is_out_of_time() => {
            Ok(Settled::line(&entry, End::unfinished("the time of this step is over"), context.now()))
        }
        Standing::AsChanged => restore(context, entry, why).await,
    }
}

/// The undo itself: its intent, a last look, the call, its record.
async fn restore(context: &Context<'_>, entry: Entry, why: &str) -> Result<Settled, ActError> {
    let entry = if entry.state == EntryState::UndoIntended {
        entry
    } else {
        let from = entry.state;
        let intent = Entry { state: EntryState::UndoIntended, note: why.to_owned(), ..entry };
        match settle::record(context, from, intent).await? {
            Recorded::Now(entry) => *entry,
            Recorded::Moved(entry) => return Ok(Settled::of(&entry, context.now())),
        }
    };
    let left = |end: End| Ok(Settled::line(&entry, end, context.now()));
    let lease = lease::renew(context).await?;
    // Both want to be the last thing read before the call.
    let (live, kill_switch) = join(context.ports.actuator.live(&entry.prior), context.ports.switch.read()).await;
    match live.map(|live| standing(&entry.change.action, &entry.prior.live, &live.live)) {
        Ok(Standing::AsChanged) => {}
        // The next delivery finds it so and closes it.
        Ok(_) => return left(End::unfinished("somebody else is changing it at the moment")),
        Err(error) => return Ok(Settled::failed(&entry, &error, context.now())),
    }
    match kill_switch {
        KillSwitch::Off => {}
        KillSwitch::On => {
            return left(End::LeftOpen { why: "the kill switch is on: nothing is changed, not even back".to_owned() });
        }
        KillSwitch::Unreadable(why) => {
            return left(End::LeftOpen { why: format!("the kill switch could not be read: {why}") });
        }
    }
    if let Some(why) = context.too_late(&lease, None) {
        return left(End::unfinished(why));
    }
    match context.ports.actuator.restore(&entry.change, &entry.prior.live).await {
        Ok(()) => close(context, &entry, EntryState::Undone, why).await,
        Err(lost @ PortError::Unknown { .. }) => match context.ports.actuator.live(&entry.prior).await {
            Ok(live) if standing(&entry.change.action, &entry.prior.live, &live.live) == Standing::AsPrior => {
                close(
                    context,
                    &entry,
                    EntryState::Undone,
                    &format!("{why}; the answer was lost, the live state shows it"),
                )
                .await
            }
            _ => Ok(Settled::failed(&entry, &lost, context.now())),
        },
        Err(error @ (PortError::Rejected { .. } | PortError::Gone { .. })) => {
            close(context, &entry, EntryState::Superseded, &format!("{why}; not undone: {error}")).await
        }
        Err(error) => Ok(Settled::failed(&entry, &error, context.now())),
    }
}
