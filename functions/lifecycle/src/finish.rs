//! finish: closes the record, reports what was changed, gives the lease back, and hands over to alarms that came meanwhile.
//!
//! Runs at the end of every run, also of a failed one. Silent when nothing was changed.

use crate::names::execution_name;
use crate::story::{Facts, subject, tell};
use domain::execution::{ExecutionRecord, Status};
use domain::finding::Severity;
use engine::ports::{Clock, Entry, EntryState, Episodes, Executions, Journal, Leases, Message, Notifier, Starter};
use engine::run::{Decision, Run, episode_key};
use engine::step::StepError;
use serde_json::json;

/// `detail-type` of the report of a run that changed something.
pub const REPORT: &str = "Maintainer Report";

/// What finish needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Records.
    pub executions: &'a dyn Executions,
    /// Changes.
    pub journal: &'a dyn Journal,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Episodes.
    pub episodes: &'a dyn Episodes,
    /// Starts the run of alarms that came while this one was at work.
    pub starter: &'a dyn Starter,
    /// People and agents.
    pub notifier: &'a dyn Notifier,
}

/// Finishes a run. Repeating it changes nothing more.
///
/// # Errors
/// When a port fails; the lease then runs out by itself.
pub async fn finish(mut run: Run, world: &World<'_>) -> Result<Run, StepError> {
    let (status, decision) = ending(&run);
    if let Some(record) = world.executions.read(&run.execution_id).await? {
        let first_time = record.status == Status::Running;
        let record = close(record, status, &run, world.clock.now());
        world.executions.save(&record).await?;
        if first_time && status == Status::Completed {
            report(&run, &record, world).await?;
        }
    }
    world.leases.release(&run.lease_key(), &run.execution_id).await?;
    hand_over(&run, world).await?;
    run.decision = decision;
    Ok(run)
}

fn ending(run: &Run) -> (Status, Decision) {
    if run.error.is_some() {
        return (Status::Failed, Decision::Failed);
    }
    match run.decision {
        Decision::Succeeded => (Status::Completed, Decision::Succeeded),
        _ => (Status::Escalated, Decision::Escalated),
    }
}

fn close(mut record: ExecutionRecord, status: Status, run: &Run, now: jiff::Timestamp) -> ExecutionRecord {
    if record.status == Status::Running {
        record.status = status;
        record.completed_at = Some(now);
        record.success_criteria_met = status == Status::Completed;
        record.conclusion.clone_from(&run.conclusion);
    }
    record
}

/// Tells people what was changed and what it brought, with before and after. Nothing changed: silence.
async fn report(run: &Run, record: &ExecutionRecord, world: &World<'_>) -> Result<(), StepError> {
    let entries = world.journal.since(&run.app, record.started_at).await?;
    let changes: Vec<Entry> = entries
        .into_iter()
        .filter(|entry| entry.execution == run.execution_id && entry.state != EntryState::NotApplied)
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    let reason = record.conclusion.clone().unwrap_or_else(|| format!("{} is well again.", run.app));
    let score = run.score.map(domain::observed::Observed::Known);
    let facts = Facts { record, score: score.as_ref(), findings: &[], changes: &changes, reason: &reason };
    let message = Message {
        kind: REPORT.to_owned(),
        severity: Severity::Low,
        subject: subject(&format!("[maintainer] {} is well again after {} change(s)", run.app, changes.len())),
        text: tell(&facts),
        detail: json!({
            "version": 1, "app": run.app, "cycle": run.cycle, "execution_id": run.execution_id,
            "reason": reason, "score": run.score, "changes": changes.iter().map(|entry| json!({
                "change_id": entry.change.id, "kind": entry.change.action.kind(), "state": entry.state,
                "outcome": entry.outcome,
            })).collect::<Vec<_>>(),
        }),
    };
    Ok(world.notifier.notify(&message).await?)
}

/// Closes the episode that this run answered, or starts the run of one that opened while this run held the lease.
async fn hand_over(run: &Run, world: &World<'_>) -> Result<(), StepError> {
    let key = episode_key(run.cycle, &run.app);
    let Some(open) = world.episodes.open(&key).await? else { return Ok(()) };
    if run.episode.as_deref() == Some(open.id.as_str()) {
        return Ok(world.episodes.close(&key, &open.id).await?);
    }
    if !open.started {
        let name = execution_name(&["health", run.app.as_str(), &open.id]);
        let input = json!({"app": run.app, "trigger": "alarm", "alarms": open.alarms, "episode": open.id});
        world.starter.start(&name, &input.to_string()).await?;
        world.episodes.mark_started(&key, &open.id).await?;
    }
    Ok(())
}
