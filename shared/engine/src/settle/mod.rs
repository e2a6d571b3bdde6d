//! Brings what a crash, a time-out or a lost answer left open to a known state: from the journal and the live state, never
//! by trying again.
//!
//! Every way out is written down in the journal. Nothing is undone here that was not decided to be undone: whether a change
//! that has happened stays is for a measurement to say ([`crate::verdict`]), also where the run that made it is dead.

use crate::act::{ActError, Context, earlier};
use crate::ports::{Entry, EntryState, PortError};
use crate::undo;
use domain::change::Reversal;
use domain::ids::ResourceId;
use domain::settle::{Standing, removes, standing};
use jiff::Timestamp;
use std::collections::BTreeSet;

mod ending;
mod report;

pub(crate) use ending::{Resolved, resolve};
use ending::{find_out, let_end};
pub use report::{End, Settled, Settlement};

/// How far back the journal is read: 30 days. A kill switch may stay on for long, and what it left open still counts.
pub(crate) const LOOK_BACK_S: u32 = 30 * 86_400;

/// Times that the journal is asked to take a record before the step gives up.
const RECORD_ATTEMPTS: u32 = 3;

/// The moment from which on open entries count: what begin looks for and what settling closes must be the same.
pub fn look_back(now: Timestamp) -> Timestamp {
    earlier(now, LOOK_BACK_S)
}

/// Finds out what other runs of this cycle left open; they are dead, because this run holds its lease. Other cycles work under
/// leases of their own: what they have open is left alone.
///
/// An intent becomes a change that has happened or one that never did, and an undo that was begun is finished. A change that
/// has happened stays open, to be judged, unless its value no longer stands.
///
/// # Errors
/// [`ActError`] when the lease or the journal forbids to go on; what was settled until then is in the journal.
pub async fn residue(context: &Context<'_>) -> Result<Settlement, ActError> {
    let run = context.run;
    make_known(context, |entry| entry.execution != run.execution_id && run.answers_for(entry.workflow)).await
}

/// The same for what this run itself has left open. To be called before verifying.
///
/// # Errors
/// As [`residue`].
pub async fn own(context: &Context<'_>) -> Result<Settlement, ActError> {
    make_known(context, |entry| entry.execution == context.run.execution_id).await
}

/// This run's changes of the current iteration that have happened and are to be verified, oldest first.
///
/// # Errors
/// [`ActError::Journal`].
pub async fn to_verify(context: &Context<'_>) -> Result<Vec<Entry>, ActError> {
    let (run, mut entries) = (context.run, open(context, |entry| entry.state == EntryState::Applied).await?);
    entries.retain(|entry| entry.execution == run.execution_id && entry.iteration == run.iteration);
    Ok(entries)
}

/// Open entries of the application, oldest first.
pub(crate) async fn open(context: &Context<'_>, of: impl Fn(&Entry) -> bool) -> Result<Vec<Entry>, ActError> {
    let from = look_back(context.now());
    let mut entries =
        context.ports.journal.since(&context.run.app, from).await.map_err(|source| ActError::Journal {
            doing: format!("find open changes of {}", context.run.app),
            source,
        })?;
    entries.retain(|entry| entry.state.is_open() && of(entry));
    Ok(entries)
}

/// Undoable changes of the application that stand or may stand, of all time, oldest first.
pub(crate) async fn standing_entries(context: &Context<'_>) -> Result<Vec<Entry>, ActError> {
    let app = &context.run.app;
    let mut entries = context
        .ports
        .journal
        .since(app, Timestamp::UNIX_EPOCH)
        .await
        .map_err(|source| ActError::Journal { doing: format!("find the changes of {app}"), source })?;
    entries.retain(Entry::may_be_undone);
    Ok(entries)
}

/// First finds out, oldest first, what has happened; then looks, newest first, at what stands and finishes undos.
async fn make_known(context: &Context<'_>, of: impl Fn(&Entry) -> bool) -> Result<Settlement, ActError> {
    let mut settlement = Settlement::default();
    let mut looked_at = Vec::new();
    let intents = open(context, |entry| entry.state == EntryState::Intended && of(entry)).await?;
    let left_s = let_end(context, &intents).await?;
    // An intent that has come since was not waited for.
    let is_over = |entry: &Entry| match left_s {
        None => intents.iter().any(|known| known.id() == entry.id()),
        Some(_) => context.long_past_in_s(entry).is_none(),
    };
    for entry in open(context, |_| true).await? {
        if entry.state != EntryState::Intended || !of(&entry) {
            looked_at.push((entry, false));
            continue;
        }
        let found = if is_over(&entry) {
            find_out(context, entry).await?
        } else {
            let retry_after_s = left_s.unwrap_or(context.rules.timing.in_flight_s());
            Resolved::InFlight { entry: Box::new(entry), retry_after_s }
        };
        match found {
            Resolved::Entry(entry) => {
                settlement.changes.push(Settled::of(&entry, context.now()));
                looked_at.push((*entry, true));
            }
            unknown => {
                looked_at.push((unknown.entry().clone(), false));
                settlement.changes.push(unknown.line(context));
            }
        }
    }
    // Under a change that is still open the value of an earlier one is not the live one: nothing can be said of that yet.
    let mut covered: BTreeSet<ResourceId> = BTreeSet::new();
    for (entry, is_fresh) in looked_at.into_iter().rev().filter(|(entry, _)| entry.state.is_open()) {
        let resource = entry.change.resource.clone();
        let is_covered = covered.contains(&resource);
        let line = match entry.state {
            EntryState::UndoIntended if of(&entry) && is_covered => {
                let why = "a later change of the resource is still open".to_owned();
                Some(Settled::line(&entry, End::LeftOpen { why }, context.now()))
            }
            EntryState::UndoIntended if of(&entry) => {
                let why = entry.note.clone();
                Some(undo::put_back(context, entry, None, &why).await?)
            }
            EntryState::Applied if of(&entry) && !is_fresh && entry.execution != context.run.execution_id => {
                let line =
                    if is_covered { Settled::of(&entry, context.now()) } else { stands_still(context, entry).await? };
                Some(line)
            }
            _ => None,
        };
        if line.as_ref().is_none_or(|line| line.end.is_open() || matches!(line.end, End::Applied { .. })) {
            covered.insert(resource);
        }
        settlement.changes.extend(line);
    }
    Ok(settlement)
}

/// Looks whether a dead run's change still stands. It can only be judged while it does.
async fn stands_still(context: &Context<'_>, entry: Entry) -> Result<Settled, ActError> {
    let found = match context.ports.actuator.live(&entry.prior).await {
        Ok(live) => standing(&entry.change.action, &entry.prior.live, &live.live),
        Err(PortError::Gone { .. }) if removes(&entry.change.action) => Standing::AsChanged,
        Err(error @ PortError::Gone { .. }) => {
            return close(context, &entry, EntryState::Superseded, &error.to_string()).await;
        }
        // It is looked at again before anything is undone.
        Err(_) => Standing::AsChanged,
    };
    match found {
        Standing::AsChanged | Standing::NotUndoable => Ok(Settled::of(&entry, context.now())),
        // What restores itself was not taken back by anybody: statistics that are old again were new once, and that is what is judged.
        Standing::AsPrior if entry.change.action.spec().reversal == Reversal::SelfRestoring => {
            Ok(Settled::of(&entry, context.now()))
        }
        Standing::AsPrior => close(context, &entry, EntryState::Undone, "the value before it stands already").await,
        Standing::Other(found) => {
            close(context, &entry, EntryState::Superseded, &format!("somebody else has changed it since: {found}"))
                .await
        }
    }
}

/// Closes an entry and tells how the journal has it then.
pub(crate) async fn close(
    context: &Context<'_>,
    entry: &Entry,
    state: EntryState,
    note: &str,
) -> Result<Settled, ActError> {
    let entry = record(context, entry.state, closed(context, entry, state, note)).await?.entry();
    Ok(Settled::of(&entry, context.now()))
}

/// Closes an entry as kept.
pub(crate) async fn keep(context: &Context<'_>, entry: Entry, why: &str) -> Result<Settled, ActError> {
    close(context, &entry, EntryState::Kept, why).await
}

/// An entry in its last state.
pub(crate) fn closed(context: &Context<'_>, entry: &Entry, state: EntryState, note: &str) -> Entry {
    Entry { state, settled_at: Some(context.now()), note: note.to_owned(), ..entry.clone() }
}

/// Answer of [`record`].
pub(crate) enum Recorded {
    /// The journal has it.
    Now(Box<Entry>),
    /// Another process had moved the entry on; as it stands.
    Moved(Box<Entry>),
}

impl Recorded {
    pub(crate) fn entry(self) -> Entry {
        match self {
            Self::Now(entry) | Self::Moved(entry) => *entry,
        }
    }
}

/// Moves an entry on in the journal, through throttling and lost answers.
pub(crate) async fn record(context: &Context<'_>, from: EntryState, entry: Entry) -> Result<Recorded, ActError> {
    let entry = entry.left_by(&context.run.execution_id);
    let mut from = from;
    let mut attempt = 1;
    loop {
        let source = match context.ports.journal.advance(from, &entry).await {
            Ok(()) => return Ok(Recorded::Now(Box::new(entry))),
            Err(error) => error,
        };
        let may_pass =
            matches!(source, PortError::Throttled { .. } | PortError::Unknown { .. } | PortError::Conflict { .. });
        if attempt >= RECORD_ATTEMPTS || !may_pass {
            return Err(ActError::Journal { doing: format!("record change {}", entry.id()), source });
        }
        attempt += 1;
        if matches!(source, PortError::Conflict { .. }) {
            match stands(context, &entry).await? {
                // The answer to an attempt of ours was lost, or another delivery wrote the same.
                Some(found) if found.state == entry.state => return Ok(Recorded::Now(Box::new(found))),
                // Somebody gave it up as never made; we know better, because we made it.
                Some(found) if found.state == EntryState::NotApplied && entry.state == EntryState::Applied => {
                    from = EntryState::NotApplied;
                }
                Some(found) if found.state == from => {}
                Some(found) => return Ok(Recorded::Moved(Box::new(found))),
                None => return Err(ActError::Journal { doing: format!("find change {} again", entry.id()), source }),
            }
        }
    }
}

/// The entry as it stands in the journal.
async fn stands(context: &Context<'_>, entry: &Entry) -> Result<Option<Entry>, ActError> {
    // A second earlier: the store may keep times with less precision.
    let entries = context.ports.journal.since(&entry.app, earlier(entry.intended_at, 1)).await;
    let entries =
        entries.map_err(|source| ActError::Journal { doing: format!("read change {}", entry.id()), source })?;
    Ok(entries.into_iter().find(|found| found.id() == entry.id()))
}
