//! What forbids to make something of an application smaller: a surge that is announced, an incident that is open, a change of
//! another cycle that is still being verified. Read and handed on; the rule is `domain::arbitration`.

use crate::act::{Context, earlier};
use crate::ports::{Entry, PortError, PortResult};
use crate::run::lease_key;
use domain::arbitration::{self, Incident, Made, Restraints, Signs};
use domain::execution::Cycle;
use domain::observed::Observed;
use domain::resource::Resource;
use domain::snapshot::{Alarm, AlarmState};
use futures::future::join3;

/// The incident that is open on the application, if there is one. These resources tell which alarms concern it, besides
/// those that are tagged. A read that fails for the moment is made once more; what can't be read counts as an incident.
pub(crate) async fn incident(context: &Context<'_>, resources: &[Resource]) -> Option<Incident> {
    let (run, ports) = (context.run, context.ports);
    let key = lease_key(Cycle::Health, &run.app);
    let (lease, runs, alarms) = join3(
        either(ports.leases.holder(&key), ports.leases.holder(&key)),
        either(ports.executions.newest(&run.app), ports.executions.newest(&run.app)),
        either(ports.alarms.alarms(&run.app, resources), ports.alarms.alarms(&run.app, resources)),
    )
    .await;
    // By the clock of whoever has written it, it may hold still.
    let ended_by = earlier(context.now(), context.rules.timing.skew_s);
    let holder = lease.map(|lease| lease.filter(|lease| lease.expires_at > ended_by).map(|lease| lease.holder));
    let signs = Signs { holder: seen(holder), runs: seen(runs), alarms: seen(alarms.map(ringing)) };
    arbitration::incident(&signs, &run.execution_id)
}

/// All that forbids it, with the incident as it was read and these entries of the journal.
pub(crate) fn of(context: &Context<'_>, incident: Option<Incident>, entries: &[Entry]) -> Restraints {
    let made: Vec<Made> = entries.iter().filter_map(Entry::made).collect();
    Restraints {
        surge: (context.rules.surge)(context.now()),
        incident,
        unjudged: arbitration::unjudged(context.run.workflow, &made).cloned(),
    }
}

fn ringing(alarms: Vec<Alarm>) -> Vec<String> {
    alarms.into_iter().filter(|alarm| alarm.state == AlarmState::Alarm).map(|alarm| alarm.name).collect()
}

fn seen<T>(read: PortResult<T>) -> Observed<T> {
    read.map_or_else(|error| Observed::Missing(error.missing()), Observed::Known)
}

/// The first read, and the second one where that failed for the moment.
async fn either<T>(
    first: impl Future<Output = PortResult<T>>,
    second: impl Future<Output = PortResult<T>>,
) -> PortResult<T> {
    match first.await {
        Err(PortError::Throttled { .. } | PortError::Unknown { .. }) => second.await,
        answer => answer,
    }
}
