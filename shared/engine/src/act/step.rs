//! One change: from the lease to the journal's last word on it.

use super::{ActError, ChangeReport, ChangeResult, Context};
use crate::facts;
use crate::lease;
use crate::ports::{Entry, EntryState, Intent, Lease, PortError};
use crate::settle::{self, Recorded};
use domain::change::Change;
use domain::guard::{self, Cleared, KillSwitch, Refusal};
use domain::resource::Resource;
use domain::settle::{Effect, after_in_words, before_in_words, effect};
use domain::snapshot::Snapshot;

/// Makes one change, or says why not.
pub(super) async fn make(context: &Context<'_>, change: &Change, snapshot: &Snapshot) -> Result<ChangeReport, ActError> {
    let lease = lease::renew(context).await?;
    let entries = facts::recent(context).await?;
    if let Some(entry) = entries.iter().find(|entry| *entry.id() == change.id) {
        return earlier_delivery(context, entry.clone()).await;
    }
    another_delivery(context, &entries)?;
    let line = |result| ChangeReport::of(change, context.now(), result);
    let kill_switch = context.ports.switch.read().await;
    let Some(planned_for) = snapshot.resource(&change.resource) else {
        return Ok(line(ChangeResult::Failed { why: format!("{} is not in the snapshot", change.resource) }));
    };
    let resource = match context.ports.actuator.live(planned_for).await {
        Ok(resource) => resource,
        Err(error) => return Ok(line(ChangeResult::Failed { why: error.to_string() })),
    };
    let before = Some(before_in_words(&change.action, &resource.live));
    let facts = facts::gather(context, change, snapshot, &entries, &resource, kill_switch);
    let cleared = match guard::clear(change, &facts, context.rules.limits) {
        Ok(cleared) => cleared,
        Err(refusal) => return Ok(ChangeReport { before, ..line(refused(refusal)) }),
    };
    let entry = intent(context, change, resource, &lease);
    match context.ports.journal.intend(&entry).await {
        Ok(Intent::Written) => {}
        Ok(Intent::Present(present)) => return earlier_delivery(context, *present).await,
        Err(source @ PortError::Conflict { .. }) => {
            return Err(ActError::LeaseLost { key: context.run.lease_key(), why: source.to_string() });
        }
        Err(source) => return Err(ActError::Journal { doing: format!("announce change {}", change.id), source }),
    }
    let result = apply(context, entry, &cleared, &lease).await?;
    let after = matches!(result, ChangeResult::Applied { .. }).then(|| after_in_words(&change.action));
    Ok(ChangeReport { before, after, ..line(result) })
}

/// The entry that is written before the call.
fn intent(context: &Context<'_>, change: &Change, prior: Resource, lease: &Lease) -> Entry {
    Entry {
        app: context.run.app.clone(),
        change: change.clone(),
        execution: context.run.execution_id.clone(),
        iteration: context.run.iteration,
        state: EntryState::Intended,
        prior,
        fence: lease.fence,
        intended_at: context.now(),
        applied_at: None,
        settled_at: None,
        outcome: None,
        note: "announced".to_owned(),
    }
}

/// The call itself, after a last look at the kill switch and the clock, and the record of what it did.
async fn apply(
    context: &Context<'_>,
    entry: Entry,
    cleared: &Cleared<'_>,
    lease: &Lease,
) -> Result<ChangeResult, ActError> {
    if let Some(refusal) = stopped(context.ports.switch.read().await) {
        not_applied(context, entry, refusal.to_string()).await?;
        return Ok(refused(refusal));
    }
    if let Some(why) = context.too_late(lease, Some(entry.intended_at)) {
        return not_applied(context, entry, why).await;
    }
    match context.ports.actuator.apply(cleared).await {
        Ok(()) => applied(context, entry, "the service accepted it").await,
        Err(error @ PortError::Unknown { .. }) => unknown(context, entry, &error).await,
        Err(error) => not_applied(context, entry, error.to_string()).await,
    }
}

/// The answer was lost. Whether it happened is read from the live state, at once.
async fn unknown(context: &Context<'_>, entry: Entry, lost: &PortError) -> Result<ChangeResult, ActError> {
    let live = match context.ports.actuator.live(&entry.prior).await {
        Ok(resource) => resource.live,
        Err(error) => return Ok(ChangeResult::Unsettled { why: format!("{lost}; and {error}") }),
    };
    match effect(&entry.change.action, &entry.prior.live, &live) {
        Effect::Happened => applied(context, entry, "the answer was lost, the live state shows it").await,
        Effect::CannotTell => applied(context, entry, "the answer was lost; it counts as done").await,
        // The request may still be on its way: only time proves that it is not, so the entry stays open.
        Effect::NeverHappened => Ok(ChangeResult::Unsettled { why: format!("{lost}; the live state does not show it") }),
        Effect::Superseded(difference) => {
            let why = format!("the answer was lost and somebody else has changed it: {difference}");
            let closed = settle::closed(context, &entry, EntryState::Superseded, &why);
            settle::record(context, EntryState::Intended, closed).await?;
            Ok(ChangeResult::Failed { why })
        }
    }
}

async fn applied(context: &Context<'_>, entry: Entry, note: &str) -> Result<ChangeResult, ActError> {
    let at = context.now();
    let entry = Entry { state: EntryState::Applied, applied_at: Some(at), note: note.to_owned(), ..entry };
    match settle::record(context, EntryState::Intended, entry).await? {
        Recorded::Now(_) => Ok(ChangeResult::Applied { at, note: note.to_owned() }),
        Recorded::Moved(entry) => Ok(standing(&entry)),
    }
}

async fn not_applied(context: &Context<'_>, entry: Entry, why: String) -> Result<ChangeResult, ActError> {
    let closed = settle::closed(context, &entry, EntryState::NotApplied, &why);
    match settle::record(context, EntryState::Intended, closed).await? {
        Recorded::Now(_) => Ok(ChangeResult::Failed { why }),
        Recorded::Moved(entry) => Ok(standing(&entry)),
    }
}

/// The change has an entry already: an earlier delivery of this step made it, or died over it. Never applied again.
async fn earlier_delivery(context: &Context<'_>, entry: Entry) -> Result<ChangeReport, ActError> {
    let entry = if entry.state == EntryState::Intended {
        match settle::resolve(context, entry).await? {
            settle::Resolved::Entry(entry) => *entry,
            settle::Resolved::InFlight { entry, retry_after_s } => {
                return Err(ActError::InFlight { change: entry.id().clone(), retry_after_s });
            }
            settle::Resolved::Unreadable { entry, why } => {
                let line = ChangeReport::of(&entry.change, context.now(), ChangeResult::Unsettled { why });
                return Ok(with_values(line, &entry));
            }
        }
    } else {
        entry
    };
    let line = ChangeReport::of(&entry.change, context.now(), standing(&entry));
    Ok(with_values(line, &entry))
}

/// Another delivery of this step that is in the middle of another change: two of them don't work through one plan.
fn another_delivery(context: &Context<'_>, entries: &[Entry]) -> Result<(), ActError> {
    let of_this_run = entries.iter().filter(|entry| {
        entry.execution == context.run.execution_id && entry.state == EntryState::Intended
    });
    for entry in of_this_run {
        if let Some(retry_after_s) = context.in_flight_for_s(entry) {
            return Err(ActError::InFlight { change: entry.id().clone(), retry_after_s });
        }
    }
    Ok(())
}

/// What the journal says of a change that an earlier delivery has dealt with.
fn standing(entry: &Entry) -> ChangeResult {
    match entry.state {
        EntryState::NotApplied => ChangeResult::Failed { why: entry.note.clone() },
        EntryState::Intended => ChangeResult::Unsettled { why: entry.note.clone() },
        EntryState::Superseded if entry.applied_at.is_none() => ChangeResult::Failed { why: entry.note.clone() },
        EntryState::Applied
        | EntryState::Kept
        | EntryState::UndoIntended
        | EntryState::Undone
        | EntryState::Superseded => ChangeResult::Applied {
            at: entry.applied_at.unwrap_or(entry.intended_at),
            note: format!("by an earlier delivery of this step: {}", entry.note),
        },
    }
}

fn with_values(line: ChangeReport, entry: &Entry) -> ChangeReport {
    let action = &entry.change.action;
    let after = matches!(line.result, ChangeResult::Applied { .. }).then(|| after_in_words(action));
    ChangeReport { before: Some(before_in_words(action, &entry.prior.live)), after, ..line }
}

/// The refusal of a kill switch that is not off.
fn stopped(kill_switch: KillSwitch) -> Option<Refusal> {
    match kill_switch {
        KillSwitch::Off => None,
        KillSwitch::On => Some(Refusal::KillSwitch),
        KillSwitch::Unreadable(why) => Some(Refusal::KillSwitchUnreadable { why }),
    }
}

fn refused(refusal: Refusal) -> ChangeResult {
    let why = refusal.to_string();
    ChangeResult::Refused { refusal, why }
}
