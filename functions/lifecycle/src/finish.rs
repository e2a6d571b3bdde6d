//! finish: closes the record, reports what was changed, gives the lease back, and hands over to alarms that came meanwhile.
//!
//! Runs at the end of every run, also of a failed one. Silent when nothing was changed.

use crate::names::execution_name;
use crate::story::{Facts, changes_detail, chat, line, subject, tell};
use domain::execution::{ExecutionRecord, Status, Workflow};
use domain::finding::Severity;
use engine::ports::{
    Clock, Entry, EntryState, Episode, Episodes, Executions, Journal, Leases, Message, Notifier, Starter,
};
use engine::run::{Decision, Run, episode_key};
use engine::settle;
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

/// Finishes a run. Repeating it changes nothing more, but may report again: telling twice is better than not at all.
///
/// # Errors
/// When a port fails; a lease that could not be given back runs out by itself.
pub async fn finish(mut run: Run, world: &World<'_>) -> Result<Run, StepError> {
    let (status, decision) = ending(&run);
    let record = match world.executions.read(&run.execution_id).await? {
        Some(record) if record.status == Status::Running => {
            let answered =
                world.episodes.open(&episode_key(run.cycle, &run.app)).await?.filter(|open| is_own(&run, open));
            let record = close(record, status, &run, answered.as_ref(), world.clock.now());
            world.executions.save(&record).await?;
            Some(record)
        }
        closed_before => closed_before,
    };
    world.leases.release(&run.lease_key(), &run.execution_id).await?;
    hand_over(&run, world).await?;
    // Last, so that the application is free even where nobody can be told.
    if let Some(record) = record.filter(|record| record.status == Status::Completed) {
        report(&run, &record, world).await?;
    }
    run.decision = decision;
    Ok(run)
}

/// True when the run was started to answer this episode.
fn is_own(run: &Run, episode: &Episode) -> bool {
    run.episode.as_deref() == Some(episode.id.as_str())
}

fn ending(run: &Run) -> (Status, Decision) {
    if run.error.is_some() {
        return (Status::Failed, Decision::Failed);
    }
    match run.decision {
        Decision::Succeeded => (Status::Completed, Decision::Succeeded),
        Decision::Previewed => (Status::Completed, Decision::Previewed),
        _ => (Status::Escalated, Decision::Escalated),
    }
}

fn close(
    mut record: ExecutionRecord,
    status: Status,
    run: &Run,
    answered: Option<&Episode>,
    now: jiff::Timestamp,
) -> ExecutionRecord {
    record.status = status;
    record.completed_at = Some(now);
    record.success_criteria_met = run.decision == Decision::Succeeded;
    record.conclusion.clone_from(&run.conclusion);
    // A run starts with the first alarm; those that came after it are known only now.
    if let Some(episode) = answered {
        record.alarms.extend(episode.alarms.iter().cloned());
        record.alarms.sort();
        record.alarms.dedup();
        record.trigger = started_by(&record.alarms);
    }
    record
}

/// What the alarms started, in words: the first by name, the rest by number; the record has them all.
fn started_by(alarms: &[String]) -> String {
    match alarms {
        [] => "started by an alarm".to_owned(),
        [one] => format!("started by alarm {one}"),
        [first, rest @ ..] => format!("started by alarm {first} and {} more", rest.len()),
    }
}

/// Tells people what was changed and what it brought, with before and after. Nothing changed: silence.
async fn report(run: &Run, record: &ExecutionRecord, world: &World<'_>) -> Result<(), StepError> {
    let entries = world.journal.since(&run.app, settle::look_back(record.started_at)).await?;
    let changes: Vec<Entry> = entries
        .into_iter()
        .filter(|entry| entry.concerns(&run.execution_id) && entry.state != EntryState::NotApplied)
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    let reason = record.conclusion.clone().unwrap_or_else(|| format!("{} is well again.", run.app));
    let score = run.score.map(domain::observed::Observed::Known);
    let facts =
        Facts { record, score: score.as_ref(), findings: &[], unmeasured: &[], changes: &changes, reason: &reason };
    let text = tell(&facts);
    let message = Message {
        kind: REPORT.to_owned(),
        severity: Severity::Low,
        subject: subject(&match record.workflow_type {
            Workflow::Health => format!("[maintainer] {} is well again after {} change(s)", run.app, changes.len()),
            Workflow::Rollback => format!("[maintainer] {}: {} change(s) undone as ordered", run.app, changes.len()),
        }),
        detail: json!({
            "version": 1, "app": run.app, "cycle": run.cycle, "execution_id": run.execution_id,
            "execution_arn": run.execution_arn, "reason": line(&reason), "score": run.score,
            "changes": changes_detail(&changes), "text": chat(&text),
        }),
        text,
    };
    Ok(world.notifier.notify(&message).await?)
}

/// Closes the episode that this run answered, or starts the run of one that opened while this run held the lease.
async fn hand_over(run: &Run, world: &World<'_>) -> Result<(), StepError> {
    let key = episode_key(run.cycle, &run.app);
    let Some(open) = world.episodes.open(&key).await? else { return Ok(()) };
    if is_own(run, &open) {
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
