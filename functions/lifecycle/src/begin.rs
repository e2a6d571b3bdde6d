//! begin: the lease on the application, the record of the run, and whether an earlier run died and left something open.

use crate::care::{Beginning, Care, close_dead, dead, take_lease};
use crate::resolve::Start;
use config::Config;
use domain::approval::{Request, RequestState};
use domain::execution::Status;
use domain::ids::{AppId, ExecutionId};
use engine::ports::{Approvals, Circuit, Clock, Executions, Journal, LeaseAnswer, Leases, Liveness, PortError};
use engine::run::{Decision, Run, lease_key};
use engine::step::StepError;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Hours for which a question may be open at most, with some to spare.
const OPEN_H: i64 = 72;

/// What begin needs of the world.
pub struct World<'a> {
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
    /// Circuit breakers.
    pub circuit: &'a dyn Circuit,
    /// Questions to people.
    pub approvals: &'a dyn Approvals,
}

impl<'a> World<'a> {
    fn care(&self) -> Care<'a> {
        let World { clock, leases, liveness, executions, journal, .. } = *self;
        Care { clock, leases, liveness, executions, journal }
    }
}

/// The run to go on with, or who is at work already.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Go on.
    Run(Box<Run>),
    /// Another run cares for the application.
    Busy {
        /// Always `busy`.
        decision: Decision,
        /// Application and run, for whoever reads the execution.
        why: String,
    },
}

/// Begins a run. Repeating it finds the lease and the record of the first time.
///
/// # Errors
/// When a port fails.
pub async fn begin(start: Start, config: &Config, world: &World<'_>) -> Result<Answer, StepError> {
    let now = world.clock.now();
    let of = Beginning {
        app: start.app,
        cycle: start.cycle,
        workflow: start.cycle.workflow(),
        execution_id: ExecutionId::new(start.execution_id),
        execution_arn: start.execution_arn,
        mode: start.mode,
        trigger: start.trigger,
        alarms: start.alarms,
        episode: start.episode,
    };
    let care = world.care();
    let lease = match take_lease(&of, &care).await? {
        LeaseAnswer::Held(lease) => lease,
        LeaseAnswer::Busy(other) => {
            return Ok(Answer::Busy {
                decision: Decision::Busy,
                why: format!("{} is under the care of {} until {}", of.app, other.holder, other.expires_at),
            });
        }
    };
    let record = of.record(config, &care).await?;
    if record.status != Status::Running {
        // The lease was taken in this name a moment ago; nobody else would give it back.
        world.leases.release(&lease_key(of.cycle, &of.app), &of.execution_id).await?;
        return Err(StepError::Conflict(format!("{} has ended before; start it under another name", of.execution_id)));
    }
    if start.close_circuit {
        world.circuit.close(&of.app, record.started_at).await?;
    }
    let dead = dead(&of, &care).await?;
    // Before the records: a begin that dies between the two is repeated with both.
    withdraw_questions(&of.app, now, world).await?;
    close_dead(&of, &dead, &care).await?;
    let decision = if dead.is_empty() { Decision::Proceed } else { Decision::Settle };
    Ok(Answer::Run(Box::new(of.run(lease, decision, config))))
}

/// Takes back the questions of runs that are over without having done so, because somebody stopped them while they asked: nobody
/// waits for the answer, and whoever gives it is told so.
async fn withdraw_questions(app: &AppId, now: Timestamp, world: &World<'_>) -> Result<(), StepError> {
    let from = now.checked_sub(SignedDuration::from_hours(OPEN_H)).unwrap_or(Timestamp::MIN);
    for request in world.approvals.since(app, from).await? {
        if request.state_at(now) != RequestState::Open || !world.liveness.life(&request.execution_arn).await?.is_over()
        {
            continue;
        }
        match world.approvals.close(&Request { state: RequestState::Withdrawn, ..request }).await {
            // Somebody answered at this very moment; the page has told them that nobody waits.
            Ok(()) | Err(PortError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
