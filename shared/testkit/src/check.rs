//! What must hold in every world, whatever went wrong; told as a violation where it does not.

use crate::world::{Landing, World, Write};
use domain::change::{Action, Reversal};
use domain::guard::KillSwitch;
use domain::ids::{ChangeId, ResourceId};
use domain::settle::{Standing, after_in_words, before_in_words, removes, standing};
use engine::act::Timing;
use engine::ports::{Entry, EntryState};
use std::collections::BTreeSet;

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The promise that is broken: the same for the same kind of violation.
    pub promise: &'static str,
    /// What was found.
    pub told: String,
}

/// Nothing is wrong, or this is.
pub type Checked = Result<(), Violation>;

/// Fails with this promise unless it holds.
///
/// # Errors
/// The violation.
pub fn hold(promise: &'static str, holds: bool, told: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Violation { promise, told: told() }) }
}

/// What must hold in every world at every time, whatever went wrong. `may_be_late`: requests were made to land late, and
/// then nobody can promise who holds the lease.
///
/// # Errors
/// The first violation.
pub fn sound(world: &World, may_be_late: bool) -> Checked {
    for entry in world.journal() {
        let times = landings(world, entry.id());
        hold("a change is applied at most once", times <= 1, || format!("{} was applied {times} times", entry.id()))?;
    }
    in_order(world)?;
    let ledger = world.ledger();
    for write in &ledger {
        match &write.landing {
            Landing::Outside => continue,
            Landing::Applied(id, state) => {
                let Some(entry) = world.entry(id) else {
                    return hold("nothing is applied without an intent", false, || format!("{id} has no entry"));
                };
                // Nobody can see whether such a change is still on its way, so it counts as done at once.
                let is_settled_early = may_be_late && leaves_no_trace(&entry);
                let is_intended = *state == Some(EntryState::Intended);
                hold("nothing is applied that was settled", is_intended || is_settled_early, || {
                    format!("{id} ({}) landed when its entry was {state:?}", entry.change.action)
                })?;
            }
            Landing::Restored(id, state) => undone_over_nothing(world, write, id, *state)?,
        }
        if !may_be_late {
            let is_blind = write.kill_switch != KillSwitch::Off && write.kill_switch_was_read;
            hold("nothing is written after the kill switch was seen", !is_blind, || format!("{write:?}"))?;
            in_time(world, write, &ledger)?;
        }
    }
    Ok(())
}

/// No iteration of a run announces anything after a later one has.
fn in_order(world: &World) -> Checked {
    let journal = world.journal();
    for (old, new) in journal.iter().flat_map(|old| journal.iter().map(move |new| (old, new))) {
        let is_older = old.execution == new.execution && old.iteration < new.iteration;
        let is_late = is_older && world.announced_at(old.id()) > world.announced_at(new.id());
        hold("an old plan is not carried out", !is_late, || {
            format!("{} of iteration {} was announced after {}", old.id(), old.iteration, new.id())
        })?;
    }
    Ok(())
}

fn undone_over_nothing(world: &World, write: &Write, id: &ChangeId, state: Option<EntryState>) -> Checked {
    hold("nothing is undone without an intent", state == Some(EntryState::UndoIntended), || {
        format!("{id} was undone when its entry was {state:?}")
    })?;
    let Some(entry) = world.entry(id) else {
        return hold("nothing is undone without an intent", false, || format!("{id} has no entry"));
    };
    let wanted = after_in_words(&entry.change.action);
    let seen = write.last_seen.as_ref().map(|seen| before_in_words(&entry.change.action, seen));
    hold("nothing is undone over newer work", seen.as_ref() == Some(&wanted), || {
        format!("{id} had set {wanted}, and was undone where {seen:?} was seen")
    })
}

/// A change is made within the time in which every other run waits for it, and whoever writes is alone.
fn in_time(world: &World, write: &Write, ledger: &[Write]) -> Checked {
    let (Landing::Applied(id, _) | Landing::Restored(id, _)) = &write.landing else { return Ok(()) };
    let Some(entry) = world.entry(id) else { return Ok(()) };
    if matches!(write.landing, Landing::Applied(..))
        && let Some(announced_at) = world.announced_at(id)
    {
        let age_s = write.at.duration_since(announced_at).as_secs();
        let may_take_s = i64::from(Timing::default().in_flight_s());
        hold("a change is made soon after its intent", age_s <= may_take_s, || {
            format!("{id} was applied {age_s} s after its intent")
        })?;
    }
    alone(world, write, &entry, ledger)
}

/// The run may have ended in the meantime, but no other may have begun to write.
fn alone(world: &World, write: &Write, entry: &Entry, ledger: &[Write]) -> Checked {
    let writer = if write.by.is_empty() { entry.execution.as_str() } else { &write.by };
    let Some(holder) = write.lease.as_ref().map(|lease| lease.holder.as_str()).filter(|holder| *holder != writer)
    else {
        return Ok(());
    };
    let cycle = entry.workflow.cycle();
    let since = world.announced_at(entry.id()).filter(|_| matches!(write.landing, Landing::Applied(..)));
    let theirs = ledger.iter().filter(|other| {
        let is_theirs = other.by == holder && other.at < write.at && since.is_none_or(|since| other.at > since);
        is_theirs && other.change().and_then(|id| world.entry(id)).is_some_and(|of| of.workflow.cycle() == cycle)
    });
    let theirs: Vec<String> = theirs.map(|other| format!("{:?}", other.landing)).collect();
    hold("one run writes at a time", theirs.is_empty(), || {
        format!("{writer} wrote {:?} when {holder} held the lease and had written {}", write.landing, theirs.join(", "))
    })
}

/// What must hold once everything is settled: journal and ledger tell the same story.
///
/// # Errors
/// The first violation.
pub fn settled(world: &World) -> Checked {
    for entry in world.journal() {
        let times = landings(world, entry.id());
        let told = || format!("{} is {:?} and landed {times} times: {}", entry.id(), entry.state, entry.note);
        hold("nothing stays open for ever", !entry.state.is_open(), told)?;
        let is_true = match entry.state {
            EntryState::NotApplied => times == 0,
            EntryState::Kept if entry.change.action.spec().reversal == Reversal::SelfRestoring => times <= 1,
            // Of a thing that is gone nobody can see who has deleted it: a run that died over that, or somebody else.
            EntryState::Kept
                if removes(&entry.change.action) && world.was_removed_under(entry.id(), &entry.change.resource) =>
            {
                times <= 1
            }
            EntryState::Kept | EntryState::Undone => times == 1,
            _ => true,
        };
        hold("the record is true", is_true, told)?;
    }
    Ok(())
}

/// The live state is what the journal says: the newest change that was kept stands, and where none was, what was there before the first.
/// Resources that somebody else has changed or deleted are left out.
///
/// # Errors
/// The violation.
pub fn follows_from_the_journal(world: &World) -> Checked {
    let ledger = world.ledger();
    let outside = ledger.iter().filter(|write| write.landing == Landing::Outside).map(|write| &write.resource);
    let edited: BTreeSet<&ResourceId> = outside.collect();
    let journal = world.journal();
    let resources: BTreeSet<&ResourceId> = journal.iter().map(|entry| &entry.change.resource).collect();
    for id in resources.into_iter().filter(|id| !edited.contains(id)) {
        let of_it: Vec<&Entry> = journal.iter().filter(|entry| entry.change.resource == *id).collect();
        for entry in of_it.iter().filter(|entry| entry.state == EntryState::Superseded) {
            hold("what nobody else has changed is undone", is_beside_another(world, entry, &of_it), || {
                format!("nobody else has changed {id}, but {} is superseded: {}", entry.id(), entry.note)
            })?;
        }
        let landed = ledger.iter().filter_map(|write| match &write.landing {
            Landing::Applied(change, _) if write.resource == *id => world.entry(change),
            _ => None,
        });
        let landed: Vec<Entry> = landed.collect();
        let kept = landed.iter().rfind(|entry| entry.state == EntryState::Kept);
        let Some(live) = world.resource(id).map(|resource| resource.live) else { continue };
        let (of, wanted) = match (kept, landed.first()) {
            (Some(kept), _) => (kept, Standing::AsChanged),
            (None, Some(first)) => (first, Standing::AsPrior),
            (None, None) => continue,
        };
        let found = standing(&of.change.action, &of.prior.live, &live);
        hold("the live state follows from the record", found == wanted || found == Standing::NotUndoable, || {
            format!("{id}: {} is {:?}, and it stands {found:?}", of.id(), of.state)
        })?;
    }
    Ok(())
}

/// Whether another change of the resource landed or was undone after this one was announced: two deliveries had announced at the same moment,
/// one of them drew back or died, and its entry can't be told from one that was overwritten. A person is asked to look.
pub fn is_beside_another(world: &World, entry: &Entry, of_it: &[&Entry]) -> bool {
    let from = world.announced_at(entry.id());
    let mut writes = world.ledger().into_iter().filter(|write| {
        let of = write.change().filter(|id| *id != entry.id());
        of.is_some_and(|id| of_it.iter().any(|other| other.id() == id))
    });
    landings(world, entry.id()) == 0 && writes.any(|write| from.is_some_and(|from| write.at >= from))
}

/// Number of times that a change took effect.
pub fn landings(world: &World, change: &ChangeId) -> usize {
    let is_it = |landing: &Landing| matches!(landing, Landing::Applied(id, _) if id == change);
    world.ledger().iter().filter(|write| is_it(&write.landing)).count()
}

/// Whether a change, lost on its way, can't be told from one that was made.
fn leaves_no_trace(entry: &Entry) -> bool {
    matches!(entry.change.action, Action::FlushCache { .. } | Action::InvalidateCdn { .. })
}
