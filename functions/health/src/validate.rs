//! validate: the same signals again, and for each change whether it helped. The verdicts are `domain`'s.
//!
//! Never assumes an improvement that was not measured: what can't be told is inconclusive, and the written rule of the
//! change's kind says what happens then.

use crate::earlier;
use crate::residue;
use config::ResolvedApp;
use domain::health;
use domain::outcome::{Outcome, Verdict};
use domain::snapshot::Snapshot;
use engine::documents;
use engine::ports::{Artifacts, Entry, EntryState, Executions, Journal, Leases};
use engine::run::{Decision, Run};
use engine::runtime::measure;
use engine::settle;
use engine::step::StepError;
use engine::verdict;
use serde::Deserialize;
pub use steps::Validation;
use steps::observe::{self, observe};
use steps::records::{iteration, keep_lease, running};

/// What is to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// The changes of this iteration, after the wait.
    Iteration,
    /// What dead runs have left, before this run measures for itself.
    Residue,
}

/// Input of the step.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// What is to be judged.
    pub intent: Intent,
    /// The run.
    pub run: Run,
}

/// What validate needs of the world.
pub struct World<'a> {
    /// The application.
    pub see: observe::World<'a>,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Snapshots and verdicts.
    pub artifacts: &'a dyn Artifacts,
    /// Records and results.
    pub executions: &'a dyn Executions,
    /// Changes.
    pub journal: &'a dyn Journal,
}

/// Measures and judges what is asked for.
///
/// # Errors
/// When the lease is lost, the snapshot from before is not there, or a port fails.
pub async fn validate(request: Request, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    match request.intent {
        Intent::Iteration => judge_iteration(request.run, app, world).await,
        Intent::Residue => residue::judge(request.run, app, world).await,
    }
}

/// Measures again and judges every change of this iteration, and what is left of others.
async fn judge_iteration(mut run: Run, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    keep_lease(&mut run, world.leases, world.see.clock).await?;
    let before: Snapshot = documents::need(world.artifacts, &run.key("snapshot")).await?;
    let mut after = observe(app, run.place.as_ref(), &world.see).await?;
    let journal = world.journal.since(&run.app, settle::look_back(world.see.clock.now())).await?;
    let changes = changes_of_iteration(&run, &journal);
    let judged: Vec<Entry> = changes.iter().cloned().chain(residue::due(&run, &journal, &after, app)).collect();
    after.weeks = earlier::weeks(&judged, &journal, &after, app, &world.see).await;
    documents::put(world.artifacts, &run.key("after"), &after).await?;
    // The memory is read but not written: the next analysis feeds these points to the detectors itself.
    let memory = documents::get(world.artifacts, &run.memory_key()).await?.unwrap_or_default();
    let (analysis, _) = health::analyze(&after, &app.objectives, &app.policy, memory);
    run.score = analysis.score.known().copied();

    let mut outcomes = Vec::new();
    let mut to_undo = false;
    let made = changes.iter().filter(|entry| entry.state != EntryState::Intended).count();
    for entry in changes {
        if matches!(entry.state, EntryState::Applied | EntryState::Kept) {
            let (outcome, stays) = judge(entry, &before, &after, app, &run, world).await?;
            outcomes.push(outcome);
            to_undo |= !stays;
        } else {
            // Its outcome was lost, or its undo interrupted: the step that may write finds out.
            to_undo = true;
        }
    }
    note(&run, &after, made, &outcomes, world).await?;
    let left = residue::judge_all(&run, &after, app, world).await?;
    residue::note(&run, world).await?;
    to_undo |= left.to_undo;
    outcomes.extend(left.outcomes);
    publish(&run, &outcomes);
    run.decision = if to_undo { Decision::Undo } else { Decision::Keep };
    documents::put(
        world.artifacts,
        &run.key("validation"),
        &Validation { cycle: run.cycle, score: run.score, outcomes },
    )
    .await?;
    Ok(run)
}

/// Changes of this iteration that took effect or may have; those judged before by a repeated step are among them.
fn changes_of_iteration(run: &Run, journal: &[Entry]) -> Vec<Entry> {
    let mine = |entry: &&Entry| entry.execution == run.execution_id && entry.iteration == run.iteration;
    let stands = |entry: &&Entry| entry.state == EntryState::Kept || entry.state.is_open();
    journal.iter().filter(mine).filter(stands).cloned().collect()
}

/// Judges one change and writes the verdict to the journal and to the results.
async fn judge(
    entry: Entry,
    before: &Snapshot,
    after: &Snapshot,
    app: &ResolvedApp,
    run: &Run,
    world: &World<'_>,
) -> Result<(Outcome, bool), StepError> {
    if let (EntryState::Kept, Some(outcome)) = (entry.state, &entry.outcome) {
        // Judged by a step that may have died before it wrote the result: written again, which changes nothing.
        world.executions.result(&run.execution_id, run.iteration, outcome).await?;
        return Ok((outcome.clone(), true));
    }
    let applied_at = entry.applied_at.unwrap_or(entry.intended_at);
    let outcome = health::verify(&entry.change, before, after, applied_at, &app.policy);
    tracing::info!(change = %entry.change.id, verdict = %outcome.verdict, keep = outcome.keep, "{}", outcome.why);
    let entry = verdict::note(world.journal, run, entry, &outcome, world.see.clock.now()).await?;
    world.executions.result(&run.execution_id, run.iteration, &outcome).await?;
    Ok((outcome, entry.state == EntryState::Kept))
}

/// The score and what became of the changes, as metrics of the application for the dashboard.
fn publish(run: &Run, outcomes: &[Outcome]) {
    let app = &[("App", run.app.as_str())];
    if let Some(score) = run.score {
        measure(app, "HealthScore", score, "None");
    }
    for _ in outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Verified) {
        measure(app, "ChangesVerified", 1.0, "Count");
    }
}

async fn note(
    run: &Run,
    after: &Snapshot,
    made: usize,
    outcomes: &[Outcome],
    world: &World<'_>,
) -> Result<(), StepError> {
    let mut record = running(run, world.executions).await?;
    let verified = outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Verified).count();
    let entry = iteration(&mut record, run.iteration, after.taken_at);
    // A step that died could not count what it had done; the journal can.
    entry.applied = entry.applied.max(u32::try_from(made).unwrap_or(u32::MAX));
    entry.score_after = run.score;
    entry.measured_at = Some(after.taken_at);
    entry.verified = u32::try_from(verified).unwrap_or(u32::MAX);
    Ok(world.executions.save(&record).await?)
}
