//! finish: closes the record, reports what was changed, gives the lease back, and hands over to alarms that came meanwhile.
//!
//! Runs at the end of every run, also of a failed one. Silent when nothing was changed.

use crate::names::request_id;
use crate::story::{Facts, Unread, changes_detail, tell};
use crate::succession::{self, is_own, let_go};
use domain::approval::{Request, RequestState};
use domain::execution::{ExecutionRecord, Status, Workflow};
use domain::finding::Severity;
use domain::text::{chat, line, subject};
use engine::ports::{
    Approvals, Clock, Entry, EntryState, Episode, Episodes, Executions, Journal, Leases, Message, Notifier, PortError,
    Starter, Watch,
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
    /// Questions.
    pub approvals: &'a dyn Approvals,
    /// Changes.
    pub journal: &'a dyn Journal,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Episodes.
    pub episodes: &'a dyn Episodes,
    /// Starts the run of alarms that came while this one was at work.
    pub starter: &'a dyn Starter,
    /// Who was looked at when.
    pub watch: &'a dyn Watch,
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
    // A run without a record has looked at nothing, but must not call the next one for ever either.
    let last_look = record.as_ref().map_or_else(|| world.clock.now(), ExecutionRecord::last_look);
    let World { clock, episodes, leases, starter, .. } = *world;
    let_go(&run, last_look, &succession::World { clock, episodes, leases, starter }).await?;
    if run.error.is_some() {
        withdraw(&run, world).await?;
    }
    // A rollback measures nothing, so it is no look.
    let looked =
        |record: &&ExecutionRecord| record.status != Status::Failed && record.workflow_type == Workflow::Health;
    if let Some(record) = record.as_ref().filter(looked) {
        world.watch.looked(&run.app, record.completed_at.unwrap_or(record.started_at)).await?;
    }
    // Last, so that the application is free even where nobody can be told.
    if let Some(record) = record.filter(|record| record.status == Status::Completed) {
        report(&run, &record, world).await?;
    }
    run.decision = decision;
    Ok(run)
}

fn ending(run: &Run) -> (Status, Decision) {
    if run.error.is_some() {
        return (Status::Failed, Decision::Failed);
    }
    match run.decision {
        Decision::Succeeded => (Status::Completed, Decision::Succeeded),
        Decision::Previewed => (Status::Completed, Decision::Previewed),
        Decision::SwitchedOff => (Status::Completed, Decision::SwitchedOff),
        _ => (Status::Escalated, Decision::Escalated),
    }
}

/// Takes back the question of a run that has failed while it asked, so that nobody answers in vain and the next run asks.
async fn withdraw(run: &Run, world: &World<'_>) -> Result<(), StepError> {
    let Some(asked) = world.approvals.read(&run.app, &request_id(run)).await? else { return Ok(()) };
    if asked.request.state != RequestState::Open {
        return Ok(());
    }
    match world.approvals.close(&Request { state: RequestState::Withdrawn, ..asked.request }).await {
        // Somebody answered at this very moment; the page has told them that nobody waits.
        Ok(()) | Err(PortError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
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
    if run.lease.builds.len() > 1 {
        record.build = run.lease.builds.iter().map(String::as_str).collect::<Vec<_>>().join(" and ");
    }
    // A run starts with the first alarm; those that came after it are known only now. Those after its last look are the
    // next run's.
    if let Some(episode) = answered {
        let last_look = record.last_look();
        record.alarms.extend(episode.alarms.iter().filter(|(_, at)| **at <= last_look).map(|(name, _)| name.clone()));
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
    let facts = Facts {
        record,
        score: score.as_ref(),
        findings: &[],
        unmeasured: &[],
        changes: &changes,
        held_back: &[],
        not_done: &[],
        unread: &Unread::default(),
        reason: &reason,
        run,
    };
    let text = tell(&facts);
    let message = Message {
        kind: REPORT.to_owned(),
        severity: Severity::Low,
        subject: subject(&match record.workflow_type {
            Workflow::Health => format!("[maintainer] {} is well again after {} change(s)", run.app, changes.len()),
            Workflow::Cost => format!("[maintainer] {}: {} change(s) to save cost", run.app, changes.len()),
            Workflow::Performance => format!("[maintainer] {}: {} change(s) in its databases", run.app, changes.len()),
            Workflow::Rollback => format!("[maintainer] {}: {} change(s) undone as ordered", run.app, changes.len()),
        }),
        detail: json!({
            "version": 1, "app": run.app, "cycle": run.cycle, "execution_id": run.execution_id,
            "execution_arn": run.execution_arn, "reason": line(&reason), "score": run.score,
            "changes": changes_detail(&changes), "place": run.lives_in(), "text": chat(&text),
        }),
        text,
    };
    Ok(world.notifier.notify(&message).await?)
}
