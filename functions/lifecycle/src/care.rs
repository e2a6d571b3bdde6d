//! Taking an application under care: where it lives, its lease, if need be from a run that is dead, the record of the run that
//! begins, and the records of dead ones.

use config::Config;
use domain::execution::{Cycle, ExecutionRecord, Status, Workflow};
use domain::ids::{AppId, ExecutionId};
use domain::mode::Mode;
use domain::place::Place;
use engine::ports::{Clock, Executions, Journal, Lease, LeaseAnswer, Leases, Liveness};
use engine::run::{Decision, ENDPOINTS_MAX, Run, lease_key, lease_ttl_s};
use engine::runtime::BUILD;
use engine::settle;
use engine::step::StepError;
use std::collections::BTreeSet;

/// A run that is about to begin.
pub(crate) struct Beginning {
    /// Application.
    pub app: AppId,
    /// The cycle whose lease it takes.
    pub cycle: Cycle,
    /// What it does.
    pub workflow: Workflow,
    /// Run.
    pub execution_id: ExecutionId,
    /// ARN of the Step Functions execution.
    pub execution_arn: String,
    /// Mode asked for by hand.
    pub mode: Option<Mode>,
    /// What started it, in words.
    pub trigger: String,
    /// Names of the alarms that started it.
    pub alarms: Vec<String>,
    /// Alarm episode.
    pub episode: Option<String>,
}

impl Beginning {
    /// Opens its record, or finds the one of the first time.
    pub(crate) async fn record(&self, config: &Config, care: &Care<'_>) -> Result<ExecutionRecord, StepError> {
        let record = ExecutionRecord {
            execution_id: self.execution_id.clone(),
            execution_arn: self.execution_arn.clone(),
            workflow_type: self.workflow,
            app: self.app.clone(),
            status: Status::Running,
            trigger: self.trigger.clone(),
            alarms: self.alarms.clone(),
            mode: self.mode,
            started_at: care.clock.now(),
            completed_at: None,
            success_criteria_met: false,
            residue: Vec::new(),
            iterations: Vec::new(),
            answers: Vec::new(),
            conclusion: None,
            config_hash: config.hash(),
            build: BUILD.to_owned(),
        };
        Ok(care.executions.open(&record).await?)
    }

    /// The run in its first iteration, in the place that is configured now.
    pub(crate) fn run(self, lease: Lease, decision: Decision, config: &Config) -> Run {
        let (place, endpoints) = whereabouts(&self.app, config, &self.execution_arn);
        Run {
            app: self.app,
            cycle: self.cycle,
            workflow: self.workflow,
            execution_id: self.execution_id,
            execution_arn: self.execution_arn,
            place,
            endpoints,
            iteration: 1,
            mode: self.mode,
            trigger: self.trigger,
            episode: self.episode,
            lease,
            decision,
            wait_s: 0,
            asked_in: None,
            answer_within_s: None,
            preview: Vec::new(),
            score: None,
            conclusion: None,
            error: None,
        }
    }
}

/// The ports that this takes.
pub(crate) struct Care<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Which runs live.
    pub liveness: &'a dyn Liveness,
    /// Records.
    pub executions: &'a dyn Executions,
    /// Changes.
    pub journal: &'a dyn Journal,
}

/// Where a run will find its application: the place that is configured when it begins, where that is not the deployment's; and
/// the addresses under which its users do.
pub(crate) fn whereabouts(app: &AppId, config: &Config, execution_arn: &str) -> (Option<Place>, Vec<String>) {
    let app = config.resolve_any(app);
    let place = Place::of_arn(execution_arn).and_then(|home| app.place(&home));
    (place, app.endpoints.into_iter().take(ENDPOINTS_MAX).collect())
}

/// Takes the lease, if need be from a run that is over without having given it back: somebody stopped it, or it ran out of
/// time. What that run may still have under way is fenced off, and settled as after any crash.
pub(crate) async fn take_lease(of: &Beginning, care: &Care<'_>) -> Result<LeaseAnswer, StepError> {
    let (key, holder) = (lease_key(of.cycle, &of.app), &of.execution_id);
    let (now, ttl_s) = (care.clock.now(), lease_ttl_s(of.cycle));
    let other = match care.leases.acquire(&key, holder, now, ttl_s).await? {
        LeaseAnswer::Busy(other) => other,
        held => return Ok(held),
    };
    // A lease that dispatch took for a run that has not begun yet has no record: it may be about to begin.
    let Some(record) = care.executions.read(&other.holder).await? else { return Ok(LeaseAnswer::Busy(other)) };
    if care.liveness.life(&record.execution_arn).await?.is_over() {
        return Ok(care.leases.take_over(&key, &other, holder, now, ttl_s).await?);
    }
    Ok(LeaseAnswer::Busy(other))
}

/// Runs of the same cycle whose changes are still open: dead ones, since the lease of the cycle is held by the run that begins.
pub(crate) async fn dead(of: &Beginning, care: &Care<'_>) -> Result<BTreeSet<ExecutionId>, StepError> {
    let entries = care.journal.since(&of.app, settle::look_back(care.clock.now())).await?.into_iter();
    let is_left = |entry: &engine::ports::Entry| {
        entry.state.is_open() && entry.workflow.cycle() == of.cycle && entry.execution != of.execution_id
    };
    Ok(entries.filter(is_left).map(|entry| entry.execution).collect())
}

/// Closes the records of runs that died at work, which nobody else would: those whose changes are still open, and those of any
/// cycle that Step Functions knows to be over. A run that waits for a person's answer lives without the lease.
pub(crate) async fn close_dead(
    of: &Beginning,
    with_changes: &BTreeSet<ExecutionId>,
    care: &Care<'_>,
) -> Result<(), StepError> {
    let own = &of.execution_id;
    for dead in with_changes {
        let left = format!("it stopped before its end; what it left is settled and judged by {own}");
        close(dead, left, care).await?;
    }
    for record in care.executions.unclosed(&of.app).await? {
        if record.execution_id == *own || with_changes.contains(&record.execution_id) {
            continue;
        }
        let life = care.liveness.life(&record.execution_arn).await?;
        if life.is_over() {
            close(&record.execution_id, format!("{life} before it was done; it left nothing open"), care).await?;
        }
    }
    Ok(())
}

async fn close(dead: &ExecutionId, conclusion: String, care: &Care<'_>) -> Result<(), StepError> {
    // Read again: what an index shows may be older than the end of the run.
    let Some(record) = care.executions.read(dead).await?.filter(|record| record.status == Status::Running) else {
        return Ok(());
    };
    let closed = ExecutionRecord {
        status: Status::Failed,
        completed_at: Some(care.clock.now()),
        conclusion: Some(conclusion),
        ..record
    };
    Ok(care.executions.save(&closed).await?)
}
