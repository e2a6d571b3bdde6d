//! One change: from the lease to the journal's last word on it.

use super::context::Moment;
use super::{ActError, ChangeReport, ChangeResult, Context};
use crate::facts;
use crate::lease;
use crate::ports::{Entry, EntryState, Intent, Lease, PortError};
use crate::restraints;
use crate::settle::{self, Recorded};
use domain::approval::Approval;
use domain::arbitration::{Direction, Incident};
use domain::change::Change;
use domain::guard::{self, Cleared, Facts, Refusal};
use domain::resource::Resource;
use domain::settle::{Effect, Standing, after_in_words, before_in_words, effect, removes, standing};
use domain::snapshot::Snapshot;
use futures::future::join3;

/// Makes one change, or says why not.
pub(super) async fn make(
    context: &Context<'_>,
    change: &Change,
    snapshot: &Snapshot,
) -> Result<ChangeReport, ActError> {
    let lease = lease::renew(context).await?;
    let entries = facts::recent(context).await?;
    if let Some(entry) = entries.iter().find(|entry| *entry.id() == change.id) {
        return earlier_delivery(context, entry.clone()).await;
    }
    another_delivery(context, &entries)?;
    let line = |result| ChangeReport::of(change, context.now(), result);
    let kill_switch = context.ports.switch.read().await;
    let Some(planned_for) = snapshot.resource(&change.resource) else {
        let why = format!("{} is not in the snapshot", change.resource);
        return Ok(line(ChangeResult::Failed { why, may_pass: false }));
    };
    let resource = match context.ports.actuator.live(planned_for).await {
        Ok(resource) => resource,
        Err(error) => {
            return Ok(line(ChangeResult::Failed { why: error.to_string(), may_pass: error.may_pass() }));
        }
    };
    let before = Some(before_in_words(&change.action, &resource.live));
    let incident = incident_for(context, change, snapshot, &resource).await;
    let facts = facts::gather(context, change, snapshot, &entries, &resource, (kill_switch, incident));
    if let Err(refusal) = guard::clear(change, &facts, context.rules.limits) {
        // What a preview shows: the mode as configured, since only observing was asked for.
        let facts = Facts { mode: (context.rules.mode)(change), ..facts };
        let guards = guard::review(change, &facts, context.rules.limits);
        let allowed_by = facts.approval().map(|approval| approval.to_string());
        return Ok(ChangeReport { before, guards, allowed_by, ..line(refused(refusal)) });
    }
    let moment = context.moment();
    let entry = intent(context, change, resource, &lease, (moment, facts.approval()));
    match context.ports.journal.intend(&entry).await {
        Ok(Intent::Written) => {}
        Ok(Intent::Present(present)) => return earlier_delivery(context, *present).await,
        Ok(Intent::Overtaken { newest }) => {
            return Err(ActError::Overtaken { iteration: context.run.iteration, newest });
        }
        Err(source @ PortError::Conflict { .. }) => {
            return Err(ActError::LeaseLost { key: context.run.lease_key(), why: source.to_string() });
        }
        Err(source) => return Err(ActError::Journal { doing: format!("announce change {}", change.id), source }),
    }
    let result = announced(context, entry, moment, snapshot, &lease).await?;
    let after = matches!(result, ChangeResult::Applied { .. }).then(|| after_in_words(&change.action));
    Ok(ChangeReport { before, after, ..line(result) })
}

/// The entry that is written before the call.
fn intent(
    context: &Context<'_>,
    change: &Change,
    prior: Resource,
    lease: &Lease,
    (moment, approval): (Moment, Option<Approval>),
) -> Entry {
    Entry {
        app: context.run.app.clone(),
        change: change.clone(),
        execution: context.run.execution_id.clone(),
        workflow: context.run.workflow,
        iteration: context.run.iteration,
        state: EntryState::Intended,
        prior,
        fence: lease.fence,
        intended_at: moment.at,
        applied_at: None,
        looked_at: None,
        settled_at: None,
        outcome: None,
        approval,
        note: "announced".to_owned(),
        taken_over_by: None,
        rolled_back: false,
    }
}

/// The incident that is open, for a change that makes something smaller; for others nothing is read.
async fn incident_for(
    context: &Context<'_>,
    change: &Change,
    snapshot: &Snapshot,
    resource: &Resource,
) -> Option<Incident> {
    match Direction::of(&change.action, &resource.live) {
        Direction::Reduces => restraints::incident(context, &snapshot.resources).await,
        Direction::Grows | Direction::Neutral => None,
    }
}

/// Everything once more, now that everybody else can see the intent, and then the call.
///
/// Two writers that count before they announce may both find room for one change. Whoever announces first and counts
/// afterwards is seen by the other, so that no budget is exceeded however many deliveries, runs and cycles there are.
/// Journal, live state and kill switch are read at the same time: each of them wants to be the last before the call. An
/// incident is looked for before them, and only for a change that makes something smaller.
async fn announced(
    context: &Context<'_>,
    entry: Entry,
    moment: Moment,
    snapshot: &Snapshot,
    lease: &Lease,
) -> Result<ChangeResult, ActError> {
    let change = entry.change.clone();
    let incident = incident_for(context, &change, snapshot, &entry.prior).await;
    let (entries, live, kill_switch) =
        join3(facts::recent(context), context.ports.actuator.live(&entry.prior), context.ports.switch.read()).await;
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            not_applied(context, entry, "the journal could not be read after its intent".to_owned(), true).await?;
            return Err(error);
        }
    };
    match entries.iter().find(|other| other.id() == entry.id()) {
        Some(found) if found.state != EntryState::Intended => return Ok(reported(found)),
        Some(found) if found.looked_at.is_none() => {}
        _ => {
            let why = "another process has begun to find out what became of it".to_owned();
            return not_applied(context, entry, why, true).await;
        }
    }
    entries.retain(|other| other.id() != entry.id());
    let resource = match live {
        Ok(resource) => resource,
        Err(error) => return not_applied(context, entry, error.to_string(), error.may_pass()).await,
    };
    let facts = facts::gather(context, &change, snapshot, &entries, &resource, (kill_switch, incident));
    match guard::clear(&change, &facts, context.rules.limits) {
        Ok(_) if !is_as_captured(&entry, &resource) => {
            not_applied(context, entry, "somebody else was changing it at the same moment".to_owned(), false).await
        }
        Ok(cleared) => {
            // By what it is allowed now: that may have changed since it was announced.
            let entry = Entry { approval: facts.approval(), ..entry };
            apply(context, entry, moment, &cleared, lease).await
        }
        Err(refusal) => {
            not_applied(context, entry, refusal.to_string(), false).await?;
            Ok(refused(refusal))
        }
    }
}

/// Whether the captured value is still the live one: what an undo would restore.
fn is_as_captured(entry: &Entry, now: &Resource) -> bool {
    matches!(standing(&entry.change.action, &entry.prior.live, &now.live), Standing::AsPrior | Standing::NotUndoable)
}

/// The call itself, after a last look at the clock, and the record of what it did. Between that look and the call nothing
/// is awaited.
async fn apply(
    context: &Context<'_>,
    entry: Entry,
    announced: Moment,
    cleared: &Cleared<'_>,
    lease: &Lease,
) -> Result<ChangeResult, ActError> {
    if let Some(why) = context.too_late(lease, Some(announced)) {
        return not_applied(context, entry, why, true).await;
    }
    match context.ports.actuator.apply(cleared).await {
        Ok(()) => applied(context, entry, "the service accepted it").await,
        Err(error @ PortError::Unknown { .. }) => unknown(context, entry, &error).await,
        Err(error) => not_applied(context, entry, error.to_string(), error.may_pass()).await,
    }
}

/// The answer was lost. Whether it happened is read from the live state, at once.
async fn unknown(context: &Context<'_>, entry: Entry, lost: &PortError) -> Result<ChangeResult, ActError> {
    let live = match context.ports.actuator.live(&entry.prior).await {
        Ok(resource) => resource.live,
        Err(PortError::Gone { .. }) if removes(&entry.change.action) => {
            return applied(context, entry, "the answer was lost, but it is gone").await;
        }
        Err(error) => return Ok(ChangeResult::Unsettled { why: format!("{lost}; and {error}") }),
    };
    match effect(&entry.change.action, &entry.prior.live, &live) {
        Effect::Happened => applied(context, entry, "the answer was lost, the live state shows it").await,
        Effect::CannotTell => applied(context, entry, "the answer was lost; it counts as done").await,
        // The request may still be on its way: only time proves that it is not, so the entry stays open.
        Effect::NeverHappened => {
            Ok(ChangeResult::Unsettled { why: format!("{lost}; the live state does not show it") })
        }
        Effect::Superseded(difference) => Ok(ChangeResult::Unsettled { why: format!("{lost}; {difference}") }),
    }
}

async fn applied(context: &Context<'_>, entry: Entry, note: &str) -> Result<ChangeResult, ActError> {
    let at = context.now();
    let entry = Entry { state: EntryState::Applied, applied_at: Some(at), note: note.to_owned(), ..entry };
    match settle::record(context, EntryState::Intended, entry).await? {
        Recorded::Now(_) => Ok(ChangeResult::Applied { at, note: note.to_owned() }),
        Recorded::Moved(entry) => Ok(reported(&entry)),
    }
}

async fn not_applied(
    context: &Context<'_>,
    entry: Entry,
    why: String,
    may_pass: bool,
) -> Result<ChangeResult, ActError> {
    let closed = settle::closed(context, &entry, EntryState::NotApplied, &why);
    match settle::record(context, EntryState::Intended, closed).await? {
        Recorded::Now(_) => Ok(ChangeResult::Failed { why, may_pass }),
        Recorded::Moved(entry) => Ok(reported(&entry)),
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
    let line = ChangeReport::of(&entry.change, context.now(), reported(&entry));
    Ok(with_values(line, &entry))
}

/// Another delivery of this step that is in the middle of another change, or that has gone on to a later iteration: two
/// of them don't work at once.
fn another_delivery(context: &Context<'_>, entries: &[Entry]) -> Result<(), ActError> {
    let iteration = context.run.iteration;
    for entry in entries.iter().filter(|entry| entry.execution == context.run.execution_id) {
        if entry.iteration > iteration {
            return Err(ActError::Overtaken { iteration, newest: entry.iteration });
        }
        if entry.state != EntryState::Intended {
            continue;
        }
        if let Some(retry_after_s) = context.in_flight_for_s(entry) {
            return Err(ActError::InFlight { change: entry.id().clone(), retry_after_s });
        }
    }
    Ok(())
}

/// What the journal says of a change that an earlier delivery has dealt with.
fn reported(entry: &Entry) -> ChangeResult {
    match entry.state {
        EntryState::NotApplied => ChangeResult::Failed { why: entry.note.clone(), may_pass: false },
        EntryState::Intended => ChangeResult::Unsettled { why: entry.note.clone() },
        EntryState::Superseded if entry.applied_at.is_none() => {
            ChangeResult::Failed { why: entry.note.clone(), may_pass: false }
        }
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

fn refused(refusal: Refusal) -> ChangeResult {
    let why = refusal.to_string();
    ChangeResult::Refused { refusal, why }
}
