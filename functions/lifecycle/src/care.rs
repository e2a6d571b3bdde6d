//! Taking an application under care: where it lives, its lease, if need be from a run that is dead, and the records of dead runs.

use config::Config;
use domain::execution::{Cycle, ExecutionRecord, Status};
use domain::ids::{AppId, ExecutionId};
use domain::place::Place;
use engine::ports::{Clock, Executions, LeaseAnswer, Leases, Liveness};
use engine::run::{ENDPOINTS_MAX, LEASE_TTL_S, lease_key};
use engine::step::StepError;
use std::collections::BTreeSet;

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
pub(crate) async fn take_lease(app: &AppId, holder: &ExecutionId, care: &Care<'_>) -> Result<LeaseAnswer, StepError> {
    let (key, now) = (lease_key(Cycle::Health, app), care.clock.now());
    let other = match care.leases.acquire(&key, holder, now, LEASE_TTL_S).await? {
        LeaseAnswer::Busy(other) => other,
        held => return Ok(held),
    };
    // A lease that dispatch took for a run that has not begun yet has no record: it may be about to begin.
    let Some(record) = care.executions.read(&other.holder).await? else { return Ok(LeaseAnswer::Busy(other)) };
    if care.liveness.life(&record.execution_arn).await?.is_over() {
        return Ok(care.leases.take_over(&key, &other, holder, now, LEASE_TTL_S).await?);
    }
    Ok(LeaseAnswer::Busy(other))
}

/// Closes the records of runs that died at work, which nobody else would: those whose changes are still open, and those that
/// Step Functions knows to be over. A run that waits for a person's answer lives without the lease.
pub(crate) async fn close_dead(
    app: &AppId,
    own: &ExecutionId,
    with_changes: &BTreeSet<&ExecutionId>,
    care: &Care<'_>,
) -> Result<(), StepError> {
    for dead in with_changes {
        let left = format!("it stopped before its end; what it left is settled and judged by {own}");
        close(dead, left, care).await?;
    }
    for record in care.executions.unclosed(app).await? {
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
