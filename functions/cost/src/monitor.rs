//! monitor: whether users have suffered since a phase, and for what dead runs have left whether they have suffered since.
//!
//! Whether a change has saved what it promised the bill says, days later; here it is only taken back where somebody suffers.

use config::ResolvedApp;
use domain::cost;
use domain::ids::ChangeId;
use domain::outcome::{Outcome, Verdict};
use domain::snapshot::Snapshot;
use engine::documents;
use engine::ports::{Artifacts, Entry, EntryState, Executions, Journal, Leases, PortError};
use engine::run::{Decision, Run, artifact_key};
use engine::runtime::measure;
use engine::settle;
use engine::step::StepError;
use engine::verdict;
use jiff::Timestamp;
use serde::Deserialize;
use steps::Validation;
use steps::observe::{self, observe};
use steps::records::{iteration, keep_lease, running};

/// What is to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// The changes of this phase, after the watch.
    Iteration,
    /// What dead runs have left, before this run begins.
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

/// What monitor needs of the world.
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

/// Measures and judges.
///
/// # Errors
/// When the lease is lost, or a port fails.
pub async fn monitor(request: Request, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    let Request { intent, mut run } = request;
    keep_lease(&mut run, world.leases, world.see.clock).await?;
    let now = world.see.clock.now();
    let journal = world.journal.since(&run.app, settle::look_back(now)).await?;
    let (mine, left): (Vec<Entry>, Vec<Entry>) =
        journal.into_iter().filter(|entry| concerns(entry, &run, intent)).partition(|entry| is_of_phase(entry, &run));
    let mut outcomes = Vec::new();
    let mut to_undo = false;
    if !(mine.is_empty() && left.is_empty()) {
        let after = observe(app, run.place.as_ref(), &world.see).await?;
        let name = if intent == Intent::Iteration { "after" } else { "residue_after" };
        documents::put(world.artifacts, &run.key(name), &after).await?;
        let made = mine.len();
        for entry in mine.into_iter().chain(left) {
            let is_early = !is_of_phase(&entry, &run) && !is_due(&entry, now, app);
            match entry.state {
                EntryState::Applied if is_early => {}
                EntryState::Applied | EntryState::Kept => {
                    let (outcome, stays) = judge(entry, &after, app, &run, world).await?;
                    to_undo |= !stays;
                    outcomes.push(outcome);
                }
                // What became of it is not known, or its undo was interrupted: the step that may write finds out.
                _ => to_undo = true,
            }
        }
        note(&run, intent, &after, made, &outcomes, world).await?;
    }
    let app = &[("App", run.app.as_str())];
    for _ in outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Verified) {
        measure(app, "ChangesVerified", 1.0, "Count");
    }
    run.decision = if to_undo { Decision::Undo } else { Decision::Keep };
    let name = if intent == Intent::Iteration { "validation" } else { "residue" };
    documents::put(world.artifacts, &run.key(name), &Validation { cycle: run.cycle, score: None, outcomes }).await?;
    Ok(run)
}

/// Open entries of this cycle, and of this phase those too that a repeated step has judged before.
fn concerns(entry: &Entry, run: &Run, intent: Intent) -> bool {
    let of_phase = is_of_phase(entry, run);
    let is_judged = of_phase && entry.state == EntryState::Kept && entry.outcome.is_some();
    run.answers_for(entry.workflow)
        && (entry.state.is_open() || is_judged)
        && (intent == Intent::Iteration || !of_phase)
}

fn is_of_phase(entry: &Entry, run: &Run) -> bool {
    entry.execution == run.execution_id && entry.iteration == run.iteration
}

/// What others have left is judged once it was watched as long as any change.
fn is_due(entry: &Entry, now: Timestamp, app: &ResolvedApp) -> bool {
    let applied_at = entry.applied_at.unwrap_or(entry.intended_at);
    now.duration_since(applied_at).as_secs() >= i64::from(app.cost.watch_s)
}

/// Judges one change and writes the verdict to the journal and to the results.
async fn judge(
    entry: Entry,
    after: &Snapshot,
    app: &ResolvedApp,
    run: &Run,
    world: &World<'_>,
) -> Result<(Outcome, bool), StepError> {
    if let (EntryState::Kept, Some(outcome)) = (entry.state, &entry.outcome) {
        // Judged by a step that may have died before it wrote the result: written again, which changes nothing.
        world.executions.result(&entry.execution, entry.iteration, outcome).await?;
        return Ok((outcome.clone(), true));
    }
    let key = artifact_key(&entry.app, &entry.execution, entry.iteration, "snapshot");
    let before: Option<Snapshot> = documents::get(world.artifacts, &key).await?;
    let outcome = match &before {
        Some(before) => cost::watch(&entry.change, before, after, &app.cost),
        None => {
            cost::watch_without_before(&entry.change, after, &format!("what was measured before it is gone ({key})"))
        }
    };
    tracing::info!(change = %entry.change.id, verdict = %outcome.verdict, keep = outcome.keep, "{}", outcome.why);
    let (execution, iteration) = (entry.execution.clone(), entry.iteration);
    world.executions.result(&execution, iteration, &outcome).await?;
    match verdict::note(world.journal, run, entry, &outcome, world.see.clock.now()).await {
        Ok(entry) => Ok((outcome, entry.state == EntryState::Kept)),
        // Another delivery of this step has moved it on.
        Err(PortError::Conflict { .. }) => {
            let stays = outcome.keep;
            Ok((outcome, stays))
        }
        Err(error) => Err(error.into()),
    }
}

async fn note(
    run: &Run,
    intent: Intent,
    after: &Snapshot,
    made: usize,
    outcomes: &[Outcome],
    world: &World<'_>,
) -> Result<(), StepError> {
    let mut record = running(run, world.executions).await?;
    let from = settle::look_back(world.see.clock.now());
    let taken_over = world.journal.since(&run.app, from).await?.into_iter();
    let taken_over = taken_over.filter(|entry| entry.taken_over_by.as_ref() == Some(&run.execution_id));
    record.residue = taken_over.map(|entry| entry.id().clone()).collect::<Vec<ChangeId>>();
    if intent == Intent::Iteration {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let entry = iteration(&mut record, run.iteration, after.taken_at);
        // A step that died could not count what it had done; the journal can.
        entry.applied = entry.applied.max(count(made));
        entry.measured_at = Some(after.taken_at);
        entry.verified = count(outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Verified).count());
    }
    Ok(world.executions.save(&record).await?)
}
