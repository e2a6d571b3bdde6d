//! Writes verdicts down: what was measured of a change closes its entry, or leaves it open to be undone.
//!
//! The verdict itself is `domain`'s. A change that a dead run or an earlier iteration left is judged by the same rule as any
//! other; it is found here.

use crate::ports::{Entry, EntryState, Journal, PortResult};
use crate::run::Run;
use crate::settle;
use domain::change::Reversal;
use domain::outcome::Outcome;
use jiff::Timestamp;

/// Open entries of the run's cycle that are not of its current iteration, oldest first: of dead runs, and of its own earlier
/// iterations.
///
/// # Errors
/// What the store says.
pub async fn residue(journal: &dyn Journal, run: &Run, now: Timestamp) -> PortResult<Vec<Entry>> {
    Ok(left_to(run, journal.since(&run.app, settle::look_back(now)).await?))
}

/// Those of these entries that are open, of the run's cycle, and not of its current iteration.
pub fn left_to(run: &Run, mut entries: Vec<Entry>) -> Vec<Entry> {
    let is_older = |entry: &Entry| entry.execution != run.execution_id || entry.iteration < run.iteration;
    entries.retain(|entry| entry.state.is_open() && run.answers_for(entry.workflow) && is_older(entry));
    entries
}

/// Notes the verdict on a change that has happened, and gives the entry as it stands then: kept, or still to be undone.
///
/// # Errors
/// What the store says; [`crate::ports::PortError::Conflict`] when the entry has moved on.
pub async fn note(
    journal: &dyn Journal,
    run: &Run,
    entry: Entry,
    outcome: &Outcome,
    now: Timestamp,
) -> PortResult<Entry> {
    let from = entry.state;
    let mut judged = Entry { outcome: Some(outcome.clone()), ..entry }.left_by(&run.execution_id);
    if stays(&judged, outcome) {
        judged.state = EntryState::Kept;
        judged.settled_at = Some(now);
    }
    journal.advance(from, &judged).await?;
    Ok(judged)
}

/// Kept by the verdict, or because the platform itself has brought the state back: a restart can't be taken back.
fn stays(entry: &Entry, outcome: &Outcome) -> bool {
    outcome.keep || entry.change.action.spec().reversal != Reversal::Undoable
}
