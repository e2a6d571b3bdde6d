//! Judges what a dead run, or an earlier iteration, has left open: by measurement, as any other change.
//!
//! The minutes before the change are those of the snapshot that its own run has taken. Where that can't be read, the verdict
//! is inconclusive and the written rule of its kind says what happens; a growth is not taken back blindly. What has not
//! settled yet is left open for the next measurement.

use crate::earlier;
use crate::validate::World;
use config::ResolvedApp;
use domain::health;
use domain::ids::ChangeId;
use domain::outcome::Outcome;
use domain::snapshot::Snapshot;
use engine::documents;
use engine::ports::{Artifacts, Entry, EntryState, PortError};
use engine::run::{Decision, Run, artifact_key};
use engine::settle;
use engine::step::StepError;
use engine::verdict;
use serde::{Deserialize, Serialize};
use steps::observe::observe;
use steps::records::{keep_lease, running};

/// What became of residue, `residue.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// One verdict per change that could be judged.
    pub outcomes: Vec<Outcome>,
    /// Changes that have not settled yet: they wait for the next measurement.
    pub too_early: Vec<ChangeId>,
    /// Something is to be undone, or an undo to be finished.
    pub to_undo: bool,
}

/// Judges the residue before the run measures for itself. Without any, nothing is measured.
///
/// # Errors
/// When the lease is lost, or a port fails.
pub async fn judge(mut run: Run, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    keep_lease(&mut run, world.leases, world.see.clock).await?;
    let mut judged = Judged::default();
    let journal = world.journal.since(&run.app, settle::look_back(world.see.clock.now())).await?;
    if !verdict::left_to(&run, journal.clone()).is_empty() {
        let mut now = observe(app, run.place.as_ref(), &world.see).await?;
        let due = due(&run, &journal, &now, app);
        now.weeks = earlier::weeks(&due, &journal, &now, app, &world.see).await;
        documents::put(world.artifacts, &run.key("residue_after"), &now).await?;
        judged = judge_all(&run, &now, app, world).await?;
    }
    note(&run, world).await?;
    run.decision = if judged.to_undo { Decision::Undo } else { Decision::Keep };
    documents::put(world.artifacts, &run.key("residue"), &judged).await?;
    Ok(run)
}

/// Judges all residue that has settled against this snapshot.
///
/// # Errors
/// When a port fails.
pub async fn judge_all(run: &Run, after: &Snapshot, app: &ResolvedApp, world: &World<'_>) -> Result<Judged, StepError> {
    let mut judged = Judged::default();
    for entry in verdict::residue(world.journal, run, world.see.clock.now()).await? {
        let applied_at = entry.applied_at.unwrap_or(entry.intended_at);
        if entry.state != EntryState::Applied {
            // Its outcome is not known, or its undo was interrupted: the step that may write finds out.
            judged.to_undo = true;
        } else if !health::is_due(&entry.change, applied_at, after.taken_at, &app.policy) {
            judged.too_early.push(entry.id().clone());
        } else if let Some((outcome, stays)) = judge_one(entry, after, app, run, world).await? {
            judged.to_undo |= !stays;
            judged.outcomes.push(outcome);
        }
    }
    Ok(judged)
}

/// The residue among these entries that can be judged against this snapshot.
pub fn due(run: &Run, journal: &[Entry], after: &Snapshot, app: &ResolvedApp) -> Vec<Entry> {
    let mut left = verdict::left_to(run, journal.to_vec());
    left.retain(|entry| {
        let applied_at = entry.applied_at.unwrap_or(entry.intended_at);
        entry.state == EntryState::Applied && health::is_due(&entry.change, applied_at, after.taken_at, &app.policy)
    });
    left
}

/// The verdict on one change and whether it stays; `None` when another process has moved it on meanwhile.
async fn judge_one(
    entry: Entry,
    after: &Snapshot,
    app: &ResolvedApp,
    run: &Run,
    world: &World<'_>,
) -> Result<Option<(Outcome, bool)>, StepError> {
    let (change, applied_at) = (&entry.change, entry.applied_at.unwrap_or(entry.intended_at));
    let outcome = match before(&entry, world.artifacts).await? {
        Ok(before) => health::verify(change, &before, after, applied_at, &app.policy),
        Err(reason) => health::verify_without_before(change, &entry.prior.live, after, &reason, &app.policy),
    };
    tracing::info!(change = %change.id, of = %entry.execution, verdict = %outcome.verdict, "{}", outcome.why);
    // The result first: once the entry is closed nobody looks at it again.
    world.executions.result(&entry.execution, entry.iteration, &outcome).await?;
    match verdict::note(world.journal, run, entry, &outcome, world.see.clock.now()).await {
        Ok(entry) => Ok(Some((outcome, entry.state == EntryState::Kept))),
        Err(PortError::Conflict { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The snapshot that the change's own run has taken before it, or one sentence why there is none.
async fn before(entry: &Entry, artifacts: &dyn Artifacts) -> Result<Result<Snapshot, String>, StepError> {
    let key = artifact_key(&entry.app, &entry.execution, entry.iteration, "snapshot");
    match documents::get(artifacts, &key).await {
        Ok(Some(snapshot)) => Ok(Ok(snapshot)),
        Ok(None) => Ok(Err(format!("what was measured before it is gone ({key})"))),
        Err(StepError::Bug(why)) => Ok(Err(format!("what was measured before it can't be read ({why})"))),
        Err(error) => Err(error),
    }
}

/// Names in the run's record what it has taken over.
///
/// # Errors
/// When the record or the journal can't be read or written.
pub async fn note(run: &Run, world: &World<'_>) -> Result<(), StepError> {
    let from = settle::look_back(world.see.clock.now());
    let taken_over = world.journal.since(&run.app, from).await?.into_iter();
    let taken_over = taken_over.filter(|entry| entry.taken_over_by.as_ref() == Some(&run.execution_id));
    let ids: Vec<ChangeId> = taken_over.map(|entry| entry.id().clone()).collect();
    let mut record = running(run, world.executions).await?;
    if record.residue != ids {
        record.residue = ids;
        world.executions.save(&record).await?;
    }
    Ok(())
}
