//! analyze: what the snapshot means and what is to be done about it. The decisions are `domain`'s.

use config::ResolvedApp;
use domain::health::{self, Decided, Tried};
use domain::mode::Mode;
use domain::plan::Plan;
use domain::snapshot::Snapshot;
use engine::documents;
use engine::ports::{Artifacts, Clock, Entry, EntryState, Executions, Journal};
use engine::run::{Decision, Run};
use engine::step::StepError;
use jiff::{SignedDuration, Timestamp};
use steps::records::{iteration, running};

/// What analyze needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Snapshots, analyses, memories.
    pub artifacts: &'a dyn Artifacts,
    /// Records.
    pub executions: &'a dyn Executions,
    /// Earlier changes.
    pub journal: &'a dyn Journal,
}

/// Analyzes the snapshot of this iteration and plans.
///
/// # Errors
/// When the snapshot is not there, or a port fails.
pub async fn analyze(mut run: Run, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    let snapshot: Snapshot = documents::need(world.artifacts, &run.key("snapshot")).await?;
    let memory = documents::get(world.artifacts, &run.memory_key()).await?.unwrap_or_default();
    let (mut analysis, memory) = health::analyze(&snapshot, &app.objectives, &app.policy, memory);
    let since = world.clock.now().checked_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    let tried: Vec<Tried> = world.journal.since(&run.app, since).await?.iter().filter_map(tried).collect();
    let mut plan =
        health::plan(&snapshot, &analysis, &app.policy, &app.limits, &tried, &run.execution_id, run.iteration);
    analysis.findings.append(&mut plan.findings);
    run.score = analysis.score.known().copied();
    // Only a run that begins: one that has changed something goes on until that is judged.
    let off = health::switched_off(&snapshot).filter(|_| run.iteration == 1);
    if off.is_some() {
        plan = Plan::default();
    }
    run.decision = match (plan.changes.is_empty(), run.mode) {
        (false, _) => Decision::Act,
        (true, Some(Mode::Observe)) => Decision::Previewed,
        (true, _) => Decision::NothingToDo,
    };
    if run.decision == Decision::Previewed {
        run.conclusion =
            Some(format!("told to observe: nothing is to be changed, {} finding(s)", analysis.findings.len()));
    }
    if let Some(why) = off {
        (run.decision, run.conclusion) = (Decision::SwitchedOff, Some(why));
    }
    run.wait_s = wait_s(&plan, app);
    let mut record = running(&run, world.executions).await?;
    let entry = iteration(&mut record, run.iteration, snapshot.taken_at);
    entry.score = run.score;
    world.executions.save(&record).await?;
    tracing::info!(score = run.score, findings = analysis.findings.len(), changes = plan.changes.len(), "analyzed");
    documents::put(world.artifacts, &run.key("analysis"), &Decided { analysis, plan }).await?;
    // Last, so that a repeated step sees the memory it saw the first time; detectors skip points they have seen anyway.
    documents::put(world.artifacts, &run.memory_key(), &memory).await?;
    Ok(run)
}

/// The wait of the specification, or longer where a change declares that it settles more slowly.
fn wait_s(plan: &Plan, app: &ResolvedApp) -> u32 {
    let settle = plan.changes.iter().map(|change| change.action.spec().settle_s + app.policy.window_s).max();
    settle.unwrap_or(0).max(app.policy.wait_s)
}

/// An earlier change as the planner looks at it. Changes that never happened don't count, nor those that a run left behind
/// when it died: they were closed without a verdict, so they say nothing about whether the change helps.
fn tried(entry: &Entry) -> Option<Tried> {
    let never_judged = !entry.state.is_open() && entry.outcome.is_none();
    let at = entry.applied_at.unwrap_or(entry.intended_at);
    (entry.state != EntryState::NotApplied && !never_judged)
        .then(|| Tried::of(&entry.change, entry.outcome.as_ref(), at))
}
