//! Settles what a crash, a time-out or a lost answer left open: from the journal and the live state, never by trying again.
//!
//! Every way out is written down in the journal. What a dead run has changed and never verified is undone where it can be:
//! a change is kept only if measurement shows that it helped.

use crate::act::{ActError, Context, earlier};
use crate::ports::{Entry, EntryState, PortError};
use crate::undo;
use domain::change::Reversal;
use domain::ids::ResourceId;
use domain::settle::{Effect, effect};
use jiff::Timestamp;
use std::collections::BTreeSet;

mod report;

pub use report::{End, Settled, Settlement};

/// How far back the journal is read: 30 days. A kill switch may stay on for long, and what it left open still counts.
pub(crate) const LOOK_BACK_S: u32 = 30 * 86_400;

/// Times that the journal is asked to take a record before the step gives up.
const RECORD_ATTEMPTS: u32 = 3;

/// The moment from which on open entries count: what begin looks for and what settling closes must be the same.
pub fn look_back(now: Timestamp) -> Timestamp {
    earlier(now, LOOK_BACK_S)
}

/// Settles everything that other runs left open; they are dead, because this run holds the lease.
///
/// # Errors
/// [`ActError`] when the lease or the journal forbids to go on; what was settled until then is in the journal.
pub async fn residue(context: &Context<'_>) -> Result<Settlement, ActError> {
    close_all(context, |entry| entry.execution != context.run.execution_id, "its run died before it was verified").await
}

/// Settles and undoes everything that this run itself has left open: for a run that ends before verification.
///
/// # Errors
/// As [`residue`].
pub async fn abandoned(context: &Context<'_>) -> Result<Settlement, ActError> {
    close_all(context, |entry| entry.execution == context.run.execution_id, "the run ended before it was verified")
        .await
}

/// Finds out what became of this run's intents whose answer was lost, and undoes nothing. To be called before verifying.
///
/// # Errors
/// As [`residue`].
pub async fn own(context: &Context<'_>) -> Result<Settlement, ActError> {
    let mut settlement = Settlement::default();
    for entry in open(context, |entry| entry.execution == context.run.execution_id).await? {
        if entry.state == EntryState::Intended {
            settlement.changes.push(resolve(context, entry).await?.line(context));
        }
    }
    Ok(settlement)
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

/// First finds out, oldest first, what has happened; then undoes, newest first.
async fn close_all(context: &Context<'_>, of: impl Fn(&Entry) -> bool, why: &str) -> Result<Settlement, ActError> {
    let mut settlement = Settlement::default();
    let mut happened = Vec::new();
    for entry in open(context, of).await? {
        if entry.state == EntryState::Intended {
            match resolve(context, entry).await? {
                Resolved::Entry(entry) if entry.state.is_open() => happened.push(*entry),
                other => settlement.changes.push(other.line(context)),
            }
        } else {
            happened.push(entry);
        }
    }
    // A change under one that could not be settled stays too: its value is not the live one.
    let mut blocked: BTreeSet<ResourceId> = settlement.left_open().map(|line| line.resource.clone()).collect();
    for entry in happened.into_iter().rev() {
        let line = if blocked.contains(&entry.change.resource) {
            Settled::line(
                &entry,
                End::LeftOpen { why: "a later change of the resource is still open".to_owned() },
                context.now(),
            )
        } else if entry.change.action.spec().reversal == Reversal::Undoable {
            undo::put_back(context, entry, None, why).await?
        } else {
            keep(context, entry, &format!("{why}, and it can't be undone: the platform restores it")).await?
        };
        if matches!(line.end, End::LeftOpen { .. }) {
            blocked.insert(line.resource.clone());
        }
        settlement.changes.push(line);
    }
    Ok(settlement)
}

/// Closes an entry as kept.
pub(crate) async fn keep(context: &Context<'_>, entry: Entry, why: &str) -> Result<Settled, ActError> {
    let kept = closed(context, &entry, EntryState::Kept, why);
    let entry = record(context, entry.state, kept).await?.entry();
    Ok(Settled::of(&entry, context.now()))
}

/// What is known of an intent after looking.
pub(crate) enum Resolved {
    /// Recorded: no longer an intent.
    Entry(Box<Entry>),
    /// Too young: its call may still take effect.
    InFlight {
        /// The entry, still open.
        entry: Box<Entry>,
        /// Seconds after which it can be settled.
        retry_after_s: u32,
    },
    /// The live state could not be read.
    Unreadable {
        /// The entry, still open.
        entry: Box<Entry>,
        /// Why.
        why: String,
    },
}

impl Resolved {
    fn line(self, context: &Context<'_>) -> Settled {
        let now = context.now();
        match self {
            Self::Entry(entry) => Settled::of(&entry, now),
            Self::InFlight { entry, retry_after_s } => Settled::line(&entry, End::InFlight { retry_after_s }, now),
            Self::Unreadable { entry, why } => Settled::line(&entry, End::LeftOpen { why }, now),
        }
    }
}

/// Finds out from the live state what became of an intent, and records it. Changes nothing in the application.
pub(crate) async fn resolve(context: &Context<'_>, entry: Entry) -> Result<Resolved, ActError> {
    if let Some(retry_after_s) = context.in_flight_for_s(&entry) {
        return Ok(Resolved::InFlight { entry: Box::new(entry), retry_after_s });
    }
    let resolved = match context.ports.actuator.live(&entry.prior).await {
        Ok(now) => match effect(&entry.change.action, &entry.prior.live, &now.live) {
            Effect::Happened => happened(entry, "found done in the live state"),
            Effect::CannotTell => happened(entry, "nothing shows whether it was done; it counts as done"),
            Effect::NeverHappened => {
                closed(context, &entry, EntryState::NotApplied, "the live state is the one before it")
            }
            Effect::Superseded(difference) => {
                closed(context, &entry, EntryState::Superseded, &format!("somebody else has changed it: {difference}"))
            }
        },
        Err(error @ PortError::Gone { .. }) => closed(context, &entry, EntryState::Superseded, &error.to_string()),
        Err(error) => return Ok(Resolved::Unreadable { entry: Box::new(entry), why: error.to_string() }),
    };
    let recorded = record(context, EntryState::Intended, resolved).await?;
    Ok(Resolved::Entry(Box::new(recorded.entry())))
}

/// An entry found done. When exactly is not known: the moment of its intent, so that no budget is spared.
fn happened(entry: Entry, note: &str) -> Entry {
    Entry { state: EntryState::Applied, applied_at: Some(entry.intended_at), note: note.to_owned(), ..entry }
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
