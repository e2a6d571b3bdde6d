//! begin: the lease on the application, the record of the run, and whether an earlier run died and left something open.

use crate::care::{Care, close_dead, take_lease, whereabouts};
use crate::resolve::Start;
use config::Config;
use domain::approval::{Request, RequestState};
use domain::execution::{Cycle, ExecutionRecord, Status, Workflow};
use domain::ids::{AppId, ExecutionId};
use engine::ports::{Approvals, Circuit, Clock, Executions, Journal, LeaseAnswer, Leases, Liveness, PortError};
use engine::run::{Decision, Run, lease_key};
use engine::runtime::BUILD;
use engine::settle;
use engine::step::StepError;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

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
        Care { clock: self.clock, leases: self.leases, liveness: self.liveness, executions: self.executions }
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
    let execution_id = ExecutionId::new(start.execution_id);
    let lease = match take_lease(&start.app, &execution_id, &world.care()).await? {
        LeaseAnswer::Held(lease) => lease,
        LeaseAnswer::Busy(other) => {
            return Ok(Answer::Busy {
                decision: Decision::Busy,
                why: format!("{} is under the care of {} until {}", start.app, other.holder, other.expires_at),
            });
        }
    };
    let record = world
        .executions
        .open(&ExecutionRecord {
            execution_id: execution_id.clone(),
            execution_arn: start.execution_arn.clone(),
            workflow_type: Workflow::Health,
            app: start.app.clone(),
            status: Status::Running,
            trigger: start.trigger.clone(),
            alarms: start.alarms,
            mode: start.mode,
            started_at: now,
            completed_at: None,
            success_criteria_met: false,
            residue: Vec::new(),
            iterations: Vec::new(),
            answers: Vec::new(),
            conclusion: None,
            config_hash: config.hash(),
            build: BUILD.to_owned(),
        })
        .await?;
    if record.status != Status::Running {
        // The lease was taken in this name a moment ago; nobody else would give it back.
        world.leases.release(&lease_key(Cycle::Health, &start.app), &execution_id).await?;
        return Err(StepError::Conflict(format!("{execution_id} has ended before; start it under another name")));
    }
    if start.close_circuit {
        world.circuit.close(&start.app, record.started_at).await?;
    }
    let (place, endpoints) = whereabouts(&start.app, config, &start.execution_arn);
    let entries = world.journal.since(&start.app, settle::look_back(now)).await?;
    let residue = entries.iter().filter(|entry| entry.state.is_open() && entry.execution != execution_id);
    let dead: BTreeSet<&ExecutionId> = residue.map(|entry| &entry.execution).collect();
    // Before the records: a begin that dies between the two is repeated with both.
    withdraw_questions(&start.app, now, world).await?;
    close_dead(&start.app, &execution_id, &dead, &world.care()).await?;
    Ok(Answer::Run(Box::new(Run {
        app: start.app,
        cycle: Cycle::Health,
        workflow: Workflow::Health,
        execution_id,
        execution_arn: start.execution_arn,
        place,
        endpoints,
        iteration: 1,
        mode: start.mode,
        trigger: start.trigger,
        episode: start.episode,
        lease,
        decision: if dead.is_empty() { Decision::Proceed } else { Decision::Settle },
        wait_s: 0,
        asked_in: None,
        answer_within_s: None,
        preview: Vec::new(),
        score: None,
        conclusion: None,
        error: None,
    })))
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
