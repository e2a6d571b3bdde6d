//! rollback: begins a run that undoes what a person names, a whole run's changes or one change.
//!
//! Finds the changes, takes the lease on the application, opens a record, and writes the order down for `health-optimize`,
//! which alone may write to an application. Changes nothing else.

use crate::care::{Care, close_dead, take_lease, whereabouts};
use config::Config;
use config::order::{Order, Subject};
use domain::execution::{Cycle, ExecutionRecord, Status, Workflow};
use domain::ids::{AppId, ExecutionId};
use domain::mode::Mode;
use domain::place::{Place, lies_in};
use engine::documents;
use engine::ports::{Artifacts, Clock, Entry, EntryState, Executions, Journal, LeaseAnswer, Leases, Liveness};
use engine::run::{Decision, RollbackOrder, Run};
use engine::runtime::BUILD;
use engine::settle;
use engine::step::StepError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// What the state machine hands over.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// The input of the execution, as a person gave it.
    pub input: Value,
    /// ARN of the execution.
    pub execution_arn: String,
    /// Name of the execution.
    pub execution_name: String,
}

/// What rollback needs of the world.
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
    /// Where the order is written down.
    pub artifacts: &'a dyn Artifacts,
}

/// The run to go on with, or why there is none.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Go on.
    Run(Box<Run>),
    /// Another run cares for the application, or nothing of it can be undone.
    Ended {
        /// `busy` or `nothing_to_do`.
        decision: Decision,
        /// One sentence for whoever reads the execution.
        why: String,
    },
}

/// Begins a rollback. Repeating it finds the lease, the record and the order of the first time.
///
/// # Errors
/// [`StepError::Config`] when the order is not understood or names what nobody knows; else when a port fails.
pub async fn rollback(request: Request, config: &Config, world: &World<'_>) -> Result<Answer, StepError> {
    let order = Order::parse(&request.input).map_err(|error| StepError::Config(error.to_string()))?;
    let (app, named) = find(&order.subject, world).await?;
    let undoable: Vec<&Entry> = named.iter().filter(|entry| entry.may_be_undone()).collect();
    if undoable.is_empty() {
        return Ok(Answer::Ended { decision: Decision::NothingToDo, why: why_nothing(&named) });
    }
    let (place, endpoints) = whereabouts(&app, config, &request.execution_arn);
    let home = Place::of_arn(&request.execution_arn);
    if let Some(entry) = undoable.iter().find(|entry| !lies_in(&entry.change.resource, place.as_ref(), home.as_ref())) {
        let now = place.or(home).map_or_else(|| "the place of the maintainer".to_owned(), |place| place.to_string());
        return Err(StepError::Config(format!(
            "{} was made on {}, but {app} lives in {now} now: name in maintainer.yaml where it lived then, and order again; \
             nothing was changed",
            entry.change.action, entry.change.resource
        )));
    }
    let (now, own) = (world.clock.now(), ExecutionId::new(request.execution_name));
    let care =
        Care { clock: world.clock, leases: world.leases, liveness: world.liveness, executions: world.executions };
    let lease = match take_lease(&app, &own, &care).await? {
        LeaseAnswer::Held(lease) => lease,
        LeaseAnswer::Busy(other) => {
            let why = format!(
                "{app} is under the care of {}; wait for its end, or stop it in the console, and order again",
                other.holder
            );
            return Ok(Answer::Ended { decision: Decision::Busy, why });
        }
    };
    let trigger = words(&order);
    let mode = order.only_look.then_some(Mode::Observe);
    world
        .executions
        .open(&ExecutionRecord {
            execution_id: own.clone(),
            execution_arn: request.execution_arn.clone(),
            workflow_type: Workflow::Rollback,
            app: app.clone(),
            status: Status::Running,
            trigger: trigger.clone(),
            alarms: Vec::new(),
            mode,
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
    let open = world.journal.since(&app, settle::look_back(now)).await?;
    let dead: BTreeSet<&ExecutionId> = open
        .iter()
        .filter(|entry| entry.state.is_open() && entry.execution != own)
        .map(|entry| &entry.execution)
        .collect();
    close_dead(&app, &own, &dead, &care).await?;
    let run = Run {
        app,
        cycle: Cycle::Health,
        workflow: Workflow::Rollback,
        execution_id: own,
        execution_arn: request.execution_arn,
        place,
        endpoints,
        iteration: 1,
        mode,
        trigger,
        episode: None,
        lease,
        decision: Decision::Proceed,
        wait_s: 0,
        asked_in: None,
        answer_within_s: None,
        preview: Vec::new(),
        score: None,
        conclusion: None,
        error: None,
    };
    let changes = undoable.iter().map(|entry| entry.id().clone()).collect();
    documents::put(world.artifacts, &run.key("order"), &RollbackOrder { changes, remark: order.remark }).await?;
    Ok(Answer::Run(Box::new(run)))
}

/// The application and the changes that are meant, oldest first.
async fn find(subject: &Subject, world: &World<'_>) -> Result<(AppId, Vec<Entry>), StepError> {
    let unknown = |what: String| StepError::Config(format!("{what}; nothing was changed"));
    match subject {
        Subject::Run(run) => {
            let record = world.executions.read(run).await?;
            let record = record.ok_or_else(|| unknown(format!("no run is called \"{run}\"")))?;
            let mut entries = world.journal.since(&record.app, Timestamp::UNIX_EPOCH).await?;
            entries.retain(|entry| entry.execution == *run);
            Ok((record.app, entries))
        }
        Subject::Change(app, change) => {
            let mut entries = world.journal.since(app, Timestamp::UNIX_EPOCH).await?;
            entries.retain(|entry| entry.id() == change);
            if entries.is_empty() {
                return Err(unknown(format!("\"{app}\" has no change \"{change}\" in its journal")));
            }
            Ok((app.clone(), entries))
        }
    }
}

/// Why nothing can be undone, with how each change stands.
fn why_nothing(named: &[Entry]) -> String {
    let stands = |entry: &Entry| {
        let how = match entry.state {
            EntryState::NotApplied => "never took effect",
            EntryState::Undone => "is undone already",
            EntryState::Superseded => "was changed by somebody else since",
            _ => "can't be undone: the platform restores it, or it fills again",
        };
        format!("{} {how}", entry.change.action)
    };
    if named.is_empty() {
        return "the run has changed nothing".to_owned();
    }
    named.iter().map(stands).collect::<Vec<_>>().join("; ")
}

fn words(order: &Order) -> String {
    let what = match &order.subject {
        Subject::Run(run) => format!("rollback of run {run}"),
        Subject::Change(_, change) => format!("rollback of change {change}"),
    };
    let remark = if order.remark.is_empty() { String::new() } else { format!(": {}", order.remark) };
    format!("{what}, ordered by hand{remark}")
}
