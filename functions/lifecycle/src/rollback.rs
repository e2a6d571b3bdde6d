//! rollback: begins a run that undoes what a person names, a whole run's changes or one change.
//!
//! Finds the changes, takes the lease on the application, opens a record, and writes the order down for `health-optimize`,
//! which alone may write to an application. Changes nothing else.

use crate::care::{Beginning, Care, close_dead, dead, take_lease, whereabouts};
use config::Config;
use config::order::{Order, Subject};
use domain::execution::{Cycle, Workflow};
use domain::ids::{AppId, ExecutionId};
use domain::mode::Mode;
use domain::place::{Place, lies_in};
use engine::documents;
use engine::ports::{Artifacts, Clock, Entry, EntryState, Executions, Journal, LeaseAnswer, Leases, Liveness};
use engine::run::{Decision, RollbackOrder, Run};
use engine::step::StepError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    let (place, _) = whereabouts(&app, config, &request.execution_arn);
    let home = Place::of_arn(&request.execution_arn);
    if let Some(entry) = undoable.iter().find(|entry| !lies_in(&entry.change.resource, place.as_ref(), home.as_ref())) {
        let now = place.or(home).map_or_else(|| "the place of the maintainer".to_owned(), |place| place.to_string());
        return Err(StepError::Config(format!(
            "{} was made on {}, but {app} lives in {now} now: name in maintainer.yaml where it lived then, and order again; \
             nothing was changed",
            entry.change.action, entry.change.resource
        )));
    }
    let World { clock, leases, liveness, executions, journal, .. } = *world;
    let care = Care { clock, leases, liveness, executions, journal };
    let of = Beginning {
        app,
        // What is named was made by one run, so by one cycle.
        cycle: undoable.first().map_or(Cycle::Health, |entry| entry.workflow.cycle()),
        workflow: Workflow::Rollback,
        execution_id: ExecutionId::new(request.execution_name),
        execution_arn: request.execution_arn,
        mode: order.only_look.then_some(Mode::Observe),
        trigger: words(&order),
        alarms: Vec::new(),
        episode: None,
    };
    let lease = match take_lease(&of, &care).await? {
        LeaseAnswer::Held(lease) => lease,
        LeaseAnswer::Busy(other) => {
            let why = format!(
                "{} is under the care of {}; wait for its end, or stop it in the console, and order again",
                of.app, other.holder
            );
            return Ok(Answer::Ended { decision: Decision::Busy, why });
        }
    };
    of.record(config, &care).await?;
    let dead = dead(&of, &care).await?;
    close_dead(&of, &dead, &care).await?;
    let run = of.run(lease, Decision::Proceed, config);
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
