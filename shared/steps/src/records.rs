//! Keeps the run's record: one entry per iteration, replaced as the iteration goes on, so that repeating is harmless.

use domain::execution::{ExecutionRecord, IterationRecord, Status};
use engine::act::ActError;
use engine::ports::{Clock, Executions, Leases, Renewal};
use engine::run::{Run, lease_ttl_s};
use engine::step::StepError;
use jiff::Timestamp;

/// The record of a run that is under way.
///
/// # Errors
/// [`StepError::Conflict`] when there is none, or the run has ended.
pub async fn running(run: &Run, executions: &dyn Executions) -> Result<ExecutionRecord, StepError> {
    match executions.read(&run.execution_id).await? {
        Some(record) if record.status == Status::Running => Ok(record),
        Some(record) => Err(StepError::Conflict(format!("{} has ended as {:?}", run.execution_id, record.status))),
        None => Err(StepError::Conflict(format!("{} has no record: it was not begun", run.execution_id))),
    }
}

/// Extends the run's lease, and turns away whatever is still on its way from an earlier iteration. When the run goes on in
/// another build than it began in, the log says so, once for each.
///
/// # Errors
/// [`StepError::Conflict`] when another run holds it now: this one must not go on. [`StepError::Stale`] when a later
/// iteration is under way.
pub async fn keep_lease(run: &mut Run, leases: &dyn Leases, clock: &dyn Clock) -> Result<(), StepError> {
    let ttl_s = lease_ttl_s(run.cycle);
    let lease = match leases.renew(&run.lease_key(), &run.lease, run.iteration, clock.now(), ttl_s).await? {
        Renewal::Held(lease) => lease,
        Renewal::Overtaken { newest } => {
            return Err(ActError::Overtaken { iteration: run.iteration, newest }.into());
        }
    };
    if lease.builds.len() > run.lease.builds.len().max(1) {
        tracing::warn!(builds = ?lease.builds, "the steps of this run come from several builds");
    }
    run.lease = lease;
    Ok(())
}

/// The entry of an iteration, made if it is not there yet.
pub fn iteration(record: &mut ExecutionRecord, iteration: u32, at: Timestamp) -> &mut IterationRecord {
    let place = match record.iterations.iter().position(|entry| entry.iteration == iteration) {
        Some(place) => place,
        None => {
            record.iterations.push(IterationRecord {
                iteration,
                at,
                score: None,
                score_after: None,
                measured_at: None,
                applied: 0,
                verified: 0,
                undone: 0,
                refused: 0,
                answer_lost: false,
            });
            record.iterations.len() - 1
        }
    };
    &mut record.iterations[place]
}
