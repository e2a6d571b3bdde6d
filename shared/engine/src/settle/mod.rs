//! Brings what a crash, a time-out or a lost answer left open to a known state: from the journal and the live state, never
//! by trying again.
//!
//! Every way out is written down in the journal. Nothing is undone here that was not decided to be undone: whether a change
//! that has happened stays is for a measurement to say ([`crate::verdict`]), also where the run that made it is dead.

use crate::act::{ActError, Context, earlier};
use crate::facts;
use crate::ports::{Entry, EntryState, PortError};
use crate::undo;
use domain::ids::ResourceId;
use domain::resource::Live;
use domain::settle::{Effect, Standing, effect, removes, standing};
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
    fn entry(&self) -> &Entry {
        match self {
            Self::Entry(entry) | Self::InFlight { entry, .. } | Self::Unreadable { entry, .. } => entry,
        }
    }

    fn line(self, context: &Context<'_>) -> Settled {
        let now = context.now();
        match self {
            Self::Entry(entry) => Settled::of(&entry, now),
            Self::InFlight { entry, retry_after_s } => Settled::line(&entry, End::InFlight { retry_after_s }, now),
            Self::Unreadable { entry, why } => Settled::line(&entry, End::LeftOpen { why }, now),
        }
    }
}

/// Notes in an intent that its end is waited for, so that whoever is about to make the call does not make it any more.
async fn look_at(context: &Context<'_>, entry: &Entry) -> Result<Recorded, ActError> {
    let looked_at = Some(context.now());
    record(context, EntryState::Intended, Entry { looked_at, ..entry.clone() }).await
}

/// Waits until the calls of these intents can't be on their way any more; gives the seconds after which to ask again where this
/// invocation has not the time for that.
///
/// The age of an intent says so only where it is larger than clocks may differ. Else it is written down, under a condition, that its
/// end is waited for: a process that was held up between its intent and its call finds that there. Only then the wait begins, in
/// this process, by what no setting of a clock moves.
async fn let_end(context: &Context<'_>, intents: &[Entry]) -> Result<Option<u32>, ActError> {
    let (mut left_s, mut are_waited_for) = (None, false);
    for entry in intents {
        let Some(long_past_in_s) = context.long_past_in_s(entry) else { continue };
        let is_open = entry.looked_at.is_some() || look_at(context, entry).await?.entry().state == EntryState::Intended;
        are_waited_for |= is_open;
        left_s = left_s.max(is_open.then_some(long_past_in_s));
    }
    let window_s = context.rules.timing.in_flight_s();
    if are_waited_for && context.can_wait_s(window_s) {
        context.ports.clock.wait(window_s).await;
        return Ok(None);
    }
    Ok(left_s)
}

/// Waits for the end of the call of one intent, and finds out what became of it.
pub(crate) async fn resolve(context: &Context<'_>, entry: Entry) -> Result<Resolved, ActError> {
    if let Some(retry_after_s) = let_end(context, std::slice::from_ref(&entry)).await? {
        return Ok(Resolved::InFlight { entry: Box::new(entry), retry_after_s });
    }
    let entry = stands(context, &entry).await?.unwrap_or(entry);
    if entry.state == EntryState::Intended {
        find_out(context, entry).await
    } else {
        Ok(Resolved::Entry(Box::new(entry)))
    }
}

/// Finds out from the live state what became of an intent whose call is over, and records it. Changes nothing in the application.
async fn find_out(context: &Context<'_>, entry: Entry) -> Result<Resolved, ActError> {
    let resolved = match context.ports.actuator.live(&entry.prior).await {
        Ok(now) => match effect(&entry.change.action, &entry.prior.live, &now.live) {
            Effect::Happened => found_done(context, entry, "found done in the live state", Some(&now.live)).await?,
            Effect::CannotTell => happened(entry, "nothing shows whether it was done; it counts as done"),
            Effect::NeverHappened => {
                closed(context, &entry, EntryState::NotApplied, "the live state is the one before it")
            }
            Effect::Superseded(difference) => {
                closed(context, &entry, EntryState::Superseded, &format!("somebody else has changed it: {difference}"))
            }
        },
        Err(PortError::Gone { .. }) if removes(&entry.change.action) => {
            found_done(context, entry, "it is gone, as it was to be", None).await?
        }
        Err(error @ PortError::Gone { .. }) => closed(context, &entry, EntryState::Superseded, &error.to_string()),
        Err(error) => return Ok(Resolved::Unreadable { entry: Box::new(entry), why: error.to_string() }),
    };
    let recorded = record(context, EntryState::Intended, resolved).await?;
    Ok(Resolved::Entry(Box::new(recorded.entry())))
}

/// An entry whose effect the live state shows: it has happened, unless another change has made the same meanwhile. `now`: the
/// live state, none where the resource is gone.
///
/// Of two changes of one resource whose intents were open at the same time one at most is made, since both look at the journal once
/// more before their call. So where the other is known to be made since this one's prior state was captured, this one was not, and
/// the other alone is judged.
async fn found_done(context: &Context<'_>, entry: Entry, note: &str, now: Option<&Live>) -> Result<Entry, ActError> {
    let from = earlier(entry.intended_at, context.rules.timing.skew_s.saturating_add(1));
    let is_made_by = |other: &Entry| {
        let shows = |live: &Live| effect(&other.change.action, &other.prior.live, live) == Effect::Happened;
        let is_same = now.map_or(removes(&other.change.action), shows) && !shows(&entry.prior.live);
        let is_known = matches!(other.state, EntryState::Applied | EntryState::Kept | EntryState::UndoIntended);
        let is_other = other.id() != entry.id() && other.change.resource == entry.change.resource;
        is_other && is_known && is_same && other.applied_at.is_some_and(|at| at >= from)
    };
    let others = facts::recent(context).await?;
    match others.iter().find(|other| is_made_by(other)) {
        Some(other) => {
            let why = format!("the live state shows it, but change {} of run {} made it", other.id(), other.execution);
            Ok(closed(context, &entry, EntryState::NotApplied, &why))
        }
        None => Ok(happened(entry, note)),
    }
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
