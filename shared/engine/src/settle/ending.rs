//! What has become of a call of which the journal knows only the intent: first its end is waited for, then the live state tells.

use super::{End, Recorded, Settled, closed, record, stands};
use crate::act::{ActError, Context, earlier};
use crate::facts;
use crate::ports::{Entry, EntryState, PortError};
use domain::resource::Live;
use domain::settle::{Effect, effect, removes};

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
    pub(super) fn entry(&self) -> &Entry {
        match self {
            Self::Entry(entry) | Self::InFlight { entry, .. } | Self::Unreadable { entry, .. } => entry,
        }
    }

    pub(super) fn line(self, context: &Context<'_>) -> Settled {
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
pub(super) async fn let_end(context: &Context<'_>, intents: &[Entry]) -> Result<Option<u32>, ActError> {
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
pub(super) async fn find_out(context: &Context<'_>, entry: Entry) -> Result<Resolved, ActError> {
    let resolved = match context.ports.actuator.live(&entry.prior).await {
        Ok(now) => match effect(&entry.change.action, &entry.prior.live, &now.live) {
            Effect::Happened => found_done(context, entry, "found done in the live state", Some(&now.live)).await?,
            Effect::CannotTell => happened(entry, "nothing shows whether it was done; it counts as done"),
            Effect::NeverHappened => {
                closed(context, &entry, EntryState::NotApplied, "the live state is the one before it")
            }
            Effect::Superseded(difference) => match made_by_another(context, &entry, Some(&now.live)).await? {
                Some(not_made) => not_made,
                None => {
                    let why = format!("somebody else has changed it: {difference}");
                    closed(context, &entry, EntryState::Superseded, &why)
                }
            },
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
async fn found_done(context: &Context<'_>, entry: Entry, note: &str, now: Option<&Live>) -> Result<Entry, ActError> {
    Ok(made_by_another(context, &entry, now).await?.unwrap_or_else(|| happened(entry, note)))
}

/// An intent as never made, where what the live state shows is known to be the work of another change of ours.
///
/// Of two changes of one resource whose intents were open at the same time one at most is made, since both look at the journal once
/// more before their call. So where the other is known to be made since this one's prior state was captured, this one was not, and
/// the other alone is judged.
async fn made_by_another(context: &Context<'_>, entry: &Entry, now: Option<&Live>) -> Result<Option<Entry>, ActError> {
    let from = earlier(entry.intended_at, context.rules.timing.skew_s.saturating_add(1));
    let is_made_by = |other: &Entry| {
        let shows = |live: &Live| effect(&other.change.action, &other.prior.live, live) == Effect::Happened;
        let is_same = now.map_or(removes(&other.change.action), shows) && !shows(&entry.prior.live);
        let is_known = matches!(other.state, EntryState::Applied | EntryState::Kept | EntryState::UndoIntended);
        let is_other = other.id() != entry.id() && other.change.resource == entry.change.resource;
        is_other && is_known && is_same && other.applied_at.is_some_and(|at| at >= from)
    };
    let others = facts::recent(context).await?;
    Ok(others.iter().find(|other| is_made_by(other)).map(|other| {
        let why = format!("the live state is what change {} of run {} made", other.id(), other.execution);
        closed(context, entry, EntryState::NotApplied, &why)
    }))
}

/// An entry found done. When exactly is not known: the moment of its intent, so that no budget is spared.
fn happened(entry: Entry, note: &str) -> Entry {
    Entry { state: EntryState::Applied, applied_at: Some(entry.intended_at), note: note.to_owned(), ..entry }
}
