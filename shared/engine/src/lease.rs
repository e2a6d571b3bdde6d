//! The lease of a run on its application: taken at its beginning, renewed before every change, given back at its end.
//!
//! It expires, so a run that dies blocks nobody for ever. Who holds it is decided by the store's conditional write alone.

use crate::act::{ActError, Context};
use crate::ports::{Clock, Lease, LeaseAnswer, Leases, PortError, PortResult, Renewal};
use crate::run::{Run, lease_key, lease_ttl_s};
use domain::execution::Cycle;
use domain::ids::{AppId, ExecutionId};

/// Takes the lease of a cycle on an application for a run, if no other run holds it. Repeating it changes nothing.
///
/// # Errors
/// What the store says.
pub async fn acquire(
    leases: &dyn Leases,
    clock: &dyn Clock,
    cycle: Cycle,
    app: &AppId,
    execution: &ExecutionId,
) -> PortResult<LeaseAnswer> {
    leases.acquire(&lease_key(cycle, app), execution, clock.now(), lease_ttl_s(cycle)).await
}

/// Extends the lease of this run, or finds that it is another's.
///
/// # Errors
/// [`ActError::LeaseLost`] when another run holds the application, [`ActError::Overtaken`] when a later iteration of this
/// run is under way, [`ActError::Lease`] when that can't be told.
pub async fn renew(context: &Context<'_>) -> Result<Lease, ActError> {
    let (run, key) = (context.run, context.run.lease_key());
    let ttl_s = lease_ttl_s(run.cycle);
    match context.ports.leases.renew(&key, &run.lease, run.iteration, context.now(), ttl_s).await {
        Ok(Renewal::Held(lease)) => Ok(lease),
        Ok(Renewal::Overtaken { newest }) => Err(ActError::Overtaken { iteration: run.iteration, newest }),
        Err(error @ PortError::Conflict { .. }) => Err(ActError::LeaseLost { key, why: error.to_string() }),
        Err(source) => Err(ActError::Lease { key, source }),
    }
}

/// Gives the lease of a run back. Without effect when it is another's by now.
///
/// # Errors
/// What the store says; the lease then ends by itself.
pub async fn release(leases: &dyn Leases, run: &Run) -> PortResult<()> {
    leases.release(&run.lease_key(), &run.execution_id).await
}
