//! Guards on the resource itself, by its live state: sizes, what a change takes out of service, what is under way on it.

use super::{Facts, Limits, Refusal, off_hours, things};
use crate::change::{Action, Change};
use crate::changes::Pace;
use crate::observed::Observed;
use crate::performance::index::{Index, IndexState};
use crate::performance::statistics::{StatisticsState, TableStatistics};
use crate::resource::{Fleet, Live, Service};

/// Guards on the resource itself, by its live state.
pub(super) fn scope(change: &Change, facts: &Facts, limits: &Limits) -> Result<(), Refusal> {
    match (&change.action, &facts.live) {
        (Action::SetFleetCapacity { desired, .. }, Live::AutoScalingGroup(fleet)) => {
            busy(fleet.refresh_in_progress, "an instance refresh")?;
            resize(fleet.desired, *desired, fleet.healthy(), (fleet.min, fleet.max), limits)
        }
        (Action::SetFleetSchedule { off_hours, .. }, Live::AutoScalingGroup(fleet)) => {
            off_hours::scope(fleet, off_hours)
        }
        (Action::SetServiceCount { desired, .. }, Live::EcsService(service)) => {
            busy(service.deployment_in_progress, "a deployment")?;
            if let Some(why) = &service.bounds_missing {
                return Err(Refusal::BoundsUnknown { why: why.to_string() });
            }
            resize(service.desired, *desired, service.running, service.bounds.unwrap_or((1, u32::MAX)), limits)
        }
        (Action::ReplaceInstance { .. }, Live::AutoScalingGroup(_))
        | (Action::ReplaceTask { .. }, Live::EcsService(_)) => replace(&change.action, &facts.live, limits),
        (Action::RefreshFleet { .. }, Live::AutoScalingGroup(_))
        | (Action::RedeployService { .. }, Live::EcsService(_)) => restart(&facts.live, limits),
        (Action::CreateIndex { .. }, Live::Index(index)) => index_of(index, limits),
        (Action::AnalyzeTable { .. }, Live::Statistics(of)) => statistics_of(of),
        (Action::FlushCache { .. }, Live::Cache(_)) | (Action::InvalidateCdn { .. }, Live::Distribution) => Ok(()),
        (action, live) => things::scope(action, live, facts.now).unwrap_or_else(|| Err(not_for(action, live))),
    }
}

/// A build waits for every transaction that is older, and for whatever else works on the table; and what died of an earlier one must
/// go first.
fn index_of(index: &Index, limits: &Limits) -> Result<(), Refusal> {
    match index.state {
        IndexState::Absent => {}
        IndexState::Valid => {
            return Err(Refusal::NothingToDo { why: format!("the index {} is there already", index.name) });
        }
        IndexState::Invalid => {
            return Err(Refusal::Busy { what: format!("an unfinished build of {}", index.name) });
        }
    }
    if let Some(what) = &index.busy {
        return Err(Refusal::Busy { what: what.clone() });
    }
    // What is not a number is not known, and no licence.
    if index.oldest_transaction_s.is_nan() || index.oldest_transaction_s > f64::from(limits.transaction_s_max) {
        return Err(Refusal::LongTransaction { age_s: index.oldest_transaction_s, max_s: limits.transaction_s_max });
    }
    let gib = index.table_bytes / 1_073_741_824.0;
    if gib.is_nan() || gib > f64::from(limits.indexed_table_gib_max) {
        return Err(Refusal::TableTooLarge { gib, max_gib: limits.indexed_table_gib_max });
    }
    Ok(())
}

/// ANALYZE waits for whatever else works on the table, and who comes after it waits for both.
fn statistics_of(of: &TableStatistics) -> Result<(), Refusal> {
    if of.state() == StatisticsState::Fresh {
        let why = format!("{}.{} was analyzed in the meantime", of.schema, of.table);
        return Err(Refusal::NothingToDo { why });
    }
    match &of.busy {
        Some(what) => Err(Refusal::Busy { what: what.clone() }),
        None => Ok(()),
    }
}

fn not_for(action: &Action, live: &Live) -> Refusal {
    Refusal::NothingToDo { why: format!("\"{action}\" does not apply to a {}", live.kind()) }
}

/// Guards on the replacement of one member: it leaves before its successor serves. Also asked before one is planned.
///
/// # Errors
/// The [`Refusal`].
pub(crate) fn replace(action: &Action, live: &Live, limits: &Limits) -> Result<(), Refusal> {
    match (action, live) {
        (Action::ReplaceInstance { instance, .. }, Live::AutoScalingGroup(fleet)) => {
            replace_instance(fleet, instance, limits)
        }
        (Action::ReplaceTask { task, .. }, Live::EcsService(service)) => replace_task(service, task, limits),
        (action, live) => Err(not_for(action, live)),
    }
}

fn replace_instance(fleet: &Fleet, instance: &str, limits: &Limits) -> Result<(), Refusal> {
    busy(fleet.refresh_in_progress, "an instance refresh")?;
    let Some(member) = fleet.instances.iter().find(|member| member.id == instance) else {
        return Err(Refusal::NothingToDo { why: format!("{instance} is no longer in the group") });
    };
    if member.protected {
        return Err(Refusal::Protected);
    }
    let size = u32::try_from(fleet.instances.len()).unwrap_or(u32::MAX);
    let serving_after = fleet.healthy().saturating_sub(u32::from(member.is_serving()));
    blast(size.saturating_sub(serving_after), size, serving_after, fleet.healthy(), limits)
}

/// As a deployment, it must leave as many tasks as the owner's `minimumHealthyPercent` asks for. 100 % is what ECS assumes
/// where nobody has set anything, and would forbid every replacement that begins with a stop: there the blast radius
/// holds alone, as for an instance.
fn replace_task(service: &Service, task: &str, limits: &Limits) -> Result<(), Refusal> {
    busy(service.deployment_in_progress, "a deployment")?;
    let tasks = match &service.tasks {
        Observed::Known(tasks) => tasks,
        Observed::Missing(why) => {
            return Err(Refusal::NothingToDo { why: format!("which tasks run is not known ({why})") });
        }
    };
    let Some(member) = tasks.iter().find(|member| member.id == task) else {
        return Err(Refusal::NothingToDo { why: format!("{task} is no longer in the service") });
    };
    let left = service.running.saturating_sub(u32::from(member.is_running()));
    let out = service.desired.saturating_sub(left);
    let (stay, _) = service.during_deployment();
    if service.min_healthy_pct < 100 && left < stay {
        let max_pct = f64::from(100 - service.min_healthy_pct);
        return Err(Refusal::BlastRadius { out, of: service.desired, max_pct });
    }
    blast(out, service.desired, left, service.running, limits)
}

/// Guards on a restart of a whole fleet or service: what it takes out of service at a time. Also asked before one is planned.
///
/// # Errors
/// The [`Refusal`].
pub(crate) fn restart(live: &Live, limits: &Limits) -> Result<(), Refusal> {
    match live {
        Live::AutoScalingGroup(fleet) => {
            busy(fleet.refresh_in_progress, "an instance refresh")?;
            refresh(fleet, limits)
        }
        Live::EcsService(service) => {
            busy(service.deployment_in_progress, "a deployment")?;
            redeploy(service, limits)
        }
        other => Err(Refusal::NothingToDo { why: format!("a {} can't be restarted", other.kind()) }),
    }
}

fn refresh(fleet: &Fleet, limits: &Limits) -> Result<(), Refusal> {
    let healthy = fleet.healthy();
    // With one healthy instance left, a refresh would be the end of it.
    if healthy < 2 {
        return Err(Refusal::LastHealthy { healthy });
    }
    let size = u32::try_from(fleet.instances.len()).unwrap_or(u32::MAX);
    match Pace::of(fleet).out(fleet.desired) {
        0 => Ok(()),
        leave => {
            let left = healthy.saturating_sub(leave);
            blast(size.saturating_sub(left), size, left, healthy, limits)
        }
    }
}

fn redeploy(service: &Service, limits: &Limits) -> Result<(), Refusal> {
    let (stay, most) = service.during_deployment();
    let left = service.running.min(stay);
    if left < service.running {
        return blast(service.desired.saturating_sub(left), service.desired, left, service.running, limits);
    }
    if service.running > 0 && most <= service.running {
        let why = format!("{stay} of {} tasks must stay and {most} may run, so none can be replaced", service.desired);
        return Err(Refusal::NothingToDo { why });
    }
    Ok(())
}

pub(super) fn busy(is_busy: bool, what: &str) -> Result<(), Refusal> {
    if is_busy { Err(Refusal::Busy { what: what.to_owned() }) } else { Ok(()) }
}

fn resize(from: u32, to: u32, healthy: u32, (min, max): (u32, u32), limits: &Limits) -> Result<(), Refusal> {
    if from == to {
        return Err(Refusal::NothingToDo { why: format!("the size is already {to}") });
    }
    if to < min || to > max {
        return Err(Refusal::OutOfBounds { wanted: to, min, max });
    }
    if to == 0 {
        return Err(Refusal::LastHealthy { healthy });
    }
    let (small, large) = (f64::from(from.min(to)), f64::from(from.max(to)));
    // One step of one member is always allowed, or a fleet of one could never grow.
    if from.abs_diff(to) > 1 && large > small * limits.step_factor_max {
        return Err(Refusal::StepTooLarge { from, to, factor_max: limits.step_factor_max });
    }
    Ok(())
}

fn blast(out: u32, of: u32, left: u32, healthy: u32, limits: &Limits) -> Result<(), Refusal> {
    if left == 0 {
        return Err(Refusal::LastHealthy { healthy });
    }
    if f64::from(out) > f64::from(of) * limits.blast_radius && out > 1 {
        return Err(Refusal::BlastRadius { out, of, max_pct: limits.blast_radius * 100.0 });
    }
    Ok(())
}
